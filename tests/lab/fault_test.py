# SPDX-License-Identifier: Apache-2.0
"""fault_test.py: the kernel refuses, is silent, or takes away, at every change that a run makes.

Each time the run says what was refused and where, and ends with exit code 1, leaving nothing; or
with 3, saying what it could not give back, which `katamaran recover` then does. See
kernel_faults.cc for how a change is spoiled. Usage: fault_test.py [--all] [TEST…]; --all tries each
fault at each change, and not only each at one in three.
"""
import collections
import errno
import json
import multiprocessing
import os
import pathlib
import re
import signal
import sys
import time

import crash_plans as plans
import crash_stage as stage
import crash_test
import recover_test
from crash_stage import POD, STATE, run
from crash_test import Worker

SHARED = crash_test.SHARED
REFUSALS = ("EPERM", "ENODEV", "EEXIST", "EBUSY", "ENOBUFS", "ENOMEM")
# What a deletion may take for "it is gone already", and rightly so.
GONE = ("ENODEV",)
SILENCES = ("unheard", "lost")
SENDINGS = ("ENOBUFS", "EAGAIN")
FAILURES_SHOWN = 8
# The kernel is silent for five seconds each time: that is waiting, not work.
WAITERS = 40
EXIT_INTERRUPTED = 130

Change = collections.namedtuple("Change", "number type acquires")
Fixture = recover_test.Fixture


def changes_of_run():
    """Each change of the plan of all parts, and whether the run acquires by it, or gives back."""
    crash_test.begin()
    if "changes" not in SHARED:
        with Fixture() as scene:
            _, _, types = scene.world.count("run", "all")
            pathlib.Path(stage.COUNTED).unlink()
            # A run that stands has made all of those by which it acquires.
            process = scene.world.start("run", "stands", "--state", STATE,
                                        faults={"KTM_COUNT_FILE": stage.COUNTED})
            scene.stack.callback(recover_test.end, process)
            while process.stdout.readline().split()[-1:] != ["after"]:
                assert process.poll() is None, process.stderr.read()
            lines = pathlib.Path(stage.COUNTED).read_text("utf-8").splitlines()
            acquired = sum(line.startswith("change") for line in lines)
            process.send_signal(signal.SIGUSR1)
            process.communicate(timeout=stage.RUN_S_MAX)
        SHARED["changes"] = [Change(at + 1, int(kind), at < acquired)
                             for at, kind in enumerate(types)]
        print(f"# {len(types)} changes, of which {acquired} acquire")
    return SHARED["changes"]


# --- What kernel_faults.cc does to a change -------------------------------------------------------


def spoil(task):
    """One run with one change spoiled. Returns the task and what is wrong."""
    change, fault, names = task
    try:
        ended = Worker.world.play("all", faults={"KTM_FAULT": f"{change.number}:{fault}"})
        wrong = judge(change, ended, names)
        stage.reap()
    except AssertionError as error:
        wrong = str(error)
    if wrong:
        Worker.world.unmake()
        Worker.world.make()
        Worker.before = Worker.world.dump()
    return task, wrong


def judge(change, ended, names):
    """What is wrong with the end of a run; empty when nothing is."""
    last = ended.out.splitlines()[-1] if ended.out else ""
    expected = 3 if "left behind: " in last else 1
    if ended.code != expected or not last.startswith("aborted in acting after") or ended.err:
        return f"it did not abort: {ended}"
    is_told = not gives_back(change) and not can_do_without(names)
    if change.acquires and "(enough)" in last and is_told:
        return f"nobody said that it failed: {ended}"
    told = "(enough)" in last or any(f"({name})" in last for name in names)
    if not told or ("could not" not in last and "(enough)" not in last):
        return f"it does not say what was tried, and {names}: {ended}"
    if "nothing was left behind" in last:
        return with_end(ended, crash_test.what_is_left(Worker.world, Worker.before))
    if change.acquires:
        return f"it left something: {ended}"
    # What could not be given back is said, and stays written down.
    if "in the journal" not in last:
        return f"it does not say where that is written down: {ended}"
    recovered = Worker.world.recover()
    if recovered.code != 0:
        return f"{ended}\n{recovered}"
    return with_end(f"{ended}\n{recovered}", crash_test.what_is_left(Worker.world, Worker.before))


def gives_back(change):
    """Whether it deletes, as the plan does with what it takes back: that is tried again."""
    return change.type % 4 == 1  # RTM_DEL…


def with_end(ended, wrong):
    """Both, when there is something wrong."""
    return f"{wrong}\n{ended}" if wrong else ""


def can_do_without(names):
    """Whether a hold becomes a ring alone, and a run goes on, when the kernel says so."""
    return SHARED["plug"] and any(name in ("ENOENT", "EOPNOTSUPP") for name in names)


def in_processes(work, tasks, processes, what):
    """Plays all tasks in processes of their own; each tells its task and what is wrong."""
    began, failures, done = time.monotonic(), [], 0
    pool = multiprocessing.get_context("fork").Pool(min(processes, len(tasks)),
                                                    crash_test.begin_worker, (SHARED,))
    try:
        for (change, how, *_), wrong in pool.imap_unordered(work, tasks):
            done += 1
            if wrong:
                failures.append(f"{change}, {how}:\n{wrong}")
            if len(failures) >= FAILURES_SHOWN:
                break
    finally:
        pool.terminate()
        pool.join()
    print(f"# {what}: {done} runs in {time.monotonic() - began:.1f} s, {len(failures)} failed")
    assert not failures, "\n".join(failures)


def sampled(tasks):
    """All of them, or each third; less where everything takes long."""
    return tasks if stage.ALL else stage.sample(tasks[::3], 15)


@stage.in_short
def test_refusals():
    """A change that the kernel refuses: exit 1, what and why are said, everything is given back"""
    tasks = [(change, getattr(errno, name), (name,))
             for change in changes_of_run() for name in REFUSALS
             if change.acquires or name not in GONE]
    in_processes(spoil, sampled(tasks), os.cpu_count(), "refusals")


@stage.in_short
def test_full_buffers():
    """A change that cannot be sent, because buffers are full: exit 1, everything is given back"""
    tasks = [(change, f"send{getattr(errno, name)}", (name,))
             for change in changes_of_run() for name in SENDINGS]
    in_processes(spoil, sampled(tasks), os.cpu_count(), "full buffers")


@stage.in_short
def test_silence():
    """An answer that never comes, whether the change was made or not: exit 1, all is given back"""
    tasks = [(change, fault, ("no-answer",)) for change in changes_of_run() for fault in SILENCES]
    in_processes(spoil, sampled(tasks), WAITERS, "silences")


# --- What really happens --------------------------------------------------------------------------


def run_without(scene, *capabilities, plan="all"):
    """A run of somebody who is root but for some capabilities."""
    lacking = ",".join(f"-{name}" for name in capabilities)
    return scene.world.play(plan, program=("setpriv", "--bounding-set", lacking, "--inh-caps",
                                           lacking))


def test_without_capabilities(scene):
    """Who has no CAP_NET_ADMIN, or may not enter namespaces, is told so, and nothing is changed"""
    ended = run_without(scene, "net_admin")
    assert ended.code == 1 and "(EPERM)" in ended.out and "could not" in ended.out, ended
    assert "nothing was left behind" in ended.out, ended
    scene.assert_clean()
    stage.write_plan("elsewhere", plans.FIRST + plans.PARTS["arrival"])
    ended = run_without(scene, "sys_admin", plan="elsewhere")
    assert ended.code == 1 and "(EPERM)" in ended.out and POD in ended.out, ended
    scene.assert_clean()


def marks(world):
    """Everything that bears our marks, as lines."""
    found = [f"journal {name}" for name in stage.journals()]
    for where, text in world.dump().items():
        for line in re.sub(r"(\},)(\{)", r"\1\n\2", text).splitlines():
            if re.search(r'"protocol":"107"|"handle":"6b6|"pref":1,|"ifalias":"katamaran/|'
                         r'"txqlen":12000', line):
                found.append(f"{where}: {line[:300]}")
            if '"kind":"clsact"' in line and '"dev":"eth2"' in line:
                found.append(f"{where}: {line[:300]}")
    return found


def stopped_at(scene, number, plan="all"):
    """A run that has stopped before its nth change."""
    process = scene.world.start("run", plan, "--state", STATE,
                                faults={"KTM_FAULT": f"{number}:stop"})
    pid, status = os.waitpid(process.pid, os.WUNTRACED)
    assert pid == process.pid and os.WIFSTOPPED(status), (number, status)
    return process


def go_on(process):
    """It goes on; how it ended."""
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=stage.RUN_S_MAX)
    return stage.Ended(process.returncode, out, err)


def take_tap(world):
    """QEMU has died: the guest's tap is gone."""
    os.close(world.taps.pop("pod"))


def take_device(_):
    """Somebody deletes a device at which frames are redirected."""
    run("ip", "link", "del", "eth2")


def take_way(_):
    """The device that leads to the other node is gone."""
    run("ip", "link", "del", "eth1")


def take_namespace(world):
    """The sandbox is deleted."""
    take_tap(world)
    run("ip", "netns", "del", POD)


THEFTS = {theft.__name__: theft for theft in (take_tap, take_device, take_way, take_namespace)}


def steal(task):
    """A run from which something is taken before a change. Returns the task and what is wrong."""
    change, theft = task
    try:
        process = stopped_at(Worker, change.number)
        THEFTS[theft](Worker.world)
        ended = go_on(process)
        assert ended.code == 1 and ended.err == "", ended
        assert ended.out.splitlines()[-1].startswith("aborted in acting after"), ended
        assert "nothing was left behind" in ended.out, ended
        wrong = with_end(ended, "\n".join(marks(Worker.world)))
        stage.reap()
    except AssertionError as error:
        wrong = str(error)
    Worker.world.unmake()
    Worker.world.make()
    return task, wrong


@stage.in_short
def test_things_that_vanish():
    """A tap, a device or a namespace that is gone before any change: exit 1, and nothing is left"""
    thefts = list(THEFTS)
    tasks = [(change, theft) for at, change in enumerate(stage.sample(changes_of_run(), 29))
             for theft in (thefts if stage.ALL else (thefts[at % len(thefts)],))]
    in_processes(steal, tasks, crash_test.WORKERS, "thefts")


def number_of(kind, nth=1):
    """The nth change of this type."""
    return [change.number for change in changes_of_run() if change.type == kind][nth - 1]


RTM_NEWLINK, RTM_NEWROUTE, RTM_NEWTFILTER = 16, 24, 44


def test_name_that_is_taken(scene):
    """A device of the name that we were to give: EEXIST, and it stays as it is"""
    process = stopped_at(scene, number_of(RTM_NEWLINK))
    lines = recover_test.journal().read_text("utf-8").splitlines()
    name = json.loads(lines[1])["undo"]["link"]
    run("ip", "link", "add", name, "type", "veth", "peer", "name", "other0")
    there = scene.world.dump()
    ended = go_on(process)
    assert ended.code == 1 and "(EEXIST)" in ended.out and name in ended.out, ended
    assert scene.world.dump() == there, stage.difference(there, scene.world.dump())
    run("ip", "link", "del", name)
    scene.assert_clean()


def test_clsact_that_comes_between(scene):
    """A clsact that somebody makes between prepare and turn: EEXIST, and theirs stays"""
    stage.write_plan("frames", plans.FIRST + plans.PARTS["frames"] + plans.ABORT)
    process = stopped_at(scene, 1, "frames")
    run("tc", "qdisc", "add", "dev", "eth2", "clsact")
    there = scene.world.dump()
    ended = go_on(process)
    assert ended.code == 1 and "(EEXIST)" in ended.out, ended
    assert scene.world.dump() == there, stage.difference(there, scene.world.dump())
    run("tc", "qdisc", "del", "dev", "eth2", "clsact")
    scene.assert_clean()


def test_filter_that_comes_between(scene):
    """A filter of our priority that somebody adds between prepare and turn stays, as it was"""
    filters = ("filter", "add", "dev", "eth3", "ingress", "protocol", "all", "prio", "1", "u32",
               "match", "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev", "tap0")
    stage.write_plan("frames", plans.FIRST + plans.PARTS["frames"] + plans.ABORT)
    _, _, types = scene.world.count("run", "frames")
    nth = [at + 1 for at, kind in enumerate(types) if int(kind) == RTM_NEWTFILTER][1]
    process = stopped_at(scene, nth, "frames")
    run("tc", *filters)
    there = scene.world.dump()
    ended = go_on(process)
    assert ended.code == 1, ended
    now = scene.world.dump()
    gone = [line for line in stage.difference(there, now).splitlines()
            if not ('"eth2"' in line and "clsact" in line) and '"to_dev":"eth1"' not in line]
    gone = [line for line in gone if '"pref":1' in line and line.startswith("-") and "tap0" in line]
    assert not gone, "\n".join(gone)
    run("tc", "filter", "del", "dev", "eth3", "ingress", "prio", "1")
    scene.assert_clean()


def test_route_that_is_there(scene):
    """A route of ours to the same address already: refused before anything is changed"""
    run("ip", "route", "add", "10.1.2.4/32", "dev", "eth2", "proto", "107")
    there = scene.world.dump()
    ended = scene.world.play("all")
    assert ended.code == 1 and "(diverted)" in ended.out and "10.1.2.4" in ended.out, ended
    assert scene.world.dump() == there, stage.difference(there, scene.world.dump())
    run("ip", "route", "del", "10.1.2.4/32", "dev", "eth2", "proto", "107")
    scene.assert_clean()


def test_second_tunnel(scene):
    """A second vxlan of the same number and port: EEXIST, in the kernel's words; the first stays"""
    run("ip", "link", "add", "their0", "type", "vxlan", "id", "0", "dstport", "4789", "local",
        "192.0.2.1", "remote", "192.0.2.7")
    there = scene.world.dump()
    ended = scene.world.play("all")
    assert ended.code == 1 and "(EEXIST)" in ended.out, ended
    assert scene.world.dump() == there, stage.difference(there, scene.world.dump())
    run("ip", "link", "del", "their0")
    scene.assert_clean()


def test_interrupted_while_it_waits(scene):
    """SIGTERM while an answer does not come: the run aborts in order, and leaves nothing"""
    for fault in SILENCES:
        process = scene.world.start("run", "all", "--state", STATE,
                                    faults={"KTM_FAULT": f"{number_of(RTM_NEWROUTE)}:{fault}"})
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=stage.RUN_S_MAX)
        ended = stage.Ended(process.returncode, out, err)
        assert ended.code == EXIT_INTERRUPTED and "SIGTERM" in ended.out, ended
        assert "nothing was left behind" in ended.out, ended
        scene.assert_clean()


if __name__ == "__main__":
    stage.main(globals(), SHARED, scene=Fixture)
