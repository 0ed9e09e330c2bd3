from django.urls import path

from . import views

app_name = "accounts"
urlpatterns = [
    path("none/", views.no_tenant, name="no_tenant"),
]
