#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""demo_test.py: a demo that is ended leaves nothing, and the next one clears up behind a killed."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import leftovers  # noqa: E402  (found through the path above)
import moving  # noqa: E402
import stage  # noqa: E402
import tap  # noqa: E402


def qemus_of(pid):
    """The QEMUs of a demo that lives."""
    return [child for child, stat in stage.children_of(pid).items()
            if stat[0].startswith("qemu-system")]


def name_of(pid):
    """What a process runs; nothing when it is dead."""
    try:
        return Path("/proc", str(pid), "cmdline").read_text("utf-8", errors="replace")
    except OSError:
        return ""


def end_with(number):
    """A demo that is ended by that signal when its guest boots, and the QEMUs that it had then."""
    moving.require("vxlan")
    moving.build()
    demo = subprocess.Popen([sys.executable, HERE / "demo.py"], stdout=subprocess.DEVNULL)
    try:
        moving.until(lambda: qemus_of(demo.pid), 60, "a QEMU of the demo")
        pids = qemus_of(demo.pid)
        demo.send_signal(number)
        demo.wait(40)
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()
    return demo, pids


def test_ended():
    """SIGINT and SIGTERM end the demo, and nothing of it is left"""
    for number in (signal.SIGINT, signal.SIGTERM):
        demo, _ = end_with(number)
        assert demo.returncode == 128 + number, demo.returncode
        assert not leftovers.made_by(demo.pid), leftovers.made_by(demo.pid)


def test_killed():
    """What a killed demo leaves is named after it, and cleared up; what a living one has is not"""
    demo, pids = end_with(signal.SIGKILL)
    left = leftovers.made_by(demo.pid)
    assert pids and any(path.parent.name == "netns" for path in left), left
    living = Path("/tmp", f"ktm-{os.getpid()}-lives")
    living.mkdir()
    try:
        removed = leftovers.remove()
        assert {path.name for path in left} <= set(removed), removed
        assert not leftovers.made_by(demo.pid) and living.exists(), leftovers.made_by(demo.pid)
    finally:
        living.rmdir()
    ends = time.monotonic() + 10
    while any("qemu" in name_of(pid) for pid in pids):
        assert time.monotonic() < ends, "a QEMU of the killed demo lives"
        time.sleep(0.05)


if __name__ == "__main__":
    if os.environ.get("KTM_LAB_SHORT"):
        print("1..0 # SKIP PLAYED ON THE MACHINE'S OWN KERNEL")
        sys.exit(0)
    tap.run(globals())
