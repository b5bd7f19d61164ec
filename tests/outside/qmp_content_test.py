# SPDX-License-Identifier: Apache-2.0
"""qmp_content_test.py: `katamaran qmp` and messages too long, too deep or full of malice."""
import json
import time

import stage
import tap
from false_qemu import (UNKNOWN_OUTCOME, against, answer_once, answering, assert_failed,
                        playing)
from stage import ESCAPE


def test_messages_of_no_kind(scene):
    """JSON that is no message of QMP ends the conversation with an excerpt of it"""
    for line in (b'{"return": {}, "error": {}, "id": ID}', b"{}", b'"text"', b"[1]",
                 b'{"event": 1}', b'{"error": {"desc": 1}, "id": ID}',
                 b'{"execute": "quit", "id": ID}'):
        ended = against(scene, answer_once(line + b"\r\n"))
        assert_failed(ended, '"kind":"protocol"', UNKNOWN_OUTCOME)


def test_duplicate_key(scene):
    """A message with the same key twice is refused: readers would disagree about it"""
    ended = against(scene, answer_once(b'{"return": {"running": true}, "id": 9, "id": ID}\r\n'))
    assert_failed(ended, "duplicate-key")


def test_invalid_utf8(scene):
    """Invalid UTF-8 ends the conversation, and what is shown of it is valid"""
    ended = against(scene, answer_once(b'{"return": "\xff\xfe\xc0\x80", "id": ID}\r\n'))
    assert_failed(ended, "invalid-utf8", "xff")


def test_endless_line(scene):
    """A line of more than 16 MiB: exit 1 and the limit, in bounded memory and time"""
    def script(talk):
        talk.greet()
        talk.hear()
        talk.send(b'{"return": "')
        for _ in range(64 * 16):
            talk.send(b"x" * 65536)
    began = time.monotonic()
    ended = against(scene, script)
    assert_failed(ended, "16777216", UNKNOWN_OUTCOME)
    assert ended.rss_mib < 100, f"{ended.rss_mib:.0f} MiB"
    assert time.monotonic() - began < 3, time.monotonic() - began


def test_endless_greeting(scene):
    """A greeting without end, sent faster than the deadline, ends at the limit for a line"""
    def script(talk):
        while True:
            talk.send(b" " * 65536)
    ended = against(scene, script)
    assert_failed(ended, "16777216")
    assert ended.rss_mib < 100, f"{ended.rss_mib:.0f} MiB"


def test_long_but_legal_line(scene):
    """An answer of 15 MiB is still printed whole"""
    def script(talk):
        talk.greet()
        talk.say({"return": "x" * (15 << 20), "id": talk.hear()["id"]})
        talk.hear_out()
    ended = against(scene, script, "any", "--json")
    assert ended.code == 0 and len(ended.out) == (15 << 20) + 3 and ended.err == "", ended.err


def test_deep_nesting(scene):
    """Lists within lists, 10,000 deep, closed or not, end the conversation and not katamaran"""
    for text in (b"[" * 10_000 + b"]" * 10_000, b"[" * 10_000, b'{"a":' * 10_000):
        ended = against(scene, answer_once(b'{"id": ID, "return": ' + text + b"}\r\n"))
        assert_failed(ended, '"kind":"protocol"', UNKNOWN_OUTCOME)


def test_big_numbers(scene):
    """Numbers beyond 64 bits, and fractions, are printed with all their digits"""
    numbers = ["123456789012345678901234567890", "18446744073709551616", "-9223372036854775809",
               "18446744073709551615", "-9223372036854775808", "0.1"]
    text = "[" + ",".join(numbers) + "]"
    reply = b'{"return": ' + text.encode() + b', "id": ID}\r\n'
    code, out, err = against(scene, answer_once(reply))
    assert (code, out, err) == (0, text + "\n", ""), out
    code, out, err = against(scene, answer_once(reply), "any")
    assert code == 0 and all(number in out for number in numbers), out


def type_of(name, **members):
    """An object type of a schema."""
    return {"name": name, "meta-type": "object",
            "members": [{"name": key, "type": type_name} for key, type_name in members.items()]}


def test_nonsense_schemas(scene):
    """A schema that makes no sense is an error about the schema, and is not kept"""
    command = {"name": "c", "meta-type": "command", "arg-type": "1", "ret-type": "1"}
    for schema in ({}, [], [1], [{}], [{"name": 7}], [command], [command, {"name": "1"}],
                   [command, {"name": "1", "meta-type": "object"}],
                   [command, {"name": "1", "meta-type": "enum", "values": 7}],
                   [command, {"name": "1", "meta-type": "alternate"}],
                   [command, {"name": "1", "meta-type": "array"}], [command, type_of("1", a="9")],
                   [command, type_of("1", a="1") | {"tag": "a"}], "x", None):
        script = answering({"query-qmp-schema": {"return": schema}})
        ended = against(scene, script, "c", "a=1")
        assert_failed(ended, "could not read QEMU's schema")
        assert not scene.cached_schemas(), schema


def test_circular_schema(scene):
    """Types that contain themselves end at a depth, not in a crash"""
    schema = [{"name": "c", "meta-type": "command", "arg-type": "1", "ret-type": "1"},
              type_of("1", a="1")]
    script = answering({"query-qmp-schema": {"return": schema}})
    nested = json.loads('{"a":' * 50 + "{}" + "}" * 50)
    for word in (".".join("a" * 500) + "=1", json.dumps(nested)):
        ended = against(scene, script, "c", word)
        assert ended.code == 2 and "too deep" in ended.err, ended


def test_schema_refused(scene):
    """A QEMU that refuses its schema: exit 1 with its words, when the schema was needed"""
    error = {"error": {"class": "GenericError", "desc": "no schema for you"}}
    script = answering({"query-qmp-schema": error})
    assert_failed(against(scene, script, "c", "a=1"), "no schema for you", "query-qmp-schema")
    assert against(scene, script, "c").code == 0


def hostile(talk):
    """Events and an error whose every text tries to command the terminal."""
    talk.greet()
    evil = f"A{ESCAPE}]0;gone\x07{ESCAPE}[2J\r\b\x9b31m\u202e"
    talk.event(evil, {evil: evil, "list": [evil]})
    talk.event("B", evil)


def assert_tame(text):
    """No character in the text that a terminal obeys, but newlines."""
    bad = [c for c in text if (c < " " and c != "\n") or "\x7f" <= c < "\xa0" or c == "\u202e"]
    assert not bad, (bad, text)


def test_escape_sequences_in_events(scene):
    """Escape sequences in the names and data of events reach the terminal as visible text only"""
    for words in ((), ("--json",)):
        with playing(scene, hostile):
            ended = scene.run("qmp", "./f.qmp", *words)
        assert ended.code == 1 and ended.out.count("\n") == 2, ended
        assert_tame(ended.out if not words else ended.out.replace("\u202e", ""))


def test_escape_sequences_in_answers(scene):
    """Escape sequences in answers, refusals, warnings and unreadable lines are made visible"""
    evil = r"\u001b[2J\u009b\u0007\u202e".encode()
    for reply in (b'{"return": {"a": "EVIL", "EVIL": 1}, "id": ID}\r\n',
                  b'{"error": {"class": "EVIL", "desc": "EVIL"}, "id": ID}\r\n',
                  b'{"return": {}, "id": "EVIL"}\r\n{"EVIL": 1}\r\n', b'\x1b[2J"EVIL"\x9b\r\n'):
        ended = against(scene, answer_once(reply.replace(b"EVIL", evil)), "any")
        assert ended.out + ended.err, ended
        assert_tame(ended.out)
        assert_tame(ended.err)


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
