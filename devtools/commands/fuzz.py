"""./dev fuzz smpp [--count 10000000] [--seed N]: broken PDUs through the codec, on every core; the last line is JSON.

Exit code 1 if anything but a PduError was raised or a frame took more than 50 ms of CPU.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
import traceback
from typing import Any

from devtools.environment import ROOT, say

COUNT, SEED, SHARE = 10_000_000, 20261122, 200_000


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev fuzz")
    parser.add_argument("codec", choices=["smpp"])
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    sys.path.insert(0, str(ROOT))
    began = time.monotonic()
    result = fuzz_everywhere(options.count, options.seed)
    result.update(count=options.count, seed=options.seed, seconds=round(time.monotonic() - began, 1))
    print(json.dumps(result), flush=True)
    return 1 if result["failures"] or result["too_slow"] else 0


def fuzz_everywhere(count: int, seed: int) -> dict[str, Any]:
    """Shares of the frames in a process per core; a share is a seed of its own, so it can be repeated alone."""
    shares = [(min(SHARE, count - start), seed + start // SHARE) for start in range(0, count, SHARE)]
    frames = decoded = 0
    slowest, failures, too_slow = 0.0, [], []
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for share in pool.imap_unordered(fuzz_share, shares):
            frames += share["frames"]
            decoded += share["decoded"]
            slowest = max(slowest, share["slowest"])
            if share["failure"]:
                failures.append(share)
            if share["too_slow"]:
                too_slow.append(share["too_slow"])
            say(f"{frames:,} of {count:,} frames, {len(failures)} failures", moving=True)
    return {
        "frames": frames,
        "decoded": decoded,
        "slowest_ms": round(slowest * 1000, 2),
        "failures": failures[:5],
        "too_slow": too_slow[:5],
    }


def fuzz_share(share: tuple[int, int]) -> dict[str, Any]:
    from tests.gateways.smpp_fuzz import MOST_SECONDS, fuzz

    count, seed = share
    try:
        result = fuzz(count, seed)
    except BaseException:  # a Hang is one; whatever it is, the others go on and it is told at the end
        return {
            "frames": 0,
            "decoded": 0,
            "slowest": 0.0,
            "too_slow": "",
            "seed": seed,
            "failure": traceback.format_exc(),
        }
    return {
        "frames": result.frames,
        "decoded": result.decoded,
        "slowest": result.slowest,
        "too_slow": result.slowest_frame.hex() if result.slowest > MOST_SECONDS else "",
        "seed": seed,
        "failure": "",
    }
