import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from gateways.services.rotation import rotate_secrets


class Command(BaseCommand):
    help = "Encrypt the credentials of all connections anew under the first of ENCRYPTION_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="last line is a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        where = "{NAME} at {HOST}:{PORT}".format_map(
            connection.settings_dict
        )  # so that nobody takes it for another one
        result = rotate_secrets()
        for account_id in result.unreadable:
            self.stderr.write(f"connection {account_id}: no configured key opens its credentials")
        if options["json"]:
            self.stdout.write(json.dumps({"database": where, **result._asdict()}))
        else:
            already = f"{result.current} under the newest key already"
            self.stdout.write(f"Database {where}: {result.rotated} rotated, {already}")
        if result.unreadable:
            raise SystemExit(1)
