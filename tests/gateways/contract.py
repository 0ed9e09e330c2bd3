"""What every HTTP adapter must do, tried against its double. One subclass per adapter: ``test_contract_<slug>.py``.

A subclass gives settings, the canned answers of its provider (recorded example payloads), and what a case cannot
be shown for, with the reason. ``marks`` carries over from the provider's sheet how sure the fact behind a case is;
``python -m tests.gateways.coverage --write`` makes the table in docs/gateways.md of it.
"""

from __future__ import annotations

import json
import logging

import pytest

from gateways.base import UnsupportedFeature
from gateways.simulator.http_server import Reply
from tests.gateways.contract_receipts import ReceiptCases
from tests.gateways.contract_stage import CASES, LACKS
from tests.gateways.contract_submitting import SubmittingCases
from tests.gateways.wire_cases import run


class GatewayContract(SubmittingCases, ReceiptCases):
    """Subclass it as ``class Test…(GatewayContract)``."""

    def test_secrets(self, caplog: pytest.LogCaptureFixture) -> None:
        """A provider that sends our whole request back: no secret of it is kept, logged or raised."""
        caplog.set_level(logging.DEBUG)
        secrets = [s for s in self.open(9).list_secrets() if len(s) >= 4]
        assert secrets, "an adapter has secrets"

        async def scenario() -> str:
            async with self.stage() as stage:
                echo = " ".join([*secrets, json.dumps(secrets)])
                seen = [repr(stage.gateway.settings), repr(stage.gateway.build_request([self.message()]))]
                for status in (200, 302, 400, 401, 429, 500):
                    stage.double.canned.append(Reply.text(echo, status))
                    seen += [repr(o) for o in await stage.submit(self.message())]
                    stage.double.canned.append(Reply.text(echo, status))
                    seen.append(repr(await stage.gateway.check()))
                seen += [repr(o) for o in await stage.submit(self.message())]
            seen.append(repr(await stage.gateway.submit([self.message()])))
            return "\n".join(seen)

        seen = run(scenario()) + caplog.text + "".join(str(record.__dict__) for record in caplog.records)
        assert [secret for secret in secrets if secret in seen] == []

    def test_balance(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                if self.lacks("balance"):
                    with pytest.raises(UnsupportedFeature):
                        await stage.gateway.get_balance()
                    return
                balance = await stage.gateway.get_balance()
                assert float(balance.split()[0]) > 0, "a number with a decimal point"

        run(scenario())

    def test_declaration(self) -> None:
        """Every case is either shown or declared; marks are of a known kind; the double answers to the slug."""
        assert set(self.not_applicable) <= set(LACKS)
        assert set(self.marks) <= set(CASES)
        assert {self.mark, *self.marks.values()} <= {"official", "client", "unverified"}
        for case in CASES:
            assert hasattr(self, f"test_{case}")
