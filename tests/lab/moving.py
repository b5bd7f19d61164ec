# SPDX-License-Identifier: Apache-2.0
"""moving.py: a real guest between two nodes, under the traffic of a client, moved and counted.

    client  c0 10.1.0.1 ── r0 10.1.0.254  router  r1 10.3.0.254 ── s0 10.3.0.1  source
                                                  r2 10.4.0.254 ── d0 10.4.0.1  dest
    source  s1 10.2.0.1 ────────────── d1 10.2.0.2  dest: the link that the migration goes over

The same with IPv6, fd01:: and so on. The guest is 10.9.0.5 and fd09::5, behind tap0 of its node,
and the router knows at which node; it is told of a move when the guest runs at its new node, as a
network is. The guest is Debian's kernel with the program of guest.cc, and the client is client.cc;
what they count is read here, and judged by verdict.py.

The client sends TCP as kernels do, many segments as one packet, which are counted one by one.

Katamaran is used as anybody would: as two programs with options. Each node has its own folder for
journals, as two hosts have.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "outside")]
os.environ.setdefault("KATAMARAN", str(HERE.parents[1] / "build" / "katamaran"))

import nodes  # noqa: E402  (found through the path above)
import stage  # noqa: E402
import tap  # noqa: E402
from stage import until  # noqa: E402

# No multiple of 256 KiB: QEMU before 9.0 loses writes of the guest under TCG otherwise.
# Of it 96 MiB may lie in sockets (udp_mem in guest.cc), and a guest without the rest falls.
RAM_KIB = 256 * 1024 + 8
DISK_MIB = 48
MAC, TAP_MAC = "02:aa:00:00:00:05", "02:aa:00:00:00:01"
GUEST, GATEWAY = {4: "10.9.0.5", 6: "fd09::5"}, {4: "10.9.0.1", 6: "fd09::1"}
LINK = {"source": {4: "10.2.0.1", 6: "fd02::1"}, "dest": {4: "10.2.0.2", 6: "fd02::2"}}
TO_NODE = {"source": {4: "10.3.0.1", 6: "fd03::1"}, "dest": {4: "10.4.0.1", 6: "fd04::1"}}
PREFIX = {4: ("10.{}.0.", 24), 6: ("fd0{}::", 64)}
ASK_PORT, RATE_MIN = 7001, 250
IFF_VNET_HDR = 0x4000
MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
           "failover", "net_failover", "virtio_net", "virtio_blk")
OTHER = {"source": "dest", "dest": "source"}
BOOT_S_MAX = 120 if os.environ.get("KTM_LAB") not in ("uml", "qemu") else 300
NOT_SEEN_STILL = "or were joined to others and taken with them"
TOO_LATE = re.compile(r"too-late|stopped before its packets|pre-switchover")


# --- What is built ----------------------------------------------------------------------------

def cache_folder():
    """Where tools/lab keeps its kernel, too."""
    home = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME", "/var/tmp"), ".cache")
    return Path(home, "katamaran", "lab")


def archived(files):
    """A cpio archive, as the kernel takes its first files: {name: bytes}."""
    out = bytearray()
    for number, (name, data) in enumerate((*files.items(), ("TRAILER!!!", None)), 1):
        mode = 0o040755 if data is None and name != "TRAILER!!!" else 0o100755
        body, text = data or b"", name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(body), 0, 0, 0, 0, len(text), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + text
        out += b"\0" * (-len(out) % 4) + body
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def build():
    """The folder with guest and client, as tools/lab keeps its kernel: made when it is not there.

    Runs that collide make the same, each in a folder of its own.
    """
    subprocess.run([HERE / "debian_kernel.sh", cache_folder()], check=True, timeout=400)
    kernel = cache_folder() / "kernel"
    sources = [HERE / name for name in ("guest.cc", "client.cc", "traffic.hh", "moving.py")]
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in (*sources, kernel / "vmlinuz")))
    folder = cache_folder() / f"guest-{mark.hexdigest()[:16]}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as name:
            made = Path(name, "made")
            made.mkdir()
            _build_in(made, kernel)
            with contextlib.suppress(OSError):
                made.rename(folder)
    return folder


def _build_in(folder, kernel):
    """Compiles the programs of guest and client; the kernel and its first files."""
    found = {path.stem: path for path in kernel.glob("system/lib/modules/*/kernel/**/*.ko")
             if path.stem in MODULES}
    for name, static in (("guest", ("-static",)), ("client", ())):
        subprocess.run(["c++", "-std=c++20", "-O2", "-pthread", *static, "-o", folder / name,
                        HERE / f"{name}.cc"], check=True, timeout=120)
    files = {"dev": None, "proc": None, "modules": None, "init": (folder / "guest").read_bytes()}
    for number, name in enumerate(MODULES):
        files[f"modules/{number}.ko"] = found[name].read_bytes()
    (folder / "initrd").write_bytes(archived(files))
    shutil.copy(kernel / "vmlinuz", folder / "vmlinuz")


def require(*kinds):
    """Skips where no guest can be moved: `kinds` are what the kernel must have."""
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        raise tap.Skip("NO ROOT OR NO TAP DEVICES HERE; nothing was migrated")
    missing = [one for one in ("qemu-system-x86_64", "c++", "ip", "tc") if not shutil.which(one)]
    if missing:
        raise tap.Skip(f"{', '.join(missing)} IS NOT INSTALLED; nothing was migrated")
    if not os.access(stage.BINARY, os.X_OK):
        raise tap.Skip(f"THERE IS NO {stage.BINARY}; nothing was migrated")
    if not nodes.has_kinds(*kinds):
        raise tap.Skip(f"THIS KERNEL HAS NOT ALL OF {', '.join(kinds)}; nothing was migrated")


# --- The network ------------------------------------------------------------------------------

class Network:
    """Client, router and the two nodes, wired."""

    def __init__(self, stack, link_mtu=1500):
        self.client, self.router, source, dest = (
            nodes.silent_node(stack, letter) for letter in ("c", "r", "s", "d"))
        self.nodes = {"source": source, "dest": dest}
        self.asked = 4  # The family of the address at which the guest is asked.
        self._wire(self.client, "c0", 1, 1, self.router, "r0", 254)
        self._wire(source, "s0", 3, 1, self.router, "r1", 254)
        self._wire(dest, "d0", 4, 1, self.router, "r2", 254)
        self._wire(source, "s1", 2, 1, dest, "d1", 2, mtu=link_mtu)
        for node in (self.router, source, dest):
            node.setting("ipv4/ip_forward", 1)
            node.setting("ipv6/conf/all/forwarding", 1)
        for node, wire in ((self.client, 1), (source, 3), (dest, 4)):
            node.ip(*(f"route add default via {self._address(family, wire, 254)}"
                      for family in (4, 6)))
        for node in (source, dest):
            node.ip("tuntap add tap0 mode tap vnet_hdr", f"link set tap0 address {TAP_MAC} "
                    "mtu 1500 txqueuelen 10000 addrgenmode none", "link set tap0 up")
            self._open_once(node)
        source.ip(*(line for guest in GUEST.values() for line in (
            f"route add {guest} dev tap0", f"neigh replace {guest} dev tap0 lladdr {MAC} "
            "nud permanent")))
        self.lead_to("source")

    @staticmethod
    def _address(family, wire, end):
        text = PREFIX[family][0].format(wire)
        return text + (str(end) if family == 4 else f"{end:x}")

    def _wire(self, one, name, wire, end, other, other_name, other_end, mtu=1500):
        one.ip(f"link add {name} type veth peer name {other_name} netns {other.name}")
        sides = ((one, name, end, other_end), (other, other_name, other_end, end))
        for node, device, here, there in sides:
            node.ip(f"link set {device} address 02:00:00:00:{wire:02}:{here % 99:02} mtu {mtu} "
                    "addrgenmode none", f"link set {device} up",
                    *(f"addr add {self._address(family, wire, here)}/{PREFIX[family][1]} "
                      f"dev {device}" + (" nodad" if family == 6 else "") for family in (4, 6)),
                    *(f"neigh replace {self._address(family, wire, there)} dev {device} lladdr "
                      f"02:00:00:00:{wire:02}:{there % 99:02} nud permanent"
                      for family in (4, 6)))

    @staticmethod
    def _open_once(node):
        """A tap that was open once looks another way than one that never was."""
        with node.inside():
            file = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(file, nodes.TUNSETIFF, struct.pack(
                "16sH22x", b"tap0", nodes.IFF_TAP | nodes.IFF_NO_PI | IFF_VNET_HDR))
        node.settle()
        os.close(file)
        until(lambda: "LOWER_UP" not in node.listed("ip", "link show dev tap0")[0][0]["flags"],
              what="the tap without carrier")

    def lead_to(self, role):
        """The router sends the guest's packets to that node from now on."""
        self.router.ip(*(f"route replace {GUEST[family]} via {TO_NODE[role][family]}"
                         for family in (4, 6)))

    def drops(self):
        """What the taps have dropped, at each node."""
        return {role: node.listed("ip -s", "link show dev tap0")[0][0]["stats64"]["tx"]["dropped"]
                for role, node in self.nodes.items()}

    def cut(self, is_cut=True):
        """The link between the nodes carries nothing any more, though its carrier is there."""
        for role, device in (("source", "s1"), ("dest", "d1")):
            self.nodes[role].tc(f"qdisc replace dev {device} root tbf rate 8bit burst 1 limit 1"
                                if is_cut else f"qdisc del dev {device} root")


# --- The client -------------------------------------------------------------------------------

class Traffic:
    """A client that sends, and what it has said so far."""

    epochs = 0

    def __init__(self, move, families, rate, bulk, seconds=240):
        Traffic.epochs += 1
        self.move, self.families = move, families
        words = [str(word) for word in (rate, seconds, Traffic.epochs, bulk)]
        read, write = os.pipe()
        with move.network.client.inside():
            self._process = subprocess.Popen(
                [move.programs / "client", *words, *(GUEST[family] for family in families)],
                stdin=subprocess.PIPE, stdout=write)
        os.close(write)
        self._text = stage.Text(read)
        move.stack.callback(self.kill)

    def lines(self):
        """What it said each 100 ms."""
        whole = self._text.so_far().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def latest(self):
        """Its latest words; nothing as long as there are none."""
        lines = self._text.so_far().splitlines(keepends=True)[-2:]
        lines = [line for line in lines if line.endswith("\n")]
        return json.loads(lines[-1]) if lines else None

    def settle(self, within=20):
        """Waits until packets of each stream come back."""
        def is_going():
            told = self.latest()
            return told and all(each["back"] > 50 for each in told["streams"])
        until(is_going, within, f"the echoes of the guest; {self.latest()}")

    def end(self, within=30):
        """Sends no more; the last counts."""
        self._process.stdin.close()
        self._process.wait(within)
        return self.lines()[-1]

    def kill(self):
        """Ends it at once."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def ask(network, question, within=10.0, each=2.0):
    """What the guest answers."""
    ends = time.monotonic() + within
    with network.client.inside():
        one = socket.socket(socket.AF_INET6 if network.asked == 6 else socket.AF_INET,
                            socket.SOCK_DGRAM)
    with contextlib.closing(one):
        one.settimeout(each)
        one.connect((GUEST[network.asked], ASK_PORT))
        mark = f"{time.monotonic_ns():x}"
        while time.monotonic() < ends:
            with contextlib.suppress(OSError):
                one.send(f"{mark} {question}".encode())
                while not (told := one.recv(65536).decode()).startswith(mark + " "):
                    pass
                return json.loads(told.partition(" ")[2])
    raise AssertionError(f"the guest did not answer '{question}' within {within} s")


# --- The guest --------------------------------------------------------------------------------

class Ended:
    """How the two katamarans of a move ended, and what was measured of it."""

    def __init__(self, runs, lines, dark_ms):
        self.runs, self.lines, self.dark_ms = runs, lines, dark_ms
        self.last = {role: (told[-1] if told else {}) for role, told in lines.items()}

    @property
    def is_done(self):
        """Whether the guest has moved, by what both say."""
        return all(told.get("end") == "done" for told in self.last.values())

    @property
    def faults(self):
        """What they say that is wrong with a move that is done, in words."""
        found = [f"{role} ended with exit code {run.code}" for role, run in self.runs.items()
                 if run.code != 0]
        for role, told in self.last.items():
            found += [f"{role} left behind: {one}" for one in told.get("left", ())]
            found += [f"{role} lost: {one}" for one in told.get("losses", ())]
            ledger = told.get("ledger", {"proof": "nothing", "text": "nothing"})
            if ledger["proof"] == "not-proven" and all(
                    NOT_SEEN_STILL in doubt for doubt in ledger["doubts"]):
                print(f"# a machine too busy to see the tap empty: {ledger['text']}", flush=True)
            elif ledger["proof"] != "zero-lost":
                found.append(f"{role} says of the packets: {ledger['text']}")
        return found

    @property
    def was_too_late(self):
        """Whether it was given up in order, as the diversion would have come too late."""
        return (self.runs["source"].code == 1 and
                TOO_LATE.search(str(self.last["source"].get("cause"))) is not None)

    def __repr__(self):
        return "\n".join(f"{role}: {run!r}" for role, run in self.runs.items())


class Moving:
    """A guest, its network and its moves."""

    def __init__(self, scene, stack, programs, link_mtu=1500, disk_folder=None,
                 **work):
        self.scene, self.stack, self.programs = scene, stack, programs
        self.network = Network(stack, link_mtu)
        self.disks = Path(disk_folder or scene.folder)
        self.work = {"dirty": 5000, "working": 24, "writes": 150} | work
        self.qemus, self.at, self.count, self.accel = {}, "source", 0, "tcg"
        self.consoles = ""
        self.disk = self.left = self.new_disk()
        self.before = self.listings()
        for role in OTHER:
            self.state(role).mkdir()

    def listings(self):
        """All that is set at both nodes, while no QEMU has its tap open."""
        for node in self.network.nodes.values():
            node.settle()
        return {role: node.listing() for role, node in self.network.nodes.items()}

    def new_disk(self):
        """An empty image."""
        self.count += 1
        path = self.disks / f"disk{self.count}.img"
        with open(path, "xb") as file:
            file.truncate(DISK_MIB << 20)
        return path

    def state(self, node):
        """Where the katamarans of a node write their journals."""
        return self.scene.state / node

    def monitor(self, role, letter="b"):
        """The socket of a QEMU: `a` is katamaran's, `b` ours."""
        return f"./{role}-{letter}.qmp"

    def start_qemu(self, role, disk, *more):
        """A QEMU at that node."""
        known = dict(self.work, v4=GUEST[4], v6=GUEST[6], gateway4=GATEWAY[4],
                     gateway6=GATEWAY[6], lladdr=TAP_MAC)
        words = " ".join(f"ktm.{name}={value}" for name, value in known.items())
        accel = "tcg,thread=multi" if self.accel == "tcg" else self.accel
        machine = ("-accel", accel, "-machine", "q35", "-m", f"{RAM_KIB}k",
                   "-kernel", self.programs / "vmlinuz", "-initrd", self.programs / "initrd",
                   "-append", f"console=ttyS0 quiet panic=-1 mitigations=off {words}",
                   "-vga", "none", "-serial", f"file:{role}.serial",
                   "-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no",
                   "-device", f"virtio-net-pci,netdev=net0,mac={MAC},romfile=",
                   "-blockdev", f"raw,node-name=disk0,file.driver=file,file.filename={disk}",
                   "-device", "virtio-blk-pci,drive=disk0", *more)
        with self.network.nodes[role].inside():
            self.qemus[role] = self.scene.qemu(
                machine=machine, sockets=(f"{role}-a.qmp", f"{role}-b.qmp"))

    def boot(self):
        """The guest at the source, at work."""
        self.start_qemu("source", self.disk)
        until(lambda: self.boots() > 0, BOOT_S_MAX,
              f"the guest booted: {self.scene.text_of('source.serial')[-800:]!r}")

    @contextlib.contextmanager
    def standing(self):
        """The guest stands: nothing of what it writes is half written."""
        for command in ("stop", "cont"):
            ended = self.scene.run("qmp", self.monitor(self.at), command)
            assert ended.code == 0, ended
            if command == "stop":
                yield

    def console(self):
        """What the guest has said, in all QEMUs that it was in."""
        return self.consoles + "".join(self.scene.text_of(f"{role}.serial") for role in self.qemus)

    def boots(self):
        """How often it has begun."""
        return self.console().count("guest: ready")

    def end_qemu(self, role):
        """That QEMU is gone, and its tap closed."""
        if role in self.qemus:
            self.consoles += self.scene.text_of(f"{role}.serial")
            self.qemus.pop(role).kill()

    def start(self, role, plan, *words):
        """The katamaran of that role, at that node; `role` is the one of this move."""
        node = role if self.at == "source" else OTHER[role]
        with self.network.nodes[node].inside():
            return self.scene.start(
                "run", plan, "--role", role, "--json", "--peer-key", self.scene.peer_key(),
                "--state", str(self.state(node)), "--record", f"{role}-{self.count}.jsonl",
                "--var", f"qmp={self.monitor(node, 'a')}", *words)

    def begin_traffic(self, families, rate, bulk, say=lambda text: None):
        """A client; where the guest is too slow for it, one that asks for less, said so."""
        self.network.asked = families[0]
        while True:
            traffic = Traffic(self, families, rate, bulk)
            traffic.settle()
            time.sleep(1.5)
            told = traffic.latest()["streams"]
            if sum(each["sent"] - each["back"] for each in told) <= rate / 4 or rate <= RATE_MIN:
                return traffic
            traffic.kill()
            rate //= 2
            say(f"this machine is too slow for {2 * rate} packets a second; {rate} are sent")

    def words_of(self, families, tunnel, drives=False, **variables):
        """The options of both roles: addresses, tunnel, and what else there is."""
        wanted = {"vm_ip": ",".join(GUEST[family] for family in families), "tunnel": tunnel}
        if drives:
            wanted["drives"] = "disk0"
        return [word for name, value in (wanted | variables).items()
                for word in ("--var", f"{name}={value}")]

    def begin(self, plan, families, tunnel, to_source=(), to_dest=(), **variables):
        """Starts QEMU where the guest goes to, and both katamarans; nothing is waited for."""
        source, dest = self.at, OTHER[self.at]
        self.left = self.disk
        if plan == "local-storage":
            self.disk = self.new_disk()
        else:
            self.count += 1
        self.end_qemu(dest)
        self.start_qemu(dest, self.disk, "-incoming", "defer", "-S")
        common = self.words_of(families, tunnel, plan == "local-storage", **variables)
        family = families[0]
        return {
            "dest": self.start("dest", plan, *common, *to_dest, "--var", "tap=tap0", "--var",
                               f"listen_ip={LINK[dest][family]}"),
            "source": self.start("source", plan, *common, *to_source, "--var",
                                 f"dest_ip={LINK[dest][family]}")}, source, dest

    @staticmethod
    def states(run):
        """The states that a run has entered so far."""
        return re.findall(r'"kind":"state","state":"(\w+)"', run.out.so_far())

    def finish(self, runs, within=90.0, watch=lambda: None):
        """Waits for both to end, and tells the router where the guest is."""
        ends, is_led = time.monotonic() + within, False
        while not all(run.has_ended() for run in runs.values()):
            assert time.monotonic() < ends, f"not over within {within} s: " + "\n".join(
                f"{role}: {run.out.so_far()[-600:]}" for role, run in runs.items())
            if not is_led and "drain" in self.states(runs["source"]):
                self.network.lead_to(OTHER[self.at])
                is_led = True
            watch()
            time.sleep(0.01)
        ended = {role: run.end() for role, run in runs.items()}
        lines = {role: [json.loads(line) for line in one.out.splitlines()]
                 for role, one in ended.items()}
        return Ended(ended, lines, self.dark_ms())

    def dark_ms(self):
        """How long the guest stood, from both recordings; nothing if it did not."""
        drawn = self.scene.run("trace", "timeline", *(
            f"{role}-{self.count}.jsonl" for role in OTHER), within=30)
        found = re.search(r"dark for ([\d.]+) (\w+)", drawn.out)
        return float(found[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[found[2]] if found else None

    def move(self, plan, families, tunnel, watch=lambda: None, **variables):
        """One migration, to its end. If it was given up in order, the guest is where it was."""
        runs, _, _ = self.begin(plan, families, tunnel, **variables)
        return self.settle(runs, watch)

    def settle(self, runs, watch=lambda: None):
        """Waits for the end of what was begun, and ends the QEMU that has no guest any more."""
        source, dest = self.at, OTHER[self.at]
        ended = self.finish(runs, watch=watch)
        if ended.is_done:
            self.at = dest
            self.end_qemu(source)
        else:
            self.end_qemu(dest)
            if self.disk != self.left:
                self.disk.unlink()
            self.disk = self.left
        return ended


@contextlib.contextmanager
def moving(programs, **how):
    """A guest at work at the source; all of it is gone in the end."""
    with contextlib.ExitStack() as stack:
        scene = stack.enter_context(stage.stage())
        made = Moving(scene, stack, programs, **how)
        made.boot()
        yield made


