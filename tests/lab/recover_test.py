# SPDX-License-Identifier: Apache-2.0
"""recover_test.py: `katamaran recover` where things are not as it would like them.

Journals that are lost, corrupt, cut, of another boot; namespaces that are gone; others' work that
looks like ours; living runs; two recoveries at once; a user who may not; a disk that is full.
Usage: recover_test.py [--all] [TEST…]; --all leaves nothing out in an emulated kernel.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import crash_plans as plans
import crash_stage as stage
import crash_test
import tap
from crash_stage import POD, STATE, run

STANDS = 'state "standing" { within = "60s", on { "signal:USR1", go = "abort" } },\n'
NOBODY = "65534"
VM = "/run/ktm-t-vm.qmp"
SHARED = crash_test.SHARED


def assert_nothing(ended):
    """There was nothing to recover, and it is said where that was looked for."""
    assert ended.code == 0 and re.match("nothing to recover; (looked in|there is no folder) " +
                                        re.escape(str(STATE)), ended.out), ended


class Fixture(crash_test.Fixture):
    """A World, and runs that stand in it with all that they acquired."""

    def __enter__(self):
        super().__enter__()
        self.stack = contextlib.ExitStack()
        body = plans.FIRST + "".join(plans.parts_of(self.world).values())
        stage.write_plan("stands", body, more_states=STANDS.replace("standing", "after"))
        return self

    def __exit__(self, *what):
        self.stack.close()
        super().__exit__(*what)

    def standing(self, plan="stands", *words):
        """A run that has acquired everything, and stands."""
        process = self.world.start("run", plan, "--state", STATE, *words)
        self.stack.callback(end, process)
        told = ""
        while not told.rstrip().endswith("after"):
            line = process.stdout.readline()
            told += line
            assert line, told + process.stderr.read()
        return process

    def dead(self, plan="stands", *words):
        """A run that was killed with all that it had acquired."""
        process = self.standing(plan, *words)
        process.kill()
        process.wait()
        stage.guards_end()

    def assert_recovered(self, code=0, clean=True):
        """A recovery that ends so, and leaves everything as before."""
        ended = self.world.recover()
        assert ended.code == code and ended.err == "", ended
        if clean:
            self.assert_clean(repr(ended))
        return ended

    def differences(self):
        """What differs from before, line by line."""
        return stage.difference(self.before, self.world.dump()).splitlines()


def end(process):
    """A process that was started is gone."""
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()
    stage.guards_end()


def journal():
    """The path of the only journal."""
    (name,) = stage.journals()
    return pathlib.Path(STATE, name)


# --- Journals -------------------------------------------------------------------------------------


def strange_in(lines):
    """Those of the differences that are none of what nobody can know without a journal.

    That is: two former neighbours, the length of a ring, a clsact without filters, a former queue.
    """
    known = ("10.1.2.8", "10.1.2.5", '"txqlen":', '"kind":"clsact"', '"kind":"pfifo',
             '"qdisc":"pfifo')
    return [line for line in lines if not any(word in line for word in known)]


@stage.in_short
def test_lost_journal(scene):
    """Without its journal all that bears our marks is found, and what is not known is said"""
    scene.dead()
    shutil.rmtree(STATE)
    there = scene.world.dump()
    told = scene.world.recover()
    assert told.code == 1 and "left alone" in told.out and "--by-mark" in told.out, told
    assert scene.world.dump() == there, stage.difference(there, scene.world.dump())
    ended = scene.world.recover("--by-mark")
    assert ended.code == 0 and ended.err == "", ended
    for parts, words in (({"neighbours"}, "which neighbour was there before"),
                         ({"frames", "ip6gre"}, "whether its clsact was there before"),
                         ({"plug"}, "which qdisc was there before")):
        told = f"{words} is not known" in ended.out
        assert told == (not parts.isdisjoint(plans.parts_of(scene.world))), ended
    # An arrival without its journal is that of a guest which has come, for all that is known.
    left = [line for line in strange_in(scene.differences()) if '"protocol":"108"' not in line]
    assert scene.differences() and not left, "\n".join(left)
    again = scene.world.recover("--by-mark")
    assert_nothing(again)


def test_corrupt_journal(scene):
    """A journal with a corrupt line is not acted upon, stays, and the line is named: exit 1"""
    scene.dead()
    lines = journal().read_text("utf-8").splitlines(True)
    spoiled = [*lines[:2], lines[2].replace('"kind"', '"kin'), *lines[3:]]
    journal().write_text("".join(spoiled), "utf-8")
    ended = scene.world.recover()
    assert ended.code == 1 and "line 3" in ended.out and str(journal()) in ended.out, ended
    journal().write_text("".join(lines), "utf-8")
    # What was found by its marks meanwhile is not there any more; all else is put back.
    scene.assert_recovered(clean=False)
    left = strange_in(scene.differences())
    assert not left and not stage.journals(), left


@stage.in_short
def test_cut_journal(scene):
    """A journal that ends in the middle of a line is gone on with, also by a killed recovery"""
    ended, points, _ = scene.world.count("run", "all")
    assert ended.code == 1, ended
    writes = [at + 1 for at, what in enumerate(points) if what == "write-journal"]
    line = '{"do":99,"kind":"hold","in":"","space":"4:1","undo":{"what":"route","to":"10.1.2.3/32"'
    for number, at in enumerate(stage.sample(writes, 9)):
        scene.killed("all", at)
        with open(journal(), "a", encoding="utf-8") as file:
            file.write(line[:1 + 7 * number % len(line)])
        if number % 2:
            scene.world.recover(faults={"KTM_KILL_AFTER": str(number)})
        scene.assert_recovered()


def test_other_boot(scene):
    """A journal of an earlier boot is removed, and nothing else is done because of it"""
    scene.dead()
    text = journal().read_text("utf-8")
    scene.assert_recovered()
    header = json.loads(text.splitlines()[0])
    other = text.replace(header["boot"], "11111111-2222-3333-4444-555555555555")
    pathlib.Path(STATE, "old.journal").write_text(other, "utf-8")
    ended = scene.assert_recovered()
    assert "earlier boot" in ended.out and "old.journal" in ended.out, ended


def test_empty_journal(scene):
    """A journal without a line, as of a run that was killed when it had just made it, is removed"""
    os.mkdir(STATE)
    for text in ("", "{", '{"katamaran":"0.1'):
        pathlib.Path(STATE, "cut.journal").write_text(text, "utf-8")
        scene.assert_recovered()


@contextlib.contextmanager
def small_disk(size):
    """The folder of journals on a file system that is nearly full."""
    os.makedirs(STATE, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", STATE)
    try:
        yield
    finally:
        run("umount", STATE)
        os.rmdir(STATE)


def test_full_disk(scene):
    """Where nothing can be written down nothing is changed: exit 1, and the error says so"""
    with small_disk("4k"):
        pathlib.Path(STATE, "filler").write_bytes(bytes(4096))
        ended, _, changes = scene.world.count("run", "all")
        assert ended.code == 1 and "ENOSPC" in ended.out, ended
        assert "cannot be written down, so nothing was changed" in ended.out, ended
        assert not changes, changes
        assert stage.journals() == ["filler"], stage.journals()
    scene.assert_clean()


def test_disk_that_fills_up(scene):
    """A journal that cannot grow any more: what was acquired before is given back"""
    many = ", ".join(f'"10.1.3.{number}"' for number in range(1, 40))
    stage.write_plan("long", plans.FIRST + plans.PARTS["routes"] + plans.PARTS["frames"] +
                     f'net.neighbour {{ {many}, mac = mac, on = "tap0" }}\n')
    with small_disk("4k"):
        ended = scene.world.play("long")
        assert ended.code == 1 and "ENOSPC" in ended.out, ended
        assert not scene.differences() and not stage.journals(), scene.differences()
        # The same, killed on the way back: what is done cannot be noted, and is done again.
        _, points, _ = scene.world.count("run", "long")
        for at in range(len(points) - 12, len(points) + 1):
            scene.killed("long", at)
            ended = scene.world.recover()
            assert ended.code == 0 and not stage.journals(), ended
            assert not scene.differences(), scene.differences()
    scene.assert_clean()


def test_journal_on_a_disk(scene):
    """That the journal lies on a disk is said, once, before anything is changed"""
    with stage.disk() as folder:
        ended = scene.world.katamaran("run", "all", "--state", str(folder / "state"))
    assert ended.code == 1 and ended.out.count("lies on a disk") == 1, ended
    assert "lies on a disk" not in scene.world.play("all").out
    scene.assert_clean()


# --- Others ---------------------------------------------------------------------------------------


def make_strange_things():
    """What others might have made, and looks like ours."""
    stage.batch("ip", "link add ktm1a2b3c4d5e60 type veth peer name ktm1a2b3c4d5e61\n"
                "link add ktmother type vxlan id 77 dstport 4799 local 192.0.2.1 remote 192.0.2.9\n"
                "link set ktmother alias katamaran/\n"
                "link set ktm1a2b3c4d5e60 alias katamaran-of-somebody-else\n"
                "link set ktm1a2b3c4d5e60 addrgenmode none\nlink set ktm1a2b3c4d5e60 up\n"
                "route add 10.7.7.7/32 dev eth1 proto 108\nroute add 10.7.7.8/32 dev eth1\n"
                "route add 2001:db8:7::7/128 dev eth1 proto 106\n"
                "neigh add 10.7.7.7 lladdr 02:cc:00:00:00:01 dev eth1 nud permanent protocol 4\n")
    stage.batch("tc", "qdisc add dev eth2 root handle 6b63: pfifo limit 60\n"
                "qdisc add dev eth1 clsact\n"
                "filter add dev eth1 ingress protocol all prio 1 u32 match u32 0 0 "
                "action mirred egress mirror dev eth2\n")


def unmake_strange_things():
    """They are gone."""
    stage.batch("ip", "link del ktm1a2b3c4d5e60\nlink del ktmother\nroute del 10.7.7.7/32\n"
                "route del 10.7.7.8/32\nroute del 2001:db8:7::7/128\n"
                "neigh del 10.7.7.7 dev eth1\n")
    stage.batch("tc", "qdisc del dev eth2 root\nqdisc del dev eth1 clsact\n")


def test_others_work(scene):
    """What others made stays, however much it looks like ours: devices, routes, queues, filters"""
    make_strange_things()
    there = scene.world.dump()
    ended = scene.world.recover("--by-mark")
    assert_nothing(ended)
    assert scene.world.dump() == there, stage.difference(there, scene.world.dump())
    scene.dead()
    shutil.rmtree(STATE)
    assert scene.world.recover("--by-mark").code == 0
    gone = [line for line in stage.difference(there, scene.world.dump()).splitlines()
            if line.startswith("- ")]
    assert not strange_in(gone), "\n".join(strange_in(gone))
    unmake_strange_things()


@stage.in_short
def test_living_run(scene):
    """What a living run has is left alone, also when it is stopped, and others' remains are not"""
    living = scene.standing()
    acquired = scene.world.settled()
    for stopped in (False, True):
        if stopped:
            living.send_signal(signal.SIGSTOP)
        for words in ((), ("--netns", POD), ("--dry-run",)):
            ended = scene.world.recover(*words)
            assert_nothing(ended)
        now = scene.world.dump()
        assert now == acquired, stage.difference(acquired, now)
    living.send_signal(signal.SIGCONT)
    stage.write_plan("other", 'net.divert { "10.1.2.99", into = "eth1" }.turn()\n',
                     more_states=STANDS.replace("standing", "after"))
    scene.dead("other")
    ended = scene.world.recover()
    assert ended.code == 0 and "10.1.2.99" in ended.out, ended
    now = scene.world.dump()
    assert now == acquired, stage.difference(acquired, now)
    living.send_signal(signal.SIGUSR1)
    assert living.wait(20) == 1, living.stderr.read()
    scene.assert_clean()


@stage.in_short
def test_two_at_once(scene):
    """Recoveries that run at once do not disturb each other, and together undo everything"""
    for _ in range(2 if stage.SHORT else 10):
        scene.dead()
        crowd = [scene.world.start("recover", "--state", STATE) for _ in range(3)]
        for process in crowd:
            out, err = process.communicate(timeout=stage.RUN_S_MAX)
            assert (process.returncode, err) == (0, ""), out + err
        scene.assert_clean()


def test_dry_run(scene):
    """--dry-run says what it would do and does nothing; its JSON is one object a line"""
    scene.dead()
    acquired, text = scene.world.dump(), journal().read_text("utf-8")
    ended = scene.world.recover("--dry-run", "--json")
    assert ended.code == 1 and ended.err == "", ended
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert lines[-1]["to_undo"] == sum(line.get("end") == "would undo" for line in lines) > 5, lines
    now = scene.world.dump()
    assert now == acquired, stage.difference(acquired, now)
    assert journal().read_text("utf-8") == text
    scene.assert_recovered()


def test_other_user(scene):
    """Who may not recover is told so, and spoils nothing: exit 1, and root can do it afterwards"""
    scene.dead()
    acquired = scene.world.settled()
    as_nobody = ("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups")
    ended = scene.world.recover(program=as_nobody)
    assert ended.code == 1 and "EACCES" in ended.err, ended
    for path in (STATE, journal()):
        os.chown(path, int(NOBODY), int(NOBODY))
    ended = scene.world.recover(program=as_nobody)
    assert ended.code == 1 and "EPERM" in ended.out and ended.err == "", ended
    now = scene.world.dump()
    assert now == acquired, stage.difference(acquired, now)
    scene.assert_recovered()


# --- Remains --------------------------------------------------------------------------------------


def qemu():
    """A QEMU without a machine, at VM."""
    if shutil.which("qemu-system-x86_64") is None:
        raise tap.Skip("qemu-system-x86_64 IS NOT INSTALLED; nothing was tested here")
    process = subprocess.Popen(
        ["qemu-system-x86_64", "-machine", "none", "-display", "none", "-nodefaults", "-qmp",
         f"unix:{VM},server=on,wait=off"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    limit = time.monotonic() + 20
    while not os.path.exists(VM):
        assert time.monotonic() < limit and process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    return process


def test_remains(scene):
    """A run refuses to begin where one on the same VM left something, or works: exit 1"""
    process = qemu()
    scene.stack.callback(end, process)
    stage.write_plan("of-vm", 'net.divert { "10.1.2.4", into = "eth1" }.turn()\n',
                     more_vars='qmp = var.path { doc = "The monitor." }',
                     more_states=STANDS.replace("standing", "after"))
    first = scene.standing("of-vm", "--var", f"qmp={VM}")
    acquired = scene.world.settled()
    second = scene.world.play("of-vm", "--var", f"qmp={VM}")
    assert second.code == 1 and second.out == "", second
    assert "works on this VM" in second.err and "busy" in second.err, second
    end(first)
    second = scene.world.play("of-vm", "--var", f"qmp={VM}")
    assert second.code == 1 and second.out == "", second
    assert "katamaran recover" in " ".join(second.err.split()) and "remains" in second.err, second
    now = scene.world.dump()
    assert now == acquired, stage.difference(acquired, now)
    # Of another VM nobody says anything: what it changes is its own.
    other = scene.world.play("of-vm", "--var", "qmp=/run/ktm-t-no.qmp")
    assert "remains" not in other.err + other.out, other
    scene.assert_recovered()
    scene.assert_clean()


# --- Namespaces -----------------------------------------------------------------------------------


@contextlib.contextmanager
def short_namespace(name="ktm-t-short"):
    """A namespace with a tap, to be deleted under way."""
    run("ip", "netns", "add", name)
    files = []
    try:
        with stage.inside(name):
            files.append(stage.open_tap("tap7"))
            run("ip", "link", "set", "tap7", "addrgenmode", "none", "up")

        def gone():
            for file in files:
                os.close(file)
            files.clear()
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False,
                           timeout=stage.RUN_S_MAX)
        yield gone
    finally:
        gone()


def write_visit(place):
    """A plan that changes something here and there."""
    stage.write_plan("visits", 'net.divert { "10.1.2.4", into = "eth1" }.turn()\n'
                     'net.arrive { "10.1.2.5", tap = "tap7", mac = "02:aa:00:00:00:01", '
                     f'netns = "{place}" }}\n', more_states=STANDS.replace("standing", "after"))


def test_namespace_gone(scene):
    """What was in a namespace that is gone needs no undoing, and one of the same name is another"""
    write_visit("ktm-t-short")
    with short_namespace() as gone:
        scene.dead("visits")
        gone()
        ended = scene.assert_recovered()
        assert "namespace gone" in ended.out, ended
    with short_namespace() as gone:
        scene.dead("visits")
        gone()
        with short_namespace():
            ended = scene.assert_recovered()
            assert "namespace gone" in ended.out, ended


def test_namespace_of_a_dead_process(scene):
    """A namespace that was named by a process which is gone is found under its other name"""
    with short_namespace():
        with stage.inside("ktm-t-short"):
            sleeper = subprocess.Popen(["sleep", "60"])
        write_visit(f"/proc/{sleeper.pid}/ns/net")
        scene.dead("visits")
        sleeper.kill()
        sleeper.wait()
        ended = scene.assert_recovered()
        assert "namespace gone" not in ended.out and "10.1.2.5" in ended.out, ended
        with stage.inside("ktm-t-short"):
            assert "10.1.2.5" not in run("ip", "route") + run("ip", "neigh", "show", "nud", "all")


# --- The commit -----------------------------------------------------------------------------------


def test_completed_run(scene):
    """What a run that ended well has left on purpose is not taken away by a later recovery"""
    stage.write_plan("arrives", plans.FIRST + plans.PARTS["arrival"])
    ended = scene.world.play("arrives")
    assert ended.code == 0 and not stage.journals(), ended
    there = scene.world.dump()
    recovered = scene.world.recover()
    now = scene.world.dump()
    assert now == there, f"{recovered}\n{stage.difference(there, now)}"
    remake(scene)


def test_commit(scene):
    """Before the commit a killed run is undone; behind it undos are void, and holds are undone"""
    world = scene.world
    body = plans.FIRST + plans.PARTS["arrival"] + plans.PARTS["routes"]
    stage.write_plan("commits", body)
    ended, points, _ = world.count("run", "commits")
    assert ended.code == 0, ended
    after = world.dump()
    assert after != scene.before and not stage.journals()
    remake(scene)
    committed = 0
    for how in (crash_test.BEFORE, crash_test.AFTER):
        for at in stage.sample(range(len(points), 0, -1), 11):
            scene.killed("commits", at, how)
            names = stage.journals()
            is_committed = not names and at > len(points) // 2 or any(
                '"committed":true' in pathlib.Path(STATE, name).read_text("utf-8")
                for name in names)
            recovered = world.recover()
            expected = after if is_committed else scene.before
            now = world.dump()
            assert recovered.code == 0 and not stage.journals(), recovered
            assert now == expected, (
                f"{how} {at} of {len(points)}\n{recovered}\n{stage.difference(expected, now)}")
            if is_committed:
                committed += 1
                remake(scene)
    assert committed >= 1, committed


def remake(scene):
    """What a run kept on purpose is gone."""
    with stage.inside(POD):
        stage.batch("ip", "route del 10.1.2.5/32\nroute del 2001:db8:1::5/128\n"
                    "neigh del 10.1.2.5 dev tap0\nneigh del 2001:db8:1::5 dev tap0\n"
                    "neigh add 10.1.2.5 lladdr 02:bb:00:00:00:05 dev tap0 nud permanent\n")
    scene.assert_clean("made as it was")


if __name__ == "__main__":
    stage.main(globals(), SHARED, scene=Fixture)
