"""What each role may do. Views name one of these permissions; the guard test walks every URL."""

from .models import Role

VIEW = {
    "dashboard.view",
    "contacts.view",
    "campaigns.view",
    "reports.view",
    "templates.view",
    "optout.view",
    "billing.view",
    "inbox.view",
    "senders.view",
    "account.view",
}
EDIT = {
    "contacts.edit",
    "contacts.export",
    "campaigns.edit",
    "campaigns.test",
    "templates.edit",
    "optout.edit",
    "reports.export",
}
APPROVE = {"campaigns.launch", "campaigns.control", "reports.export"}
ADMINISTER = {
    "members.manage",
    "senders.request",
    "connections.manage",
    "tenant.manage",
    "subaccounts.manage",
    "credits.transfer",
}

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset(VIEW),
    Role.EDITOR: frozenset(VIEW | EDIT | {"campaigns.launch", "campaigns.control"}),
    Role.APPROVER: frozenset(VIEW | APPROVE),
    Role.ADMIN: frozenset(VIEW | EDIT | APPROVE | ADMINISTER),
    Role.OWNER: frozenset(VIEW | EDIT | APPROVE | ADMINISTER | {"tenant.close"}),
}


def role_allows(role: str, permission: str) -> bool:
    return permission in PERMISSIONS.get(role, frozenset())
