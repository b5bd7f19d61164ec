#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""format_test.py: every C++ file looks as clang-format would write it."""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

import clang_tools  # noqa: E402
import tap  # noqa: E402
import tree  # noqa: E402


def _format(*arguments, text=""):
    command = [clang_tools.find_tool("clang-format"), "--dry-run", "-Werror", *arguments]
    return subprocess.run(command, cwd=tree.ROOT, input=text, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_format():
    """Every C++ file of src and tests is formatted by the repository's .clang-format."""
    paths = [
        str(path.relative_to(tree.ROOT))
        for folder in ("src", "tests")
        for path in sorted((tree.ROOT / folder).rglob("*"))
        if path.suffix in (".cc", ".hh") and path.is_file()
    ]
    assert "src/main.cc" in paths, "the list of files is not that of this project"
    verdict = _format(*paths)
    assert verdict.returncode == 0, f"run clang-format -i on these:\n{verdict.stdout}"


def test_format_can_fail():
    """A badly formatted line is found, and a well formatted one is not."""
    name = "--assume-filename=src/base/example.cc"
    assert _format(name, text="int  answer( ) {return 42;}\n").returncode != 0
    assert _format(name, text="int answer = 42;\n").returncode == 0


if __name__ == "__main__":
    tap.run(globals())
