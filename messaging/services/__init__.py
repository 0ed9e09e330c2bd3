from .runs import (
    RunNotReady,
    RunTerms,
    cancel_send_run,
    create_send_run,
    discard_send_run,
    hold_send_run,
    lift_hold,
    mark_run_ready,
    pause_send_run,
    resume_send_run,
    start_send_run,
)
from .writing import RunClosed, write_message_groups, write_messages

__all__ = [
    "RunClosed",
    "RunNotReady",
    "RunTerms",
    "cancel_send_run",
    "create_send_run",
    "discard_send_run",
    "hold_send_run",
    "lift_hold",
    "mark_run_ready",
    "pause_send_run",
    "resume_send_run",
    "start_send_run",
    "write_message_groups",
    "write_messages",
]
