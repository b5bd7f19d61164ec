# SPDX-License-Identifier: Apache-2.0
"""migrations.py: one cell of the matrix: a real guest moved once under traffic, and what was found.

The names of cells are those of tools/lab_matrix.
"""
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import moving  # noqa: E402  (found through the path above)
import nodes  # noqa: E402
import tap  # noqa: E402
from verdict import Verdict  # noqa: E402

ATTEMPTS, BULK = 5, 4_000_000
FAMILIES = {"v4": [4], "v6": [6], "dual": [4, 6]}
# What a guest that came is given, and what stays of a hold that was finished: see PLANS.md.
OF_THE_GUEST = ("protocol': '108'", "txqlen", "qdisc", moving.TAP_MAC,
                *(f"'dst': '{guest}', 'dev': 'tap0'" for guest in moving.GUEST.values()))


def network_of(tunnel, addresses):
    """The options of a tunnel on this kernel, and the MTU that the link between the nodes needs."""
    family = "6" if addresses == "v6" else ""
    if tunnel == "vxlan" and not nodes.has_kinds(f"ip6{'gre'}" if family else "gre"):
        # Without a gre inside it fragments nothing, and no IPv6 of the guest nor over IPv6.
        return {"wrapped": "no"}, 1500 if addresses == "v4" else 1600, ("vxlan",)
    kinds = {"ipip": ("ip6tnl", "ip6gre") if family else ("ipip", "gre"),
             "gre": ("ip6gre",) if family else ("gre",),
             "vxlan": ("vxlan",)}[tunnel]
    return {}, 1500, kinds


def set_plug(is_wanted):
    """A kernel with or without a plug; in a kernel of the lab the module can be taken away."""
    has = nodes.has_kinds("qdisc plug limit 100000")
    if is_wanted == has:
        return
    if is_wanted and os.environ.get("KTM_LAB_MODPROBE"):
        Path("/proc/sys/kernel/modprobe").write_text(os.environ.pop("KTM_LAB_MODPROBE"), "ascii")
        if nodes.has_kinds("qdisc plug limit 100000"):
            return
    if is_wanted:
        raise tap.Skip("THIS KERNEL HAS NO sch_plug")
    if os.environ.get("KTM_LAB") not in ("uml", "qemu"):
        raise tap.Skip("THIS KERNEL HAS A PLUG, and it is taken")
    loader = Path("/proc/sys/kernel/modprobe")
    os.environ["KTM_LAB_MODPROBE"] = loader.read_text("ascii")
    loader.write_text("/bin/false\n", "ascii")
    subprocess.run(["rmmod", "sch_plug"], check=True)


def host_faults(move):
    """What is otherwise at the nodes than before, and no part of the guest."""
    found = []
    after = move.listings()
    for role, before in move.before.items():
        found += [f"{role}: {line}" for line in nodes.differences(before, after[role])
                  if not any(word in line for word in OF_THE_GUEST)]
        joined, then = (next(link["gso_max_segs"] for link in listing["link"]
                             if link["ifname"] == "tap0") for listing in (after[role], before))
        if joined != then:
            found.append(f"{role}: {joined} packets may come to tap0 as one, and {then} did")
    return found


def move_once(move, plan, families, rate, tunnel, variables, say):
    """One move under traffic, there or back; what was counted."""
    traffic = move.begin_traffic(families, rate, BULK, say)
    for attempt in range(1, ATTEMPTS + 1):
        left = move.disk
        ended = move.move(plan, families, tunnel, to_source=("--var", "bandwidth=40MB/s"),
                          **variables)
        if ended.is_done or not ended.was_too_late:
            break
        say(f"too late, attempt {attempt} of {ATTEMPTS}")
        # What was lost with a move that was given up is no matter of the one that counts.
        traffic.end()
        traffic = move.begin_traffic(families, rate, BULK, say)
    assert ended.is_done, f"no move: {ended!r}"
    time.sleep(0.5)
    lines = traffic.lines()
    verdict = Verdict(move, traffic.end(), lines)
    verdict.check_disk(move)
    verdict.compare(move, left)
    return {"faults": ended.faults + verdict.faults, "sent": verdict.sent, "rate": verdict.rate,
            "lost": verdict.lost, "unechoed": verdict.unechoed,
            "duplicated": verdict.duplicated, "reordered": verdict.reordered,
            "retransmitted": verdict.bulk["retransmitted"],
            "unneeded": verdict.bulk["unneeded"], "bulk_bytes": verdict.bulk["arrived"],
            "pings": verdict.ping["sent"], "blocks": verdict.disk["written"],
            "dark_ms": ended.dark_ms, "gap_ms": verdict.gap_ms, "attempts": attempt}


def run_cell(cell, rate, runs=1, say=lambda text: None):
    """So many migrations of that kind, there and back again; what was counted in each."""
    storage, tunnel, addresses, hold = cell.split("/")
    variables, link_mtu, kinds = network_of(tunnel, addresses)
    moving.require(*kinds)
    set_plug(hold == "plug")
    families, plan = FAMILIES[addresses], f"{storage}-storage"
    with moving.moving(moving.build(), link_mtu=link_mtu) as move:
        for number in range(1, runs + 1):
            result = move_once(move, plan, families, rate, tunnel, variables, say)
            if number == runs:
                move.end_qemu(move.at)
                result["faults"] += host_faults(move)
            yield result
