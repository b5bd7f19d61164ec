# SPDX-License-Identifier: Apache-2.0
"""qmp_schema_test.py: names and arguments held against a real QEMU's schema, and its cache."""
import json

import stage
import tap
from stage import commands_in, crossed

EVENTS_ON = [{"capability": "events", "state": True}]


def refusal(scene, *words):
    """What katamaran says when it refuses these words as wrong usage."""
    record = f"refused-{len(list(scene.folder.glob('refused-*')))}.jsonl"
    code, out, err = scene.run("qmp", "./a.qmp", *words, "--record", record)
    assert (code, out) == (2, "") and err.count("\n") == 1, (code, out, err)
    return err


def sent(scene, *words):
    """The arguments as QEMU got them."""
    record = f"sent-{len(list(scene.folder.glob('sent-*')))}.jsonl"
    ended = scene.run("qmp", "./a.qmp", *words, "--record", record)
    assert ended.code == 0, ended
    return crossed(scene.folder / record)[-1].get("arguments")


def test_unknown_names(scene):
    """An unknown command, argument or event is refused with exit 2 and the nearest name"""
    scene.qemu()
    assert "'query-status'" in refusal(scene, "query-staus")
    assert "'downtime-limit'" in refusal(scene, "migrate-set-parameters", "downtime-limt=25")
    assert "'RESUME'" in refusal(scene, "--wait", "RESUM")
    assert "'query-migrate'" in refusal(scene, "query_migrate")
    assert "did you mean" not in refusal(scene, "xyzzyplugh")


def test_unknown_name_with_arguments(scene):
    """An unknown command with arguments is refused by its name, not by its arguments"""
    scene.qemu()
    assert "'migrate-set-parameters'" in refusal(scene, "migrate-set-paramters", "a=1")


def test_no_argument_expected(scene):
    """An argument for a command that takes none is refused, and it is said that it takes none"""
    scene.qemu()
    assert "takes none" in refusal(scene, "query-status", "verbose=true")


def test_missing_argument(scene):
    """A missing argument is named, at any depth, and nothing is sent"""
    scene.qemu()
    assert "'capabilities.0.state' is missing" in refusal(
        scene, "migrate-set-capabilities", "capabilities.0.capability=events")
    assert "'id' is missing" in refusal(scene, "object-add", "qom-type=secret")


def test_wrong_values(scene):
    """A value of the wrong type is refused with the place, the value and what was expected"""
    scene.qemu()
    for word, phrase in (
            ("downtime-limit=soon", "whole number"), ("downtime-limit=1.5", "whole number"),
            ("downtime-limit=", "whole number"), ("block-incremental=maybe", "true or false"),
            ("downtime-limit=99999999999999999999", "64 bits"),
            ("downtime-limit.x=1", "not a part")):
        said = refusal(scene, "migrate-set-parameters", word)
        assert "downtime-limit" in said or "block-incremental" in said, said
        assert phrase in said and "expected" in said, said


def test_wrong_enum_value(scene):
    """A wrong word is refused with the allowed words, or with the nearest of them"""
    scene.qemu()
    said = refusal(scene, "migrate-set-parameters", "multifd-compression=brotli")
    assert "none, zlib, zstd" in said, said
    said = refusal(scene, "migrate-set-parameters", "multifd-compression=zstdd")
    assert "'zstd'" in said, said


def test_typed_values(scene):
    """Integers, booleans, words and strings arrive at QEMU with the types of its schema"""
    scene.qemu()
    arguments = sent(scene, "migrate-set-parameters", "downtime-limit=25", "multifd-channels=4",
                     "block-incremental=on", "multifd-compression=zlib", "tls-hostname=17")
    assert arguments == {"downtime-limit": 25, "multifd-channels": 4, "block-incremental": True,
                         "multifd-compression": "zlib", "tls-hostname": "17"}, arguments
    code, out, _ = scene.run("qmp", "./a.qmp", "query-migrate-parameters", "--json")
    assert code == 0 and json.loads(out)["downtime-limit"] == 25, out


def test_dotted_keys(scene):
    """Dotted keys reach into objects and lists"""
    scene.qemu()
    arguments = sent(scene, "migrate-set-capabilities", "capabilities.0.capability=events",
                     "capabilities.0.state=on", "capabilities.1.capability=x-colo",
                     "capabilities.1.state=off")
    assert arguments == {"capabilities": EVENTS_ON + [{"capability": "x-colo", "state": False}]}
    said = refusal(scene, "migrate-set-capabilities", "capabilities.1.capability=events")
    assert "'capabilities.0'" in said, said


def test_json_arguments(scene):
    """All arguments as one JSON object, or one of them as a JSON list, are taken and checked"""
    scene.qemu()
    text = json.dumps(EVENTS_ON)
    whole = json.dumps({"capabilities": EVENTS_ON})
    assert sent(scene, "migrate-set-capabilities", whole) == {"capabilities": EVENTS_ON}
    assert sent(scene, "migrate-set-capabilities", "capabilities=" + text) == {
        "capabilities": EVENTS_ON}
    said = refusal(scene, "migrate-set-capabilities", whole.replace("true", '"on"'))
    assert "capabilities.0.state" in said and "boolean" in said, said
    said = refusal(scene, "migrate-set-capabilities", "capabilities=" + text.replace("events", "x"))
    assert "capabilities.0.capability" in said, said


def test_broken_json_argument(scene):
    """Broken JSON in an argument is refused before QEMU is troubled, with the place of the fault"""
    code, out, err = scene.run("qmp", "./nowhere.qmp", "migrate-set-capabilities", '{"a":,}')
    assert (code, out) == (2, "") and "column 6" in err, err


def test_argument_given_twice(scene):
    """An argument that is given twice, or as a whole and in parts, is refused by its name"""
    scene.qemu()
    for words in (("id=a", "id=b"), ("backend={}", "backend.type=null"), ("id=a", "id.b=c")):
        said = refusal(scene, "chardev-add", *words)
        assert "given twice" in said and words[1].split("=")[0] in said, said
    for word in ("backend..type=null", "backend.=null", ".id=a"):
        refusal(scene, "chardev-add", "id=a", word)


def test_refusal_by_qemu(scene):
    """What only QEMU can refuse is refused with QEMU's own words and exit 1"""
    scene.qemu()
    ended = scene.run("qmp", "./a.qmp", "migrate-set-parameters", "downtime-limit=99999999")
    assert ended.code == 1 and ended.out == "", ended
    assert "QEMU says: " in ended.err and "downtime" in ended.err, ended.err


def limit(scene, milliseconds):
    """The commands that were sent to set the downtime limit."""
    record = f"limit-{milliseconds}.jsonl"
    ended = scene.run("qmp", "./a.qmp", "migrate-set-parameters",
                      f"downtime-limit={milliseconds}", "--record", record)
    assert tuple(ended) == (0, "ok\n", ""), ended
    return commands_in(scene.folder / record)


def test_schema_is_asked_for_once(scene):
    """The first typed argument asks for the schema, the second finds it in the cache"""
    scene.qemu()
    assert "query-qmp-schema" in limit(scene, 1)
    assert "query-qmp-schema" not in limit(scene, 2)
    assert len(scene.cached_schemas()) == 1, scene.cached_schemas()


def test_untyped_command_needs_no_schema(scene):
    """A command without arguments is sent at once, without a question for the schema"""
    scene.qemu()
    scene.run("qmp", "./a.qmp", "query-status", "--record", "plain.jsonl")
    assert commands_in(scene.folder / "plain.jsonl") == ["qmp_capabilities", "query-status"]


def test_spoiled_cache(scene):
    """A cache file that is torn, junk, empty or another QEMU's is ignored and mended"""
    scene.qemu()
    limit(scene, 1)
    [path] = scene.cached_schemas()
    whole = path.read_bytes()
    foreign = json.loads(whole) | {"key": "another"}
    for number, spoiled in enumerate((
            whole[:len(whole) // 2], b"\xff\x00junk", b"", b"[]", b'{"key":1,"types":{}}',
            json.dumps(foreign).encode(), whole.replace(b'"types":[', b'"types":[{"name":7},', 1))):
        path.write_bytes(spoiled)
        assert "query-qmp-schema" in limit(scene, 100 + number), spoiled[:60]
        assert path.read_bytes() == whole, "not mended: " + repr(spoiled[:60])
    assert "query-qmp-schema" not in limit(scene, 2)


def test_cache_that_is_no_file(scene):
    """A folder in the place of the cache file, or a file in the place of its folder, is endured"""
    scene.qemu()
    limit(scene, 1)
    [path] = scene.cached_schemas()
    path.unlink()
    path.mkdir()
    assert "query-qmp-schema" in limit(scene, 2)
    path.rmdir()
    (scene.cache / "katamaran").rmdir()
    (scene.cache / "katamaran").write_text("in the way")
    assert "query-qmp-schema" in limit(scene, 3)


def test_no_cache_at_all(scene):
    """Where no cache can be written, or none is named, everything works without it"""
    scene.qemu()
    for env in ({"XDG_CACHE_HOME": "/proc/nothing"}, {"XDG_CACHE_HOME": "/dev/null/x"},
                {"XDG_CACHE_HOME": "relative", "HOME": ""}):
        ended = scene.run("qmp", "./a.qmp", "migrate-set-parameters", "downtime-limit=9", env=env)
        assert tuple(ended) == (0, "ok\n", ""), (env, ended)


def test_cache_that_lies(scene):
    """A cached schema that misses an argument or an event does not refuse it: QEMU is asked"""
    scene.qemu()
    limit(scene, 1)
    [path] = scene.cached_schemas()
    lie = path.read_text("utf-8").replace('"downtime-limit"', '"downtime-xxxxx"')
    path.write_text(lie.replace('"name":"STOP"', '"name":"STPP"'), "utf-8")
    assert "query-qmp-schema" in limit(scene, 2)
    assert "query-qmp-schema" not in limit(scene, 3), "the lie was not mended"
    path.write_text(lie.replace('"name":"STOP"', '"name":"STPP"'), "utf-8")
    ended = scene.run("qmp", "./a.qmp", "stop", "--wait", "STOP", "--timeout", "5s")
    assert ended.code == 0 and "STOP" in ended.out, ended


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
