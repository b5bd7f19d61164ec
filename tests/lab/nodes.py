# SPDX-License-Identifier: Apache-2.0
"""nodes.py: two nodes and a client as network namespaces, with taps, packets and full listings.

    client  c0 10.1.0.1 fd01::1 ── s0 10.1.0.2 fd01::2  source
    source  s1 10.2.0.1 fd02::1 ── d1 10.2.0.2 fd02::2  dest, MTU 1500

Source and dest have a tap each, opened by the test as QEMU would; the guest's addresses lead to the
source's. What a packet is made of is known to the last byte, so that one that arrives can be held
against what was sent. All that the kernel would do on its own is off: no neighbour is learned, no
address made up, so that two listings of a node are equal unless somebody changed something.
"""
import contextlib
import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "outside"), str(HERE.parent / "harness")]

import stage  # noqa: E402  (found through the path above)
import tap  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
TUNSETIFF, TUNSETPERSIST = 0x400454CA, 0x400454CB
IFF_TAP, IFF_NO_PI = 2, 0x1000
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_DO, IPV6_HDRINCL = 10, 23, 2, 36
UDP, HEADERS = 17, {4: 28, 6: 48}
PORTS = (40000, 40001)
PORTS_BYTES = struct.pack("!HH", *PORTS)
GUEST_MAC = "02:aa:00:00:00:05"
CLIENT, SOURCE, DEST = ({4: "10.1.0.1", 6: "fd01::1"}, {4: "10.2.0.1", 6: "fd02::1"},
                        {4: "10.2.0.2", 6: "fd02::2"})
GUESTS = {4: ["10.9.0.5", "10.9.0.6", "10.9.0.7"], 6: ["fd09::5", "fd09::6", "fd09::7"]}
HOPS = 2  # the source and the dest forward each packet
# What the kernel counts, or what grows old.
PASSING = ("timer", "used", "expires", "age", "refcnt", "bytes", "packets", "probes")
UNREADABLE = ("flush", "stable_secret")


# --- Namespaces -----------------------------------------------------------------------------------

def enter(space):
    """No assertion: with python3 -O what must be in a namespace would be done to the machine."""
    if LIBC.setns(space.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def inside(place):
    """This thread is in the namespace at that path, and so is what it starts."""
    with open("/proc/thread-self/ns/net", "rb") as home, open(place, "rb") as there:
        enter(there)
        try:
            yield
        finally:
            enter(home)


def tool(*words, given=None, may_fail=False):
    """What a tool prints; it must end well."""
    ended = subprocess.run(words, input=given, capture_output=True, text=True, check=False,
                           timeout=30)
    assert may_fail or ended.returncode == 0, f"{words} {given or ''}: {ended.stderr}"
    return ended.stdout


def without_passing(value):
    """A listing without counters and ages."""
    if isinstance(value, dict):
        return {key: without_passing(inner) for key, inner in value.items()
                if not any(word in key for word in PASSING)}
    if isinstance(value, list):
        return [without_passing(inner) for inner in value]
    return value


def without(facts, *keys):
    """A table without some of its keys."""
    return {key: value for key, value in facts.items() if key not in keys}


class Node:
    """A namespace."""

    def __init__(self, name):
        self.name = name
        self.place = f"/run/netns/{name}"
        tool("ip", "netns", "add", name)
        self.ip("link set lo up")

    def remove(self):
        """Removes it, and with it all that was made there."""
        tool("ip", "netns", "del", self.name)

    def inside(self):
        """This thread, and what it starts, is in this node."""
        return inside(self.place)

    def ip(self, *lines):
        """Lines for `ip`, one after the other."""
        with self.inside():
            return tool("ip", "-batch", "-", given="\n".join(lines) + "\n")

    def tc(self, *lines):
        """Lines for `tc`, one after the other."""
        with self.inside():
            return tool("tc", "-batch", "-", given="\n".join(lines) + "\n")

    def listed(self, program, *lines):
        """What `ip` or `tc` list, as a value for each line; an unknown list is empty."""
        with self.inside():
            text = tool(*program.split(), "-j", "-d", "-batch", "-", given="\n".join(lines) + "\n")
        found, decoder = [], json.JSONDecoder()
        while text := text.lstrip():
            value, end = decoder.raw_decode(text)
            found.append(value)
            text = text[end:]
        return found

    def setting(self, name, value=None):
        """Reads a setting below /proc/sys/net, or writes it."""
        with self.inside():
            path = Path("/proc/sys/net", name)
            if value is not None:
                path.write_text(str(value), encoding="ascii")
            return path.read_text(encoding="ascii").strip()

    def settings(self):
        """All settings below /proc/sys/net."""
        found = {}
        with self.inside():
            for folder, _, names in os.walk("/proc/sys/net"):
                for name in names:
                    path = os.path.join(folder, name)
                    if name not in UNREADABLE:
                        found[path] = _bytes_of(path)
        return found

    def settle(self, within=3.0):
        """Waits until the kernel has noticed the carrier of each device that is up: it does so
        behind the command that set the device up, a second later if it must."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            links = self.listed("ip", "link show up")[0]
            if not any(link.get("operstate") == "DOWN" for link in links):
                return
            time.sleep(0.02)

    def listing(self):
        """Everything that a run could have changed, without what passes."""
        kinds = ("link", "addr", "neigh", "route", "rule")
        listed = self.listed("ip", "link show", "addr show", "neigh show", "route show table all",
                             "rule show")
        assert len(listed) == len(kinds), listed
        found = dict(zip(kinds, listed))
        for route in found["route"]:
            # The kernel notices by and by that nobody has a tap open.
            route["flags"] = [flag for flag in route["flags"] if flag != "linkdown"]
        found["rule -6"] = self.listed("ip -6", "rule show")
        found["qdisc"] = self.listed("tc", "qdisc show")[0]
        # Those that the kernel learned come and go as it likes, and so does the order.
        found["neigh"] = sorted((one for one in found["neigh"] if "PERMANENT" in one["state"]),
                                key=str)
        wanted = [f"filter show dev {one['dev']} {side}" for one in found["qdisc"]
                  for side in (("ingress", "egress") if one["kind"] in ("clsact", "ingress")
                               else ("root",) if one["handle"] != "0:" else ())]
        # How the parent is written depends on the question, which stands in `wanted`.
        found["filters"] = [f"{question}: {without(one, 'parent', 'ingress', 'egress')}"
                            for question, filters in zip(
                                wanted, self.listed("tc", *wanted) if wanted else [])
                            for one in without_passing(filters)]
        return without_passing(found) | {"settings": self.settings()}


def _bytes_of(path):
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 4096)
    except OSError as error:
        return error.errno
    finally:
        os.close(file)


def differences(before, after, where=""):
    """Where two listings differ, as lines."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return [line for key in sorted(before.keys() | after.keys())
                for line in differences(before.get(key), after.get(key), f"{where}/{key}")]
    if isinstance(before, list) and isinstance(after, list):
        gone = [one for one in before if one not in after]
        new = [one for one in after if one not in before]
        if gone or new:
            return ([f"{where}: gone: {one}" for one in gone] +
                    [f"{where}: new: {one}" for one in new])
    return [f"{where}: {before!r} -> {after!r}"]


@contextlib.contextmanager
def unchanged(*nodes):
    """Behind it the nodes are as they were, to the last setting."""
    for node in nodes:
        node.settle()
    before = [node.listing() for node in nodes]
    yield
    for node, then in zip(nodes, before):
        changed = differences(then, node.listing())
        assert not changed, f"{node.name} is not as it was:\n" + "\n".join(changed)


# --- Taps -----------------------------------------------------------------------------------------

class Tap:
    """A tap that is open, as QEMU has it; `read` begins to take frames."""

    def __init__(self, node, name):
        self.node, self.name = node, name
        with node.inside():
            self._file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(self._file, TUNSETIFF, struct.pack("16sH22x", name.encode(),
                                                           IFF_TAP | IFF_NO_PI))
        node.ip(f"link set {name} mtu 1500 addrgenmode none", f"link set {name} up")
        self.frames, self.times, self._ours = [], [], []
        self._thread, self._stop = None, threading.Event()

    def close(self):
        """The tap goes with its last reader."""
        self.pause()
        os.close(self._file)

    def read(self, pace=None, after=0.0):
        """Begins to take frames, `pace` a second at most, not before `after` seconds."""
        assert self._thread is None
        self._stop.clear()
        self._thread = threading.Thread(target=self._take, args=(pace, after), daemon=True)
        self._thread.start()

    def empty(self):
        """Takes what waits now, and forgets it."""
        with contextlib.suppress(BlockingIOError):
            while True:
                os.read(self._file, 65536)

    def pause(self):
        """Stops taking frames."""
        if self._thread:
            self._stop.set()
            self._thread.join()
            self._thread = None

    def _take(self, pace, after):
        if self._stop.wait(after):
            return
        began, taken = time.monotonic(), 0
        while not self._stop.is_set():
            try:
                frame = os.read(self._file, 65536)
            except BlockingIOError:
                select.select([self._file], [], [], 0.02)
                continue
            self.times.append(time.monotonic())
            self.frames.append(frame)
            if is_ours(frame[14:]):
                self._ours.append(frame[14:])
            taken += 1
            ahead = taken / pace - (time.monotonic() - began) if pace else 0
            if ahead > 0.002:
                time.sleep(ahead)

    def write(self, frame):
        """A frame that the guest sends."""
        os.write(self._file, frame)

    def packets(self, first=0):
        """The packets of ours among the frames so far, without their Ethernet header."""
        return self._ours[first:]

    def count(self):
        """How many packets of ours have come so far."""
        return len(self._ours)


# --- Packets --------------------------------------------------------------------------------------

def family_of(address):
    """4 or 6."""
    return 6 if ":" in address else 4


def octets(address):
    """An address as bytes."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def checksum(data):
    """The sum that the Internet puts into its headers."""
    data += b"\0" * (len(data) % 2)
    return (0xFFFF - int.from_bytes(data, "big") % 0xFFFF) or 0xFFFF


def payload(number, size):
    """The number of a packet, and bytes that follow from it."""
    return (struct.pack("!I", number) + bytes([(number * 7 + 3) % 251]) * size)[:size]


def packet(to, number, size, ttl=64, sender=None):
    """A whole packet of `size` bytes that must not be fragmented."""
    family = family_of(to)
    ends = octets(sender or CLIENT[family]) + octets(to)
    data = payload(number, size - HEADERS[family])
    length = 8 + len(data)
    pseudo = ends + struct.pack("!II", length, UDP)
    udp = struct.pack("!HHHH", *PORTS, length, 0) + data
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp)) + data
    if family == 6:
        return struct.pack("!IHBB", 6 << 28, length, UDP, ttl) + ends + udp
    head = struct.pack("!BBHHHBBH", 0x45, 0, size, number % 65535 + 1, 0x4000, ttl, UDP, 0)
    return head[:10] + struct.pack("!H", checksum(head + ends)) + ends + udp


def forwarded(data, hops):
    """A packet of `packet` as it is behind so many routers."""
    if data[0] >> 4 == 6:
        return data[:7] + bytes([data[7] - hops]) + data[8:]
    head = data[:8] + bytes([data[8] - hops]) + data[9:10]
    return head + struct.pack("!H", checksum(head + data[12:20])) + data[12:]


def is_ours(data):
    """Whether a packet is one of those above."""
    version = data[0] >> 4 if data else 0
    start = 20 if version == 4 else 40
    return version in (4, 6) and data[start:start + 4] == PORTS_BYTES


def number_of(data):
    """The number of a packet of ours."""
    return struct.unpack_from("!I", data, 28 if data[0] >> 4 == 4 else 48)[0]


class Sender:
    """Sends whole packets from a node, whatever it has been told of their size."""

    def __init__(self, node):
        with node.inside():
            self._sockets = {4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
                             6: socket.socket(socket.AF_INET6, socket.SOCK_RAW,
                                              socket.IPPROTO_RAW)}
        self._sockets[6].setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)

    def send(self, data, to):
        """Sends one."""
        self._sockets[family_of(to)].sendto(data, (to, 0))

    def close(self):
        """Closes the sockets."""
        for one in self._sockets.values():
            one.close()


def datagrams(node, to):
    """A socket whose datagrams are marked "do not fragment", as most programs' are."""
    v6 = family_of(to) == 6
    with node.inside():
        made = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    level, option = ((socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER) if v6
                     else (socket.IPPROTO_IP, IP_MTU_DISCOVER))
    made.setsockopt(level, option, PMTUDISC_DO)
    made.bind(("", PORTS[0]))
    made.connect((to, PORTS[1]))
    return made


class Ear:
    """Hears the errors that routers send to a node."""

    ERRORS = {4: (3, 4, 5, 11, 12), 6: (1, 2, 3, 4)}

    def __init__(self, node):
        with node.inside():
            self._sockets = {
                4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
                6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)}

    def heard(self):
        """(family, type, code) of each since the last call."""
        found = []
        for family, one in self._sockets.items():
            with contextlib.suppress(BlockingIOError):
                while data := one.recv(2048, socket.MSG_DONTWAIT):
                    data = data[20:] if family == 4 else data
                    if data[0] in self.ERRORS[family]:
                        found.append((family, data[0], data[1]))
        return found

    def close(self):
        """Closes the sockets."""
        for one in self._sockets.values():
            one.close()


# --- Everything together --------------------------------------------------------------------------

def silent_node(stack, name):
    """A node that says nothing on its own and takes what comes; it is removed with the stack."""
    node = Node(f"ktm-t-{os.getpid()}-{name}")
    stack.callback(node.remove)
    for which in ("all", "default"):
        node.setting(f"ipv4/conf/{which}/rp_filter", 0)
        node.setting(f"ipv6/conf/{which}/router_solicitations", 0)
        node.setting(f"ipv6/conf/{which}/accept_dad", 0)
    return node


class Nodes:
    """Client, source and dest, and the runs of katamaran on them."""

    made = 0

    def __init__(self, scene, stack):
        self.scene, self.state = scene, f"/dev/shm/{scene.folder.name}"
        stack.callback(self._clear_state)
        Nodes.made += 1
        self.client, self.source, self.dest = (
            silent_node(stack, f"{Nodes.made}{letter}") for letter in ("c", "s", "d"))
        self._wire()
        self.taps = {}
        for node in (self.source, self.dest):
            self.taps[node] = Tap(node, "tap0")
            stack.callback(self.taps[node].close)
        self._lead_to_source()
        self.sender, self.ear = Sender(self.client), Ear(self.client)
        stack.callback(self.sender.close)
        stack.callback(self.ear.close)
        self.number = 0

    def journals(self):
        """What runs have left in the folder of their journals."""
        return os.listdir(self.state) if os.path.isdir(self.state) else []

    def _clear_state(self):
        for name in self.journals():
            os.unlink(os.path.join(self.state, name))
        if os.path.isdir(self.state):
            os.rmdir(self.state)

    def _wire(self):
        ends = ((self.client, "c0", 1, 1), (self.source, "s0", 1, 2),
                (self.source, "s1", 2, 1), (self.dest, "d1", 2, 2))
        self.client.ip(f"link add c0 type veth peer name s0 netns {self.source.name}")
        self.source.ip(f"link add s1 type veth peer name d1 netns {self.dest.name}")
        for node, name, wire, end in ends:
            node.ip(f"link set {name} address 02:00:00:00:0{wire}:0{end} mtu 1500 addrgenmode none",
                    f"link set {name} up",
                    f"addr add 10.{wire}.0.{end}/24 dev {name}",
                    f"addr add fd0{wire}::{end}/64 dev {name} nodad",
                    *(f"neigh replace {prefix}{3 - end} dev {name} nud permanent "
                      f"lladdr 02:00:00:00:0{wire}:0{3 - end}"
                      for prefix in (f"10.{wire}.0.", f"fd0{wire}::")))
        self.client.ip("route add 10.9.0.0/24 via 10.1.0.2", "route add fd09::/64 via fd01::2")
        self.dest.ip("route add 10.1.0.0/24 via 10.2.0.1", "route add fd01::/64 via fd02::1")
        self.source.setting("ipv4/ip_forward", 1)
        self.dest.setting("ipv4/ip_forward", 0)
        for node in (self.source, self.dest):
            node.setting("ipv6/conf/all/forwarding", 1)

    def _lead_to_source(self):
        self.source.ip(*(line for guest in GUESTS[4] + GUESTS[6] for line in (
            f"route add {guest} dev tap0",
            f"neigh replace {guest} dev tap0 lladdr {GUEST_MAC} nud permanent")))

    @property
    def source_tap(self):
        """The guest's, before it moves."""
        return self.taps[self.source]

    @property
    def dest_tap(self):
        """The guest's, afterwards."""
        return self.taps[self.dest]

    def start(self, name, states, role="source", inside_of=None, **environment):
        """A plan of one role, written and started; `inside_of` a node, or outside of all."""
        (self.scene.folder / f"{name}.lua").write_text(
            f'return plan {{ name = "{name}", api = 1, summary = "A plan of a test.",\n'
            f'role "{role}" {{ {states} }} }}\n', "utf-8")
        with inside_of.inside() if inside_of else contextlib.nullcontext():
            return self.scene.start("run", name, "--state", self.state, env=environment)

    def recover(self, *words):
        """`katamaran recover`, to its end."""
        return self.scene.run("recover", "--state", self.state, *words, within=30)

    def crossing(self, to, sizes, into, hops=HOPS, others=()):
        """Sends a packet of each size from the client; those sizes that `into` was given, each
        packet equal to what was sent but for the hops. Nothing else may come, there or elsewhere.
        """
        expected = {}
        seen = into.count()
        elsewhere = [(tap_, tap_.count()) for tap_ in others]
        for size in sizes:
            self.number += 1
            expected[self.number] = packet(to, self.number, size)
            self.sender.send(expected[self.number], to)
            if len(expected) % 100 == 0:
                self._settle(into, seen + len(expected))
        self._settle(into, seen + len(expected))
        arrived = set()
        for data in into.packets(seen):
            sent = expected.pop(number_of(data))
            assert data == forwarded(sent, hops), (
                f"a packet of {len(sent)} bytes was changed: {data[:60].hex()}")
            arrived.add(len(sent))
        for tap_, count in elsewhere:
            assert tap_.count() == count, f"packets came out of {tap_.node.name}, too"
        return arrived

    @staticmethod
    def _settle(into, count, quiet=0.6):
        """Waits until so many packets of ours are there, or none has come for a while. The kernel
        sends frames of its own, too."""
        seen, since = -1, time.monotonic()
        while into.count() < count and time.monotonic() - since < quiet:
            if len(into.frames) != seen:
                seen, since = len(into.frames), time.monotonic()
            time.sleep(0.002)


@contextlib.contextmanager
def nodes():
    """The fixture: nodes in namespaces of their own, gone at the end, and with them all runs."""
    if os.geteuid() != 0:
        raise tap.Skip("NAMESPACES NEED ROOT; nothing was tested here")
    with contextlib.ExitStack() as stack:
        made = Nodes(stack.enter_context(stage.stage()), stack)
        yield made
        assert not made.journals(), f"journals were left behind: {made.journals()}"


def has_kinds(*words):
    """Whether this kernel makes such devices or qdiscs, tried in a namespace that goes at once."""
    ends = {"ip6": "local ::1 remote ::2", "vxl": "id 7 dstport 4789 local 127.0.0.1"}
    node = Node(f"ktm-t-{os.getpid()}-try")
    try:
        with node.inside():
            for word in words:
                end = ends.get(word[:3], "local 127.0.0.1 remote 127.0.0.2")
                line = (f"tc qdisc replace dev lo root {word[6:]}" if word.startswith("qdisc ")
                        else f"ip link add ktmtry{len(word)} type {word} {end}")
                if subprocess.run(line.split(), capture_output=True, check=False).returncode != 0:
                    return False
        return True
    finally:
        node.remove()
