from celery import shared_task

from .services.checking import run_check


@shared_task
def check_connection(account_id: int) -> None:
    """A connection test that somebody asked for; its page waits for the row."""
    run_check(account_id)
