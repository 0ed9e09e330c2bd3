"""The connection to the operator simulator, for demo data, demo runs and tests."""

from .models import GatewayAccount, Route

NAME = "Operator simulator"
# `port` is told by the environment at each start: see gateways.opening.
SETTINGS = {"system_id": "peyk", "port": "simulator", "send_token": True}
RATE_PER_SECOND = 20_000
WINDOW_SIZE = 500


def ensure_simulator_account(*, slots: int = 1) -> GatewayAccount:
    """The platform's connection to the simulator and the route that sends everything there. Platform scope."""
    account = GatewayAccount.objects.filter(tenant=None, name=NAME).first() or GatewayAccount(name=NAME)
    account.adapter = "smpp"
    account.settings = SETTINGS
    account.rate_per_second, account.window_size, account.slots = RATE_PER_SECOND, WINDOW_SIZE, slots
    account.set_secret("simulator")
    account.save()
    if not Route.objects.filter(tenant=None, gateway_account=account).exists():
        Route(prefix="+", gateway_account=account).save()
    return account
