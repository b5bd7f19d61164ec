# SPDX-License-Identifier: Apache-2.0
"""lab_test.py: tools/lab gives what it promises: outputs, exit codes, a kernel with all it takes;
and tools/lab_tests knows what has to be played there.

KTM_LAB_BACKEND=host|uml|qemu tests that one; without it, the one that tools/lab chooses.
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "harness")]

import tap  # noqa: E402

LAB = ROOT / "tools" / "lab"
BACKEND = os.environ.get("KTM_LAB_BACKEND", "")
RUN_S_MAX = 180
END_S_MAX = 20

# What is made by hand, and what `ip` and `tc` say of it then.
PARTS = {
    "veth": ("ip link add one type veth peer name two", "ip -d link show one"),
    "tun": ("ip tuntap add dev tap0 mode tap", "ip -d link show tap0"),
    "ipip": ("ip link add l1 type ipip local 127.0.0.1 remote 127.0.0.2", "ip -d link show l1"),
    "gre": ("ip link add l2 type gre local 127.0.0.1 remote 127.0.0.2", "ip -d link show l2"),
    "ip6tnl": ("ip link add l3 type ip6tnl mode ip6ip6 local ::1 remote ::2",
               "ip -d link show l3"),
    "ip6gre": ("ip link add l4 type ip6gre local ::1 remote ::2", "ip -d link show l4"),
    "vxlan": ("ip link add l5 type vxlan id 7 dstport 4789 local 127.0.0.1",
              "ip -d link show l5"),
    "plug": ("tc qdisc add dev tap0 root plug limit 100000", "tc qdisc show dev tap0"),
    "ingress": ("tc qdisc add dev one ingress", "tc qdisc show dev one"),
    "matchall": ("tc filter add dev one ingress matchall action mirred egress redirect dev tap0",
                 "tc filter show dev one ingress"),
    "u32": ("tc filter add dev one ingress protocol ip u32 match u32 0 0 "
            "action mirred egress mirror dev tap0", "tc filter show dev one ingress"),
    "mirred": ("true", "tc filter show dev one ingress"),
}


class Lab:
    """Runs tools/lab with a folder for its files, and looks at what is left of it."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = os.environ | {"TMPDIR": folder}

    def words(self, command, *options):
        """The command line that runs `command` in a lab."""
        forced = ["--backend", BACKEND] if BACKEND else []
        return [str(LAB), *forced, "--deadline", f"{RUN_S_MAX}s", *options, *command]

    def run(self, *command, options=(), **more):
        """What came of a command: its exit code and its outputs, as bytes."""
        return subprocess.run(self.words(command, *options), capture_output=True, check=False,
                              timeout=2 * RUN_S_MAX, env=self.environment | more)

    @contextlib.contextmanager
    def running(self, *command):
        """A lab that is running, as a process with a pipe for its stdout."""
        with subprocess.Popen(self.words(command), stdout=subprocess.PIPE,
                              env=self.environment) as process:
            try:
                yield process
            finally:
                process.kill()

    def processes(self):
        """The command lines of all processes that were told of this folder."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                line = path.read_bytes()
                if self.folder.encode() in line:
                    found.append(line)
        return found

    def assert_nothing_runs(self):
        """Waits until no process is left, which may take a moment after a SIGKILL."""
        limit = time.monotonic() + END_S_MAX
        while self.processes() and time.monotonic() < limit:
            time.sleep(0.05)
        assert not self.processes(), self.processes()

    def assert_nothing_left(self):
        """Neither a process nor a file."""
        self.assert_nothing_runs()
        assert not os.listdir(self.folder), os.listdir(self.folder)


@contextlib.contextmanager
def new_lab():
    """A lab for a test, if this machine can have one; not in TMPDIR, which a lab may hide."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        lab = Lab(folder)
        told = lab.run(options=["--which"])
        if told.returncode != 0:
            raise tap.Skip(f"no lab here: {' '.join(told.stderr.decode().split())}")
        yield lab


def test_outputs(lab):
    """The exit code and both outputs come back, apart and byte for byte, and nothing is left"""
    sent = bytes(range(256)) * 999
    source = os.path.join(lab.folder, "sent")
    pathlib.Path(source).write_bytes(sent)
    ended = lab.run("sh", "-c", f"cat {source}; echo aside >&2; exit 7")
    os.remove(source)
    assert (ended.returncode, ended.stderr) == (7, b"aside\n"), ended
    assert ended.stdout == sent, len(ended.stdout)
    lab.assert_nothing_left()


def test_circumstances(lab):
    """A command is root, keeps its folder, and sees the variables that are passed, and no others"""
    script = "id -u; pwd; echo $KTM_WORD:$OTHER:$SECRET; cat; stat -fc %T $TMPDIR; echo $KTM_LAB"
    ended = lab.run("sh", "-c", script, options=["--env", "OTHER"], KTM_WORD="a  'b", OTHER="c",
                    SECRET="d")
    backend = lab.run(options=["--which"]).stdout.split()[0]
    expected = f"0\n{os.getcwd()}\na b:c:\ntmpfs\n{backend.decode()}\n".replace("a b", "a 'b")
    assert ended.stdout.decode() == expected, ended


def test_parts(lab):
    """Each kind of link, queue, filter and action that a cutover uses can be made"""
    script = "".join(f"{make} && {show} | grep -qw {kind} && echo {kind} || echo no {kind}\n"
                     for kind, (make, show) in PARTS.items())
    ended = lab.run("sh", "-c", script)
    assert ended.stdout.decode().split("\n") == [*PARTS, ""], ended


def test_surroundings(lab):
    """There are namespaces with names, terminals, a loopback that is up, sockets below TMPDIR"""
    script = """set -e
        ip netns add one; ip netns exec one ip link set lo up; ip -br netns; ip netns del one
        ping -c 1 -W 5 127.0.0.1 >/dev/null 2>&1 || ip -br link show up | grep lo >/dev/null
        test -c /dev/net/tun; test -d /sys/class/net/lo
        python3 -c 'import os, pty, socket
os.openpty()
server = socket.socket(socket.AF_UNIX)
server.bind(os.environ["TMPDIR"] + "/socket")
server.listen()
socket.socket(socket.AF_UNIX).connect(os.environ["TMPDIR"] + "/socket")'"""
    ended = lab.run("sh", "-c", script)
    assert (ended.returncode, ended.stdout.split()[:1]) == (0, [b"one"]), ended


def test_deadline(lab):
    """A command that hangs is ended at its deadline with exit code 124, and a message says so"""
    ended = lab.run("sh", "-c", "echo begun; sleep 1000", options=["--deadline", "4s"])
    assert (ended.returncode, ended.stdout) == (124, b"begun\n"), ended
    assert b"the deadline of 4 s passed" in ended.stderr, ended
    lab.assert_nothing_left()


def test_panic(lab):
    """A kernel that panics gives exit code 125 and the end of its console"""
    if lab.run(options=["--which"]).stdout.startswith(b"host"):
        raise tap.Skip("the lab is the kernel of this machine, which must not panic")
    ended = lab.run("sh", "-c", "echo last words; sleep 1; echo c >/proc/sysrq-trigger; sleep 1000")
    assert (ended.returncode, ended.stdout) == (125, b"last words\n"), ended
    assert b"Kernel panic" in ended.stderr, ended
    lab.assert_nothing_left()


def test_live(lab):
    """Output arrives while the command runs, and TERM ends the lab and leaves nothing"""
    with lab.running("sh", "-c", "echo early; sleep 1000") as process:
        assert process.stdout.readline() == b"early\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_S_MAX) == 143, process.returncode
    lab.assert_nothing_left()


def test_unread(lab):
    """A lab whose output nobody reads any more ends, as a program in a pipe does"""
    with lab.running("yes") as process:
        assert process.stdout.readline() == b"y\n"
        process.stdout.close()
        assert process.wait(END_S_MAX) == 141, process.returncode
    lab.assert_nothing_left()


def test_killed(lab):
    """A lab that is killed takes its processes with it"""
    with lab.running("sh", "-c", "sleep 1000 & echo early; sleep 1000") as process:
        assert process.stdout.readline() == b"early\n"
        assert lab.processes()
        process.kill()
    lab.assert_nothing_runs()


def test_left_behind(lab):
    """A process that the command leaves behind ends with the lab and does not hold it up"""
    began = time.monotonic()
    ended = lab.run("sh", "-c", "sleep 1000 & echo done")
    assert (ended.returncode, ended.stdout) == (0, b"done\n"), ended
    assert time.monotonic() - began < RUN_S_MAX, "it waited for the deadline"
    lab.assert_nothing_left()


def test_two(lab):
    """Two labs run at once and do not see each other's links"""
    script = "ip link add same type veth peer name other && sleep 2 && echo fine"
    with lab.running("sh", "-c", script) as one, lab.running("sh", "-c", script) as two:
        assert [one.stdout.read(), two.stdout.read()] == [b"fine\n", b"fine\n"]
        assert [one.wait(END_S_MAX), two.wait(END_S_MAX)] == [0, 0]
    lab.assert_nothing_left()


def test_words(lab):
    """Wrong words are refused with exit code 2, and --which tells what would be used, and why"""
    for wrong in (["--backend", "none", "true"], ["--deadline", "soon", "true"], ["--depth"], []):
        ended = subprocess.run([str(LAB), *wrong], capture_output=True, check=False, timeout=60)
        assert ended.returncode == 2 and ended.stderr.startswith(b"tools/lab: "), (wrong, ended)
    ended = subprocess.run([str(LAB), "true"], capture_output=True, check=False, timeout=60,
                           cwd="/dev")
    assert ended.returncode == 2 and b"its own" in ended.stderr, ended
    told = lab.run(options=["--which"]).stdout.decode()
    assert told.split("\n")[0] in ("host", "uml", "qemu") and ": yes, " in told, told


# --- tools/lab_tests ------------------------------------------------------------------------------

HALF_DONE = """import sys
sys.path.insert(0, {harness!r})
import os, tap
def test_full():
    "All is here"
def test_lesser():
    "Some is lacking"
    tap.lacks("a plug", "a socket")
def test_skipped():
    "None is here"
    raise tap.Skip("no means")
def test_wrong():
    "It goes wrong"
    {ending}
tap.run(globals())
"""


def played(ending):
    """What tools/lab_tests makes of a program whose last test ends so, and what it printed."""
    loader = importlib.machinery.SourceFileLoader("lab_tests", str(ROOT / "tools" / "lab_tests"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("lab_tests", loader))
    loader.exec_module(module)
    program = HALF_DONE.format(harness=str(ROOT / "tests" / "harness"), ending=ending)
    printed, report = io.StringIO(), module.Report()
    with contextlib.redirect_stdout(printed):
        result = module.play(report, "half", [sys.executable, "-c", program], {})
        code = report.end()
    return result, printed.getvalue(), code


def test_what_lacked():
    """What a test lacked, or was skipped for, is known by its name, so that the lab can play it"""
    result, printed, code = played("pass")
    assert result.lacking == {"test_lesser": ["a plug", "a socket"],
                              "test_skipped": ["the means"]}, result.lacking
    assert result.claims_lacking == {"Some is lacking", "None is here"}, result.claims_lacking
    assert code == 0 and "ok 3 half: None is here # SKIP no means\n" in printed, printed
    assert printed.endswith("1..4\n"), printed


def test_what_went_wrong():
    """A test that fails, and a program that ends before its last test, are failures"""
    for ending, told in (("assert False", "not ok 4 half: It goes wrong"),
                         ("os._exit(0)", "not ok 4 half: all tests ran; exit code 0, 3 of 4"),
                         ("os._exit(7)", "not ok 4 half: all tests ran; exit code 7, 3 of 4")):
        _, printed, code = played(ending)
        assert code == 1 and told in printed, (ending, printed)


def test_wrong_names():
    """tools/lab_tests refuses names of no tests with exit code 2, and says which there are"""
    ended = subprocess.run([sys.executable, str(ROOT / "tools" / "lab_tests"), "nothing"],
                           capture_output=True, check=False, timeout=60)
    assert ended.returncode == 2 and b"crash, demo, fault, hold" in ended.stderr, ended


if __name__ == "__main__":
    tap.run(globals(), lab=new_lab)
