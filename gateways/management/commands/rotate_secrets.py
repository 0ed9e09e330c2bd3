import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from gateways.services.rotation import rotate_secrets


class Command(BaseCommand):
    help = "Encrypt the credentials of all connections anew under the first of ENCRYPTION_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="last line is a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        result = rotate_secrets()
        for account_id in result.unreadable:
            self.stderr.write(f"connection {account_id}: no configured key opens its credentials")
        if options["json"]:
            self.stdout.write(json.dumps(result._asdict()))
        else:
            self.stdout.write(f"{result.rotated} rotated, {result.current} under the newest key already")
        if result.unreadable:
            raise SystemExit(1)
