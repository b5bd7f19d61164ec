# SPDX-License-Identifier: Apache-2.0
"""qmp_hostile_test.py: `katamaran qmp` and a server that breaks the rules of QMP, or the line."""
import json
import os
import signal
import socket
import time

import stage
import tap
from false_qemu import (GREETING, UNKNOWN_OUTCOME, against, answer_once, assert_failed, pause,
                        playing)

ENDED = b'{"return": {"running": true}, "id": ID}\r\n'


def against_bytes(scene, *pieces):
    """Runs against a server that sends these bytes at once and then listens."""
    def script(talk):
        for piece in pieces:
            talk.send(piece)
        talk.hear_out()
    return against(scene, script)


def assert_answered(ended, *warnings):
    """Exit 0 and the right answer; on stderr the warnings, one a line."""
    assert ended.code == 0 and json.loads(ended.out) == {"running": True}, ended
    lines = ended.err.splitlines()
    assert len(lines) == len(warnings), ended
    for line, warning in zip(lines, warnings):
        assert "warning" in line and warning in line, ended


def test_no_socket(scene):
    """A path without a socket: exit 1, the path, and a question whether QEMU is running"""
    assert_failed(scene.run("qmp", "./none.qmp", "stop"), "./none.qmp", "no such socket", "ENOENT")


def test_stale_socket(scene):
    """A socket whose QEMU has ended: exit 1, and it is said that nobody listens"""
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(scene.path("stale.qmp"))
    assert_failed(scene.run("qmp", "./stale.qmp", "stop"), "nobody listens", "ECONNREFUSED")


def test_not_a_socket(scene):
    """A file, a folder or a datagram socket in the place of a socket: exit 1 and the path"""
    (scene.folder / "file").write_text("x")
    (scene.folder / "folder").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(scene.path("datagrams"))
        assert_failed(scene.run("qmp", "./datagrams", "stop"), "not a stream socket")
    for name in ("file", "folder"):
        ended = scene.run("qmp", f"./{name}", "stop")
        assert_failed(ended, f"./{name}")
        assert "QEMU has probably ended" not in ended.err, "it is no socket at all: " + ended.err


def test_path_too_long(scene):
    """A path of more than 107 bytes is refused with its length, and never cut"""
    path = "./" + "x" * 106
    code, out, err = scene.run("qmp", path, "stop")
    assert (code, out) == (2, "") and "108 bytes" in err and "at most 107" in err, err
    assert_failed(scene.run("qmp", path[:-1], "stop"), "ENOENT")


def test_queue_is_full(scene):
    """A monitor whose queue of clients is full is told apart from one that does not exist"""
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(scene.path("busy.qmp"))
        busy.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(scene.path("busy.qmp"))
            ended = scene.run("qmp", "./busy.qmp", "stop", within=8)
    assert_failed(ended, "one at a time")


def test_silent_server(scene):
    """A server that accepts and says nothing: exit 1 after the deadline for the greeting"""
    began = time.monotonic()
    ended = against(scene, lambda talk: talk.hear_out(), "stop", "--json")
    assert 4.5 < time.monotonic() - began < 6.5, time.monotonic() - began
    assert_failed(ended, "no greeting within 5 s")


def test_silence_with_timeout(scene):
    """--timeout ends the wait for a greeting sooner"""
    ended = against(scene, lambda talk: talk.hear_out(), "stop", "--timeout", "200ms")
    assert_failed(ended, "greeting", "200 ms")


def test_silence_can_be_interrupted(scene):
    """SIGINT while the greeting is awaited ends it at once, with 130"""
    with playing(scene, lambda talk: talk.hear_out()) as server:
        running = scene.start("qmp", "./f.qmp", "stop")
        stage.until(lambda: server.clients)
        running.signal(signal.SIGINT)
        assert running.end(within=1).code == 130


def test_closes_at_once(scene):
    """A server that closes at once: exit 1, and it is said that no greeting came"""
    assert_failed(against(scene, lambda talk: None), "closed the connection before its greeting")


def test_no_greeting_but_garbage(scene):
    """What does not greet in QMP is told not to speak QMP, with the beginning of its words"""
    for garbage in (b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"\0\0\0\n",
                    b"[]\r\n", b"null\r\n", b'{"hello": 1}\r\n', b'{"QMP": {"version": 7}}\r\n'):
        ended = against_bytes(scene, garbage)
        assert ended.code == 1 and ended.out == "" and ended.err.count("\n") == 1, ended
        assert json.loads(ended.err)["error"]["kind"] == "protocol", ended
    assert_failed(against_bytes(scene, b"SSH-2.0-OpenSSH_9.2\r\n"), "does not speak QMP", "SSH-2.0")


def test_byte_by_byte(scene):
    """A conversation that comes byte by byte, with pauses, is understood"""
    def script(talk):
        for number in range(len(GREETING)):
            talk.send(GREETING[number:number + 1])
            pause(0.002 if number % 8 == 0 else 0)
        talk.say({"return": {}, "id": talk.hear()["id"]})
        answer = ENDED.replace(b"ID", str(talk.hear()["id"]).encode())
        for number in range(len(answer)):
            talk.send(answer[number:number + 1])
            pause(0.002)
        talk.hear_out()
    assert_answered(against(scene, script))


def test_two_messages_in_one_write(scene):
    """Messages that arrive together are taken apart; a line feed alone ends one, too"""
    event = b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 2}}\n'
    assert_answered(against(scene, answer_once(event + event + b"\r\n\n" + ENDED + event)))


def test_strange_replies(scene):
    """Replies with an id that waits for nothing are dropped, each with a warning"""
    strange = [b"77", b"0", b"-1", b'"2"', b'{"a": 1}', b"null", b"2.0", b"[2]",
               b"18446744073709551618"]
    replies = [b'{"return": {"running": false}, "id": ' + text + b"}\r\n" for text in strange]
    replies.append(b'{"return": {"running": false}}\r\n')
    ended = against(scene, answer_once(*replies, ENDED))
    assert_answered(ended, *["dropped a reply"] * len(replies))


def test_early_reply(scene):
    """A reply with our command's id, sent before the negotiation is over, is not believed"""
    def script(talk):
        talk.send(GREETING)
        asked = talk.hear()
        talk.say({"return": {"running": False}, "id": asked["id"] + 1})
        talk.say({"return": {}, "id": asked["id"]})
        talk.say({"return": {"running": True}, "id": talk.hear()["id"]})
        talk.hear_out()
    ended = against(scene, script)
    assert ended.code == 0 and json.loads(ended.out) == {"running": True}, ended
    assert "warning" in ended.err and "dropped" in ended.err, ended


def test_reply_twice(scene):
    """The second reply to a command is dropped with a warning"""
    def script(talk):
        talk.send(GREETING)
        for number in range(2):
            answer = {"return": {"running": True} if number else {}, "id": talk.hear()["id"]}
            if number == 0:
                talk.say(answer)
            talk.say(answer)
        talk.hear_out()
    assert_answered(against(scene, script), "second reply to command #1")


def test_before_the_greeting(scene):
    """An event or a reply before the greeting, the rest of another client's, is dropped"""
    def script(talk):
        talk.event("RESET")
        talk.say({"return": {}, "id": 5})
        answer_once(ENDED)(talk)
    assert_answered(against(scene, script), "event RESET", "a reply")


def test_second_greeting(scene):
    """A second greeting ends the conversation, and the outcome of the command is called unknown"""
    ended = against(scene, answer_once(GREETING), "stop", "--json")
    assert_failed(ended, "greeted twice", UNKNOWN_OUTCOME)


def test_negotiation_refused(scene):
    """A refused negotiation: exit 1 with QEMU's words, and the command is not sent"""
    heard = []

    def script(talk):
        talk.send(GREETING)
        number = talk.hear()["id"]
        talk.say({"id": number, "error": {"class": "GenericError", "desc": "not today"}})
        heard.append(talk.hear())
    assert_failed(against(scene, script, "stop", "--json"), "refused the negotiation", "not today")
    assert not heard, heard


def test_error_without_number(scene):
    """An error without an id ends the conversation: which command it means cannot be known"""
    reply = b'{"error": {"class": "GenericError", "desc": "JSON parse error"}}\r\n'
    assert_failed(against(scene, answer_once(reply)), "could not read", UNKNOWN_OUTCOME)


def test_close_in_a_message(scene):
    """A connection that ends in the middle of a message is told so"""
    def script(talk):
        talk.greet()
        talk.hear()
        talk.send(b'{"return": {"running": tr')
    assert_failed(against(scene, script), "in the middle of a message", UNKNOWN_OUTCOME)


def test_reset(scene):
    """A connection that is reset, as by a QEMU that dies with our command unread, is told so"""
    def script(talk):
        talk.greet()
        pause(0.1)  # the command comes and is not read
    assert_failed(against(scene, script), "closed the connection", "ECONNRESET", UNKNOWN_OUTCOME)


def test_full_pipe_can_be_interrupted(scene):
    """SIGINT ends a watch whose reader reads nothing and whose pipe is full"""
    def script(talk):
        talk.greet()
        while True:
            talk.event("TICK", "x" * 4096)
    reader, writer = os.pipe()
    with playing(scene, script):
        running = scene.start("qmp", "./f.qmp", stdout=writer)
        os.close(writer)
        pause(0.3)
        running.signal(signal.SIGINT)
        try:
            running.end(within=2)
        finally:
            os.close(reader)


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
