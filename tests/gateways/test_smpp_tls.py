"""SMPP over TLS: verified by default, an own authority by setting, unverified only on request."""

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateways.base import BadSettings, NotSent
from gateways.simulator.centre import Centre
from gateways.simulator.connection import Connection
from gateways.simulator.script import Script
from gateways.types import OutcomeKind
from tests.gateways.wire_cases import Recorder, bound_session, messages, run, until


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1, key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "operator")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "operator.pem"
    octets = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(octets + made.public_bytes(serialization.Encoding.PEM))
    return path


def send_over_tls(certificate: Path, **settings: Any) -> Recorder:
    async def scenario() -> Recorder:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        centre = Centre(Script())
        server = await asyncio.get_running_loop().create_server(lambda: Connection(centre), "127.0.0.1", 0, ssl=context)
        listener = Recorder()
        try:
            port = server.sockets[0].getsockname()[1]
            async with bound_session(port, listener, tls=True, **settings) as session:
                session.submit_many(messages(50))
                await until(lambda: len(listener.outcomes) == 50 and len(listener.raws) == 50)
        finally:
            server.close()
            await centre.stop()
        return listener

    result: Recorder = run(scenario())
    return result


def test_unknown_authority_is_refused_before_a_byte(certificate: Path) -> None:
    with pytest.raises(NotSent) as caught:
        send_over_tls(certificate)
    assert caught.value.code == "SSLCertVerificationError"


def test_own_authority(certificate: Path) -> None:
    listener = send_over_tls(certificate, tls_ca_file=str(certificate))
    assert len(listener.tokens(OutcomeKind.ACCEPTED)) == 50


def test_other_name_is_refused(certificate: Path) -> None:
    with pytest.raises(NotSent):
        send_over_tls(certificate, tls_ca_file=str(certificate), tls_server_name="example.org")


def test_unverified_on_request(certificate: Path) -> None:
    listener = send_over_tls(certificate, tls_verify=False)
    assert len(listener.tokens(OutcomeKind.ACCEPTED)) == 50


def test_unreadable_authority_is_a_setting_error(certificate: Path) -> None:
    with pytest.raises(BadSettings, match="tls_ca_file"):
        send_over_tls(certificate, tls_ca_file="/nowhere/ca.pem")
