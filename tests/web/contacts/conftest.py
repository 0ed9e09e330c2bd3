from tests.storage import storage

__all__ = ["storage"]
