from . import connections, health, routing

__all__ = ["connections", "health", "routing"]  # each registers its pages
