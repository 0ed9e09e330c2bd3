"""SMPP over TLS: verified by default, an own authority by setting, unverified only on request."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from gateways.base import BadSettings, NotSent
from gateways.simulator.centre import Centre
from gateways.simulator.connection import Connection
from gateways.simulator.script import Script
from gateways.types import OutcomeKind
from tests.gateways.certificates import make_certificate
from tests.gateways.wire_cases import Recorder, bound_session, messages, run, until


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


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


def test_operator_that_asks_for_our_certificate(certificate: Path, tmp_path: Path) -> None:
    ours = make_certificate(tmp_path, "peyk")

    async def scenario() -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ours)
        context.load_cert_chain(certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        centre = Centre(Script())
        server = await asyncio.get_running_loop().create_server(lambda: Connection(centre), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        values = {"tls": True, "tls_ca_file": str(certificate)}
        try:
            with pytest.raises(NotSent):
                async with bound_session(port, Recorder(), **values):
                    pass
            async with bound_session(port, Recorder(), **values, tls_certificate_file=str(ours)) as session:
                assert session.is_up
        finally:
            server.close()
            await centre.stop()

    run(scenario())


def test_unreadable_certificate_of_ours_is_a_setting_error(certificate: Path) -> None:
    with pytest.raises(BadSettings, match="tls_certificate_file"):
        send_over_tls(certificate, tls_verify=False, tls_certificate_file="/nowhere/peyk.pem")
