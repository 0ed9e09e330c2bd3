from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are opened by the platform or by an agency, not by strangers."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
