#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""simulator_test.py: katamaran-sim cannot reach the world, and tells what katamaran tells."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "harness"))

import tap  # noqa: E402

KATAMARAN = os.environ["KATAMARAN"]
SIMULATOR = os.environ["KATAMARAN_SIM"]
ENVIRONMENT = {**os.environ, "KATAMARAN_LUA": str(ROOT / "lua"),
               "KATAMARAN_PLAN_PATH": str(ROOT / "lua" / "plans")}
# What a program needs that talks to a VM or a kernel.
WORLDLY = ("libuv", "libnl", "libssl")
RUN_S_MAX = 120


def run(program, *words):
    return subprocess.run([program, *words], env=ENVIRONMENT, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=RUN_S_MAX)


def needed(program):
    """The shared libraries that a program names, and those that these need."""
    dynamic = subprocess.run(["readelf", "-d", program], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    loaded = subprocess.run(["ldd", program], check=True, text=True, stdout=subprocess.PIPE).stdout
    return (re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
            + [line.split()[0] for line in loaded.splitlines() if line.strip()])


def undefined_symbols(program):
    """What a program takes from its libraries."""
    names = subprocess.run(["nm", "-D", "--undefined-only", program], check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    return [line.split()[-1] for line in names.splitlines()]


def test_libraries():
    """katamaran-sim links neither libuv, libnl nor libssl, and calls no socket; katamaran does."""
    for library in WORLDLY:
        assert any(name.startswith(library) for name in needed(KATAMARAN)), library
        assert not any(name.startswith(library) for name in needed(SIMULATOR)), library
    # The sanitizers bring everything a program could call.
    if not os.environ.get("KTM_SANITIZED"):
        calls = {name.split("@")[0] for name in undefined_symbols(SIMULATOR)}
        assert not calls & {"socket", "connect", "fork", "execve", "setns", "posix_spawn"}, calls


def test_commands():
    """It has simulate, plan and trace, and of the others it says that they are no commands."""
    text = run(SIMULATOR, "--help").stdout
    for word in ("simulate", "plan", "trace"):
        assert re.search(rf"^ +{word} ", text, re.M), text
    for word in ("run", "recover", "qmp"):
        refused = run(SIMULATOR, word)
        assert refused.returncode == 2, refused
        assert f"'{word}' is no command" in refused.stderr, refused.stderr
    assert run(SIMULATOR, "--version").stdout.startswith("katamaran-sim ")


def test_same_words():
    """What both can do both say in the same words."""
    for words in (("simulate", "shared-storage", "--runs", "5"),
                  ("simulate", "freeze", "--json"),
                  ("plan", "show", "local-storage"),
                  ("plan", "list", "--json")):
        here, there = run(KATAMARAN, *words), run(SIMULATOR, *words)
        assert here.returncode == there.returncode == 0, (words, there.stderr)
        assert here.stdout == there.stdout and len(here.stdout) > 30, words
    last = run(SIMULATOR, "simulate", "freeze", "--json").stdout.splitlines()[-1]
    assert json.loads(last)["kind"] == "end", last


def test_new_files_only():
    """A picture is a new file: one that is there is refused, and stays."""
    with tempfile.TemporaryDirectory() as folder:
        picture = pathlib.Path(folder) / "move.svg"
        for expected in (0, 2):
            done = run(SIMULATOR, "simulate", "freeze", "--timeline", str(picture))
            assert done.returncode == expected, done.stderr
        assert "the file exists" in done.stderr, done.stderr
        assert picture.read_text("utf-8").startswith("<svg"), picture


if __name__ == "__main__":
    tap.run(globals())
