# SPDX-License-Identifier: Apache-2.0
"""run_input_test.py: what `katamaran run` is given, plans, vars, secrets, and what it executes."""
import json
import os
import signal
import time
from pathlib import Path

import stage
import tap
from run_stage import assert_ended, assert_refused, assert_runs, run, run_alone, write_plan
from stage import LUA, until

NOTHING = 'state "one" { within = "60s", enter = function() end, next = "done" },'
TELLS = """
state "one" { within = "60s",
  enter = function(m) log.info("%s is %s", m.name, m.count) end, next = "done" },
"""
TWO_ROLES = """
local function told(m) return function() log.info("it is %s", m) end end
return plan { name = "roles", api = 1, summary = "Two roles.",
  vars = {
    there = var.ip  { role = "source", doc = "Where to." },
    here  = var.ip  { role = "dest", doc = "Where to listen." },
    both  = var.int { 1, doc = "For both." },
  },
  role "source" {
    state "one" { within = "9s", enter = function(m) log.info(m.there) end, next = "done" } },
  role "dest" {
    state "one" { within = "9s", enter = function(m) log.info(m.here) end, next = "done" } },
}
"""
SECRETS = (
    "correct horse battery staple",
    'quote " and \\ backslash /',
    "pässwörd→🔑-ж",
    "-----BEGIN KEY-----\nMIIEvgIBADANBg\nkqhkiG9w0BAQ\n-----END KEY-----",
    "tab\tbell\x07 esc\x1b[31m del\x7f",
    "nbsp\u00a0next\u0085turn\u202eround",
)
TELLTALE = """
state "telling" { within = "60s",
  enter = function(m)
    log.info("it is %s", m.password)
    log.warn("a part of it: <" .. m.password .. ">")
    progress("with " .. m.password)
    local _, problem = qmp.try("device_del", { id = m.password })
    log.info("QEMU says: %s", problem)
    local ending = exec { "printf", "%s", m.password }
    log.info("echoed: %s, %d bytes", ending.out, #ending.out)
    _, problem = exec.try { "sh", "-c", 'printf "%s" "$0" >&2; exit 1', m.password }
    log.info("a program says: %s", problem)
    for pad = 120, 200, 4 do
      _, problem = exec.try { "false", string.rep("x", pad), m.password }
      log.info("%s", problem)
    end
    m:undo("forget " .. m.password, function() error("cannot forget " .. m.password) end)
    qmp("device_del", { id = m.password })
  end, next = "done" },
"""


def told_vars(scene, *words, **how):
    """A plan that tells the values of its two vars."""
    return run_alone(scene, TELLS, *words, **how)


def write_telling(scene):
    """The plan ./telling.lua, whose vars are a required name and a count with a default."""
    write_plan(scene, "telling", TELLS, """
      name = var.string { doc = "What it is called." },
      count = var.int { 7, min = 1, max = 9, doc = "How many." },""", has_vm=False)


# --- Plans --------------------------------------------------------------------------------------


def test_plan_is_found(scene):
    """A plan is found by its path, by its name, and by plans/NAME.lua, from any folder"""
    scene.qemu()
    (scene.folder / "deep").mkdir()
    for plan in ("freeze", "plans/freeze.lua", LUA / "plans/freeze.lua",
                 os.path.relpath(LUA / "plans/freeze.lua", scene.folder / "deep")):
        ended = scene.shell('cd deep && exec "$0" "$@"', "run", str(plan),
                            "--var", "qmp=../a.qmp", "--var", "pause=1ms")
        assert_ended(ended, 0, "done after")
    assert_runs(scene)


def test_own_plans_come_first(scene):
    """A plan of the working directory, then of KATAMARAN_PLAN_PATH, hides the installed one"""
    (scene.folder / "mine").mkdir()
    write_plan(scene, "mine/freeze", NOTHING.replace('"one"', '"from_path"'), has_vm=False)
    path = scene.folder / "mine/freeze.lua"
    path.write_text(path.read_text().replace('"mine/freeze"', '"freeze"'))
    ended = scene.run("run", "freeze", env={"KATAMARAN_PLAN_PATH": f"/none:{path.parent}"})
    assert ended.code == 0 and "from_path" in ended.out, ended
    write_plan(scene, "freeze", NOTHING, has_vm=False)
    ended = scene.run("run", "freeze", env={"KATAMARAN_PLAN_PATH": str(path.parent)})
    assert ended.code == 0 and "  one\n" in ended.out, ended


def test_unknown_plan(scene):
    """A plan that is not there, and one that is no plan, are refused with what was looked for"""
    assert_refused(scene.run("run", "freze"), "freze", "did you mean 'freeze'?")
    assert_refused(scene.run("run", "./none.lua"), "./none.lua")
    (scene.folder / "broken.lua").write_text("return plan {\n  name = = 3\n}\n")
    assert_refused(scene.run("run", "broken"), "broken.lua:2")
    (scene.folder / "number.lua").write_text("return 3\n")
    assert_refused(scene.run("run", "number"), "number.lua")


def test_derived_plan(scene):
    """A plan that is derived from an installed one runs with its own defaults"""
    scene.qemu()
    (scene.folder / "short.lua").write_text(
        'return derive "freeze" { name = "short", vars = { pause = "1ms" } }\n')
    assert_ended(run(scene, "short"), 0, "done after", "the guest runs here")


# --- Vars ---------------------------------------------------------------------------------------


def test_vars_of_a_file(scene):
    """Vars come from a JSON file, as texts or numbers, and from --var, which beats the default"""
    write_telling(scene)
    (scene.folder / "vars.json").write_text('{"name": "Jürgen", "count": 3}')
    ended = scene.run("run", "telling", "--vars", "vars.json")
    assert ended.code == 0 and "Jürgen is 3\n" in ended.out, ended
    (scene.folder / "vars.json").write_text('{"count": "4"}')
    ended = scene.run("run", "telling", "--vars", "vars.json", "--var", "name=a=b c")
    assert ended.code == 0 and "a=b c is 4\n" in ended.out, ended
    ended = scene.run("run", "telling", "--var", "name=x")
    assert ended.code == 0 and "x is 7\n" in ended.out, ended


def test_var_is_given_twice(scene):
    """A var that is given twice, by --var or by both ways, is refused and both places are named"""
    write_telling(scene)
    (scene.folder / "vars.json").write_text('{"name": "a"}')
    assert_refused(scene.run("run", "telling", "--var", "name=a", "--vars", "vars.json"),
                   "'name' is given twice", "--var", "vars.json")
    assert_refused(scene.run("run", "telling", "--var", "name=a", "--var", "name=a"),
                   "'name' is given twice")


def test_bad_vars(scene):
    """Unknown, bad and missing vars are refused all at once, with the nearest name and the range"""
    write_telling(scene)
    ended = scene.run("run", "telling", "--var", "cuont=3", "--var", "count=12")
    assert_refused(ended, "no var 'cuont'", "did you mean 'count'?", "'12'", "1 to 9",
                   "no value for 'name'", "What it is called", "--var name=TEXT")
    assert ended.err.count("\n") == 3, ended
    for word in ("name", "=x", "name", "count=many", "count="):
        assert scene.run("run", "telling", "--var", word).code == 2, word


def test_bad_files_of_vars(scene):
    """A file of vars that is not there, no JSON or no object is refused, and the file is named"""
    write_telling(scene)
    assert_refused(scene.run("run", "telling", "--vars", "none.json"), "none.json")
    for text in ("", "[]", "3", '{"name": }', '{"name": "a", "name": "b"}', '{"name": {"a": 1}}',
                 '{"name": null}', '{"name": 3}', "\xff"):
        (scene.folder / "vars.json").write_text(text, "latin-1")
        assert_refused(scene.run("run", "telling", "--vars", "vars.json"), "vars.json")


def test_roles(scene):
    """The role is decided by the vars where they can; else it is refused, with what would decide"""
    (scene.folder / "roles.lua").write_text(TWO_ROLES)
    for var, value in (("there", "192.0.2.1"), ("here", "2001:db8::1")):
        ended = scene.run("run", "roles", "--var", f"{var}={value}")
        assert ended.code == 0 and f"  {value}\n" in ended.out, ended
    assert_refused(scene.run("run", "roles"), "the role is not clear", "--role source",
                   "--role dest", "--var here belongs to dest")
    assert_refused(scene.run("run", "roles", "--var", "here=::1", "--var", "there=::1"),
                   "the role is not clear")
    assert_refused(scene.run("run", "roles", "--role", "sorce"), "sorce",
                   "did you mean 'source'?")
    assert_refused(scene.run("run", "roles", "--role", "dest", "--var", "there=::1"),
                   "'there' belongs to role 'source'")
    ended = scene.run("run", "roles", "--role", "dest", "--var", "here=::1", "--json")
    assert ended.code == 0 and '"role":"dest"' in ended.out, ended


# --- Secrets ------------------------------------------------------------------------------------


def texts_in(value):
    """All texts in a JSON value."""
    if isinstance(value, dict):
        return [text for item in value.items() for one in item for text in texts_in(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts_in(one)]
    return [value] if isinstance(value, str) else []


def pieces_of(secret):
    """The secret and its parts of eight characters, in the forms in which they might be written."""
    parts = {secret[at:at + 8] for at in range(len(secret) - 7)} | {secret}
    ascii_parts = {json.dumps(part)[1:-1] for part in parts}
    return parts | ascii_parts | {json.dumps(part, ensure_ascii=False)[1:-1] for part in parts}


def assert_hidden(secret, text):
    """No part of the secret is in the text, whatever the form."""
    texts = [text]
    for line in text.splitlines():
        if line.startswith("{"):
            texts += texts_in(json.loads(line))
    for piece in pieces_of(secret):
        for one in texts:
            assert piece.lower() not in one.lower(), (piece, one[-2000:])


def test_secrets(scene):
    """A secret is in no output and no recording, whoever echoes it, in whatever form or part"""
    scene.qemu()
    write_plan(scene, "telltale", TELLTALE,
               'password = var.secret { doc = "The key." },')
    for number, secret in enumerate(SECRETS):
        (scene.folder / "key").write_text(secret + "\n", "utf-8")
        for form in ((), ("--json",)):
            name = f"{number}{len(form)}.jsonl"
            ended = run(scene, "telltale", "--var", "password=@key", "--record", name, *form)
            assert ended.code == 3 and ended.err == "", ended
            assert f"{len(secret.encode())} bytes" in ended.out and "DeviceNotFound" in ended.out
            for text in (ended.out, scene.text_of(name)):
                assert "(secret)" in text
                assert_hidden(secret, text)
            assert scene.run("trace", "show", name).code == 0


def test_secret_of_a_file_of_vars(scene):
    """A secret in the file of vars is hidden like one of a file of its own"""
    write_plan(scene, "telltale", TELLTALE, 'password = var.secret { doc = "The key." },')
    scene.qemu()
    (scene.folder / "vars.json").write_text(json.dumps({"password": SECRETS[2]}))
    ended = run(scene, "telltale", "--vars", "vars.json", "--record", "run.jsonl")
    assert ended.code == 3 and "(secret)" in ended.out, ended
    assert_hidden(SECRETS[2], ended.out + scene.text_of("run.jsonl"))


def test_bad_secrets(scene):
    """A secret on the command line, too short, or not to be read is refused, and never repeated"""
    write_plan(scene, "telltale", NOTHING, 'password = var.secret { doc = "The key." },',
               has_vm=False)
    ended = scene.run("run", "telltale", "--var", "password=hunter2hunter2")
    assert_refused(ended, "password=@FILE", "every user of the machine")
    assert "hunter2" not in ended.err
    assert_refused(scene.run("run", "telltale", "--var", "password=@none"), "none")
    (scene.folder / "key").write_text("hunter2\n")
    ended = scene.run("run", "telltale", "--var", "password=@key")
    assert_refused(ended, "password")
    assert "hunter2" not in ended.err
    for text in ('{"password": "hunter2"}', '{"password": ["hunter2hunter2"]}',
                 '{"password": "hunter2hunter2", "password": "hunter2hunter3"}',
                 '{"password": "hunter2hunter2}', '{"passwort": "hunter2hunter2"}'):
        (scene.folder / "vars.json").write_text(text)
        for form in ((), ("--json",)):
            ended = scene.run("run", "telltale", "--vars", "vars.json", *form)
            assert ended.code == 2 and "hunter2" not in ended.err + ended.out, (text, ended)


# --- Programs -----------------------------------------------------------------------------------


def test_exec(scene):
    """A program's output and exit code reach the plan; its words go through no shell"""
    ended = run_alone(scene, """
      state "one" { within = "60s",
        enter = function()
          local ending = exec { "printf", "<%s>", "$(touch bad); touch bad", "* &", 7 }
          log.info(ending.out)
          local _, problem = exec.try { "sh", "-c", "echo out; echo this is wrong >&2; exit 7" }
          log.info("%s %s: %s", problem.kind, problem.code, problem.what)
          _, problem = exec.try { "sh", "-c", "kill -9 $$" }
          log.info("%s", problem.code)
          _, problem = exec.try { "./none" }
          log.info("%s", problem.code)
          log.info("input: <%s>", exec { "cat" }.out)
        end, next = "done" },""")
    assert_ended(ended, 0, "done after", "no VM took part")
    for phrase in ("<$(touch bad); touch bad><* &><7>\n", "refused exit-7: this is wrong\n",
                   "  signal-9\n", "  ENOENT\n", "input: <>\n"):
        assert phrase in ended.out, (phrase, ended)
    assert not (scene.folder / "bad").exists()


def test_exec_that_takes_too_long(scene):
    """A program that outlasts its within, or its state, is killed; nothing of it is left"""
    began = time.monotonic()
    ended = run_alone(scene, """
      state "one" { within = "60s",
        enter = function()
          local _, problem = exec.try { "sh", "-c", "echo $$ > first; exec sleep 600",
                                        within = "100ms" }
          log.info("%s", problem)
        end, next = "two" },
      state "two" { within = "100ms",
        enter = function() exec { "sh", "-c", "echo $$ > second; exec sleep 600" } end,
        next = "done" },""")
    assert_ended(ended, 1, "aborted in two", "took longer than 100 ms")
    assert "longer than 100 ms and was killed (killed)" in ended.out, ended
    assert time.monotonic() - began < 5, time.monotonic() - began
    for name in ("first", "second"):
        pid = scene.text_of(name).strip()
        assert pid and not Path("/proc", pid).exists(), f"the {name} program is left"


def test_exec_of_a_family(scene):
    """What a program has started is killed with it, and the end does not wait for it"""
    began = time.monotonic()
    ended = run_alone(scene, """
      state "one" { within = "100ms",
        enter = function() exec { "sh", "-c", "sleep 600 & echo $! > pid; wait" } end,
        next = "done" },""")
    assert_ended(ended, 1, "aborted in one", "took longer than 100 ms")
    assert time.monotonic() - began < 1.9, time.monotonic() - began
    pid = int(scene.text_of("pid"))  # an orphan now, and thus our child
    until(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid, what="the end of its child")


def test_ctrl_c_spares_the_undo(scene):
    """Ctrl-C at the terminal, twice, kills no program that undoes something"""
    write_plan(scene, "program", """
      state "one" { within = "60s",
        enter = function()
          exec { "true", undo = { "sh", "-c", "echo > begun; sleep 0.3; echo > undone" } }
          log.info("it is done")
        end,
        on { "signal:USR1", go = "done" } },""", has_vm=False)
    running, keyboard = scene.start_in_terminal("run", "program")
    running.out.wait_for("it is done")
    os.write(keyboard, b"\x03")
    until(lambda: (scene.folder / "begun").exists(), what="the undo")
    os.write(keyboard, b"\x03")
    ended = running.end()
    assert ended.code == 130 and "nothing was left behind" in ended.out, ended
    assert (scene.folder / "undone").exists()


def test_signal_while_a_program_runs(scene):
    """A signal ends the program that runs, its undo is run, and the exit code is 130"""
    write_plan(scene, "program", """
      state "one" { within = "60s",
        enter = function()
          exec { "sh", "-c", "echo $$ > pid; exec sleep 600", undo = { "touch", "undone" } }
        end, next = "done" },""", has_vm=False)
    running = scene.start("run", "program")
    until(lambda: scene.text_of("pid").endswith("\n"))
    running.signal(signal.SIGINT)
    assert_ended(running.end(), 130, "nothing was left behind")
    assert (scene.folder / "undone").exists()
    assert not Path("/proc", scene.text_of("pid").strip()).exists()


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
