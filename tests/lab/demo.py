# SPDX-License-Identifier: Apache-2.0
"""Moves a real guest from one node to another and back under traffic, and shows what was lost.

Two nodes, a client and a router are network namespaces of this machine. The guest runs in QEMU; the
client sends it numbered UDP packets, a bulk flow of TCP and pings, and the guest writes to its
memory and its disk. It is moved there with its disk, and back on a shared one. What was lost is
counted by the client and by the guest. Nothing is kept but the pictures of both moves.
"""
import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import leftovers  # noqa: E402  (found through the path above)
import moving  # noqa: E402
import nodes  # noqa: E402
import tap  # noqa: E402
from verdict import Verdict  # noqa: E402

SECONDS_MAX, ATTEMPTS, KVM_S_MAX = 175, 4, 12
BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
GREEN, RED, CYAN = "\x1b[32m", "\x1b[31m", "\x1b[36m"


class Screen:
    """What is said: lines that stay, and below them, on a terminal, a few that change."""

    def __init__(self):
        self.is_live = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.began, self._shown = time.monotonic(), 0

    def coloured(self, colour, text):
        """The text in a colour, where there are any."""
        return f"{colour}{text}{PLAIN}" if self.is_live else text

    def _wipe(self):
        if self._shown:
            sys.stdout.write(f"\x1b[{self._shown}F\x1b[J")
            self._shown = 0

    def say(self, name, text, colour=""):
        """A line that stays."""
        self._wipe()
        passed = f"{time.monotonic() - self.began:6.1f} s"
        print(f"{self.coloured(DIM, passed)}  {self.coloured(BOLD, f'{name:<9}')} "
              f"{self.coloured(colour, text) if colour else text}", flush=True)

    def head(self, text):
        """A heading."""
        self._wipe()
        print(f"\n{self.coloured(BOLD + CYAN, text)}", flush=True)

    def show(self, rows):
        """The lines that change; they take the place of those before."""
        if not self.is_live:
            return
        width = shutil.get_terminal_size().columns
        lines = [f"  {name:<10} {text}"[:width - 1] for name, text in rows]
        self._wipe()
        sys.stdout.write("".join(f"{DIM}{line}{PLAIN}\n" for line in lines))
        sys.stdout.flush()
        self._shown = len(lines)

    def end(self):
        """Nothing changes any more."""
        self._wipe()


def what_there_is():
    """The tunnel to use, its options, and whether there is a plug."""
    plug = nodes.has_kinds("qdisc plug limit 100000")
    for mode, kinds in (("ipip", ("ipip", "gre")), ("gre", ("gre",))):
        if nodes.has_kinds(*kinds):
            return mode, {}, plug
    return "vxlan", {"wrapped": "no"}, plug


def boot(move, screen):
    """The guest, by KVM if that is seen to work, and by emulation otherwise."""
    if os.access("/dev/kvm", os.R_OK | os.W_OK):
        screen.show([("guest", "is KVM usable?")])
        move.accel, began = "kvm", time.monotonic()
        with contextlib.suppress(AssertionError):
            move.start_qemu("source", move.disk)
            moving.until(lambda: "guest: ready" in move.scene.text_of("source.serial"), KVM_S_MAX)
            return f"KVM, {time.monotonic() - began:.1f} s"
        move.end_qemu("source")
        Path(move.scene.path("source.serial")).unlink(missing_ok=True)
    move.accel, began = "tcg", time.monotonic()
    screen.show([("guest", "boots in emulation (TCG)")])
    move.boot()
    return f"emulated (TCG), {time.monotonic() - began:.1f} s"


class Demo:
    """The whole of it."""

    def __init__(self, screen, move, traffic, pictures):
        self.screen, self.move, self.traffic, self.pictures = screen, move, traffic, pictures
        self.faults = []

    def rows(self, runs):
        """What matters now."""
        told = self.traffic.latest()
        streams = told["streams"]
        sent, back = (sum(each[key] for each in streams) for key in ("sent", "back"))
        rows = [("UDP", f"{sent:>8,} sent  {back:>8,} back  {sent - back:>6,} on their way"),
                ("TCP", f"{told['bulk']['acknowledged'] / 1e6:>8.1f} MB through   "
                        f"ping {told['ping']['back']}/{told['ping']['sent']}")]
        for role, run in runs.items():
            lines = run.out.so_far().splitlines()
            texts = [line for line in lines if '"progress"' in line][-1:]
            state = (self.move.states(run) or ["waits for the other node"])[-1]
            words = texts[0].partition('"text":"')[2].rstrip('"}') if texts else ""
            rows.append((role, f"{state:<12} {words}"))
        return rows

    def once(self, plan, families, tunnel, **variables):
        """One move, again when it came too late and was given up in order."""
        for attempt in range(1, ATTEMPTS + 1):
            there = moving.OTHER[self.move.at]
            seen = {}

            def watch(seen=seen):
                runs = self.runs
                self.screen.show(self.rows(runs))
                for role, run in runs.items():
                    states = self.move.states(run)
                    for state in states[seen.get(role, 0):]:
                        if role == "source":
                            self.screen.say(role, state)
                    seen[role] = len(states)

            left = self.move.disk
            self.runs, _, _ = self.move.begin(plan, families, tunnel, **variables)
            ended = self.move.settle(self.runs, watch)
            for role, run in ended.runs.items():
                line = f"{self.told(role)} (exit code {run.code})"
                self.screen.say(role, line, colour_of(run.code))
            if ended.is_done:
                self.faults += ended.faults
                self.prove(ended)
                self.draw(there)
                dark = f"{ended.dark_ms:.1f} ms" if ended.dark_ms else "not known"
                self.screen.say("dark", f"the guest stood for {dark}")
                return left
            if not ended.was_too_late:
                raise RuntimeError(f"the move failed: {ended!r}")
            self.screen.say("again", "the guest was at the end of its copy too early; it lives on "
                                     f"where it was ({attempt} of {ATTEMPTS})")
        raise RuntimeError("the guest could not be moved in time")

    def told(self, role):
        """The last words of a katamaran."""
        shown = self.move.scene.run("trace", "show", f"{role}-{self.move.count}.jsonl", within=30)
        return shown.out.splitlines()[-1].partition(" note ")[2].strip()

    def prove(self, ended):
        """What both katamarans say of the packets."""
        for role, told in ended.last.items():
            ledger = told.get("ledger", {"proof": "not-proven", "text": "not proven: nothing said"})
            self.screen.say("ledger", f"{role}: {ledger['text']}",
                            GREEN if ledger["proof"] == "zero-lost" else RED)

    def draw(self, there):
        """The picture of a move, kept."""
        name = self.pictures / ("there.svg" if there == "dest" else "back.svg")
        name.unlink(missing_ok=True)
        self.move.scene.run("trace", "timeline", "-o", str(name), *(
            f"{role}-{self.move.count}.jsonl" for role in moving.OTHER), within=30)

    def count(self, left):
        """The client's count, the guest's and the disk's."""
        screen, lines = self.screen, self.traffic.lines()
        verdict = Verdict(self.move, self.traffic.end(), lines)
        verdict.check_disk(self.move)
        screen.head("What was counted")
        screen.say("client", f"{verdict.sent:,} packets sent, {verdict.sent - verdict.lost:,} "
                   f"received by the guest, {verdict.lost} lost, {verdict.unechoed} echoes lost, "
                   f"{verdict.duplicated} duplicated, {verdict.reordered} reordered")
        bulk = verdict.bulk
        screen.say("TCP", f"{bulk['arrived'] / 1e6:.1f} of {bulk['sent'] / 1e6:.1f} MB arrived, "
                   f"each byte right; {bulk['retransmitted']} segments sent again, "
                   f"{bulk['unneeded']} of them without need")
        screen.say("ping", f"{verdict.ping['back']} of {verdict.ping['sent']} answered")
        is_right = not any(verdict.disk[key] for key in ("strange", "stale", "newer", "unread"))
        screen.say("disk", f"{verdict.disk['written']:,} blocks written, "
                   f"{verdict.disk['checked']:,} read again by the guest, "
                   + ("all as acknowledged" if is_right else f"NOT ALL RIGHT: {verdict.disk}"))
        faults = len(verdict.faults)
        verdict.compare(self.move, left)
        screen.say("disks", "of the one that was left and the one that was taken "
                   f"{verdict.later:,} blocks differ, "
                   + ("all written after the handover: equal then"
                      if len(verdict.faults) == faults else "SOME OF THEM WERE NOT EQUAL THEN"))
        self.faults += verdict.faults


def colour_of(code):
    """Green for what went well."""
    return GREEN if code == 0 else RED


def play(screen, options):
    """The demo; gives back what is wrong."""
    tunnel, variables, plug = what_there_is()
    pictures = Path(options.pictures)
    pictures.mkdir(parents=True, exist_ok=True)
    screen.head("A guest moves under traffic")
    screen.say("kernel", f"{os.uname().release}; packets travel in {tunnel}, and are held by "
               + ("a plug and the ring of the tap" if plug else
                  "the ring of the tap alone: this kernel has no sch_plug"))
    with contextlib.ExitStack() as stack:
        scene = stack.enter_context(moving.stage.stage())
        screen.show([("programs", "the guest's and the client's are compiled, once")])
        programs = moving.build()
        move = moving.Moving(scene, stack, programs, dirty=options.dirty)
        booted = boot(move, screen)
        screen.say("guest", f"up: {moving.RAM_KIB // 1024} MiB, {booted}")
        traffic = move.begin_traffic([4], options.rate, 4_000_000,
                                     lambda text: screen.say("traffic", text))
        demo = Demo(screen, move, traffic, pictures)
        screen.say("traffic", "numbered UDP of 64 to 1,500 bytes that may not be fragmented, a TCP "
                   "flow, pings; the guest writes to memory and disk")
        limit = ("--var", "bandwidth=40MB/s") if move.accel == "tcg" else ()
        screen.head("There, with its disk (local-storage)")
        left = demo.once("local-storage", [4], tunnel, to_source=limit, **variables)
        screen.head("And back, on a shared disk (shared-storage)")
        demo.once("shared-storage", [4], tunnel, to_source=limit, **variables)
        time.sleep(0.5)
        demo.count(left)
        screen.head("Result")
        screen.say("pictures", f"{pictures / 'there.svg'} {pictures / 'back.svg'}")
        return demo.faults


def stop(number, _frame):
    """Signals end the demo as an error does, so that it clears up."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(124 if number == signal.SIGALRM else 128 + number)


def main():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=2000, help="UDP packets a second (2000)")
    parser.add_argument("--dirty", type=int, default=5000,
                        help="pages that the guest writes to in a second (5000)")
    parser.add_argument("--pictures", default=str(HERE.parents[1] / "build" / "demo"),
                        metavar="FOLDER", help="where the pictures are kept (build/demo)")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, stop)
    signal.alarm(SECONDS_MAX if os.environ.get("KTM_LAB") not in ("uml", "qemu") else 900)
    screen = Screen()
    try:
        moving.require("vxlan")
        for name in leftovers.remove():
            screen.say("cleared", f"{name}, left by one that was killed")
        faults = play(screen, options)
    except (AssertionError, RuntimeError, subprocess.SubprocessError, tap.Skip) as error:
        faults = [str(error)]
    finally:
        screen.end()
        # A signal can come between a thing that is made and the note that it is to be removed.
        leftovers.remove(os.getpid())
    for fault in faults:
        screen.say("FAULT", fault, RED)
    screen.say("result", "something was lost, or could not be shown" if faults else
               "nothing was lost, and the disks were equal", RED if faults else GREEN)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
