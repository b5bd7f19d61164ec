#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""migrate_fault_test.py: real processes of a migration are killed, and the guest runs exactly once.

A guest at work is moved with its disk; when the source's plan enters a state, one of the four
processes is killed, or the link between the nodes is cut, or the disk of the destination is full.
Then there is at most one running guest, and one unless its own QEMU was killed or a plan says that
it is stranded; it finds on its disk what it wrote; and `katamaran recover` leaves clean nodes.

Without --all only a few of these are played.
"""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import migrations  # noqa: E402  (found through the path above)
import moving  # noqa: E402
import tap  # noqa: E402

ALL = "--all" in sys.argv
STATES = ("prepare", "mirror", "copy", "hold", "divert", "equal", "switchover", "handover",
          "yours", "drain")
PROCESSES = ("source-qemu", "dest-qemu", "source-katamaran", "dest-katamaran")
LIMIT, ATTEMPTS = ("--var", "bandwidth=40MB/s"), 3


class Broken:
    """A guest at work, and moves of it that are broken; a new one where it did not survive."""

    def __init__(self):
        self._stack, self.move = contextlib.ExitStack(), None

    def guest(self):
        """The guest, at work at one of the nodes."""
        if self.move is None:
            self.move = self._stack.enter_context(moving.moving(moving.build()))
        return self.move

    def forget(self):
        """The guest is gone."""
        self._stack.close()
        self.move = None

    close = forget


def status_of(move, role):
    """What the QEMU at that node says that its guest does; nothing when it is gone."""
    qemu = move.qemus.get(role)
    if qemu is None or qemu.process.poll() is not None:
        return None
    asked = move.scene.run("qmp", move.monitor(role), "query-status", "--json")
    return json.loads(asked.out)["status"] if asked.code == 0 else None


def kill(move, runs, victim):
    """Ends a process as SIGKILL does."""
    role, kind = victim.split("-")
    if kind == "katamaran":
        if not runs[role].has_ended():
            runs[role].signal(signal.SIGKILL)
        return
    node = role if move.at == "source" else moving.OTHER[role]
    if node in move.qemus:
        move.qemus[node].process.kill()
        move.qemus[node].process.wait()


def at_state(move, runs, state, act, within=60):
    """Does it when the source's plan enters that state; whether it came to that."""
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        if state in move.states(runs["source"]):
            act()
            return True
        if any(run.has_ended() for run in runs.values()):
            for run in runs.values():
                if not run.has_ended() and not move.states(run):
                    run.signal(signal.SIGTERM)
            return state in move.states(runs["source"])
        time.sleep(0.001)
    raise AssertionError(f"no state {state}: {runs['source'].out.so_far()[-400:]}")


def end_of(run):
    """How a run says that it ended; nothing when it was killed."""
    lines = run.out.so_far().splitlines()
    last = json.loads(lines[-1]) if lines and lines[-1].endswith("}") else {}
    return last.get("end")


def must_be_clean(move, within=120):
    """`katamaran recover` takes back what is left, at both nodes, and then nothing of ours is.

    Of a guest that stands it tells each time: whether to wake it only a person can say. A QEMU that
    waits for a network (see docs/RUNBOOK.md) answers when that is back: it is called again then.
    """
    ends = time.monotonic() + within
    while True:
        try:
            take_back(move)
            return
        except AssertionError as fault:
            if "no-negotiation" not in str(fault) or time.monotonic() > ends:
                raise
            print("# QEMU does not answer recover; once more in 5 s", flush=True)
            time.sleep(5)


def take_back(move):
    """What must be clean, once."""
    for words in ((), ("--dry-run",)):
        for role, node in move.network.nodes.items():
            with node.inside():
                ended = move.scene.run("recover", "--state", str(move.state(role)), *words,
                                       within=40)
            # It looks into each namespace that has a name, and other tests may be running.
            lines = [line for line in ended.out.splitlines()[:-1] if (words or "left" not in line)]
            lines = [line for line in lines if "look after" not in line]
            bad = [line for line in lines if (
                ", in " not in line or f", in {node.name} " in line if words
                else line.startswith("failed"))]
            assert ended.code in (0, 1) and not bad, f"recover at the {role}: {bad} {ended!r}"


def must_live(move):
    """The guest goes on, and finds on its disk what it wrote."""
    move.network.lead_to(move.at)
    before = moving.ask(move.network, "report", within=20)["written"]
    time.sleep(0.3)
    assert moving.ask(move.network, "report")["written"] > before, "the guest writes no more"
    disk = moving.ask(move.network, "verify", within=90, each=45)
    wrong = {key: disk[key] for key in ("strange", "stale", "newer", "unread", "failed")
             if disk[key]}
    assert not wrong, f"blocks of the disk: {wrong}"


def judge(move, runs, victim):
    """Looks at what has come of it; the words for it."""
    ends = {role: end_of(run) for role, run in runs.items()}
    for run in runs.values():
        run.kill()
    must_be_clean(move)
    status = {role: status_of(move, role) for role in moving.OTHER}
    running = [role for role in status if status[role] == "running"]
    said = f"ends {ends}, guests {status}"
    assert len(running) <= 1, f"the guest runs twice: {said}"
    if running:
        if running[0] != move.at:
            move.at = running[0]
        else:
            move.disk = move.left
        move.end_qemu(moving.OTHER[move.at])
        must_live(move)
        assert "stranded" not in ends.values() or len(set(ends.values())) > 1, said
        return said
    assert victim.endswith("qemu") or "stranded" in ends.values(), f"the guest is gone: {said}"
    return said + "; no guest runs"


def break_one(broken, state, victim, act=None, within=60):
    """One move that is broken in that state, again if it did not come so far; what came of it."""
    for attempt in range(1, ATTEMPTS + 1):
        came, said = break_once(broken, state, victim, act, within)
        print(f"# {victim} in {state}{'' if came else ', it ended before'}: {said}", flush=True)
        if came:
            return said
    raise AssertionError(f"no move came to {state} in {attempt} attempts: {said}")


def break_once(broken, state, victim, act, within):
    """The same once; whether the state was reached, and what came of it."""
    move = broken.guest()
    variables, _, kinds = migrations.network_of("vxlan", "v4")
    moving.require(*kinds)
    runs, _, _ = move.begin("local-storage", [4], "vxlan", to_source=LIMIT, **variables)
    came = at_state(move, runs, state, act or (lambda: kill(move, runs, victim)))
    ends = time.monotonic() + within
    try:
        while not all(run.has_ended() for run in runs.values()):
            assert time.monotonic() < ends, "a katamaran has not ended: " + "; ".join(
                f"{role} in {move.states(run)[-1:]}: {run.out.so_far()[-300:]}"
                for role, run in runs.items())
            if "drain" in move.states(runs["source"]):
                move.network.lead_to(moving.OTHER[move.at])
            time.sleep(0.02)
        said = judge(move, runs, victim)
    except AssertionError:
        broken.forget()
        raise
    # Where a guest stands that a run has left behind, no other run begins.
    if said.endswith("no guest runs") or "stranded" in said:
        broken.forget()
    return came, said


@contextlib.contextmanager
def broken():
    """The fixture."""
    made = Broken()
    try:
        yield made
    finally:
        made.close()


def each_of(broken, pairs):
    """Plays all, and names each that went wrong."""
    faults = []
    for state, victim in pairs:
        try:
            break_one(broken, state, victim)
        except AssertionError as fault:
            faults.append(f"{victim} in {state}: {fault}")
            print("# FAULT " + faults[-1].replace("\n", " ")[:1500], flush=True)
    assert not faults, "\n".join(faults)


def test_katamaran_killed(broken):
    """A katamaran that is killed leaves a guest that runs once, and recover leaves clean nodes"""
    each_of(broken, [(state, victim) for state in (STATES if ALL else ("switchover",))
                     for victim in PROCESSES[2:]])


def test_dest_qemu_killed(broken):
    """A QEMU of the destination that is killed before the commit costs nothing"""
    each_of(broken, [(state, PROCESSES[1]) for state in (STATES if ALL else ("copy",))])


def test_source_qemu_killed(broken):
    """A QEMU of the source that is killed takes its guest along, but never makes it run twice"""
    each_of(broken, [(state, PROCESSES[0]) for state in (STATES if ALL else ("drain",))])


def test_link_cut(broken):
    """A link that is cut for three seconds, or for ever, leaves a guest that runs once"""
    for state in (STATES[1:9] if ALL else ("copy",)):
        for seconds in ((3, 30) if ALL else (3,)):
            move = broken.guest()

            def cut(move=move, seconds=seconds):
                move.network.cut()
                time.sleep(seconds)
                move.network.cut(False)
            break_one(broken, state, "link", cut, within=90)


def test_disk_full(broken):
    """A disk of the destination that is full ends the move, and the guest lives on at the source"""
    move = broken.guest()
    with contextlib.ExitStack() as stack:
        small = Path(move.scene.path("small"))
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], check=True)
        stack.callback(subprocess.run, ["umount", "-l", small], check=True)
        former, move.disks = move.disks, small
        stack.callback(setattr, move, "disks", former)
        said = break_one(broken, "mirror", "nobody", lambda: None)
        assert "'source': 'running'" in said and "aborted" in said, said
        assert broken.move is move, "the guest did not survive"


def test_second_client(broken):
    """Where somebody else has the monitor, nothing is begun, and the guest runs on"""
    move = broken.guest()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as other:
        other.connect(move.scene.path(move.monitor(move.at, "a")))
        variables, _, _ = migrations.network_of("vxlan", "v4")
        runs, _, _ = move.begin("local-storage", [4], "vxlan", to_source=LIMIT, **variables)
        ended = runs["source"].end(60)
        assert ended.code != 0 and not move.states(runs["source"]), ended
        runs["dest"].signal(signal.SIGTERM)
        runs["dest"].end(20)
    print(f"# {judge(move, runs, 'nobody')}", flush=True)


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--all"]
    if os.environ.get("KTM_LAB_SHORT"):
        print("1..0 # SKIP PLAYED ON THE MACHINE'S OWN KERNEL")
        sys.exit(0)
    tap.run(globals(), broken=broken)
