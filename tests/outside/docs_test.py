# SPDX-License-Identifier: Apache-2.0
"""docs_test.py: every command in the README, in docs and in --help is run, as it stands there.

A command of katamaran runs in a folder with a VM that has the names used in the texts: `vm.qmp`, a
recording as `run.jsonl` and `run.jsonl.zst`. A command of tools or of the tests must exist and
explain itself; running all of them here would run this test inside itself.
"""
import os
import re
import shutil
import signal
import threading
import time
from pathlib import Path

import stage
import tap
from stage import BINARY, DATA

ROOT = Path(__file__).resolve().parents[2]
RECORDING = DATA / "traces" / "fail-cancel-pre-switchover-source.jsonl"
WATCHES = re.compile(r"katamaran qmp \S+\s*$")


def joined(lines):
    """Commands from lines: continuations joined, comments and blank lines left out."""
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    commands = [re.sub(r"\s+#\s.*$", "", line).strip() for line in text.splitlines()]
    return [command for command in commands if command and not command.startswith("#")]


def commands_of(text):
    """The commands of the sh blocks of a text in Markdown."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [command for block in blocks for command in joined(block.splitlines())]


def commands_of_help(text):
    """The example commands of a --help text; what stands behind two blanks explains them."""
    after = text.split("Examples:\n", 1)[1] if "Examples:\n" in text else ""
    lines = []
    for line in after.splitlines():
        continued = bool(lines) and lines[-1].endswith("\\")
        if line.startswith("  katamaran ") or continued:
            lines.append(re.sub(r"\s{3,}\S.*$", "", line.strip()))
    return joined(lines)


def prepared(scene):
    """Puts what the texts speak of into the folder, and starts its VM."""
    os.symlink(BINARY, scene.folder / "katamaran")
    shutil.copy(RECORDING, scene.folder / "run.jsonl")
    if shutil.which("zstd") is None:
        raise tap.Skip("zstd IS NOT INSTALLED; the commands of the docs were not run")
    os.system(f"zstd -q {scene.path('run.jsonl')}")
    scene.qemu(*(f"unix:{scene.path(name)},server=on,wait=off" for name in ("vm.qmp", "b.qmp")))
    stage.until(lambda: all((scene.folder / name).exists() for name in ("vm.qmp", "b.qmp")), 15)


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


def run_as_written(scene, command):
    """Runs a command of katamaran in the folder; a watch is ended as a person would end it."""
    environment = {"PATH": f"{scene.folder}:{os.environ['PATH']}"}
    helper = migrate_soon(scene) if "MIGRATION,status=completed" in command else None
    running = scene.start("-c", "exec " + command if "|" not in command else command,
                          program="/bin/bash", env=environment)
    if WATCHES.search(command):
        time.sleep(0.5)
        running.signal(signal.SIGINT)
    ended = running.end(20)
    if helper:
        helper.join()
    expected = 130 if WATCHES.search(command) else 0
    assert ended.code == expected, f"{command}\n{ended}"


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


def run_all(scene, commands):
    """Runs or checks each of the commands; at least one must be there."""
    assert commands, "the text has no command"
    prepared(scene)
    for command in commands:
        if command.startswith("./tools/"):
            check_tool(command)
        elif command.startswith("katamaran "):
            run_as_written(scene, command)
        else:
            check_path(command)


def test_readme(scene):
    """every command of the README does what it is there for"""
    run_all(scene, commands_of((ROOT / "README.md").read_text(encoding="utf-8")))


def test_docs(scene):
    """every command of the docs exists or runs"""
    commands = []
    for path in sorted((ROOT / "docs").glob("*.md")):
        commands += commands_of(path.read_text(encoding="utf-8"))
    run_all(scene, commands)


def test_help(scene):
    """every example of every --help runs"""
    commands = []
    for words in ((), ("qmp",), ("trace", "show")):
        found = commands_of_help(scene.run(*words, "--help").out)
        assert len(found) >= 3, (words, found)
        commands += found
    run_all(scene, commands)


def test_reading():
    """the commands are found where they stand: joined, without comments, without explanations"""
    text = "x\n```sh\n# no\na b \\\n    c   # why\n\n./d\n```\n```text\nnot me\n```\n"
    assert commands_of(text) == ["a b c", "./d"], commands_of(text)
    text = "Examples:\n  katamaran a b      what it does\n  katamaran c \\\n      d\n\nend"
    assert commands_of_help(text) == ["katamaran a b", "katamaran c d"], commands_of_help(text)


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
