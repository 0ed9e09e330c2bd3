"""Providers that call us: receipts and messages from handsets, stored as they came before anybody is thanked (R1)."""

import logging
from ipaddress import ip_network

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.scope import platform_scope
from common.addresses import find_visitor_address
from common.crypto import DecryptionError
from gateways.base import GatewayError
from gateways.http.events import PushRequest
from gateways.http.gateway import HttpGateway
from gateways.models import GatewayAccount
from gateways.opening import open_account_gateway
from gateways.registry import UnknownGateway, get_gateway_class
from messaging.dispatch.inbox import store_pushed

log = logging.getLogger(__name__)
BODY_LIMIT = 2 * 1024 * 1024


@csrf_exempt
@require_http_methods(["GET", "POST"])
def take_push(request: HttpRequest, token: str, kind: str) -> HttpResponse:
    """200 once it is stored, whether or not we know what it is about; 503 if it cannot be stored now, so that the
    provider calls again. 404 for an address that is nobody's, 403 for a caller or a signature that is not theirs."""
    try:
        with platform_scope(reason="push"):
            account = GatewayAccount.objects.filter(push_token=token).first()
    except DatabaseError:
        return _busy()
    if account is None:
        raise Http404
    try:
        if not issubclass(get_gateway_class(account.adapter), HttpGateway):
            raise Http404
        gateway = open_account_gateway(account)
    except (GatewayError, UnknownGateway, DecryptionError, ValueError) as error:
        log.error("gateway.push_unusable", extra={"account": account.pk, "fault": type(error).__name__})
        return _busy()
    assert isinstance(gateway, HttpGateway)
    if not _may_call(request, gateway):
        log.warning("gateway.push_address", extra={"account": account.pk})
        return HttpResponse(status=403)
    push = _read_push(request, kind)
    if push is None:
        return HttpResponse(status=413)
    if not gateway.verify_push(push):
        log.warning("gateway.push_signature", extra={"account": account.pk})
        return HttpResponse(status=403)
    if not store_pushed(account.pk, gateway, gateway.split_push(push)):
        return _busy()
    return HttpResponse(gateway.push_answer, content_type="text/plain; charset=utf-8")


def _busy() -> HttpResponse:
    return HttpResponse(status=503, headers={"Retry-After": "30"})


def _may_call(request: HttpRequest, gateway: HttpGateway) -> bool:
    networks = gateway.settings.push_addresses
    if not networks:
        return True
    caller = find_visitor_address(request)
    return caller is not None and any(caller in ip_network(network) for network in networks)


def _read_push(request: HttpRequest, kind: str) -> PushRequest | None:
    """None if it is too long."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_LIMIT:
            return None
        body = request.body
    except (RequestDataTooBig, ValueError):
        return None
    if len(body) > BODY_LIMIT:
        return None
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = tuple((name, value) for name, values in request.GET.lists() for value in values)
    return PushRequest(kind, request.method or "", request.build_absolute_uri(), body, headers, query)
