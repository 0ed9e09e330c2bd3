"""Whose request it is: the visitor's address behind the proxies in front of us."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

Address = IPv4Address | IPv6Address


def find_visitor_address(request: HttpRequest) -> Address | None:
    """The right-most address that none of TRUSTED_PROXY_COUNT proxies of ours has; None if it is no address.

    Each of them appends the address of who called it, so what stands further left is what the visitor claims. With
    fewer entries than proxies the request has gone around one, and only the peer's own address counts.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    hops = [*(forwarded.split(",") if forwarded else []), peer]
    count = settings.TRUSTED_PROXY_COUNT
    return _parse_address(hops[-1 - count] if len(hops) > count else peer)


def _parse_address(text: str) -> Address | None:
    """Some proxies write the port behind it; a socket for both families writes IPv4 as ::ffff:1.2.3.4."""
    text = text.strip()
    try:
        address = ip_address(text)
    except ValueError:
        host = split_domain_port(text)[0]
        try:
            address = ip_address(host.strip("[]"))
        except ValueError:
            return None
    return getattr(address, "ipv4_mapped", None) or address
