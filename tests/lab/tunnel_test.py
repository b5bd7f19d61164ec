# SPDX-License-Identifier: Apache-2.0
"""tunnel_test.py: a guest's packets, diverted through each kind of tunnel and back, all of them.

What this kernel has no devices for is skipped; tools/lab has all of them.
"""
import contextlib
import functools
import os
import signal
import socket
import subprocess

import nodes as lab
import tap
from nodes import DEST, GUEST_MAC, GUESTS, SOURCE, unchanged

WITHIN = 60
SIZES = {4: range(64, 1501), 6: range(64, 1501)}
FEW = [64, 576, 1280, 1428, 1452, 1476, 1480, 1499, 1500]
# The device that the network sees, by mode and family of the ends.
KINDS = {("ipip", 4): "ipip", ("ipip", 6): "ip6tnl", ("gre", 4): "gre", ("gre", 6): "ip6gre",
         ("vxlan", 4): "vxlan", ("vxlan", 6): "vxlan"}
# The largest packets that pass without a wrapping, of IPv4 and of IPv6.
BARE = {("ipip", 4): (1500, 0), ("ipip", 6): (1460, 1460), ("gre", 4): (1500, 1500),
        ("gre", 6): (1456, 1456), ("vxlan", 4): (1500, 1450), ("vxlan", 6): (1430, 1430)}

SOURCE_PLAN = """
state "turning" {{ within = "30s", next = "turned",
  enter = function(m)
    m.note.tunnel = net.tunnel {{ {tunnel}, netns = {netns} }}
    log.info("carries %d and %d", m.note.tunnel.carries.v4, m.note.tunnel.carries.v6)
    m.note.path = net.divert {{ {divert}, into = m.note.tunnel, netns = {netns} }}
    m.note.path.turn()
    log.info("it is turned")
  end }},
state "turned" {{ within = "60s",
  on {{ "signal:USR1", go = "back" }}, on {{ "signal:USR2", go = "done" }} }},
state "back" {{ within = "60s",
  enter = function(m)
    m.note.path.back()
    log.info("it is back")
  end,
  on {{ "signal:USR1", go = "again" }}, on {{ "signal:USR2", go = "done" }} }},
state "again" {{ within = "60s",
  enter = function(m)
    m.note.path.turn()
    log.info("it is turned again")
  end,
  on {{ "signal:USR2", go = "done" }} }},
"""
DEST_PLAN = """
state "arriving" {{ within = "30s", next = "arrived",
  enter = function(m)
    m.note.tunnel = net.tunnel {{ {tunnel}, netns = {netns} }}
    {arrive}
    log.info("it may come")
  end }},
state "arrived" {{ within = "60s", on {{ "signal:USR2", go = "abort" }} }},
"""
ARRIVE = 'net.arrive {{ {guests}, tap = "tap0", mac = "{mac}", netns = {netns} }}'


def lua_list(values):
    """Texts as items of a table."""
    return ", ".join(f'"{value}"' for value in values)


@functools.cache
def lacks(*kinds):
    """What of it this kernel does not have."""
    return tuple(kind for kind in kinds if not lab.has_kinds(kind))


def need(*kinds):
    """Skips the test where the kernel has not all of it."""
    if missing := lacks(*kinds):
        tap.lacks(*missing)
        raise tap.Skip(f"THIS KERNEL HAS NO {' '.join(missing).upper()}; tools/lab has")


class Crossing:
    """Two runs, at the source and at the dest, with a tunnel between them."""

    def __init__(self, nodes, tunnel, outer, guests, places=None, divert="", arrive=ARRIVE,
                 home=None):
        self.nodes, self.guests = nodes, guests
        source_place, dest_place = places or (nodes.source.name, nodes.dest.name)
        items = lua_list(guests)
        quoted = f'"{dest_place}"' if dest_place else "nil"
        self.dest = nodes.start("to", DEST_PLAN.format(
            tunnel=f'{tunnel}, to = "{SOURCE[outer]}", from = "{DEST[outer]}"', netns=quoted,
            arrive=arrive.format(guests=items, mac=GUEST_MAC, netns=quoted)), "dest",
            home and home[1])
        self.wait(self.dest, "it may come")
        quoted = f'"{source_place}"' if source_place else "nil"
        self.source = nodes.start("from", SOURCE_PLAN.format(
            tunnel=f'{tunnel}, to = "{DEST[outer]}", from = "{SOURCE[outer]}"', netns=quoted,
            divert=f"{{ {items} }}{divert}" if guests else divert), "source", home and home[0])

    @staticmethod
    def wait(running, phrase):
        """Waits for what a run says, or for its end, which is wrong then."""
        lab.stage.until(lambda: phrase in running.out.so_far() or running.has_ended(), WITHIN,
                        phrase)
        assert phrase in running.out.so_far(), running.end(WITHIN)

    def turned(self):
        """Waits until the source has turned; what its tunnel carries."""
        self.wait(self.source, "it is turned")
        return self.carries()

    def carries(self):
        """What the source's tunnel carries, of IPv4 and of IPv6."""
        words = self.source.out.so_far().split("carries ")[1].splitlines()[0].split()
        return int(words[0]), int(words[2])

    def step(self, phrase):
        """Sends the source on, and waits for what it says then."""
        self.source.signal(signal.SIGUSR1)
        self.wait(self.source, phrase)

    def end(self):
        """Ends both runs, the dest's by an abort; each must say that nothing stays."""
        self.source.signal(signal.SIGUSR2)
        self.dest.signal(signal.SIGUSR2)
        for running, code in ((self.source, 0), (self.dest, 1)):
            ended = running.end(WITHIN)
            assert ended.code == code and ended.err == "", ended
            assert "; nothing was left behind" in ended.out.splitlines()[-1], ended

    def cross(self, sizes, into, hops=lab.HOPS):
        """All sizes to all guests come out of this tap, unchanged, and nothing anywhere else."""
        others = [tap_ for tap_ in self.nodes.taps.values() if tap_ is not into]
        for guest in self.guests:
            wanted = set(sizes[lab.family_of(guest)] if isinstance(sizes, dict) else sizes)
            arrived = self.nodes.crossing(guest, sorted(wanted), into, hops, others)
            assert arrived == wanted, f"{guest}: not these sizes: {sorted(wanted - arrived)[:20]}"


def read_both(nodes):
    """Both taps are read from here on."""
    nodes.source_tap.read()
    nodes.dest_tap.read()


def assert_local(nodes, guests, tunnel):
    """Datagrams of full size that the source's own programs send pass, too."""
    for guest in guests:
        with lab.datagrams(nodes.source, guest) as own:
            before = len(nodes.dest_tap.packets())
            for number in range(3):
                own.send(lab.payload(number, 1500 - lab.HEADERS[lab.family_of(guest)]))
            lab.stage.until(lambda start=before: len(nodes.dest_tap.packets()) >= start + 3, 3,
                            f"what the source itself sends, by {tunnel}")


def cross_and_return(nodes, tunnel, outer, guests, sizes=None, **how):
    """There, back, and there again; what the tunnel carries."""
    crossing = Crossing(nodes, tunnel, outer, guests, **how)
    carries = crossing.turned()
    crossing.cross(sizes or SIZES, nodes.dest_tap)
    crossing.step("it is back")
    crossing.cross(FEW, nodes.source_tap, hops=1)
    crossing.step("it is turned again")
    crossing.cross([size for size in FEW if size in (sizes or FEW)], nodes.dest_tap)
    crossing.end()
    crossing.cross(FEW, nodes.source_tap, hops=1)
    heard = nodes.ear.heard()
    assert not heard, f"the client was told of errors: {heard[:5]}"
    return carries


# --- Each tunnel ----------------------------------------------------------------------------------

def wrapped(nodes, mode):
    """Wrapped, all sizes pass, whatever is outside and inside; nothing stays"""
    need(KINDS[mode, 4], KINDS[mode, 6], "gre")
    read_both(nodes)
    with unchanged(nodes.source, nodes.dest):
        for outer in (4, 6):
            carries = cross_and_return(nodes, f'mode = "{mode}"', outer,
                                       [GUESTS[4][0], GUESTS[6][0]])
            assert carries == (1500, 1500), carries


def assert_refused(nodes, tunnel, outer, guest, carried):
    """A diversion into what does not carry its packets is refused before anything is diverted."""
    with unchanged(nodes.source):
        ended = nodes.start("from", SOURCE_PLAN.format(
            tunnel=f'{tunnel}, to = "{DEST[outer]}", from = "{SOURCE[outer]}"',
            netns=f'"{nodes.source.name}"', divert=f'"{guest}"')).end(WITHIN)
    last = ended.out.splitlines()[-1]
    words = "carries none of the packets" if carried == 0 else f"of at most {carried} bytes"
    assert ended.code == 1 and words in last, ended
    assert last.endswith("nothing was left behind") and "is turned" not in ended.out, ended


def bare(nodes, mode, outer):
    """Bare, exactly the sizes pass that the tunnel says it carries; others are refused"""
    need(KINDS[mode, outer])
    read_both(nodes)
    tunnel = f'mode = "{mode}", wrapped = false'
    carries = BARE[mode, outer]
    for guest, carried in zip((GUESTS[4][0], GUESTS[6][0]), carries):
        if carried == 1500:
            with unchanged(nodes.source, nodes.dest):
                assert cross_and_return(nodes, tunnel, outer, [guest]) == carries
            continue
        assert_refused(nodes, tunnel, outer, guest, carried)
        if carried > 0:
            crossing = Crossing(nodes, tunnel, outer, [guest], divert=f", mtu = {carried}")
            assert crossing.turned() == carries, crossing.carries()
            crossing.cross(range(64, carried + 1), nodes.dest_tap)
            above = nodes.crossing(guest, range(carried + 1, 1501), nodes.dest_tap)
            crossing.end()
            # By the first that is too large some kernels learn that it is.
            assert len(above) <= 1, f"more passes than {carried}: {sorted(above)}"
            nodes.ear.heard()


def a_test(function, *words):
    """A test of one kind of tunnel."""
    def test(nodes):
        function(nodes, *words)
    test.__doc__ = f"{' over IPv'.join(map(str, words))}: {function.__doc__}"
    return test


MODES = ("ipip", "gre", "vxlan")
globals().update({f"test_wrapped_{mode}": a_test(wrapped, mode) for mode in MODES})
globals().update({f"test_bare_{mode}_v{outer}": a_test(bare, mode, outer)
                  for mode, outer in KINDS})


# --- Around it ------------------------------------------------------------------------------------

def some_tunnel():
    """A tunnel that this kernel has, for tests that need any, and the sizes that it carries."""
    if not lacks("gre"):
        return 'mode = "gre"', range(64, 1501, 13)
    need("vxlan")
    return 'mode = "vxlan", wrapped = false', range(64, 1451, 13)


def test_places(nodes):
    """A namespace is named, or our own, or a path below /proc, and each is another's as it was"""
    tunnel, sizes = some_tunnel()
    read_both(nodes)
    with contextlib.ExitStack() as stack:
        paths = []
        for node in (nodes.source, nodes.dest):
            with node.inside():
                sleeper = subprocess.Popen(["sleep", "300"])
            stack.callback(sleeper.wait)
            stack.callback(sleeper.kill)
            paths.append(f"/proc/{sleeper.pid}/ns/net")
        own = lab.Node(f"ktm-t-{os.getpid()}-own")
        stack.callback(own.remove)
        with unchanged(nodes.source, nodes.dest, own):
            cross_and_return(nodes, tunnel, 4, [GUESTS[4][0]], sizes, places=paths,
                             home=(own, own))
            cross_and_return(nodes, tunnel, 4, [GUESTS[4][1]], sizes, places=("", ""),
                             home=(nodes.source, nodes.dest))


def test_several_addresses(nodes):
    """Three addresses of each family are diverted by one turn, and come back by one"""
    tunnel, sizes = some_tunnel()
    read_both(nodes)
    with unchanged(nodes.source, nodes.dest):
        cross_and_return(nodes, tunnel, 4, GUESTS[4] + GUESTS[6], sizes,
                         divert=f", mtu = {sizes[-1]}")


def test_former_routes(nodes):
    """Routes with all kinds of attributes, also in another table, stay behind ours untouched"""
    tunnel, sizes = some_tunnel()
    read_both(nodes)
    first, second, third = GUESTS[4]
    nodes.source.ip(
        f"route del {first}", f"route del {second}", f"route del {third}",
        f"route add {first} dev tap0 metric 50 mtu 1500 src 10.1.0.2 proto static",
        f"route append {first} dev s1 metric 60 proto 99",
        "route add 10.9.1.1 dev tap0",
        f"neigh replace 10.9.1.1 dev tap0 lladdr {GUEST_MAC} nud permanent",
        f"route add {second} via 10.9.1.1 dev tap0 onlink advmss 1400",
        f"rule add to {third} lookup 100 pref 77", f"route add {third} dev tap0 table 100",
        f"route del {GUESTS[6][0]}",
        f"route add {GUESTS[6][0]} dev tap0 metric 7 mtu 1500 proto static")
    before = nodes.source.listing()["route"]
    with unchanged(nodes.source, nodes.dest):
        for guests, more in (([first, second, GUESTS[6][0]], f", mtu = {sizes[-1]}"),
                             ([third], f", mtu = {sizes[-1]}, table = 100")):
            crossing = Crossing(nodes, tunnel, 4, guests, divert=more)
            crossing.turned()
            crossing.cross(sizes, nodes.dest_tap)
            now = nodes.source.listing()["route"]
            gone = [route for route in before if route not in now]
            assert not gone, gone
            crossing.step("it is back")
            crossing.cross(sizes, nodes.source_tap, hops=1)
            crossing.end()
            crossing.cross(sizes, nodes.source_tap, hops=1)


def test_reverse_path_filter(nodes):
    """A dest that filters by reverse path, strictly or loosely, lets in what comes by the tunnel"""
    tunnel, sizes = some_tunnel()
    read_both(nodes)
    for filtering in (1, 2):
        nodes.dest.setting("ipv4/conf/all/rp_filter", filtering)
        nodes.dest.setting("ipv4/conf/default/rp_filter", filtering)
        with unchanged(nodes.source, nodes.dest):
            cross_and_return(nodes, tunnel, 4, [GUESTS[4][0]], sizes)


def test_ids(nodes):
    """Two migrations between the same nodes have a tunnel each, told apart by their ids"""
    need("gre", "ip6gre", "vxlan")
    read_both(nodes)
    for mode in ("gre", "vxlan"):
        with unchanged(nodes.source, nodes.dest):
            both = []
            for number in (0, 1):
                both.append(Crossing(nodes, f'mode = "{mode}", id = {number}', 6,
                                     [GUESTS[4][number], GUESTS[6][number]]))
                both[-1].turned()
            for crossing in both:
                crossing.cross(range(1200, 1501), nodes.dest_tap)
            for crossing in both:
                crossing.end()
        assert not nodes.ear.heard(), mode


def test_local_programs(nodes):
    """What programs of the source itself send to the guest passes in full size, too"""
    need("gre", "ipip", "ip6tnl")
    read_both(nodes)
    # Not by a bare vxlan: the kernel tells programs, and not what it forwards, that it is smaller.
    for tunnel, outer in (('mode = "gre"', 4), ('mode = "ipip"', 6),
                          ('mode = "ipip", wrapped = false', 4)):
        crossing = Crossing(nodes, tunnel, outer, [GUESTS[4][0]])
        crossing.turned()
        assert_local(nodes, [GUESTS[4][0]], tunnel)
        crossing.end()


# --- Frames ---------------------------------------------------------------------------------------

CLIENT_MAC = bytes.fromhex("020000000101")
FRAMES = ('net.divert {{ on = m.note.tunnel, into = "tap0", incoming = true, '
          'netns = {netns} }}.turn()')


def frame(number, size, mac=GUEST_MAC, tag=b""):
    """An Ethernet frame to the guest, with a packet of ours inside."""
    to = bytes.fromhex(mac.replace(":", ""))
    return (to + CLIENT_MAC + tag + b"\x08\x00" +
            lab.packet(GUESTS[4][0], number, size))


def of_client(frames):
    """Those frames that the client sent; devices say things of their own, too."""
    return [one for one in frames if one[6:12] == CLIENT_MAC]


def assert_frames(nodes, frames, into):
    """The frames that the client sends come out there, and as they were."""
    seen = len(into.frames)
    with nodes.client.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("c0", 0))
        for one in frames:
            wire.send(one)
    lab.stage.until(lambda: len(of_client(into.frames[seen:])) >= len(frames), 3,
                    f"{len(frames)} frames in {into.node.name}")
    assert of_client(into.frames[seen:]) == frames, "the frames were changed"


def kata_like(nodes):
    """The source's s0 and its tap are led into each other, as Kata Containers does it."""
    nodes.source.tc("qdisc add dev s0 handle ffff: ingress",
                    "qdisc add dev tap0 handle ffff: ingress",
                    *(f"filter add dev {one} parent ffff: protocol all u32 match u32 0 0 "
                      f"action mirred egress redirect dev {other}"
                      for one, other in (("s0", "tap0"), ("tap0", "s0"))))


def test_frames(nodes):
    """Frames of a guest of Kata go through the tunnel and back, and its own filters stay"""
    need("gretap", "vxlan", "ipip")
    read_both(nodes)
    kata_like(nodes)
    sizes = [64, 576, 1499, 1500]
    frames = [frame(number, size) for number, size in enumerate(sizes)]
    frames.append(frame(99, 1500, tag=b"\x81\x00\x00\x07"))
    other = [frame(7, 700, mac="02:aa:00:00:00:77")]
    assert_frames(nodes, frames, nodes.source_tap)
    with unchanged(nodes.source, nodes.dest):
        for tunnel in ('mode = "ipip", frames = true', 'mode = "gre", frames = true',
                       'mode = "vxlan", frames = true, wrapped = false'):
            crossing = Crossing(nodes, tunnel, 4, [], arrive=FRAMES,
                                divert=f'on = "s0", incoming = true, mac = "{GUEST_MAC}"')
            crossing.turned()
            assert_frames(nodes, frames, nodes.dest_tap)
            assert_frames(nodes, other, nodes.source_tap)
            crossing.step("it is back")
            assert_frames(nodes, frames, nodes.source_tap)
            crossing.step("it is turned again")
            assert_frames(nodes, frames, nodes.dest_tap)
            crossing.end()
            assert_frames(nodes, frames + other, nodes.source_tap)


def test_frames_that_leave(nodes):
    """What a bridge sends to the guest's tap is caught there, where no filter was before"""
    tunnel = ('mode = "vxlan", wrapped = false, frames = true' if lacks("gretap") else
              'mode = "gre", frames = true')
    read_both(nodes)
    nodes.source.ip("link add br0 type bridge", "link set br0 addrgenmode none up",
                    "link set s0 master br0", "link set tap0 master br0")
    frames = [frame(number, size) for number, size in enumerate([64, 1500])]
    lab.stage.until(lambda: _passes(nodes, frames[0]), 5, "the bridge")
    lab.stage.until(lambda: "state UP" in nodes.source.ip("link show br0"), 5, "the bridge's state")
    with unchanged(nodes.source, nodes.dest):
        crossing = Crossing(nodes, tunnel, 4, [], arrive=FRAMES,
                            divert=f'on = "tap0", mac = "{GUEST_MAC}"')
        crossing.turned()
        assert_frames(nodes, frames, nodes.dest_tap)
        crossing.step("it is back")
        assert_frames(nodes, frames, nodes.source_tap)
        crossing.end()
    assert_frames(nodes, frames, nodes.source_tap)


def _passes(nodes, one):
    try:
        assert_frames(nodes, [one], nodes.source_tap)
    except AssertionError:
        return False
    return True


tap.run(globals(), nodes=lab.nodes)
