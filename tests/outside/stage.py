# SPDX-License-Identifier: Apache-2.0
"""stage.py: the built katamaran on a stage of its own: a folder, a QEMU, a false QEMU, a terminal.

Everything that a test starts is ended when it leaves the stage, and the stage complains of what
katamaran left behind: a process (orphans become our children, so none can hide) or a file.
"""
import contextlib
import ctypes
import glob
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))

import tap  # noqa: E402  (found through the path above)

DATA = Path(os.environ.get("KTM_DATA", HERE.parent / "data"))
LUA = HERE.parent.parent / "lua"
BINARY = os.path.abspath(os.environ.get("KATAMARAN", "katamaran"))
PR_SET_CHILD_SUBREAPER = 36
ESCAPE = "\x1b"

ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def until(condition, within=5.0, what="the condition"):
    """Waits until the condition is true and returns what it gave."""
    end = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {within} s: {what}"
        time.sleep(0.005)


def _stat_of(pid):
    """Name, state and parent of a process; nothing when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    name, rest = text.split("(", 1)[1].rsplit(")", 1)
    state, parent = rest.split()[:2]
    return name, state, int(parent)


def _is_listening(path):
    """Whether somebody listens on a unix socket; to connect would be to become a client."""
    sockets = Path("/proc/net/unix").read_text("utf-8", errors="replace").splitlines()
    return any(line.endswith(" " + path) and line.split()[3] == "00010000" for line in sockets)


def children_of(parent):
    """The processes below `parent`, as {pid: (name, state)}."""
    stats = {int(path[6:]): _stat_of(path[6:]) for path in glob.glob("/proc/[0-9]*")}
    return {pid: stat[:2] for pid, stat in stats.items() if stat and stat[2] == parent}


class Text:
    """What a process has printed so far, read by a thread until its end."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._bytes = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with contextlib.suppress(OSError):  # a terminal ends with EIO
            while piece := os.read(self._descriptor, 65536):
                self._bytes += piece
        os.close(self._descriptor)

    def so_far(self):
        """The text that has come, whatever its encoding."""
        return bytes(self._bytes).decode("utf-8", errors="replace")

    def wait_for(self, pattern, within=5.0):
        """Waits for a match of the regular expression."""
        return until(lambda: re.search(pattern, self.so_far()), within,
                     f"{pattern!r} in {self.so_far()[-600:]!r}")

    def all(self):
        """The whole text; it must be UTF-8, whatever katamaran was fed."""
        self._thread.join(5)
        assert not self._thread.is_alive(), "somebody still holds the output open"
        return bytes(self._bytes).decode("utf-8")


class Outcome:
    """How a run of katamaran ended."""

    def __init__(self, code, out, err, rss_mib):
        self.code, self.out, self.err = code, out, err
        # A sanitizer multiplies what a program needs; its runs test other things.
        self.rss_mib = rss_mib / (8 if os.environ.get("KTM_SANITIZED") else 1)

    def __iter__(self):
        return iter((self.code, self.out, self.err))

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out[-1500:]!r}\nstderr: {self.err[-1500:]!r}"


class Running:
    """A katamaran that was started and is to be ended."""

    def __init__(self, pid, out, err):
        self.pid, self.out, self.err = pid, out, err
        self.ended = None

    def signal(self, number):
        """Sends a signal; the process must still be there."""
        os.kill(self.pid, number)

    def _poll(self):
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if pid:
            self.ended = (os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024)
        return pid

    def has_ended(self):
        """Whether it has ended by now."""
        return bool(self.ended or self._poll())

    def end(self, within=10.0):
        """Waits for the end, at most so long, and returns the Outcome."""
        if not self.ended:
            until(self.has_ended, within, f"the end; stderr: {self.err and self.err.so_far()!r}")
        code, rss_mib = self.ended
        return Outcome(code, self.out.all(), self.err.all() if self.err else "", rss_mib)

    def spool(self):
        """The process that writes the recording, once it is there."""
        def named():
            return [pid for pid, (name, _) in children_of(self.pid).items()
                    if name == "katamaran-spool"]
        return until(named, what="the process of the recording")[0]

    def kill(self):
        """Ends it, whatever it does."""
        if not self.ended:
            self.signal(signal.SIGKILL)
            until(self.has_ended, what="the end after SIGKILL")


NO_MACHINE = ("-machine", "none")


class Qemu:
    """A QEMU, by default without a machine: it starts at once, and stop, cont and quit work."""

    def __init__(self, folder, monitors, machine):
        words = ["qemu-system-x86_64", *machine, "-display", "none", "-nodefaults"]
        for monitor in monitors:
            words += ["-qmp", monitor]
        self._log = open(folder / "qemu.log", "wb")
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self._log,
                                        stderr=self._log, cwd=folder)

    def kill(self):
        """Ends it without a farewell."""
        self.process.kill()
        self.process.wait()
        self._log.close()


def hear_all():
    """In a child: no signal is ignored, as under nohup and in Python some are."""
    for number in (signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


class Stage:
    """One test's folder, and everything that was started in it."""

    def __init__(self, folder, stack, state):
        self.folder, self._stack, self.state = folder, stack, state
        self.cache = folder / "cache"
        self._runs = []

    def path(self, name):
        """A name in the folder, as a string."""
        return str(self.folder / name)

    def environment(self, changes=None):
        """What katamaran sees: nothing of the user who runs the tests."""
        known = {"PATH": os.environ["PATH"], "HOME": self.path("home"), "LC_ALL": "C.UTF-8",
                 "TMPDIR": self.path("tmp"), "XDG_CACHE_HOME": str(self.cache), "TERM": "xterm",
                 "KATAMARAN_LUA": str(LUA), "KATAMARAN_STATE": str(self.state)}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE"):
            if name in os.environ:
                known[name] = os.environ[name]
        return known | (changes or {})

    def start(self, *words, env=None, stdout=None, program=None):
        """Starts katamaran, or `program` with the words as its arguments."""
        (read_out, write_out), (read_err, write_err) = os.pipe(), os.pipe()
        process = subprocess.Popen(
            [program or BINARY, *words], stdin=subprocess.DEVNULL,
            stdout=write_out if stdout is None else stdout, stderr=write_err, cwd=self.folder,
            env=self.environment(env), preexec_fn=hear_all)
        os.close(write_out)
        os.close(write_err)
        process.returncode = 0  # Running waits for its end, Popen must not
        return self._keep(Running(process.pid, Text(read_out), Text(read_err)))

    def start_in_terminal(self, *words, env=None):
        """Starts katamaran as the foreground of a terminal; returns it and the terminal."""
        pid, terminal = pty.fork()
        if pid == 0:
            hear_all()
            os.chdir(self.folder)
            os.execve(BINARY, [BINARY, *words], self.environment(env))
        keyboard = os.dup(terminal)
        self._stack.callback(os.close, keyboard)
        return self._keep(Running(pid, Text(terminal), None)), keyboard

    def _keep(self, running):
        self._runs.append(running)
        return running

    def run(self, *words, within=10.0, **how):
        """Runs katamaran to its end."""
        return self.start(*words, **how).end(within)

    def peer_key(self):
        """The file with a key for the katamarans of this stage."""
        if not os.path.exists(self.path("peer.key")):
            made = self.run("peer", "key", "peer.key")
            assert made.code == 0, made
        return self.path("peer.key")

    def shell(self, script, *words, within=10.0):
        """Runs a shell script in which "$0" is katamaran and "$@" the words."""
        return self.start("-c", script, BINARY, *words, program="/bin/bash").end(within)

    def run_in_terminal(self, *words, **how):
        """Runs katamaran in a terminal to its end."""
        return self.start_in_terminal(*words, **how)[0].end()

    def qemu(self, *monitors, machine=NO_MACHINE, sockets=("a.qmp", "b.qmp")):
        """A QEMU with these monitors, or these sockets, ready to be spoken to."""
        if shutil.which("qemu-system-x86_64") is None:
            raise tap.Skip("qemu-system-x86_64 IS NOT INSTALLED; nothing was tested here")
        sockets = [] if monitors else [self.path(name) for name in sockets]
        monitors = monitors or [f"unix:{path},server=on,wait=off" for path in sockets]
        qemu = Qemu(self.folder, monitors, machine)
        self._stack.callback(qemu.kill)
        until(lambda: all(map(_is_listening, sockets)), 15, "QEMU's monitors")
        return qemu

    def text_of(self, name):
        """The text of a file that another process writes; empty as long as there is none."""
        path = self.folder / name
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    def cached_schemas(self):
        """The files in katamaran's cache."""
        return sorted((self.cache / "katamaran").glob("*"))

    def check_left_behind(self):
        """Fails when katamaran left a process or a file."""
        ours = {run.pid for run in self._runs}
        for run in self._runs:
            run.kill()
        alive = {}
        # An orphan that ends may leave us another.
        while orphans := {pid: stat for pid, stat in children_of(os.getpid()).items()
                          if pid not in ours and stat[0].startswith("katamaran")}:
            alive |= _end_orphans(orphans)
        assert not alive, f"left behind: {alive}"
        strange = [path for path in self.cached_schemas()
                   if not re.fullmatch(r"qmp-schema-[\w.+-]+\.json", path.name)]
        strange += list((self.folder / "home").iterdir()) + list((self.folder / "tmp").iterdir())
        assert not strange, f"left behind: {strange}"


def _end_orphans(orphans, within=3.0):
    """Gives our adopted children time to end, kills those that do not, and names them."""
    alive = {}
    for pid, stat in orphans.items():
        try:
            until(lambda pid=pid: os.waitpid(pid, os.WNOHANG)[0], within)
        except AssertionError:
            alive[pid] = stat
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return alive


def cleared(folder):
    """Clears a folder away; a program whose QEMU has gone may still move a file in it."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


@contextlib.contextmanager
def stage():
    """The fixture: a Stage in a fresh folder with a short name, checked and cleared at the end."""
    prefix = f"ktm-{os.getpid()}-"
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    # In memory, as /run is on a node: a journal on a disk is warned of.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else folder
    state = Path(tempfile.mkdtemp(prefix=prefix, dir=memory))
    for name in ("home", "tmp", "cache"):
        (folder / name).mkdir()
    try:
        with contextlib.ExitStack() as stack:
            made = Stage(folder, stack, state)
            stack.callback(made.check_left_behind)
            yield made
    finally:
        until(lambda: cleared(state) and cleared(folder), what="the folders cleared away")


def crossed(recording, direction="out"):
    """The messages of a plain recording that crossed in one direction."""
    lines = [json.loads(line) for line in Path(recording).read_text("utf-8").splitlines()]
    return [line["msg"] for line in lines if line.get("dir") == direction and "msg" in line]


def commands_in(recording):
    """The names of the commands in a plain recording."""
    return [message["execute"] for message in crossed(recording)]


def plain_word(text):
    """The text with every run of blanks made one, to look for phrases in it."""
    return " ".join(text.split())
