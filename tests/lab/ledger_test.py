# SPDX-License-Identifier: Apache-2.0
"""ledger_test.py: what two runs say of the packets that were diverted, held against the guest's.

Two runs that talk to each other divert what the client sends, and hold it at the dest, whose tap
the test reads as the guest would. In each test but the first packets are lost at one place, by
means of the kernel's own, and both runs must name that place. What this kernel has no qdisc for is
skipped; tools/lab has a plug.
"""
import array
import contextlib
import fcntl
import itertools
import json
import re
import signal
import socket
import struct
import time

import nodes as lab
import tap
from nodes import CLIENT, DEST, GUEST_MAC, GUESTS

WITHIN = 60
GUEST = GUESTS[4][0]
BYTES, PACE, COUNT = 600, 20000, 3000
UNPROVEN = 3
SIOCETHTOOL, ETHTOOL_STSO, ETHTOOL_SGRO = 0x8946, 0x1F, 0x2C

PLAN = """return plan {{ name = "cross", api = 1, summary = "A plan of a test.",
  vars = {{ to = var.ip {{ role = "source", doc = "The dest." }},
    at = var.ip {{ role = "dest", doc = "The same." }} }},
  role "source" {{ peer_to = var "to",
    state "prepare" {{ within = "30s",
      enter = function(m)
        m.note.tunnel = net.tunnel {{ to = m.to, mode = "vxlan", wrapped = false }}
        m.note.path = net.divert {{ "{guest}", into = m.note.tunnel, mtu = 1400 }}
      end,
      on {{ "peer:ready", go = "turned" }} }},
    state "turned" {{ within = "60s",
      enter = function(m) m.note.path.turn(); log.info("it is turned") end,
      on {{ "signal:USR1", go = "done" }} }} }},
  role "dest" {{ peer_from = var "at",
    state "prepare" {{ within = "30s", next = "holding",
      enter = function(m)
        m.note.hold = net.hold {{ "tap0", {hold} }}
        net.tunnel {{ to = peer.address(), from = peer.own_address(), mode = "vxlan",
          wrapped = false }}
        net.arrive {{ "{guest}", tap = "tap0", mac = "{mac}" }}
      end }},
    state "holding" {{ within = "60s",
      enter = function(m) m.note.hold.block(); peer.send("ready") end,
      on {{ "signal:USR1", go = "open" }} }},
    state "open" {{ within = "60s",
      enter = function(m) m.note.hold.open(); log.info("it is open") end,
      on {{ "peer:ended", go = "done" }} }} }},
}}
"""


class Move:
    """Both runs, with the packets of the client on their way into the hold."""

    def __init__(self, nodes, hold, *words):
        if not lab.has_kinds("vxlan"):
            tap.lacks("vxlan")
            raise tap.Skip("THIS KERNEL HAS NO VXLAN; tools/lab has")
        self.nodes = nodes
        # The kernel itself says a word on a device that knows IPv6; here each packet counts.
        nodes.dest.setting("ipv6/conf/tap0/disable_ipv6", 1)
        nodes.dest_tap.empty()
        (nodes.scene.folder / "cross.lua").write_text(
            PLAN.format(guest=GUEST, mac=GUEST_MAC, hold=hold), "utf-8")
        self.runs = {}
        for role, node, var in (("dest", nodes.dest, "at"), ("source", nodes.source, "to")):
            with node.inside():
                self.runs[role] = nodes.scene.start(
                    "run", "cross", "--role", role, "--state", f"{nodes.state}", "--insecure",
                    "--json", "--var", f"{var}={DEST[4]}", *words)
        self.wait("source", "it is turned")

    def wait(self, role, phrase):
        """Waits for what a run says, or for its end, which is wrong then."""
        run = self.runs[role]
        lab.stage.until(lambda: phrase in run.out.so_far() or run.has_ended(), WITHIN, phrase)
        assert phrase in run.out.so_far(), run.end(WITHIN)

    def send(self, count=COUNT):
        """So many packets for the guest, not faster than this machine is."""
        with lab.datagrams(self.nodes.client, GUEST) as client:
            for number in range(count):
                client.send(lab.payload(number, BYTES))
                if number % 50 == 49:
                    time.sleep(0.005)
        time.sleep(0.2)

    def finish(self, read=True):
        """Opens the hold and ends both runs; what they say last, by role."""
        self.runs["dest"].signal(signal.SIGUSR1)
        self.wait("dest", "it is open")
        if read:
            self.nodes.dest_tap.read(pace=PACE)
        time.sleep(0.3)
        self.runs["source"].signal(signal.SIGUSR1)
        ended = {role: run.end(WITHIN) for role, run in self.runs.items()}
        time.sleep(0.3)
        self.nodes.dest_tap.pause()
        said = {role: json.loads(one.out.splitlines()[-1]) for role, one in ended.items()}
        for role, one in said.items():
            assert one["end"] == "done" and not one["left"], (role, ended[role])
        return said, {role: one.code for role, one in ended.items()}


def came(nodes):
    """How many packets the guest has got."""
    return len({lab.number_of(data) for data in nodes.dest_tap.packets()})


def assert_lost(said, nodes, where, sent=COUNT):
    """Both name the place, and the number that the guest lacks."""
    for role, one in said.items():
        ledger = one["ledger"]
        assert ledger["proof"] == "lost", (role, ledger)
        assert [re.sub(r"ktm\w+", "DEVICE", place["where"]) for place in ledger["places"]] == \
            [where], (role, ledger)
        assert ledger["lost"] == sent - came(nodes), (role, came(nodes), ledger)
    print(f"# {said['source']['ledger']['text']}")


HOLD = 'rate = 10000, pause = "500ms"'


def test_zero(nodes):
    """That nothing was lost is proven by both runs, and the guest has all of it"""
    move = Move(nodes, HOLD, "--require-zero-loss")
    move.send()
    said, codes = move.finish()
    assert codes == {"source": 0, "dest": 0}, (codes, said)
    assert came(nodes) == COUNT, came(nodes)
    for role, one in said.items():
        ledger = one["ledger"]
        assert ledger["proof"] == "zero-lost", (role, ledger)
        assert ledger["text"] == f"zero lost of {COUNT:,} diverted", ledger
        assert ledger["sent"] == ledger["came"] == ledger["held"] == COUNT, ledger
    mine, told = said["source"]["ledger"]["here"], said["dest"]["ledger"]["other"]
    for point in mine["points"] + told["points"]:
        point.pop("late", None)  # Each is a look of its own: before the goodbye, and at the end.
    assert mine == told, (mine, told)


def test_ring(nodes):
    """A ring that is too short is named, and no error unless zero loss is required"""
    move = Move(nodes, 'rate = 10000, pause = "250ms", mode = "ring", ring = 1000, small = true')
    move.send()
    said, codes = move.finish()
    assert codes == {"source": 0, "dest": 0}, (codes, said)
    assert_lost(said, nodes, "the ring of tap0 at the dest")


def test_plug(nodes):
    """A plug that is too small is named"""
    if not lab.has_kinds("qdisc plug"):
        tap.lacks("plug")
        raise tap.Skip("THIS KERNEL HAS NO PLUG; tools/lab has")
    move = Move(nodes, 'rate = 10000, pause = "100ms", limit = 65536, small = true')
    move.send()
    said, _ = move.finish()
    assert_lost(said, nodes, "the plug of tap0 at the dest")


def test_left(nodes):
    """What nobody takes is named, and with zero loss required it is an error"""
    move = Move(nodes, HOLD, "--require-zero-loss")
    move.send()
    said, codes = move.finish(read=False)
    assert codes == {"source": UNPROVEN, "dest": UNPROVEN}, (codes, said)
    assert_lost(said, nodes, "tap0 at the dest, where nobody took them")


@contextlib.contextmanager
def leading_away(nodes):
    """Frames of the tunnel go somewhere else, and nobody counts them as dropped."""
    time.sleep(0.05)
    nodes.dest.tc("qdisc add dev d1 clsact",
                  "filter add dev d1 ingress protocol ip u32 match ip protocol 17 0xff "
                  "action mirred egress redirect dev lo")
    yield
    time.sleep(0.05)
    nodes.dest.tc("qdisc del dev d1 clsact")


def test_wire(nodes):
    """What vanishes between the nodes is found by difference"""
    move = Move(nodes, HOLD)
    with leading_away(nodes):
        move.send(500)
    move.send(COUNT - 500)
    said, _ = move.finish()
    assert_lost(said, nodes, "the wire between the nodes")


def test_tunnel(nodes):
    """What the device below the tunnel refuses is counted by the tunnel, which is named"""
    move = Move(nodes, HOLD)
    nodes.source.tc("qdisc add dev s1 root tbf rate 4mbit burst 2k limit 4k")
    move.send(1000)
    nodes.source.tc("qdisc del dev s1 root")
    said, _ = move.finish()
    assert_lost(said, nodes, "the tunnel DEVICE at the source", 1000)


def offload(node, device, what, is_on):
    """Turns what a network card does for the kernel on or off."""
    with node.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        wish = array.array("I", [what, is_on])
        fcntl.ioctl(asker, SIOCETHTOOL, struct.pack("16sP", device.encode(), wish.buffer_info()[0]))


def join_on_the_way(nodes):
    """Between the nodes each segment goes alone, and the dest joins those that come together."""
    offload(nodes.source, "s1", ETHTOOL_STSO, False)
    offload(nodes.dest, "d1", ETHTOOL_SGRO, True)
    # For as long as it takes to send some.
    lab.tool("ip", "netns", "exec", nodes.dest.name, "sh", "-c",
             "echo 5000000 > /sys/class/net/d1/gro_flush_timeout; "
             "echo 50 > /sys/class/net/d1/napi_defer_hard_irqs")


def segments(count):
    """One flow of TCP to the guest, as packets."""
    ends = lab.octets(CLIENT[4]) + lab.octets(GUEST)
    for number in range(count):
        head = struct.pack("!HHIIBBHHH", 40000, 40001, number * BYTES, 1, 5 << 4, 0x10, 1000, 0, 0)
        data = bytes(BYTES)
        pseudo = ends + struct.pack("!II", socket.IPPROTO_TCP, len(head) + BYTES)
        total = lab.checksum(pseudo + head + data)
        yield (struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(head) + BYTES, number % 65536, 0x4000, 64,
                           socket.IPPROTO_TCP, 0) + ends + head[:16] +
               struct.pack("!H", total) + head[18:] + data)


def send_flow(nodes, packets):
    """Whole packets, in bursts, from the client to the guest."""
    with nodes.client.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                              socket.IPPROTO_RAW) as client:
        for number, one in enumerate(packets):
            client.sendto(one, (GUEST, 0))
            if number % 50 == 49:
                time.sleep(0.01)


def test_joined(nodes):
    """Segments that a network card joins on the way are counted one by one, in full and in part"""
    for lost in (0, 7):
        move = Move(nodes, HOLD)
        join_on_the_way(nodes)
        flow = segments(COUNT)
        send_flow(nodes, itertools.islice(flow, 1000))
        with leading_away(nodes):
            send_flow(nodes, itertools.islice(flow, lost))
        send_flow(nodes, flow)
        time.sleep(0.2)
        said, _ = move.finish()
        tunnel, = (point for point in said["dest"]["ledger"]["here"]["points"]
                   if point["part"] == "tunnel")
        joined = COUNT - lost - tunnel["after"]["counters"]["rx_packets"]
        assert joined > COUNT // 10, f"{joined} were joined, which proves nothing"
        print(f"# {joined} were joined")
        text = f"zero lost of {COUNT:,} diverted"
        if lost:
            text = f"LOST {lost} packets: the wire between the nodes"
        for role, one in said.items():
            assert one["ledger"]["text"] == text, (role, one["ledger"])


def test_unknown(nodes):
    """Without the other node's counters nothing is proven"""
    move = Move(nodes, HOLD, "--require-zero-loss")
    move.send(100)
    move.runs["dest"].kill()
    ended = move.runs["source"].end(WITHIN)
    last = json.loads(ended.out.splitlines()[-1])
    assert ended.code == UNPROVEN and last["end"] == "aborted", ended
    assert last["ledger"]["text"] == "not proven: the other node's counters are unknown", last
    nodes.dest_tap.empty()
    assert nodes.recover().code == 0


if __name__ == "__main__":
    tap.run(globals(), nodes=lab.nodes)
