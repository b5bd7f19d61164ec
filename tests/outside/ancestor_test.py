# SPDX-License-Identifier: Apache-2.0
"""ancestor_test.py: command lines of the first katamaran, and the name that it gave to a migration.

The translation itself has unit tests; here it is carried out: refused where it must be, and as a
real migration of a real guest between two QEMUs, as in forecast_test.py.
"""
import contextlib
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import forecast_test  # noqa: E402  (found through the path above)
import stage  # noqa: E402
import tap  # noqa: E402
from false_qemu import playing  # noqa: E402
from forecast_test import DEST, GUEST, Move, TICKS_HZ  # noqa: E402
from run_stage import start_run, write_plan  # noqa: E402
from stage import plain_word, until  # noqa: E402

ID = "mig-2026_11"
NAMED = {"KATAMARAN_MIGRATION_ID": ID}
LINE = ("--mode", "source", "--shared-storage", "--dest-ip", "192.0.2.2", "--vm-ip", "10.9.0.5")
RAM = r"ram_transferred=([0-9]+) ram_total=([0-9]+)"
MARKERS = {
    "KATAMARAN_PROGRESS": re.compile(rf"KATAMARAN_PROGRESS status=([a-z-]+) {RAM} "
                                     r"ram_remaining=([0-9]+)"),
    "KATAMARAN_DOWNTIME_LIMIT": re.compile(r"KATAMARAN_DOWNTIME_LIMIT applied_ms=([0-9]+) "
                                           r"rtt_ms=0 auto=false"),
    "KATAMARAN_RESULT": re.compile(r"KATAMARAN_RESULT downtime_ms=([0-9]+) "
                                   rf"total_time_ms=([0-9]+) {RAM}")}


def must_have_markers(out):
    """The lines that the first katamaran wrote, to the byte, with QEMU's figures."""
    lines = [line for line in out.splitlines() if "KATAMARAN_" in line]
    read = [(word, MARKERS[word].fullmatch(line)) for line in lines for word in [line.split()[0]]]
    assert all(match for _, match in read), lines
    words = [word for word, _ in read]
    assert words.count("KATAMARAN_RESULT") == words.count("KATAMARAN_DOWNTIME_LIMIT") == 1, lines
    assert words[0] == "KATAMARAN_PROGRESS" and words[-1] == "KATAMARAN_RESULT", lines
    found = dict(read)
    assert found["KATAMARAN_DOWNTIME_LIMIT"][1] == "300", lines
    downtime, total, sent, ram = map(int, found["KATAMARAN_RESULT"].groups())
    assert 0 < downtime < total and sent > 30 << 20 and ram > 48 << 20, lines
    first = read[0][1]
    assert first[1] == "active" and 0 < int(first[4]) <= int(first[3]) == ram, lines


def refused(ended, *phrases):
    """Exit 2, nothing on stdout, and the phrases on stderr."""
    assert ended.code == 2 and ended.out == "", ended
    for phrase in phrases:
        assert phrase in plain_word(ended.err), (phrase, ended)


def test_refused(scene):
    """what cannot be carried out any more is refused, and says what to do instead"""
    refused(scene.run("--mode", "dest", "--replay-cmdline", "f"), "-incoming defer -S", "--qmp")
    refused(scene.run("-mode", "source", "-pod-name=a"), "'--pod-name'", "--vm-ip")
    refused(scene.run("--mode", "dest", "--vm-ip", "10.9.0.5"), "'--dest-ip' is missing")
    refused(scene.run("--shared-storage"), "'--mode' is ''; expected source or dest")


def test_never_insecure_in_silence(scene):
    """over a network it is refused as long as nobody says --insecure, and what it is now is said"""
    ended = scene.run(*LINE, "--qmp", "./a.qmp")
    refused(ended, "this is now: katamaran run shared-storage --role source --var qmp=./a.qmp "
            "--var dest_ip=192.0.2.2 --var downtime=25ms --var vm_ip=10.9.0.5 --var tunnel=ipip "
            "--markers", "--insecure", "--peer-key FILE")
    line = re.search(r"this is now: katamaran (.*)", ended.err)[1]
    again = scene.shell(f'"$0" {line}')
    refused(again, "--insecure")
    assert "--insecure" not in line, line


def test_exit_codes(scene):
    """its exit codes are those of old: what fails is 1"""
    scene.qemu()
    ended = scene.run(*LINE[:4], "127.0.0.1", *LINE[5:], "--qmp", "./none.qmp", "--peer-wait", "1s")
    assert ended.code == 1 and "this is now:" in ended.err, ended


def test_help_and_version(scene):
    """-h and -v behind its flags explain and name this one"""
    ended = scene.run("--mode", "source", "-h")
    assert ended.code == 0 and "--cni-convergence-delay" in ended.out, ended
    assert scene.run("--mode", "source", "-v").out == scene.run("--version").out


def test_migrates():
    """a guest moves by two command lines of old"""
    forecast_test.require()
    for _ in range(forecast_test.ATTEMPTS):
        with contextlib.ExitStack() as stack:
            scene = stack.enter_context(stage.stage())
            move = Move(scene, stack, "shared-storage", 4, None)
            until(lambda: move.ticks("source") > TICKS_HZ // 5, 30, "the guest at work")
            more = ("--shared-storage", "-dest-ip", DEST, f"--vm-ip={GUEST}",
                    "--var", "tunnel=vxlan", "--var", "wrapped=no")
            assert scene.run("peer", "key", "peer.key").code == 0
            named = NAMED | {"KATAMARAN_PEER_KEY": "peer.key"}
            runs = {}
            for role, own in (("dest", ("-tap=tap0",)), ("source", ("--downtime", "30"))):
                with move.nodes[role].inside():
                    runs[role] = scene.start("--mode", role, f"-qmp=./{role}.qmp", *more, *own,
                                             "--record", f"{role}.jsonl", env=named)
            ended = {role: run.end(60) for role, run in runs.items()}
            if ended["source"].code == 1 and "too-late" in ended["source"].out:
                print("# the packets were diverted too late, and the run aborted; once more")
                continue
            for role, one in ended.items():
                assert one.code == 0 and f"katamaran[{ID}]: this is now:" in one.err, (role, one)
                assert "--peer-key peer.key" in one.err and "INSECURE" not in one.err, (role, one)
                lines = (scene.folder / f"{role}.jsonl").read_text("utf-8").splitlines()
                assert all(json.loads(line)["migration"] == ID for line in lines), role
            must_have_markers(ended["source"].out)
            assert "KATAMARAN_" not in ended["dest"].out, ended["dest"]
            lived = move.ticks("dest")
            until(lambda: move.ticks("dest") > lived, 5, "the guest alive at the destination")
            return
    raise AssertionError("it was too late each time")


def completed(scene, *answers):
    """How a run with --markers ends whose QEMU gives these answers to query-migrate in turn, the
    last one again and again; None is silence."""
    rest = list(answers)

    def script(talk):
        talk.greet()
        while True:
            asked = talk.hear()
            answer = {"running": True, "status": "running"}
            if asked["execute"] == "query-migrate":
                answer = rest.pop(0) if len(rest) > 1 else rest[0]
            if answer is not None:
                talk.say({"id": asked["id"], "return": answer})

    write_plan(scene, "nothing", 'state "only" { within = "1s", next = "done" },')
    with playing(scene, script):
        return scene.run("run", "nothing", "--markers", "--var", "qmp=./f.qmp", within=15)


def test_result(scene):
    """the result is asked for until QEMU has written it down, and not without an end"""
    ram = {"transferred": 11, "total": 22, "remaining": 0}
    early = {"status": "completed", "downtime": 0, "total-time": 0, "ram": ram}
    late = early | {"downtime": 33, "total-time": 534}
    result = "KATAMARAN_RESULT downtime_ms=33 total_time_ms=534 ram_transferred=11 ram_total=22\n"
    ended = completed(scene, early, early, late)
    assert ended.code == 0 and ended.out.count("KATAMARAN_RESULT") == 1, ended
    assert result in ended.out and ended.out.splitlines()[-1].startswith("done after"), ended
    for answers in ((early,), (None,), ({},), ({"status": "completed"},)):
        ended = completed(scene, *answers)
        assert ended.code == 0 and "KATAMARAN_RESULT" not in ended.out, (answers, ended)
        assert ended.out.splitlines()[-1].startswith("done after"), (answers, ended)


def test_migration_id(scene):
    """the name of a migration is in each line of JSON and of recordings, the journal and stderr"""
    scene.qemu()
    words = ("freeze", "--var", "pause=2s")
    run = start_run(scene, *words, "--json", "--record", "r.jsonl", env=NAMED)
    run.out.wait_for('"frozen"')
    journal, = scene.state.glob("*.journal")
    assert ID in journal.name and f'"run":"{ID}"' in journal.read_text("utf-8"), journal
    busy = start_run(scene, *words, "--json", env=NAMED).end()
    assert busy.code == 1 and json.loads(busy.err)["migration"] == ID, busy
    busy = start_run(scene, *words, env=NAMED).end()
    assert busy.err.startswith(f"katamaran[{ID}]: "), busy
    ended = run.end()
    assert ended.code == 0, ended
    recorded = (scene.folder / "r.jsonl").read_text("utf-8").splitlines()
    shown = scene.run("trace", "show", "r.jsonl", "--json").out.splitlines()
    for lines in (ended.out.splitlines(), recorded, shown):
        assert len(lines) > 3 and all(json.loads(line)["migration"] == ID for line in lines), lines
    assert scene.run("trace", "show", "r.jsonl").code == 0
    nameless = start_run(scene, "freeze", "--var", "pause=1ms", "--json").end()
    assert nameless.code == 0 and "migration" not in nameless.out, nameless


def test_bad_migration_id(scene):
    """a name that cannot be one is refused before anything is begun"""
    for name in ("a b", "../x", "x" * 65, "ä"):
        for words in (("run", "freeze", "--var", "qmp=./a.qmp"),
                      ("qmp", "./a.qmp", "query-status")):
            ended = scene.run(*words, env={"KATAMARAN_MIGRATION_ID": name})
            refused(ended, "KATAMARAN_MIGRATION_ID is", "letters, digits, '-' and '_'")


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
