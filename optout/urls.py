from django.urls import path

from . import views

app_name = "optout"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("history/", views.history, name="history"),
    path("add/", views.add, name="add"),
    path("export.<slug:kind>", views.export, name="export"),
    path("keywords/", views.keywords, name="keywords"),
    path("keywords/add/", views.keyword_add, name="keyword_add"),
    path("keywords/<int:keyword_id>/remove/", views.keyword_remove, name="keyword_remove"),
    path("<uuid:public_id>/remove/", views.remove, name="remove"),
]
