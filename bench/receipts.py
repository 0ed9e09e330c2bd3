"""Receipts into matched state: raw deliver_sm in random order to their messages' final states.

What a sender worker does with what its link brings, one process per slot: read the PDU, store it raw, find its message,
move it, roll-ups; only then the acknowledgement. No network. The floor: the same state updates alone, in the same
number of processes, no inbox, no look-up, no roll-ups.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bench.rig.journey import POSTGRES, set_up_django

NEEDS = ("postgres",)
CHUNK = 5_000  # answers and floor updates
ARRIVAL = 250  # receipts that a link brings at once
MOST_WAITING = 10_000
SEED = 20261122

__all__ = ["NEEDS", "POSTGRES", "run"]


def run(args: Sequence[str]) -> dict[str, Any]:
    """Measure and return the figures. ``args``: --rows N (100,000), --slots N (2)."""
    parser = argparse.ArgumentParser(prog="bench receipts")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--slots", type=int, default=2, help="processes that receive")
    options = parser.parse_args(args)
    set_up_django()
    from bench.rig.gauges import Gauges
    from bench.rig.stage import open_stage, write_run
    from bench.rig.verdict import read_hot_share, settle_and_check

    stage = open_stage(port=1, slots=options.slots, window=500)
    sent = _send(stage, write_run(stage, options.rows))
    bare = _send(stage, write_run(stage, options.rows, offset=options.rows))
    shuffled = random.Random(SEED)
    shuffled.shuffle(sent)
    shuffled.shuffle(bare)
    gauges, floor_gauges = Gauges({"bench": os.getpid()}), Gauges({"bench": os.getpid()})
    seconds = _in_processes(_receive, sent, options.slots, gauges)
    floor_seconds = _in_processes(_update, bare, options.slots, floor_gauges)
    waiting = _count_unmatched()
    _undo_floor()
    violations = settle_and_check(None)
    speed, floor = options.rows / seconds, options.rows / floor_seconds
    return {
        "receipts": options.rows,
        "messages_per_second": round(speed),
        "bare_updates_per_second": round(floor),
        "floor_ratio": round(speed / floor, 3),
        **gauges.report(options.rows),
        "bare_update_cpu_seconds_per_million": floor_gauges.report(options.rows)["cpu_seconds_per_million_total"],
        "hot_update_share": read_hot_share("messaging_message"),
        "violations": len(violations) + waiting,
        "first_violations": [str(violation) for violation in violations[:3]],
    }


def _send(stage: Any, run: Any) -> list[tuple[int, str, str]]:
    """(message id, number, provider id) of a run whose messages were all accepted, without a wire."""
    from accounts.scope import platform_scope, tenant_scope
    from messaging.months import MONTH_ROOM
    from messaging.scope import engine_scope
    from messaging.services import start_send_run
    from messaging.services.claims import claim_batches, finish_batches
    from messaging.services.intents import Stride, declare_intent
    from messaging.services.moves import Consequences, accept_messages
    from messaging.services.sessions import close_session, open_session

    with tenant_scope(run.tenant_id):
        start_send_run(run_id=run.pk, tenant_id=run.tenant_id)
    with platform_scope(reason="benchmark"):
        session = open_session(gateway_account_id=stage.account_id, slot=0, worker="bench")
    assert session is not None
    sent: list[tuple[int, str, str]] = []
    while True:
        with engine_scope(reason="benchmark"):
            batches = claim_batches(
                session_id=session, gateway_account_id=stage.account_id, per_tenant=5, limit=CHUNK // 1000
            )
            if not batches:
                close_session(session)
                return sent
            strides = [Stride(b.batch_id, b.mark, b.message_count) for b in batches]
            intent = declare_intent(session_id=session, strides=strides, shard=100)
            messages = [message for group in intent.messages.values() for message in group]
            news = [(m.token, m.msisdn, f"{3_000_000_000 + m.token % MONTH_ROOM}") for m in messages]
            answers = [(token, provider_id) for token, _, provider_id in news]
            consequences = Consequences(100)
            accept_messages(answers, gateway_account_id=stage.account_id, into=consequences)
            consequences.record()
            finish_batches(session_id=session, marks={s.batch_id: s.upto for s in strides}, shard=100)
        sent += news


def _in_processes(work: Callable[..., None], rows: list[tuple[int, str, str]], count: int, gauges: Any) -> float:
    """Seconds from the common start until the last of them has finished its share."""
    from django.db import connection

    connection.close()
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count + 1)
    shares = [rows[number::count] for number in range(count)]
    children = [context.Process(target=_child, args=(work, share, barrier)) for share in shares]
    for child in children:
        child.start()
    barrier.wait(60)  # all are ready
    gauges.start()
    barrier.wait(60)
    started = time.perf_counter()
    barrier.wait(600)
    seconds = time.perf_counter() - started
    gauges.stop()
    barrier.wait(60)
    for child in children:
        child.join(60)
    return seconds


def _child(work: Callable[..., None], rows: list[tuple[int, str, str]], barrier: Any) -> None:
    set_up_django()
    work(rows, barrier)


def _receive(rows: list[tuple[int, str, str]], barrier: Any) -> None:
    """Through the inbox of a sender worker, as many unacknowledged as an operator's window allows."""
    from common.collector import calm_collector
    from gateways.adapters.smpp.events import RawEvents
    from gateways.adapters.smpp.gateway import SmppGateway
    from gateways.models import GatewayAccount
    from messaging.dispatch.inbox import InboxWriter
    from messaging.scope import engine_scope

    with engine_scope(reason="benchmark"):
        account_id = GatewayAccount.objects.values_list("pk", flat=True).get()
    gateway = SmppGateway.from_settings({"port": 1, "system_id": "bench"})
    raws = [_make_receipt(msisdn, provider_id) for _, msisdn, provider_id in rows]
    calm_collector()
    stored = [0]

    def acknowledge(batch: list[bytes], status: int) -> None:
        assert status == 0, status
        stored[0] += len(batch)

    inbox = InboxWriter()
    inbox.start()
    barrier.wait()
    barrier.wait()
    for start in range(0, len(raws), ARRIVAL):
        while start - stored[0] > MOST_WAITING:
            time.sleep(0.005)
        inbox.put(account_id, gateway, RawEvents(raws[start : start + ARRIVAL], acknowledge))
    while stored[0] < len(raws):
        time.sleep(0.005)
    barrier.wait()
    barrier.wait()
    inbox.stop()


def _make_receipt(msisdn: str, provider_id: str) -> bytes:
    from gateways.adapters.smpp import pdu

    text = (
        f"id:{provider_id} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000"
        " text:Sayin musterimiz"
    )
    return pdu.encode(
        pdu.Pdu(
            pdu.DELIVER_SM,
            sequence=1,
            fields={
                "source_addr_ton": 1,
                "source_addr_npi": 1,
                "source_addr": msisdn[1:].encode(),
                "destination_addr": b"PEYK",
                "esm_class": 4,
                "short_message": text.encode(),
            },
            tlvs={pdu.TLV_RECEIPTED_MESSAGE_ID: provider_id.encode() + b"\x00", pdu.TLV_MESSAGE_STATE: b"\x02"},
        )
    )


def _update(rows: list[tuple[int, str, str]], barrier: Any) -> None:
    """The floor: one state update per message, in chunks, ids in the order of the chunk."""
    from django.db import connection

    from messaging.scope import engine_scope

    barrier.wait()
    barrier.wait()
    for chunk in _chunks([row[0] for row in rows]):
        ids = "{" + ",".join(map(str, sorted(chunk))) + "}"
        with engine_scope(reason="benchmark floor"), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE messaging_message m SET state = 'delivered', done_at = now() FROM unnest(%s::bigint[]) v(id)"
                " WHERE m.id = v.id",
                [ids],
            )
    barrier.wait()
    barrier.wait()


def _undo_floor() -> None:
    """The floor's updates went past the engine: back, so that the checker sees what the engine did."""
    from django.db import connection

    from messaging.scope import engine_scope

    with engine_scope(reason="benchmark floor"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_message SET state = 'accepted', done_at = NULL"
            " WHERE run_id = (SELECT max(id) FROM messaging_sendrun)"
        )


def _count_unmatched() -> int:
    from messaging.models import ReceiptInbox
    from messaging.scope import engine_scope

    with engine_scope(reason="benchmark"):
        return ReceiptInbox.objects.filter(matched_message_id=None).count()


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
