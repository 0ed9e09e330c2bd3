"""TLS for an SMPP link: verified against the system's or the account's own authority unless switched off."""

from __future__ import annotations

import ssl

from gateways.adapters.smpp.settings import SmppSettings
from gateways.base import BadSettings


def make_tls_context(settings: SmppSettings) -> ssl.SSLContext | None:
    """None if the account uses no TLS. Raises BadSettings for an file that cannot be read."""
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise BadSettings("tls_ca_file: cannot be read") from error
    if not settings.tls_verify:
        # Operators on private lines still hand out self-signed certificates; the account must ask for this.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.tls_certificate_file:
        try:
            context.load_cert_chain(settings.tls_certificate_file)
        except (OSError, ssl.SSLError) as error:
            raise BadSettings("tls_certificate_file: cannot be read, or holds no key") from error
    return context
