from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from messaging.management.staff import find_staff
from messaging.scope import engine_scope
from messaging.selectors.doubt import REPLACED, RESTORED, SAID, Doubt, Survey, survey_doubt
from messaging.services.restore import NotInDoubt, confirm_database, recognise_database

MOST_RUNS = 50
CAUSES = {
    RESTORED: "a new timeline: it was restored from a backup, or a replica was promoted",
    REPLACED: "another cluster: pg_upgrade, or loaded from a dump",
    SAID: "the same cluster, put in doubt with doubt_database",
}
HOW_TO_GO_ON = """
First be sure that the old database takes no writes any more: senders that still reach it send the same messages.
Then say what is missing here:

  confirm_database --since TIME --by EMAIL
      What was written since TIME may be missing (restored from a backup, a replica that lagged behind). What is
      queued in the runs above may have been sent already: it is never sent again and shows as "unconfirmed, waiting".
      Delivery reports clear what was sent; the rest ends after 72 hours and its credits are given back. Campaigns
      whose scheduled time lies after TIME are held, and their owners asked.

  confirm_database --nothing-lost --by EMAIL
      Every commit is here (a planned switch-over, pg_upgrade with everything stopped, a synchronous replica). All runs
      go on where they were. If this is wrong, messages are sent and charged twice.

If unsure take --since, with the time of the last activity.
"""


class Command(BaseCommand):
    help = "After a restore or a fail-over: what is at stake, and with --since or --nothing-lost let senders go on."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--since", metavar="TIME", help="history may be missing from then on: 2026-03-01T09:50")
        what.add_argument("--nothing-lost", action="store_true", help="every commit is here: all runs go on")
        parser.add_argument("--by", metavar="EMAIL", help="who says so: a person of the platform's staff")

    def handle(self, *args: Any, **options: Any) -> None:
        with engine_scope(reason="what is at stake"):
            doubt = recognise_database()
            survey = survey_doubt(doubt.since) if doubt is not None and doubt.since is not None else None
        if doubt is None or survey is None:
            self.stdout.write("This is the confirmed database: nothing to do.")
            return
        self._show(doubt, survey)
        if not (options["since"] or options["nothing_lost"]):
            self.stdout.write(HOW_TO_GO_ON)
            raise SystemExit(1)
        self._confirm(options["by"], _read_time(options["since"]) if options["since"] else None)

    def _show(self, doubt: Doubt, survey: Survey) -> None:
        self.stdout.write("This database is in doubt: nothing is sent.")
        self.stdout.write(f"  confirmed      {doubt.confirmed}")
        self.stdout.write(f"  here           {doubt.found}: {CAUSES[doubt.cause]}")
        self.stdout.write(f"  noticed        {_write_time(doubt.since)}")
        self.stdout.write(f"  last activity  {_write_time(survey.last_activity_at)}")
        queued = sum(run.queued for run in survey.runs)
        self.stdout.write(f"\n{queued} messages are queued in {len(survey.runs)} runs that had begun before:")
        for run in survey.runs[:MOST_RUNS]:
            began = _write_time(run.started_at)
            self.stdout.write(f"  run {run.run_id}  {run.tenant}  {run.state}, began {began}, {run.queued} queued")
        if len(survey.runs) > MOST_RUNS:
            self.stdout.write(f"  and {len(survey.runs) - MOST_RUNS} more")
        self.stdout.write(
            f"{survey.ready_runs} runs are prepared and not started, as far as this database knows: one that was"
            " started in the missing time must not be started again. Tell the owners."
        )
        self.stdout.write(f"{survey.new_runs} runs began since. Nothing of them was sent; they go on once confirmed.")

    def _confirm(self, email: str | None, since: datetime | None) -> None:
        if not email:
            raise CommandError("say who you are with --by EMAIL: the audit trail keeps it")
        try:
            with engine_scope(reason="confirm the database"):
                done = confirm_database(actor=find_staff(email), since=since)
        except NotInDoubt:
            raise CommandError("somebody else has confirmed it just now") from None
        self.stdout.write(
            f"\nConfirmed. {done.messages} messages of {done.runs} runs may have been sent and are not sent again."
            " Senders go on within seconds."
        )


def _read_time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text} is no time; write 2026-03-01T09:50 or 2026-03-01T09:50+03:00") from None
    at = at if timezone.is_aware(at) else timezone.make_aware(at)
    if at > timezone.now():
        raise CommandError(f"{text} is yet to come")
    return at


def _write_time(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}" if at is not None else "none"
