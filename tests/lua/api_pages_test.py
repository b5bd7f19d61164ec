#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""api_pages_test.py: the files made from the described words of plans are those of the tree."""
import contextlib
import difflib
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "harness"))

import tap  # noqa: E402

SHOWN_MAX = 20


@contextlib.contextmanager
def made():
    """A folder with the files as the program writes them now."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.environ["API_PAGES"], folder], check=True)
        yield pathlib.Path(folder)


def paths_below(folder):
    """The files below a folder, as paths relative to it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def difference(old, new):
    """The first lines in which two texts differ; none when they are equal."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "tree", "program", lineterm="")
    return list(lines)[:SHOWN_MAX]


def test_same(made):
    """docs/api.md, lua/meta and lua/.luacheckrc are as tools/api writes them"""
    paths = paths_below(made)
    assert "docs/api.md" in paths and "lua/meta/plan.lua" in paths, paths
    differing = []
    for path in sorted(paths):
        here = ROOT / path
        old = here.read_text(encoding="utf-8") if here.is_file() else ""
        found = difference(old, (made / path).read_text(encoding="utf-8"))
        if found:
            differing.append(path)
            print("\n".join(f"# {line}" for line in found))
    assert not differing, f"run tools/api and commit: {', '.join(differing)}"


def test_no_more(made):
    """lua/meta holds no file that tools/api does not write"""
    extra = paths_below(ROOT / "lua" / "meta") - paths_below(made / "lua" / "meta")
    assert not extra, f"remove from lua/meta: {', '.join(sorted(extra))}"


def test_difference():
    """a difference is seen, and equal texts have none"""
    assert difference("a\nb\n", "a\nc\n")
    assert not difference("a\nb\n", "a\nb\n")


if __name__ == "__main__":
    tap.run(globals(), made=made)
