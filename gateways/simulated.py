"""The connection to the operator simulator, for demo data, demo runs and tests."""

from .models import GatewayAccount, Route

NAME = "Operatör simülatörü"
SIMULATOR = "simulator"
"""As host and port: wherever the simulator of this installation listens now (settings.SIMULATOR_SMPP_PORT)."""


def ensure_simulator_account(*, rate_per_second: int, window_size: int, slots: int = 1) -> GatewayAccount:
    """The platform's connection to the simulator and the route that sends everything there. Platform scope.

    An account that is there already keeps its limits.
    """
    account: GatewayAccount | None = GatewayAccount.objects.filter(tenant=None, name=NAME).first()
    if account is None:
        account = GatewayAccount(
            name=NAME, adapter="smpp", rate_per_second=rate_per_second, window_size=window_size, slots=slots
        )
        account.settings = {"port": SIMULATOR, "system_id": "peyk", "send_token": True}
        account.set_secret("peyk")
        account.save()
        Route(prefix="+90", gateway_account=account).save()
    return account
