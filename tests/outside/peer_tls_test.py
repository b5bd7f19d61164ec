#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""peer_tls_test.py: two katamarans under TLS, on loopback, and everybody who has not their key."""
import os
import re
import signal
import socket
import subprocess
import threading
import time

import stage
import tap
from peer_test import STAND, TALK_DEST, TALK_SOURCE, Pair, assert_end
from stage import until

HELLO = b'{"katamaran":1}\n'


class Secure(Pair):
    """A pair, both with the key of one file."""

    def __init__(self, scene, *states, **words):
        super().__init__(scene, *states, **words)
        self.key = scene.path("peer.key")
        if not os.path.exists(self.key):
            make_key(scene, "peer.key")

    def start(self, role, *words, **how):
        if "--peer-key" not in words and "--insecure" not in words:
            words = ("--peer-key", self.key, *words)
        return super().start(role, *words, **how)

    def start_through(self, relay, *words):
        """The source, which takes the relay for the other node."""
        own, self.port = self.port, relay.port
        try:
            return self.start("source", *words)
        finally:
            self.port = own

    def finish(self, *sides):
        """Ends those that stand, well."""
        for side in sides:
            side.out.wait_for("  stand")
            side.signal(signal.SIGUSR1)
        for side in sides:
            assert_end(side.end(), 0, "done")

    def openssl(self, *words, text=""):
        """A TLS client that is none of ours: what it printed."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *words], input=text,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20, check=False,
            errors="replace")
        return done.stdout


def make_key(scene, name):
    """A new key file; its text."""
    made = scene.run("peer", "key", name)
    assert made.code == 0, made
    return (scene.folder / name).read_text("ascii").strip()


class Relay:
    """Somebody on the way: passes on what comes, keeps it, and can cut."""

    def __init__(self):
        self.to, self.seen, self._open = None, bytearray(), []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to), 5)
            except OSError:  # Nobody listens there yet.
                near.close()
                continue
            far.settimeout(None)
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one, other):
        try:
            while piece := one.recv(65536):
                self.seen += piece
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        """Ends all connections in the middle."""
        for one in self._open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._open = []

    def close(self):
        self._server.close()
        self.cut()


# --- Keys ---------------------------------------------------------------------------------------


def test_key(scene):
    """'peer key' makes a file of mode 0600 with another key each time, and overwrites none"""
    first, second = make_key(scene, "one.key"), make_key(scene, "two.key")
    assert re.fullmatch("[0-9a-f]{64}", first) and first != second
    assert os.stat(scene.path("one.key")).st_mode & 0o777 == 0o600
    again = scene.run("peer", "key", "one.key")
    assert again.code == 1 and "is not overwritten" in again.err, again
    assert (scene.folder / "one.key").read_text("ascii").strip() == first
    assert first not in again.out + again.err
    printed = scene.run("peer", "key")
    assert printed.code == 0 and re.fullmatch("[0-9a-f]{64}\n", printed.out), printed
    gone = scene.run("peer", "key", "nowhere/peer.key")
    assert gone.code == 1 and "there is no folder nowhere/" in gone.err, gone
    assert not (scene.folder / "nowhere").exists()


def test_usual_key(scene):
    """a key that the environment names is that of a run, unless the line says otherwise"""
    pair = Secure(scene)
    env = {"KATAMARAN_PEER_KEY": pair.key}
    pair.finish(*(Pair.start(pair, role, env=env) for role in ("dest", "source")))
    lone = Pair.start(pair, "dest", "--insecure", env=env)
    lone.out.wait_for("waiting")
    assert_end(pair.start("source").end(), 1, "does not speak TLS 1.3")
    for _ in range(3):
        assert pair.call(b"\x16\x03\x01\x00\x05hello").startswith("\x15"), "an alert says no"
    lone.signal(signal.SIGTERM)
    told = lone.end()
    assert told.out.count("it speaks TLS, and this run has no key") == 1, told


def test_bad_keys(scene):
    """a key that others can read, or that is none, is refused with the remedy and not shown"""
    pair = Secure(scene)
    key = make_key(scene, "good.key")

    def refused(name, *phrases):
        ended = pair.start("dest", "--peer-key", scene.path(name)).end()
        assert ended.code == 2 and ended.out == "", ended
        for phrase in (name, *phrases):
            assert phrase in ended.err, (phrase, ended)
        assert key not in ended.err and key[:-1] not in ended.err
    for mode in (0o640, 0o644, 0o602, 0o620):
        os.chmod(scene.path("good.key"), mode)
        refused("good.key", f"{mode:04o}", "chmod 600 " + scene.path("good.key"))
    os.chmod(scene.path("good.key"), 0o400)
    for name, text, phrase in (("short.key", key[:-1], "63 digits"), ("long.key", key * 2, "128"),
                               ("not.key", key[:-1] + "x", "character 64"),
                               ("empty.key", "", "is empty"),
                               ("large.key", "a" * 5000, "larger than")):
        (scene.folder / name).write_text(text, "ascii")
        os.chmod(scene.path(name), 0o600)
        refused(name, phrase)
    refused("nothing.key", "ENOENT")
    os.mkdir(scene.path("folder.key"), 0o700)
    refused("folder.key", "it is a folder")
    os.mkfifo(scene.path("pipe.key"), 0o600)
    refused("pipe.key", "it is no file")
    both = pair.start("dest", "--peer-key", scene.path("good.key"), "--insecure").end()
    assert both.code == 2 and "exclude each other" in both.err, both


def test_network(scene):
    """with a key --insecure is not needed beyond loopback; without, the key is named first"""
    pair = Secure(scene)
    waits = pair.start("dest", "--var", "from=0.0.0.0", "--peer-wait", "300ms").end()
    assert_end(waits, 1, "did not come")
    assert waits.err == "", waits
    refused = super(Secure, pair).start("dest", "--var", "from=0.0.0.0").end()
    assert refused.code == 2, refused
    assert 0 < refused.err.index("--peer-key") < refused.err.index("--insecure"), refused


# --- The two ------------------------------------------------------------------------------------


def test_talk(scene):
    """two with one key talk, nobody on the way reads a word, and the key is kept nowhere"""
    relay = Relay()  # First, so that its port is none that the pair takes for free.
    pair = Secure(scene, TALK_SOURCE, TALK_DEST)
    relay.to = pair.port
    key = (scene.folder / "peer.key").read_text("ascii").strip()
    dest = pair.start("dest", "--record", "dest.jsonl", "--json")
    source = pair.start_through(relay, "--record", "source.jsonl")
    source, dest = source.end(), dest.end()
    relay.close()
    assert_end(source, 0, "done")
    assert dest.code == 0, dest
    assert b"\x16\x03" in relay.seen and len(relay.seen) > 1000
    for word in (b"katamaran", b"ready", b"4444", b"heard"):
        assert word not in relay.seen.replace(b"\x00\x09katamaran", b""), (word, relay.seen)
    texts = [scene.text_of("source.jsonl"), scene.text_of("dest.jsonl"), source.out, source.err,
             dest.out, dest.err]
    assert not [text for text in texts if key in text or key[:32] in text]
    assert '"ask":"ready"' in texts[0], "the recording holds what was said"


def test_apart(scene):
    """a connection that is cut is had again, under TLS as before"""
    relay = Relay()
    pair = Secure(scene, STAND, STAND)
    relay.to = pair.port
    dest = pair.start("dest")
    source = pair.start_through(relay)
    for side in (source, dest):
        side.out.wait_for("  stand")
    for times in (1, 2):
        relay.cut()
        for side in (source, dest):
            side.out.wait_for("(?s)" + "the other node is there again.*" * times, 10)
    assert source.out.so_far().count("the connection to the other node is gone") == 2
    pair.finish(source, dest)
    relay.close()


def test_wrong_key(scene):
    """another key ends the side that connects at once, with the remedy; the other waits on"""
    pair = Secure(scene)
    make_key(scene, "other.key")
    dest = pair.start("dest")
    dest.out.wait_for("waiting")
    began = time.monotonic()
    wrong = pair.start("source", "--peer-key", scene.path("other.key")).end()
    assert_end(wrong, 1, "does not take this key", "the same key file on both nodes", "nothing")
    assert time.monotonic() - began < 3, wrong
    dest.out.wait_for("127.0.0.1 was refused: the other end does not have this key")
    assert not dest.has_ended()
    pair.finish(pair.start("source"), dest)


def test_one_without_a_key(scene):
    """a key at one node alone is told to both, and neither waits in vain for the other's word"""
    pair = Secure(scene)
    dest = pair.start("dest")
    dest.out.wait_for("waiting")
    plain = super(Secure, pair).start("source").end()
    assert_end(plain, 1, "the other node speaks TLS", "--peer-key")
    dest.out.wait_for("was refused: the other end does not speak TLS 1.3")
    pair.finish(pair.start("source"), dest)
    plain = super(Secure, pair).start("dest", "--peer-wait", "20s")
    plain.out.wait_for("waiting")
    keyed = pair.start("source", "--peer-wait", "20s").end(5)
    assert_end(keyed, 1, "does not speak TLS 1.3", "expected a katamaran with --peer-key there")
    plain.out.wait_for("was refused: it speaks TLS, and this run has no key")
    plain.signal(signal.SIGINT)
    plain.end()


# --- Strangers ----------------------------------------------------------------------------------


def test_strangers(scene):
    """silence, plain text, garbage, old TLS and a stranger's TLS do not keep the two apart"""
    pair = Secure(scene)
    dest = pair.start("dest")
    dest.out.wait_for("waiting")
    silent = [socket.create_connection(("127.0.0.1", pair.port), 5) for _ in range(12)]
    assert pair.call(HELLO).startswith("\x15"), "an alert says no"
    pair.call(b"GET / HTTP/1.1\r\n\r\n")
    pair.call(os.urandom(100_000))
    pair.call(b"\x16\x03\x01\xff\xff" + b"\x01" * 70_000)
    for words in (("-tls1_2",), ("-tls1_3",), ("-tls1_3", "-psk", "00" * 32, "-psk_identity", "x"),
                  ("-tls1_3", "-psk", "00" * 32, "-psk_identity", "katamaran")):
        assert "BEGIN SSL SESSION" not in pair.openssl(*words), words
    for why in ("does not speak TLS 1.3", "does not have this key"):
        dest.out.wait_for("127.0.0.1 was refused: the other end " + why)
    dest.out.wait_for("no hello within 5 s", 8)
    assert not dest.has_ended()
    pair.finish(pair.start("source"), dest)
    for one in silent:
        one.close()


def test_stranger_with_the_key(scene):
    """who has the key and says nothing, garbage, or wants new keys, is a caller like any other"""
    pair = Secure(scene)
    key = (scene.folder / "peer.key").read_text("ascii").strip()
    known = ("-tls1_3", "-psk", key, "-psk_identity", "katamaran")
    dest = pair.start("dest")
    dest.out.wait_for("waiting")
    assert "was refused" not in dest.out.so_far()
    assert "Reused, TLSv1.3" in pair.openssl(*known, text="GET / HTTP/1.1\n")
    dest.out.wait_for("was refused: expected a value at column 1")
    pair.openssl(*known, text="K\nk\nK\n")  # New keys for both directions.
    pair.finish(pair.start("source"), dest)


def test_false_listener(scene):
    """a listener that is silent, or answers with a certificate, is not taken for the other node"""
    pair = Secure(scene)
    with socket.create_server(("127.0.0.1", pair.port)):
        mute = pair.start("source", "--peer-wait", "6s").end(15)
        assert_end(mute, 1, "did not come within 6 s", "no hello within 5 s")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", scene.path("k.pem"), "-out",
                    scene.path("c.pem"), "-subj", "/CN=x", "-days", "1"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{pair.port}", "-cert",
                               scene.path("c.pem"), "-key", scene.path("k.pem"), "-quiet"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        until(lambda: is_open(pair.port), what="the server")
        assert_end(pair.start("source").end(), 1, "shows a certificate", "no katamaran")
    finally:
        server.kill()
        server.wait()


def is_open(port):
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
