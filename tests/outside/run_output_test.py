# SPDX-License-Identifier: Apache-2.0
"""run_output_test.py: what `katamaran run` tells: stdout, stderr, --json, --record, exit codes."""
import contextlib
import fcntl
import json
import os
import re
import signal

import stage
import tap
from false_qemu import answer_once, answering, playing
from run_stage import (
    assert_ended, assert_runs, last_line, run, run_alone, shown, start_run, status_of,
    write_plan)
from stage import until

ONE_STATE = 'state "one" { within = "60s", enter = function() end, next = "done" },'
FAILS = 'state "one" { within = "60s", enter = function() error("no good") end, next = "done" },'
LEAVES = """
state "one" { within = "60s",
  enter = function(m)
    m:undo("close the door", function() error("it is stuck") end)
    error("no good")
  end, next = "done" },
"""
WAITS = 'state "one" { within = "60s", on { "signal:USR1", go = "done" } },'
WORDS = """
state "one" { within = "60s",
  enter = function()
    log.debug("a debug word")
    log.info("an info word")
    log.warn("a warning\\nof two lines \\27[31m")
    progress("half of it")
  end, next = "done" },
"""


def objects_of(text):
    """The JSON objects of a text, one a line."""
    assert text.endswith("\n"), text
    return [json.loads(line) for line in text.splitlines()]


@contextlib.contextmanager
def full_pipe():
    """The two ends, to write and to read, of a pipe that is full."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b"x" * 4096):
            pass
    os.set_blocking(writer, True)
    try:
        yield writer, reader
    finally:
        os.close(reader)
        os.close(writer)


# --- Exit codes and JSON ------------------------------------------------------------------------


def test_exit_codes(scene):
    """0 done, 1 aborted and undone, 2 refused, 3 something is left behind; --json says the same"""
    for code, states, end in ((0, ONE_STATE, "done"), (1, FAILS, "aborted"),
                              (3, LEAVES, "aborted")):
        assert run_alone(scene, states).code == code
        ended = run_alone(scene, states, "--json")
        assert (ended.code, ended.err) == (code, ""), ended
        last = objects_of(ended.out)[-1]
        assert (last["kind"], last["exit"], last["end"]) == ("end", code, end), last
        assert [left["what"] for left in last["left"]] == ["close the door"] * (code == 3), last
        assert last["guests"] == [] and last["interrupted"] is False, last
    assert run_alone(scene, ONE_STATE, "--var", "none=1").code == 2


def test_json_interrupted(scene):
    """Interrupted with --json: exit 130, which the last object says as well"""
    write_plan(scene, "waiting", WAITS, has_vm=False)
    running = scene.start("run", "waiting", "--json")
    running.out.wait_for('"state":"one"')
    running.signal(signal.SIGINT)
    ended = running.end()
    last = objects_of(ended.out)[-1]
    assert (ended.code, last["exit"], last["interrupted"]) == (130, 130, True), ended
    assert "SIGINT" in last["cause"], last


def test_json_with_a_guest(scene):
    """With --json each line is an object with kind and time; the last one tells of the guest"""
    scene.qemu()
    ended = run(scene, "freeze", "--var", "pause=1ms", "--json")
    assert (ended.code, ended.err) == (0, ""), ended
    told = objects_of(ended.out)
    assert told[0]["kind"] == "begin" and told[0]["plan"] == "freeze", told[0]
    assert [one["state"] for one in told if one["kind"] == "state"] == [
        "stopping", "frozen", "waking"], told
    times = [one["elapsed_us"] for one in told]
    assert times == sorted(times), times
    assert told[-1]["kind"] == "end" and told[-1]["left"] == [], told[-1]
    assert told[-1]["guests"] == [{"vm": "", "socket": "./a.qmp", "status": "running"}], told[-1]


def test_json_of_an_unknown_guest(scene):
    """With --json a guest of which nothing is known has the status null, and why"""
    ended = run(scene, "freeze", "--json")
    guest = objects_of(ended.out)[-1]["guests"][0]
    assert ended.code == 1 and guest["status"] is None and "no such socket" in guest["why"], ended


def test_json_refused(scene):
    """With --json what is refused is one object on stderr with all faults; stdout stays empty"""
    ended = scene.run("run", "freeze", "--var", "pause=fast", "--json")
    assert (ended.code, ended.out) == (2, ""), ended
    faults = objects_of(ended.err)[0]["faults"]
    assert [fault["where"] for fault in faults] == ["vars.pause", "vars.qmp"], faults


def test_words_of_a_plan(scene):
    """A plan's words are lines of the story; what a terminal would obey is made visible"""
    ended = run_alone(scene, WORDS)
    assert ended.code == 0 and ended.err == "" and "a debug word" not in ended.out, ended
    assert "  an info word\n" in ended.out, ended
    assert "  a warning\\x0aof two lines \\x1b[31m\n" in ended.out, ended
    told = objects_of(run_alone(scene, WORDS, "--json").out)
    levels = [one["level"] for one in told if one["kind"] == "words"]
    assert levels == ["debug", "info", "warn", "progress"], told


def test_colours(scene):
    """On a terminal the story has colours, and no more than that; NO_COLOR takes them away"""
    write_plan(scene, "alone", ONE_STATE, has_vm=False)
    plain = scene.run("run", "alone").out
    coloured = scene.run_in_terminal("run", "alone").out
    bare = scene.run_in_terminal("run", "alone", env={"NO_COLOR": "1"}).out
    def words(text):
        return re.sub(r"\x1b\[[\d;]*m|\r|[\d.]+ (ns|us|ms|s)", "", text).split()
    assert stage.ESCAPE in coloured and stage.ESCAPE not in plain + bare
    assert words(plain) == words(coloured) == words(bare), (plain, coloured)


# --- Readers that do not read -------------------------------------------------------------------


def test_reader_goes_away(scene):
    """`katamaran run … | head -1`: the run goes on to its end and the guest runs"""
    scene.qemu()
    ended = scene.shell('"$0" "$@" | head -1; exit "${PIPESTATUS[0]}"', "run", "freeze",
                        "--var", "qmp=./a.qmp", "--var", "pause=200ms", "--record", "run.jsonl")
    assert tuple(ended) == (0, "freeze node\n", ""), ended
    assert any("done after" in line for line in shown(scene, "run.jsonl"))
    assert_runs(scene)


def test_reader_does_not_read(scene):
    """A full pipe that nobody reads does not hold up the run: the guest runs soon, exit 0"""
    scene.qemu()
    with full_pipe() as (writer, _):
        running = start_run(scene, "freeze", "--var", "pause=1ms", "--record", "run.jsonl",
                            stdout=writer)
        until(lambda: "done after" in scene.text_of("run.jsonl"), 3)
        assert_runs(scene)
        ended = running.end(within=5)
    assert ended.code == 0 and "nobody reads it" in ended.err, ended


def test_reader_comes_back(scene):
    """Who reads again what he has not read for a while finds the whole story"""
    scene.qemu()
    with full_pipe() as (writer, reader):
        running = start_run(scene, "freeze", "--var", "pause=1ms", "--record", "run.jsonl",
                            stdout=writer)
        until(lambda: "done after" in scene.text_of("run.jsonl"), 3)
        story = os.read(reader, 65536)
        ended = running.end(within=5)
        story = (story + os.read(reader, 65536)).decode().lstrip("x").splitlines()
    assert tuple(ended) == (0, "", ""), ended
    assert len(story) == 5 and story[0] == "freeze node" and "done after" in story[-1], story


def test_closed_streams(scene):
    """With stdout, stderr or both closed from the beginning the run goes to its end"""
    scene.qemu()
    for closed in (">&-", "2>&-", ">&- 2>&- <&-"):
        ended = scene.shell(f'"$0" "$@" {closed}', "run", "freeze", "--var", "qmp=./a.qmp",
                            "--var", "pause=1ms")
        assert ended.code == 0 and ended.err == "", (closed, ended)
        assert_runs(scene)


def test_stderr_is_not_read(scene):
    """Warnings that nobody reads do not hold up the run"""
    def script(talk):
        for _ in range(50):
            talk.event("RESET")
        answering({})(talk)
    write_plan(scene, "asking", """
      state "one" { within = "60s",
        enter = function() qmp("query-name") end, next = "done" },""")
    os.mkfifo(scene.path("fifo"))
    reader = os.open(scene.path("fifo"), os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    with playing(scene, script, name="a.qmp"):
        ended = scene.shell('exec "$0" "$@" 2> fifo', "run", "asking", "--var", "qmp=./a.qmp")
    os.close(reader)
    assert_ended(ended, 0, "done after")


def test_terminal_stands_still(scene):
    """A terminal that was stopped with Ctrl-S does not hold up the run: the guest is woken"""
    scene.qemu()
    running, keyboard = scene.start_in_terminal(
        "run", "freeze", "--var", "qmp=./a.qmp", "--var", "pause=2500ms")
    running.out.wait_for("frozen")
    os.write(keyboard, b"\x13")
    assert running.end(within=8).code == 0
    assert_runs(scene)


def test_it_shows_that_it_is_alive(scene):
    """On a terminal a state that stands shows its time, and leaves no trace of it in the end"""
    scene.qemu()
    running, _ = scene.start_in_terminal(
        "run", "freeze", "--var", "qmp=./a.qmp", "--var", "pause=2500ms")
    running.out.wait_for("… frozen 2 s", within=8)
    ended = running.end()
    assert ended.code == 0 and re.search("\x1b\\[K[^…]*done after", ended.out), ended


# --- Recordings ---------------------------------------------------------------------------------


def test_recording(scene):
    """--record keeps states and the QMP conversation in their order; stdout has the story alone"""
    scene.qemu()
    ended = run(scene, "freeze", "--var", "pause=1ms", "--record", "run.jsonl.zst")
    assert_ended(ended, 0, "done after")
    assert len(ended.out.splitlines()) == 5, ended
    story = " ".join(re.sub(r"^ *[\d.]+ +", "", line) for line in shown(scene, "run.jsonl.zst"))
    assert re.search("plan freeze, role node.*-> qmp_capabilities.*enter stopping.*-> stop"
                     ".*<- STOP.*enter frozen.*enter waking.*-> cont.*<- RESUME.*-> query-status"
                     ".*done after.*the guest runs here", story), story


def test_recording_of_an_abort(scene):
    """The recording of an aborted run tells the trouble, each undo, and what is left behind"""
    ended = run_alone(scene, LEAVES, "--record", "run.jsonl")
    assert ended.code == 3, ended
    notes = "\n".join(shown(scene, "run.jsonl"))
    for phrase in ("trouble in one", "undo 1/1: close the door", "it is stuck",
                   "left: close the door"):
        assert phrase in notes, (phrase, notes)
    assert last_line(ended) in notes, notes


def test_recording_exists(scene):
    """An existing recording is refused with exit 2 before QEMU hears of the run"""
    (scene.folder / "run.jsonl").write_text("mine")
    with playing(scene, answer_once(), name="a.qmp") as server:
        for name in ("run.jsonl", "none/run.jsonl"):
            ended = run(scene, "freeze", "--record", name)
            assert (ended.code, ended.out) == (2, "") and name in ended.err, ended
        assert server.clients == 0
    assert scene.text_of("run.jsonl") == "mine"


def test_recording_on_a_full_disk(scene):
    """A full disk does not disturb the run; the loss of the recording is said on stderr"""
    scene.qemu()
    ended = run(scene, "freeze", "--var", "pause=1ms", "--record", "/dev/full")
    assert ended.code == 0 and "no space left on device" in ended.err, ended
    assert "done after" in last_line(ended), ended
    assert_runs(scene)


def test_recorder_is_killed(scene):
    """When the recording's process is killed the run goes on, and the loss is said"""
    scene.qemu()
    running = start_run(scene, "freeze", "--var", "pause=10min", "--record", "run.jsonl")
    running.out.wait_for(r"  frozen\n")
    os.kill(running.spool(), signal.SIGKILL)
    running.signal(signal.SIGTERM)
    ended = running.end()
    assert ended.code == 130 and "run.jsonl" in ended.err, ended
    until(lambda: status_of(scene) == "running")


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
