"""Contacts per second from a list to batched, rendered, segmented, priced messages, beside bare COPYs of the same rows.

The audience is walked by the Celery worker, as in production: two placeholders, Turkish letters, a suppression list of
100,000, one contact in a hundred without a value. Numbers come in no order, so the unique index is met everywhere.

Floors, in the same run and by as many connections as there are walkers: COPY of the messages as they became into a
table with the same indexes (`floor_ratio` is our speed as a share of that), and into one without any. They read no
contact, render nothing and know no tenants.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from bench.rig.watch import ProcessWatch

NEEDS = ("postgres", "valkey", "worker")
# As in docker-compose.yml.
POSTGRES: Final = {"shared_buffers": "1GB", "max_wal_size": "4GB", "wal_buffers": "64MB"}
TEXT: Final = "Sayın [İsim], [Şehir] mağazamızda 30 Kasım'a kadar tüm kışlık ürünlerde %20 indirim sizi bekliyor."
SUPPRESSED: Final = 100_000
FLOOR_CONNECTIONS: Final = 2


def run(args: Sequence[str]) -> dict[str, Any]:
    """Measure and return the figures.

    `args`: --rows N (default 200,000), --inside (walk in this process, for a profiler), --chunk N.
    """
    parser = argparse.ArgumentParser(prog="bench snapshot")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--inside", action="store_true")
    parser.add_argument("--chunk", type=int)
    options = parser.parse_args(args)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")
    import django

    django.setup()
    from bench.rig.audience import make_audience, make_campaign

    expected = make_audience(options.rows, SUPPRESSED)
    campaign = make_campaign(expected.tenant, TEXT)
    wal = _wal_position()
    with ProcessWatch() as watch:
        seconds = _walk_inside(campaign, options.chunk) if options.inside else _walk_in_worker(campaign)
    wal = _wal_position() - wal
    snapshot, violations = _check(campaign, expected)
    messages = snapshot.message_count
    (floor, bare), floor_cpu = _measure_floors(campaign)
    cpu = sum(used for name, used in watch.cpu_seconds.items() if name != "bench")
    return {
        "rows": options.rows,
        "messages": messages,
        "seconds": round(seconds, 2),
        "contacts_per_second": round(options.rows / seconds),
        "messages_per_second": round(messages / seconds),
        "floor_messages_per_second": round(messages / floor),
        "bare_messages_per_second": round(messages / bare),
        "floor_ratio": round(floor / seconds, 2),
        # What the cores at hand would do if nobody else used them.
        "contacts_per_second_by_cpu": round(options.rows * (os.cpu_count() or 1) / cpu),
        "floor_cpu_seconds_per_million": round(floor_cpu * 1_000_000 / max(messages, 1), 2),
        "cpu_seconds_per_million": {
            name: round(used * 1_000_000 / options.rows, 2) for name, used in watch.cpu_seconds.items()
        },
        "cores_busy_by_others": round(watch.cores_busy_by_others, 2),
        "peak_mb": {name: round(peak, 1) for name, peak in watch.peak_mb.items()},
        "wal_bytes_per_message": round(wal / max(messages, 1)),
        "violations": violations,
    }


def _walk_in_worker(campaign: Any) -> float:
    """Ask for the audience as the panel does, and wait for it. Seconds from the request to ready."""
    from campaigns.tasks import walk_audience

    # Nothing to do yet: but then the two are connected and warm, as panel and worker are.
    walk_audience.delay(campaign_id=campaign.pk, tenant_id=campaign.tenant_id)
    time.sleep(2)
    started = _prepare(campaign)
    walk_audience.delay(campaign_id=campaign.pk, tenant_id=campaign.tenant_id)
    while (status := _read_status(campaign)) == "preparing":
        time.sleep(0.1)
    assert status == "ready", status
    return time.perf_counter() - started


def _walk_inside(campaign: Any, chunk: int | None) -> float:
    from campaigns.services import walk_audience

    started = _prepare(campaign)
    options = {"chunk_size": chunk} if chunk else {}
    assert walk_audience(campaign_id=campaign.pk, tenant_id=campaign.tenant_id, **options)
    return time.perf_counter() - started


def _prepare(campaign: Any) -> float:
    from accounts.scope import tenant_scope
    from campaigns.services import prepare_audience

    started = time.perf_counter()
    with tenant_scope(campaign.tenant_id):
        prepare_audience(campaign=campaign, version=campaign.version, actor=campaign.created_by)
    return started


def _read_status(campaign: Any) -> str:
    from accounts.scope import tenant_scope

    with tenant_scope(campaign.tenant_id):
        campaign.refresh_from_db(fields=["status"])
    return str(campaign.status)


def _wal_position() -> int:
    return int(_ask("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))


def _ask(statement: str, *params: object) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchone()[0]


def _check(campaign: Any, expected: Any) -> tuple[Any, int]:
    """The snapshot, and how many of its promises the rows break."""
    from accounts.scope import tenant_scope
    from campaigns.models import AudienceSnapshot
    from messaging.models import SendRun

    with tenant_scope(campaign.tenant_id):
        campaign.refresh_from_db()
        snapshot = AudienceSnapshot.objects.get(campaign=campaign)
        run_row = SendRun.objects.get(pk=campaign.run_id)
        where = "FROM messaging_message WHERE run_id = %s"
        excluded = sum(snapshot.excluded_counts.values())
        totals = (run_row.message_count, run_row.part_count, run_row.credits)
        checks = [
            snapshot.is_complete,
            snapshot.listed_count == expected.listed,
            snapshot.excluded_counts == expected.excluded,
            snapshot.listed_count == snapshot.message_count + excluded,
            totals == (snapshot.message_count, snapshot.part_count, snapshot.credits),
            snapshot.message_count == _ask(f"SELECT count(*) {where}", run_row.pk),
            snapshot.message_count == _ask(f"SELECT count(DISTINCT msisdn) {where}", run_row.pk),
            snapshot.part_count == _ask(f"SELECT sum(parts) {where}", run_row.pk),
            snapshot.credits == _ask(f"SELECT sum(price) {where}", run_row.pk),
            excluded == _ask("SELECT count(*) FROM campaigns_audienceexclusion WHERE snapshot_id = %s", snapshot.pk),
            # Batches hold what they say, at positions without a gap.
            _ask(
                """SELECT count(*) FROM messaging_messagebatch b LEFT JOIN (
                    SELECT batch_id, count(*) AS held, max(position) + 1 AS room FROM messaging_message GROUP BY 1
                ) m ON m.batch_id = b.id
                WHERE b.run_id = %s AND (b.message_count, b.message_count) IS DISTINCT FROM (m.held, m.room)""",
                run_row.pk,
            )
            == 0,
        ]
    return snapshot, checks.count(False)


def _measure_floors(campaign: Any) -> tuple[tuple[float, float], float]:
    """Seconds of a COPY of the campaign's messages into a table with the same indexes, and into one with none; and
    PostgreSQL's CPU seconds for the first."""
    from django.db import connection

    from accounts.scope import tenant_scope
    from messaging.services.partitions import partition_name

    with tempfile.TemporaryDirectory() as folder, connection.cursor() as cursor:
        paths = [f"{folder}/{number}" for number in range(FLOOR_CONNECTIONS)]
        with tenant_scope(campaign.tenant_id):
            partition = partition_name("messaging_message", campaign.run.month)
            for number, path in enumerate(paths):
                # Whole batches to each connection, in the order in which they were written.
                rows = (
                    f"SELECT * FROM messaging_message WHERE run_id = {campaign.run_id}"
                    f" AND batch_id %% {FLOOR_CONNECTIONS} = {number} ORDER BY id"
                ).replace("%%", "%")
                with open(path, "wb") as file:
                    cursor.copy_expert(f"COPY ({rows}) TO STDOUT", file)
        # A partition has all the indexes, the table over them only the one of its key.
        cursor.execute(f"CREATE TABLE bench_floor (LIKE {partition} INCLUDING ALL)")
        cursor.execute("CREATE TABLE bench_bare (LIKE messaging_message)")
        for table in ("bench_floor", "bench_bare"):
            cursor.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")
        with ProcessWatch() as watch:
            floor = _copy_together("bench_floor", paths)
        seconds = floor, _copy_together("bench_bare", paths)
        cursor.execute("DROP TABLE bench_floor, bench_bare")
    return seconds, watch.cpu_seconds["postgres"]


def _copy_together(table: str, paths: Sequence[str]) -> float:
    from django.db import connection

    def copy(path: str) -> None:
        with open(path, "rb") as rows, connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} FROM STDIN", rows, 1 << 16)
        connection.close()

    started = time.perf_counter()
    with ThreadPoolExecutor(len(paths)) as pool:
        list(pool.map(copy, paths))
    return time.perf_counter() - started
