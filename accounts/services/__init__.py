from .audit import record_audit, record_tenant_switch
from .members import (
    MemberError,
    accept_invitation,
    add_member,
    change_role,
    create_membership,
    decline_invitation,
    remove_member,
)
from .people import remember_tenant, update_profile
from .tenants import close_accounts_below, create_sub_account, create_tenant, make_slug, update_tenant

__all__ = [
    "MemberError",
    "accept_invitation",
    "add_member",
    "change_role",
    "close_accounts_below",
    "create_membership",
    "create_sub_account",
    "create_tenant",
    "decline_invitation",
    "make_slug",
    "record_audit",
    "record_tenant_switch",
    "remember_tenant",
    "remove_member",
    "update_profile",
    "update_tenant",
]
