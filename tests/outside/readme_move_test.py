# SPDX-License-Identifier: Apache-2.0
"""readme_move_test.py: the commands by which the README moves a guest, on two nodes, as they stand.

A block that begins with "dest$ " or "source$ " is played at that node: in its namespace, and in the
folder of its QEMU's monitor. What ends by itself is waited for; the two runs go side by side.
"""
import contextlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import docs_test  # noqa: E402  (found through the path above)
import forecast_test  # noqa: E402
import stage  # noqa: E402
import tap  # noqa: E402
from stage import until  # noqa: E402

README = (docs_test.ROOT / "README.md").read_text("utf-8")


def commands():
    """(node, command) of each that the README shows at one."""
    found = []
    for language, content in docs_test.blocks_of(README):
        if language == "text" and content.startswith(("dest$ ", "source$ ")):
            for command in docs_test.joined(content.splitlines()):
                node, words = command.split("$ ", 1)
                found.append((node, words))
    return found


def play(move, scene):
    """Starts all of them; gives back how the runs of both nodes ended."""
    runs = {}
    for node, command in commands():
        with move.nodes[node].inside():
            one = docs_test.in_shell(scene, "exec " + command)
        if command.startswith("katamaran run"):
            runs[node] = one
        else:
            ended = one.end(20)
            assert ended.code == 0, (command, ended)
    return {node: run.end(60) for node, run in runs.items()}


def test_move():
    """a guest moves by the commands of the README, and both nodes say that nothing was lost"""
    forecast_test.require()
    assert len(commands()) == 3
    assert "`katamaran peer key move.key`" in README
    for _ in range(forecast_test.ATTEMPTS):
        with contextlib.ExitStack() as stack:
            scene = stack.enter_context(stage.stage())
            docs_test.link_programs(scene)
            move = forecast_test.Move(scene, stack, "shared-storage", 4, None)
            until(lambda move=move: move.ticks("source") > forecast_test.TICKS_HZ // 5, 30,
                  "the guest at work")
            assert scene.run("peer", "key", "move.key").code == 0
            ended = play(move, scene)
            if ended["source"].code == 1 and "too-late" in ended["source"].out:
                print("# the packets were diverted too late, and the run aborted; once more")
                continue
            for node, one in ended.items():
                assert one.code == 0 and "zero lost" in one.out, (node, one)
            status = json.loads(scene.run("qmp", "./dest2.qmp", "query-status", "--json").out)
            assert status["status"] == "running", status
            return
    raise AssertionError("it was too late each time")


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
