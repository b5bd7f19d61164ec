#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""determinism_test.py: the same scenario is the same text, byte for byte, in every process.

That the debug build and the release build tell the same needs no test here: both are held against
the same expected.txt, byte for byte, by run_scenarios.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "harness"))

import tap  # noqa: E402

PROGRAM = os.environ["RUN_SCENARIOS"]
SCENARIOS = pathlib.Path(os.environ["KTM_SCENARIOS"])
# Tables of several keys, two VMs, programs, an undo of many steps, memory that runs out, patterns.
CHOSEN = ("undo-order", "two-vms", "two-vms-lost", "exec-ok", "words", "secrets", "snapshot-failed",
          "runaway-memory", "recorded-handover", "wait")
# With sanitizers it takes ten times as long, and is no other text.
PROCESSES = 20 if os.environ["KTM_SANITIZED"] else 100


def text_of(environment, folder):
    """What the chosen scenarios tell, in a process of their own."""
    return subprocess.run(
        [PROGRAM, "--text", *(str(SCENARIOS / name) for name in CHOSEN)], cwd=folder, check=True,
        env={**os.environ, **environment}, stdout=subprocess.PIPE).stdout


def stack_of_a_process():
    """Where a fresh process has its stack."""
    maps = subprocess.run(["cat", "/proc/self/maps"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return next(line.split("-")[0] for line in maps.splitlines() if "[stack]" in line)


def test_processes():
    """many processes, with other addresses, locales, time zones and folders, tell the same"""
    if len({stack_of_a_process() for _ in range(3)}) == 1:
        raise tap.Skip("THIS SYSTEM DOES NOT RANDOMIZE ADDRESSES; a difference would not show")
    first = text_of({}, "/")
    assert len(first) > 10_000, f"only {len(first)} bytes"
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, PROCESSES):
            text = text_of({
                "PADDING": "x" * (number * 37),
                "LC_ALL": ("C", "C.UTF-8", "tr_TR.UTF-8")[number % 3],
                "TZ": ("UTC", "Asia/Kathmandu")[number % 2],
                "MALLOC_PERTURB_": str(number),
            }, ("/", folder)[number % 2])
            assert text == first, f"process {number} tells something else"


if __name__ == "__main__":
    tap.run(globals())
