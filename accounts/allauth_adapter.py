from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from common.addresses import find_visitor_address


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are opened by the platform or by an agency, not by strangers."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """What attempts are counted by. Raises PermissionDenied."""
        address = find_visitor_address(request)
        if address is None:
            raise PermissionDenied("a request without an address")
        return str(address)
