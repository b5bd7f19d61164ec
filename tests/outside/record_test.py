# SPDX-License-Identifier: Apache-2.0
"""record_test.py: --record under kill -9, full and standing disks, and what `trace show` reads."""
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import stage
import tap
from false_qemu import answer_once, pause, playing
from stage import until

ANSWER = b'{"return": {"running": true}, "id": ID}\r\n'
NAMES = ("run.jsonl", "run.jsonl.zst")
GO_ON_AT = 100


def counting(count, padding=""):
    """A script that sends so many numbered events and then waits for the client to go."""
    def script(talk):
        talk.greet()
        for number in range(count):
            talk.event("TICK", {"number": number, "padding": padding})
        talk.hear_out()
    return script


def watch(scene, name, last):
    """A katamaran that records and has printed all events up to the number `last`."""
    running = scene.start("qmp", "./f.qmp", "--record", name, "--json")
    running.out.wait_for(rf'"number":{last}\D', within=10)
    return running


def shown(scene, name):
    """The records that `trace show` finds; they must be without damage."""
    ended = scene.run("trace", "show", name, "--json")
    assert (ended.code, ended.err) == (0, ""), ended
    return [json.loads(line) for line in ended.out.splitlines()][1:]  # without the header


def numbers(records):
    """The numbers of the recorded events, in order."""
    return [record["msg"]["data"]["number"] for record in records
            if record.get("msg", {}).get("event") == "TICK"]


def spool_is_gone(pid):
    """Whether the orphan, which has become our child, has ended; reaps it."""
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def test_recording_is_complete(scene):
    """A recording, plain or compressed, holds the whole conversation from open to eof"""
    for name in NAMES:
        with playing(scene, answer_once(ANSWER)):
            assert scene.run("qmp", "./f.qmp", "query-status", "--record", name).code == 0
        records = shown(scene, name)
        assert [record["dir"] for record in records] == [
            "open", "in", "out", "in", "out", "in", "eof"], records
        assert records[-3]["msg"]["execute"] == "query-status", records[-3]
        assert all(record["port"] == "qmp" for record in records)


def test_form_of_the_recording(scene):
    """Every line of a recording is JSON; a header comes first and the times never go back"""
    with playing(scene, counting(50)):
        running = watch(scene, "run.jsonl", 49)
        running.signal(signal.SIGINT)
        assert running.end().code == 130
    lines = [json.loads(line) for line in scene.text_of("run.jsonl").splitlines()]
    assert lines[0]["magic"] == "katamaran-trace" and lines[0]["version"] == 1, lines[0]
    times = [line["t"] for line in lines[1:]]
    assert times == sorted(times) and all(isinstance(time, int) for time in times), times


def test_zstd_reads_it(scene):
    """A compressed recording is an ordinary zstd file"""
    if shutil.which("zstd") is None:
        raise tap.Skip("zstd is not installed")
    with playing(scene, answer_once(ANSWER)):
        scene.run("qmp", "./f.qmp", "query-status", "--record", "run.jsonl.zst")
    text = subprocess.run(["zstd", "-dc", scene.path("run.jsonl.zst")], capture_output=True,
                          check=True).stdout
    assert json.loads(text.splitlines()[0])["magic"] == "katamaran-trace", text[:200]


def test_existing_file(scene):
    """An existing file is refused with exit 2 and left as it is; QEMU is not troubled"""
    (scene.folder / "run.jsonl").write_text("mine")
    os.symlink("run.jsonl", scene.path("link.jsonl"))
    with playing(scene, answer_once(ANSWER)) as server:
        for name in ("run.jsonl", "link.jsonl"):
            code, out, err = scene.run("qmp", "./f.qmp", "stop", "--record", name)
            assert (code, out) == (2, "") and name in err and "exists" in err, err
        assert server.clients == 0
    assert scene.text_of("run.jsonl") == "mine"


def test_place_that_does_not_exist(scene):
    """A recording in a folder that does not exist is an error with its path, before QEMU hears"""
    with playing(scene, answer_once(ANSWER)) as server:
        ended = scene.run("qmp", "./f.qmp", "stop", "--record", "none/run.jsonl")
        assert ended.code in (1, 2) and "none/run.jsonl" in ended.err, ended
        assert ended.out == "" and server.clients == 0


def test_full_disk(scene):
    """A full disk does not disturb the command; its answer is printed, then the error, exit 1"""
    os.symlink("/dev/full", scene.path("full.zst"))
    for name in ("/dev/full", "full.zst"):
        with playing(scene, answer_once(ANSWER)):
            code, out, err = scene.run("qmp", "./f.qmp", "query-status", "--record", name)
        assert code == 1 and json.loads(out) == {"running": True}, (code, out)
        assert name in err and "no space left on device" in err, err


def test_file_size_limit(scene):
    """A limit for the size of files ends the recording with a clear error, and no core dump"""
    with playing(scene, counting(400, "x" * 100)):
        code, out, err = scene.shell(
            'ulimit -f 8; ulimit -c unlimited; "$0" "$@"', "qmp", "./f.qmp", "--json",
            "--record", "run.jsonl", "--timeout", "500ms")
    assert code == 1 and out.count("\n") == 400, (code, out.count("\n"), err)
    assert "file too large" in err and "run.jsonl" in err, err
    assert not list(scene.folder.glob("core*"))


def test_kill_9(scene):
    """kill -9 right behind an event's line loses no record, plain and compressed, over and over"""
    for number, name in enumerate(NAMES * 4):
        name = f"{number}-{name}"
        with playing(scene, counting(300)):
            running = watch(scene, name, 299)
            spool = running.spool()
            running.kill()
            until(lambda: spool_is_gone(spool), what="the end of the recording's process")
        assert numbers(shown(scene, name)) == list(range(300)), name


def test_kill_9_after_a_large_event(scene):
    """An event larger than the pipe, quiet, then kill -9: what came last is in the recording"""
    for name in NAMES:
        def script(talk):
            talk.greet()
            talk.event("TICK", {"number": 0, "padding": "x" * 5_000_000})
            talk.event("TICK", {"number": 1})
            talk.hear_out()
        with playing(scene, script):
            running = watch(scene, name, 1)
            pause(1)
            spool = running.spool()
            running.kill()
            until(lambda: spool_is_gone(spool), what="the end of the recording's process")
        assert numbers(shown(scene, name)) == [0, 1], name


def test_torn_message(scene):
    """Of a message that the end of the connection tore, the first part is in the recording"""
    def script(talk):
        talk.greet()
        talk.send(b'{"event":"STOP","da')
    with playing(scene, script):
        assert scene.run("qmp", "./f.qmp", "--record", "run.jsonl").code == 1
    texts = [record.get("text", "") for record in shown(scene, "run.jsonl")]
    assert '{"event":"STOP","da' in texts, texts


def test_unreadable_megabytes(scene):
    """Megabytes of rubbish in one line do not make a recording that cannot be read"""
    def script(talk):
        talk.greet()
        talk.send(b"\xff" * 5_000_000 + b"\n")
    with playing(scene, script):
        assert scene.run("qmp", "./f.qmp", "--record", "run.jsonl").code == 1
    records = shown(scene, "run.jsonl")
    assert records[-1]["dir"] == "eof" and records[-2]["text"].startswith("\\xff"), records[-2:]


def test_kill_9_in_full_flow(scene):
    """kill -9 in full flow: every event that was printed is in the recording, undamaged"""
    for number, name in enumerate(NAMES):
        name = f"{number}-{name}"
        with playing(scene, counting(200_000)):
            running = watch(scene, name, 3000 + number)
            spool = running.spool()
            running.kill()
            until(lambda: spool_is_gone(spool), what="the end of the recording's process")
        printed = [json.loads(line)["data"]["number"]
                   for line in running.out.all().splitlines(keepends=True) if line.endswith("\n")]
        kept = scene.run("trace", "show", name, "--json")
        records = [json.loads(line) for line in kept.out.splitlines()][1:]
        # The last record may be torn in the pipe; what was printed stands before it.
        assert numbers(records)[:len(printed)] == printed, (len(numbers(records)), len(printed))
        assert kept.code == 0 or "column" in kept.err, kept.err


def test_sigterm(scene):
    """SIGTERM: exit 130 and a complete recording"""
    for name in NAMES:
        with playing(scene, counting(20)):
            running = watch(scene, name, 19)
            running.signal(signal.SIGTERM)
            ended = running.end()
        assert ended.code == 130 and ended.err == "", ended
        records = shown(scene, name)
        assert numbers(records) == list(range(20)) and records[-1]["dir"] == "eof", records[-1]


def test_ctrl_c_at_the_terminal(scene):
    """Ctrl-C at a terminal, which signals the whole group, leaves a complete recording"""
    with playing(scene, counting(20)):
        running, keyboard = scene.start_in_terminal("qmp", "./f.qmp", "--record", "run.jsonl.zst")
        running.out.wait_for(r"number=19\b")
        os.write(keyboard, b"\x03")
        assert running.end().code == 130
    assert numbers(shown(scene, "run.jsonl.zst")) == list(range(20))


def test_ctrl_c_as_the_recording_begins(scene):
    """Ctrl-C in the instant in which the recording's process is started counts once"""
    with playing(scene, counting(1)):
        for turn in range(10):
            name = f"{turn}.jsonl"
            running, keyboard = scene.start_in_terminal("qmp", "./f.qmp", "--record", name)
            until(lambda: os.path.exists(scene.path(name)))
            os.write(keyboard, b"\x03")
            assert running.end().code == 130
            shown(scene, name)


def test_signals_to_the_writer(scene):
    """SIGINT, SIGTERM, SIGHUP and SIGQUIT to the recording's process do not end the recording"""
    with playing(scene, counting(20)):
        running = watch(scene, "run.jsonl", 19)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            os.kill(running.spool(), number)
        running.signal(signal.SIGINT)
        assert running.end().code == 130
    assert numbers(shown(scene, "run.jsonl")) == list(range(20))


def hesitating(talk):
    """Sends an event, waits for the test to touch ./go, and sends another."""
    talk.greet()
    talk.event("TICK", {"number": 0})
    until(lambda: os.path.exists(hesitating.go_on))
    for number in range(1, GO_ON_AT):
        talk.event("TICK", {"number": number})
    talk.hear_out()


def test_writer_is_killed(scene):
    """When the recording's process is killed, events go on, and the end is an error, exit 1"""
    hesitating.go_on = scene.path("go")
    with playing(scene, hesitating):
        running = scene.start("qmp", "./f.qmp", "--record", "run.jsonl", "--timeout", "1s")
        running.out.wait_for("number=0")
        os.kill(running.spool(), signal.SIGKILL)
        (scene.folder / "go").touch()
        ended = running.end()
    assert ended.out.count("TICK") == GO_ON_AT and ended.code == 1, ended
    assert "run.jsonl" in ended.err, ended


def standing_pipe(scene):
    """A FIFO with a reader that never reads."""
    os.mkfifo(scene.path("fifo"))
    reader = os.open(scene.path("fifo"), os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    return reader


def test_standing_disk(scene):
    """A recording that stands still does not hold up the events, not even 4 MiB of them"""
    reader = standing_pipe(scene)
    with playing(scene, counting(4096, "x" * 1000)):
        began = time.monotonic()
        running = watch(scene, "fifo", 4095)
        assert time.monotonic() - began < 5, time.monotonic() - began
        os.close(reader)
        running.signal(signal.SIGINT)
        ended = running.end()
    assert ended.code == 130 and ended.out.count("\n") == 4096, ended
    assert "fifo" in ended.err and re.search("broken pipe", ended.err), ended


def test_second_interrupt(scene):
    """While a standing recording is waited for, a second SIGINT ends katamaran at once"""
    reader = standing_pipe(scene)
    with playing(scene, counting(400, "x" * 1000)):
        running = watch(scene, "fifo", 399)
        running.signal(signal.SIGINT)
        time.sleep(0.3)
        assert not running.has_ended(), "it did not wait for the recording"
        running.signal(signal.SIGINT)
        running.end(within=2)
    os.close(reader)


def test_waiting_for_the_disk_is_told(scene):
    """Who interrupts katamaran while the recording stands still is told what is waited for"""
    reader = standing_pipe(scene)
    with playing(scene, counting(400, "x" * 1000)):
        running = watch(scene, "fifo", 399)
        running.signal(signal.SIGINT)
        try:
            running.err.wait_for("fifo", within=3)
        finally:
            os.close(reader)
            running.end(within=5)


def test_slow_reader_gets_all(scene):
    """A recording that stood still and then goes on is complete"""
    reader = standing_pipe(scene)
    with playing(scene, counting(2000, "x" * 1000)):
        running = watch(scene, "fifo", 1999)
        running.signal(signal.SIGINT)
        os.set_blocking(reader, True)
        with open(reader, "rb") as pipe, open(scene.path("run.jsonl"), "wb") as copy:
            shutil.copyfileobj(pipe, copy)
        assert running.end().code == 130
    assert numbers(shown(scene, "run.jsonl")) == list(range(2000))


def test_out_of_descriptors(scene):
    """With too few descriptors for a recording: a clear error, and no empty file in the way"""
    told = 0
    for count in range(4, 24):
        code, out, err = scene.shell(
            f'ulimit -n {count}; "$0" --version >/dev/null 2>&1 || exit 77; "$0" "$@"',
            "qmp", "./none.qmp", "stop", "--record", f"{count}.jsonl")
        if code == 77:
            continue
        assert code in (1, 2) and out == "", f"{count} descriptors: {code} {err}"
        if "too many open files" in err:
            told += 1
            assert not (scene.folder / f"{count}.jsonl").exists(), f"{count}.jsonl was left behind"
    assert told, "no number of descriptors was too small"


def test_writer_holds_nothing_of_ours(scene):
    """The recording's process holds its pipes and its file, and nobody's socket or terminal"""
    with playing(scene, counting(1)):
        running = scene.start("qmp", "./f.qmp", "--record", "run.jsonl", "--json")
        running.out.wait_for("TICK")
        spool = running.spool()
        held = sorted(re.sub(r"\[\d+\]", "", os.readlink(path))
                      for path in Path(f"/proc/{spool}/fd").iterdir())
        assert set(held) <= {"/dev/null", "pipe:", scene.path("run.jsonl")}, held
        assert held.count("pipe:") == 2, held
        assert os.getsid(spool) != os.getsid(running.pid)


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
