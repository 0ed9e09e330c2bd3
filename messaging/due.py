"""When a run may send, as SQL: asked by claims, intents, sweeps and whoever wants to know why nothing moves."""

# The kill switch of an account, as the statement begins. `r` is the run.
TENANT_IS_OPEN = "(SELECT o.is_active FROM accounts_tenant o WHERE o.id = r.tenant_id)"

# S8, by the database's clock. A window that closes when it opens lasts all day.
RUN_IS_DUE = """
    r.state = 'running'
    AND (r.not_before IS NULL OR r.not_before <= clock_timestamp())
    AND (r.deadline_at IS NULL OR r.deadline_at > clock_timestamp())
    AND (r.window_opens IS NULL OR CASE
        WHEN r.window_opens < r.window_closes THEN
            (clock_timestamp() AT TIME ZONE r.time_zone)::time >= r.window_opens
            AND (clock_timestamp() AT TIME ZONE r.time_zone)::time < r.window_closes
        ELSE (clock_timestamp() AT TIME ZONE r.time_zone)::time >= r.window_opens
            OR (clock_timestamp() AT TIME ZONE r.time_zone)::time < r.window_closes END)
"""

RUN_MAY_SEND = f"{RUN_IS_DUE} AND {TENANT_IS_OPEN}"

# Which history of which cluster this is. A restore to a point in time and the promotion of a replica begin a new
# timeline; a cluster made by initdb has another identifier. Not pg_control_checkpoint(): a promoted replica takes
# writes before its first checkpoint says so.
SYSTEM_IDENTIFIER = "(SELECT system_identifier FROM pg_control_system())"
TIMELINE = "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int"

# W4. In platform scope. Asked once per statement (10 µs), whatever the statement's rows.
DATABASE_IN_DOUBT = f"""
    EXISTS (SELECT 1 FROM messaging_databaseidentity i WHERE i.id = 1 AND (i.doubted_at IS NOT NULL
        OR i.system_identifier <> {SYSTEM_IDENTIFIER} OR i.timeline <> {TIMELINE}))
"""  # noqa: S608 - constants only

# By the database's clock; never NULL. `a` is the connection.
IN_MAINTENANCE = """(coalesce(a.maintenance_from <= clock_timestamp(), false)
    AND (a.maintenance_until IS NULL OR a.maintenance_until > clock_timestamp()))"""

# The kill switch and the maintenance window, by the database's clock, of a database that is to be believed. `s` is the
# session of a slot.
ACCOUNT_MAY_SEND = f"""
    EXISTS (SELECT 1 FROM gateways_gatewayaccount a
        WHERE a.id = s.gateway_account_id AND a.is_active AND NOT {IN_MAINTENANCE})
    AND NOT {DATABASE_IN_DOUBT}
"""  # noqa: S608 - constants only
