# SPDX-License-Identifier: Apache-2.0
"""timeline_test.py: timelines of recordings and of runs, as pictures, pages, traces and texts."""
import json
import re
import xml.etree.ElementTree as tree
from pathlib import Path

import stage
import tap
from run_stage import run, write_plan
from stage import DATA, LUA

TRACES = DATA / "traces"
PICTURE = LUA.parent / "docs" / "timeline.svg"
PICTURE_OF = "golden-storage-divert"
FORMS = ("svg", "html", "json", "txt")


def pair(name):
    """The recordings of both sides, or of the one that there is."""
    sides = [TRACES / f"{name}-{side}.jsonl" for side in ("source", "dest")]
    return [str(path) for path in sides if path.exists()]


def drawn(scene, form, *words, name="t"):
    """What `trace timeline` writes in that form."""
    ended = scene.run("trace", "timeline", *words, "-o", f"{name}.{form}")
    assert tuple(ended) == (0, "", ""), ended
    return (scene.folder / f"{name}.{form}").read_text("utf-8")


def test_text(scene):
    """Without a file the text goes to stdout, no wider than asked, without colours in a pipe"""
    code, out, err = scene.run("trace", "timeline", *pair(PICTURE_OF), "--width", "90")
    assert (code, err) == (0, ""), err
    lines = out.splitlines()
    assert lines[0] == (f"{PICTURE_OF}: dark for 13.3 ms: stopped at source, resumed at dest"), out
    assert max(map(len, lines)) <= 90 and stage.ESCAPE not in out, out
    assert re.search(r"(?m)^guest .*dark", out) and "BLOCK_JOB_READY" in out, out


def test_forms(scene):
    """The ending decides: a picture and a page are XML and need nothing else, a trace is JSON"""
    svg = drawn(scene, "svg", *pair(PICTURE_OF))
    assert tree.fromstring(svg).tag.endswith("svg")
    page = drawn(scene, "html", *pair(PICTURE_OF))
    outside = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#)[^"')\s]+""", page)
    assert outside == [] and page.startswith("<!DOCTYPE html>"), outside
    trace = json.loads(drawn(scene, "json", *pair(PICTURE_OF)))
    tracks = {event["args"]["name"] for event in trace["traceEvents"]
              if event["name"] == "thread_name"}
    assert {"guest", "source QEMU", "dest QEMU", "source QEMU commands"} <= tracks, tracks
    assert "█" in drawn(scene, "txt", *pair(PICTURE_OF))


def test_every_recorded_trace(scene):
    """Every pair of the collection is drawn, as XML, and twice the same"""
    names = sorted({path.name.rsplit("-", 1)[0] for path in TRACES.glob("*.jsonl")})
    assert len(names) > 20, names
    for name in names:
        svg = drawn(scene, "svg", *pair(name), name=name)
        assert tree.fromstring(svg).tag.endswith("svg"), name
    assert drawn(scene, "svg", *pair(names[0]), name="again") == (
        scene.folder / f"{names[0]}.svg").read_text("utf-8")


def test_unknown_ending(scene):
    """An unknown ending is refused, with the four that there are, and nothing is written"""
    for words in (("trace", "timeline", *pair(PICTURE_OF), "-o"),
                  ("run", "freeze", "--var", "qmp=./a.qmp", "--timeline")):
        ended = scene.run(*words, "out.png")
        assert ended.code == 2 and ended.out == "", ended
        for ending in (".svg", ".html", ".json", ".txt"):
            assert ending in ended.err, ended
        assert not (scene.folder / "out.png").exists()


def test_existing_file(scene):
    """A file that exists is refused and left as it is, before anything starts"""
    (scene.folder / "t.svg").write_text("mine", "utf-8")
    for words in (("trace", "timeline", *pair(PICTURE_OF), "-o"),
                  ("run", "freeze", "--var", "qmp=./none.qmp", "--timeline")):
        ended = scene.run(*words, "t.svg")
        assert ended.code == 2 and ended.out == "" and "exists" in ended.err, ended
    assert (scene.folder / "t.svg").read_text("utf-8") == "mine"


def test_clocks(scene):
    """Recordings that say when they began are put on one axis by that, or by --shift"""
    for side, started, message in (("source", "2026-11-21T10:00:00Z", "STOP"),
                                   ("dest", "2026-11-21T10:00:02.5Z", "RESUME")):
        status = "migrate" if side == "source" else "migrate-incoming"
        (scene.folder / f"{side}.jsonl").write_text(
            '{"magic":"katamaran-trace","version":1,"tool":"0","started":"%s"}\n'
            '{"t":0,"port":"qmp","dir":"out","msg":{"execute":"%s","id":1}}\n'
            '{"t":1000000000,"port":"qmp","dir":"in","msg":{"event":"%s"}}\n'
            % (started, status, message), "utf-8")
    files = ("source.jsonl", "dest.jsonl")
    out = scene.run("trace", "timeline", *files).out
    assert "dark for 2.5 s" in out and "clocks of their nodes" in out, out
    out = scene.run("trace", "timeline", *files, "--shift", "20ms").out
    assert "dark for 20 ms" in out and "clocks of their nodes" not in out, out
    out = scene.run("trace", "timeline", *files, "--shift", "-20ms").out
    assert "THE GUEST RAN TWICE" not in out.splitlines()[1:] and "at the same time" in out, out
    ended = scene.run("trace", "timeline", files[0], "--shift", "20ms")
    assert ended.code == 2 and "second" in ended.err, ended


def test_damage(scene):
    """A damaged recording is drawn as far as it goes: exit 1, and both outputs say so"""
    text = Path(pair(PICTURE_OF)[0]).read_text("utf-8")
    (scene.folder / "torn.jsonl").write_text(text[:len(text) // 2], "utf-8")
    ended = scene.run("trace", "timeline", "./torn.jsonl")
    assert ended.code == 1 and "torn.jsonl" in ended.err and "is damaged" in ended.out, ended
    ended = scene.run("trace", "timeline", "./none.jsonl")
    assert ended.code == 1 and ended.out == "" and "none.jsonl" in ended.err, ended


def test_run(scene):
    """A run draws itself: the states of its plan, the guest's dark window, and how it ended"""
    scene.qemu()
    ended = run(scene, "freeze", "--var", "pause=50ms", "--timeline", "run.svg")
    assert ended.code == 0 and ended.err == "", ended
    svg = (scene.folder / "run.svg").read_text("utf-8")
    assert tree.fromstring(svg).tag.endswith("svg")
    words = "".join(tree.fromstring(svg).itertext())
    dark = float(re.search(r"dark for ([\d.]+) ms", words)[1])
    assert 50 <= dark < 500, words
    for phrase in ("stopping", "frozen", "waking", "STOP", "RESUME", "done after"):
        assert phrase in words, phrase


def test_run_with_recording(scene):
    """With --record as well, the timeline of the run is that of its recording"""
    scene.qemu()
    ended = run(scene, "freeze", "--var", "pause=10ms", "--record", "run.jsonl", "--timeline",
                "run.json")
    assert ended.code == 0 and ended.err == "", ended
    events = [json.loads((scene.folder / "run.json").read_text("utf-8"))["traceEvents"]]
    events.append(json.loads(drawn(scene, "json", "./run.jsonl"))["traceEvents"])
    assert events[0] == events[1]


def test_run_that_fails(scene):
    """A run that is aborted is drawn, with what was undone; secrets are in no form of it"""
    scene.qemu()
    write_plan(scene, "fails", """
state "standing" { within = "5s", next = "done",
  enter = function(m)
    m:undo("wake the guest", function() qmp("cont") end)
    qmp("stop")
    log.info(m.word)
    error { kind = "refused", code = "no", what = "it was " .. m.word }
  end },
""", 'word = var.secret { doc = "A secret." },')
    (scene.folder / "word").write_text("open sesame please", "utf-8")
    for form in FORMS:
        ended = run(scene, "fails", "--var", "word=@word", "--timeline", f"run.{form}")
        assert ended.code == 1 and ended.err == "", ended
        text = (scene.folder / f"run.{form}").read_text("utf-8")
        assert "wake the guest" in text and "sesame" not in text, form


def test_picture_of_the_readme(scene):
    """The picture in docs is what its command draws"""
    svg = drawn(scene, "svg", *pair(PICTURE_OF), "--width", "800")
    assert svg == PICTURE.read_text("utf-8"), "draw it again: docs/HACKING.md says how"


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
