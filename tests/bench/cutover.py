# SPDX-License-Identifier: Apache-2.0
"""cutover.py: real migrations under traffic, by katamaran and by the first one's way of doing it.

    client 10.1.0.1 ── 10.1.0.2 source 10.2.0.1 ── 10.2.0.2 dest

Two QEMUs under TCG and the guest of tests/outside/guest.S, which has no driver for its network:
what comes for it stays in the ring of its tap, and is counted in front of that. A packet has
reached the guest when it came to the source's tap before QEMU stopped it there, or to the tap at
the destination at any time, where it waits for it. All other packets are lost.

The first katamaran waited for STOP, and then started `ip` three times: for a tunnel, to set it up,
for the route. Its destination ran the guest as soon as it could. Here that is a script with nothing
else to do, so the difference is in the order of things and in the processes alone.
"""
import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("lab", "outside", "harness")]

import forecast_test  # noqa: E402  (found through the path above)
import nodes  # noqa: E402
import stage  # noqa: E402
import tap  # noqa: E402,F401  (its Skip is for who calls)
from forecast_test import COMMON, DEST, GUEST, MAC, SOURCE, TICKS_HZ  # noqa: E402
from stage import until  # noqa: E402

PER_SECOND, PORT, PAGES_A_TICK = 2000, 40001, 4
BANDWIDTH_MB, DOWNTIME_MS = 40, 25
SO_TIMESTAMPNS, SO_RCVBUFFORCE, ETH_P_ALL, RING = 35, 33, 3, 64 << 20
HEADERS = 14 + 20 + 8
SENDER = """
import select, socket, struct, sys, time
out, number, began = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0, time.monotonic()
out.connect((sys.argv[1], int(sys.argv[2])))
while number % 20 or not select.select([sys.stdin], [], [], 0)[0]:
    ahead = began + number / int(sys.argv[3]) - time.monotonic()
    if ahead > 0:
        time.sleep(ahead)
    out.send(struct.pack("!I", number) + bytes(96))
    number += 1
print(number)
"""
OLD_TUNNEL = (
    f"ip link add old0 type vxlan id 77 local {SOURCE} remote {DEST} dstport 4790 dev w0",
    "ip link set old0 up",
    f"ip route replace {GUEST} via 10.99.0.2 dev old0 onlink")


class Monitor:
    """A QMP socket: commands, and events with QEMU's own time."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._file = self._socket.makefile("rw")
        self._file.readline()
        self.events = []
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        """The answer to a command; events that come before it are kept."""
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            message = self._read()
            if "event" not in message:
                return message["return"]

    def _read(self):
        line = self._file.readline()
        if not line:
            raise ConnectionError("QEMU hung up")
        message = json.loads(line)
        if "event" in message:
            self.events.append(message)
        return message

    def wait(self, name, within=60):
        """The time of an event in seconds, as QEMU says; it may have come already."""
        self._socket.settimeout(within)
        while True:
            for event in self.events:
                if event["event"] == name:
                    stamp = event["timestamp"]
                    return stamp["seconds"] + stamp["microseconds"] / 1e6
            self._read()

    def close(self):
        """Hangs up."""
        self._file.close()
        self._socket.close()


class Tapped:
    """What comes to a tap, with the kernel's time."""

    def __init__(self, node):
        with node.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RING)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        with node.inside():
            self._socket.bind(("tap0", 0))
        self._socket.setblocking(False)

    def packets(self):
        """(number, seconds) of each of ours that came."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                data, extra, _, _ = self._socket.recvmsg(2048, 128)
                is_ours = (len(data) >= HEADERS + 4 and data[23] == socket.IPPROTO_UDP and
                           data[36:38] == struct.pack("!H", PORT))
                if is_ours:
                    seconds, nanos = struct.unpack("qq", extra[0][2][:16])
                    found.append((struct.unpack("!I", data[HEADERS:HEADERS + 4])[0],
                                  seconds + nanos / 1e9))
        self._socket.close()
        return found


class Cutover(forecast_test.Move):
    """Two nodes with a guest, and a client that sends to it."""

    MONITORS = ("", "2", "3")

    def __init__(self, scene, stack, waits):
        self.stack, self.waits = stack, waits
        super().__init__(scene, stack, "shared-storage", PAGES_A_TICK, None)
        until(lambda: self.ticks("source") > TICKS_HZ // 5, 30, "the guest at work")

    def _wire(self):
        super()._wire()
        self.client = nodes.Node(f"ktm-t-{os.getpid()}-client")
        self.stack.callback(self.client.remove)
        for node in (*self.nodes.values(), self.client):
            node.setting("ipv4/conf/all/rp_filter", 0)
            node.setting("ipv4/conf/default/rp_filter", 0)
        self.client.ip(f"link add c0 type veth peer name c0 netns {self.nodes['source'].name}",
                       "link set c0 up", "addr add 10.1.0.1/24 dev c0")
        self.nodes["source"].ip("link set c0 up", "addr add 10.1.0.2/24 dev c0",
                                f"neigh add {GUEST} lladdr {MAC} dev tap0 nud permanent")
        self.client.ip("route add default via 10.1.0.2")
        for node in self.nodes.values():
            node.ip("link set tap0 txqueuelen 50000")

    def _qemu(self, role, image, disk, *more):
        super()._qemu(role, image, disk, *(word for word in more if self.waits or word != "-S"))

    def monitor(self, name):
        """A conversation with that socket."""
        made = Monitor(self.scene.path(name))
        self.stack.callback(made.close)
        return made

    def by_katamaran(self):
        """The shipped plan."""
        limits = (f"bandwidth={BANDWIDTH_MB}MB/s", f"downtime={DOWNTIME_MS}ms",
                  f"downtime_max={DOWNTIME_MS}ms")
        dest = self.start("dest", *COMMON, "--var", f"listen_ip={DEST}", "--var", "tap=tap0")
        source = self.start("source", *COMMON, "--var", f"dest_ip={DEST}",
                            *(word for limit in limits for word in ("--var", limit)))
        yield
        ended = source.end(60)
        if ended.code == 1 and "too-late" in ended.out:
            raise forecast_test.NotInTime
        assert ended.code == 0, ended
        ended = dest.end(20)
        assert ended.code == 0, ended

    def by_three_commands(self):
        """STOP, then a tunnel, its setting up and a route, each by a process."""
        self.nodes["dest"].ip(
            f"link add old0 type vxlan id 77 local {DEST} remote {SOURCE} dstport 4790 dev w0",
            "addr add 10.99.0.2/30 dev old0", "link set old0 up", f"route add {GUEST} dev tap0",
            f"neigh add {GUEST} lladdr {MAC} dev tap0 nud permanent")
        source, dest = self.monitor("source.qmp"), self.monitor("dest.qmp")
        dest.ask("migrate-incoming", uri=f"tcp:{DEST}:4444")
        source.ask("migrate-set-capabilities",
                   capabilities=[{"capability": "auto-converge", "state": True}])
        source.ask("migrate-set-parameters",
                   **{"max-bandwidth": BANDWIDTH_MB * 10**6, "downtime-limit": DOWNTIME_MS})
        commands = [line.split() for line in OLD_TUNNEL]
        with self.nodes["source"].inside():
            source.ask("migrate", uri=f"tcp:{DEST}:4444")
            source.wait("STOP")
            for words in commands:
                _, status = os.waitpid(os.posix_spawnp(words[0], words, os.environ), 0)
                assert status == 0, words
        yield

    def carry_out(self, way):
        """One migration under traffic; what was measured of it."""
        seen = {role: self.monitor(f"{role}3.qmp") for role in self.nodes}
        tapped = {role: Tapped(node) for role, node in self.nodes.items()}
        with self.client.inside():
            sender = subprocess.Popen(
                [sys.executable, "-c", SENDER, GUEST, str(PORT), str(PER_SECOND)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            time.sleep(0.2)
            steps = way(self)
            next(steps)
            try:
                resumed = seen["dest"].wait("RESUME")
            except (ConnectionError, TimeoutError):
                list(steps)  # says why, where a run was aborted
                raise
            stopped = seen["source"].wait("STOP")
            time.sleep(0.2)
            sent = int(sender.communicate("\n", timeout=10)[0])
        finally:
            sender.kill()
            sender.wait()
        migration = until(lambda: self._completed(seen["source"]), 10, "QEMU's own figures")
        for _ in steps:
            pass
        there = [number for number, _ in tapped["dest"].packets()]
        here = tapped["source"].packets()
        reached = set(there) | {number for number, at in here if at < stopped}
        dark_ms = 1e3 * (resumed - stopped)
        return {"dark_ms": dark_ms, "downtime_ms": migration["downtime"],
                "added_ms": dark_ms - migration["downtime"], "sent": sent,
                "lost": sent - len(reached),
                "reaction_ms": 1e3 * (max(at for _, at in here) - stopped)}

    @staticmethod
    def _completed(monitor):
        migration = monitor.ask("query-migrate")
        return migration if migration.get("downtime") and migration.get("total-time") else None


def once(way, waits):
    """One migration in namespaces of its own; an overloaded machine may begin again."""
    for aborted in range(forecast_test.ATTEMPTS):
        with contextlib.ExitStack() as stack:
            scene = stack.enter_context(stage.stage())
            try:
                return Cutover(scene, stack, waits).carry_out(way) | {"aborted": aborted}
            except forecast_test.NotInTime:
                print("cutover: too late to divert, and aborted; once more", file=sys.stderr)
    raise AssertionError("the packets were diverted too late each time")


def measure(rounds):
    """Both ways by turns; a list of what was measured of each."""
    forecast_test.require()
    told = {"katamaran": [], "programs": []}
    for number in range(1, rounds + 1):
        told["katamaran"].append(once(Cutover.by_katamaran, True))
        told["programs"].append(once(Cutover.by_three_commands, False))
        if sys.stderr.isatty():
            print(f"\rcutover: {number} of {rounds}", end="", file=sys.stderr, flush=True)
    return told
