#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""encrypted_test.py: what of a guest can be read on the wire while it moves, seen on the wire.

Two real QEMUs in two namespaces, as in forecast_test.py; every packet between the nodes is caught
by a raw socket, and searched for what is known of the guest: its own code, which lies in its RAM,
and a text that fills its disk.
"""
import contextlib
import json
import re
import signal
import socket
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import forecast_test  # noqa: E402  (found through the path above)
import stage  # noqa: E402
import tap  # noqa: E402
from forecast_test import COMMON, DEST, DISK_MIB, TICKS_HZ, Move, NotInTime  # noqa: E402
from stage import until  # noqa: E402

ETH_P_ALL, SO_RCVBUFFORCE = 3, 33
ON_DISK = b"this stands on the disk of a guest that is moved\n"
# Slow enough to be caught whole, by a reader that is slow itself.
SLOWLY = ("--var", "bandwidth=30MB/s")


class Wiretap:
    """Everything that crosses a device of a node, searched for these patterns."""

    def __init__(self, node, device, patterns):
        self.found, self.bytes, self._patterns = set(), 0, patterns
        with node.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                         socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self._socket.bind((device, ETH_P_ALL))
        self._socket.settimeout(0.2)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                packet = self._socket.recv(1 << 17)
                self.bytes += len(packet)
                self.found |= {name for name, text in self._patterns.items() if text in packet}

    def close(self):
        """No more packets come; what there was is searched."""
        self._over.set()
        self._thread.join()
        self._socket.close()


def fill(scene, name):
    """A disk that can be known again."""
    size = DISK_MIB << 20
    (scene.folder / name).write_bytes((ON_DISK * (size // len(ON_DISK) + 1))[:size])


def code_of(scene):
    """Some of the guest's code, behind its header and what it counts: it lies so in its RAM."""
    return (scene.folder / "guest").read_bytes()[0x60:0x90]


def objects_of(scene, role):
    """The TLS credentials that the QEMU of a role has."""
    return [one["name"] for one in json.loads(ask_json(scene, role, "qom-list", "path=/objects"))
            if "tls" in one["type"]]


def ask_json(scene, role, *command):
    """What QEMU answers, on the monitor that katamaran does not use."""
    ended = scene.run("qmp", f"./{role}2.qmp", *command, "--json")
    assert ended.code == 0, ended
    return ended.out


def keys_in(scene):
    """Files of keys, and folders for them, that are there now."""
    return [path for path in scene.state.rglob("*") if "keys" in path.name]


def seen_of(plan, *words):
    """Moves a guest; what was seen of it on the wire."""
    for _ in range(forecast_test.ATTEMPTS):
        with contextlib.ExitStack() as stack:
            scene = stack.enter_context(stage.stage())
            fill(scene, "shared.img" if plan == "shared-storage" else "source.img")
            move = Move(scene, stack, plan, 4, None)
            wiretap = Wiretap(move.nodes["source"], "w0", {"code": code_of(scene), "disk": ON_DISK})
            stack.callback(wiretap.close)
            more = COMMON + (("--var", "drives=disk0") if plan == "local-storage" else ()) + words
            try:
                move.carry_out(more, SLOWLY)
            except NotInTime:
                print("# too late, and aborted; once more", flush=True)
                continue
            assert wiretap.bytes > 40 << 20, wiretap.bytes
            assert not keys_in(scene) and objects_of(scene, "dest") == []
            texts = [scene.text_of(f"{role}.jsonl") for role in ("source", "dest")]
            shown = set(re.findall(r'"key":"([0-9a-f]*)"', "".join(texts)))
            assert shown == {"0" * 64}, shown
            uses = [line for text in texts for line in text.splitlines() if "tls-creds-psk" in line]
            assert bool(uses) == ("encrypt=no" not in words), uses
            return wiretap.found
    raise AssertionError("it was too late each time")


def test_ram():
    """RAM that crosses the network is under TLS, and with encrypt=no it is not"""
    forecast_test.require()
    assert seen_of("shared-storage") == set()
    assert "code" in seen_of("shared-storage", "--var", "encrypt=no")


def test_disks():
    """so are the disks of a guest that moves with them"""
    forecast_test.require()
    assert seen_of("local-storage") == set()
    assert seen_of("local-storage", "--var", "encrypt=no") >= {"disk", "code"}


def test_killed():
    """behind a kill -9 of both katamarans 'recover' removes the keys, from QEMU as well"""
    forecast_test.require()
    with contextlib.ExitStack() as stack:
        scene = stack.enter_context(stage.stage())
        move = Move(scene, stack, "shared-storage", 40, 100)
        until(lambda: move.ticks("source") > TICKS_HZ // 5, 30, "the guest at work")
        dest = move.start("dest", *COMMON, "--var", f"listen_ip={DEST}", "--var", "tap=tap0")
        source = move.start("source", *COMMON, "--var", f"dest_ip={DEST}")
        source.out.wait_for('"state": ?"copy"', 20)
        files = [path for path in keys_in(scene) if path.is_file()]
        assert len(files) == 2 and {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert {path.parent.stat().st_mode & 0o777 for path in files} == {0o700}
        assert files[0].read_bytes() == files[1].read_bytes()
        assert objects_of(scene, "source") == ["ktm-tls"]
        source.kill()
        dest.kill()
        for role in ("source", "dest"):
            with move.nodes[role].inside():
                recovered = scene.run("recover", within=60)
        assert "remove the key in" in recovered.out or not keys_in(scene), recovered
        assert not keys_in(scene) and objects_of(scene, "source") == []
        assert json.loads(ask_json(scene, "source", "query-migrate-parameters"))["tls-creds"] == ""
        lived = move.ticks("source")
        until(lambda: move.ticks("source") > lived, 5, "the guest alive at the source")


def test_wrong_key():
    """a source with another key changes nothing at either QEMU, and the destination waits on"""
    forecast_test.require()
    with contextlib.ExitStack() as stack:
        scene = stack.enter_context(stage.stage())
        move = Move(scene, stack, "shared-storage", 4, None)
        until(lambda: move.ticks("source") > TICKS_HZ // 5, 30, "the guest at work")
        dest = move.start("dest", *COMMON, "--var", f"listen_ip={DEST}", "--var", "tap=tap0")
        assert scene.run("peer", "key", "other.key").code == 0
        with move.nodes["source"].inside():
            wrong = scene.start("run", "shared-storage", "--role", "source", "--peer-key",
                                scene.path("other.key"), *COMMON, "--var", "qmp=./source.qmp",
                                "--var", f"dest_ip={DEST}").end(20)
        assert wrong.code == 1 and "does not take this key" in wrong.out, wrong
        assert "the guest runs here" in wrong.out and "nothing was begun" in wrong.out, wrong
        dest.out.wait_for("does not have this key")
        assert not dest.has_ended()
        assert not keys_in(scene) and objects_of(scene, "source") == []
        for role, status in (("source", "running"), ("dest", "inmigrate")):
            assert json.loads(ask_json(scene, role, "query-status"))["status"] == status, role
        lived = move.ticks("source")
        until(lambda: move.ticks("source") > lived, 5, "the guest alive at the source")
        dest.signal(signal.SIGINT)
        dest.end(10)


def test_refused(scene):
    """a key that could be heard on the way is refused before anything is begun"""
    words = ("run", "shared-storage", "--role", "source", "--var", "qmp=./none.qmp", "--var",
             "dest_ip=192.0.2.2", "--var", "vm_ip=10.9.0.5", "--insecure", "--peer-wait", "300ms")
    refused = scene.run(*words)
    assert refused.code == 2 and refused.out == "", refused
    for phrase in ("encrypt", "--peer-key", "--var encrypt=no"):
        assert phrase in stage.plain_word(refused.err), (phrase, refused)
    allowed = scene.run(*words, "--var", "encrypt=no")
    assert allowed.code == 1 and "INSECURE" in allowed.err, allowed


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
