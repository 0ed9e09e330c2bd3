"""Starts a program so that it dies with its supervisor.

    child.py SIGNAL PARENT [--user UID:GID | --userns] -- COMMAND…

Run as a script and replaced by the command at once. The order matters: changing the user or the namespace clears the
parent-death signal, so it is set last. PostgreSQL refuses uid 0; in a user namespace without a mapping it sees 65534
while its files stay root's.
"""

import ctypes
import os
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    split = arguments.index("--")
    death_signal, parent, *identity = arguments[:split]
    command = arguments[split + 1 :]
    libc = ctypes.CDLL(None, use_errno=True)
    if identity == ["--userns"]:
        if libc.unshare(CLONE_NEWUSER) != 0:
            sys.exit(f"user namespaces are not available: {os.strerror(ctypes.get_errno())}")
    elif identity:
        uid, gid = identity[1].split(":")
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
        # The supervisor may have died before the line above.
        if int(parent) and os.getppid() != int(parent):
            os._exit(1)
    # Ignored signals are inherited: SIGINT from a background shell (it stops PostgreSQL), SIGPIPE from Python.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
