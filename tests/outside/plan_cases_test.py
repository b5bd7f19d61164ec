# SPDX-License-Identifier: Apache-2.0
"""plan_cases_test.py: `katamaran plan test` from outside: the cases of plans, right and wrong."""
import json
import os
import re
import shlex
from pathlib import Path

import stage
import tap
from stage import ESCAPE, LUA

SANITIZED = os.environ.get("KTM_SANITIZED") == "1"

# As an operator may write it: the guest is stopped, and nobody wakes it when something goes wrong.
FORGETFUL = """\
return derive "freeze" {
  name = "forgetful",
  role "node" { change "stopping" {
    enter = function() qmp("stop"); wait { "STOP" } end } },
}
"""
# The same with two more states, which shift the numbers of all crossings.
LONGER = """\
return derive "freeze" {
  name = "longer",
  role "node" { before "stopping" { state "look" { within = "5s", next = "stopping",
    enter = function() qmp("query-status"); qmp("query-name") end } } },
}
"""
WELL = """\
return {
  expect = { node = { ends = "done", states = { "…", "frozen", "waking" } }, guest = "node" },
}
"""
LOST = """\
return {
  claim = "QEMU does not say that the guest stands.",
  faults = { { "lost", event = "STOP" } },
  expect = { node = { ends = "aborted in stopping" }, guest = "node" },
}
"""


def write(scene, name, text):
    """Writes a file into the stage's folder, and returns its name."""
    path = scene.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


def plan_test(scene, *words, code=0, within=60.0, **how):
    """Runs `katamaran plan test`, which must end with that exit code."""
    ended = scene.run("plan", "test", *words, within=within, **how)
    assert ended.code == code, (words, ended)
    assert ESCAPE not in ended.out, ended
    return ended


def shown(text):
    """The output without what differs from run to run."""
    return re.sub(r"\d[\d.]* (?:ns|us|ms|s)$", "TIME", text, flags=re.MULTILINE)


# --- The shipped cases ---------------------------------------------------------------------------

def test_shipped(scene):
    """Every shipped plan has cases, and passes them"""
    plans = LUA / "plans"
    for plan in sorted(plans.glob("*.lua")):
        shelf = plan.with_suffix(".tests")
        cases = sorted(shelf.glob("*.lua"))
        assert cases, f"{plan.name} has no cases"
        if SANITIZED and plan.stem not in ("freeze", "host", "snapshot"):
            # With sanitizers thousands of trials take minutes; the optimised program plays them.
            cases = [case for case in cases if not case.stem.startswith("all-faults")]
        ended = plan_test(scene, *map(str, cases), within=120.0)
        assert ended.out.count("\nok ") + 1 == len(cases), ended
        assert f"{len(cases)} passed" in ended.out.splitlines()[-1], ended


def test_found_by_name(scene):
    """Cases are found by plan, by folder, by the folder of plans and by file"""
    by_name = plan_test(scene, "freeze").out
    assert by_name.count("ok ") == len(list((LUA / "plans" / "freeze.tests").glob("*.lua")))
    write(scene, "plans/longer.lua", LONGER)
    write(scene, "plans/longer.tests/well.lua", WELL)
    write(scene, "plans/longer.tests/lost.lua", LOST)
    expected = ("ok      plans/longer.tests/lost.lua  TIME\n"
                "ok      plans/longer.tests/well.lua  TIME\n"
                "2 cases, 2 passed after TIME\n")
    for what in ("plans", "plans/", "plans/longer.tests", "plans/longer.lua"):
        assert shown(plan_test(scene, what).out) == expected, what
    one = plan_test(scene, "plans/longer.tests/well.lua", "plans", "--only", "well").out
    assert shown(one) == ("ok      plans/longer.tests/well.lua  TIME\n"
                          "1 case, 1 passed after TIME\n"), one


def test_found_beside_the_program(scene):
    """A program that was built, and not installed, finds plans and cases in the tree beside it"""
    beside = Path(stage.BINARY).resolve().parent.parent / "lua" / "plans"
    if not beside.exists():
        raise tap.Skip(f"THERE IS NO {beside}; this program was built somewhere else")
    ended = plan_test(scene, "freeze", "--only", "goes-well", env={"KATAMARAN_LUA": ""})
    assert f"ok      {beside}/freeze.tests/goes-well.lua" in ended.out, ended


# --- What fails ----------------------------------------------------------------------------------

def test_meaning(scene):
    """A fault that is named by its meaning strikes there when its number has become another one"""
    write(scene, "longer.lua", LONGER)
    numbers = []
    for plan in ("freeze", "longer"):
        write(scene, f"{plan}.tests/lost.lua", LOST)
        plan_test(scene, f"{plan}.tests")
        write(scene, f"{plan}.tests/lost.lua", LOST.replace("aborted in stopping", "done"))
        failed = plan_test(scene, f"{plan}.tests", code=1).out
        numbers.append(re.search(r"--fault (\d+):lost", failed)[1])
    assert int(numbers[1]) > int(numbers[0]), numbers


def test_forgotten_undo(scene):
    """A plan that forgets an undo is caught, by one case and by all faults, in plain words"""
    write(scene, "forgetful.lua", FORGETFUL)
    write(scene, "forgetful.tests/well.lua", WELL)
    write(scene, "forgetful.tests/lost.lua", LOST)
    write(scene, "forgetful.tests/all.lua", 'return { faults = "all" }\n')
    ended = plan_test(scene, "forgetful", code=1)
    lines = ended.out.splitlines()
    assert lines[0].startswith("FAILED  forgetful.tests/all.lua"), ended
    for part in ("VIOLATED stays-at-home", "the guest was stopped, and no undo wakes it",
                 "guest runs at: expected node, got nowhere",
                 "QEMU does not say that the guest stands."):
        assert part in ended.out, (part, ended)
    assert lines[-1].startswith("3 cases, 1 passed, 2 failed after "), ended


def test_again(scene):
    """The command below a failure shows it again"""
    write(scene, "forgetful.lua", FORGETFUL)
    write(scene, "forgetful.tests/lost.lua", LOST.replace(
        "return {", 'return {\n  vars = { pause = "20ms" }, model = { ram = "512M" },'))
    ended = plan_test(scene, "forgetful", code=1)
    again = re.search(r"again: katamaran (.*)", ended.out)[1]
    assert "--var pause=20ms" in again and "--model ram=512M" in again, again
    result = scene.run(*shlex.split(again))
    assert result.code == 3 and "VIOLATED stays-at-home" in result.out, result


def test_side_by_side(scene):
    """States that came otherwise stand beside those that were expected"""
    write(scene, "freeze.tests/states.lua", """return { vars = { pause = "1s" },
      expect = { node = { ends = "stranded in frozen", exit = 3, why = "late",
                          states = { "stopping", "waking", "frozen" } },
                 guest = "nowhere", dark = "10ms", total = "999ms" } }""")
    ended = plan_test(scene, "freeze.tests", code=1)
    assert shown(ended.out) == """\
FAILED  freeze.tests/states.lua  TIME
        node ends: expected stranded in frozen, got done
        node why: expected late, got no cause
        node exit: expected 3, got 0
        node states:
             expected  got
             stopping  stopping
          >  waking    -
             frozen    frozen
          >  -         waking
        guest runs at: expected nowhere, got node
        total: expected at most 999 ms, got TIME
        dark: expected at most 10 ms, got TIME
        again: katamaran simulate freeze --var pause=1s
1 case, 1 failed after TIME
""", ended.out


def test_no_place(scene):
    """A fault that has no place any more fails its case, and says what there is"""
    for number, (fault, part) in enumerate((
            ('{ "lost", event = "STPO" }', "did you mean 'STOP'?"),
            ('{ "lost", event = "STOP", nth = 2 }', "there are only 1 of the kind"),
            ('{ "lost", event = "RESUME", state = "frozen" }', "it comes in waking"),
            ('"999:lost"', "there are only"), ('"1:twice"', "that is no harm to source, command"),
            ('{ "lost", event = "RESUME" }, { "lost", event = "STOP" }', "before the fault"))):
        write(scene, f"freeze.tests/{number}.lua", LOST.replace(
            '{ "lost", event = "STOP" }', fault))
        ended = plan_test(scene, f"freeze.tests/{number}.lua", code=1)
        assert "strikes nowhere" in ended.out and part in ended.out, (fault, ended)
        assert "again: katamaran simulate freeze --list" in ended.out, ended


# --- Against a recording -------------------------------------------------------------------------

def test_recording(scene):
    """A case may be played against a recording; what that does not tell fails it as undecided"""
    scene.qemu()
    text = WELL.replace("return {", 'return { trace = "day.jsonl", vars = { qmp = "./a.qmp" },')
    write(scene, "freeze.tests/well.lua", text)
    scene.run("run", "freeze", "--var", "qmp=./a.qmp", "--var", "pause=10ms", "--record",
              "freeze.tests/day.jsonl")
    assert "1 passed" in plan_test(scene, "freeze.tests").out
    write(scene, "freeze.tests/well.lua", text.replace("waking", "stopping"))
    ended = plan_test(scene, "freeze.tests", code=1)
    assert "--trace freeze.tests/day.jsonl" in ended.out, ended
    write(scene, "hasty.lua", 'return derive "freeze" { name = "hasty", role "node" { change '
          '"stopping" { enter = function() qmp("cont") end } } }')
    write(scene, "hasty.tests/a.lua", text.replace("day.jsonl", "../freeze.tests/day.jsonl"))
    ended = plan_test(scene, "hasty", code=1)
    assert "undecided: " in ended.out and "in the recording" in ended.out, ended


# --- What is wrong -------------------------------------------------------------------------------

def test_wrong_cases(scene):
    """A case that is wrong is told with file, line and what was meant; the others are played"""
    write(scene, "freeze.tests/a.lua", """return {
  vars = { pause = "1h", puse = 1 },
  expect = { node = { states = { "stopping", "frozn" } } },
}""")
    write(scene, "freeze.tests/b.lua", "return {\n  expct = {},\n}")
    write(scene, "freeze.tests/c.lua", "return {\n  expect = { node = { ends = done } }\n")
    write(scene, "freeze.tests/d.lua", """return {
  faults = { { "kill-dest", state = "stoping" } },
  expect = { nod = { ends = "done" }, guest = "noone" },
}""")
    write(scene, "freeze.tests/e.lua", "return {}")
    write(scene, "freeze.tests/f.lua", WELL)
    write(scene, "freeze.tests/g.lua", 'return { plan = "freze", faults = "all" }')
    write(scene, "freeze.tests/h.lua", 'return { trace = "no.jsonl", vars = { qmp = "x" },\n'
          'expect = { total = "1s" } }')
    ended = plan_test(scene, "freeze.tests", code=2)
    assert ended.out.count("wrong   ") == 7 and ended.out.count("ok      ") == 1, ended
    assert "8 cases, 1 passed, 7 wrong" in ended.out, ended
    for part in ("a.lua:2: vars.pause: '1h' is out of range", "did you mean 'pause'?",
                 "b.lua:2: no key 'expct'", "did you mean 'expect'?", "c.lua:",
                 "d.lua:2: faults.1: no state 'stoping'", "did you mean 'stopping'?",
                 "d.lua:3: expect.nod: no role 'nod'", "d.lua:3: expect.guest: no role 'noone'",
                 "e.lua:1: the case expects nothing", "g.lua:1: no plan 'freze'",
                 "did you mean 'freeze'?", "h.lua:1: could not", "no.jsonl"):
        assert part in ended.err, (part, ended.err)
    write(scene, "freeze.tests/a.lua", WELL.replace("frozen", "frozn"))
    ended = plan_test(scene, "freeze.tests/a.lua", code=2)
    assert "a.lua:2: expect.node: no state 'frozn'" in ended.err, ended
    assert "did you mean 'frozen'?" in ended.err, ended


def test_wrong_words(scene):
    """No folder, an empty one, a plan without cases and a name that no case has are told"""
    write(scene, "empty/readme", "")
    write(scene, "plans/longer.lua", LONGER)
    write(scene, "plans/freeze.tests/well.lua", WELL)
    for words, part in ((("nothing",), "no folder 'nothing', and no plan 'nothing'"),
                        (("plnas/freeze.tests",), "no folder and no file"),
                        (("plans/freez.tests",), "did you mean 'freeze.tests'?"),
                        (("empty",), "no cases in the folder empty"),
                        (("plans/longer.lua",), "the file returns derive"),
                        (("plans", "--only", "zzz"), "none of 1 case has 'zzz' in its name"),
                        ((), "what"), (("plans", "--onyl", "x"), "--only")):
        ended = scene.run("plan", "test", *words)
        assert ended.code == 2 and part in ended.err, (words, ended)
    ended = scene.run("plan", "test", "snapshto")
    assert ended.code == 2 and "did you mean 'snapshot'?" in ended.err, ended


def test_foreign_lua(scene):
    """A case that never ends, is no table or has functions is refused, and nothing hangs"""
    for number, text in enumerate(("while true do end", "return 1", 'return plan { name = "x" }',
                                   "return { claim = function() end, expect = {} }",
                                   'return { claim = string.rep("x", 1e9) }',
                                   "local t = {}; t.faults = t; return t")):
        write(scene, f"freeze.tests/{number}.lua", text)
        ended = plan_test(scene, f"freeze.tests/{number}.lua", code=2)
        assert f"freeze.tests/{number}.lua" in ended.err, ended


# --- For scripts and terminals -------------------------------------------------------------------

def test_json(scene):
    """With --json each case is an object on a line, and the last one counts"""
    write(scene, "forgetful.lua", FORGETFUL)
    write(scene, "forgetful.tests/a.lua", WELL)
    write(scene, "forgetful.tests/b.lua", LOST)
    write(scene, "forgetful.tests/c.lua", "return { expct = 1 }")
    write(scene, "forgetful.tests/d.lua", 'return { faults = "all" }')
    ended = plan_test(scene, "forgetful", "--json", code=2)
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert [line.get("status") for line in lines] == ["passed", "failed", "wrong", "failed", None]
    assert lines[1]["violations"][0]["invariant"] == "stays-at-home", lines[1]
    assert {one["what"] for one in lines[1]["differences"]} >= {"guest runs at"}, lines[1]
    assert lines[1]["again"].startswith("katamaran simulate forgetful --fault "), lines[1]
    assert lines[2]["faults"][0]["line"] == 1 and lines[2]["faults"][0]["hint"] == "expect"
    assert lines[3]["trials"] > 10 and lines[3]["violations"][0]["faults"], lines[3]
    assert lines[4] == {"kind": "end", "passed": 1, "failed": 2, "wrong": 1, "exit": 2}, lines[4]
    assert ended.err == "", ended


def test_colours(scene):
    """On a terminal the verdicts have colours, and without one they have none"""
    write(scene, "freeze.tests/well.lua", WELL)
    assert "\x1b[32mok" in scene.run_in_terminal("plan", "test", "freeze.tests").out
    plain = scene.run_in_terminal("plan", "test", "freeze.tests", env={"NO_COLOR": "1"}).out
    assert ESCAPE not in plain and "ok      freeze.tests/well.lua" in plain, plain


def test_secrets(scene):
    """A secret var is given as a file, and shown nowhere"""
    write(scene, "key", "correct-horse-battery\n")
    write(scene, "told.lua", """return plan { name = "told", api = 1, summary = "Tells a secret.",
  vars = { qmp = var.path { doc = "Q." }, word = var.secret { doc = "W." } },
  role "node" { state "only" { within = "1s", next = "done",
    enter = function(m) error("it is " .. m.word) end } } }""")
    write(scene, "told.tests/a.lua", 'return { vars = { word = "@key" },\n'
          'expect = { node = { ends = "done" } } }')
    ended = plan_test(scene, "told", code=1)
    assert "(secret)" in ended.out and "correct-horse" not in ended.out, ended
    for words in ((), ("--list",), ("--json",), ("--timeline", "t.json"), ("--faults", "all")):
        ended = scene.run("simulate", "told", "--var", "word=@key", *words)
        assert ended.code in (1, 3), ended
        assert "correct-horse" not in ended.out + ended.err, ended
        assert words == ("--faults", "all") or "(secret)" in ended.out, ended
    assert "correct-horse" not in (scene.folder / "t.json").read_text("utf-8")


# --- Programs of a plan -----------------------------------------------------------------------

# Asks a program before it stops the guest, and tells another one.
ASKING = """\
return plan {
  name = "asking", api = 1, summary = "Asks a program, and freezes.",
  vars = { qmp = var.path { doc = "QMP socket of the VM." } },
  role "node" {
    state "asking" { within = "5s", next = "frozen", enter = function()
      local said = exec { "uname", "-r", within = "2s" }
      if not said.out:match("^6%%.") then error { code = "old", what = "kernel " .. said.out } end
      exec { "logger", "begin", undo = { "logger", "undone" } }
    end },
    state "frozen" { within = "5s", next = "done",
      enter = function(m) m:undo("wake the guest", qmp.wake); qmp("stop"); qmp("cont") end },
  },
}
""".replace("%%", "%")
FAILS = """\
return {
  programs = { ["uname -r"] = "6.1.0" },
  faults = { { "ends-badly", run = "logger begin" } },
  expect = { node = { ends = "aborted in asking", why = "exit-1" }, guest = "node" },
}
"""
NEVER_ENDS = """\
return {
  programs = { ["uname -r"] = "6.1.0" },
  faults = { { "stops-reading", run = "uname" } },
  expect = { node = { ends = "aborted in asking", why = "killed" }, guest = "node" },
}
"""


def test_programs(scene):
    """What a program of a plan writes can be said; it can fail and hang, and a guess is told"""
    write(scene, "asking.lua", ASKING)
    guessed = scene.run("simulate", "asking")
    assert guessed.code == 3 and "what 'uname -r' does is not known here" in guessed.out, guessed
    known = scene.run("simulate", "asking", "--program", "uname -r => 6.1.0", "--list")
    assert known.code == 0 and "source, runs uname -r" in known.out, known
    assert "uname -r' does" not in known.out and "logger begin' does" in known.out, known
    ended = scene.run("simulate", "asking", "--program", "uname -r => 6.1.0", "--faults", "all")
    assert ended.code == 0 and "every fault ended as it must" in ended.out, ended
    assert "not judged: what 'logger begin' does" in ended.out, ended
    write(scene, "asking.tests/fails.lua", FAILS)
    write(scene, "asking.tests/never-ends.lua", NEVER_ENDS)
    assert "2 passed" in plan_test(scene, "asking").out
    write(scene, "asking.tests/fails.lua", FAILS.replace("exit-1", "exit-2"))
    failed = plan_test(scene, "asking", code=1)
    assert "--program 'uname -r => 6.1.0' --fault" in failed.out, failed
    for wrong in ("uname -r", " => 6"):
        refused = scene.run("simulate", "asking", "--program", wrong)
        assert refused.code == 2 and "expected LINE => OUTPUT" in refused.err, refused


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
