"""Row-level security as a migration operation (net 3). Policies read the settings that `accounts.scope` makes.

`(SELECT current_setting(...))` is evaluated once per statement, not per row. `NULLIF` because a setting made with
`is_local` reads back as '' (not NULL) after its transaction. Enabled and FORCED: the application role owns the tables.
"""

from django.db.migrations.operations import RunSQL

OWN = "tenant_id = (SELECT NULLIF(current_setting('app.tenant', true), '')::bigint)"
PLATFORM = "(SELECT current_setting('app.platform', true)) = 'on'"
READABLE = {
    "tenant": f"{OWN} OR {PLATFORM}",
    "shared": f"{OWN} OR tenant_id IS NULL OR {PLATFORM}",
    "platform": PLATFORM,
}
WRITABLE = {"tenant": READABLE["tenant"], "shared": READABLE["tenant"], "platform": PLATFORM}


def enable_row_level_security(table: str, kind: str = "tenant") -> RunSQL:
    """Policies for a table, by kind.

    "tenant": own rows only. "shared": own rows, and reading of rows without tenant. "platform": platform scope only.
    """
    return RunSQL(
        [*list_security_statements(table, kind)],
        reverse_sql=[
            *(f'DROP POLICY scope_{name} ON "{table}"' for name in ("read", "insert", "update", "delete")),
            f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
        ],
    )


def list_security_statements(table: str, kind: str = "tenant") -> list[str]:
    """The same as statements, for tables made outside migrations: a partition needs policies of its own, or who names
    it would see everybody's rows."""
    readable, writable = READABLE[kind], WRITABLE[kind]
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY scope_read ON "{table}" FOR SELECT USING ({readable})',
        f'CREATE POLICY scope_insert ON "{table}" FOR INSERT WITH CHECK ({writable})',
        f'CREATE POLICY scope_update ON "{table}" FOR UPDATE USING ({writable}) WITH CHECK ({writable})',
        f'CREATE POLICY scope_delete ON "{table}" FOR DELETE USING ({writable})',
    ]


def forbid_changes(table: str) -> RunSQL:
    """Rows are written once: UPDATE and DELETE raise (ledger M5, audit trail)."""
    function = f"{table}_is_append_only"
    return RunSQL(
        [
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
            f'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{table}" '
            f"FOR EACH ROW EXECUTE FUNCTION {function}()",
        ],
        reverse_sql=[f'DROP TRIGGER append_only ON "{table}"', f"DROP FUNCTION {function}()"],
    )
