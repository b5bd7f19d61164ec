# SPDX-License-Identifier: Apache-2.0
"""plan_test.py: `katamaran plan` from outside: check, show, graph, list, new and diff."""
import json
import os
import re
import shlex
import xml.etree.ElementTree

import stage
import tap
from stage import ESCAPE, LUA, plain_word

PLANS = LUA / "plans"
INSTALLED = ("freeze", "snapshot")

SLOW = """\
return derive "freeze" {
  name = "slow",
  vars = { pause = "100ms", extra = var.bool { false, doc = "One more." } },
  role "node" {
    change "frozen" { within = "2min" },
    before "waking" { state "look" { within = "5s", next = "waking",
      enter = function() qmp("query-status") end } },
  },
}
"""

TWO = """\
return plan {
  name = "two", api = 1, summary = "Two roles.",
  vars = {
    qmp       = var.path   { doc = "The monitor." },
    dest_ip   = var.ip     { role = "source", doc = "Where to." },
    listen_ip = var.ip     { role = "dest", doc = "Where." },
    token     = var.secret { "hunter2hunter2", doc = "The key." },
    mode      = var.enum   { "ipip", "gre", doc = "How." },
    hosts     = var.list   { { "a b", "c\\"d" }, of = "string", doc = "Who." },
    one       = var.path   { optional = true, doc = "One." },
    other     = var.path   { optional = true, doc = "The other." },
  },
  relations = { one_of { "one", "other" }, different { "one", "other" } },
  role "source" {
    state "go" { within = "5s", late = "abort", next = "own", enter = function(m)
      m:hold(exec { "true" })
      m:undo("take it back", function() end)
    end },
    state "own" { within = "1min", commits = true,
      on { "MIGRATION", status = "completed", go = "done" } } },
  role "dest" { state "go" { within = "5s", next = "done" } },
}
"""

WRONG = """\
return plan {
  name = "wrong", api = 1, summary = "All of it is wrong.",
  vars = { qmp = var.path {} },
  role "node" {
    state "go" { within = "5s", next = "gone" },
    state "lost" { next = "done" },
  },
}
"""


def write(scene, name, text):
    """Writes a plan into the stage's folder, and returns its path there."""
    path = scene.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


def plan(scene, *words, **how):
    """Runs `katamaran plan` with the words; there must be no fault and no colour."""
    ended = scene.run("plan", *words, **how)
    assert ended.code == 0 and ESCAPE not in ended.out, (words, ended)
    return ended.out


def plan_json(scene, *words, **how):
    """What `katamaran plan … --json` prints: one line, one document."""
    out = plan(scene, *words, "--json", **how)
    assert out.count("\n") == 1 and out.endswith("\n"), out
    return json.loads(out)


def refused(scene, *words, **how):
    """Exit 2, nothing on stdout; returns what stands on stderr."""
    ended = scene.run("plan", *words, **how)
    assert ended.code == 2 and ended.out == "" and ended.err, (words, ended)
    assert all(line.startswith("katamaran: ") for line in ended.err.splitlines()), (words, ended)
    return ended.err


# --- check ---------------------------------------------------------------------------------------

def test_check(scene):
    """The installed plans are right, and a line each says so with their roles and states"""
    write(scene, "slow.lua", SLOW)
    write(scene, "two.lua", TWO)
    out = plan(scene, "check", *INSTALLED, "slow", "./two.lua")
    assert out == (f"{PLANS}/freeze.lua: ok, 1 role, 3 states\n"
                   f"{PLANS}/snapshot.lua: ok, 1 role, 4 states\n"
                   "slow.lua: ok, 1 role, 4 states\n"
                   "./two.lua: ok, 2 roles, 3 states\n"), out


def test_check_finds_all_faults(scene):
    """A wrong plan has all its faults on stderr with file and line; the others are checked too"""
    write(scene, "wrong.lua", WRONG)
    ended = scene.run("plan", "check", "wrong", "freeze", "freze", "./none.lua")
    assert ended.code == 2 and ended.out.count("\n") == 1 and "freeze.lua: ok" in ended.out, ended
    for part in ("wrong.lua:3: vars.qmp", "wrong.lua:5: node.go", "no state 'gone'",
                 "wrong.lua:6: node.lost", "did you mean 'freeze'?", "no file './none.lua'"):
        assert part in ended.err, (part, ended)
    assert ended.err.index("wrong.lua:3") < ended.err.index("wrong.lua:5"), ended


def test_check_json(scene):
    """check --json is one list with a plan each, right or wrong, and exits as without"""
    write(scene, "wrong.lua", WRONG)
    ended = scene.run("plan", "check", "freeze", "wrong", "nope", "--json")
    assert ended.code == 2 and ended.err == "", ended
    freeze, wrong, nope = json.loads(ended.out)
    assert freeze == {"plan": "freeze", "file": f"{PLANS}/freeze.lua", "ok": True, "faults": []}
    assert wrong["plan"] == "wrong" and wrong["file"] == "wrong.lua" and not wrong["ok"], wrong
    assert {fault["line"] for fault in wrong["faults"]} >= {3, 5, 6}, wrong
    assert all(set(fault) == {"file", "line", "where", "what", "expected", "hint"}
               for fault in wrong["faults"]), wrong
    assert nope["file"] == "" and "no plan 'nope'" in nope["faults"][0]["what"], nope
    assert plan_json(scene, "check", "freeze") == [freeze]


def test_faults_of_the_plan_itself(scene):
    """A fault of the plan as a whole has its file and the line on which the plan begins"""
    write(scene, "bare.lua", '-- nothing\nreturn plan { name = "bare", api = 1 }\n')
    said = refused(scene, "check", "bare")
    assert "bare.lua:2: the plan has no summary" in said and "no role" in said, said


# --- show ----------------------------------------------------------------------------------------

def test_show(scene):
    """show prints the head, the vars in columns, the states with all they do, and how to run it"""
    out = plan(scene, "show", "freeze")
    assert out.startswith("freeze: Stop the guest, wait, and wake it again.\n"), out
    assert re.search(rf"(?m)^  file +{re.escape(str(PLANS))}/freeze\.lua$", out), out
    assert re.search(r"(?m)^  digest +[0-9a-f]{16}$", out) and "parent" not in out, out
    words = plain_word(out)
    for part in ("qmp path required QMP socket of the VM.",
                 "pause duration, 1ms to 600s 1s How long it stands.",
                 "stopping within patience (5 s), then abort enter function lines",
                 "undo wake the guest line", "next → frozen frozen", "on RESUME → done"):
        assert part in words, (part, out)
    assert out.endswith("Run it\n  katamaran run freeze --var qmp=PATH\n"), out


def test_columns(scene):
    """What belongs together stands in one column"""
    lines = plan(scene, "show", "snapshot").splitlines()
    at = lines.index("Vars")
    column = lines[at + 1].index("meaning")
    rows = lines[at + 2:lines.index("", at)]
    assert len(rows) == 4 and all(row[column - 2:column] == "  " and row[column] != " "
                                  for row in rows), rows
    assert not any(line.endswith(" ") for line in lines), lines


def test_show_everything(scene):
    """show names roles of vars, relations, holds, undos, the commit, and where late leads"""
    write(scene, "two.lua", TWO)
    words = plain_word(plan(scene, "show", "two"))
    for part in ("listen_ip ip required dest Where.", "qmp path required all The monitor.",
                 "mode ipip or gre ipip all How.", "exactly one of one and other is given",
                 "no two of one and other are equal", 'hold exec { "true" } line 16',
                 "undo take it back line 17", "own commits within 60 s, then stranded",
                 "on MIGRATION status=completed → done", "Role dest go within 5 s, then abort"):
        assert part in words, (part, words)
    assert "--role source --var qmp=PATH --var dest_ip=ADDRESS" in words, words
    assert "--role dest --var qmp=PATH --var listen_ip=ADDRESS \\ --var one=PATH" in words, words


def test_secrets(scene):
    """The default of a secret is in no output"""
    write(scene, "two.lua", TWO)
    write(scene, "three.lua", 'return derive "two" { name = "three", '
                              'vars = { token = "correcthorse" } }\n')
    outputs = []
    for words in (("show", "two"), ("graph", "two"), ("diff", "three"), ("diff", "freeze", "two"),
                  ("new", "four", "--from", "two"), ("new", "five", "--from", "three")):
        outputs.append(plan(scene, *words))
    for words in (("show", "two"), ("diff", "three"), ("list",), ("new", "six", "--from", "two")):
        outputs.append(json.dumps(plan_json(scene, *words)))
    outputs += [scene.text_of(f"{name}.lua") for name in ("four", "five", "six")]
    assert all(outputs) and "vars.token" in outputs[2], outputs
    assert not [text for text in outputs if "hunter2" in text or "correcthorse" in text], outputs


def test_show_json(scene):
    """show --json has all that the text has; a default is as a file of vars gives it"""
    write(scene, "two.lua", TWO)
    shown = plan_json(scene, "show", "two")
    assert shown["name"] == "two" and shown["file"] == "two.lua" and "parent" not in shown, shown
    variables = {var["name"]: var for var in shown["vars"]}
    assert variables["hosts"]["default"] == ["a b", 'c"d'] and variables["qmp"]["required"]
    assert variables["dest_ip"]["role"] == "source" and "default" not in variables["token"]
    go, own = shown["roles"][0]["states"]
    assert go["late"] == "abort" and go["next"] == "own" and go["enter"]["line"] == 15, go
    assert [hold["text"] for hold in go["holds"]] == ['exec { "true" }'], go
    assert [(undo["text"], undo["line"]) for undo in go["undos"]] == [("take it back", 17)], go
    assert own["commits"] and own["late"] == "stranded" and own["within"] == "60 s", own
    assert own["on"][0]["matches"] == {"status": "completed"}, own
    assert shown["relations"][0]["kind"] == "one_of" and len(shown["examples"]) == 2, shown
    assert plan_json(scene, "show", "freeze")["roles"][0]["states"][0]["within_var"] == "patience"


def test_examples_of_show_can_be_run(scene):
    """The example lines of show are understood by run: only the VM is missing"""
    write(scene, "two.lua", TWO)
    for name in (*INSTALLED, "two"):
        for line in plan_json(scene, "show", name)["examples"]:
            words = shlex.split(line.replace("ADDRESS", "192.0.2.1"))
            ended = scene.run(*words[1:])
            assert "vars" not in ended.err and "--role" not in ended.err, (line, ended)


def test_show_a_derived_plan(scene):
    """show of a derived plan names the parent, and the file of each function of the parent's"""
    write(scene, "slow.lua", SLOW)
    words = plain_word(plan(scene, "show", "slow"))
    for part in ("parent freeze", "pause duration, 1ms to 600s 100ms", "extra bool false One more.",
                 f"undo wake the guest {PLANS}/freeze.lua:22", "enter function line 7"):
        assert part in words, (part, words)


# --- graph ---------------------------------------------------------------------------------------

def test_graph(scene):
    """graph draws mermaid unless told otherwise, dot, and an SVG that is XML"""
    for name in INSTALLED:
        mermaid = plan(scene, "graph", name)
        assert mermaid.startswith("```mermaid\n") and "stateDiagram-v2" in mermaid, mermaid
        assert plan(scene, "graph", name, "--format", "mermaid") == mermaid
        dot = plan(scene, "graph", name, "--format=dot")
        assert dot.startswith("digraph") and dot.endswith("}\n"), dot
        svg = plan(scene, "graph", name, "--format", "svg")
        root = xml.etree.ElementTree.fromstring(svg)
        text = " ".join(root.itertext())
        assert root.tag.endswith("svg") and "waking" in text and "stopping" in text, text


def test_graph_json(scene):
    """graph --json has the drawing, and every state and edge"""
    drawn = plan_json(scene, "graph", "freeze", "--format", "dot")
    assert drawn["format"] == "dot" and drawn["drawing"] == plan(scene, "graph", "freeze",
                                                                 "--format", "dot")
    role = drawn["roles"][0]
    assert role["states"] == ["stopping", "frozen", "waking"], role
    assert {"from": "waking", "to": "done", "kind": "go", "label": "RESUME"} in role["edges"], role


def test_graph_of_a_wrong_format(scene):
    """A wrong format is refused with the three that are right, beside the plan's faults"""
    said = refused(scene, "graph", "freeze", "--format", "sgv")
    assert "'sgv'" in said and "mermaid, dot or svg" in said and "did you mean 'svg'" in said, said
    said = refused(scene, "graph", "freze", "--format", "pdf")
    assert "'pdf'" in said and "did you mean 'freeze'" in said and said.count("\n") == 2, said


# --- list ----------------------------------------------------------------------------------------

def listed(scene, **how):
    """The entries of list --json by their file."""
    return {entry["file"]: entry for entry in plan_json(scene, "list", **how)}


def test_list(scene):
    """list has name, summary and file of each plan"""
    lines = plan(scene, "list").splitlines()
    for name in INSTALLED:
        assert any(re.fullmatch(rf"{name} +\S.*\.  +{PLANS}/{name}\.lua", line) for line in lines)
    entry = listed(scene)[f"{PLANS}/freeze.lua"]
    assert entry["ok"] and not entry["hidden"] and entry["summary"].startswith("Stop"), entry


def test_search_order(scene):
    """Plans are found in the working directory, then along KATAMARAN_PLAN_PATH, then installed"""
    text = TWO.replace('"two"', '"freeze"')
    write(scene, "a/freeze.lua", text.replace("Two roles.", "In a."))
    write(scene, "b/freeze.lua", text.replace("Two roles.", "In b."))
    env = {"KATAMARAN_PLAN_PATH": f"{scene.path('a')}::b"}
    assert plan_json(scene, "show", "freeze", env=env)["summary"] == "In a."
    env = {"KATAMARAN_PLAN_PATH": "none:b:a"}
    assert plan_json(scene, "show", "freeze", env=env)["file"] == "b/freeze.lua"
    assert plan_json(scene, "show", "freeze")["file"] == f"{PLANS}/freeze.lua"
    write(scene, "freeze.lua", text.replace("Two roles.", "Here."))
    assert plan_json(scene, "show", "freeze", env=env)["summary"] == "Here."
    assert plan_json(scene, "show", "a/freeze.lua")["summary"] == "In a."
    found = listed(scene, env=env)
    assert [file for file, entry in found.items() if entry["name"] == "freeze"] == [
        "freeze.lua", "b/freeze.lua", "a/freeze.lua", f"{PLANS}/freeze.lua"], found
    assert [entry["hidden"] for entry in found.values() if entry["name"] == "freeze"] == [
        False, True, True, True], found
    out = plan(scene, "list", env=env)
    assert out.count("hidden") == 3, out


def test_paths_and_names(scene):
    """A word with a slash is a path, but plans/NAME.lua a name anywhere; a name may end in .lua"""
    assert "no file './freeze.lua'" in refused(scene, "show", "./freeze.lua")
    assert plan_json(scene, "show", "plans/freeze.lua")["file"] == f"{PLANS}/freeze.lua"
    assert plan_json(scene, "show", "freeze.lua")["file"] == f"{PLANS}/freeze.lua"
    assert plan_json(scene, "show", str(PLANS / "freeze.lua"))["name"] == "freeze"
    said = refused(scene, "show", str(PLANS / "freze.lua"))
    assert "did you mean 'freeze.lua'" in said, said
    said = refused(scene, "show", "freze")
    assert "/etc/katamaran/plans" in said and str(PLANS) in said and "'freeze'" in said, said


def test_list_with_other_files(scene):
    """Lua in the working directory that is no plan is left out, unless it hides one; a broken plan
    is not, nor anything in a folder of plans"""
    write(scene, "init.lua", 'print("hello")\nlocal x = os.time()\nreturn { x = x }\n')
    write(scene, "broken.lua", 'this is no Lua\n')
    write(scene, "wrong.lua", WRONG)
    write(scene, "typo.lua", 'return plan { name = "typo", \n')
    write(scene, "snapshot.lua", 'return 1\n')
    write(scene, "more/setup.lua", 'return 1\n')
    (scene.folder / "folder.lua").mkdir()
    env = {"KATAMARAN_PLAN_PATH": "more"}
    found = listed(scene, env=env)
    assert set(found) == {"wrong.lua", "typo.lua", "snapshot.lua", "more/setup.lua",
                          *(str(path) for path in PLANS.glob("*.lua"))}, found
    assert found[f"{PLANS}/snapshot.lua"]["hidden"] and not found["snapshot.lua"]["ok"], found
    out = plain_word(plan(scene, "list", env=env))
    assert "1 fault, see katamaran plan check typo.lua" in out, out
    assert re.search(r"\d faults, see katamaran plan check wrong\.lua", out), out


def test_empty_list(scene):
    """Where there is no plan, list says where it looked, and prints an empty list"""
    env = {"KATAMARAN_LUA": scene.path("none")}
    ended = scene.run("plan", "list", env=env)
    assert ended.code == 0 and ended.out == "" and "/etc/katamaran/plans" in ended.err, ended
    assert plan_json(scene, "list", env=env) == []


# --- new -----------------------------------------------------------------------------------------

def uncommented(text):
    """An outline in which every suggestion counts."""
    return re.sub(r"(?m)^( +)-- (?=summary|change|\w+ =)", r"\1", text)


def test_new(scene):
    """A new plan passes check, differs in nothing from its parent, and says what to do next"""
    for name in INSTALLED:
        out = plan(scene, "new", f"my-{name}", "--from", name)
        assert out.count("\n") == 4 and f"my-{name}.lua" in out, out
        assert (scene.folder / f"my-{name}.tests").exists(), name
        assert f"katamaran plan diff my-{name}" in out and f"run my-{name} --var qmp=PATH" in out
        assert ": ok, 1 role, " in plan(scene, "check", f"my-{name}")
        ended = scene.run("plan", "diff", f"my-{name}")
        assert ended.code == 0 and ended.out == "" and "no difference" in ended.err, ended
        assert plan_json(scene, "diff", f"my-{name}") == []


def test_new_suggestions(scene):
    """Each suggestion in a new plan is right as it stands, and changes only what had no default"""
    for name in INSTALLED:
        plan(scene, "new", "mine", "--from", name)
        text = scene.text_of("mine.lua")
        write(scene, "mine.lua", uncommented(text))
        assert uncommented(text).count("--") < text.count("--") - 6, text
        changed = plan_json(scene, "diff", "mine")
        assert changed and all(re.fullmatch(r"vars\.\w+\.default", difference["where"])
                               and difference["after"] == "PATH" for difference in changed), changed
        os.remove(scene.path("mine.lua"))


def test_new_of_everything(scene):
    """Lists, enums, keywords and quotes in a parent are written so that Lua reads them"""
    strange = TWO.replace("Two roles.", 'The \\"two\\"\\n]] roles — \\1.')
    write(scene, "two.lua", strange.replace("mode      =", '["end"] ='))
    plan(scene, "new", "mine", "--from", "two")
    text = uncommented(scene.text_of("mine.lua")).replace("ADDRESS", "192.0.2.1")
    text = re.sub(r"(?m)^ +(one|other) = .*\n", "", text)  # exactly one is given: it has no default
    write(scene, "mine.lua", re.sub(r'-- (\["end"\])', r"\1", text))
    plan(scene, "check", "mine")
    where = [difference["where"] for difference in plan_json(scene, "diff", "mine")]
    assert where == [f"vars.{name}.default" for name in ("qmp", "dest_ip", "listen_ip")], where


def test_new_json(scene):
    """new --json says which file it wrote and what can be done with it"""
    made = plan_json(scene, "new", "mine", "--from", str(PLANS / "freeze.lua"))
    assert made["file"] == "mine.lua" and made["parent"] == "freeze", made
    assert made["next"] == ["katamaran plan diff mine", "katamaran run mine --var qmp=PATH",
                            "katamaran plan test mine"], made
    assert os.path.exists(scene.path("mine.lua"))
    assert made["case"] == "mine.tests/all-faults.lua" and os.path.exists(scene.path(made["case"]))
    assert scene.run("plan", "test", "mine", within=60.0).code == 0


def test_new_never_overwrites(scene):
    """A file that is there already is not touched, be it a link that leads nowhere"""
    write(scene, "mine.lua", "mine")
    os.symlink("nowhere", scene.path("other.lua"))
    assert "'mine.lua' exists already" in refused(scene, "new", "mine", "--from", "freeze")
    assert "exists already" in refused(scene, "new", "other", "--from", "freeze")
    assert scene.text_of("mine.lua") == "mine" and os.path.islink(scene.path("other.lua"))


def test_new_refuses_all_at_once(scene):
    """A bad name and an unknown parent are refused together, and nothing is written"""
    said = refused(scene, "new", "My_Plan.lua", "--from", "freze")
    assert "did you mean 'my-plan'?" in said and "did you mean 'freeze'?" in said, said
    for name in ("../x", "a/b", "1st", "-", "é", "x" * 64):
        assert refused(scene, "new", "--from", "freeze", "--", name).count("\n") == 1, name
    write(scene, "wrong.lua", WRONG)
    assert "wrong.lua:5" in refused(scene, "new", "right", "--from", "wrong")
    assert [path.name for path in scene.folder.glob("*.lua")] == ["wrong.lua"]


def test_new_from_a_file_that_no_name_reaches(scene):
    """A parent outside of the search path is refused with the way to bring it in"""
    write(scene, "far/two.lua", TWO)
    said = refused(scene, "new", "mine", "--from", "far/two.lua")
    assert "KATAMARAN_PLAN_PATH" in said and "'far/two.lua'" in said, said
    env = {"KATAMARAN_PLAN_PATH": scene.path("far")}
    assert plan_json(scene, "new", "mine", "--from", "far/two.lua", env=env)["parent"] == "two"
    plan(scene, "check", "mine", env=env)


def test_new_of_the_same_name(scene):
    """A plan may be derived from the installed one of its own name, which it then hides"""
    ended = scene.run("plan", "new", "freeze", "--from", "freeze")
    assert ended.code == 0 and f"hides {PLANS}/freeze.lua" in ended.err, ended
    assert plan_json(scene, "show", "freeze")["file"] == "freeze.lua"
    assert plan_json(scene, "diff", "freeze") == []


# --- diff ----------------------------------------------------------------------------------------

def test_diff_with_the_parent(scene):
    """diff says with sign, place and values what a plan changes of its parent"""
    write(scene, "slow.lua", SLOW)
    lines = [plain_word(line) for line in plan(scene, "diff", "slow").splitlines()]
    assert "~ vars.pause default 1s → 100ms (slow.lua:3)" in lines, lines
    assert "+ vars.extra var added: bool, default false (slow.lua:3)" in lines, lines
    assert any(line.startswith("~ node.frozen within 660 s → 2 min (slow.lua:") for line in lines)
    assert "+ node.look state added: within 5 s, leads to waking (slow.lua:6)" in lines, lines


def test_diff_of_two(scene):
    """diff of two plans is in the order older, newer"""
    write(scene, "slow.lua", SLOW)
    there = plan_json(scene, "diff", "freeze", "slow")
    back = plan_json(scene, "diff", "slow", "freeze")
    assert there == plan_json(scene, "diff", "slow"), there
    assert {"kind": "changed", "where": "vars.pause.default", "before": "1s", "after": "100ms",
            "file": "slow.lua", "line": 3} in there, there
    kinds = {(each["kind"], each["where"]) for each in back}
    assert ("removed", "node.look") in kinds and ("removed", "vars.extra") in kinds, kinds
    assert any(line.startswith("- node.look")
               for line in plan(scene, "diff", "slow", "freeze").splitlines())


def test_diff_of_a_grandchild(scene):
    """diff compares with the direct parent, found beside the plan as it is when it is loaded"""
    write(scene, "far/slow.lua", SLOW)
    write(scene, "far/slower.lua",
          'return derive "slow" { name = "slower", vars = { pause = "5s" } }\n')
    (difference,) = plan_json(scene, "diff", "far/slower.lua")
    assert (difference["before"], difference["after"]) == ("100ms", "5s"), difference
    assert difference["file"] == "far/slower.lua", difference


def test_diff_without_a_parent(scene):
    """A plan without a parent is refused with the way to compare two; faults of both are shown"""
    said = refused(scene, "diff", "freeze")
    assert "derived from no plan" in said and "katamaran plan diff OLDER NEWER" in said, said
    said = refused(scene, "diff", "freze", "snapshto")
    assert "'freeze'" in said and "'snapshot'" in said, said


# --- all of them ---------------------------------------------------------------------------------

def test_faults_as_json(scene):
    """With --json each command gives its faults as one JSON object on stderr"""
    write(scene, "wrong.lua", WRONG)
    for words in (("show", "wrong"), ("graph", "wrong"), ("diff", "wrong"),
                  ("diff", "freeze", "wrong"), ("new", "mine", "--from", "wrong")):
        ended = scene.run("plan", *words, "--json")
        assert ended.code == 2 and ended.out == "", (words, ended)
        faults = json.loads(ended.err)["faults"]
        assert {fault["line"] for fault in faults} >= {3, 5, 6}, (words, faults)


def test_usage(scene):
    """Missing, surplus and misspelt words are refused with a hint at the help"""
    for words in (("plan", "show"), ("plan", "check"), ("plan", "new", "x"), ("plan",),
                  ("plan", "show", "a", "b"), ("plan", "diff", "a", "b", "c"), ("plan", "shwo")):
        ended = scene.run(*words)
        assert ended.code == 2 and ended.out == "" and "--help'" in ended.err, (words, ended)


def test_colours(scene):
    """In a terminal there are colours, unless NO_COLOR forbids them; the text is the same"""
    write(scene, "slow.lua", SLOW)
    for words in (("show", "two"), ("list",), ("diff", "slow")):
        write(scene, "two.lua", TWO)
        coloured = scene.run_in_terminal("plan", *words)
        bare = re.sub(r"\x1b\[\d*m", "", coloured.out).replace("\r\n", "\n")
        assert coloured.code == 0 and ESCAPE in coloured.out, coloured
        assert bare == plan(scene, *words), (bare, words)
        assert ESCAPE not in scene.run_in_terminal("plan", *words, env={"NO_COLOR": "1"}).out
        assert ESCAPE not in scene.run_in_terminal("plan", *words, "--json").out


def test_hostile_texts(scene):
    """Escape sequences in a plan's texts and names are made visible"""
    evil = r"a\27[2J\13\155b"
    write(scene, "two.lua", TWO.replace("Two roles.", evil).replace("Where to.", evil)
          .replace("take it back", evil).replace('"completed"', f'"{evil}"'))
    write(scene, f"e{ESCAPE}.lua", "return 1\n")
    env = {"KATAMARAN_PLAN_PATH": scene.path("")}
    for words in (("show", "two"), ("graph", "two"), ("list",), ("diff", "freeze", "two"),
                  ("check", "two", f"e{ESCAPE}"), ("new", "mine", "--from", "two"),
                  ("graph", "two", "--format", f"a{ESCAPE}")):
        ended = scene.run("plan", *words, env=env)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", ended.out + ended.err), (words, ended)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", scene.text_of("mine.lua"))


def test_help(scene):
    """The examples of plan --help work, one after the other"""
    examples = re.findall(r"(?m)^  katamaran (plan .*?)(?:\s{3,}.*)?$",
                          scene.run("plan", "--help").out)
    assert len(examples) >= 6, examples
    for line in examples:
        ended = scene.run(*line.split())
        assert ended.code == 0, (line, ended)


def test_full_stdout(scene):
    """A full disk behind stdout is an error with exit 1, and a reader who left is none"""
    for words in (("list",), ("show", "freeze"), ("check", "freeze"), ("check", "freeze", "--json"),
                  ("graph", "freeze"), ("diff", "freeze", "snapshot")):
        with open("/dev/full", "wb") as full:
            ended = scene.run("plan", *words, stdout=full)
        assert ended.code == 1 and "no space left" in ended.err, (words, ended)
    ended = scene.shell('"$0" plan graph freeze --format svg | head -c 1 >/dev/null')
    assert ended.err == "", ended


# --- run: all that is wrong at once --------------------------------------------------------------

def run_refused(scene, *words):
    """The lines on stderr of a run that was refused."""
    ended = scene.run("run", *words)
    assert ended.code == 2 and ended.out == "", (words, ended)
    return ended.err.splitlines()


def test_run_without_a_role(scene):
    """With a role that is unknown or unclear the given vars are judged all the same"""
    write(scene, "two.lua", TWO)
    lines = run_refused(scene, "two", "--role", "sorce", "--var", "qpm=x", "--var", "mode=ipp",
                        "--var", "listen_ip=nowhere", "--var", "one=a")
    for part in ("did you mean 'source'?", "did you mean 'qmp'?", "vars.mode", "'nowhere'",
                 "no value for 'qmp'"):
        assert any(part in line for line in lines), (part, lines)
    assert len(lines) == 5, lines
    lines = run_refused(scene, "two", "--var", "qmp=q", "--var", "one=1", "--var", "moed=gre",
                        "--var", "dest_ip=192.0.2.1", "--var", "listen_ip=192.0.2.2")
    assert len(lines) == 2 and "role is not clear" in lines[0] and "'mode'" in lines[1], lines


def test_run_with_an_unreadable_secret(scene):
    """What was given and cannot be read is not called missing as well; what is missing is"""
    write(scene, "two.lua", TWO.replace('"hunter2hunter2", ', ""))
    lines = run_refused(scene, "two", "--role", "dest", "--var", "token=open", "--var", "one=1",
                        "--var", "listen_ip=::")
    assert len(lines) == 2 and "token=@FILE" in lines[0] and "value for 'qmp'" in lines[1], lines
    lines = run_refused(scene, "two", "--role", "dest", "--vars", "none.json", "--var", "mode=x")
    assert len(lines) == 2 and "none.json" in lines[0] and "vars.mode" in lines[1], lines


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
