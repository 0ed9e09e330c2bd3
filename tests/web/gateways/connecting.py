"""Ayşe's connection to an operator: the values of its form, and the way to its pages."""

from django.urls import reverse

from accounts.scope import tenant_scope
from gateways.models import GatewayAccount

SECRET = "gizli-8"
VALUES = {
    "provider": "smpp",
    "name": "Turkcell, mağaza",
    "rate_per_second": 50,
    "use_for": "+90",
    "set_host": "smsc.example.com",
    "set_port": 2775,
    "set_system_id": "butik",
    "set_password": SECRET,
    "set_bind_mode": "transceiver",
    "set_long_mode": "udh8",
    "set_answer_id_base": "opaque",
    "set_receipt_id_base": "opaque",
    "set_enquire_link_seconds": 20,
}
HTTP_VALUES = {
    "netgsm": {"set_username": "8503021234", "set_password": SECRET, "set_iys_recipient_type": "BIREYSEL"},
    "vatansms": {"set_api_id": "a1", "set_api_key": SECRET},
    "figensoft": {"set_username": "u", "set_password": SECRET, "set_channel": "BULK"},
}
NEW = reverse("gateways:connection_new")


def add(client, **changes):
    return client.post(NEW, {**VALUES, **changes})


def get_account(cast, **where):
    with tenant_scope(cast.butik.pk):
        return GatewayAccount.objects.get(tenant=cast.butik, **where)


def page(name, account):
    return reverse(f"gateways:{name}", args=[account.public_id])
