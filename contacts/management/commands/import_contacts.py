"""`manage.py import_contacts FILE --tenant SLUG [--list NAME] [--map 'Header=field' …] [--json]`"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Tenant
from accounts.scope import tenant_scope
from common.tabular.problems import FileProblem
from contacts.models import ContactImport
from contacts.services.fields import FieldRefused
from contacts.services.groups import GroupRefused
from contacts.services.import_run import run_import
from contacts.services.imports import create_import, map_by_header, queue_import
from contacts.wording import describe_field_problem, describe_file_problem, describe_group_problem, describe_reason


class Command(BaseCommand):
    help = "Import contacts from a CSV or XLSX file, as the panel does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", required=True, help="slug of the account")
        parser.add_argument("--list", default="", help="list to put the contacts into; made if it is not there")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="HEADER=FIELD",
            help="what a column holds: telefon, isim, soyad, a field's name, or nothing to leave it out; "
            "without any, headers are guessed",
        )
        parser.add_argument("--keep", action="store_true", help="leave contacts that are there already as they are")
        parser.add_argument("--json", action="store_true", help="print the counts as JSON in the last line")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no account with the slug {options['tenant']!r}.")
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        try:
            finished = self._import(tenant, options)
        except FileProblem as problem:
            raise CommandError(describe_file_problem(problem.code, problem.params)) from problem
        except FieldRefused as refused:
            raise CommandError(describe_field_problem(refused.code)) from refused
        except GroupRefused as refused:
            raise CommandError(describe_group_problem(refused.code)) from refused
        if finished.state != ContactImport.State.COMPLETED:
            error = finished.error or {"code": finished.state, "params": {}}
            raise CommandError(describe_file_problem(error["code"], error["params"]))
        self._report(finished, as_json=options["json"])

    def _import(self, tenant: Tenant, options: dict[str, Any]) -> ContactImport:
        with tenant_scope(tenant.pk):
            with options["file"].open("rb") as file:
                contact_import = create_import(tenant=tenant, file=File(file, options["file"].name), user=None)
            mapping = map_by_header(contact_import, dict(_split_pairs(options["map"])))
            on_existing = ContactImport.OnExisting.KEEP if options["keep"] else ContactImport.OnExisting.UPDATE
            queue_import(
                contact_import=contact_import, mapping=mapping, list_name=options["list"], on_existing=on_existing
            )
        return run_import(import_id=contact_import.pk, tenant_id=tenant.pk)

    def _report(self, finished: ContactImport, *, as_json: bool) -> None:
        counts = {
            "rows": finished.row_count,
            "imported": finished.imported_count,
            "updated": finished.updated_count,
            "duplicates": finished.duplicate_count,
            "rejected": finished.rejected_counts,
        }
        if as_json:
            self.stdout.write(json.dumps(counts))
            return
        for name in ("rows", "imported", "updated", "duplicates"):
            self.stdout.write(f"{name:<12}{counts[name]:>10}")
        for reason, count in finished.rejected_counts.items():
            self.stdout.write(f"{describe_reason(reason):<12}{count:>10}")


def _split_pairs(pairs: list[str]) -> list[tuple[str, str]]:
    for pair in pairs:
        if "=" not in pair:
            raise CommandError(f"--map takes HEADER=FIELD, not {pair!r}.")
    return [(header.strip(), field.strip()) for header, _, field in (pair.rpartition("=") for pair in pairs)]
