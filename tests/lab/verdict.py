# SPDX-License-Identifier: Apache-2.0
"""verdict.py: what guest, client and disks say of a move, held against each other."""
import re
import struct
import time
from pathlib import Path

from moving import ask

BLOCK = 4096
BLOCK_HEAD, BLOCK_MAGIC = struct.Struct("<QQQQ"), 0x6B61746B61746B61


def numbers_of(image):
    """The number of the write that each block of an image bears, 0 for none, and the blocks."""
    data = Path(image).read_bytes()
    blocks = [data[at:at + BLOCK] for at in range(0, len(data), BLOCK)]
    heads = [BLOCK_HEAD.unpack_from(block) for block in blocks]
    return [head[1] if head[0] == BLOCK_MAGIC else 0 for head in heads], blocks


def changed_before(left, taken):
    """Blocks of two images that differ, though the guest has not written them after the handover.

    Nothing writes to the image that was left, and each write has a number. So the last number in it
    is that of the handover, and what differs must be younger.
    """
    numbers, blocks = numbers_of(left)
    later, blocks_later = numbers_of(taken)
    last = max(numbers)
    differing = [at for at, block in enumerate(blocks) if block != blocks_later[at]]
    return len(differing), [at for at in differing if later[at] <= last]


class Verdict:
    """What was counted at each place, and what of it is wrong, in words."""

    def __init__(self, move, last, lines):
        report = self._settled(move.network)
        heard = {each["id"]: each for each in report["streams"]}
        self.streams, self.faults, self.late_ms = last["streams"], [], last["late_ms"]
        self.bulk, self.ping = last["bulk"], last["ping"]
        self.sent = sum(each["sent"] for each in self.streams)
        self.gap_ms = max(each["gap_ms"] for each in self.streams)
        seconds = (lines[-1]["t"] - lines[0]["t"]) / 1e9
        self.rate = self.sent / max(seconds, 0.1)
        self.lost = self.unechoed = self.duplicated = self.reordered = 0
        for each in self.streams:
            there = heard.get(each["id"], {"received": 0, "duplicated": 0, "reordered": 0})
            lost = each["sent"] - there["received"]
            self.lost += lost
            self.unechoed += there["received"] - each["back"]
            self.duplicated += each["duplicated"] + there["duplicated"]
            self.reordered += each["reordered"] + there["reordered"]
            if lost > 0:
                which = ask(move.network, f"missing {each['id']} {each['sent']}")
                self.faults.append(f"{lost} of {each['sent']} packets never came: {which}")
            if each["refusals"]:
                self.faults.append(f"{each['refusals']} refused at the client: {each['refused']}")
        if self.lost:
            self.faults.append(f"of these {report['overflowed']} did not fit into the guest's own "
                               f"socket, and taps dropped {move.network.drops()}")
        if move.boots() > 1:
            said = re.findall(r".*(?:panic|BUG|Oops|RIP).*", move.console())
            self.faults.append(f"the guest has fallen and booted again; it said: {said[:4]}")
        self._judge(report)

    @staticmethod
    def _settled(network, within=20.0):
        """What the guest has counted when it has read all that it was sent."""
        ends, report = time.monotonic() + within, None
        while time.monotonic() < ends:
            former, report = report, ask(network, "report")
            if former and former["streams"] == report["streams"]:
                break
            time.sleep(0.3)
        return report

    def _judge(self, report):
        for count, what in ((self.unechoed, "echoes lost"), (self.duplicated, "duplicated"),
                            (self.reordered, "reordered"),
                            (report["bulk_wrong"], "pieces of the bulk flow wrong"),
                            (self.ping["sent"] - self.ping["back"], "pings without an answer")):
            if count:
                self.faults.append(f"{count} {what}")
        if self.bulk["broken"] or self.bulk["sent"] != self.bulk["arrived"]:
            self.faults.append(f"of the bulk flow {self.bulk['arrived']} of {self.bulk['sent']} "
                               "bytes came")
        needed = self.bulk["retransmitted"] - self.bulk["unneeded"]
        if needed > 0:
            self.faults.append(f"{needed} segments of the bulk flow had to be sent again; the "
                               f"guest counts {report['tcp']}")

    def check_disk(self, move):
        """The guest reads all that it wrote."""
        self.disk = ask(move.network, "verify", within=90, each=45)
        for what in ("strange", "stale", "newer", "unread", "failed"):
            if self.disk[what]:
                self.faults.append(f"{self.disk[what]} blocks of the disk {what}")

    def compare(self, move, left):
        """The image that was left, and the one that was taken; the guest stands meanwhile."""
        self.later = 0
        if left != move.disk:
            with move.standing():
                self.later, wrong = changed_before(left, move.disk)
            left.unlink()
            if wrong:
                self.faults.append(f"{len(wrong)} blocks differed at the handover: {wrong[:8]}")
