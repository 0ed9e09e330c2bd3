from allauth.account import urls as sign_in
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

# Staff sign in where everybody does, with the second step and the rate limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# Whoever could change their own address could take one that belongs to somebody else, and with it the membership that
# an account gives to that address later. Platform staff change addresses.
CLOSED_SIGN_IN_PAGES = {"account_email", "account_confirm_email", "account_email_verification_sent"}

handler400 = "accounts.views.errors.bad_request"

urlpatterns = [
    path("", include("reporting.urls")),
    path("admin/", admin.site.urls),
    path("auth/", include([page for page in sign_in.urlpatterns if page.name not in CLOSED_SIGN_IN_PAGES])),
    path("auth/2fa/", include("allauth.mfa.urls")),
    path("account/", include("accounts.urls")),
    path("credits/", include("billing.urls")),
    path("contacts/", include("contacts.urls")),
    path("suppression/", include("optout.urls")),
    path("campaigns/", include("campaigns.urls")),
    path("inbox/", include("messaging.urls")),
    path("gateways/", include("gateways.urls")),
    path("gateways/", include("messaging.push_urls")),
]
