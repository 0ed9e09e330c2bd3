from django.urls import URLPattern, URLResolver

app_name = "optout"
urlpatterns: list[URLPattern | URLResolver] = []
