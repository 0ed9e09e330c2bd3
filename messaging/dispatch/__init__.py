"""Sender slots: what runs inside a Celery worker of the queue `senders`. The SQL is in messaging.services."""
