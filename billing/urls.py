from django.urls import path

from .views import overview, sub_accounts

app_name = "billing"
urlpatterns = [
    path("", overview.show_overview, name="overview"),
    path("sub-accounts/", sub_accounts.list_rows, name="sub_accounts"),
    path("sub-accounts/new/", sub_accounts.create, name="sub_account_new"),
    path("sub-accounts/<uuid:public_id>/transfer/", sub_accounts.transfer, name="sub_account_transfer"),
]
