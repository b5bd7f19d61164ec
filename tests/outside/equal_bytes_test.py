#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""equal_bytes_test.py: the same simulation is the same text, byte for byte, whoever compiled it.

Three builds of katamaran-sim tell the same trials and the same replays: GCC's optimised one, GCC's
with sanitizers, and clang's; the first of them a hundred times, with addresses, locales, time
zones and folders that differ.
"""
import concurrent.futures
import functools
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "harness"))

import tap  # noqa: E402

PROCESSES = 100
SIMULATIONS = (
    ("simulate", "freeze", "--faults", "all", "--json"),
    ("simulate", "shared-storage", "--list"),
    ("simulate", "shared-storage", "--model", "ram=8G,dirty=300M/s,link=10G,pps=20k", "--json"),
    ("simulate", "shared-storage", "--runs", "10", "--seed", "7"),
    ("simulate", "local-storage", "--fault", "60:closed", "--list", "--json"),
    ("plan", "graph", "local-storage", "--format", "svg"),
)
PLACES = (pathlib.Path("/"), ROOT)


def texts_of(program, environment, folder, simulations=SIMULATIONS):
    """Exit codes and outputs, one behind the other."""
    parts = []
    for words in simulations:
        done = subprocess.run(
            [program, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False, env={**os.environ, "KATAMARAN_LUA": str(ROOT / "lua"),
                              "KATAMARAN_PLAN_PATH": str(ROOT / "lua" / "plans"), **environment})
        parts.append(b"%d\n" % done.returncode + done.stdout)
    return b"".join(parts)


@functools.lru_cache(maxsize=None)
def expected():
    """What GCC's optimised build tells."""
    text = texts_of(os.environ["KATAMARAN_SIM"], {}, "/")
    assert len(text) > 20_000 and b"rror" not in text[:200], text[:500]
    return text


def first_difference(one, other):
    for left, right in zip(one.splitlines(), other.splitlines()):
        if left != right:
            return f"{left!r} and {right!r}"
    return f"{len(one)} and {len(other)} bytes"


def check_build(folder, preset):
    """Builds katamaran-sim there, if need be, and lets it tell."""
    build = ROOT / folder
    commands = [["ninja", "-C", build, "katamaran-sim"]]
    if not (build / "build.ninja").exists():
        commands.insert(0, ["meson", "setup", build, ROOT, "--native-file",
                            ROOT / "tools" / "presets" / f"{preset}.ini"])
    for command in commands:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        assert done.returncode == 0, done.stdout[-4000:]
    text = texts_of(build / "katamaran-sim", {}, "/")
    assert text == expected(), first_difference(expected(), text)


def test_processes():
    """a hundred processes, with other addresses, locales, time zones and folders, tell the same"""
    few = SIMULATIONS[1:]
    first = texts_of(os.environ["KATAMARAN_SIM"], {}, "/", few)
    assert expected().endswith(first)

    def tell(number):
        return texts_of(os.environ["KATAMARAN_SIM"], {
            "PADDING": "x" * (number * 37),
            "LC_ALL": ("C", "C.UTF-8", "tr_TR.UTF-8")[number % 3],
            "TZ": ("UTC", "Asia/Kathmandu")[number % 2],
            "MALLOC_PERTURB_": str(number),
        }, PLACES[number % 2], few)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, text in enumerate(pool.map(tell, range(1, PROCESSES)), 1):
            assert text == first, f"process {number}: {first_difference(first, text)}"


def test_sanitized():
    """GCC's build with sanitizers and without optimisation tells the same."""
    check_build("build-debug", "debug")


def test_clang():
    """clang's build tells the same."""
    if not shutil.which("clang++"):
        raise tap.Skip("NOT COMPARED: clang++ is not installed")
    check_build("build-clang", "clang")


if __name__ == "__main__":
    tap.run(globals())
