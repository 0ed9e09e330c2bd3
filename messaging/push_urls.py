from django.urls import path

from .views.push import take_push

app_name = "push"
urlpatterns = [
    path("<str:token>/receipts", take_push, {"kind": "receipts"}, name="receipts"),
    path("<str:token>/inbound", take_push, {"kind": "inbound"}, name="inbound"),
]
