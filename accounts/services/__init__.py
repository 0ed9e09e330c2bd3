from .audit import record_audit, record_tenant_switch
from .members import MemberError, add_member, change_role, create_membership, remove_member
from .people import update_profile
from .tenants import create_sub_account, create_tenant, make_slug, update_tenant

__all__ = [
    "MemberError",
    "add_member",
    "change_role",
    "create_membership",
    "create_sub_account",
    "create_tenant",
    "make_slug",
    "record_audit",
    "record_tenant_switch",
    "remove_member",
    "update_profile",
    "update_tenant",
]
