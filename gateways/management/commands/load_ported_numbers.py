from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from gateways.routing.portability import import_ported


class Command(BaseCommand):
    help = (
        "Adds numbers that changed their operator: lines of number;operator (turkcell, vodafone, turktelekom, other)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        done = import_ported(options["file"])
        self.stdout.write(f"{done.loaded} numbers loaded, {done.rejected} lines rejected")
