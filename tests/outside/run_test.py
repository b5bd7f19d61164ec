# SPDX-License-Identifier: Apache-2.0
"""run_test.py: `katamaran run` on real QEMUs: plans to their end, interrupted, killed, hung."""
import os
import re
import resource
import signal
import sys
import threading
import time

import stage
import tap
from false_qemu import playing
from run_stage import (
    STANDS_UNTIL_USR1, ask, assert_ended, assert_refused, assert_runs, run, shown, start_run,
    status_of, story_of, wait_for_file, write_plan)
from stage import until

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RAM_AT = 0x600000
RAM_BYTES = 8 << 20
PC = ("-machine", "pc,accel=tcg", "-m", "16")
SLOW_UNDO = """
state "standing" { within = "60s",
  enter = function(m)
    m:undo("wake the guest", function() qmp("cont") end)
    m:undo("take its time", function() wait { "timer:enough" } end)
    m:undo("begin", function() timer.after("700ms", "enough") end)
    qmp("stop")
  end,
  on { "STOP", go = "standing_still" } },
state "standing_still" { within = "60s", on { "signal:USR1", go = "done" } },
"""
MIRRORS = """
state "mirroring" { within = "60s",
  enter = function(m)
    m:undo("put QEMU back", qmp.restore { job = "mirror", node = "copy",
      capabilities = { events = false }, parameters = { ["downtime-limit"] = 300 } })
    qmp.enable("events")
    qmp("migrate-set-parameters", { ["downtime-limit"] = 5 })
    qmp("blockdev-add", { driver = "null-co", ["node-name"] = "copy", size = 1048576 })
    qmp("blockdev-mirror", { ["job-id"] = "mirror", device = "disk", target = "copy",
      sync = "full" })
    wait { "BLOCK_JOB_READY", "5s", device = "mirror" }
    log.info("it mirrors")
  end,
  on { "signal:USR1", go = "done" } },
"""
DISK = ("-blockdev", "null-co,node-name=disk,size=1048576")


def guest(scene):
    """A QEMU with a machine of which 8 MiB of RAM are random, so that a copy takes its time."""
    ram = os.urandom(RAM_BYTES)
    (scene.folder / "ram").write_bytes(ram)
    loader = f"loader,file=ram,addr={RAM_AT:#x},force-raw=on"
    return scene.qemu(machine=(*PC, "-device", loader)), ram


def frozen(scene, *words):
    """A freeze that stands until something ends it."""
    running = start_run(scene, "freeze", "--var", "pause=10min", *words)
    running.out.wait_for(r"  frozen\n")
    until(lambda: status_of(scene) == "paused", what="the guest standing")
    return running


def writing(scene, *words):
    """A snapshot in the middle of its slow writing."""
    running = start_run(scene, "snapshot", "--var", "file=" + scene.path("slow"),
                        "--var", "bandwidth=1MB/s", *words)
    wait_for_file(scene.folder / "slow.part", 100_000)
    return running


# --- To the end ---------------------------------------------------------------------------------


def test_freeze(scene):
    """freeze stops the guest for so long and wakes it: exit 0, its states in order, said as done"""
    scene.qemu()
    ended = run(scene, "freeze", "--var", "pause=100ms")
    assert_ended(ended, 0, "done after", "the guest runs here (./a.qmp)",
                 "nothing was left behind")
    story = story_of(ended.out)
    assert [text for _, text in story] == ["stopping", "frozen", "waking"], ended
    times = [seconds for seconds, _ in story]
    assert times == sorted(times) and times[2] - times[1] >= 0.099, times
    assert ended.out.splitlines()[0] == "freeze node", ended
    assert_runs(scene)


def test_guest_that_does_not_run(scene):
    """A guest that stood before is not woken: freeze refuses, snapshot leaves it standing"""
    scene.qemu()
    ask(scene, "stop")
    ended = run(scene, "freeze")
    assert_ended(ended, 1, "the guest does not run", "QEMU says paused", "nothing was left behind")
    ended = run(scene, "snapshot", "--var", "file=" + scene.path("state"))
    assert ended.code == 0 and "does not run here" in ended.out, ended
    assert status_of(scene) in ("paused", "postmigrate")


def test_snapshot_restores(scene):
    """A second QEMU starts from what snapshot wrote, with the same RAM, and its guest runs"""
    _, ram = guest(scene)
    ended = run(scene, "snapshot", "--var", "file=" + scene.path("state"))
    assert_ended(ended, 0, "done after", "the guest runs here", "nothing was left behind")
    assert [text for _, text in story_of(ended.out)] == ["stopping", "writing", "waking",
                                                            "looking"], ended
    assert_runs(scene)
    assert ask(scene, "query-migrate-parameters")["max-bandwidth"] == 128 << 20
    scene.qemu(machine=(*PC, "-incoming", "exec:cat state"), sockets=("c.qmp", "d.qmp"))
    status = until(lambda: (said := status_of(scene, "./c.qmp")) != "inmigrate" and said, 15)
    assert status in ("running", "paused"), status
    ask(scene, "pmemsave", f"val={RAM_AT}", f"size={RAM_BYTES}", "filename=copy",
        monitor="./c.qmp")
    assert (scene.folder / "copy").read_bytes() == ram
    ask(scene, "cont", monitor="./c.qmp")
    assert_runs(scene, "./c.qmp")


def test_names_that_a_shell_would_read(scene):
    """snapshot writes to names with blanks, quotes, $() and ; as they are, and runs nothing"""
    scene.qemu()
    for name in ("a b", "it's", 'say "x"', "$(touch bad)", "; touch bad", "`touch bad`", "-n",
                 "back\\slash", "ü→", "%s &", "'; touch bad; '"):
        ended = run(scene, "snapshot", "--var", "file=" + scene.path(name))
        assert_ended(ended, 0, "done after")
        wait_for_file(scene.folder / name, 100)
    assert not (scene.folder / "bad").exists()
    assert_runs(scene)


def test_snapshot_that_cannot_be_written(scene):
    """snapshot to a folder that does not exist: exit 1, all is undone and the guest runs"""
    guest(scene)
    ended = run(scene, "snapshot", "--var", "file=" + scene.path("none/state"))
    assert_ended(ended, 1, "aborted in writing", "MIGRATION status=failed", "the guest runs here",
                 "nothing was left behind")
    assert_runs(scene)


def test_snapshot_that_is_not_whole(scene):
    """A file that finds no room is not called done, and is not there"""
    vm, _ = guest(scene)
    state = scene.folder / "state"
    ended = run(scene, "snapshot", "--var", f"file={state}")
    assert_ended(ended, 0, "done after")
    room = state.stat().st_size // 2
    resource.prlimit(vm.process.pid, resource.RLIMIT_FSIZE, (room, room))
    ended = run(scene, "snapshot", "--var", f"file={state}")
    assert_ended(ended, 1, "aborted in ", "the guest runs here", "nothing was left behind")
    assert not state.exists() and not (scene.folder / "state.part").exists()
    assert_runs(scene)


def test_two_vms(scene):
    """A plan drives a second VM by qmp.connect, hears its events, and the end tells of both"""
    scene.qemu()
    scene.qemu(sockets=("c.qmp", "d.qmp"))
    write_plan(scene, "two", """
      state "both" { within = "10s",
        enter = function(m)
          local other = qmp.connect(m.other, "other")
          m.note.other = other
          m:undo("wake both", function() qmp("cont") other("cont") end)
          qmp("stop")
          other("stop")
          wait { "STOP" }
          wait { "STOP", "5s", vm = "other" }
          other("cont")
        end,
        on { "RESUME", vm = "other", go = "done",
          run = function(m, event) log.info("%s of %s", event.name, event.vm) end } },""",
               'other = var.path { doc = "The other monitor." },')
    ended = run(scene, "two", "--var", "other=./c.qmp", "--record", "two.jsonl")
    assert_ended(ended, 0, "'qmp' does not run here (./a.qmp): QEMU says paused",
                 "'other' runs here (./c.qmp)")
    assert "RESUME of other" in ended.out, ended
    assert any("qmp:other -> stop" in line for line in shown(scene, "two.jsonl"))
    assert (status_of(scene), status_of(scene, "./d.qmp")) == ("paused", "running")


def test_second_vm_is_not_there(scene):
    """A second VM that cannot be reached is an error with its name; what was begun is undone"""
    scene.qemu()
    write_plan(scene, "two", """
      state "both" { within = "10s",
        enter = function(m)
          m:undo("wake the guest", function() qmp("cont") end)
          qmp("stop")
          qmp.connect("./none.qmp", "other")
        end, next = "done" },""")
    ended = run(scene, "two")
    assert_ended(ended, 1, "./none.qmp", "there is no such socket", "the guest runs here (./a.qmp)")
    assert_runs(scene)


# --- Signals ------------------------------------------------------------------------------------


def test_signal_reaches_a_plan(scene):
    """signal:USR1 is an event of a plan that waits for it"""
    scene.qemu()
    write_plan(scene, "standing", STANDS_UNTIL_USR1)
    running = start_run(scene, "standing")
    running.out.wait_for(r"  standing\n")
    until(lambda: status_of(scene) == "paused", what="the guest standing")
    running.signal(signal.SIGUSR1)
    assert_ended(running.end(), 0, "done after", "the guest runs here")


def test_signals_one_after_another(scene):
    """Each signal:USR1 and signal:USR2 is one event; SIGHUP is an interruption and no event"""
    words = """
      state "first" { within = "60s",
        enter = function() log.info("it listens") end,
        on { "signal:USR2", run = function() log.info("it heard") end },
        on { "signal:%s", go = "done" } },"""
    write_plan(scene, "hearing", words % "USR1", has_vm=False)
    running = scene.start("run", "hearing")
    running.out.wait_for("it listens")
    for count in (1, 2):
        running.signal(signal.SIGUSR2)
        running.out.wait_for("(?s)" + "it heard.*" * count)
    running.signal(signal.SIGUSR1)
    assert_ended(running.end(), 0, "done after")
    for name in ("HUP", "TERM", "usr1"):
        write_plan(scene, "hearing", words % name, has_vm=False)
        assert_refused(scene.run("run", "hearing"), f"'signal:{name}'", "hearing.lua:7",
                       "signal:USR1 or signal:USR2")


def test_signal_while_frozen(scene):
    """SIGINT, SIGTERM, SIGHUP while the guest stands: exit 130, it is named, the guest runs"""
    scene.qemu()
    for number in SIGNALS:
        running = frozen(scene)
        running.signal(number)
        assert_ended(running.end(), 130, "aborted in frozen", f"interrupted by {number.name}",
                     "the guest runs here", "nothing was left behind")
        assert_runs(scene)


def test_signal_while_connecting(scene):
    """A signal before QEMU greets: exit 130, nothing was begun, and why the guest is unknown"""
    with playing(scene, lambda talk: talk.hear_out(), name="a.qmp") as server:
        for count, number in enumerate(SIGNALS, 1):
            running = start_run(scene, "freeze")
            until(lambda count=count: server.clients >= count, what="the connection")
            running.signal(number)
            assert_ended(running.end(), 130, f"interrupted by {number.name}", "unknown",
                         "QEMU has not greeted", "nothing was begun")


def test_qemu_behind_the_end(scene):
    """The end waits for a QEMU that has not greeted: for its greeting, or until it hangs up"""
    signalled = threading.Event()

    def greet_late(talk):
        assert signalled.wait(10)
        talk.greet()
        asked = talk.hear()
        assert asked["execute"] == "query-status", asked
        talk.say({"return": {"status": "running", "running": True}, "id": asked["id"]})
        talk.hear_out()

    def hang_up(_talk):
        assert signalled.wait(10)

    hung_up = "unknown (./a.qmp): QEMU closed the connection before its greeting"
    for script, phrase in ((greet_late, "the guest runs here"), (hang_up, hung_up)):
        signalled.clear()
        with playing(scene, script, name="a.qmp") as server:
            running = start_run(scene, "freeze")
            until(lambda server=server: server.clients, what="the connection")
            running.signal(signal.SIGINT)
            running.out.wait_for("interrupted by SIGINT")
            signalled.set()
            assert_ended(running.end(), 130, "nothing was begun", phrase)


def test_signal_while_writing(scene):
    """A signal in the middle of a snapshot: exit 130, no migration is left, and the guest runs"""
    guest(scene)
    for number in SIGNALS:
        (scene.folder / "slow.part").unlink(missing_ok=True)
        running = writing(scene)
        running.signal(number)
        ended = running.end()
        assert_ended(ended, 130, "aborted in writing", "the guest runs here",
                     "nothing was left behind")
        assert re.search("undo 1/3: wake(?s:.*)undo 2/3: put the parameters back(?s:.*)"
                         "undo 3/3: put the capabilities back", ended.out), ended
        assert_runs(scene)
        assert ask(scene, "query-migrate")["status"] == "cancelled"
        assert ask(scene, "query-migrate-parameters")["max-bandwidth"] == 128 << 20


def test_signal_while_a_command_is_under_way(scene):
    """A signal while QEMU does not answer `stop`: the guest is woken when QEMU is back, exit 130"""
    vm = scene.qemu()
    write_plan(scene, "late", """
      state "waiting" { within = "60s", on { "signal:USR1", go = "standing" } },"""
               + STANDS_UNTIL_USR1)
    running = start_run(scene, "late")
    running.out.wait_for(r"  waiting\n")
    vm.process.send_signal(signal.SIGSTOP)
    running.signal(signal.SIGUSR1)
    running.out.wait_for(r"  standing\n")
    running.signal(signal.SIGTERM)
    running.out.wait_for("undo 1/1: wake the guest")
    vm.process.send_signal(signal.SIGCONT)
    assert_ended(running.end(), 130, "aborted in standing", "the guest runs here",
                 "nothing was left behind")
    assert_runs(scene)


def test_two_signals_quickly(scene):
    """A second and a third signal right behind the first do not skip the undo"""
    scene.qemu()
    write_plan(scene, "slow", SLOW_UNDO)
    running = start_run(scene, "slow")
    running.out.wait_for(r"  standing_still\n")
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
        running.signal(number)
    assert_ended(running.end(), 130, "the guest runs here", "nothing was left behind")
    assert_runs(scene)


def test_signals_during_the_undo(scene):
    """Signals while it undoes change nothing: all is undone, exit 130, the first one is named"""
    scene.qemu()
    write_plan(scene, "slow", SLOW_UNDO)
    running = start_run(scene, "slow")
    running.out.wait_for(r"  standing_still\n")
    running.signal(signal.SIGTERM)
    running.out.wait_for("undo 2/3: take its time")
    for number in SIGNALS:
        running.signal(number)
    ended = running.end()
    assert_ended(ended, 130, "interrupted by SIGTERM", "the guest runs here",
                 "nothing was left behind")
    assert "undo 3/3: wake the guest" in ended.out, ended
    assert_runs(scene)


def test_nohup(scene):
    """Under nohup the end of the terminal ends nothing; SIGTERM does"""
    scene.qemu()
    running = scene.start("-c", 'trap "" HUP; exec "$0" "$@"', stage.BINARY, "run", "freeze",
                          "--var", "qmp=./a.qmp", "--var", "pause=10min", program="/bin/bash")
    running.out.wait_for(r"  frozen\n")
    running.signal(signal.SIGHUP)
    running.signal(signal.SIGTERM)
    assert_ended(running.end(), 130, "interrupted by SIGTERM", "the guest runs here")


def test_terminal_is_closed(scene):
    """Who closes the terminal, like SIGHUP, ends the run in order: the guest runs afterwards"""
    scene.qemu()
    keeper = scene.start(
        "-c", "import os, pty, sys; pty.spawn(sys.argv[1:])", stage.BINARY, "run", "freeze",
        "--var", "qmp=./a.qmp", "--var", "pause=10min", program=sys.executable)
    keeper.out.wait_for("frozen")
    until(lambda: status_of(scene) == "paused", what="the guest standing")
    keeper.kill()
    until(lambda: status_of(scene) == "running", what="the guest woken")
    assert_runs(scene)


# --- Killed and hung ----------------------------------------------------------------------------


def test_kill_9_while_frozen(scene):
    """After kill -9 the recording tells that the guest stands; a recovery wakes it"""
    scene.qemu()
    for name in ("run.jsonl", "run.jsonl.zst"):
        running = frozen(scene, "--record", name)
        spool = running.spool()
        running.kill()
        until(lambda spool=spool: os.waitpid(spool, os.WNOHANG)[0] == spool)
        lines = shown(scene, name)
        assert any(re.search("qmp <- STOP", line) for line in lines), lines
        assert "enter frozen" in lines[-1], lines[-3:]
        assert status_of(scene) == "paused"
        refused = scene.run("run", "freeze", "--var", "qmp=./a.qmp")
        assert refused.code == 1 and "recover" in refused.err, refused
        recovered = scene.run("recover")
        assert recovered.code == 0 and "wake the guest" in recovered.out, recovered
        assert status_of(scene) == "running"


def in_qemu(scene):
    """What a plan may have changed in QEMU: jobs, nodes, what is on, and the limit."""
    on = [one["capability"] for one in ask(scene, "query-migrate-capabilities") if one["state"]]
    nodes = [node["node-name"] for node in ask(scene, "query-named-block-nodes", "flat=true")]
    jobs = [job["device"] for job in ask(scene, "query-block-jobs")]
    return jobs, sorted(nodes), on, ask(scene, "query-migrate-parameters")["downtime-limit"]


def test_kill_9_in_a_mirror(scene):
    """What a run changed in QEMU is put back when it aborts, and by a recovery after kill -9"""
    scene.qemu(machine=(*stage.NO_MACHINE, *DISK))
    before = in_qemu(scene)
    assert before == ([], ["disk"], [], 300), before
    write_plan(scene, "mirrors", MIRRORS)
    for end in ("interrupt", "kill"):
        running = start_run(scene, "mirrors")
        running.out.wait_for("it mirrors")
        jobs, nodes, on, limit = in_qemu(scene)
        assert (jobs, on, limit) == (["mirror"], ["events"], 5) and "copy" in nodes, nodes
        if end == "interrupt":
            running.signal(signal.SIGINT)
            assert_ended(running.end(), 130, "interrupted by SIGINT", "nothing was left behind")
        else:
            running.kill()
            recovered = scene.run("recover")
            assert recovered.code == 0, recovered
            assert "undone: end the job mirror and remove the block node copy" in recovered.out
        assert in_qemu(scene) == before


def test_kill_9_while_writing(scene):
    """After kill -9 in a snapshot the recording names it, and QEMU goes on with what it was told"""
    guest(scene)
    running = writing(scene, "--record", "run.jsonl.zst")
    spool = running.spool()
    running.kill()
    until(lambda: os.waitpid(spool, os.WNOHANG)[0] == spool)
    lines = shown(scene, "run.jsonl.zst")
    entered = [line for line in lines if "enter " in line]
    assert "enter writing" in entered[-1] and any("-> migrate " in line for line in lines), lines
    assert status_of(scene) in ("paused", "finish-migrate")
    assert ask(scene, "query-migrate")["status"] == "active"


def test_kill_9_during_the_undo(scene):
    """After kill -9 during the undo the recording tells how far it was"""
    scene.qemu()
    write_plan(scene, "slow", SLOW_UNDO)
    running = start_run(scene, "slow", "--record", "run.jsonl")
    running.out.wait_for(r"  standing_still\n")
    running.signal(signal.SIGTERM)
    running.out.wait_for("undo 2/3: take its time")
    spool = running.spool()
    running.kill()
    until(lambda: os.waitpid(spool, os.WNOHANG)[0] == spool)
    lines = shown(scene, "run.jsonl")
    assert any("interrupted by SIGTERM" in line for line in lines), lines
    assert "undo 2/3: take its time" in lines[-1], lines[-3:]
    assert status_of(scene) == "paused"


def test_qemu_is_killed_while_frozen(scene):
    """QEMU is killed while the guest stands: exit 3, what is left behind, unknown and why"""
    vm = scene.qemu()
    running = start_run(scene, "freeze", "--var", "pause=10min")
    running.out.wait_for(r"  frozen\n")
    vm.kill()
    assert_ended(running.end(), 3, "aborted in frozen", "closed the connection",
                 "where the guest runs is unknown (./a.qmp)", "left behind: wake the guest")


def test_qemu_is_killed_with_nothing_to_undo(scene):
    """QEMU is killed where nothing is to be undone: exit 1, unknown and why"""
    vm = scene.qemu()
    write_plan(scene, "waiting", """
      state "waiting" { within = "60s", on { "RESET", go = "done" } },""")
    running = start_run(scene, "waiting")
    running.out.wait_for(r"  waiting\n")
    vm.kill()
    assert_ended(running.end(), 1, "closed the connection",
                 "where the guest runs is unknown (./a.qmp)", "nothing was left behind")


def test_qemu_is_killed_while_writing(scene):
    """QEMU is killed in a snapshot: exit 3, only the guest is left behind, and the run ends soon"""
    vm, _ = guest(scene)
    running = writing(scene)
    vm.kill()
    ended = running.end()
    assert_ended(ended, 3, "aborted in writing", "unknown", "left behind: wake the guest")
    assert "not undone: put the" not in ended.out, ended


def test_qemu_hangs(scene):
    """A QEMU that hangs: deadlines hold, the undo is late and left behind, exit 3 in time"""
    vm = scene.qemu()
    write_plan(scene, "hung", """
      state "waiting" { within = "60s", on { "signal:USR1", go = "stopping" } },
      state "stopping" { within = "200ms",
        enter = function(m)
          m:undo("wake the guest", function() qmp("cont") end, { within = "300ms" })
          qmp("stop")
        end, next = "waking" },
      state "waking" { within = "5s", enter = function() qmp("cont") end, next = "done" },""")
    running = start_run(scene, "hung")
    running.out.wait_for(r"  waiting\n")
    vm.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    running.signal(signal.SIGUSR1)
    running.out.wait_for("not undone: wake the guest")
    running.signal(signal.SIGUSR1)  # nobody listens any more, but it must not kill
    ended = running.end()
    took = time.monotonic() - began
    vm.process.send_signal(signal.SIGCONT)
    # 200 ms for the state, 300 ms for the undo, 2 s for the last question.
    assert 2.4 < took < 5, took
    assert_ended(ended, 3, "aborted in stopping", "the state 'stopping' took longer than 200 ms",
                 "where the guest runs is unknown (./a.qmp)",
                 "left behind: wake the guest (the undo took longer than 300 ms")
    until(lambda: status_of(scene) == "running", what="what was sent, carried out late")


def test_endless_loop(scene):
    """A plan that loops for ever is ended, its line named, its undo run, all within a second"""
    scene.qemu()
    write_plan(scene, "loop", """
      state "looping" { within = "60s",
        enter = function(m)
          m:undo("wake the guest", function() qmp("cont") end)
          qmp("stop")
          while true do end
        end, next = "done" },""")
    ended = run(scene, "loop")
    assert_ended(ended, 1, "aborted in looping", "loop.lua:8", "instructions without waiting",
                 "the guest runs here", "nothing was left behind")
    assert story_of(ended.out)[-1][0] < (8 if os.environ.get("KTM_SANITIZED") else 2), ended
    assert_runs(scene)


# --- Connecting ---------------------------------------------------------------------------------


def test_no_socket(scene):
    """A socket that is not there, or that nobody listens on: exit 1, clear, nothing was begun"""
    ended = run(scene, "freeze")
    assert_ended(ended, 1, "there is no such socket", "./a.qmp", "nothing was begun")
    scene.qemu().kill()
    ended = run(scene, "freeze")
    assert_ended(ended, 1, "nobody listens there", "unknown", "nothing was begun")
    assert "stopping" not in ended.out, ended


def test_nobody_greets(scene):
    """A monitor that accepts and is silent: exit 1 in time, the greeting is named, nothing begun"""
    with playing(scene, lambda talk: talk.hear_out(), name="a.qmp"):
        began = time.monotonic()
        ended = run(scene, "freeze", within=15)
        assert 4.5 < time.monotonic() - began < 9, time.monotonic() - began
    assert_ended(ended, 1, "greeting", "unknown", "another program probably holds this monitor",
                 "nothing was begun")


def test_monitor_is_held(scene):
    """A monitor that another program holds is waited for, and then the plan runs"""
    scene.qemu()
    holder = scene.start("qmp", "./a.qmp", "--record", "held.jsonl")
    until(lambda: '"return"' in scene.text_of("held.jsonl"), what="the holder")
    running = start_run(scene, "freeze", "--var", "pause=1ms", "--record", "run.jsonl")
    until(lambda: '"open"' in scene.text_of("run.jsonl"), what="the connection")
    holder.signal(signal.SIGINT)
    assert holder.end().code == 130
    assert_ended(running.end(), 0, "done after")


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
