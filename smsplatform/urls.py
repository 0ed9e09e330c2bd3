from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

# Staff sign in where everybody does, with the second step and the rate limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler400 = "accounts.views.errors.bad_request"

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
    path("gateways/", include("messaging.push_urls")),
]
