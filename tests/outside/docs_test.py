# SPDX-License-Identifier: Apache-2.0
"""docs_test.py: what the README, the documents and --help show is run, as it stands there.

The blocks of a document are taken in order, in a folder with the files that the texts name: the
monitors `vm.qmp` and `b.qmp` of one VM, `dest.qmp` of one that waits for a migration, a recording
as `run.jsonl` and `run.jsonl.zst`, that of both sides of a move as `source.jsonl` and `dest.jsonl`,
vars in `vars.json`.

sh    Each command of katamaran runs, and ends well. A tool exists and explains itself; of any
      other command the paths exist. To run all of them would run this test inside itself.
text  A block that begins with "$ " is a transcript: its commands run in one shell and print what
      stands below them. A line of "…" stands for any lines, a "…" in a line for any text; blanks
      count once; times that were measured are equal; our Lua lies in /usr/share/katamaran.
lua   A block that begins with "-- NAME.lua" is that file, from there on. A plan passes
      `katamaran plan check`; a module is loaded by a plan made up for that; a case, which begins
      with "-- PLAN.tests/NAME.lua", is played by a transcript. Any other block is a fragment: the
      inside of an action, or of what its first line says, "-- in plan" or "-- in role". It is put
      into a plan with the vars of FRAME_VARS, which must pass as well.

What docs/api.md shows is looked at by tests/lua: it is made of forms and very small examples.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import stage
import tap
from stage import BINARY, DATA

ROOT = Path(__file__).resolve().parents[2]
RECORDING = DATA / "traces" / "fail-cancel-pre-switchover-source.jsonl"
WATCHES = re.compile(r"katamaran qmp \S+\s*$")

BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LUA_FILE = re.compile(r"-- ([a-z0-9_-]+)\.lua\n")
LUA_CASE = re.compile(r"-- ([a-z0-9_-]+\.tests/[a-z0-9_-]+\.lua)\n")
LUA_PLACE = re.compile(r"-- in (plan|role)\b.*\n")

FRAME = """return plan {{
  name = "fragment", api = 1, summary = "The plan around a fragment.",
  {plan}
  role "node" {{
    {role}
  }},
}}
"""
FRAME_VARS = """vars = {
  qmp = var.path { doc = "QMP socket of the VM." },
  file = var.path { "/tmp/state", doc = "A file." },
  tap = var.ifname { "tap0", doc = "An interface." },
  pause = var.duration { "1s", doc = "A time." },
  password = var.secret { optional = true, doc = "A secret." },
},"""
FRAME_STATE = """state "only" {{ within = "1s", next = "done",
  enter = function(m) local _ = m
{action}
  end }},"""
FRAME_OF_MODULE = 'local module = require "{name}"\nlocal _ = module\n' + FRAME

PROGRAMS = {"katamaran": BINARY, "katamaran-sim": os.path.abspath(os.environ["KATAMARAN_SIM"])}
END_OF_COMMAND = "--- the end of a command ---"
DURATION = r"\d[\d.]* (?:ns|us|ms|s)\b"
MEASURED = re.compile(rf"^{DURATION}|(?<= after ){DURATION}(?=[;:])|^\d+\.\d{{6}}\b")


# --- Reading ------------------------------------------------------------------------------------

def blocks_of(text):
    """(language, content) of each block of a text in Markdown that names its language."""
    return BLOCK.findall(text)


def joined(lines):
    """Commands from lines: continuations joined, comments and blank lines left out."""
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    commands = [re.sub(r"\s+#\s.*$", "", line).strip() for line in text.splitlines()]
    return [command for command in commands if command and not command.startswith("#")]


def commands_of_help(text):
    """The example commands of a --help text; what stands behind two blanks explains them."""
    after = text.split("Examples:\n", 1)[1] if "Examples:\n" in text else ""
    lines = []
    for line in after.splitlines():
        continued = bool(lines) and lines[-1].endswith("\\")
        if line.startswith(tuple(f"  {name} " for name in PROGRAMS)) or continued:
            lines.append(re.sub(r"\s{3,}\S.*$", "", line.strip()))
    return joined(lines)


def steps_of(transcript):
    """(command, what it prints) of each command in a transcript."""
    steps = []
    for line in transcript.splitlines():
        if line.startswith("$ "):
            steps.append([line[2:], ""])
        elif steps[-1][0].endswith("\\"):
            steps[-1][0] += "\n" + line
        else:
            steps[-1][1] += line + "\n"
    return steps


def plain(line):
    """A line without what may differ from run to run."""
    line = " ".join(line.split()).replace(str(stage.LUA), "/usr/share/katamaran")
    return MEASURED.sub("TIME", line)


def is_shown_by(shown, printed):
    """Whether a document shows what was printed."""
    pattern = ""
    for line in map(plain, shown.splitlines()):
        inside = ".*".join(map(re.escape, line.split("…")))
        pattern += r"(?:.*\n)*?" if line == "…" else inside + r"\n"
    text = "".join(plain(line) + "\n" for line in printed.splitlines())
    return re.fullmatch(pattern, text) is not None


# --- The folder ---------------------------------------------------------------------------------

def prepared(scene):
    """Puts what the texts speak of into the folder, and starts its VM."""
    link_programs(scene)
    os.symlink(ROOT / "tests", scene.folder / "tests")
    shutil.copy(RECORDING, scene.folder / "run.jsonl")
    for side in ("source", "dest"):
        shutil.copy(DATA / "traces" / f"shared-storage-success-{side}.jsonl",
                    scene.folder / f"{side}.jsonl")
    (scene.folder / "vars.json").write_text('{"qmp": "./vm.qmp", "pause": "200ms"}\n', "utf-8")
    if shutil.which("zstd") is None:
        raise tap.Skip("zstd IS NOT INSTALLED; the commands of the docs were not run")
    os.system(f"zstd -q {scene.path('run.jsonl')}")
    scene.qemu(*(f"unix:{scene.path(name)},server=on,wait=off" for name in ("vm.qmp", "b.qmp")))
    stage.until(lambda: all((scene.folder / name).exists() for name in ("vm.qmp", "b.qmp")), 15)


@contextlib.contextmanager
def destination(scene):
    """A second VM, which waits for a migration."""
    qemu = subprocess.Popen(
        ["qemu-system-x86_64", "-machine", "none", "-display", "none", "-nodefaults", "-S",
         "-incoming", "defer", "-qmp", "unix:dest.qmp,server=on,wait=off"],
        cwd=scene.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        stage.until((scene.folder / "dest.qmp").exists, 15)
        yield
    finally:
        qemu.kill()
        qemu.wait()


def migrate_soon(scene):
    """Lets the VM migrate into nothing, for a command that waits for the end of a migration."""
    def work():
        time.sleep(0.5)
        scene.run("qmp", scene.path("b.qmp"), "migrate-set-capabilities",
                  '{"capabilities":[{"capability":"events","state":true}]}')
        scene.run("qmp", scene.path("b.qmp"), "migrate", "uri=exec:cat >/dev/null")
    thread = threading.Thread(target=work)
    thread.start()
    return thread


# --- Running ------------------------------------------------------------------------------------

def in_shell(scene, script):
    """Starts a script in the folder, where katamaran is found by its name."""
    environment = {"PATH": f"{scene.folder}:{os.environ['PATH']}"}
    return scene.start("-c", script, program="/bin/bash", env=environment)


def link_programs(scene):
    """Both programs stand in the folder under their names."""
    for name, binary in PROGRAMS.items():
        os.symlink(binary, scene.folder / name)


def run_as_written(scene, command):
    """Runs a command of katamaran in the folder; a watch is ended as a person would end it."""
    helper = migrate_soon(scene) if "MIGRATION,status=completed" in command else None
    running = in_shell(scene, "exec " + command if "|" not in command else command)
    if WATCHES.search(command):
        time.sleep(0.5)
        running.signal(signal.SIGINT)
    ended = running.end(20)
    if helper:
        helper.join()
    expected = 130 if WATCHES.search(command) else 0
    assert ended.code == expected, f"{command}\n{ended}"


def run_transcript(scene, transcript):
    """Runs the commands of a transcript, and holds what they print against it."""
    steps = steps_of(transcript)
    script = "exec 2>&1\n"
    for command, _ in steps:
        script += f"{command}\nlast=$?\necho '{END_OF_COMMAND}'\n(exit $last)\n"
    printed = in_shell(scene, script).end(60).out.split(END_OF_COMMAND + "\n")
    for (command, shown), text in zip(steps, printed):
        assert is_shown_by(shown, text), f"\n$ {command}\n{text}--- is shown as\n{shown}"
    assert len(printed) == len(steps) + 1, f"the shell ended before {steps[-1][0]!r}"


def check_tool(command):
    """A tool that a text names exists, can be run, and explains itself."""
    word = command.split()[0]
    tool = ROOT / word.removeprefix("./")
    assert tool.exists() and os.access(tool, os.X_OK), f"{command}: there is no {word}"
    assert os.system(f"{tool} --help >/dev/null 2>&1") == 0, f"{word} --help fails"


def check_path(command):
    """A command that runs a built test or a script names things that exist in the sources."""
    for word in command.split():
        if word.startswith("tests/") or word.startswith("src/"):
            assert (ROOT / word).exists(), f"{command}: there is no {word}"


def run_command(scene, command):
    """Runs or checks one command of an sh block."""
    if command.startswith("./tools/"):
        check_tool(command)
    elif command.split()[0] in PROGRAMS:
        run_as_written(scene, command)
    else:
        check_path(command)


# --- Lua ----------------------------------------------------------------------------------------

def check_plan(scene, name, listing):
    """The file of that name is a plan without faults."""
    ended = scene.run("plan", "check", name + ".lua")
    assert ended.code == 0, f"{ended.err}--- in\n{listing}"


def framed(fragment):
    """A plan around a fragment."""
    place = LUA_PLACE.match(fragment)
    inside = fragment[place.end():] if place else fragment
    if place and place[1] == "plan":
        return FRAME.format(plan=inside, role=FRAME_STATE.format(action=""))
    role = inside if place else FRAME_STATE.format(action=inside)
    return FRAME.format(plan=FRAME_VARS, role=role)


def take_lua(scene, listing):
    """Writes a listing into the folder, and checks it."""
    if case := LUA_CASE.match(listing):
        (scene.folder / case[1]).parent.mkdir(exist_ok=True)
        (scene.folder / case[1]).write_text(listing, "utf-8")
        return
    named = LUA_FILE.match(listing)
    name = named[1] if named else "fragment"
    text = listing if named else framed(listing)
    (scene.folder / f"{name}.lua").write_text(text, "utf-8")
    if named and not re.search(r"^return (plan|derive)\b", listing, re.MULTILINE):
        text = FRAME_OF_MODULE.format(name=name, plan=FRAME_VARS,
                                      role=FRAME_STATE.format(action=""))
        name = "fragment"
        (scene.folder / f"{name}.lua").write_text(text, "utf-8")
    check_plan(scene, name, text)


# --- All of it ----------------------------------------------------------------------------------

def take_all(scene, text):
    """Takes the blocks of a document; returns how many were checked."""
    taken = 0
    for language, content in blocks_of(text):
        if language == "sh":
            for command in joined(content.splitlines()):
                run_command(scene, command)
        elif language == "text" and content.startswith("$ "):
            run_transcript(scene, content)
        elif language == "lua":
            take_lua(scene, content)
        else:
            continue
        taken += 1
    return taken


def take_document(scene, path):
    """Takes the blocks of a document of the repository."""
    return take_all(scene, (ROOT / path).read_text(encoding="utf-8"))


def test_readme(scene):
    """every command of the README does what it is there for"""
    prepared(scene)
    assert take_document(scene, "README.md") >= 4


def test_plans(scene):
    """every plan in docs/PLANS.md loads, and every transcript is what the plans do"""
    prepared(scene)
    with destination(scene):
        assert take_document(scene, "docs/PLANS.md") >= 40


def test_docs(scene):
    """every command of the other documents exists or runs"""
    prepared(scene)
    for path in sorted((ROOT / "docs").glob("*.md")):
        if path.name not in ("PLANS.md", "RUNBOOK.md", "api.md"):
            take_document(scene, f"docs/{path.name}")


def test_runbook():
    """every command of the runbook runs, on the VMs of two nodes that stand"""
    text = (ROOT / "docs/RUNBOOK.md").read_text(encoding="utf-8")
    blocks = [content for language, content in blocks_of(text) if language == "sh"]
    assert len(blocks) >= 12, blocks
    for content in blocks:
        with stage.stage() as scene:
            link_programs(scene)
            for side in ("source", "dest"):
                shutil.copy(DATA / "traces" / f"shared-storage-success-{side}.jsonl",
                            scene.folder / f"{side}.jsonl")
                scene.qemu(machine=("-machine", "none", "-S"), sockets=(f"{side}.qmp",))
            for command in joined(content.splitlines()):
                run_command(scene, command)


def test_help(scene):
    """every example of every --help runs"""
    prepared(scene)
    for words in ((), ("run",), ("simulate",), ("plan",), ("plan", "test"), ("qmp",),
                  ("trace", "show")):
        found = commands_of_help(scene.run(*words, "--help").out)
        assert len(found) >= 3, (words, found)
        for command in found:
            run_as_written(scene, command)
    for word in ("check", "show", "graph", "list", "new", "diff"):
        text = scene.run("plan", word, "--help").out
        found = commands_of_help(text)
        assert len(found) >= 2 and "Exit codes: 0 " in text, text
        assert all(command.startswith(f"katamaran plan {word} ") or
                   command == f"katamaran plan {word}" for command in found), found
        for command in found:
            run_as_written(scene, command)
    found = commands_of_help(in_shell(scene, "exec katamaran-sim --help").end(20).out)
    assert len(found) >= 3 and all(line.startswith("katamaran-sim ") for line in found), found
    for command in found:
        run_as_written(scene, command)


# --- What this test can see ---------------------------------------------------------------------

def test_exit_codes(scene):
    """every exit code that there is stands in the README and in --help, and no other"""
    known = set(re.findall(r"int exit_\w+ = (\d+);",
                           (ROOT / "src/cli/console.hh").read_text("utf-8")))
    assert len(known) > 5, known
    rows = re.findall(r"(?m)^\| (\d+) \|", (ROOT / "README.md").read_text("utf-8"))
    assert set(rows) == known, (rows, known)
    link_programs(scene)
    for program in PROGRAMS:
        text = in_shell(scene, f"exec {program} --help").end(20).out
        told = re.findall(r"(?<!\S)(\d+) [a-z]", text[text.index("Exit codes:"):])
        assert set(told) == known, (program, told, known)


def test_reading():
    """the commands are found where they stand: joined, without comments, without explanations"""
    text = "x\n```sh\n# no\na b \\\n    c   # why\n\n./d\n```\n```text\nnot me\n```\n"
    (language, content), other = blocks_of(text)
    assert language == "sh" and other == ("text", "not me\n")
    assert joined(content.splitlines()) == ["a b c", "./d"]
    text = "Examples:\n  katamaran a b      what it does\n  katamaran c \\\n      d\n\nend"
    assert commands_of_help(text) == ["katamaran a b", "katamaran c d"], commands_of_help(text)
    assert steps_of("$ a \\\n  b\nx\ny\n$ c\n") == [["a \\\n  b", "x\ny\n"], ["c", ""]]


def test_comparing():
    """a transcript must be what was printed, but for times and what is left out"""
    for shown, printed in (
        ("      7 ms  asleep\n", "  1.203 s  asleep\n"),
        ("done after 8 ms; it runs\n", "done after 12.5 s; it runs\n"),
        ("a\n…\nz\n", "a\nb\nc\nz\n"),
        ("a\n…\n", "a\n"),
        ("digest … here\n", "digest 12ab here\n"),
        ("/usr/share/katamaran/plans/x.lua\n", f"{stage.LUA}/plans/x.lua\n"),
    ):
        assert is_shown_by(shown, printed), (shown, printed)
    for shown, printed in (
        ("a\n", "a\nb\n"),
        ("a\nb\n", "a\n"),
        ("longer than 200 ms\n", "longer than 300 ms\n"),
        ("a.c\n", "abc\n"),
        ("…\nz\n", "a\nz\nb\n"),
    ):
        assert not is_shown_by(shown, printed), (shown, printed)


def test_refusal(scene):
    """a listing that is no plan, and a transcript that is not true, are found"""
    def refused(text):
        try:
            take_all(scene, text)
        except AssertionError:
            return True
        return False
    link_programs(scene)
    in_role = '-- in role "node"\n'
    for listing in ("qmp('stop')\nlog.info(m.pause)\n",
                    in_role + FRAME_STATE.format(action=""),
                    '-- in plan\nvars = { qmp = var.path { doc = "A socket." } },\n',
                    "-- two.lua\nreturn 2\n"):
        assert not refused(f"```lua\n{listing}```\n"), listing
    for listing in ("kmp('stop')\n", "log.info(m.paus)\n", in_role + 'state "x" {},\n',
                    "-- in plan\nvars = { x = var.path {} },\n", "-- a.lua\nreturn plan {}\n",
                    "-- two.lua\nlocal x = 2\n", "-- two.lua\nreturn function() return x end\n"):
        assert refused(f"```lua\n{listing}```\n"), listing
    assert not refused("```text\n$ echo a; (exit 3)\na\n$ echo $?\n3\n```\n")
    assert refused("```text\n$ echo a\nb\n```\n")
    assert refused("```text\n$ exit 3\n$ echo a\na\n```\n")
    assert refused("```sh\nkatamaran run --nonsense\n```\n")


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
