#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""forecast_test.py: the shipped plans move real guests, and the simulation has forecast it.

Two QEMUs under TCG, each in a network namespace of its own, a guest that dirties memory at a known
rate (guest.S), and the plan as it is shipped, carried out by two katamarans. Either max-bandwidth
or the link between the two is so narrow that the time of the copy is theirs and not the machine's.
The same plan is then simulated with the same figures, and both are printed with the error.

A machine that has other things to do is late: up to five attempts are made of each migration, and
the one that was nearest to its forecast counts. What goes wrong in it counts at once. Where the
network carries all that is asked of it, a dark window is some ten milliseconds of processes that
take turns, and each of them may wait for a processor: there a difference is forgiven.
"""
import contextlib
import functools
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import nodes  # noqa: E402  (found through the path above)
import stage  # noqa: E402
import tap  # noqa: E402
from run_stage import UNITS, ask  # noqa: E402
from stage import until  # noqa: E402

# No multiple of 256 KiB: QEMU before 9.0 loses writes of the guest under TCG otherwise.
RAM_KIB = 48 * 1024 + 8
RAM_END = (RAM_KIB - 1024) * 1024
WORKING = range(8 << 20, 40 << 20)
PAGE, TICKS_AT, TICKS_HZ = 4096, 0x100020, 100
MAC, GUEST, SOURCE, DEST = "02:aa:00:00:00:05", "10.9.0.5", "10.2.0.1", "10.2.0.2"
DISK_MIB = 8
COMMON = ("--var", f"vm_ip={GUEST}", "--var", "tunnel=vxlan", "--var", "wrapped=no")
ATTEMPTS, TIME_ERROR_MAX, DARK_FACTOR_MAX, DARK_FORGIVEN_S = 5, 0.25, 2.0, 0.03


def build_guest(scene, pages_a_tick):
    """The guest, as QEMU's -kernel takes it."""
    known = {"PER_TICK": pages_a_tick, "FIRST": WORKING.start, "LAST": WORKING.stop, "END": RAM_END}
    words = [word for name, value in known.items() for word in ("--defsym", f"{name}={value}")]
    made, image = scene.path("guest.o"), scene.path("guest")
    subprocess.run(["as", "--32", *words, "-o", made, HERE / "guest.S"], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext=0x100000", "--oformat=binary", "-o", image,
                    made], check=True)
    return image


class NotInTime(Exception):
    """The run aborted, as it says it does, because the diversion would have come too late."""


class Move:
    """Two nodes, a QEMU on each, and one guest that is to go from the one to the other."""

    MONITORS = ("", "2")

    def __init__(self, scene, stack, plan, pages_a_tick, link_mbit):
        self.scene, self.plan, self.pages_a_tick = scene, plan, pages_a_tick
        self.link_mbit = link_mbit
        self.nodes, self.words, self.qemus = {}, {}, {}
        for role in ("source", "dest"):
            self.nodes[role] = nodes.Node(f"ktm-t-{os.getpid()}-{role}")
            stack.callback(self.nodes[role].remove)
        self._wire()
        image = build_guest(scene, pages_a_tick)
        shared = plan == "shared-storage"
        self._qemu("source", image, "shared.img" if shared else "source.img")
        self._qemu("dest", image, "shared.img" if shared else "dest.img", "-incoming", "defer",
                   "-S")

    def _wire(self):
        source, dest = self.nodes["source"], self.nodes["dest"]
        source.ip(f"link add w0 type veth peer name w0 netns {dest.name}")
        for node, address in ((source, SOURCE), (dest, DEST)):
            node.ip("link set w0 addrgenmode none", "link set w0 up",
                    f"addr add {address}/24 dev w0", "tuntap add tap0 mode tap",
                    "link set tap0 addrgenmode none", "link set tap0 up")
            node.setting("ipv4/ip_forward", 1)
        source.ip(f"route add {GUEST} dev tap0")
        if self.link_mbit:
            source.tc(f"qdisc add dev w0 root tbf rate {self.link_mbit}mbit burst 64k limit 256k")

    @staticmethod
    def machine(image, disk, *more):
        """QEMU's words for the guest on that disk."""
        return ("-accel", "tcg", "-machine", "q35", "-m", f"{RAM_KIB}k", "-kernel", image,
                "-vga", "none", "-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no",
                "-device", f"virtio-net-pci,netdev=net0,mac={MAC},romfile=",
                "-blockdev", f"raw,node-name=disk0,file.driver=file,file.filename={disk}",
                "-device", "virtio-blk-pci,drive=disk0,id=vd0", *more)

    def _qemu(self, role, image, disk, *more):
        with open(self.scene.folder / disk, "ab") as file:
            file.truncate(DISK_MIB << 20)
        machine = self.machine(image, disk, *more)
        with self.nodes[role].inside():
            self.qemus[role] = self.scene.qemu(
                machine=machine, sockets=[f"{role}{which}.qmp" for which in self.MONITORS])

    def ticks(self, role):
        """What the guest has counted, at that node."""
        said = ask(self.scene, "human-monitor-command", f"command-line=xp /1wd {TICKS_AT:#x}",
                   monitor=f"./{role}2.qmp")
        return int(said.split(":")[1])

    def dirty_rate(self):
        """Bytes that the guest dirties in a second, by its own count."""
        began, first = time.monotonic(), self.ticks("source")
        time.sleep(0.8)
        ticks = self.ticks("source") - first
        return ticks / (time.monotonic() - began) * self.pages_a_tick * PAGE

    def start(self, role, *words):
        """The katamaran of that role."""
        self.words[role] = ("--role", role, "--json", "--var", f"qmp=./{role}.qmp", *words)
        with self.nodes[role].inside():
            return self.scene.start("run", self.plan, *self.words[role], "--peer-key",
                                    self.scene.peer_key(),
                                    "--record", f"{role}.jsonl")

    def carry_out(self, variables, source_variables):
        """The migration; gives back what was measured of it."""
        until(lambda: self.ticks("source") > TICKS_HZ // 5, 30, "the guest at work")
        dest = self.start("dest", *variables, "--var", f"listen_ip={DEST}", "--var", "tap=tap0")
        source = self.start("source", *variables, *source_variables, "--var", f"dest_ip={DEST}")
        rate = self.dirty_rate()
        ended = {"source": source.end(60), "dest": dest.end(20)}
        # Of one that was too late by a moment a replay may honestly not know how it goes on.
        self.must_be_in_time(ended["source"])
        for role, one in ended.items():
            self.must_be_played_again(role, one)
        for role, one in ended.items():
            last = json.loads(one.out.splitlines()[-1])
            assert one.code == 0 and not last["left"] and not last["losses"], (role, one)
            assert last["ledger"]["proof"] == "zero-lost", (role, one)
        lived = self.ticks("dest")
        until(lambda: self.ticks("dest") > lived, 5, "the guest alive at the destination")
        drawn = self.scene.run("trace", "timeline", "source.jsonl", "dest.jsonl")
        dark = re.search(r"dark for ([\d.]+) (\w+)", drawn.out)
        assert dark, drawn
        entered = {line["state"]: line["elapsed_us"] / 1e6 for line in
                   map(json.loads, ended["source"].out.splitlines()) if line["kind"] == "state"}
        assert ("lend" in entered) == ("unconverged=postcopy" in variables), entered
        return rate, {"copy": stood_at(entered) - entered["copy"],
                      "dark": float(dark[1]) * UNITS[dark[2]],
                      "total": json.loads(ended["source"].out.splitlines()[-1])["elapsed_us"] / 1e6}

    def fail(self, harm):
        """Begins to migrate, lets the harm happen during the copy; how both roles ended."""
        until(lambda: self.ticks("source") > TICKS_HZ // 5, 30, "the guest at work")
        dest = self.start("dest", *COMMON, "--var", f"listen_ip={DEST}", "--var", "tap=tap0")
        source = self.start("source", *COMMON, "--var", f"dest_ip={DEST}")
        source.out.wait_for('"state": ?"copy"', 10)
        time.sleep(0.3)
        harm(self, source, dest)
        ended = {"source": source.end(30), "dest": dest.end(30)}
        lived = self.ticks("source")
        until(lambda: self.ticks("source") > lived, 5, "the guest alive at the source")
        return ended

    def must_be_played_again(self, role, real):
        """The recording of that role tells without QEMU, kernel and other node what they did."""
        again = self.scene.run("simulate", self.plan, *self.words[role], "--trace",
                               f"{role}.jsonl")
        assert told(again) == told(real), (role, again, real)

    def must_be_in_time(self, source):
        """An overloaded machine turns packets too late; then the guest lives on at the source."""
        last = json.loads(source.out.splitlines()[-1])
        if source.code == 1 and "before its packets were diverted" in last["cause"]:
            assert not last["left"], last
            lived = self.ticks("source")
            until(lambda: self.ticks("source") > lived, 5, "the guest alive at the source")
            raise NotInTime


def stood_at(entered):
    """When the copy ended that was made while the guest ran at the source."""
    return entered["handover" if "handover" in entered else "lend"]


def told(ended):
    """The way of a run, and its end, without times: between processes they are never the same."""
    lines = [json.loads(line) for line in ended.out.splitlines()]
    end = [lines[-1].get(key) for key in ("end", "cause", "left", "losses")]
    end.append(lines[-1].get("ledger", {}).get("text"))
    return (ended.code, [line["state"] for line in lines if line["kind"] == "state"],
            re.sub(r"\b[\d.]+ [mu]?s\b", "TIME", json.dumps(end)))


@functools.cache
def encrypted_speed():
    """Bytes that one connection of QEMU carries in a second under TLS, on this machine."""
    for _ in range(ATTEMPTS):
        with contextlib.ExitStack() as stack:
            scene = stack.enter_context(stage.stage())
            move = Move(scene, stack, "shared-storage", 0, None)
            with contextlib.suppress(NotInTime):
                move.carry_out(COMMON, ())
                seen = ask(scene, "query-migrate", monitor="./source2.qmp")
                took_s = (seen["total-time"] - seen["setup-time"]) / 1e3
                speed = seen["ram"]["transferred"] / took_s
                print(f"# {speed / 1e6:.0f} MB/s cross one connection under TLS", flush=True)
                return speed
    raise AssertionError(f"too late {ATTEMPTS} times; how fast it is under TLS was not measured")


def forecast(scene, plan, rate, link_mbit, tls, *words):
    """What the simulation says of the same migration."""
    model = (f"ram={RAM_KIB}K,working={len(WORKING)}B,dirty={rate:.0f}B/s,"
             f"link={link_mbit or 10000}M,pps=0,plug=no,disk={DISK_MIB}M,writes=0,"
             f"tls={tls:.0f}B/s")
    ended = scene.run("simulate", plan, "--model", model, "--json", *words)
    assert ended.code == 0, ended
    lines = [json.loads(line) for line in ended.out.splitlines()]
    entered = {line["text"].split()[1].rstrip(","): line["t"] / 1e9 for line in lines
               if line.get("side") == "source" and line.get("text", "").startswith("enter ")}
    end = lines[-1]
    assert end["copy"]["converged"] == ("unconverged=postcopy" not in words), end
    return {"copy": stood_at(entered) - entered["copy"], "dark": end["dark_ns"] / 1e9,
            "total": end["total_ns"] / 1e9}


def kill_qemu(move, _source, _dest):
    """The destination's QEMU is gone."""
    move.qemus["dest"].kill()


def kill_katamaran(_move, _source, dest):
    """The destination's katamaran is gone."""
    dest.kill()


def interrupt(_move, source, _dest):
    """Somebody has thought better of it."""
    source.signal(signal.SIGTERM)


def cut(move, _source, _dest):
    """The nodes do not reach each other any more."""
    move.nodes["dest"].ip("link set w0 down")


def attempt(plan, pages_a_tick, link_mbit, variables, agreed=()):
    """One migration and its forecast; gives back both. Both roles are given what is agreed."""
    common = COMMON + tuple(word for text in agreed for word in ("--var", text))
    if plan == "local-storage":
        common += ("--var", "drives=disk0")
    chosen = [word for text in variables for word in ("--var", text)]
    tls = encrypted_speed()
    with contextlib.ExitStack() as stack:
        scene = stack.enter_context(stage.stage())
        move = Move(scene, stack, plan, pages_a_tick, link_mbit)
        rate, real = move.carry_out(common, chosen)
        return rate, real, forecast(scene, plan, rate, link_mbit, tls, *common, *chosen)


def in_time(number, *arguments):
    """The same; nothing when QEMU came to its end before the packets were diverted."""
    try:
        return attempt(*arguments)
    except NotInTime:
        print(f"# attempt {number}: QEMU was at the end before the packets were diverted; the run "
              "aborted, and the guest lives on at the source", flush=True)
        return None


def held_against(plan="shared-storage", pages_a_tick=0, link_mbit=None, variables=(), agreed=()):
    """Migrates until the forecast was near enough, at most so often as is said above."""
    require()
    for number in range(1, ATTEMPTS + 1):
        measured = in_time(number, plan, pages_a_tick, link_mbit, variables, agreed)
        if measured is None:
            continue
        rate, real, said = measured
        error, total_error = (said[part] / real[part] - 1 for part in ("copy", "total"))
        factor = max(said["dark"] / real["dark"], real["dark"] / said["dark"])
        print(f"# attempt {number}: the guest dirties {rate / 1e6:.1f} MB/s; "
              f"the copy took {real['copy']:.2f} s, forecast {said['copy']:.2f} s, "
              f"error {100 * error:+.0f} %; dark for {1e3 * real['dark']:.1f} ms, "
              f"forecast {1e3 * said['dark']:.1f} ms, factor {factor:.2f}; "
              f"in all {real['total']:.2f} s, forecast {said['total']:.2f} s, "
              f"error {100 * total_error:+.0f} %", flush=True)
        is_dark_near = (factor <= DARK_FACTOR_MAX or not link_mbit and
                        abs(said["dark"] - real["dark"]) <= DARK_FORGIVEN_S)
        if max(abs(error), abs(total_error)) <= TIME_ERROR_MAX and is_dark_near:
            return
    raise AssertionError(f"the forecast was wrong {ATTEMPTS} times")


def require():
    """Skips where no migration can be carried out, or none can be timed."""
    if os.environ.get("KTM_SANITIZED"):
        raise tap.Skip("A SANITIZED PROGRAM IS TOO SLOW TO BE TIMED")
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        raise tap.Skip("NO ROOT OR NO TAP DEVICES HERE; nothing was migrated")
    missing = [tool for tool in ("qemu-system-x86_64", "as", "ld", "ip", "tc")
               if shutil.which(tool) is None]
    if missing:
        raise tap.Skip(f"{', '.join(missing)} IS NOT INSTALLED; nothing was migrated")
    if not nodes.has_kinds("vxlan"):
        raise tap.Skip("THIS KERNEL HAS NO VXLAN; nothing was migrated")


def test_idle():
    """An idle guest moves as forecast"""
    held_against(link_mbit=240)


def test_limited():
    """A guest with a limiter, near whose end QEMU is hard to catch, moves as forecast"""
    held_against(pages_a_tick=10, variables=("bandwidth=20MB/s", "downtime=10ms",
                                             "downtime_max=50ms"))


def test_near_the_link():
    """A guest that dirties more than half of what the link carries moves as forecast"""
    held_against(pages_a_tick=40, link_mbit=240)


def test_smaller_downtime():
    """A guest that may stand for less time moves as forecast"""
    held_against(pages_a_tick=7, link_mbit=240, variables=("downtime=10ms", "downtime_max=50ms"))


def test_local_storage():
    """A guest whose disk moves with it moves as forecast"""
    held_against("local-storage", pages_a_tick=7, variables=("bandwidth=30MB/s",))


def test_fast():
    """A guest that is copied in less than a tenth of a second moves, too"""
    require()
    measured = None
    for number in range(1, ATTEMPTS + 1):
        measured = measured or in_time(number, "shared-storage", 1, None, ())
    assert measured, f"it was too late {ATTEMPTS} times"
    _, real, said = measured
    print(f"# the copy took {real['copy']:.2f} s, forecast {said['copy']:.2f} s")


def test_postcopy():
    """A guest that dirties more than the link carries goes first, its RAM follows: as forecast"""
    held_against("local-storage", pages_a_tick=60, link_mbit=100, variables=("converge=1s",),
                 agreed=("unconverged=postcopy",))


def test_failures():
    """What goes wrong in the copy leaves the guest at the source, and is played again as it was"""
    require()
    for harm in (kill_qemu, kill_katamaran, interrupt, cut):
        with contextlib.ExitStack() as stack:
            scene = stack.enter_context(stage.stage())
            move = Move(scene, stack, "shared-storage", 40, 100)
            for role, ended in move.fail(harm).items():
                if harm is kill_katamaran and role == "dest":
                    assert ended.code == -signal.SIGKILL, ended
                    continue
                assert ended.code == (130 if harm is interrupt and role == "source" else 1), (
                    harm.__name__, role, ended)
                move.must_be_played_again(role, ended)


def test_in_time(scene):
    """In forecasts guests of any size and haste are diverted in time, on links of any speed"""
    for link_mbit, ram, share, limit in itertools.product(
            (200, 1000, 10000, 25000), ("64M", "512M", "2G"), (0.01, 0.2, 0.7), (None, 0.9)):
        speed = link_mbit * 125_000
        words = ("--var", f"bandwidth={speed * limit:.0f}B/s") if limit else ()
        model = f"ram={ram},dirty={speed * share:.0f}B/s,working=64M,link={link_mbit}M,pps=1k"
        ended = scene.run("simulate", "shared-storage", "--model", model, *words, within=60)
        assert ended.code == 0, (model, words, ended)


def row_of(scene, name, *words):
    """What stands behind a name in a forecast; None where it is not told."""
    text = scene.run("simulate", *words, within=60).out
    found = re.search(rf"(?m)^  {name} +(.*)$", text)
    return found and found[1]


def copy_line(scene, *words):
    """What a forecast says of the copy, as text and as JSON."""
    text = scene.run("simulate", "shared-storage", *words, within=60).out
    end = scene.run("simulate", "shared-storage", "--json", *words, within=60).out.splitlines()[-1]
    return re.search(r"(?m)^  copy of RAM +(.*)$", text)[1], json.loads(end)["copy"]


def test_convergence(scene):
    """A forecast says whether the copy of memory converges, and why or why not"""
    line, facts = copy_line(scene, "--model", "ram=1G,dirty=50M/s,link=10G,tls=125M/s")
    assert line.startswith("converges at pass ") and "thread sends 125 MB/s" in line, line
    assert facts["converged"] and facts["bound"] == "thread", facts
    line, facts = copy_line(scene, "--model", "ram=1G,dirty=50M/s,link=10G", "--var", "encrypt=no")
    assert line.startswith("converges at pass ") and "carries 1.25 GB/s" in line, line
    assert facts["converged"] and facts["bound"] == "link", facts
    hard = ("--model", "ram=2G,dirty=300M/s,working=1G,link=1G", "--var")
    line, facts = copy_line(scene, *hard, "patience=30s")
    assert "does not converge: the guest dirties 300 MB/s, the link carries 125 MB/s" in line, line
    assert "less than 1.07 GB, for which it would stand 8.59 s, and may 300 ms (downtime_max)" \
        in line, line
    assert not facts["converged"] and facts["least_left_bytes"] == 1 << 30, facts
    assert (facts["downtime_limit_ns"], facts["limited_by"]) == (300_000_000, "downtime_max"), facts
    line, facts = copy_line(scene, *hard, "patience=30s", "--var", "downtime_max=2s")
    assert "and may 2 s (downtime_max)" in line and facts["downtime_limit_ns"] == 2e9, line
    line, facts = copy_line(scene, *hard, "patience=1h")
    assert facts["converged"] and facts["throttle_percent"] > 50 and "slowed down by" in line, line
    line, facts = copy_line(scene, "--model", "ram=2G,dirty=300M/s,working=20M,link=1G", "--var",
                            "downtime=200ms")
    assert facts["converged"] and "all that it writes to, 21.0 MB, in 168 ms" in line, line
    line, facts = copy_line(scene, "--model", "ram=1G,dirty=5M/s", "--var", "bandwidth=20MB/s",
                            "--var", "patience=10s")
    assert line.startswith("is not over: ") and "max-bandwidth lets through 20.0 MB/s" in line, line
    assert not facts["converged"] and facts["left_bytes"] > 1 << 29, facts


def test_standing(scene):
    """How long a guest stood that goes nowhere is told, and of a standing one not that it writes"""
    assert row_of(scene, "guest stood", "freeze", "--var", "pause=250ms") == "250 ms"
    stood = row_of(scene, "guest stood", "snapshot")
    assert re.fullmatch(r"1\.\d+ s", stood), stood
    line = row_of(scene, "copy of RAM", "snapshot")
    assert line.startswith("is sent once: the guest stands, QEMU's thread sends "), line
    assert row_of(scene, "guest stood", "shared-storage") is None
    killed = ("freeze", "--fault", "11:kill-source-qemu")
    assert "does not run any more" in row_of(scene, "guest stood", *killed)
    refused = ("freeze", "--fault", "3:refused")
    assert row_of(scene, "guest stood", *refused) == "not at all"


def test_idle_guest(scene):
    """A guest that writes nothing is copied in one pass"""
    line, facts = copy_line(scene, "--model", "ram=1G,dirty=0")
    assert facts["converged"] and facts["dirty_bytes_per_second"] == 0, facts
    assert line.startswith("converges at pass ") and "the guest dirties 0 B/s" in line, line


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
