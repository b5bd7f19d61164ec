#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""runner_test.py: run_scenarios fails where it must; a check that cannot fail is none."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "harness"))

import tap  # noqa: E402

PROGRAM = os.environ["RUN_SCENARIOS"]
SCENARIOS = pathlib.Path(os.environ["KTM_SCENARIOS"])


@contextlib.contextmanager
def copied():
    """A copy of a good scenario, to be broken."""
    with tempfile.TemporaryDirectory() as folder:
        yield pathlib.Path(shutil.copytree(SCENARIOS / "undo-waits", f"{folder}/undo-waits"))


def judge(*folders, **environment):
    """The exit code and what is printed."""
    ran = subprocess.run([PROGRAM, *map(str, folders)], env={**os.environ, **environment},
                         check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return ran.returncode, ran.stdout


def refused(scenario, complaint):
    """Asserts that a scenario fails, and why."""
    code, text = judge(scenario)
    assert code == 1 and "\nnot ok 1 " in "\n" + text, f"{code}\n{text}"
    assert complaint in text, text


def replace(file, old, new):
    """Changes a file of the copy; what is replaced must be there."""
    text = file.read_text(encoding="utf-8")
    assert old in text, text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_good(scenario):
    """a good scenario passes, with its claim"""
    code, text = judge(scenario)
    assert code == 0, text
    assert text.startswith("ok 1 undo-waits: an undo may wait, and an event "), text


def test_mismatch(scenario):
    """a command that the trace does not hold fails it"""
    replace(scenario / "trace.jsonl", '"stop"', '"system_reset"')
    refused(scenario, "line 1 of the trace expected system_reset, got stop")


def test_arguments(scenario):
    """a command with other arguments than in the trace fails it"""
    replace(scenario / "trace.jsonl", '"execute":"stop"', '"execute":"stop","arguments":{"now":1}')
    refused(scenario, "line 1 of the trace expected other arguments of stop")


def test_unplayed(scenario):
    """a trace that is not played to its end fails it"""
    with (scenario / "trace.jsonl").open("a", encoding="utf-8") as trace:
        trace.write('{"dir":"out","msg":{"execute":"quit"}}\n')
    refused(scenario, "line 9 of the trace waits for quit")


def test_rest(scenario):
    """a rest that is announced, and not there, fails it"""
    (scenario / "rest").write_text("line 9 of the trace waits for quit\n", encoding="utf-8")
    refused(scenario, "of the trace is left: nothing")


def test_expectation(scenario):
    """another text than the expected one fails it, and the place is shown"""
    replace(scenario / "expected.txt", "enter first", "enter fifth")
    refused(scenario, "# +        0 s  -> enter first\n")


def test_update(scenario):
    """KTM_UPDATE=1 rewrites the expectation, but not that of a scenario that fails otherwise"""
    good = (scenario / "expected.txt").read_text(encoding="utf-8")
    (scenario / "expected.txt").unlink()
    refused(scenario, "KTM_UPDATE=1")
    assert judge(scenario, KTM_UPDATE="1")[0] == 0
    assert (scenario / "expected.txt").read_text(encoding="utf-8") == good
    replace(scenario / "trace.jsonl", '"stop"', '"system_reset"')
    assert judge(scenario, KTM_UPDATE="1")[0] == 1
    assert (scenario / "expected.txt").read_text(encoding="utf-8") == good


def test_endless(scenario):
    """a run that does not end fails it"""
    (scenario / "plan").write_text("endless.lua\n", encoding="utf-8")
    (scenario / "trace.jsonl").unlink()
    (scenario / "vars.json").unlink()
    (scenario / "endless.lua").write_text("""
        local function again() timer.after(0, "again") end
        return plan { name = "endless", api = 1, summary = "Never ends.",
          role "node" { state "only" { within = "1s", enter = again,
            on { "timer:again", run = again }, on { "RESUME", go = "done" } } } }
        """, encoding="utf-8")
    refused(scenario, "the run does not end; state 'only'")


def test_plan(scenario):
    """a plan that is wrong, or not there, fails a scenario that has a trace"""
    (scenario / "plan").write_text("freese\n", encoding="utf-8")
    refused(scenario, "did you mean 'freeze'?")
    (scenario / "plan").unlink()
    refused(scenario.parent, "there is no plan in it")


def test_nothing(scenario):
    """no scenario at all is a failure"""
    shutil.rmtree(scenario)
    code, text = judge(scenario.parent)
    assert (code, text) == (1, "1..0\n"), text


if __name__ == "__main__":
    tap.run(globals(), scenario=copied)
