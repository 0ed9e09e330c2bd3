"""Runs a command in this terminal, beside the processes it needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

from devtools.environment import ROOT


def run_child(
    command: list[str],
    environment: dict[str, str],
    check: Callable[[], object] | None = None,
    *,
    look_seconds: float = 0.5,
) -> int:
    """Returns the command's exit code. Prompts and Ctrl-C work as usual: the command decides what Ctrl-C means.

    `check` is called meanwhile, every `look_seconds`, to look after the processes that the command needs; its
    exceptions end the command.
    """
    child = subprocess.Popen(command, cwd=ROOT, env=environment)
    old_handler = signal.signal(signal.SIGINT, lambda *_: pass_on(child))
    try:
        while True:
            try:
                return child.wait(look_seconds)
            except subprocess.TimeoutExpired:
                if check is not None:
                    check()
    finally:  # SIGTERM, or a server that ended
        signal.signal(signal.SIGINT, old_handler)
        end_child(child)


def pass_on(child: subprocess.Popen[bytes]) -> None:
    """Sends Ctrl-C on, unless the terminal has sent it to the whole foreground group already."""
    if not (sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()):
        child.send_signal(signal.SIGINT)


def end_child(child: subprocess.Popen[bytes], patience: float = 10.0) -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
