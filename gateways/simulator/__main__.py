"""Run the operator simulator: ``python -m gateways.simulator --port 2775 --control-port 2780``.

Prints one JSON line with the ports once both listen, then serves until SIGINT or SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import signal
import sys
from pathlib import Path

from gateways.simulator.centre import Centre
from gateways.simulator.control import Control
from gateways.simulator.providers.host import ProviderHost
from gateways.simulator.script import BadScript, Script


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m gateways.simulator", description="Operator simulator")
    parser.add_argument("--port", type=int, default=2775, help="SMPP port; 0 picks one")
    parser.add_argument("--control-port", type=int, default=0, help="HTTP control port; 0 picks one")
    parser.add_argument("--http-port", type=int, default=0, help="doubles of HTTP providers; 0 picks one")
    parser.add_argument("--journal", type=Path, help="append-only journal file")
    parser.add_argument("--script", type=Path, help="JSON file with the script's fields")
    options = parser.parse_args()
    try:
        script = Script.load(options.script) if options.script else Script()
    except (OSError, BadScript, json.JSONDecodeError) as error:
        print(f"script: {error}", file=sys.stderr)
        return 2
    # Receipts that wait for their time are many and never in a cycle: walking them was an eighth of the time.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    return asyncio.run(_serve(options, script))


async def _serve(options: argparse.Namespace, script: Script) -> int:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stopped.set)
    try:
        centre = Centre(script, options.journal)
        control, providers = Control(centre), ProviderHost(centre)
        port = await centre.start(options.port)
        control_port = await control.start(options.control_port)
        http_port = await providers.start(options.http_port)
    except OSError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"port": port, "control_port": control_port, "http_port": http_port}), flush=True)
    await stopped.wait()
    await providers.stop()
    await control.stop()
    await centre.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
