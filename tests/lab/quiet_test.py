# SPDX-License-Identifier: Apache-2.0
"""quiet_test.py: while the guest stands still, katamaran starts nothing and waits for no disk.

strace looks at a run on a real QEMU. Between the read of STOP and the read of RESUME there must be
no new process and no new thread, no program, and nothing that waits for a disk.
"""
import collections
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import time

import crash_plans as plans
import crash_stage as stage
import crash_test
import tap
from crash_stage import PLANS, STATE

SHARED = crash_test.SHARED
VM = "/run/ktm-t-quiet.qmp"
TRACE = "/run/ktm-t-strace"
NOT_QUIET = ("execve", "execveat", "fork", "vfork", "clone", "clone3", "fsync", "fdatasync", "sync",
             "syncfs", "msync", "sync_file_range", "nanosleep", "clock_nanosleep")
CALLS_MAX = 200
# A call that another interrupts stands on two lines; the second one has its result.
LINE = re.compile(r"^(\d+) +(\d+\.\d+) (?:<\.\.\. )?(\w+)(.*)$")

BODY = plans.FIRST + """
m.note.hold = net.hold { "tap0", rate = 20000, pause = "300ms" }
m.note.path = net.divert { "10.1.2.3", "10.1.2.4", "2001:db8:1::3", into = "eth1" }
m.note.frames = net.divert { into = "eth1", on = "eth2", mac = mac }
qmp("stop")
wait { "STOP" }
m.note.path.turn()
m.note.frames.turn()
m.note.hold.block()
qmp("cont")
wait { "RESUME" }
m.note.hold.open()
"""
# The same as a plan that says it with states and events.
STATES = """state "after" { within = "10s",
  enter = function(m)
    m.note.hold = net.hold { "tap0", rate = 20000, pause = "300ms" }
    m.note.path = net.divert { "10.1.2.3", into = "eth1" }
    m:undo("wake the guest", function() qmp("cont") end)
    qmp("stop")
  end,
  on { "STOP", go = "dark" } },
state "dark" { within = "10s",
  enter = function(m)
    m.note.path.turn()
    m.note.hold.block()
    progress("the guest stands still")
    emit("test:turned")
  end,
  on { "test:turned", go = "waking" } },
state "waking" { within = "10s",
  enter = function() qmp("cont") end,
  on { "RESUME", run = function(m) m.note.hold.open() end, go = "done" } },
"""


@contextlib.contextmanager
def scene():
    """A World, and a QEMU with a machine that runs nothing."""
    for program in ("strace", "qemu-system-x86_64"):
        if shutil.which(program) is None:
            raise tap.Skip(f"{program} IS NOT INSTALLED; nothing was tested here")
    with crash_test.Fixture() as fixture:
        process = subprocess.Popen(
            ["qemu-system-x86_64", "-machine", "pc,accel=tcg", "-m", "16", "-display", "none",
             "-nodefaults", "-qmp", f"unix:{VM},server=on,wait=off"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            limit = time.monotonic() + 30
            while not os.path.exists(VM):
                assert time.monotonic() < limit and process.poll() is None, process.stderr.read()
                time.sleep(0.01)
            yield fixture
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            pathlib.Path(VM).unlink(missing_ok=True)


def traced(world, plan, *words, state=STATE):
    """A run under strace: the calls of its own threads, as (time, name, rest of the line)."""
    pathlib.Path(TRACE).unlink(missing_ok=True)
    process = subprocess.Popen(
        ["strace", "-f", "-ttt", "-s", "65536", "-o", TRACE, stage.BINARY, "run", plan, "--var",
         f"qmp={VM}", "--state", state, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, cwd=PLANS, env=world.environment())
    out, err = process.communicate(timeout=stage.RUN_S_MAX)
    assert process.returncode == 0 and err == "", out + err
    calls, ours = [], set()
    for line in pathlib.Path(TRACE).read_text("utf-8", "replace").splitlines():
        found = LINE.match(line)
        if not found:
            continue
        task, when, name, rest = found.groups()
        ours = ours or {task}
        if task in ours:
            calls.append((float(when), name, rest))
            made = re.search(r"= (\d+)$", rest)
            if name.startswith("clone") and "CLONE_THREAD" in rest and made:
                ours.add(made.group(1))
    return calls


def dark_window(calls):
    """The calls between the read of STOP and the read of RESUME, both left out."""
    def place(event):
        # strace writes the quotes of a text with a backslash.
        places = [at for at, (_, name, rest) in enumerate(calls)
                  if name.startswith(("read", "recv")) and f'\\"event\\": \\"{event}\\"' in rest]
        assert len(places) == 1, f"{event} was read {len(places)} times"
        return places[0]
    begin, end = place("STOP"), place("RESUME")
    assert begin < end
    return calls[begin + 1:end], calls[end][0] - calls[begin][0]


def assert_quiet(fixture, plan, *words, **how):
    """What a run does while the guest stands still; prints it."""
    calls = traced(fixture.world, plan, *words, **how)
    window, seconds = dark_window(calls)
    counts = collections.Counter(name for _, name, _ in window)
    told = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    print(f"# {plan} {' '.join(words)}: {len(window)} of {len(calls)} calls, in "
          f"{seconds * 1e3:.1f} ms under strace: {told}")
    loud = [f"{name}{rest}"[:200] for _, name, rest in window if name in NOT_QUIET]
    assert not loud, "\n".join(loud)
    assert len(window) <= CALLS_MAX, told
    sent = sum(name in ("sendto", "sendmsg") and "AF_NETLINK" in rest for _, name, rest in window)
    assert sent >= 1, f"nothing was changed in there: {told}"
    stage.guards_end()
    fixture.assert_clean()


@stage.in_short
def test_in_one_action(scene):
    """Between STOP and RESUME: no program, no process, no thread, no waiting for a disk"""
    stage.write_plan("dark", BODY, more_vars='qmp = var.path { doc = "The monitor." }')
    assert_quiet(scene, "dark")


@stage.in_short
def test_in_states(scene):
    """The same in a plan whose states wait for events, and that tells a person how it goes"""
    stage.write_plan("states", "", more_vars='qmp = var.path { doc = "The monitor." }',
                     more_states=STATES)
    assert_quiet(scene, "states")


def test_recorded(scene):
    """The same while the run is recorded to a disk: the process that writes is another one"""
    stage.write_plan("dark", BODY, more_vars='qmp = var.path { doc = "The monitor." }')
    with stage.disk() as folder:
        assert_quiet(scene, "dark", "--record", str(folder / "record"))


def test_journal_on_a_disk(scene):
    """The same with a journal on a disk: it is written there and not waited for"""
    stage.write_plan("dark", BODY, more_vars='qmp = var.path { doc = "The monitor." }')
    with stage.disk() as folder:
        assert_quiet(scene, "dark", state=str(folder))


def test_a_check_that_can_fail(scene):
    """A plan that starts a program while the guest stands still is found out"""
    body = BODY.replace("m.note.hold.block()\n", 'm.note.hold.block()\nexec { "true" }\n')
    stage.write_plan("loud", body, more_vars='qmp = var.path { doc = "The monitor." }')
    try:
        assert_quiet(scene, "loud")
    except AssertionError as error:
        assert "clone" in str(error) or "fork" in str(error), error
    else:
        raise AssertionError("a program was started, and nobody saw it")
    scene.assert_clean()


if __name__ == "__main__":
    stage.main(globals(), SHARED, scene=scene)
