# SPDX-License-Identifier: Apache-2.0
"""qmp_real_test.py: `katamaran qmp` and a real QEMU: commands, watching, waiting, the end."""
import json
import os
import re
import signal
import socket
import time

import stage
import tap
from stage import plain_word, until

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
UNKNOWN_OUTCOME = "whether QEMU carried the command out is not known"


def watched(scene, *words):
    """A katamaran that watches ./a.qmp; its recording shows that it has begun to hear events."""
    watcher = scene.start("qmp", "./a.qmp", *words, "--record", "watch.jsonl")
    until(lambda: '"return"' in scene.text_of("watch.jsonl"), what="the negotiation")
    return watcher


def waiting(scene, event):
    """A katamaran that waits for an event at ./a.qmp and has asked for the schema."""
    waiter = scene.start("qmp", "./a.qmp", "--wait", event, "--record", "watch.jsonl")
    until(lambda: "query-qmp-schema" in scene.text_of("watch.jsonl"), what="the schema")
    return waiter


def test_command_is_answered(scene):
    """A command's answer goes to stdout for a person, nothing to stderr, and the exit code is 0"""
    scene.qemu()
    code, out, err = scene.run("qmp", "./a.qmp", "query-status")
    assert (code, err) == (0, ""), (code, err)
    assert json.loads(out)["status"] == "running" and out.count("\n") > 1, out
    assert scene.run("qmp", "./a.qmp", "query-migrate").out == "{}\n"
    assert scene.run("qmp", "./a.qmp", "stop").out == "ok\n"


def test_json_is_one_line(scene):
    """With --json an answer is JSON in exactly one line, and an error is one line of JSON too"""
    scene.qemu()
    code, out, err = scene.run("qmp", "./a.qmp", "query-status", "--json")
    assert (code, err) == (0, "") and out.endswith("}\n") and out.count("\n") == 1, out
    assert json.loads(out)["running"] is True
    code, out, err = scene.run("qmp", "./a.qmp", "device_del", "id=x", "--json")
    assert (code, out) == (1, "") and err.count("\n") == 1, err
    assert json.loads(err)["error"]["code"] == "DeviceNotFound", err


def test_unix_prefix_and_command_without_answer(scene):
    """The monitor may be written unix:PATH, and a command that returns nothing prints ok"""
    scene.qemu()
    assert tuple(scene.run("qmp", "unix:a.qmp", "cont")) == (0, "ok\n", "")


def test_tcp_monitor(scene):
    """A monitor on TCP is spoken to by tcp:ADDRESS:PORT, and a closed port is a clear error"""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = f"tcp:127.0.0.1:{port}"
    refused = scene.run("qmp", place, "query-status")
    assert refused.code == 1 and place in refused.err, refused
    assert "nobody listens" in refused.err and "socket behind" not in refused.err, refused.err
    scene.qemu(f"{place},server=on,wait=off")
    until(lambda: _listens(port), 15, "QEMU's TCP monitor")
    ended = scene.run("qmp", place, "query-status", "--json")
    assert ended.code == 0 and json.loads(ended.out)["running"], ended


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_stop_and_its_event(scene):
    """`stop --wait STOP` prints the reply and then the event, although QEMU sends it before"""
    scene.qemu()
    scene.run("qmp", "./a.qmp", "cont")
    code, out, err = scene.run("qmp", "./a.qmp", "stop", "--wait", "STOP", "--timeout", "5s")
    assert (code, err) == (0, ""), err
    assert re.fullmatch(rf"ok\n{TIME}  STOP\n", out), out


def test_wait_with_a_field(scene):
    """--wait EVENT,FIELD=VALUE ignores the event with another value and ends by the right one"""
    scene.qemu()
    waiter = waiting(scene, "JOB_STATUS_CHANGE,id=j,status=concluded")
    made = scene.run("qmp", "./b.qmp", "blockdev-create", "job-id=j", "options.driver=file",
                     "options.filename=" + scene.path("disk"), "options.size=65536")
    assert made.code == 0, made
    ended = waiter.end()
    assert ended.code == 0 and ended.out.count("\n") == 1 and "status=concluded" in ended.out, ended


def test_waiting_ends_by_timeout(scene):
    """An event that never comes ends the wait at its --timeout with exit 1 and its name"""
    scene.qemu()
    ended = scene.run("qmp", "./a.qmp", "--wait", "RESET", "--timeout", "300ms")
    assert ended.code == 1 and ended.out == "", ended
    assert "RESET" in ended.err and "300 ms" in ended.err, ended.err


def test_watching_shows_what_others_cause(scene):
    """Watching shows STOP and RESUME, caused at another monitor, with their times, until SIGINT"""
    scene.qemu()
    scene.run("qmp", "./b.qmp", "cont")
    watcher = watched(scene)
    for command, event in (("stop", "STOP"), ("cont", "RESUME")):
        assert scene.run("qmp", "./b.qmp", command).code == 0
        watcher.out.wait_for(rf"(?m)^{TIME}  {event}$")
    watcher.signal(signal.SIGINT)
    ended = watcher.end()
    assert ended.code == 130 and ended.out.count("\n") == 2 and ended.err == "", ended


def test_watching_with_timeout(scene):
    """Watching for a --timeout ends well, with exit 0"""
    scene.qemu()
    assert tuple(scene.run("qmp", "./a.qmp", "--timeout", "200ms")) == (0, "", "")


def test_quit_at_the_other_monitor(scene):
    """Watching until QEMU shuts down, by quit at another monitor, ends with exit 0"""
    scene.qemu()
    watcher = watched(scene, "--json")
    assert scene.run("qmp", "./b.qmp", "quit").code == 0
    ended = watcher.end()
    assert ended.code == 0 and ended.err == "", ended
    assert json.loads(ended.out)["event"] == "SHUTDOWN", ended.out


def test_quit_here(scene):
    """The answer to quit is printed although the connection ends right behind it"""
    scene.qemu()
    assert tuple(scene.run("qmp", "./a.qmp", "quit")) == (0, "ok\n", "")


def test_event_is_awaited_but_qemu_ends(scene):
    """When QEMU shuts down while an event is awaited, exit 1 tells that the connection ended"""
    scene.qemu()
    waiter = waiting(scene, "RESET")
    scene.run("qmp", "./b.qmp", "quit")
    ended = waiter.end()
    assert ended.code == 1 and "closed the connection" in ended.err, ended
    assert "RESET" in ended.err, "which event was awaited is not said: " + ended.err


def test_qemu_killed_while_it_works(scene):
    """kill -9 of QEMU during a command: exit 1, and it is said that the outcome is not known"""
    vm = scene.qemu()
    path = scene.path("never.sock")
    # A QEMU that waits for a peer of a new chardev answers nobody.
    running = scene.start(
        "qmp", "./a.qmp", "chardev-add", "id=c", "backend.type=socket",
        "backend.data.addr.type=unix", f"backend.data.addr.data.path={path}",
        "backend.data.server=on", "backend.data.wait=true")
    until(lambda: os.path.exists(path), what="QEMU at work on the command")
    vm.kill()
    ended = running.end()
    assert ended.code == 1 and ended.out == "", ended
    assert "run chardev-add" in ended.err and "the connection ended" in ended.err, ended.err
    assert UNKNOWN_OUTCOME in plain_word(ended.err), ended.err


def test_timeout_while_qemu_works(scene):
    """A command that outlasts --timeout: exit 1, and it is said that the outcome is not known"""
    scene.qemu()
    code, out, err = scene.run(
        "qmp", "./a.qmp", "chardev-add", "--timeout", "400ms", json.dumps({
            "id": "c", "backend": {"type": "socket", "data": {
                "addr": {"type": "unix", "data": {"path": scene.path("never.sock")}},
                "server": True, "wait": True}}}))
    assert (code, out) == (1, "") and "chardev-add" in err, err
    assert "not known" in err, "whether the command was carried out is not mentioned: " + err


def test_qemu_killed_at_any_moment(scene):
    """kill -9 of QEMU at any moment of a large answer: all of the answer, or exit 1 and none"""
    for delay in (0, 0.002, 0.004, 0.006, 0.01, 0.02):
        vm = scene.qemu()
        running = scene.start("qmp", "./a.qmp", "query-qmp-schema", "--json")
        time.sleep(delay)
        vm.kill()
        code, out, err = running.end()
        if code == 0:
            assert len(json.loads(out)) > 100 and err == "", err
        else:
            assert code == 1 and out == "" and err.startswith("{"), (code, out[:200], err)
        for name in ("a.qmp", "b.qmp"):
            os.unlink(scene.path(name))


def test_qemu_killed_while_watched(scene):
    """kill -9 of QEMU while it is watched: exit 1 and an error that says the connection ended"""
    vm = scene.qemu()
    watcher = watched(scene)
    vm.kill()
    ended = watcher.end()
    assert ended.code == 1 and "QEMU closed the connection" in ended.err, ended
    assert "command" not in ended.err, "nothing was asked: " + ended.err


def test_second_client_gives_up(scene):
    """While another client holds the monitor: exit 1 after 5 s, saying so; then it works again"""
    scene.qemu()
    watcher = watched(scene)
    began = time.monotonic()
    second = scene.start("qmp", "./a.qmp", "query-status")
    second.err.wait_for("waiting for QEMU's greeting", within=3.5)
    ended = second.end()
    assert 4.5 < time.monotonic() - began < 6.5, time.monotonic() - began
    assert ended.code == 1 and ended.out == "", ended
    assert "another program probably holds this monitor" in plain_word(ended.err), ended.err
    watcher.signal(signal.SIGINT)
    assert watcher.end().code == 130
    assert scene.run("qmp", "./a.qmp", "query-status").code == 0


def test_second_client_is_patient(scene):
    """A client that waits for the monitor is served when the one before it ends in time"""
    scene.qemu()
    watcher = watched(scene)
    second = scene.start("qmp", "./a.qmp", "query-status", "--json")
    time.sleep(0.3)
    watcher.signal(signal.SIGTERM)
    assert watcher.end().code == 130
    ended = second.end()
    assert ended.code == 0 and json.loads(ended.out)["running"], ended


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
