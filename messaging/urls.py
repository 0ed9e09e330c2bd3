from django.urls import path

from .views import inbox

app_name = "messaging"
urlpatterns = [path("", inbox.inbox, name="inbox")]
