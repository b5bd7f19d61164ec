#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang_tidy_test.py BUILD_DIR: clang-tidy finds nothing in src, one test for each room.

BUILD_DIR is where meson left compile_commands.json. Its commands are GCC's; of these only what
decides the meaning of the code is kept. The files of a room are read as one, as they are compiled:
most of the time goes into the headers that they share.
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

# Of one room; an error in a template drags a long tail of notes behind it.
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
        words = shlex.split(entry["command"])
        for source in sources_of((folder / entry["file"]).resolve()):
            if source.suffix == ".cc" and source.is_relative_to(tree.ROOT / "src"):
                yield source, words, folder


def sources_of(file):
    """The file; or those that it includes, where meson made it to compile a room as one."""
    if "-unity" not in file.name:
        return [file]
    return [pathlib.Path(path).resolve()
            for path in re.findall(r'#include *[<"]([^>"]+)[>"]', file.read_text())]


def kept(words):
    """The words of a compile command that decide what the code means: includes, macros, dialect."""
    words = iter(words)
    for word in words:
        if word in MEANING_WITH_ARGUMENT:
            yield from (word, next(words))
        elif word.startswith((*MEANING, *MEANING_WITH_ARGUMENT)):
            yield word


def write_rooms(build, folder):
    """Writes a file that includes a room's sources, for each room; yields room, file and flags."""
    rooms = collections.defaultdict(dict)
    for source, words, directory in read_commands(build):
        room = source.relative_to(tree.ROOT / "src").parts[0]
        rooms[room].setdefault(source, (directory, words))
    for room, sources in sorted(rooms.items(), key=lambda each: -len(each[1])):
        whole = pathlib.Path(folder) / f"{pathlib.Path(room).stem}.cc"
        whole.write_text("".join(f'#include "{source}"\n' for source in sorted(sources)))
        directory, words = next(iter(sources.values()))
        yield whole.stem, whole, directory, list(kept(words))


def run_clang_tidy(*arguments, cwd=None):
    """(exit code, findings); clang-tidy counts suppressed warnings on stderr, which is noise."""
    command = [clang_tools.find_tool("clang-tidy"), "--quiet", f"--config-file={CONFIG}"]
    verdict = subprocess.run([*command, *map(str, arguments)], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, check=False, cwd=cwd)
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


def _test_of(room, verdict):
    def test():
        clang_tools.find_tool("clang-tidy")
        status, findings = verdict.result()
        assert status == 0, "\n".join(findings.splitlines()[:LINES_SHOWN_MAX])
    test.__doc__ = f"clang-tidy finds nothing in src/{room}."
    return test


def main():
    """Starts clang-tidy on every room at once, as many as there are cores; the largest first."""
    if len(sys.argv) < 2:
        sys.exit("usage: clang_tidy_test.py BUILD_DIR [WORD...]")
    build = pathlib.Path(sys.argv.pop(1)).resolve()
    words = sys.argv[1:]
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for room, whole, directory, flags in write_rooms(build, folder):
            name = f"test_room_{room}"
            if not words or any(word in name for word in words):
                verdict = pool.submit(run_clang_tidy, whole, "--", *flags, cwd=directory)
                tests[name] = _test_of(room, verdict)
        tap.run(tests)


if __name__ == "__main__":
    main()
