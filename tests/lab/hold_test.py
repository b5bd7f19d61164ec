# SPDX-License-Identifier: Apache-2.0
"""hold_test.py: what a hold keeps for a guest that stands still, and what it says when it cannot.

The client sends, the dest holds, and the test reads the tap as the guest's QEMU would. What this
kernel has no qdisc for is skipped; tools/lab has a plug.
"""
import contextlib
import functools
import json
import re
import signal
import time

import nodes as lab
import tap
from nodes import GUEST_MAC, GUESTS, unchanged

WITHIN = 60
GUEST = GUESTS[4][0]
BYTES = 1400
FRAME_BYTES = BYTES + 28 + 14
PACE = 30000
RING_LAG = 15  # places of a ring that are read and not free yet

PLAN = """
state "holding" {{ within = "30s", next = "held",
  enter = function(m)
    m.note.hold = net.hold {{ "tap0", {options}, netns = "{node}" }}
    log.info("plug %s, ring %d, capacity %d", tostring(m.note.hold.plug), m.note.hold.ring,
             m.note.hold.capacity)
    m.note.hold.block()
    log.info("it holds")
  end }},
state "held" {{ within = "60s",
  on {{ "signal:USR1", go = "open" }}, on {{ "signal:USR2", go = "released" }} }},
state "open" {{ within = "60s",
  enter = function(m)
    local before = m.note.hold.counts()
    log.info("queued %d", before.queued)
    local began = now()
    m.note.hold.open()
    log.info("it is open, after %.3f ms", now() - began)
  end,
  on {{ "signal:USR2", go = "released" }} }},
state "released" {{ within = "80s", next = "done",
  enter = function(m)
    local c = m.note.hold.release()
    log.info("counts {{\\"taken\\": %d, \\"dropped_plug\\": %d, \\"dropped_ring\\": %d, " ..
             "\\"left\\": %d, \\"lost\\": %d, \\"guarded\\": %s}}", c.taken, c.dropped_plug,
             c.dropped_ring, c.left, c.lost, tostring(c.guarded))
  end }},
"""
SMALL = 'rate = 1000, pause = "300ms", small = true'


@functools.cache
def lacks(*kinds):
    """What of it this kernel does not have."""
    return tuple(kind for kind in kinds if not lab.has_kinds(kind))


def need_plug():
    """Skips the test where the kernel has no plug."""
    if lacks("qdisc plug"):
        tap.lacks("plug")
        raise tap.Skip("THIS KERNEL HAS NO PLUG; tools/lab has")


class Held:
    """A run that holds, on the tap of the dest."""

    def __init__(self, nodes, options, **environment):
        self.nodes, self.tap = nodes, nodes.dest_tap
        if 'mode = "ring"' not in options and lacks("qdisc plug"):
            tap.lacks("plug")  # The hold will be a ring alone.
        self.run = nodes.start("hold", PLAN.format(options=options, node=nodes.dest.name),
                               **environment)

    def wait(self, phrase):
        """Waits for what the run says, or for its end, which is wrong then."""
        lab.stage.until(lambda: phrase in self.run.out.so_far() or self.run.has_ended(), WITHIN,
                        phrase)
        assert phrase in self.run.out.so_far(), self.run.end(WITHIN)
        return self

    def send(self, count):
        """So many packets for the guest, with numbers from 0; nobody reads them yet."""
        with lab.datagrams(self.nodes.client, GUEST) as client:
            before = forwarded(self.nodes.dest)
            for number in range(1, count + 1):
                client.send(lab.payload(number - 1, BYTES))
                if number % 200 == 0 or number == count:
                    # Faster than this machine is, packets would be lost before they are here.
                    lab.stage.until(lambda sent=number: forwarded(self.nodes.dest) - before >= sent,
                                    WITHIN, f"{number} packets on their way through the dest")

    def step(self, number, phrase):
        """Sends the run on, and waits for what it says then."""
        self.run.signal(number)
        return self.wait(phrase)

    def wait_for(self, count, within=WITHIN):
        """Waits until the reader has so many packets."""
        lab.stage.until(lambda: len(self.tap.frames) >= count, within, f"{count} packets")

    def numbers(self):
        """The numbers of the packets that the reader has, in the order in which they came."""
        return [lab.number_of(data) for data in self.tap.packets()]

    def end(self, code):
        """Releases, and waits for the end; the counts and the last line."""
        self.run.signal(signal.SIGUSR2)
        ended = self.run.end(WITHIN)
        assert ended.code == code and ended.err == "", ended
        counts = json.loads(re.search(r"counts (\{.*\})", ended.out)[1])
        return counts, ended


def lead_to_dest(nodes):
    """The client's packets for the guest go to the dest's tap, as behind a diversion."""
    nodes.source.ip(f"route replace {GUEST} via 10.2.0.2 dev s1")
    nodes.dest.ip(f"route replace {GUEST} dev tap0",
                  f"neigh replace {GUEST} dev tap0 lladdr {GUEST_MAC} nud permanent")
    nodes.dest.setting("ipv4/conf/d1/forwarding", 1)
    # The kernel itself says a word on a device that knows IPv6; here each packet counts.
    nodes.dest.setting("ipv6/conf/tap0/disable_ipv6", 1)
    nodes.dest_tap.empty()


def forwarded(node):
    """How many packets of others a node has sent on."""
    with node.inside(), open("/proc/thread-self/net/snmp", encoding="ascii") as file:
        names, values = [line.split() for line in file if line.startswith("Ip:")]
    return int(values[names.index("ForwDatagrams")])


def qdiscs(nodes):
    """What is on the tap."""
    return [one for one in nodes.dest.listed("tc", "qdisc show")[0] if one["dev"] == "tap0"]


# --- Nothing is lost ------------------------------------------------------------------------------

def keeps_all(nodes, mode, count=10000):
    """Packets are kept in order for a reader that comes late and is slow."""
    with unchanged(nodes.dest):
        held = Held(nodes, f'rate = 20000, pause = "250ms", mode = "{mode}"').wait("it holds")
        held.send(count)
        held.step(signal.SIGUSR1, "it is open")
        held.tap.read(pace=PACE, after=0.3)
        held.wait_for(1)
        counts, ended = held.end(0)
        held.wait_for(count)
        assert held.numbers() == list(range(count)), "they are not in order"
        assert counts["lost"] == 0 and not counts["guarded"], counts
        assert "lost" not in ended.out.splitlines()[-1], ended
        if "plug" in mode:
            assert f"queued {count}" in ended.out, ended
    taken = held.tap.times
    print(f"# {mode}: {len(taken)} packets read in {taken[-1] - taken[0]:.2f} s; "
          f"{re.search(r'it is open, after .*', ended.out)[0]}")


def test_ring(nodes):
    """A ring keeps 10,000 packets in order for a reader that comes late and is slow"""
    keeps_all(nodes, "ring")


def test_plug_and_ring(nodes):
    """Plug and ring keep 10,000 packets in order for a reader that comes late and is slow"""
    need_plug()
    keeps_all(nodes, "plug+ring")


def test_release_before_the_reader(nodes):
    """A release waits for a reader that comes 200 ms later, and nothing is lost"""
    held = Held(nodes, 'rate = 20000, pause = "250ms"').wait("it holds")
    held.send(5000)
    held.tap.read(pace=PACE, after=0.2)
    counts, _ = held.end(0)
    held.wait_for(5000)
    assert counts["lost"] == 0 and held.numbers() == list(range(5000)), counts


# --- What is lost is told -------------------------------------------------------------------------

def assert_told(counts, ended, lost):
    """The counts and the last line tell of the loss."""
    last = ended.out.splitlines()[-1]
    assert counts["lost"] == lost, counts
    assert f"; LOST {lost:,} packets: " in last, ended


def test_too_little_is_refused(nodes):
    """A plug for 22 packets is refused where 1,000 are expected, and nothing is changed"""
    need_plug()
    with unchanged(nodes.dest):
        run = Held(nodes, 'rate = 10000, pause = "100ms", limit = 32768').run
        ended = run.end(WITHIN)
    last = ended.out.splitlines()[-1]
    assert ended.code == 1 and "too-little" in last and "21 packets" in last, ended
    assert last.endswith("nothing was left behind"), ended


def test_small_plug(nodes):
    """A plug of 32,768 bytes, wanted nevertheless, loses 978 of 1,000, and the run says so"""
    need_plug()
    held = Held(nodes, 'rate = 10000, pause = "100ms", limit = 32768, small = true')
    held.wait("it holds").send(1000)
    held.step(signal.SIGUSR1, "it is open")
    held.tap.read(pace=PACE)
    counts, ended = held.end(0)
    fits = 32768 // FRAME_BYTES
    assert len(held.numbers()) == fits == 22, len(held.numbers())
    assert counts["dropped_plug"] == 978, counts
    assert_told(counts, ended, 978)


def test_small_ring(nodes):
    """A ring of 1,000 loses what is more of 5,000 packets, and the run says so"""
    need = 'rate = 10000, pause = "250ms", mode = "ring", ring = 1000'
    with unchanged(nodes.dest):
        ended = Held(nodes, need).run.end(WITHIN)
        assert ended.code == 1 and "too-little" in ended.out.splitlines()[-1], ended
        held = Held(nodes, need + ", small = true").wait("it holds")
        held.send(5000)
        held.tap.read(pace=PACE)
        held.wait_for(1000 - RING_LAG)
        counts, ended = held.end(0)
    came = len(held.numbers())
    assert held.numbers() == list(range(came)) and 1000 - RING_LAG <= came <= 1000, came
    assert counts["dropped_ring"] == 5000 - came, (counts, came)
    assert_told(counts, ended, 5000 - came)


def test_nobody_reads(nodes):
    """What nobody takes is given up after a while, and counted"""
    held = Held(nodes, 'rate = 20000, pause = "250ms"').wait("it holds")
    held.send(5000)
    began = time.monotonic()
    counts, ended = held.end(0)
    print(f"# given up after {time.monotonic() - began:.2f} s: {counts}")
    held.tap.read()
    time.sleep(0.5)
    assert counts["taken"] == 0 and counts["lost"] >= 5000 - len(held.numbers()), counts
    assert_told(counts, ended, counts["lost"])


# --- What was there comes back --------------------------------------------------------------------

FORMER = (("pfifo limit 77", "replace dev tap0 root handle 5: pfifo limit 77"),
          # Of its times the kernel keeps multiples of 128 us as they are; it rounds the others.
          ("fq_codel", "replace dev tap0 root fq_codel limit 500 flows 64 target 3200us "
                       "interval 102400us"),
          ("tbf", "replace dev tap0 root handle 9: tbf rate 800mbit burst 64kb latency 50ms"),
          ("noqueue", "replace dev tap0 root noqueue"),
          ("bfifo", "replace dev tap0 root handle 1: bfifo limit 99999"))


def test_former_qdiscs(nodes):
    """The qdisc that was on the tap is put back with its parameters, and so is the ring's length"""
    missing, tried = [], []
    nodes.dest.ip("link set tap0 txqueuelen 777")
    nodes.dest_tap.read()
    for name, line in FORMER:
        if not lab.has_kinds(f"qdisc {line.split('root ')[1].split(': ')[-1]}"):
            missing.append(name)
            tap.lacks(name)
            continue
        nodes.dest.tc(f"qdisc {line}")
        with unchanged(nodes.dest):
            held = Held(nodes, 'rate = 2000, pause = "100ms"').wait("it holds")
            held.send(100)
            counts, _ = held.end(0)
            assert counts["lost"] == 0, (name, counts)
        tried.append(name)
    print(f"# tried {', '.join(tried)}; missing {', '.join(missing) or 'none'}")


def test_parts(nodes):
    """A qdisc with parts is not touched: the ring alone holds, or the hold is refused"""
    if lacks("qdisc htb"):
        tap.lacks("htb")
        raise tap.Skip("THIS KERNEL HAS NO HTB")
    nodes.dest_tap.read()
    nodes.dest.tc("qdisc replace dev tap0 root handle 2: htb default 1",
                  "class add dev tap0 parent 2: classid 2:1 htb rate 900mbit",
                  "qdisc add dev tap0 parent 2:1 handle 3: pfifo limit 55")
    with unchanged(nodes.dest):
        ended = Held(nodes, 'rate = 2000, pause = "100ms", mode = "plug+ring"').run.end(WITHIN)
        last = ended.out.splitlines()[-1]
        assert ended.code == 1 and last.endswith("nothing was left behind"), ended
        held = Held(nodes, 'rate = 2000, pause = "100ms"').wait("plug false")
        held.wait("it holds").send(100)
        assert held.end(0)[0]["lost"] == 0


def test_default_qdisc(nodes):
    """Where the kernel's default was, it is again, and only one hold fits on a tap"""
    nodes.dest_tap.read()
    with unchanged(nodes.dest):
        held = Held(nodes, 'rate = 20000, pause = "100ms"').wait("it holds")
        print(f"# {[(one['kind'], one['handle']) for one in qdiscs(nodes)]}")
        if not lacks("qdisc plug"):
            ended = Held(nodes, 'rate = 20000, pause = "100ms"').run.end(WITHIN)
            assert ended.code == 1 and "has a hold already" in ended.out, ended
        held.end(0)


# --- The guard ------------------------------------------------------------------------------------

def test_killed(nodes):
    """When we are killed, the guard opens the plug at once, and recover puts everything back"""
    need_plug()
    with unchanged(nodes.dest):
        held = Held(nodes, 'rate = 20000, pause = "100ms"').wait("it holds")
        held.tap.read()
        held.send(2000)
        time.sleep(0.2)
        assert not held.numbers(), "the plug does not hold"
        began = time.monotonic()
        held.run.signal(signal.SIGKILL)
        held.wait_for(2000)
        waited = held.tap.times[0] - began
        assert held.run.end().code == -signal.SIGKILL
        assert held.numbers() == list(range(2000))
        journals = nodes.journals()
        ended = nodes.recover()
        assert ended.code == 0 and len(journals) == 1, (ended, journals)
        print(f"# the first packet after {1000 * waited:.1f} ms, the last after "
              f"{1000 * (held.tap.times[-1] - began):.1f} ms; {ended.out.splitlines()[-1]}")
        assert waited < 0.1, waited


def test_stopped(nodes):
    """When we stand still, the guard opens the plug after `at_most`, and the run tells of it"""
    need_plug()
    with unchanged(nodes.dest):
        held = Held(nodes, 'rate = 20000, pause = "100ms", at_most = "1s"').wait("it holds")
        began = time.monotonic()
        held.run.signal(signal.SIGSTOP)
        held.tap.read()
        held.send(1000)
        held.wait_for(1)
        waited = held.tap.times[0] - began
        held.wait_for(1000)
        held.run.signal(signal.SIGCONT)
        counts, ended = held.end(0)
        print(f"# the first packet after {1000 * waited:.1f} ms")
        assert counts["guarded"] and counts["lost"] == 0, counts
        assert "opened by its guard" in ended.out, ended
        assert held.numbers() == list(range(1000))
        assert 0.7 < waited < 1.3, waited


@contextlib.contextmanager
def nodes_led():
    """The fixture: nodes, and the guest's packets come to the dest."""
    with lab.nodes() as nodes:
        lead_to_dest(nodes)
        yield nodes


tap.run(globals(), nodes=nodes_led)
