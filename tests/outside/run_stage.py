# SPDX-License-Identifier: Apache-2.0
"""run_stage.py: runs of plans: written, started, read, and judged by a second monitor."""
import json
import re

from stage import plain_word, until

UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
STANDS_UNTIL_USR1 = """
state "standing" { within = "60s",
  enter = function(m)
    m:undo("wake the guest", function() qmp("cont") end)
    qmp("stop")
  end,
  on { "signal:USR1", go = "waking" } },
state "waking" { within = "5s", enter = function() qmp("cont") end, next = "done" },
"""


def write_plan(scene, name, states, more_vars="", has_vm=True):
    """A plan of one role in ./NAME.lua; its var `qmp` is the VM, if it has one."""
    vm = 'qmp = var.path { doc = "The monitor." },' if has_vm else ""
    (scene.folder / f"{name}.lua").write_text(
        f'return plan {{ name = "{name}", api = 1, summary = "A plan of a test.",\n'
        f'vars = {{ {vm} {more_vars} }},\nrole "node" {{ {states} }} }}\n', "utf-8")


def start_run(scene, plan, *words, **how):
    """`katamaran run` of a plan on the VM at ./a.qmp, started."""
    return scene.start("run", plan, "--var", "qmp=./a.qmp", *words, **how)


def run(scene, plan, *words, within=10.0, **how):
    """`katamaran run` of a plan on the VM at ./a.qmp, to its end."""
    return start_run(scene, plan, *words, **how).end(within)


def run_alone(scene, states, *words, name="alone", **how):
    """A plan without a VM, written and run to its end."""
    write_plan(scene, name, states, has_vm=False)
    return scene.run("run", name, *words, **how)


def ask(scene, command, *words, monitor="./b.qmp"):
    """QEMU's answer to a command, asked at another monitor than the run's."""
    ended = scene.run("qmp", monitor, command, *words, "--json")
    assert ended.code == 0, ended
    return json.loads(ended.out)


def status_of(scene, monitor="./b.qmp"):
    """What QEMU says that the guest does."""
    return ask(scene, "query-status", monitor=monitor)["status"]


def assert_runs(scene, monitor="./b.qmp"):
    """The guest runs, and no migration is under way."""
    assert status_of(scene, monitor) == "running"
    migration = ask(scene, "query-migrate", monitor=monitor).get("status", "none")
    assert migration in ("none", "cancelled", "completed", "failed"), migration


def story_of(out):
    """The lines with a time, as pairs of seconds and text."""
    story = re.findall(r"(?m)^ *([\d.]+) (ns|us|ms|s)  (.*)$", out)
    return [(float(number) * UNITS[unit], text) for number, unit, text in story]


def last_line(ended):
    """How the run says that it ended."""
    return ended.out.splitlines()[-1]


def assert_ended(ended, code, *phrases):
    """The exit code, and the phrases in the last line of stdout; nothing on stderr."""
    assert ended.code == code and ended.err == "", ended
    for phrase in phrases:
        assert phrase in last_line(ended), f"no {phrase!r} in {ended!r}"


def assert_refused(ended, *phrases):
    """Exit 2 before anything was begun, and the phrases on stderr."""
    assert ended.code == 2 and ended.out == "", ended
    for phrase in phrases:
        assert phrase in plain_word(ended.err), f"no {phrase!r} in {ended!r}"


def shown(scene, recording):
    """The lines of `trace show`; the recording must be without damage."""
    ended = scene.run("trace", "show", recording)
    assert (ended.code, ended.err) == (0, ""), ended
    return ended.out.splitlines()


def wait_for_file(path, size):
    """Waits until a file that another process writes has so many bytes."""
    until(lambda: path.exists() and path.stat().st_size >= size, 15, f"{size} bytes in {path}")
