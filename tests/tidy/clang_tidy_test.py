#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang_tidy_test.py BUILD_DIR: clang-tidy finds nothing in src, one test for each room.

BUILD_DIR is where meson left compile_commands.json. Its commands are GCC's; of these only what
decides the meaning of the code is kept, in a database of our own in a temporary folder.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

import clang_tools  # noqa: E402
import tap  # noqa: E402
import tree  # noqa: E402

# Of one file; an error in a template drags a long tail of notes behind it.
LINES_SHOWN_MAX = 40
CONFIG = tree.ROOT / ".clang-tidy"
MEANING = ("-I", "-D", "-U", "-std=")
MEANING_WITH_ARGUMENT = ("-isystem", "-include")

# Each breaks one check; together they show that the list is read and that findings are errors.
BAD_EXAMPLES = {
    "bugprone-use-after-move": """
#include <string>
#include <utility>
std::string twice(std::string text) {
    std::string other = std::move(text);
    return other + text;
}
""",
    "bugprone-exception-escape": """
void callback() noexcept { throw 1; }
""",
    "readability-identifier-naming": """
void BadName() {}
""",
}


def read_commands(build):
    """(file, command, folder) of every source of src that BUILD_DIR compiles."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        folder = pathlib.Path(entry["directory"])
        source = (folder / entry["file"]).resolve()
        if source.suffix == ".cc" and source.is_relative_to(tree.ROOT / "src"):
            yield source, shlex.split(entry["command"]), folder


def kept(words):
    """The words of a compile command that decide what the code means: includes, macros, dialect."""
    words = iter(words)
    for word in words:
        if word in MEANING_WITH_ARGUMENT:
            yield from (word, next(words))
        elif word.startswith((*MEANING, *MEANING_WITH_ARGUMENT)):
            yield word


def write_database(build, folder):
    """The filtered compile_commands.json in `folder`; returns the sources by room."""
    rooms = collections.defaultdict(list)
    entries = {}
    for source, words, directory in read_commands(build):
        if source not in entries:
            rooms[source.relative_to(tree.ROOT / "src").parts[0]].append(source)
            entries[source] = {
                "directory": str(directory),
                "file": str(source),
                "arguments": ["clang++", *kept(words), "-c", str(source)],
            }
    database = json.dumps(list(entries.values()))
    (pathlib.Path(folder) / "compile_commands.json").write_text(database)
    return rooms


def run_clang_tidy(*arguments):
    """(exit code, findings); clang-tidy counts suppressed warnings on stderr, which is noise."""
    command = [clang_tools.find_tool("clang-tidy"), "--quiet", f"--config-file={CONFIG}"]
    verdict = subprocess.run([*command, *map(str, arguments)], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, check=False)
    return verdict.returncode, verdict.stdout or verdict.stderr


def test_checks_are_known():
    """Every check of .clang-tidy exists: clang-tidy says nothing of a misspelt one."""
    listed = CONFIG.read_text().split("\nChecks: >")[1].split("\nWarningsAsErrors")[0]
    wanted = set(re.findall(r"[\w.-]+", listed)) - {"-"}
    code, answer = run_clang_tidy("--list-checks")
    known = set(answer.split())
    assert code == 0 and len(wanted) > 10, f"the list of checks was not understood: {wanted}"
    assert wanted <= known, f"unknown checks: {sorted(wanted - known)}"


def test_checks_can_fail():
    """Code that breaks a check is an error that names the check."""
    with tempfile.TemporaryDirectory() as folder:
        for check, code in BAD_EXAMPLES.items():
            example = pathlib.Path(folder) / "example.cc"
            example.write_text(code)
            status, findings = run_clang_tidy(example, "--", "-std=c++20")
            assert status != 0 and "error: " in findings and check in findings, findings


def _test_of(room, verdicts):
    def test():
        clang_tools.find_tool("clang-tidy")
        findings = [verdict.result()[1] for verdict in verdicts if verdict.result()[0] != 0]
        lines = [line for text in findings for line in text.splitlines()[:LINES_SHOWN_MAX]]
        assert not findings, "\n".join(lines)
    test.__doc__ = f"clang-tidy finds nothing in src/{room}."
    return test


def main():
    """Starts clang-tidy on every file at once, as many as there are cores, and reports by room."""
    if len(sys.argv) < 2:
        sys.exit("usage: clang_tidy_test.py BUILD_DIR [WORD...]")
    build = pathlib.Path(sys.argv.pop(1)).resolve()
    words = sys.argv[1:]
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for room, sources in sorted(write_database(build, folder).items()):
            name = f"test_room_{room}"
            if not words or any(word in name for word in words):
                verdicts = [pool.submit(run_clang_tidy, "-p", folder, path) for path in sources]
                tests[name] = _test_of(room, verdicts)
        tap.run(tests)


if __name__ == "__main__":
    main()
