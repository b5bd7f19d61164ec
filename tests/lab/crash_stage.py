# SPDX-License-Identifier: Apache-2.0
"""crash_stage.py: two namespaces with all that a plan may find there, and katamaran to be broken.

A process that calls isolate() has a network and a /run of its own; whatever is made there is gone
with it, also when it is killed. kernel_faults.cc is compiled here, and loaded before katamaran.
"""
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "harness")]

import tap  # noqa: E402

LUA = HERE.parents[1] / "lua"
BINARY = os.path.abspath(os.environ.get("KATAMARAN", "katamaran"))
POD = "ktm-t-pod"
STATE = "/run/ktm-t-state"
PLANS = "/run/ktm-t-plans"
SHIM = "/run/ktm-t-faults.so"
COUNTED = "/run/ktm-t-counted"
RUN_S_MAX = 60
# In an emulated kernel everything takes ten times as long: tests take smaller samples there.
SLOW = os.environ.get("KTM_LAB") in ("uml", "qemu")
ALL = "--all" in sys.argv
# What the machine's own kernel lacked, where only that is to be played, and of the rest a sample.
SHORT = os.environ.get("KTM_LAB_SHORT", "")
TUNNELS, PLUG = "ipip and gre", "plug"
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_CHILD_SUBREAPER = 36
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000

LIBC = ctypes.CDLL(None, use_errno=True)

# The node: where katamaran runs. eth1 leads to the far end, eth2 and eth3 carry frames; eth3 has a
# filter of somebody else, the guest's addresses have routes, and tap0 a queue that somebody chose.
NODE = f"""
link set lo up
link add eth1 type veth peer name far1 netns {POD}
link add eth2 type veth peer name far2 netns {POD}
link add eth3 type veth peer name far3 netns {POD}
link set eth1 addrgenmode none
link set eth2 addrgenmode none
link set eth3 addrgenmode none
link set tap0 addrgenmode none
link set eth1 up
link set eth2 up
link set eth3 up
link set tap0 up
addr add 192.0.2.1/24 dev eth1
addr add 2001:db8::1/64 dev eth1 nodad
route add 10.1.2.0/24 dev tap0
route add 10.1.2.3/32 dev eth2 proto static
route add 10.1.2.3/32 dev eth3 proto static metric 7
route add 2001:db8:1::3/128 dev eth2 proto static
neigh add 10.1.2.8 lladdr 02:bb:00:00:00:08 dev tap0 nud permanent
neigh add 192.0.2.7 lladdr 02:bb:00:00:00:07 dev eth1 nud permanent
"""
NODE_QUEUES = """
qdisc add dev tap0 root handle 5: pfifo limit 77
qdisc add dev eth3 clsact
filter add dev eth3 ingress protocol all prio 100 u32 match u32 0 0 \
action mirred egress redirect dev tap0
"""
# The sandbox, with the guest's tap.
SANDBOX = """
link set lo up
link set far1 addrgenmode none
link set far2 addrgenmode none
link set far3 addrgenmode none
link set tap0 addrgenmode none
link set far1 up
link set far2 up
link set far3 up
link set tap0 up
addr add 192.0.2.7/24 dev far1
neigh add 10.1.2.5 lladdr 02:bb:00:00:00:05 dev tap0 nud permanent
"""
DUMP_IP = ("link show\naddr show\nroute show table all\nrule show\nneigh show nud permanent\n"
           "netconf show\nnexthop show\n")
DUMP_IP6 = "route show table all\nrule show\n"
DUMP_TC = "qdisc show\n" + "".join(
    f"filter show dev {name} {where}\n" for name in ("eth1", "eth2", "eth3", "tap0")
    for where in ("ingress", "egress"))
DUMP_TC_POD = "qdisc show\nfilter show dev tap0 ingress\nfilter show dev tap0 egress\n"
# What the kernel counts on, though nobody changed anything.
COUNTING = re.compile(r'"(?:used|installed|expires|bytes|packets)":[0-9]+')


def checked(result, what):
    """Raises the errno of a call of libc that failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def isolate(shim):
    """From here on this process has a network and a /run of its own, and adopts its orphans."""
    checked(LIBC.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    checked(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount /")
    checked(LIBC.mount(b"tmpfs", b"/run", b"tmpfs", 0, b"mode=755"), "mount /run")
    checked(LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")
    os.mkdir(PLANS)
    os.mkdir("/run/netns")
    pathlib.Path(SHIM).write_bytes(shim)


@contextlib.contextmanager
def inside(name):
    """This process is in a namespace for a while; None is its own."""
    if name is None:
        yield
        return
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        checked(LIBC.setns(there, CLONE_NEWNET), "setns")
        yield
    finally:
        checked(LIBC.setns(home, CLONE_NEWNET), "setns")
        os.close(there)
        os.close(home)


def run(*words, text=None):
    """Runs a program that must succeed, and returns its output."""
    ended = subprocess.run(words, input=text, capture_output=True, text=True, check=False,
                           timeout=RUN_S_MAX)
    assert ended.returncode == 0, f"{words} with {text!r}: {ended.stderr}"
    return ended.stdout


def batch(program, text):
    """Runs `ip` or `tc` with a list of commands."""
    return run(program, "-batch", "-", text=text)


def open_tap(name):
    """A tap of this process, in the namespace that it is in; the device goes with the file."""
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return file


def has_plug():
    """Whether this kernel has sch_plug; asked on the loopback of a network that is ours alone."""
    tried = subprocess.run(["tc", "qdisc", "add", "dev", "lo", "root", "plug"],
                           capture_output=True, check=False, timeout=RUN_S_MAX)
    if tried.returncode == 0:
        run("tc", "qdisc", "del", "dev", "lo", "root")
    return tried.returncode == 0


def has_tunnels():
    """Whether this kernel has ipip, gre, and the same over IPv6."""
    made = 0
    for kind, more in (("ipip", ()), ("gre", ()), ("ip6tnl", ("mode", "any")), ("ip6gre", ())):
        ends = ("::2", "::1") if kind.startswith("ip6") else ("127.0.0.2", "127.0.0.1")
        tried = subprocess.run(["ip", "link", "add", "try0", "type", kind, *more, "remote", ends[0],
                                "local", ends[1]], capture_output=True, check=False,
                               timeout=RUN_S_MAX)
        if tried.returncode == 0:
            run("ip", "link", "del", "try0")
            made += 1
    return made == 4


def processes_of(*names):
    """The processes of these names that we have started or adopted."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            text = (path / "stat").read_text("utf-8")
            name = text[text.index("(") + 1:text.rindex(")")]
            state, parent = text[text.rindex(")") + 2:].split()[:2]
            if name in names and int(parent) == os.getpid() and state != "Z":
                found.append(int(path.name))
    return found


def settings():
    """Everything below /proc/sys/net of the namespace that we are in."""
    found = {}
    for folder, _, names in os.walk("/proc/sys/net"):
        for name in names:
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError, UnicodeDecodeError):
                found[path] = pathlib.Path(path).read_text("utf-8")
    return found


def difference(left, right):
    """What is in one dump and not in the other, for people."""
    def parts(dump):
        flat = set()
        for name, text in dump.items():
            for line in re.sub(r"(\},)(\{)", r"\1\n\2", text).splitlines():
                flat.add(f"{name}: {line.strip('[],')[:400]}")
        return flat
    gone, new = parts(left) - parts(right), parts(right) - parts(left)
    return "\n".join([*(f"- {line}" for line in sorted(gone)),
                      *(f"+ {line}" for line in sorted(new))])


class Ended:
    """How a katamaran ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def killed(self):
        """Whether it died at its point."""
        return self.code == -signal.SIGKILL

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out[-3000:]}\nstderr: {self.err[-2000:]}"


class World:
    """A node and a sandbox. Make it behind isolate()."""

    def __init__(self, tunnels, plug):
        self.tunnels, self.plug = tunnels, plug
        self.taps = {}
        self._dumps = {}
        for name, text in (("ip", DUMP_IP), ("ip6", DUMP_IP6), ("tc", DUMP_TC),
                           ("tc-pod", DUMP_TC_POD)):
            self._dumps[name] = f"/run/ktm-t-dump-{name}"
            pathlib.Path(self._dumps[name]).write_text(text, "utf-8")
        self.make()

    def make(self):
        """Everything, in a network without anything."""
        run("ip", "netns", "add", POD)
        self.taps["node"] = open_tap("tap0")
        batch("ip", NODE)
        batch("tc", NODE_QUEUES)
        with inside(POD):
            self.taps["pod"] = open_tap("tap0")
            batch("ip", SANDBOX)
            for family in ("ipv4", "ipv6"):
                path = f"/proc/sys/net/{family}/conf/all/forwarding"
                pathlib.Path(path).write_text("1", "utf-8")
        self.settled()

    def settled(self):
        """The dump, once the kernel has set up what it does a little later, such as fe80::."""
        before = self.dump()
        end = time.monotonic() + 10
        while True:
            time.sleep(0.3)
            now = self.dump()
            if now == before:
                return now
            assert time.monotonic() < end, difference(before, now)
            before = now

    def unmake(self):
        """Everything is gone."""
        for file in self.taps.values():
            os.close(file)
        self.taps.clear()
        for name in ("eth1", "eth2", "eth3"):
            subprocess.run(["ip", "link", "del", name], capture_output=True, check=False,
                           timeout=RUN_S_MAX)
        subprocess.run(["ip", "netns", "del", POD], capture_output=True, check=False,
                       timeout=RUN_S_MAX)
        for line in json.loads(run("ip", "-j", "link", "show")):
            if line["ifname"].startswith("ktm"):  # One may have gone with another.
                subprocess.run(["ip", "link", "del", line["ifname"]], capture_output=True,
                               check=False, timeout=RUN_S_MAX)
        shutil.rmtree(STATE, ignore_errors=True)

    def dump(self):
        """What `ip` and `tc` say of both namespaces, as texts."""
        started = {}
        for where in (None, POD):
            if where is not None and not os.path.exists(f"/run/netns/{where}"):
                continue
            tc = self._dumps["tc" if where is None else "tc-pod"]
            with inside(where):
                for name, words in (("ip", ("ip", "-j", "-d", "-N", "-batch", self._dumps["ip"])),
                                    ("ip6", ("ip", "-6", "-j", "-d", "-N", "-batch",
                                             self._dumps["ip6"])),
                                    ("tc", ("tc", "-j", "-d", "-batch", tc))):
                    started[f"{where or 'node'} {name}"] = subprocess.Popen(
                        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL, text=True)
        texts = {}
        for name, process in started.items():
            texts[name] = COUNTING.sub("", process.communicate(timeout=RUN_S_MAX)[0])
        return texts

    def all_settings(self):
        """/proc/sys/net of both namespaces."""
        found = {}
        for where in (None, POD):
            with inside(where):
                found[where] = settings()
        return found

    # --- katamaran ------------------------------------------------------------------------------

    def environment(self, faults=None):
        """What katamaran sees; with faults, what spoils it."""
        known = {"PATH": os.environ["PATH"], "HOME": "/run", "LC_ALL": "C.UTF-8",
                 "KATAMARAN_LUA": str(LUA)}
        if faults is not None:
            known |= {"LD_PRELOAD": SHIM} | faults
        return known

    def start(self, *words, faults=None, program=()):
        """Starts katamaran."""
        return subprocess.Popen([*program, BINARY, *words], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                cwd=PLANS, env=self.environment(faults))

    def katamaran(self, *words, **how):
        """katamaran, to its end."""
        process = self.start(*words, **how)
        try:
            out, err = process.communicate(timeout=RUN_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"{words} hangs: {out} {err}") from None
        return Ended(process.returncode, out, err)

    def play(self, plan, *words, **how):
        """`katamaran run` of a plan of write_plan()."""
        return self.katamaran("run", plan, "--state", STATE, *words, **how)

    def recover(self, *words, **how):
        """`katamaran recover`."""
        return self.katamaran("recover", "--state", STATE, *words, **how)

    def count(self, *words):
        """The points and changes of a command that is left alone, as lists of what they are."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(COUNTED)
        ended = self.katamaran(*words, "--state", STATE, faults={"KTM_COUNT_FILE": COUNTED})
        lines = []
        with contextlib.suppress(FileNotFoundError):
            lines = pathlib.Path(COUNTED).read_text("utf-8").splitlines()
        points = [line.split(" ", 2)[2] for line in lines if line.startswith("point")]
        changes = [line.split(" ", 2)[2] for line in lines if line.startswith("change")]
        return ended, points, changes


def journals():
    """The journals that are there."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(os.listdir(STATE))
    return []


def reap():
    """Takes leave of adopted children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def guards_end(within=5.0):
    """Guards end with those whom they guard."""
    end = time.monotonic() + within
    while guards := processes_of("katamaran-guard"):
        assert time.monotonic() < end, f"guards that live on: {guards}"
        reap()
        time.sleep(0.005)
    reap()


def write_plan(name, body, more_vars="", more_states=""):
    """A plan of one state that does `body`, and ends then; no VM."""
    pathlib.Path(PLANS, f"{name}.lua").write_text(
        f'return plan {{ name = "{name}", api = 1, summary = "A plan of a test.",\n'
        f'vars = {{ {more_vars} }},\nrole "node" {{\nstate "acting" {{ within = "60s",\n'
        f'next = "{"after" if more_states else "done"}",\n'
        f"enter = function(m)\n{body}\nend }},\n{more_states}}} }}\n", "utf-8")


def compiled_shim():
    """kernel_faults.cc, compiled: the bytes."""
    with tempfile.TemporaryDirectory() as folder:
        shim = os.path.join(folder, "kernel_faults.so")
        run("g++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-fno-exceptions",
            "-fno-rtti", "-shared", "-fPIC", "-o", shim, str(HERE / "kernel_faults.cc"))
        return pathlib.Path(shim).read_bytes()


@contextlib.contextmanager
def disk():
    """A folder that lies on a disk."""
    with tempfile.TemporaryDirectory(prefix="ktm-", dir="/tmp") as folder:
        if run("stat", "-fc", "%T", folder).strip() in ("tmpfs", "ramfs"):
            raise tap.Skip("/tmp LIES ON NO DISK; nothing was tested here")
        yield pathlib.Path(folder)


def sample(things, step):
    """All of them; in an emulated kernel one in `step`, unless --all was said."""
    if not SLOW or ALL:
        return things
    step *= 2 if SHORT else 1
    print(f"# THIS KERNEL IS SLOW: one in {step} of {len(things)}; --all takes each")
    return things[::step]


def in_short(test):
    """Marks a test of which the short form plays a sample in an emulated kernel, too: what it
    breaks is made of what the machine's own kernel may lack."""
    test.in_short = True
    return test


def left_out(test):
    """In place of a test that the short form does not play."""
    def skipped():
        script = os.path.basename(sys.argv[0]).removesuffix("_test.py")
        raise tap.Skip("LEFT OUT IN THE SHORT FORM, it is played on the machine's own kernel; "
                       f"`tools/lab_tests {script}` plays it here, too")
    skipped.__doc__ = test.__doc__
    return skipped


def main(namespace, shared, **fixtures):
    """Runs the tests of a script in a network of their own; `shared` gets the compiled object."""
    if os.geteuid() != 0 or os.environ.get("KTM_SANITIZED"):
        why = ("ONLY ROOT MAKES NETWORK NAMESPACES" if os.geteuid() != 0 else
               "A SANITIZER LETS NO OTHER OBJECT BE LOADED BEFORE IT")
        print(f"1..0 # SKIP {why}; nothing was tested")
        return
    sys.argv = [word for word in sys.argv if word != "--all"]
    shared["shim"] = compiled_shim()
    isolate(shared["shim"])
    if SHORT:
        namespace = {name: thing if not name.startswith("test_") or hasattr(thing, "in_short")
                     else left_out(thing) for name, thing in namespace.items()}
    tap.run(namespace, **fixtures)
