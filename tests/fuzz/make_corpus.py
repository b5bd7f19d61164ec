#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_corpus.py: writes the seeds of the fuzz targets from tests/data. Run it after a new trace
was added there or a target changed its input format, and commit what it wrote.

The seeds are small on purpose: they show the fuzzer every kind of message once, and it makes the
large and the broken ones itself. Needs the program zstd for two compressed seeds.
"""
import json
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / "data"
CORPUS = HERE / "corpus"
SESSION_BYTES_MAX = 2500

# The control bytes of session_fuzz.cc.
CUT, SEND, SEND_WITHIN, TICK, LONG_TICK, HANG_UP, FINISH, FAIL = (chr(i) for i in range(1, 9))


def write(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def as_qemu_writes(message):
    return json.dumps(message, separators=(", ", ": "), ensure_ascii=False) + "\r\n"


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def session_seed(conversation):
    """What QEMU said, with an act of ours where the recorded client sent a command."""
    seed = ""
    for record in conversation:
        if record["dir"] == "out" and record["msg"]["execute"] != "qmp_capabilities":
            seed += SEND
        elif record["dir"] == "in":
            seed += as_qemu_writes(record["msg"])
        elif record["dir"] == "eof":
            seed += HANG_UP
        if len(seed) > SESSION_BYTES_MAX:
            break
    return seed


def session_seeds():
    for path in sorted((DATA / "traces").glob("*.jsonl")):
        if not path.name.startswith(("ancestor", "multifd", "fail-mirror", "fail-tls")):
            write("session_fuzz", path.stem, session_seed(records(path)))
    hello = as_qemu_writes({"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 8},
                                                "package": ""}, "capabilities": ["oob"]}})
    ready = hello + as_qemu_writes({"return": {}, "id": 1})
    stop = as_qemu_writes({"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"})
    refused = {"error": {"class": "GenericError", "desc": "no such device"}}
    first = as_qemu_writes({"return": {}, "id": 2})
    for name, seed in {
        "sent-before-greeting": SEND + SEND_WITHIN + ready + first + TICK + TICK,
        "late-reply": ready + SEND_WITHIN + LONG_TICK + first + stop,
        "second-reply": ready + SEND + first + first,
        "out-of-order": ready + SEND + SEND + as_qemu_writes({"return": [], "id": 3}) + first,
        "no-greeting": LONG_TICK + hello,
        "no-negotiation": hello + LONG_TICK,
        "negotiation-refused": hello + as_qemu_writes({**refused, "id": 1}),
        "second-greeting": ready + SEND + hello,
        "command-refused": ready + SEND + as_qemu_writes({**refused, "id": 2}),
        "error-without-id": ready + SEND + as_qemu_writes(refused),
        "reply-without-id": ready + SEND + as_qemu_writes({"return": 1}),
        "foreign-ids": ready + '{"return":1,"id":"x"}\n{"return":1,"id":-1}\n',
        "both-return-and-error": ready + '{"return":1,"error":{},"id":1}\n',
        "event-before-greeting": stop + first + ready,
        "torn": ready + SEND + first[:9] + HANG_UP,
        "finished": ready + SEND + CUT + FINISH + first,
        "failed": ready + SEND + FAIL + first,
        "no-qmp": "HTTP/1.1 400 Bad Request\r\n\r\n",
        "too-many-commands": SEND * 10 + ready,
        "long-line": ready + '{"event": "' + "x" * 1100 + '"}\n',
        "cuts": CUT.join(ready + stop),
    }.items():
        write("session_fuzz", name, seed)


def own_form(conversation):
    """The plain records in the form that katamaran itself writes."""
    yield json.dumps({"magic": "katamaran-trace", "version": 1, "tool": "0.1.0",
                      "started": "2026-11-21T10:15:30.123456Z"}, separators=(",", ":"))
    for record in conversation:
        line = {"t": int(record["t"] * 1e9), "port": "qmp", "dir": record["dir"]}
        if "msg" in record:
            line["msg"] = record["msg"]
        else:
            line["text"] = "end of stream"
        yield json.dumps(line, separators=(",", ":"))


def trace_seeds():
    target = "trace_reader_fuzz"
    for stem in ("divert-before-stop-dest", "fail-source-killed-precopy-source",
                 "fail-dest-killed-precopy-dest", "shared-storage-success-dest"):
        path = DATA / "traces" / f"{stem}.jsonl"
        own = "\n".join(own_form(records(path))) + "\n"
        write(target, f"plain-{stem}", path.read_text())
        write(target, f"own-{stem}", own)
        # The damage: piece size, place (high, low), bits to turn over; 0 cuts the file off there.
        for name, damage in (("flip", b"\x20\x01\x10\x41"), ("cut", b"\x08\x00\xc0\x00"),
                             ("small-pieces", b"\x00\xff\xff\x01")):
            write(target, f"{name}-{stem}", b"\x01" + damage + own.encode())
    for stem in ("divert-before-stop-dest", "fail-source-killed-precopy-source"):
        text = "\n".join(own_form(records(DATA / "traces" / f"{stem}.jsonl"))) + "\n"
        packed = subprocess.run(["zstd", "-q", "-c", "--check"], input=text.encode(),
                                capture_output=True, check=True).stdout
        write(target, f"packed-{stem}", packed)
        write(target, f"two-frames-{stem}", packed + packed[:60])
    for name, text in {
        "empty": "",
        "note": '{"t": 1, "dir": "note", "text": "warned"}\r\n{"t":2,"dir":"eof"}',
        "newer": '{"magic":"katamaran-trace","version":2}\n',
        "bad-time": '{"t": -1, "dir": "in", "msg": 1}\n',
        "far-time": '{"t": 8999999999.999999, "dir": "open"}\n{"t":1e300,"dir":"eof"}',
        "no-port": '{"magic":"katamaran-trace","version":1}\n{"t":1,"dir":"in","msg":1}\n',
    }.items():
        write(target, name, text)


def json_seeds():
    messages = {}
    for path in sorted((DATA / "traces").glob("*.jsonl")):
        for record in records(path):
            message = record.get("msg", {})
            shape = str(sorted(message)) + str(message.get("event", ""))
            if record["dir"] == "in" and len(json.dumps(message)) < 900:
                messages.setdefault(shape, message)
    for number, message in enumerate(messages.values()):
        write("json_fuzz", f"message-{number:02}", as_qemu_writes(message))
    for number, text in enumerate((
            '[0,-0,-0.0,1e5,1E-7,123456789012345678901234567890,1e400,-1e400,0.1e+1]',
            '[9223372036854775807,9223372036854775808,18446744073709551615,18446744073709551616]',
            '-9223372036854775809', '1e999 ', ' 18446744073709551616 x', '[1e999 ,2]',
            r'"\ud83d\ude00 \u0000\u001f\/\b\f\n\r\t\\\""', r'{"a":1,"\u0061":2}', '{"":1,"":2}',
            '[' * 64 + ']' * 64, '[' * 65 + ']' * 65, '{"a":' * 64 + '1' + '}' * 64,
            '{' + ",".join(f'"k{i}":{i}' for i in range(70)) + '}',
            '{' + ",".join(f'"k{i % 66}":{i}' for i in range(70)) + '}',
            '[true,false,null]', '[truex]', 'nul', '[1,]', '{"a":1,}', '[1 2]', '01', '1.', '.5',
            '+1', '-', '1e', '"\x7f\u00e9\u20ac"', '[]]', '{}{}', '', ' ', '"\t"', '"\\x"',
            'nullx', 'null ', 'falsex', '[1234567890123456789.5,0.045123456789012345678]',
            '[NaN]', '{"a"}', '{a:1}', "['a']", '/**/1', '\ufeff1', '"\\ud800"', '"\\udc00"')):
        write("json_fuzz", f"form-{number:02}", text)
    write("json_fuzz", "bad-utf8", b'["\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"]')


def word_seeds():
    for target, words in {
        "address_fuzz": (
            "192.0.2.1", "2001:db8::1", "::", "::1", "::ffff:192.0.2.1", "fe80::1", "0.0.0.0",
            "192.0.2.77/24", "2001:db8:1:2:3:4:5:6/61", "10.0.0.0/0", "10.0.0.1/32",
            "tcp:192.0.2.1:4444", "tcp:[2001:db8::1]:4444", "unix:/run/vm.qmp", "unix:vm.qmp",
            "unix:tcp:a", "./vm.qmp", "/run/vm.qmp", "tcp:[::]:65535", "010.0.0.1",
            "2001:0db8:0000:0000:0000:0000:255.255.255.255"),
        "units_fuzz": (
            "25ms", "1.5s", "0.000000001s", "2min", "1h", "106751d", "106752d", "1.999999999d",
            "9223372036854775807ns", "16MiB", "10GB", "4096B", "8388607.999999999TiB", "0.5B",
            "999.5kB", "5 ms", "1.0000000000s", ".5s", "1s ", "-1s"),
        "text_fuzz": (
            "plain", "caf\u00e9 \u20ac \U0001f600", "a\x1b[2Jb\x07\x7f", "\u202eabc\u2066",
                      "\u0080\u009f", '"\\\n\r\t\b', "\u2028\u2029\ufffd"),
    }.items():
        for number, word in enumerate(words):
            write(target, f"word-{number:02}", word)
    write("text_fuzz", "bad-utf8", b"\xc3\xe2\x82\xed\xa0\x80\xf4\x90\x80\x80\xc0\x80\xff")


def pattern_seeds():
    """Where to begin, the pattern, a zero byte, the subject."""
    for number, (init, pattern, subject) in enumerate((
            (0, "l+", "hello"), (2, "(%w+)=(%w+)", "a=1, bc=22"), (0, "^%s*(.-)%s*$", "  trim me "),
            (0, "()ll()", "hello"), (0, "%b()", "f(a(b)c)d"), (0, "%f[%w]%w+", "THE (quick) fox"),
            (0, "(a)(b)%2%1", "abba abab"), (0, "[]%-a-f^]+", "x]-^c"), (0, "[^%d.]", "1.2e3"),
            (0, "x*", "axxb"), (0, "a-b", "aaab"), (0, "a?b?c?", "abcac"), (0, "^a", "aaa"),
            (3, "%a-$", "one two"), (0, "(()(.))", "xyz"), (0, "%z%Z", "a\0b"), (0, "", "ab"),
            (0, "[a-]]", "a]-]"), (0, "[a-%%]", "%]"), (0, "%g%c%p%x%u%l", "a\t!fAb"),
            (0, ".-.-.-.-.-x", "a" * 8), (0, "%1", "a"), (0, "(a", "a"), (0, "a)", "a"),
            (0, "[a", "a"), (0, "a%", "a"), (0, "%bx", "a"), (0, "%fa", "a"), (0, "(()%1)", "aa"),
            (0, "a$b$", "a$b"), (0, "**", "**"), (0, "\xe9+", "caf\xe9\xe9"))):
        write("pattern_fuzz", f"pattern-{number:02}",
              bytes([init]) + pattern.encode("latin-1") + b"\0" + subject.encode("latin-1"))


def main():
    shutil.rmtree(CORPUS, ignore_errors=True)
    session_seeds()
    trace_seeds()
    json_seeds()
    word_seeds()
    pattern_seeds()
    seeds = [path for path in CORPUS.rglob("*") if path.is_file()]
    print(f"{len(seeds)} seeds, {sum(path.stat().st_size for path in seeds)} bytes")


if __name__ == "__main__":
    main()
