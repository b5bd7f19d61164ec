# SPDX-License-Identifier: Apache-2.0
"""runbook_test.py: real migrations that are stranded, and what docs/RUNBOOK.md says to do then.

Two QEMUs under TCG, as in forecast_test.py, and the shipped plan with a state in it at which it
stands still, so that a katamaran or a QEMU can be killed at that very place. Each node has a folder
of journals of its own, as two hosts have. What is run to resolve it stands in the runbook, word by
word; at the end the guest runs exactly once, and its ticks go on.
"""
import contextlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import forecast_test  # noqa: E402  (found through the path above)
import stage  # noqa: E402
import tap  # noqa: E402
from forecast_test import COMMON, DEST, Move, TICKS_HZ  # noqa: E402
from stage import BINARY, until  # noqa: E402

# Its lines, without the blanks in front of those that belong to a list.
RUNBOOK = [line.strip() for line in
           (HERE.parents[1] / "docs" / "RUNBOOK.md").read_text("utf-8").splitlines()]
GATES = {
    # The guest is at the destination, and nobody has given it away.
    "before the commit": 'role "source" { before "yours" { state "gate" { within = "1min", '
                         'on { "signal:USR1", go = "yours" } } } }',
    # It is given away, and the destination does not know.
    "in the commit": 'role "source" { change "yours" { within = "1min", '
                     'enter = function() sleep("50s") end } }',
    # The destination knows, and has not let it run.
    "before cont": 'role "dest" { before "resume" { state "gate" { within = "1min", '
                   'late = "stranded", '
                   'on { "signal:USR1", go = "resume" } } } }',
    # The guest runs at the destination, and some seconds long its RAM follows.
    "in postcopy": 'role "source" { change "rest" { within = "1min" } }',
    # It has committed, and nothing of the guest has left.
    "in lend": 'role "source" { change "lend" { enter = function() sleep("50s") end } }',
}
# Memory that is written to twice as fast as the link is.
POSTCOPY = {"pages": 60, "link": 50, "dest": ("--var", "unconverged=postcopy"),
            "source": ("--var", "unconverged=postcopy", "--var", "converge=1s")}
PRECOPY = {"pages": 4, "link": None, "dest": (), "source": ()}
IN_CLEAR = ("--insecure", "--var", "encrypt=no")


class Stranded:
    """A migration that stands still at a gate, with a katamaran and a QEMU on each node."""

    def __init__(self, scene, stack, gate):
        self.scene = scene
        (scene.folder / "gated.lua").write_text(
            'return derive "shared-storage" { name = "gated", summary = "With a gate in it.",\n'
            f'{GATES[gate]} }}\n', "utf-8")
        way = POSTCOPY if gate in ("in postcopy", "in lend") else PRECOPY
        crypt = ("--peer-key", scene.peer_key()) if way is POSTCOPY else IN_CLEAR
        self.move = Move(scene, stack, "shared-storage", way["pages"], way["link"])
        until(lambda: self.move.ticks("source") > TICKS_HZ // 5, 30, "the guest at work")
        self.runs, self.states = {}, {}
        for role, where in (("dest", ("--var", f"listen_ip={DEST}", "--var", "tap=tap0")),
                            ("source", ("--var", f"dest_ip={DEST}"))):
            self.states[role] = scene.path(f"state-{role}")
            (scene.folder / f"state-{role}").mkdir(exist_ok=True)
            with self.move.nodes[role].inside():
                self.runs[role] = scene.start(
                    "run", "gated", "--role", role, *crypt, "--var", f"qmp=./{role}.qmp",
                    *COMMON, *where, *way[role], env={"KATAMARAN_STATE": self.states[role]})
        os.symlink(BINARY, scene.folder / "katamaran")

    def at(self, role, state, within=40):
        """Waits until that run has entered the state; one that was too late is another thing."""
        run = self.runs[role]
        until(lambda: re.search(rf"(?m)  {state}\b", run.out.so_far()) or run.has_ended(), within,
              f"{role} in {state}: {run.out.so_far()[-900:]!r}")
        if not re.search(rf"(?m)  {state}\b", run.out.so_far()):
            told = self.runs["source"].end(20)
            assert "before its packets were diverted" in told.out, (run.end(), told)
            raise forecast_test.NotInTime

    def stranded(self, role):
        """The last words of a run that must have ended so."""
        ended = self.runs[role].end(30)
        assert ended.code == 3 and ended.out.splitlines()[-1].startswith("stranded in "), ended
        assert "RUNBOOK.md" in ended.out, ended
        return ended.out

    def do(self, node, command):
        """Runs a command of the runbook on that node; gives back what it prints."""
        assert command in RUNBOOK, f"the runbook does not say {command!r}"
        path = f"{self.scene.folder}:{os.environ['PATH']}"
        with self.move.nodes[node].inside():
            running = self.scene.start("-c", command, program="/bin/bash",
                                       env={"PATH": path, "KATAMARAN_STATE": self.states[node]})
        ended = running.end(20)
        assert ended.code == 0, (command, ended)
        return ended.out

    def recover(self, node, command="katamaran recover"):
        """The same of a recovery, without what it says of other nodes: here all are one host, and
        what one of them has made is seen from the others, and left alone."""
        assert command in RUNBOOK, f"the runbook does not say {command!r}"
        own = self.move.nodes[node].name
        with self.move.nodes[node].inside():
            ended = self.scene.run(*command.split()[1:],
                                   env={"KATAMARAN_STATE": self.states[node]}, within=30)
        assert ended.code in (0, 1) and not ended.err, ended
        return [line for line in ended.out.splitlines()
                if "no journal here has it" not in line or f", in {own} " in line]

    def status(self, role, command="query-status"):
        """What QEMU says of the guest there, asked as the runbook asks."""
        out = self.do(role, f"katamaran qmp ./{role}.qmp {command}")
        return re.search(r'"status": ?"([a-z-]+)"', out)[1]

    def copy(self, role):
        """What QEMU says there of the copy."""
        return self.status(role, "query-migrate")

    def must_run_once(self, role):
        """The guest lives there, and nowhere else."""
        lived = self.move.ticks(role)
        until(lambda: self.move.ticks(role) > lived, 5, f"the guest alive at the {role}")
        other = "dest" if role == "source" else "source"
        if self.move.qemus[other].process.poll() is None:
            words = ("qmp", f"./{other}2.qmp", "query-status", "--json")
            told = json.loads(self.scene.run(*words).out)
            assert not told["running"], told

    def must_stay(self, role):
        """The guest lives there and nowhere else, and a recovery of both nodes leaves it alone."""
        self.must_run_once(role)
        self.clean("source")
        self.clean("dest")
        self.must_run_once(role)

    def clean(self, role):
        """Nothing is left of the run on that node."""
        self.recover(role)
        left = [line for line in self.recover(role) if not re.match(r"0 undone|nothing to", line)]
        assert not left, left


@contextlib.contextmanager
def stranding(gate):
    """The fixture of a test, tried again where the machine was too slow to divert in time."""
    with contextlib.ExitStack() as stack:
        yield Stranded(stack.enter_context(stage.stage()), stack, gate)


def play(gate, story):
    """Plays a story; an overloaded machine aborts before it begins, so it may begin again."""
    forecast_test.require()
    for _ in range(forecast_test.ATTEMPTS):
        try:
            with stranding(gate) as one:
                story(one)
            return
        except forecast_test.NotInTime:
            print("# the packets were diverted too late, and the run aborted; once more")
    raise AssertionError("it was too late each time")


def source_dies_before_commit(one):
    """Kills the source's katamaran while the guest is nobody's."""
    one.at("source", "gate")
    one.at("dest", "loaded")
    one.runs["source"].kill()
    words = one.stranded("dest")
    assert "katamaran qmp ./dest.qmp cont" in words, words
    assert (one.status("source"), one.status("dest")) == ("postmigrate", "paused")


def test_killed_before_commit():
    """Source killed before the commit: recover wakes the guest there, and the copy is ended"""
    def story(one):
        source_dies_before_commit(one)
        dry = one.recover("source", "katamaran recover --dry-run")
        assert any(line.startswith("would undo: wake the guest") for line in dry), dry
        one.recover("source")
        assert one.status("source") == "running"
        one.do("dest", "katamaran qmp ./dest.qmp quit")
        one.must_run_once("source")
        one.clean("source")
        one.clean("dest")
    play("before the commit", story)


def test_killed_in_commit():
    """Source killed in the commit: recover leaves the guest alone, and cont at the destination"""
    def story(one):
        one.at("source", "yours")
        one.at("dest", "loaded")
        one.runs["source"].kill()
        one.stranded("dest")
        assert (one.status("source"), one.status("dest")) == ("postmigrate", "paused")
        dry = one.recover("source", "katamaran recover --dry-run")
        assert any(line.startswith("left alone: wake the guest") and
                   line.endswith("its run has committed") for line in dry), dry
        one.do("dest", "katamaran qmp ./dest.qmp cont --wait RESUME --timeout 5s")
        one.must_run_once("dest")
        one.clean("source")
        assert one.status("source") == "postmigrate"
        one.clean("dest")
        one.must_run_once("dest")
    play("in the commit", story)


def test_dest_killed():
    """Destination killed before cont: the source is stranded and says so; cont there"""
    def story(one):
        one.at("dest", "gate")
        one.runs["dest"].kill()
        words = one.stranded("source")
        assert "never" in words and "./source.qmp" in words, words
        assert (one.status("source"), one.status("dest")) == ("postmigrate", "paused")
        one.do("dest", "katamaran qmp ./dest.qmp cont --wait RESUME --timeout 5s")
        one.must_stay("dest")
    play("before cont", story)


def test_qemu_dead():
    """Destination's QEMU dead before it ever ran the guest: cont at the source"""
    def story(one):
        one.at("dest", "gate")
        one.move.qemus["dest"].kill()
        one.stranded("source")
        one.stranded("dest")
        assert one.status("source") == "postmigrate"
        one.recover("source")
        one.do("source", "katamaran qmp ./source.qmp cont --wait RESUME --timeout 5s")
        one.must_run_once("source")
        one.clean("source")
    play("before cont", story)


def test_postcopy_paused():
    """The way breaks in the middle of a post-copy, and nobody tells: the guest is brought back"""
    def story(one):
        one.at("source", "rest")
        one.move.nodes["dest"].ip("link set w0 down")
        words = one.stranded("source")
        assert "was not heard" in words and "cont or migrate_cancel at the source" in words, words
        told = one.stranded("dest")
        assert "end neither QEMU" in told and "quit at one of the two" in told, told
        words += told
        for role in ("source", "dest"):
            assert one.copy(role) == "postcopy-active", role
            one.do(role, f"katamaran qmp ./{role}.qmp migrate-pause")
        assert not re.search(r"(?m)katamaran qmp \S+ (cont|quit)", words), words
        for role in ("dest", "source"):
            assert one.copy(role) == "postcopy-paused", role
            one.do(role, f'katamaran qmp ./{role}.qmp migrate-set-parameters tls-creds=""')
        one.move.nodes["dest"].ip("link set w0 up")
        one.do("dest", "katamaran qmp ./dest.qmp migrate-recover uri=tcp:10.2.0.2:4446")
        for _ in range(3):
            one.do("source", "katamaran qmp ./source.qmp migrate uri=tcp:10.2.0.2:4446 resume=true")
            with contextlib.suppress(AssertionError):
                until(lambda: one.copy("source") != "postcopy-paused", 5, "the way mended")
                break
        for role in ("source", "dest"):
            until(lambda role=role: one.copy(role) == "completed", 20, "all of the RAM there")
        one.must_stay("dest")
    play("in postcopy", story)


def test_postcopy_lend_killed():
    """Source killed in a commit behind which nothing has left: it takes the guest back"""
    def story(one):
        one.at("source", "lend")
        one.runs["source"].kill()
        words = one.stranded("dest")
        assert "stranded in borrow" in words and "#in-the-middle-of-a-post-copy" in words, words
        assert one.copy("source") == "pre-switchover"
        one.do("dest", "katamaran qmp ./dest.qmp quit")
        one.do("source", "katamaran qmp ./source.qmp migrate_cancel")
        one.do("source", "katamaran qmp ./source.qmp cont")
        one.must_stay("source")
    play("in lend", story)


def test_postcopy_dest_killed():
    """Destination killed in the middle of a post-copy: the QEMUs go on, the guest lives there"""
    def story(one):
        one.at("source", "rest")
        one.runs["dest"].kill()
        words = one.stranded("source")
        assert "stranded in rest" in words and "#in-the-middle-of-a-post-copy" in words, words
        assert not re.search("(?m)katamaran qmp ./source.qmp (cont|quit)", words), words
        until(lambda: one.copy("dest") == "completed", 20, "all of the RAM there")
        one.must_stay("dest")
    play("in postcopy", story)


def test_mirror(scene):
    """A mirror that holds the guest's writes up is ended by force"""
    slow = "size=1048576,latency-ns=100000000"
    disks = [word for name in ("disk0", "copy")
             for word in ("-blockdev", f"null-co,node-name={name},{slow}")]
    scene.qemu(machine=("-machine", "none", *disks), sockets=("source.qmp",))
    os.symlink(BINARY, scene.folder / "katamaran")
    begun = scene.run("qmp", "./source.qmp", "blockdev-mirror", "job-id=mirror-disk0",
                      "device=disk0", "target=copy", "sync=full")
    assert begun.code == 0, begun
    for command, phrase in (("katamaran qmp ./source.qmp query-block-jobs", "mirror-disk0"),
                            ("katamaran qmp ./source.qmp block-job-cancel device=mirror-disk0 "
                             "force=true", "ok")):
        assert command in RUNBOOK, command
        ended = scene.shell(command.replace("katamaran", '"$0"', 1))
        assert ended.code == 0 and phrase in ended.out, (command, ended)
    until(lambda: scene.run("qmp", "./source.qmp", "query-block-jobs", "--json").out == "[]\n", 5,
          "no job")


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
