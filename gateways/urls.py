from django.urls import URLPattern, URLResolver, path

from .views import senders

app_name = "gateways"
urlpatterns: list[URLPattern | URLResolver] = [
    path("senders/", senders.show_list, name="sender_list"),
    path("senders/new/", senders.request_new, name="sender_new"),
    path("senders/<uuid:public_id>/withdraw/", senders.withdraw, name="sender_withdraw"),
]
