from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("reporting.urls")),
    path("admin/", admin.site.urls),
    path("auth/", include("allauth.urls")),
    path("account/", include("accounts.urls")),
    path("credits/", include("billing.urls")),
    path("contacts/", include("contacts.urls")),
    path("suppression/", include("optout.urls")),
    path("campaigns/", include("campaigns.urls")),
    path("inbox/", include("messaging.urls")),
    path("gateways/", include("gateways.urls")),
]
