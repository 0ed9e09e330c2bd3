from .audit import AuditEntry
from .tenant import Membership, Role, Tenant
from .user import User

__all__ = ["AuditEntry", "Membership", "Role", "Tenant", "User"]
