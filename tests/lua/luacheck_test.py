#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""luacheck_test.py: luacheck finds nothing in what is written in Lua."""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "harness"))

import tap  # noqa: E402

CONFIG = ROOT / "lua" / ".luacheckrc"
FOLDERS = ("lua/plans", "lua/stdlib", "examples")
FENCE = re.compile(r"^```lua\n(.*?)^```", re.MULTILINE | re.DOTALL)


def luacheck(*arguments, text=None):
    """What luacheck says, and how it ends."""
    program = shutil.which("luacheck")
    if program is None:
        raise tap.Skip("luacheck IS NOT INSTALLED (package lua-check); no Lua was checked")
    return subprocess.run(
        [program, "--config", str(CONFIG), "--codes", "--no-color", "--quiet", *arguments],
        cwd=ROOT, input=text, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def verdict_on(text, *arguments):
    """Luacheck's verdict on a text."""
    return luacheck(*arguments, "-", text=text)


def files_of(folder):
    """The files in Lua of a folder, which may be missing."""
    return [str(path.relative_to(ROOT)) for path in sorted((ROOT / folder).rglob("*.lua"))]


def test_files():
    """luacheck has nothing to say about plans, the standard library and examples"""
    paths = [path for folder in FOLDERS for path in files_of(folder)]
    if not paths:
        raise tap.Skip(f"THERE IS NO LUA in {', '.join(FOLDERS)}; nothing was checked")
    verdict = luacheck(*paths)
    assert verdict.returncode == 0, f"\n{verdict.stdout}"


def test_examples():
    """luacheck has nothing to say about the examples of docs/api.md"""
    document = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    # The first block of each word is its form; the last one before the next heading its example.
    examples = [FENCE.findall(part)[-1] for part in document.split("\n### `")[1:]
                if FENCE.search(part)]
    assert len(examples) > 80, f"{len(examples)} examples in docs/api.md"
    for example in examples:
        verdict = verdict_on(f"return function(m, event)\n{example}\nend\n",
                             "--no-unused-args", "--no-redefined")
        assert verdict.returncode == 0, f"{example}\n{verdict.stdout}"


def test_refusal():
    """luacheck, with the words of plans, finds what a plan cannot have"""
    for wrong, complaint in (
        ("os.exit()", "undefined variable os"),
        ("qmp.tri('stop')", "undefined field tri"),
        ("return var.iq { doc = 'd' }", "undefined field iq"),
        ("count = 1", "setting non-standard global variable count"),
        ("qmp.try = 1", "read-only"),
        ("local unused = 1", "unused variable unused"),
    ):
        verdict = verdict_on(wrong + "\n")
        assert verdict.returncode != 0, f"luacheck allows: {wrong}"
        said = verdict.stdout.replace("'", "")
        assert complaint in said, f"{wrong}\n{verdict.stdout}"
    assert verdict_on("qmp('stop')\n").returncode == 0


if __name__ == "__main__":
    tap.run(globals())
