#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""replayed_peer_test.py: runs of two nodes, recorded at each, and played again alone."""
import json
import re
import signal
import socket

import stage
import tap
from peer_test import COMMITTED, STAND, TALK_DEST, TALK_SOURCE, Pair, assert_end

ROLES = ("source", "dest")


def replay(pair, role, *words):
    """The recording of that role, played again."""
    return pair.scene.run("simulate", pair.name, "--role", role, "--var", f"port={pair.port}",
                          "--trace", f"{role}.jsonl", *words)


def recorded(pair):
    """Both roles, started, each with its recording."""
    for role in ROLES:
        (pair.scene.folder / f"{role}.jsonl").unlink(missing_ok=True)
    return {role: pair.start(role, "--record", f"{role}.jsonl") for role in ROLES}


def last_line(ended):
    """Without the figure in it that is never the same twice."""
    return re.sub(r" after [0-9.]+ \w+", "", ended.out.splitlines()[-1])


def assert_same(pair, role, real):
    """What is played again has the end of the real run, and tells nothing more."""
    again = replay(pair, role)
    assert (again.code, last_line(again)) == (real.code, last_line(real)), (again, real)
    return again


def test_talk(scene):
    """two runs that talked are played again, each alone: answers, addresses, last line, code"""
    pair = Pair(scene, TALK_SOURCE, TALK_DEST)
    real = {role: run.end() for role, run in recorded(pair).items()}
    for role in ROLES:
        again = assert_same(pair, role, real[role])
        assert real[role].code == 0 and again.err == "", again
    assert "answer 4444 from 127.0.0.1 to 127.0.0.1" in replay(pair, "source").out
    assert "asked for 8 by 127.0.0.1" in replay(pair, "dest").out


def test_changed_plan(scene):
    """a plan with another text is played; one that says what was not said is undecided there"""
    pair = Pair(scene, TALK_SOURCE, TALK_DEST)
    for run in recorded(pair).values():
        run.end()
    pair.write(TALK_SOURCE.replace("60s", "50s"), TALK_DEST)
    assert_end(replay(pair, "source"), 0, "done")
    pair.write(TALK_SOURCE.replace("ram = 8", "ram = 9"), TALK_DEST)
    assert_end(replay(pair, "source"), 4, "the plan asks the other node 'ready'",
               "the recording has it otherwise", "ram: expected 8, got 9")
    pair.write(TALK_SOURCE.replace('send("go")', 'send("stay")'),
               TALK_DEST.replace("peer:go", "peer:stay"))
    ended = replay(pair, "source")
    assert_end(ended, 0, "done")
    assert "the plan says 'stay' to the other node, and what comes of it is not known" in ended.err
    pair.write(TALK_SOURCE.replace('local answer', 'peer.send("go") local answer'), TALK_DEST)
    assert_end(replay(pair, "source"), 4, "the plan says 'go' to the other node",
               "it asks the other node 'ready' before")


def test_left_out(scene):
    """what a plan no longer says is told, and what the other node said to it"""
    pair = Pair(scene, TALK_SOURCE, TALK_DEST)
    for run in recorded(pair).values():
        run.end()
    pair.write('state "talk" { within = "1s", next = "done", enter = function() end },',
               'state "talk" { within = "60s", on { "peer:ended", go = "done" } },')
    ended = replay(pair, "source")
    assert_end(ended, 0, "done")
    assert "not needed of the recording: from what it hears, 'ready'" in ended.err, ended


def test_agreed(scene):
    """a var that must agree and does not ends the run as it would end the real one"""
    pair = Pair(scene, TALK_SOURCE, TALK_DEST)
    for run in recorded(pair).values():
        run.end()
    for role in ROLES:
        ended = replay(pair, role, "--var", "vm=two")
        assert_end(ended, 1, "aborted", "the var vm is 'two' here and 'vm' at the other node")


def test_mismatch(scene):
    """two runs that did not fit are played again: the refusal, with both values"""
    pair = Pair(scene)
    dest = pair.start("dest", "--var", "vm=one", "--record", "dest.jsonl")
    dest.out.wait_for("waiting")
    source = pair.start("source", "--var", "vm=two", "--record", "source.jsonl").end()
    for role, value, real in (("source", "two", source), ("dest", "one", dest.end())):
        again = replay(pair, role, "--var", f"vm={value}")
        assert (again.code, last_line(again)) == (1, last_line(real)), (again, real)


def test_ended(scene):
    """a run whose other node aborted aborts again; so does the one that was interrupted"""
    pair = Pair(scene)
    runs = recorded(pair)
    for run in runs.values():
        run.out.wait_for("  stand")
    runs["source"].signal(signal.SIGTERM)
    for role in ROLES:
        assert_same(pair, role, runs[role].end())


def test_killed(scene):
    """a run whose other node was killed aborts again, and behind the commit it is stranded again"""
    for dest, code in ((STAND, 1), (COMMITTED, 3)):
        pair = Pair(scene, STAND, dest, name=f"killed{code}")
        runs = recorded(pair)
        for run in runs.values():
            run.out.wait_for("  (stand|over)")
        runs["source"].kill()
        real = runs["dest"].end(15)
        again = replay(pair, "dest")
        assert again.code == real.code == code, (again, real)
        assert "the other node" in last_line(again), again


def test_silent(scene):
    """a run whose other node fell silent loses it again, after the same time"""
    pair = Pair(scene)
    runs = recorded(pair)
    for run in runs.values():
        run.out.wait_for("  stand")
    runs["dest"].signal(signal.SIGSTOP)
    real = runs["source"].end(15)
    again = replay(pair, "source")
    assert_end(again, real.code, "aborted", "was not heard for 5")
    runs["dest"].signal(signal.SIGCONT)
    assert_end(runs["dest"].end(15), 1)


def test_nobody(scene):
    """a run to whom nobody came waits in vain again, without the time"""
    pair = Pair(scene)
    for role in ROLES:
        real = pair.start(role, "--record", f"{role}.jsonl", "--peer-wait", "600ms").end()
        again = replay(pair, role)
        assert_end(again, real.code, "aborted", "did not come within")


def test_not_recorded(scene):
    """in a trace that others recorded the other node is not known, and that is said"""
    pair = Pair(scene)
    for role in ROLES:
        (scene.folder / f"{role}.jsonl").write_text(
            '{"t":0,"dir":"in","msg":{"QMP":{"version":{},"capabilities":[]}}}\n', "utf-8")
        assert_end(replay(pair, role), 4, "is not known: the recording does not have it")


def test_broken_for_a_while(scene):
    """a connection that broke and came back is broken and back in what is played again"""
    pair = Pair(scene, STAND, STAND)
    dest = pair.start("dest", "--record", "dest.jsonl")
    dest.out.wait_for("waiting")
    digest = json.loads(scene.run("plan", "show", "pair", "--json").out)["digest"]
    hello = {"katamaran": 1, "tool": "x", "plan": "pair", "digest": digest, "role": "source",
             "run": "one", "with": "", "agree": {"vm": "vm"}, "at": 0, "heard": 0}

    def call():
        line = socket.create_connection(("127.0.0.1", pair.port), 5)
        line.sendall(json.dumps(hello).encode() + b"\n")
        assert b"katamaran" in line.recv(65536)
        return line

    with call():
        dest.out.wait_for("  stand")
    dest.out.wait_for("the connection to the other node is gone")
    with call() as line:
        dest.out.wait_for("the other node is there again")
        line.sendall(b'{"n":1,"word":"go","data":{}}\n')
        real = dest.end()
    assert real.code == 0, real
    again = assert_same(pair, "dest", real)
    assert "the other node is there again" in again.out, again


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
