#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tidy_test.py: holds the whole tree against the house rules, one test for each rule."""
import functools
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

import rules  # noqa: E402
import tap  # noqa: E402
import tree  # noqa: E402

SHOWN_MAX = 40


@functools.lru_cache(maxsize=1)
def repository():
    """The tree, read once for all rules."""
    try:
        return tree.read_repository()
    except tree.NoRepository:
        raise tap.Skip("not a git work tree: nobody knows which files are the project's") from None


def test_something_to_look_at():
    """The rules see the files of the project, and not an empty tree."""
    paths = repository().texts
    for path in ("meson.build", "src/main.cc", "tests/tidy/rules.py"):
        assert path in paths, f"{path} is missing among {len(paths)} files"


def _test_of(rule):
    def test():
        findings = rule.check(repository())
        for finding in findings[:SHOWN_MAX]:
            print(f"# {finding}")
        if len(findings) > SHOWN_MAX:
            print(f"# and {len(findings) - SHOWN_MAX} more")
        assert not findings, f"{len(findings)} findings of {rule.name}, listed above"
    test.__doc__ = rule.claim
    return test


TESTS = {"test_something_to_look_at": test_something_to_look_at}
TESTS |= {f"test_{rule.name}": _test_of(rule) for rule in rules.RULES.values()}

if __name__ == "__main__":
    tap.run(TESTS)
