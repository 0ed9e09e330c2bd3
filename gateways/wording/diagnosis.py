"""What a connection test found, in the reader's language: one sentence that names it, one that says what to do."""

from typing import NamedTuple

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..findings import Finding


class Diagnosis(NamedTuple):
    """`headline` names the finding, `remedy` says what to do about it (empty where nothing is to be done)."""

    headline: str
    remedy: str


_WORDS = {
    Finding.CONNECTED: (_("Connected and logged in."), ""),
    Finding.BAD_SETTINGS: (
        _("The settings cannot work."),
        _("Look at the setting named below; your contract says what belongs there."),
    ),
    Finding.FORBIDDEN_HOST: (
        _("This host is inside a private network."),
        _("Enter the public name or address that your provider gave you."),
    ),
    Finding.UNKNOWN_HOST: (
        _("The host name cannot be found."),
        _("Check its spelling; it should stand in your contract or in the provider's portal."),
    ),
    Finding.CONNECTION_REFUSED: (
        _("The host is there, but nobody listens on this port."),
        _("Check the port. Many providers have different ports with and without TLS."),
    ),
    Finding.UNREACHABLE: (
        _("The host cannot be reached."),
        _("Check host and port. If both are right, ask the provider to open its firewall for our address."),
    ),
    Finding.CONNECT_TIMEOUT: (
        _("The host does not answer."),
        _("Usually a firewall: give our address to the provider. Check host and port as well."),
    ),
    Finding.BAD_CERTIFICATE: (
        _("The provider's certificate cannot be trusted."),
        _("Use the host name that the certificate was made for. If the provider uses its own authority, tell us."),
    ),
    Finding.TLS_FAILED: (
        _("No encrypted connection could be made."),
        _("This port probably does not speak TLS: switch TLS off, or ask for the port with TLS."),
    ),
    Finding.LOGIN_REFUSED: (
        _("The provider refused the login."),
        _("Check user and password. Some providers also refuse addresses they do not know: give them ours."),
    ),
    Finding.LOGIN_OR_SERVER: (
        _("The provider refused the login, or its server is in trouble: its answer is the same for both."),
        _("Check user and password. If both are right, try again in a few minutes."),
    ),
    Finding.ALREADY_BOUND: (
        _("This user is connected already, as often as the contract allows."),
        _("Close the other connection, or ask the provider for a further one."),
    ),
    Finding.WRONG_PROTOCOL: (
        _("Something else answers on this port."),
        _("Check the port, and whether it needs TLS."),
    ),
    Finding.NO_ANSWER: (
        _("Connected, but the provider says nothing."),
        _("Check the port; one that needs TLS stays silent without it. If it is right, ask the provider."),
    ),
    Finding.CLOSED: (
        _("The provider hung up at once."),
        _("Usually our address is not on its list, or the port needs TLS. Ask the provider."),
    ),
    Finding.NOT_NOW: (_("The provider asks us to wait."), _("Try again in a few minutes.")),
    Finding.REFUSED: (_("The provider refused."), _("Ask the provider what the code below means.")),
    Finding.UNREADABLE: (
        _("The provider's answer cannot be understood."),
        _("Check the address; if it is right, send us the code below."),
    ),
    Finding.UNSUPPORTED: (_("This provider cannot be tested."), _("Send a test message instead.")),
    Finding.FAULT: (_("The test failed on our side."), _("Try again; if it happens again, tell us.")),
}


_SETTINGS_WORDS = {
    "https only": _("Only an address that begins with https:// will do."),
    "not a URL": _("This is no address."),
    "https://host/path is expected": _("An address like https://host/path is expected."),
    "credentials do not belong into it": _("User and password do not belong into the address."),
    "above zero": _("More than zero is expected."),
    "a text": _("A text is expected."),
    "a whole number": _("A whole number is expected."),
    "a name or an address": _("Enter a name or an address."),
    "a key and its secret belong together": _("A key and its secret belong together: enter both or neither."),
    "a header and a secret belong together": _("A header and its secret belong together: enter both or neither."),
}


def split_bad_settings(said: str) -> tuple[str, str]:
    """(name of the setting or "", what is wrong with it in the reader's language, else in the adapter's words)."""
    name, _colon, why = said.partition(": ")
    if why and name != "unknown setting":
        return name, str(_SETTINGS_WORDS.get(why, why))
    if why:
        return "", gettext("There is no setting %(name)s.") % {"name": why}
    if said.endswith(" is missing"):
        return said.removesuffix(" is missing"), gettext("Missing.")
    return "", said


def explain_finding(finding: str, is_ok: bool, said: str = "") -> Diagnosis:
    """`said`: the adapter's or provider's own words, for a finding without words of ours."""
    known = _WORDS.get(Finding(finding)) if finding in Finding.__members__.values() else None
    if known is not None:
        return Diagnosis(str(known[0]), str(known[1]))
    if said:
        return Diagnosis(gettext(said), "")
    return explain_finding(Finding.CONNECTED if is_ok else Finding.REFUSED, is_ok)
