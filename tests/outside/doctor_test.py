#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""doctor_test.py: what katamaran looks at before a run, on real QEMUs and in a real kernel.

Each thing that can be bad is made bad once, and must be found by `katamaran doctor`, or by the two
runs of a migration, which then do not begin. Whatever is found, the hosts are as they were before.
"""
import contextlib
import json
import signal
import socket
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import forecast_test as forecast  # noqa: E402
import nodes  # noqa: E402  (found through the path above)
import stage  # noqa: E402
import tap  # noqa: E402
from run_stage import ask  # noqa: E402

SOURCE = (*forecast.COMMON, "--var", f"dest_ip={forecast.DEST}")
DEST = (*forecast.COMMON, "--var", f"listen_ip={forecast.DEST}", "--var", "tap=tap0")


def chosen(*words):
    """The vars of a command line, of which the last one of a name counts."""
    given = dict(word.split("=", 1) for word in words if word != "--var")
    return [word for name, value in given.items() for word in ("--var", f"{name}={value}")]


class Pair(forecast.Move):
    """Two QEMUs as for a migration; the one at the destination with other words, if any."""

    def __init__(self, scene, stack, plan="shared-storage", dest=(), dest_disk_mib=None):
        self.dest_words, self.dest_disk_mib = dest, dest_disk_mib
        super().__init__(scene, stack, plan, 0, None)

    def _qemu(self, role, image, disk, *more):
        usual = forecast.DISK_MIB
        if role == "dest":
            more += self.dest_words
            forecast.DISK_MIB = self.dest_disk_mib or usual
        try:
            super()._qemu(role, image, disk, *more)
        finally:
            forecast.DISK_MIB = usual

    def doctor(self, role, *words, within=15):
        """What the doctor finds there: its exit code, and the findings that are no more than ok."""
        usual = SOURCE if role == "source" else DEST
        began = time.monotonic()
        with self.nodes[role].inside():
            ended = self.scene.run("doctor", self.plan, "--role", role, "--json",
                                   *chosen(f"qmp=./{role}.qmp", *usual, *words), within=within)
        self.took = time.monotonic() - began
        lines = [json.loads(line) for line in ended.out.splitlines()]
        assert lines and lines[-1]["exit"] == ended.code, ended
        return ended.code, lines[:-1]

    def finds(self, role, what, saw, *words, state="bad", within=15):
        """The doctor finds this there."""
        code, findings = self.doctor(role, *words, within=within)
        found = [one for one in findings if one["state"] == state and what in one["look"] and
                 saw in one["saw"]]
        assert found and (found[0]["remedy"] or state == "unknown"), (what, saw, findings)
        assert code == (1 if any(one["state"] == "bad" for one in findings) else 0), findings

    def refuse(self, what, *values):
        """Both runs end before their first state, and each names the values."""
        ended = {"dest": self.start("dest", *DEST), "source": self.start("source", *SOURCE)}
        for role, run in ended.items():
            one = run.end(60)
            lines = [json.loads(line) for line in one.out.splitlines()]
            last = lines[-1]
            assert one.code == 1 and last["end"] == "aborted" and not last["state"], (role, one)
            assert not [line for line in lines if line["kind"] == "state"], (role, one)
            found = [line for line in lines if line["kind"] == "look" and line["state"] == "bad" and
                     what in line["look"]]
            assert found and all(value in found[0]["saw"] for value in values), (role, one)


@contextlib.contextmanager
def pair(**how):
    """Two QEMUs, between which nothing is changed."""
    forecast.require()
    with contextlib.ExitStack() as stack:
        scene = stack.enter_context(stage.stage())
        made = Pair(scene, stack, **how)
        with nodes.unchanged(*made.nodes.values()):
            yield made


def bad_of(findings):
    """What is bad."""
    return [one for one in findings if one["state"] == "bad"]


def test_healthy():
    """A migration that is prepared has nothing bad at either node, known within a second"""
    with pair(plan="local-storage") as two:
        for role in ("source", "dest"):
            times = []
            for _ in range(3):
                code, findings = two.doctor(role, "--var", "drives=disk0")
                assert code == 0 and not bad_of(findings), findings
                times.append(two.took)
            print(f"# {role}: {len(findings)} findings in {1e3 * min(times):.0f} ms", flush=True)
            assert min(times) < 1, times
            seen = {one["look"] for one in findings}
            assert {"machine type", "guest's RAM", "disks", "kernel", "drive disk0"} <= seen, seen


def test_source():
    """At the source a stopped guest, a way that leads nowhere and no forwarding are found"""
    with pair() as two:
        two.finds("source", "way to the other node", "there is no route", "--var",
                  "dest_ip=2001:db8::2")
        two.finds("source", "way to the other node", "is an address of this node", "--var",
                  f"dest_ip={forecast.SOURCE}")
        two.finds("source", "way to the guest", "which is no tap", "--var", "vm_ip=10.2.0.77",
                  state="warn")
        two.finds("source", "way to the guest", "there is no route", "--var", "vm_ip=fd09::5")
        two.finds("source", "forwarding", "IPv6 is not forwarded", "--var", "vm_ip=fd09::5")
        two.finds("source", "tunnel", "carries packets of IPv6 of 1450", "--var", "vm_ip=fd09::5")
        two.nodes["source"].setting("ipv4/ip_forward", 0)
        two.finds("source", "forwarding", "through w0 is not forwarded")
        two.nodes["source"].setting("ipv4/ip_forward", 1)
        ask(two.scene, "stop", monitor="./source2.qmp")
        two.finds("source", "guest", "it does not run: QEMU says paused")


def test_dest():
    """At the destination a tap, a port, an address and a hold that cannot be had are found"""
    with pair() as two, two.nodes["dest"].inside():
        two.finds("dest", "tap9", "there is no such interface", "--var", "tap=tap9")
        two.finds("dest", "w0", "it is no tap", "--var", "tap=w0")
        two.finds("dest", "tap0", "its MTU is 1500", "--var", "mtu=9000")
        two.finds("dest", "memory", "may take", "--var", "pps=1000000000")
        two.finds("dest", "place for the other node", "EADDRNOTAVAIL", "--var",
                  "listen_ip=10.2.0.99")
        two.finds("dest", "guest's address", f"w0 has {forecast.DEST} already", "--var",
                  f"vm_ip={forecast.DEST}")
        for wrong in ("/run/netns/none", "none", __file__):
            two.finds("dest", "network namespace", f"there is none under {wrong}", "--var",
                      f"netns={wrong}")
        for port, what in ((4444, "port for RAM"), (4445, "place for the other node")):
            with socket.create_server((forecast.DEST, port)):
                two.finds("dest", what, "")
        node = two.nodes["dest"]
        node.ip("tuntap add tap1 mode tap", "link set tap1 addrgenmode none", "link set tap1 up")
        two.finds("dest", "tap1", "nobody has it open", "--var", "tap=tap1")
        node.ip("link del tap1")
        node.ip("link set tap0 down")
        two.finds("dest", "tap0", "it is not up")
        node.ip("link set tap0 up")


def test_hold():
    """The hold of an earlier run, which a new one could not get past, is found"""
    with pair() as two:
        node = two.nodes["dest"]
        node.tc("qdisc replace dev tap0 root handle 6b62: pfifo limit 10")
        two.finds("dest", "tap0", "it has the hold of an earlier run")
        node.tc("qdisc del dev tap0 root")


def test_other_roles():
    """A QEMU that waits for no guest is no destination, and one that waits is no source"""
    with pair() as two:
        two.finds("dest", "QEMU", "it waits for no guest: it says running", "--var",
                  "qmp=./source2.qmp")
        two.finds("source", "guest", "it does not run: QEMU says inmigrate", "--var",
                  "qmp=./dest2.qmp")


def test_immovable():
    """A guest with a device that cannot be moved is found, with the device"""
    words = ("-blockdev", "null-co,node-name=d2,size=1048576,read-zeroes=on", "-device",
             "nvme,serial=x,drive=d2")
    with pair(dest=words) as two:
        two.finds("dest", "guest", "it cannot be moved: non-migratable device")


def test_silent():
    """A QEMU that does not answer is bad, and holds nobody up"""
    with pair() as two:
        qemu = two.qemus["dest"].process
        qemu.send_signal(signal.SIGSTOP)
        two.finds("dest", "QEMU", "no greeting")
        qemu.send_signal(signal.SIGCONT)
        assert two.took < 4, two.took
        two.finds("dest", "QEMU", "ENOENT", "--var", "qmp=./none.qmp")


def test_machine():
    """Another machine at the destination ends both runs before they begin, with both names"""
    with pair(dest=("-machine", "pc-q35-7.1")) as two:
        two.refuse("machine type", "pc-q35-7.1-machine", "pc-q35-7.2-machine")


def test_memory():
    """Other RAM at the destination ends both runs before they begin, with both sizes"""
    with pair(dest=("-m", "64")) as two:
        two.refuse("guest's RAM", "65536 KiB", f"{forecast.RAM_KIB} KiB")


def test_disks():
    """A disk of another size at the destination ends both runs before they begin"""
    with pair(plan="local-storage", dest_disk_mib=16) as two:
        two.finds("dest", "drive disk9", "there is no such block node; there are disk0", "--var",
                  "drives=disk9")
        ended = {role: two.start(role, *words, "--var", "drives=disk0")
                 for role, words in (("dest", DEST), ("source", SOURCE))}
        for one in (run.end(60) for run in ended.values()):
            assert one.code == 1 and f"{16 << 20} bytes" in one.out, one
            assert f"{forecast.DISK_MIB << 20} bytes" in one.out, one


def test_told_at_once():
    """A run tells all that is bad at once, begins nothing, and does not wait for the other node"""
    with pair() as two, two.nodes["dest"].inside(), socket.create_server((forecast.DEST, 4444)):
        began = time.monotonic()
        ended = two.start("dest", *chosen(*DEST, "tap=tap9")).end(20)
        lines = [json.loads(line) for line in ended.out.splitlines()]
        assert ended.code == 1 and time.monotonic() - began < 10, ended
        bad = {line["look"] for line in lines if line.get("state") == "bad"}
        assert {"tap9", "port for RAM"} <= bad, ended
        assert lines[-1]["end"] == "aborted" and "2 things are bad" in lines[-1]["cause"], ended


def test_leftovers(scene):
    """What a killed run has left is found, and gone when it was recovered"""
    scene.qemu(sockets=("a.qmp",))
    run = scene.start("run", "freeze", "--var", "qmp=./a.qmp", "--var", "pause=1min")
    run.out.wait_for("frozen")
    busy = scene.run("doctor", "freeze", "--var", "qmp=./a.qmp")
    assert busy.code == 1 and "works on this VM" in busy.out, busy
    run.kill()
    found = scene.run("doctor", "freeze", "--var", "qmp=./a.qmp")
    assert found.code == 1 and "ended without taking back what it changed" in found.out, found
    assert "→ katamaran recover" in found.out, found
    taken = scene.run("recover")
    # Others may have left something on this machine, too.
    assert "1 undone, 0 had nothing left" in taken.out and " 0 failed" in taken.out, taken
    clean = scene.run("doctor", "freeze", "--var", "qmp=./a.qmp")
    assert clean.code == 0 and "ok       journals: none in" in clean.out, clean


def test_host(scene):
    """Without a plan the host alone is looked at; one who may change nothing there is told so"""
    ended = scene.run("doctor", "--json")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 0 and not bad_of(lines[:-1]), ended
    assert {"kernel", "forwarding", "journals"} <= {line["look"] for line in lines[:-1]}, ended
    sums = {state: sum(line["state"] == state for line in lines[:-1])
            for state in ("ok", "warn", "bad", "unknown")}
    assert lines[-1] == {**sums, "exit": 0}, lines[-1]
    nobody = scene.start("--reuid=65534", "--clear-groups", stage.BINARY, "doctor", "--state",
                         scene.path("tmp/none"), program="/usr/bin/setpriv").end()
    assert nobody.code == 1 and "may not change the network here" in nobody.out, nobody


def test_wrong(scene):
    """What cannot be looked at because the words are wrong is told as of a run"""
    for words, said in ((("doctor", "nil"), "nil"),
                        (("doctor", "freeze"), "vars.qmp: no value for 'qmp'"),
                        (("doctor", "ipv6", "--role", "source", "--var", "dest_ip=192.0.2.1"),
                         "vars.dest_ip"),
                        (("doctor", "freeze", "extra"), "extra")):
        ended = scene.run(*words)
        assert ended.code == 2 and said in ended.err and not ended.out, (words, ended)


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
