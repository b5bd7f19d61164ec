#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""peer_test.py: two katamarans on loopback: how they meet, talk, lose each other, and end."""
import json
import re
import signal
import socket
import sys
import time

import stage
import tap
from stage import until

TALK_SOURCE = """
state "talk" { within = "60s", next = "done", enter = function()
  local answer = peer.ask("ready", { ram = 8 }, { within = "10s" })
  log.info("answer %s from %s to %s", answer.port, peer.address(), peer.own_address())
  log.info("round trip known: %s", tostring(peer.round_trip() ~= nil))
  peer.send("go")
end },
"""
TALK_DEST = """
state "talk" { within = "60s",
  on { "peer:ready", run = function(m, event)
    log.info("asked for %d by %s", event.data.ram, peer.address())
    peer.reply("ready", { port = "4444" })
  end },
  on { "peer:go", go = "done" } },
"""
STAND = """
state "stand" { within = "60s",
  on { "signal:USR1", go = "done" },
  on { "signal:USR2", run = function() peer.send("go") end },
  on { "peer:go", go = "done" } },
"""
COMMITTED = """
state "over" { within = "60s", commits = true, on { "signal:USR1", go = "done" } },
"""


def free_port():
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Pair:
    """One plan of two roles, and a port for the two."""

    def __init__(self, scene, source=STAND, dest=STAND, name="pair"):
        self.scene, self.name, self.port = scene, name, free_port()
        self.write(source, dest)

    def write(self, source, dest):
        """The plan, anew."""
        (self.scene.folder / f"{self.name}.lua").write_text(
            f'return plan {{ name = "{self.name}", api = 1, summary = "Two nodes.", vars = {{\n'
            '  to = var.ip { "127.0.0.1", role = "source", doc = "d" },\n'
            '  from = var.ip { "127.0.0.1", role = "dest", doc = "d" },\n'
            '  port = var.int { 4445, min = 1, max = 65535, doc = "d" },\n'
            '  vm = var.string { "vm", agree = true, doc = "d" } },\n'
            f'role "source" {{ peer_to = var "to", peer_port = var "port", {source} }},\n'
            f'role "dest" {{ peer_from = var "from", peer_port = var "port", {dest} }} }}\n',
            "utf-8")

    def start(self, role, *words, terminal=False, env=None):
        """One of the two, started."""
        command = ("run", self.name, "--role", role, "--var", f"port={self.port}", *words)
        if terminal:
            return self.scene.start_in_terminal(*command)[0]
        return self.scene.start(*command, env=env)

    def standing(self, *words):
        """Both, in their first state."""
        dest, source = self.start("dest", *words), self.start("source", *words)
        for side in (source, dest):
            side.out.wait_for(r"  (stand|over)")
        return source, dest

    def call(self, line):
        """Somebody else who connects and says something; what is answered until the end."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as stranger:
            stranger.settimeout(10)
            stranger.sendall(line)
            answer = b""
            try:
                while piece := stranger.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
            return answer.decode("utf-8", "replace")


def assert_end(ended, code, *phrases):
    """The exit code, and the phrases in the last line of stdout."""
    assert ended.code == code, ended
    for phrase in phrases:
        assert phrase in ended.out.splitlines()[-1], f"no {phrase!r} in {ended!r}"


# --- Meeting ------------------------------------------------------------------------------------


def test_talk(scene):
    """two runs on loopback greet, ask, answer and end, whichever was started first"""
    for first, second in (("dest", "source"), ("source", "dest")):
        pair = Pair(scene, TALK_SOURCE, TALK_DEST, name="talk-" + first)
        sides = {first: pair.start(first, "--record", f"{first}.jsonl")}
        sides[first].out.wait_for(r"  waiting for the other node")
        time.sleep(0.4)
        sides[second] = pair.start(second)
        source, dest = sides["source"].end(), sides["dest"].end()
        assert_end(source, 0, "done")
        assert_end(dest, 0, "done")
        assert "answer 4444 from 127.0.0.1 to 127.0.0.1" in source.out, source
        assert "round trip known: true" in source.out, source
        assert "asked for 8 by 127.0.0.1" in dest.out, dest
        assert source.err == "" and dest.err == "", (source, dest)


def test_talk_over_ipv6(scene):
    """two runs talk over IPv6 as well, and one that listens on all addresses needs --insecure"""
    pair = Pair(scene, TALK_SOURCE, TALK_DEST)
    dest = pair.start("dest", "--var", "from=::1")
    source = pair.start("source", "--var", "to=::1").end()
    assert_end(source, 0, "done")
    assert_end(dest.end(), 0, "done")
    assert "answer 4444 from ::1 to ::1" in source.out, source
    dest = pair.start("dest", "--var", "from=::", "--insecure")
    source = pair.start("source").end()
    assert_end(source, 0, "done")
    assert "asked for 8 by 127.0.0.1" in dest.end().out, source


def test_show(scene):
    """plan show says with whom a role talks, and which vars must agree"""
    Pair(scene)
    text = scene.run("plan", "show", "pair").out
    assert "connects to the other node at to, port port" in text, text
    assert "the other node connects to from, port port" in text, text
    assert re.search(r"vm +string, agreed", text), text
    shown = json.loads(scene.run("plan", "show", "pair", "--json").out)
    roles = {role["name"]: role for role in shown["roles"]}
    assert roles["source"]["peer_to"] == "to" and roles["dest"]["peer_from"] == "from"
    assert roles["dest"]["peer_port"] == "port" and "peer_to" not in roles["dest"]
    assert [var["name"] for var in shown["vars"] if var["agree"]] == ["vm"]


def test_record(scene):
    """all that crosses between the nodes is in the recording"""
    pair = Pair(scene, TALK_SOURCE, TALK_DEST)
    dest, source = pair.start("dest"), pair.start("source", "--record", "source.jsonl")
    assert_end(source.end(), 0)
    assert_end(dest.end(), 0)
    lines = [json.loads(line) for line in scene.text_of("source.jsonl").splitlines()[1:]]
    lines = [line for line in lines if line.get("port") == "peer" and "msg" in line]
    out = [line["msg"] for line in lines if line["dir"] == "out"]
    come = [line["msg"] for line in lines if line["dir"] == "in"]
    assert out[0]["katamaran"] == 1 and come[0]["katamaran"] == 1, lines
    assert [msg["ask"] for msg in out if "ask" in msg] == ["ready"], lines
    assert [msg["data"] for msg in come if "answer" in msg] == [{"port": "4444"}], lines
    assert [msg["bye"] for msg in out if "bye" in msg] == ["done"], lines


def test_mismatch_of_a_var(scene):
    """a var that must agree and does not ends both runs, with both values"""
    pair = Pair(scene)
    dest = pair.start("dest", "--var", "vm=one")
    dest.out.wait_for("waiting")
    source = pair.start("source", "--var", "vm=two").end()
    assert_end(source, 1, "aborted", "the var vm is 'two' here and 'one' at the other node")
    assert_end(dest.end(), 1, "aborted", "the var vm is 'one' here and 'two' at the other node")


def test_mismatch_of_the_plan(scene):
    """a plan with another text ends both runs, with both digests"""
    pair = Pair(scene)
    dest = pair.start("dest")
    dest.out.wait_for("waiting")
    pair.write(STAND, STAND.replace("60s", "59s"))
    source = pair.start("source").end()
    digest = r"the digest of the plan pair is '(\w+)' here and '(\w+)' at the other node"
    ours = re.search(digest, source.out.splitlines()[-1])
    theirs = re.search(digest, dest.end().out.splitlines()[-1])
    assert ours and theirs and ours.groups() == theirs.groups()[::-1], (source, dest)
    assert source.code == 1 and ours[1] != ours[2]


def test_waiting(scene):
    """a run that waits says so, counts down on a terminal, and gives up when it was told to"""
    pair = Pair(scene)
    ended = pair.start("dest", "--peer-wait", "1500ms").end()
    assert_end(ended, 1, "aborted", "did not come within 1.5 s")
    assert re.search(r"waiting for the other node, on tcp:127.0.0.1:\d+, 2 s left", ended.out)
    ended = pair.start("source", "--peer-wait", "1s", "--json").end()
    kinds = [json.loads(line)["kind"] for line in ended.out.splitlines()]
    assert ended.code == 1 and "waiting" in kinds, ended
    assert "ECONNREFUSED" in ended.out, ended
    ended = pair.start("dest", "--peer-wait", "4s", terminal=True).end()
    seconds = re.findall(r"waiting for the other node, on \S+, (\d) s left", ended.out)
    assert {"4", "3", "2", "1"} <= set(seconds), ended


def test_interrupted_while_waiting(scene):
    """a signal ends a run that waits for the other node"""
    waiting = Pair(scene).start("source")
    waiting.out.wait_for("waiting")
    waiting.signal(signal.SIGINT)
    assert_end(waiting.end(), 130, "interrupted", "nothing was begun")


def test_insecure(scene):
    """beyond loopback nothing is said, unless --insecure is; then it is warned of, loudly"""
    pair = Pair(scene)
    for role, var in (("source", "to"), ("dest", "from")):
        refused = pair.start(role, "--var", f"{var}=192.0.2.7").end()
        assert refused.code == 2 and refused.out == "", refused
        assert "--insecure" in refused.err and "192.0.2.7" in refused.err, refused
    refused = pair.start("dest", "--var", "from=0.0.0.0").end()
    assert refused.code == 2, refused
    allowed = pair.start("dest", "--var", "from=0.0.0.0", "--insecure", "--peer-wait", "300ms")
    ended = allowed.end()
    assert_end(ended, 1, "did not come")
    assert "INSECURE" in ended.err and "neither encrypted nor authenticated" in ended.err, ended


def test_options_without_another_node(scene):
    """--insecure and --peer-wait are refused where they mean nothing, and a bad time always"""
    (scene.folder / "lone.lua").write_text(
        'return plan { name = "lone", api = 1, summary = "s",\n'
        '  role "r" { state "a" { within = "1s", next = "done" } } }\n', "utf-8")
    for words in (("--insecure",), ("--peer-wait", "5s")):
        refused = scene.run("run", "lone", *words)
        assert refused.code == 2 and "has no other node" in refused.err, refused
    for wait in ("soon", "0s", "-1s"):
        refused = Pair(scene).start("dest", "--peer-wait", wait).end()
        assert refused.code == 2 and refused.out == "", refused


def test_port_in_use(scene):
    """a second run that listens on the same port ends at once, and the first goes on"""
    pair = Pair(scene)
    first = pair.start("dest")
    first.out.wait_for("waiting")
    assert_end(pair.start("dest").end(), 1, "EADDRINUSE")
    source = pair.start("source")
    source.out.wait_for("  stand")
    for side in (first, source):
        side.signal(signal.SIGUSR1)
    assert_end(first.end(), 0)
    assert_end(source.end(), 0)


# --- Losing each other --------------------------------------------------------------------------


def test_killed(scene):
    """after a kill -9 of one the other aborts, in five seconds or so"""
    for victim in (0, 1):
        sides = Pair(scene, name=f"killed{victim}").standing()
        began = time.monotonic()
        sides[victim].kill()
        ended = sides[1 - victim].end(15)
        assert_end(ended, 1, "aborted", "the other node")
        assert 4 < time.monotonic() - began < 8, ended


def test_killed_behind_the_commit(scene):
    """after a kill -9 of one the other is stranded behind the commit"""
    source, dest = Pair(scene, STAND, COMMITTED).standing()
    source.kill()
    assert_end(dest.end(15), 3, "stranded", "peer-lost")


def test_ended(scene):
    """one that aborts tells the other, which aborts at once"""
    source, dest = Pair(scene).standing()
    began = time.monotonic()
    source.signal(signal.SIGTERM)
    assert_end(source.end(), 130, "interrupted")
    assert_end(dest.end(), 1, "the run at the other node is over: aborted")
    assert time.monotonic() - began < 2


def test_stopped_for_a_while(scene):
    """one that stands still for three seconds is not lost, and hears what was said"""
    source, dest = Pair(scene, STAND, STAND).standing()
    dest.signal(signal.SIGSTOP)
    time.sleep(3)
    dest.signal(signal.SIGCONT)
    time.sleep(1)
    assert not source.has_ended() and not dest.has_ended()
    for side in (source, dest):
        side.signal(signal.SIGUSR1)
    assert_end(source.end(), 0)
    assert_end(dest.end(), 0)


def test_stopped_for_long(scene):
    """one that stands still for too long is lost; when it goes on it aborts as well"""
    source, dest = Pair(scene).standing()
    dest.signal(signal.SIGSTOP)
    assert_end(source.end(15), 1, "aborted", "was not heard for 5")
    dest.signal(signal.SIGCONT)
    assert_end(dest.end(15), 1, "aborted", "the other node")


def test_begun_anew(scene):
    """a run that was killed and begun anew is not taken for the one that was lost"""
    pair = Pair(scene)
    source, dest = pair.standing()
    dest.kill()
    anew = pair.start("dest")
    assert_end(source.end(15), 1, "aborted", "refused")
    anew.out.wait_for("was refused: run .* looks for run")
    assert not anew.has_ended()
    again = pair.start("source")
    for side in (again, anew):
        side.out.wait_for("  stand")
        side.signal(signal.SIGUSR1)
    assert_end(again.end(), 0)
    assert_end(anew.end(), 0)


# --- Strangers ----------------------------------------------------------------------------------


def test_garbage(scene):
    """garbage on the port is refused, before and while the two talk, and disturbs nobody"""
    pair = Pair(scene)
    dest = pair.start("dest")
    dest.out.wait_for("waiting")
    assert pair.call(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == ""
    assert pair.call(b"\0" * 100_000) == ""
    dest.out.wait_for("127.0.0.1 was refused")
    source = pair.start("source")
    for side in (source, dest):
        side.out.wait_for("  stand")
    assert pair.call(b"{}\n") == ""
    idle = [socket.create_connection(("127.0.0.1", pair.port), 5) for _ in range(20)]
    time.sleep(0.5)
    assert not source.has_ended() and not dest.has_ended()
    for connection in idle:
        connection.close()
    for side in (source, dest):
        side.signal(signal.SIGUSR1)
    assert_end(source.end(), 0)
    assert_end(dest.end(), 0)


def test_third(scene):
    """a third katamaran is refused, with the reason, and the two go on"""
    pair = Pair(scene)
    source, dest = pair.standing()
    third = pair.start("source").end()
    assert_end(third, 1, "aborted", "this run is paired with run")
    dest.out.wait_for("127.0.0.1 was refused: this run is paired with run")
    for side in (source, dest):
        side.signal(signal.SIGUSR1)
    assert_end(source.end(), 0)
    assert_end(dest.end(), 0)


def test_another_service(scene):
    """what answers and is no katamaran ends the run that connects"""
    pair = Pair(scene)
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", pair.port))
        server.listen()
        source = pair.start("source")
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
            ended = source.end()
    assert_end(ended, 1, "aborted")
    assert "SSH-2.0" in ended.out or "invalid-json" in ended.out, ended


def test_hostile_peer(scene):
    """one that greets well and then lies is refused, and the run ends as after a loss"""
    pair = Pair(scene)
    dest = pair.start("dest", "--record", "dest.jsonl")
    dest.out.wait_for("waiting")
    until(lambda: "begin" in scene.text_of("dest.jsonl") or dest.out.so_far(), what="the record")
    digest = json.loads(scene.run("plan", "show", "pair", "--json").out)["digest"]
    hello = {"katamaran": 1, "tool": "x", "plan": "pair", "digest": digest, "role": "source",
             "run": "evil", "with": "", "agree": {"vm": "vm"}, "at": 0, "heard": 0}
    answer = pair.call(json.dumps(hello).encode() + b'\n{"n":9,"word":"go","data":{}}\n')
    assert "number 9 follows upon 0" in answer, answer
    assert_end(dest.end(), 1, "aborted", "missing-word")


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
