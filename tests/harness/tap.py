# SPDX-License-Identifier: Apache-2.0
"""tap.py: runs the test_* functions of a script and prints TAP, one line a test.

A test is a function whose docstring is its claim. It fails by an exception and is skipped by
raising Skip with the reason. Its arguments name fixtures: context managers that the script
passes to run(), entered before the test and left after it, whatever happened.
"""
import contextlib
import inspect
import re
import sys
import time
import traceback


class Skip(Exception):
    """Raised with the reason why a test cannot run here."""


# What is lacking here of what the running test is about.
_lacking = set()


def lacks(*what):
    """Notes that this is lacking here, so that the test shows less than it would elsewhere."""
    _lacking.update(what)


LACKED = re.compile(r"# (test_\w+) lacked (.+)")


def _call(function, fixtures):
    with contextlib.ExitStack() as stack:
        wanted = inspect.signature(function).parameters
        function(*[stack.enter_context(fixtures[name]()) for name in wanted])


def _comment(text, to=None):
    for line in text.rstrip().splitlines():
        print(f"# {line}", file=to, flush=True)


def run(namespace, **fixtures):
    """Runs every test_* function of `namespace`; words on the command line select by name.

    What a test lacked is said behind it, in a line that LACKED knows.
    """
    selected = sys.argv[1:]
    tests = [
        (name, function)
        for name, function in namespace.items()
        if name.startswith("test_") and callable(function)
        and (not selected or any(word == name or word in name and word not in namespace
                                 for word in selected))
    ]
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        claim = " ".join((function.__doc__ or name).split()).replace("#", "no.")
        began = time.monotonic()
        _lacking.clear()
        try:
            _call(function, fixtures)
            print(f"ok {number} {claim}")
        except Skip as reason:
            if not _lacking:
                lacks("the means")
            print(f"ok {number} {claim} # SKIP {reason}")
        except Exception:  # a test may fail in any way; the next one still runs
            failed += 1
            # Beside TAP: what runs these programs shows the errors of those that failed.
            _comment(traceback.format_exc(), to=sys.stderr)
            print(f"not ok {number} {claim}")
        _comment(f"{time.monotonic() - began:.2f} s")
        if _lacking:
            _comment(f"{name} lacked {', '.join(sorted(_lacking))}")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
