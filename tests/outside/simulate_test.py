# SPDX-License-Identifier: Apache-2.0
"""simulate_test.py: runs of real QEMUs and a real kernel, recorded and played again."""
import json
import os
import re
import signal
import sys

import stage
import tap
from run_stage import last_line, run, shown, start_run, status_of, story_of, write_plan
from stage import DATA, until

DURATION = re.compile(r"\b\d[\d.]* (ns|us|ms|s)\b")
KERNEL_USER = """
state "using" { within = "20s", next = "done",
  enter = function(m)
    local watch = net.watch { on = "tap0" }
    local path = net.divert { "10.1.2.3", into = "tap1" }
    path.turn()
    exec { "ip", "link", "set", "tap0", "mtu", "1400" }
    log.info("mtu %d", wait { "net:link", "5s" }.data.mtu)
    local hold = net.hold { "tap0", rate = 20000, pause = "300ms", mode = "ring" }
    hold.block()
    hold.open()
    log.info("lost %d", hold.release().lost)
    log.info("%s", exec { "ip", "route", "show", "10.1.2.3" }.out)
    log.info("%s", fs.read("/proc/sys/net/ipv4/ip_forward"))
    MORE
  end },
"""
# Opens a tap, as QEMU would, and says so.
TAP_READER = """
import fcntl, os, struct, sys
for name in (b"tap0", b"tap1"):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH", name, 0x1002))
    os.set_inheritable(tun, True)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def timeless(text):
    """A text in which all durations are equal."""
    return DURATION.sub("T", text)


def simulate(scene, plan, recording, *words, **how):
    """`katamaran simulate` on a recording, to its end."""
    return scene.run("simulate", plan, "--trace", recording, *words, **how)


def on_vm(scene, plan, recording, *words):
    """The same for a plan on the VM at ./a.qmp."""
    return simulate(scene, plan, recording, "--var", "qmp=./a.qmp", *words)


def assert_same(real, again):
    """The simulation came through the same states to the same end."""
    assert again.code == real.code, (real, again)
    assert timeless(last_line(again)) == timeless(last_line(real)), (real, again)
    assert [text for _, text in story_of(timeless_story(again))] == [
        text for _, text in story_of(timeless_story(real))], (real, again)


def timeless_story(ended):
    """What was told, but for durations inside of the words."""
    return "\n".join(line[:12] + timeless(line[12:]) for line in ended.out.splitlines())


def test_freeze(scene):
    """A recorded freeze is played again without a VM: the states, the last line, the exit code"""
    qemu = scene.qemu()
    real = run(scene, "freeze", "--var", "pause=100ms", "--record", "f.jsonl")
    qemu.kill()
    before = sorted(os.listdir(scene.folder))
    again = on_vm(scene, "freeze", "f.jsonl", "--var", "pause=100ms")
    assert_same(real, again)
    assert again.err == "" and sorted(os.listdir(scene.folder)) == before, again
    texts = {on_vm(scene, "freeze", "f.jsonl", "--json").out for _ in range(5)}
    assert len(texts) == 1, texts
    end = json.loads(texts.pop().splitlines()[-1])
    assert (end["kind"], end["end"], end["exit"]) == ("end", "done", 0), end


def test_snapshot(scene):
    """A recorded snapshot, compressed, too; with another file the simulation is undecided there"""
    scene.qemu(machine=("-machine", "pc,accel=tcg", "-m", "16"))
    file = "file=" + scene.path("state")
    real = run(scene, "snapshot", "--var", file, "--record", "s.jsonl.zst")
    assert real.code == 0, real
    assert_same(real, on_vm(scene, "snapshot", "s.jsonl.zst", "--var", file))
    other = on_vm(scene, "snapshot", "s.jsonl.zst", "--var", "file=/other")
    assert other.code == 4 and last_line(other).startswith("undecided: "), other
    for part in ("migrate", "'/other'", "(line ", scene.path("state")):
        assert part in last_line(other), (part, other)


def test_failure_and_interruption(scene):
    """A run that was aborted, and one that was interrupted, end again as they did"""
    scene.qemu(machine=("-machine", "pc,accel=tcg", "-m", "16"))
    file = "file=" + scene.path("none/state")
    real = run(scene, "snapshot", "--var", file, "--record", "failed.jsonl")
    assert real.code == 1, real
    assert_same(real, on_vm(scene, "snapshot", "failed.jsonl", "--var", file))
    running = start_run(scene, "freeze", "--var", "pause=10min", "--record", "int.jsonl")
    running.out.wait_for(r"  frozen\n")
    until(lambda: status_of(scene) == "paused", what="the guest standing")
    running.signal(signal.SIGINT)
    real = running.end()
    assert real.code == 130, real
    assert_same(real, on_vm(scene, "freeze", "int.jsonl", "--var", "pause=10min"))


def test_changed_plan(scene):
    """A plan with another sequence is answered while that is honest, and is told where it is not"""
    scene.qemu()
    assert run(scene, "freeze", "--var", "pause=10ms", "--record", "f.jsonl").code == 0
    write_plan(scene, "other", """
      state "only" { within = "5s", next = "done",
        enter = function()
          qmp("stop")
          wait { "STOP" }
          log.info("it is %s", qmp("query-status").status)
          qmp("cont")
          log.info("it is %s", qmp("query-status").status)
        end },""")
    ended = on_vm(scene, "other", "f.jsonl")
    assert ended.code == 0 and re.search("it is paused(.|\n)*it is running", ended.out), ended
    write_plan(scene, "early", """
      state "only" { within = "5s", next = "done", enter = function() qmp("cont") end },""")
    ended = on_vm(scene, "early", "f.jsonl", "--json")
    end = json.loads(ended.out.splitlines()[-1])
    assert (ended.code, end["kind"], end["end"], end["exit"]) == (4, "end", "undecided", 4), end
    assert "came of stop" in end["why"] and "was not sent" in end["why"], end
    write_plan(scene, "asks", """
      state "only" { within = "5s", next = "done", enter = function() qmp("query-name") end },""")
    ended = on_vm(scene, "asks", "f.jsonl")
    assert ended.code == 4 and "does not have it" in last_line(ended), ended


def test_rest_of_the_recording(scene):
    """What a plan did not need of the recording is told on stderr, and changes no exit code"""
    scene.qemu()
    assert run(scene, "freeze", "--var", "pause=10ms", "--record", "f.jsonl").code == 0
    write_plan(scene, "looks", """
      state "only" { within = "5s", next = "done", enter = function() qmp("query-status") end },""")
    ended = on_vm(scene, "looks", "f.jsonl")
    assert ended.code == 0 and "not needed of the recording: ./a.qmp: from stop" in ended.err, ended


def test_secret(scene):
    """What the recording hides fits any secret that the simulation is given"""
    scene.qemu()
    write_plan(scene, "secret", """
      state "only" { within = "5s", next = "done",
        enter = function(m)
          qmp("object-add", { ["qom-type"] = "secret", id = "s", data = m.key })
        end },
      """, 'key = var.secret { doc = "A secret." },')
    for name in ("one", "two"):
        (scene.folder / name).write_text(f"the-{name}-of-both\n")
    real = run(scene, "secret", "--var", "key=@one", "--record", "s.jsonl")
    assert real.code == 0 and "the-one" not in scene.text_of("s.jsonl"), real
    assert_same(real, on_vm(scene, "secret", "s.jsonl", "--var", "key=@two"))


def test_damage(scene):
    """A recording that was cut off is played up to there: the cut is told, then nobody knows"""
    scene.qemu()
    assert run(scene, "freeze", "--var", "pause=10ms", "--record", "f.jsonl").code == 0
    lines = scene.text_of("f.jsonl").splitlines(keepends=True)
    for command, phrase in (("stop", "before QEMU has answered"),
                            ("query-status", "query-status")):
        cut = next(at for at, line in enumerate(lines) if f'"execute":"{command}"' in line)
        (scene.folder / "cut.jsonl").write_text("".join(lines[:cut + 1]) + '{"t":12,"po')
        ended = on_vm(scene, "freeze", "cut.jsonl")
        assert ended.code == 4 and phrase in last_line(ended), ended
        assert "is damaged" in ended.err and f"line {cut + 2}" in ended.err, ended
    (scene.folder / "cut.jsonl").write_text("no recording")
    ended = on_vm(scene, "freeze", "cut.jsonl")
    assert ended.code == 2 and "cut.jsonl" in ended.err and ended.out == "", ended


def test_plain_form(scene):
    """A trace of another tool in the plain form is played to a plan that does the same"""
    write_plan(scene, "moving", """
      state "setting" { within = "5s", next = "copying",
        enter = function()
          qmp.enable("events")
          qmp("migrate-set-parameters", { ["downtime-limit"] = 1 })
        end },
      state "copying" { within = "30s",
        enter = function() qmp("migrate", { uri = "tcp:10.99.0.2:4444" }) end,
        on { "MIGRATION_PASS", run = function(_, event)
          if event.data.pass ~= 7 then return end
          qmp("migrate-set-parameters", { ["downtime-limit"] = 300 })
        end },
        on { "STOP", run = function() log.info("it stands") end },
        on { "MIGRATION", status = "completed", go = "done" } },""")
    trace = str(DATA.resolve() / "traces" / "divert-before-stop-source.jsonl")
    ended = on_vm(scene, "moving", trace)
    assert ended.code == 0 and "it stands" in ended.out, ended
    assert [text for _, text in story_of(ended.out)] == ["setting", "copying", "  it stands"], ended


def test_second_vm(scene):
    """A second VM of a plan is found in the recording by its place; another place is not"""
    scene.qemu()
    scene.qemu(sockets=("c.qmp", "d.qmp"))
    write_plan(scene, "two", """
      state "both" { within = "10s",
        enter = function(m)
          local other = qmp.connect(m.other, "other")
          other("stop")
          wait { "STOP", "5s", vm = "other" }
          other("cont")
        end,
        on { "RESUME", vm = "other", go = "done" } },""",
               'other = var.path { doc = "The other monitor." },')
    real = run(scene, "two", "--var", "other=./c.qmp", "--record", "two.jsonl")
    assert real.code == 0, real
    assert_same(real, on_vm(scene, "two", "two.jsonl", "--var", "other=./c.qmp"))
    ended = on_vm(scene, "two", "two.jsonl", "--var", "other=./none.qmp")
    assert ended.code == 4 and "connects to ./none.qmp" in last_line(ended), ended


def test_nobody_there(scene):
    """A VM that could not be reached cannot be reached again, for the same reason"""
    for name in ("none.jsonl", "dead.jsonl"):
        real = run(scene, "freeze", "--record", name)
        assert real.code == 1, real
        assert_same(real, on_vm(scene, "freeze", name))
        scene.qemu().kill()


def test_kernel_and_programs(scene):
    """What the kernel, programs and files said is recorded and said again, to the same requests"""
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        raise tap.Skip("NO ROOT OR NO TAP DEVICES HERE; the kernel's side was not recorded")
    write_plan(scene, "uses", KERNEL_USER.replace("MORE", ""), has_vm=False)
    script = (
        "ip link set lo up; ip tuntap add tap0 mode tap; ip tuntap add tap1 mode tap;"
        "ip link set tap0 up; ip link set tap1 up; ip addr add 10.1.0.1/16 dev tap0;"
        'exec "$1" -c "$2" "$0" run uses --record uses.jsonl --state "$3"')
    ended = scene.start("-n", "/bin/bash", "-c", script, stage.BINARY, sys.executable, TAP_READER,
                        scene.path("state"), program="/usr/bin/unshare").end(30)
    assert ended.code == 0, ended
    os.rmdir(scene.path("state"))
    lines = shown(scene, "uses.jsonl")
    for part in ("net -> route 10.1.2.3/32 to tap1", "net -- note turn ",
                 "net -- note block the hold on tap0", "exec -> ip link set tap0 mtu 1400",
                 "exec <- answer", "journal -> message", "files -> read /proc/sys"):
        assert any(part in re.sub(" +", " ", line) for line in lines), (part, lines)
    assert_same(ended, simulate(scene, "uses", "uses.jsonl"))
    more = KERNEL_USER.replace("MORE", 'exec { "ip", "rule" }')
    write_plan(scene, "uses", more, has_vm=False)
    ended = simulate(scene, "uses", "uses.jsonl")
    assert ended.code == 4 and "ip rule" in last_line(ended), ended


def test_usage(scene):
    """A recording that is not there, or of no VM of the plan, is exit 2 with its name"""
    ended = on_vm(scene, "freeze", "none.jsonl")
    assert ended.code == 2 and "none.jsonl" in ended.err and ended.out == "", ended
    (scene.folder / "other.jsonl").write_text(
        '{"dir":"out","port":"qmp:other","msg":{"execute":"stop"}}\n')
    ended = on_vm(scene, "freeze", "other.jsonl")
    assert ended.code == 2 and "holds no monitor" in ended.err, ended


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
