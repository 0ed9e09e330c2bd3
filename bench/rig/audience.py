"""A tenant with as many contacts as one asks for, made in the database, and a campaign to them."""

from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection

from accounts.models import Tenant, User
from accounts.scope import platform_scope, tenant_scope
from accounts.services import create_tenant
from billing.services import open_credit_account, top_up_credits
from campaigns.models import Campaign
from campaigns.services import create_campaign
from campaigns.services.drafts import DraftContent
from contacts.models import ContactField, ContactGroup
from gateways.models import GatewayAccount, SenderId
from gateways.routing.book import create_rule

MISSING_EVERY: Final = 100
MOST_SUPPRESSED_SHARE: Final = 20
"""At most one recipient in so many is on the suppression list; the rest of it names others."""

# The factor is prime to a hundred million, so every number comes once and neighbours are far apart. Three operators.
_NUMBER = "'+905' || (3 + n %% 3) || lpad(((n::bigint * 7919 * 1009) %% 100000000)::text, 8, '0')"
_CONTACTS = f"""
INSERT INTO contacts_contact (public_id, tenant_id, msisdn, name, attributes, created_at, updated_at)
SELECT gen_random_uuid(), %(tenant)s, {_NUMBER},
    (ARRAY['Zeynep','Mehmet','Ayşe','Mustafa','Elif','Hüseyin','Fatma','Çağrı','Emine','İbrahim'])[1 + n %% 10]
    || ' ' || (ARRAY['Yılmaz','Kaya','Demir','Çelik','Şahin','Yıldız','Öztürk'])[1 + n %% 7],
    jsonb_build_object('kod', 'SNB-' || n, 'puan', (n %% 1000)::text, 'dogum', '1990-01-01', 'şehir',
        CASE WHEN n %% {MISSING_EVERY} = 0 THEN '' ELSE
        (ARRAY['İstanbul','Ankara','İzmir','Bursa','Adana','Eskişehir','Muğla','Van'])[1 + n %% 8] END),
    now(), now()
FROM generate_series(1, %(rows)s) AS n
"""
_MEMBERS = """
INSERT INTO contacts_contactgroupmember (tenant_id, group_id, contact_id)
SELECT %(tenant)s, %(group)s, id FROM contacts_contact WHERE tenant_id = %(tenant)s ORDER BY id
"""
# The first `matched` of the list are contacts of this audience, spread evenly over it.
_SUPPRESSED = f"""
INSERT INTO optout_suppressionentry (public_id, tenant_id, msisdn, source, reason, is_active, created_at,
    removal_reason)
SELECT gen_random_uuid(), %(tenant)s, {_NUMBER}, 'import', '', true, now(), ''
FROM (SELECT CASE WHEN i <= %(matched)s THEN i * %(step)s - 7 ELSE %(rows)s + i END AS n
    FROM generate_series(1, %(count)s) AS i) AS chosen
"""


class Audience(NamedTuple):
    """What the snapshot of a campaign to everybody must come to."""

    tenant: Tenant
    listed: int
    excluded: dict[str, int]


def make_audience(rows: int, suppressed: int) -> Audience:
    """`rows` contacts in one list, `suppressed` entries on the tenant's suppression list."""
    tenant = create_tenant(name="Ayşe Butik", slug="ayse-butik", opt_out_code="AYSEBUTIK", opt_out_number="4609")
    with platform_scope(reason="bench"):
        account = GatewayAccount(name="Bench", adapter="smpp")
        account.save()
        create_rule(name="Türkiye", accounts=[account], prefix="+90")
        open_credit_account(tenant)
        top_up_credits(tenant=tenant, amount=Decimal(100_000_000), reference="bench", actor=None, note="")
    matched = min(suppressed // 2, rows // MOST_SUPPRESSED_SHARE)
    step = rows // matched if matched else 0
    with tenant_scope(tenant.pk), connection.cursor() as cursor:
        group = ContactGroup(tenant=tenant, name="Müşteriler", contact_count=rows)
        group.save()
        for position, (key, label) in enumerate([("kod", "Kod"), ("puan", "Puan"), ("şehir", "Şehir")]):
            ContactField(tenant=tenant, key=key, label=label, position=position).save()
        own: dict[str, Any] = {"tenant": tenant.pk, "group": group.pk, "rows": rows}
        # Made again at once: a row at a time it would take most of the time there is.
        cursor.execute("SELECT pg_get_indexdef('contact_name_search'::regclass)")
        (name_index,) = cursor.fetchone()
        cursor.execute("DROP INDEX contact_name_search")
        cursor.execute(_CONTACTS, own)
        cursor.execute(name_index)
        cursor.execute(_MEMBERS, own)
        cursor.execute(_SUPPRESSED, {**own, "matched": matched, "step": step, "count": suppressed})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE contacts_contact, contacts_contactgroupmember, optout_suppressionentry")
    missing = rows // MISSING_EVERY
    both = sum(1 for i in range(1, matched + 1) if (i * step - 7) % MISSING_EVERY == 0)
    excluded = {"suppressed": matched, "missing_value": missing - both}
    return Audience(tenant, rows, {reason: count for reason, count in excluded.items() if count})


def make_campaign(tenant: Tenant, text: str) -> Campaign:
    """A draft to all lists of the tenant, ready to be prepared."""
    with platform_scope(reason="bench"):
        user = User.objects.create_user(email="bench@example.com", password=None)
    with tenant_scope(tenant.pk):
        sender = SenderId(tenant=tenant, name="AYSEBUTIK", status="approved")
        sender.save()
        content = DraftContent(
            name="Sonbahar indirimi",
            include_group_ids=frozenset(ContactGroup.objects.values_list("pk", flat=True)),
            sender_id=sender.pk,
            content_class="commercial",
            text=text,
        )
        return create_campaign(tenant=tenant, actor=user, content=content)
