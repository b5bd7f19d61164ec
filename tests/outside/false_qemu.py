# SPDX-License-Identifier: Apache-2.0
"""false_qemu.py: a QMP server that says exactly what a test tells it to say, when it tells it.

A script is a function of a Talk, called in a thread for each client, one after the other. When it
returns, the connection is closed. What it raises fails the test, unless the client had gone.
"""
import contextlib
import json
import os
import socket
import threading
import time

from stage import plain_word

GREETING = (b'{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, '
            b'"package": "false"}, "capabilities": ["oob"]}}\r\n')
UNKNOWN_OUTCOME = "whether QEMU carried the command out is not known"


class ClientGone(Exception):
    """The client closed the connection while the script wanted something of it."""


class Talk:
    """The server's side of one connection."""

    def __init__(self, connection):
        self._connection = connection
        self._buffer = b""

    def send(self, data):
        """Sends these bytes as they are."""
        try:
            self._connection.sendall(data)
        except OSError as fault:
            raise ClientGone from fault

    def say(self, message):
        """Sends a message in QEMU's form."""
        self.send(json.dumps(message).encode() + b"\r\n")

    def event(self, name, data=None):
        """Sends an event that happened in 2023."""
        stamp = {"seconds": 1700000000, "microseconds": 42}
        self.say({"timestamp": stamp, "event": name} | ({} if data is None else {"data": data}))

    def hear(self):
        """The next command, without its line end."""
        while b"\n" not in self._buffer:
            try:
                piece = self._connection.recv(65536)
            except OSError as fault:
                raise ClientGone from fault
            if not piece:
                raise ClientGone
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def greet(self):
        """Greeting and negotiation, as QEMU does it."""
        self.send(GREETING)
        asked = self.hear()
        assert asked["execute"] == "qmp_capabilities", asked
        self.say({"return": {}, "id": asked["id"]})

    def hear_out(self):
        """Reads until the client closes."""
        with contextlib.suppress(ClientGone):
            while True:
                self.hear()


class FalseQemu:
    """The listening socket and the thread that plays the script."""

    def __init__(self, path, script):
        self._path, self._script = path, script
        self.fault = None
        self.clients = 0
        self._connection = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(4)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                self._connection = self._listener.accept()[0]
            except OSError:
                return
            self.clients += 1
            try:
                self._script(Talk(self._connection))
            except ClientGone:
                pass
            except Exception as fault:  # told to the test by close()
                self.fault = fault
            self._connection.close()

    def close(self):
        """Ends the thread and raises what its script raised."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        os.unlink(self._path)
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        assert not self._thread.is_alive(), "the false QEMU's script does not end"
        if self.fault is not None:
            raise AssertionError(f"the false QEMU was spoken to wrongly: {self.fault!r}")


@contextlib.contextmanager
def playing(stage, script, name="f.qmp"):
    """A false QEMU at ./f.qmp that plays the script, until the end of the block."""
    server = FalseQemu(stage.path(name), script)
    try:
        yield server
    finally:
        server.close()


def against(scene, script, *words, within=10.0):
    """Runs a command against the script and returns how katamaran ended."""
    with playing(scene, script):
        return scene.run("qmp", "./f.qmp", *(words or ("query-status", "--json")), within=within)


def assert_failed(ended, *phrases):
    """Exit 1, nothing on stdout, and an error in one line that contains the phrases."""
    assert ended.code == 1 and ended.out == "", ended
    assert ended.err.count("\n") == 1, ended
    for phrase in phrases:
        assert phrase in plain_word(ended.err), f"no {phrase!r} in {ended!r}"


def answer_once(*replies):
    """A script: greets, hears one command, sends the bytes with ID replaced by its id."""
    def script(talk):
        talk.greet()
        number = str(talk.hear()["id"]).encode()
        for reply in replies:
            talk.send(reply.replace(b"ID", number))
        talk.hear_out()
    return script


def answering(answers):
    """A script: greets and answers each command by what is named for it, {} when nothing is."""
    def script(talk):
        talk.greet()
        while True:
            asked = talk.hear()
            talk.say({"id": asked["id"]} | answers.get(asked["execute"], {"return": {}}))
    return script


def pause(seconds):
    """Lets time pass; named, so that a script reads as a story."""
    time.sleep(seconds)
