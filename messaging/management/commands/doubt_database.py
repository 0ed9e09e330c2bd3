from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.scope import platform_scope
from messaging.management.staff import find_staff
from messaging.services.restore import doubt_database


class Command(BaseCommand):
    help = (
        "Say that this database was put back in a way that PostgreSQL does not show: a copied data folder, a snapshot"
        " of the disk. Nothing is sent until confirm_database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--by", metavar="EMAIL", required=True, help="who says so: a person of the platform's staff"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with platform_scope(reason="doubt the database"):
            doubt_database(actor=find_staff(options["by"]))
        self.stdout.write("Nothing is sent from now on. Run confirm_database to see what is at stake and to go on.")
