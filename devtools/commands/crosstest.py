"""./dev crosstest [--install | pytest arguments]: our SMPP client and simulator against peers nobody here wrote.

Installs the peers into var/foreign (versions and hashes pinned) and runs their tests; those that `./dev test` runs
anyway, against the test dependencies' peers, are run as well. A peer that cannot be installed is told, its tests are
skipped, and the exit code is 1; Kannel is only used where it is installed. `--install` stops before the tests.
"""

from __future__ import annotations

from devtools import foreign
from devtools.commands import test
from devtools.environment import say
from devtools.errors import DevError

TESTS = [f"tests/gateways/test_smpp_{name}.py" for name in ("foreign", "kannel", "peers")]


def main(arguments: list[str]) -> int:
    """Returns pytest's exit code, or 1 if a peer is missing."""
    missing = 0
    for peer in foreign.LOCKS:
        try:
            foreign.prepare(peer)
        except DevError as error:
            say(f"!!! {error} The tests with {peer} are SKIPPED !!!")
            missing = 1
    if arguments == ["--install"]:
        return missing
    return test.main([*TESTS, "-q", *arguments]) or missing
