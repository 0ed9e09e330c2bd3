"""The operator simulator's control port, as the panel's page uses it (gateways/simulator/control.py serves it)."""

from typing import Any

import httpx
from django.conf import settings

TIMEOUT_SECONDS = 2.0


class SimulatorDown(Exception):
    """The simulator does not answer, or answers what is not JSON."""


class SimulatorRefused(Exception):
    """The simulator understood and refused; the text says why, in English."""


def list_messages(*, number: str = "", limit: int = 200) -> list[dict[str, Any]]:
    """What phones show, newest first: at (epoch seconds), id, to, from, account, text, parts, arrived_parts."""
    messages = _call("GET", "/phones", params={"number": number, "limit": str(limit)})["messages"]
    return list(messages)


def send_reply(*, phone: str, recipient: str, text: str, account: str) -> None:
    """The phone (E.164) writes to our number over the connection that last wrote to it."""
    _call("POST", "/mo", json={"from": phone, "to": recipient, "text": text, "account": account})


def get_script() -> dict[str, Any]:
    return _call("GET", "/script")


def change_script(changes: dict[str, Any]) -> dict[str, Any]:
    """Change how the operator behaves from now on. Raises SimulatorRefused for values that cannot work."""
    return _call("POST", "/script", json=changes)


def change_double(slug: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Change the switches of a provider's double; returns its switches and counts. Raises SimulatorRefused."""
    return _call("POST", f"/providers/{slug}", json=changes)


def get_figures() -> dict[str, Any]:
    """Counts of the journal since the simulator started."""
    return _call("GET", "/journal")


def _call(method: str, path: str, **content: Any) -> dict[str, Any]:
    url = settings.SIMULATOR_CONTROL_URL.rstrip("/") + path
    try:
        # trust_env: a proxy of the environment has no business between us and 127.0.0.1.
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            response = client.request(method, url, **content)
        answer = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise SimulatorDown(str(error)) from error
    if not isinstance(answer, dict):
        raise SimulatorDown("unexpected answer")
    if response.status_code != 200:
        raise SimulatorRefused(str(answer.get("error", response.status_code)))
    return answer
