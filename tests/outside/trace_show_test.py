# SPDX-License-Identifier: Apache-2.0
"""trace_show_test.py: `katamaran trace show` on recorded conversations, whole and damaged."""
import gzip
import json
import os
import re
import shutil
import subprocess

import stage
import tap
from false_qemu import answer_once, playing
from stage import DATA

TRACES = DATA / "traces"
HEADER = b'{"magic":"katamaran-trace","version":1,"tool":"0","started":"2023-11-14T22:13:20Z"}\n'
LINE = re.compile(r" *\d+\.\d{6}  \S+ (<-|->|==|--) \S.*")


def record(number, port="qmp"):
    """A record of the native form, as bytes."""
    message = {"event": f"E{number}", "data": {"n": number}}
    return json.dumps({"t": number, "port": port, "dir": "in", "msg": message}).encode() + b"\n"


def whole(count):
    """A native trace of so many records."""
    return HEADER + b"".join(record(number) for number in range(count))


def show(scene, content, *words):
    """What `trace show` makes of a file with this content."""
    (scene.folder / "t.jsonl").write_bytes(content)
    return scene.run("trace", "show", "./t.jsonl", *words)


def compressed(scene, content):
    """The content as zstd compresses it."""
    if shutil.which("zstd") is None:
        raise tap.Skip("zstd is not installed")
    return subprocess.run(["zstd", "-c"], input=content, capture_output=True, check=True,
                          cwd=scene.folder).stdout


def assert_damaged(ended, events, place, *phrases):
    """Exit 1, the intact events on stdout, and on stderr the file, the place and what was wrong."""
    assert ended.code == 1 and ended.out.count("\n") == events, ended
    assert ended.err.count("\n") == 1 and "./t.jsonl" in ended.err, ended
    for phrase in (place, "expected", *phrases):
        assert phrase in ended.err, f"no {phrase!r} in {ended.err!r}"


def test_every_recorded_trace(scene):
    """Every trace of the collection is shown, line for line, with exit 0"""
    paths = sorted(TRACES.glob("*.jsonl"))
    assert len(paths) > 40, paths
    for path in paths:
        code, out, err = scene.run("trace", "show", str(path))
        assert (code, err) == (0, ""), (path, err)
        lines = out.splitlines()
        assert len(lines) == path.read_bytes().count(b"\n"), path
        strange = [line for line in lines if not LINE.fullmatch(line) or line != line.rstrip()]
        assert not strange, (path, strange[:3])


def test_every_recorded_trace_as_json(scene):
    """With --json comes a header, then records with whole nanoseconds and unchanged messages"""
    for path in sorted(TRACES.glob("*.jsonl")):
        code, out, err = scene.run("trace", "show", str(path), "--json")
        assert (code, err) == (0, ""), (path, err)
        given = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        header, *shown = [json.loads(line) for line in out.splitlines()]
        assert header["magic"] == "katamaran-trace" and len(shown) == len(given), path
        for before, after in zip(given, shown):
            assert isinstance(after["t"], int) and after["t"] == round(before["t"] * 1e9), after
            assert after["dir"] == before["dir"] and after["port"], after
            assert after.get("msg") == before.get("msg"), (path, before, after)


def test_stop_and_resume(scene):
    """STOP and RESUME are shown, and behind RESUME how long the guest stood still"""
    path = str(TRACES / "fail-cancel-pre-switchover-source.jsonl")
    out = scene.run("trace", "show", path).out
    stop = re.search(r"(?m)^ *([\d.]+)  qmp <- STOP$", out)
    resume = re.search(r"(?m)^ *([\d.]+)  qmp <- RESUME +\(stopped for ([\d.]+) ms\)$", out)
    assert stop and resume, out
    gap_ms = (float(resume[1]) - float(stop[1])) * 1000
    assert abs(gap_ms - float(resume[2])) < 0.01, (gap_ms, resume[2])


def test_grep(scene):
    """--grep shows only the lines that match, and still names the commands of replies"""
    path = str(TRACES / "fail-cancel-pre-switchover-source.jsonl")
    everything = scene.run("trace", "show", path).out.splitlines()
    code, out, err = scene.run("trace", "show", path, "--grep", "STOP|RESUME|return.*query-migrate")
    wanted = [line for line in everything if re.search("STOP|RESUME|return.*query-migrate", line)]
    assert (code, err) == (0, "") and out.splitlines() == wanted and len(wanted) > 3, out
    nothing = scene.run("trace", "show", path, "--grep", "xyzzy")
    assert nothing.out == "" and "xyzzy" in nothing.err, nothing
    code, out, err = scene.run("trace", "show", path, "--grep", "a(b")
    assert (code, out) == (2, "") and "a(b" in err and "regular expression" in err, err


def test_port(scene):
    """--port shows one port only; an unknown one is named, with those that there are"""
    content = HEADER + b"".join(record(number, f"qmp{number % 2}") for number in range(10))
    ended = show(scene, content, "--port", "qmp1")
    assert ended.code == 0 and ended.out.count("\n") == 5 and "qmp0" not in ended.out, ended
    ended = show(scene, content, "--port", "qnp")
    assert ended.out == "" and "'qnp'" in ended.err and "qmp0, qmp1" in ended.err, ended


def test_copy(scene):
    """What --json prints is a trace again, with the same times"""
    path = str(TRACES / "fail-cancel-pre-switchover-source.jsonl")
    first = scene.run("trace", "show", path, "--json").out
    ended = show(scene, first.encode(), "--json")
    assert ended.code == 0 and ended.out == first, ended


def test_all_that_a_recording_may_contain(scene):
    """Text, notes, carriage returns, empty lines and unknown keys of a record are read"""
    content = HEADER + b"\n" + b'{"t":1,"port":"a","dir":"open","text":"x"}\r\n' + (
        b'{"t":2,"port":"a","dir":"note","text":"careful"}\n'
        b'{"t":3,"port":"a","dir":"in","text":"\\\\xff"}\n'
        b'{"t":4,"port":"a","dir":"in","msg":[1],"later":{"x":1}}\n'
        b'{"t":9223372036854775807,"port":"a","dir":"eof"}')
    ended = show(scene, content)
    assert (ended.code, ended.err) == (0, "") and ended.out.count("\n") == 5, ended
    assert "careful" in ended.out and "unreadable" in ended.out, ended


def test_truncated(scene):
    """A trace that is cut off at any byte is shown up to there, and never crashes"""
    content = whole(2)
    ends = [at + 1 for at, byte in enumerate(content) if byte == 10]
    for size in [*range(1, len(HEADER) - 2, 9), *range(len(HEADER) - 2, len(content))]:
        ended = show(scene, content[:size])
        complete = max(0, sum(end <= size + 1 for end in ends) - 1)
        if size in ends or size + 1 in ends:
            assert (ended.code, ended.err) == (0, ""), (size, ended)
            assert ended.out.count("\n") == complete, (size, ended)
        else:
            place = f"line {content[:size].count(10) + 1}, column "
            assert_damaged(ended, complete, place)


def test_garbage_in_the_middle(scene):
    """Garbage in the middle ends the reading there, with line and column"""
    for garbage, column in ((b"garbage\n", 1), (b'{"t":1,"port":"qmp","dir":"in","msg":{]}\n', 39),
                            (b'{"t":"1","port":"q","dir":"in","msg":1}\n', 2),
                            (b'{"t":1,"port":"q","dir":"up","msg":1}\n', 19),
                            (b'{"t":-1,"port":"q","dir":"in","msg":1}\n', 2),
                            (b'{"t":1.5,"port":"q","dir":"in","msg":1}\n', 2),
                            (b'{"t":1,"port":7,"dir":"in","msg":1}\n', 8),
                            (b'{"t":1,"port":"q","dir":"in"}\n', 1), (b"[1]\n", 1),
                            (b'{"t":1,"t":2,"port":"q","dir":"in","msg":1}\n', 8),
                            (b'{"t":1,"port":"\xff"}\n', 16), (b"\0" * 4096 + b"\n", 1)):
        ended = show(scene, whole(4) + garbage + record(9))
        assert_damaged(ended, 4, f"line 6, column {column}:")
        assert "E9" not in ended.out, ended


def test_foreign_files(scene):
    """An empty file, junk, a newer version and other formats: exit 1 and what was expected"""
    newer = HEADER.replace(b'"version":1', b'"version":99')
    foreign = HEADER.replace(b"katamaran-trace", b"another-trace")
    for content, phrase in ((b"", "empty"), (newer + record(1), "99"), (foreign, "katamaran-trace"),
                            (HEADER.replace(b'"version":1', b'"version":"1"'), "version"),
                            (os.urandom(64) + b"\xff" * 65536, "line 1"), (b"\0", "line 1"),
                            (gzip.compress(whole(3)), "line 1"),
                            (b"\x7fELF" + b"\0" * 99, "line 1"), (b"x" * (21 << 20), "20971520")):
        assert_damaged(show(scene, content), 0, "line 1, column ", phrase)


def test_file_that_cannot_be_read(scene):
    """A missing file, or a folder in its place, is an error with its path"""
    for name in ("./none.jsonl", "."):
        ended = scene.run("trace", "show", name)
        assert ended.code == 1 and ended.out == "" and name in ended.err, ended


def test_compressed(scene):
    """A compressed trace is shown like a plain one, whatever its name; several frames are one"""
    content = whole(1000)
    plain = show(scene, content).out
    packed = compressed(scene, content)
    assert plain.count("\n") == 1000
    assert tuple(show(scene, packed)) == (0, plain, "")
    half = content.index(b"\n", len(content) // 2) + 1
    two = compressed(scene, content[:half]) + compressed(scene, content[half:])
    assert tuple(show(scene, two)) == (0, plain, "")


def test_torn_compressed(scene):
    """A compressed recording that was cut off is shown up to the cut, then called cut off"""
    with playing(scene, answer_once(b'{"return": {"big": "' + b"x" * 9000 + b'"}, "id": ID}\r\n')):
        scene.run("qmp", "./f.qmp", "query-status", "--record", "run.zst")
    packed = (scene.folder / "run.zst").read_bytes()
    seen = []
    for size in sorted({5, 9, len(packed) // 2, len(packed) - 5, len(packed) - 1}):
        ended = show(scene, packed[:size])
        assert_damaged(ended, ended.out.count("\n"), "column ", "cut off")
        seen.append(ended.out.count("\n"))
    assert seen == sorted(seen) and seen[-1] >= 6, seen


def test_spoiled_compressed(scene):
    """Compressed data with a wrong byte, or junk behind it, is told as damage with exit 1"""
    packed = compressed(scene, whole(1000))
    middle = len(packed) // 2
    spoiled = packed[:middle] + bytes(8) + packed[middle + 8:]
    assert_damaged(show(scene, spoiled), show(scene, spoiled).out.count("\n"), "column ", "intact")
    assert_damaged(show(scene, packed + b"junk"), 1000, "column ")


def test_compression_bomb(scene):
    """A small compressed file that grows to 2 GiB without a newline ends at the line's limit"""
    if shutil.which("zstd") is None:
        raise tap.Skip("zstd is not installed")
    scene.shell("head -c 2G /dev/zero | zstd -1 -q -o t.jsonl")
    ended = scene.run("trace", "show", "./t.jsonl")
    assert_damaged(ended, 0, "line 1, column ")
    assert ended.rss_mib < 150, f"{ended.rss_mib:.0f} MiB"


def test_reader_goes_away(scene):
    """A reader that has seen enough, like head, ends katamaran quietly"""
    path = scene.folder / "long.jsonl"
    path.write_bytes(whole(50_000))
    ended = scene.shell('"$0" "$@" | head -1; echo "${PIPESTATUS[0]}"', "trace", "show", str(path))
    assert ended.err == "" and ended.out.count("\n") == 2, ended
    assert ended.out.splitlines()[1] in ("0", "1", "141"), ended


def test_damage_behind_the_readers_back(scene):
    """A reader that goes away before the damage is reached hears nothing of it"""
    (scene.folder / "t.jsonl").write_bytes(whole(50_000) + b"garbage\n")
    ended = scene.shell('"$0" trace show t.jsonl | head -1')
    assert ended.err == "", ended


def test_from_a_pipe(scene):
    """A trace may come through a pipe, and its records are shown as they come"""
    os.mkfifo(scene.path("fifo"))
    running = scene.start("trace", "show", "./fifo")
    with open(scene.path("fifo"), "wb", buffering=0) as pipe:
        pipe.write(HEADER + record(1))
        running.out.wait_for("E1")
        pipe.write(record(2)[:20])
        pipe.write(record(2)[20:])
        running.out.wait_for("E2")
    ended = running.end()
    assert ended.code == 0 and ended.err == "", ended


def test_escape_sequences(scene):
    """Escape sequences in a trace reach the terminal as visible text only, in every form"""
    evil = "A\x1b[2J\x9b1m\r"
    content = HEADER + b"".join(
        json.dumps({"t": 1, "port": evil, "dir": "in", "msg": message}).encode() + b"\n"
        for message in ({"event": evil, "data": {evil: evil}}, {"execute": evil, "id": evil},
                        {"return": evil, "id": evil}, {"error": {"class": evil, "desc": evil}},
                        {"QMP": {"version": {"package": evil, "qemu": {}}}}, {evil: evil}))
    content += json.dumps({"t": 1, "port": "p", "dir": "note", "text": evil}).encode() + b"\n"
    wild = []
    for words in ((), ("--json",), ("--port", "none"), ("--grep", evil), ("--grep", "(" + evil)):
        ended = show(scene, content, *words)
        if re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", ended.out + ended.err):
            wild.append((words, ended.out[:200], ended.err[:200]))
    assert not wild, wild


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
