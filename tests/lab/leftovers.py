# SPDX-License-Identifier: Apache-2.0
"""leftovers.py: clears up behind a test or a demo of ours that was killed.

What is made here bears the process that made it in its name: namespaces ktm-t-PID-…, folders
ktm-PID-…. What belongs to a process that lives is left alone.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

NAMES = {Path("/run/netns"): re.compile(r"ktm-t-(\d+)-\w+"),
         Path("/tmp"): re.compile(r"ktm-(\d+)-\w+"),
         Path("/dev/shm"): re.compile(r"ktm-(\d+)-\w+")}


def made_by(pid=None):
    """Namespaces and folders of that process; without one, of all that are no more."""
    found = []
    for folder, pattern in NAMES.items():
        for path in sorted(folder.iterdir()) if folder.exists() else ():
            made = pattern.fullmatch(path.name)
            if made and (int(made[1]) == pid if pid else not Path("/proc", made[1]).exists()):
                found.append(path)
    return found


def _end_inside(name):
    """Kills what still runs in a namespace."""
    inside = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True,
                            check=False, timeout=30)
    for pid in map(int, inside.stdout.split()):
        with contextlib.suppress(ProcessLookupError):
            if pid != os.getpid():
                os.kill(pid, signal.SIGKILL)


def remove(pid=None):
    """Removes these, with what still runs in them; gives back their names."""
    found = made_by(pid)
    for path in found:
        if path.parent.name == "netns":
            _end_inside(path.name)
            subprocess.run(["ip", "netns", "del", path.name], check=True, timeout=30)
        else:
            shutil.rmtree(path, ignore_errors=True)
    return [path.name for path in found]
