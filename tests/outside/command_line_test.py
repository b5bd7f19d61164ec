# SPDX-License-Identifier: Apache-2.0
"""command_line_test.py: the words of the command line, help, colours and standard streams."""
import itertools
import json
import os
import re

import stage
import tap
from false_qemu import answer_once, pause, playing
from stage import DATA, ESCAPE, commands_in, plain_word

TRACE = str(DATA / "traces" / "fail-cancel-pre-switchover-source.jsonl")
ANSWER = b'{"return": {"running": true}, "id": ID}\r\n'


def refused(scene, *words):
    """Exit 2, nothing on stdout, and one line on stderr; returns that line."""
    ended = scene.run(*words)
    assert ended.code == 2 and ended.out == "" and ended.err.count("\n") == 1, (words, ended)
    assert ended.err.startswith("katamaran: "), (words, ended)
    return ended.err


def test_help(scene):
    """--help of the program and of every command goes to stdout and contains examples"""
    for words in ((), ("qmp",), ("trace", "show")):
        code, out, err = scene.run(*words, "--help")
        assert (code, err) == (0, ""), (words, err)
        name = " ".join(("katamaran", *words))
        examples = out.split("Examples:\n")[1]
        assert re.search(rf"(?m)^  {name}", examples) or not words, (words, out)
        assert "  katamaran " in examples and max(map(len, out.splitlines())) <= 100, (words, out)


def test_help_of_trace(scene):
    """--help of trace names its commands"""
    code, out, _ = scene.run("trace", "--help")
    assert code == 0 and re.search(r"(?m)^  show ", out), out


def test_help_names_every_option(scene):
    """qmp --help names every option with its argument, and trace show --help too"""
    out = scene.run("qmp", "--help").out
    for option in ("--wait EVENT", "--timeout DURATION", "--record FILE", "--json"):
        assert option in plain_word(out), out
    out = scene.run("trace", "show", "--help").out
    for option in ("--port NAME", "--grep PATTERN", "--json"):
        assert option in plain_word(out), out


def test_version(scene):
    """--version prints the name and the version"""
    code, out, err = scene.run("--version")
    assert (code, err) == (0, "") and re.fullmatch(r"katamaran \d+\.\d+\.\d+\n", out), out


def test_nothing_to_do(scene):
    """No command, or trace alone, is refused with a hint at the help that lists them"""
    assert "'katamaran --help'" in refused(scene)
    assert "'katamaran trace --help'" in refused(scene, "trace")


def test_misspelt_commands(scene):
    """A misspelt command is refused with the nearest one"""
    assert "'qmp'" in refused(scene, "qpm", "./vm.qmp")
    assert "'trace'" in refused(scene, "trcae")
    assert "'show'" in refused(scene, "trace", "shwo", "x.jsonl")


def test_misspelt_options(scene):
    """A misspelt or unknown option is refused, named, before QEMU hears anything"""
    with playing(scene, answer_once(ANSWER)) as server:
        assert "--wiat" in refused(scene, "qmp", "./f.qmp", "stop", "--wiat", "STOP")
        assert "--timeuot" in refused(scene, "qmp", "./f.qmp", "stop", "--timeuot=5s")
        assert "--jsn" in refused(scene, "qmp", "./f.qmp", "query-status", "--jsn")
        assert "-x" in refused(scene, "qmp", "./f.qmp", "-x")
        assert server.clients == 0
    assert "--prot" in refused(scene, "trace", "show", TRACE, "--prot", "qmp")
    assert "more.jsonl" in refused(scene, "trace", "show", TRACE, "more.jsonl")
    assert "--verison" in refused(scene, "--verison")


def test_missing_words(scene):
    """A missing socket or file is refused with a hint at the help of that very command"""
    said = refused(scene, "qmp")
    assert "socket is required" in said and "'katamaran qmp --help'" in said, said
    said = refused(scene, "trace", "show")
    assert "file is required" in said and "'katamaran trace show --help'" in said, said


def test_option_without_its_value(scene):
    """An option that misses its value is refused by its name"""
    for option in ("--wait", "--timeout", "--record"):
        assert option in refused(scene, "qmp", "./vm.qmp", option)


def test_socket_that_is_none(scene):
    """What cannot be a monitor's address is refused with the forms that can"""
    for word in ("vm", "query-status", "tcp:localhost:4444", "tcp:127.0.0.1", "tcp:127.0.0.1:0",
                 "tcp:127.0.0.1:65536", "tcp:::1:4444", "unix:", ""):
        said = refused(scene, "qmp", word, "query-status")
        assert "expected" in said and repr(word) in said, said


def test_bad_durations(scene):
    """A bad --timeout is refused with the value and the expected form"""
    for word in ("5", "five", "5 s", "-5s", "s", "1e3s", "5sec", "5.s", "∞"):
        said = refused(scene, "qmp", "./vm.qmp", "stop", f"--timeout={word}")
        assert f"'{word}'" in said and "expected" in said and "ms" in said, said
    said = refused(scene, "qmp", "./vm.qmp", "stop", "--timeout", "99999999999999999h")
    assert "too large" in said, said


def test_bad_awaited_events(scene):
    """A bad --wait is refused with the expected form"""
    for word in ("STOP,", "STOP,reason", ",a=b", "a=b", "=", "STOP,=x"):
        said = refused(scene, "qmp", "./vm.qmp", f"--wait={word}")
        assert "EVENT,FIELD=VALUE" in said, said


def test_bad_arguments(scene):
    """Words behind the command that are no KEY=VALUE are refused before a connection is made"""
    for words in (("fast",), ("=1",), ("{}", "a=1"), ("a=1", "{}"), ("[1]",), ("",), ("{",),
                  ("{'a':1}",), ("{}{}",), ("a=1", "fast")):
        said = refused(scene, "qmp", "./none.qmp", "stop", *words)
        assert "ENOENT" not in said, said


def test_empty_words(scene):
    """An empty option value, as of a shell variable that is not set, is refused and not ignored"""
    for option in ("--timeout", "--wait", "--record"):
        said = refused(scene, "qmp", "./none.qmp", "stop", option, "")
        assert "expected" in said or option in said, said
    assert "PATTERN" in refused(scene, "trace", "show", TRACE, "--grep=")
    ended = scene.run("qmp", "./none.qmp", "")
    assert ended.code == 2, "an empty command is no wish to watch: " + repr(ended)


def test_hostile_words(scene):
    """Escape sequences in words that are repeated in an error are made visible"""
    evil = f"a{ESCAPE}[2J\x9b1m\r"
    wild = []
    for words in ((evil,), ("trace", evil), ("qmp", evil), ("qmp", "./x", f"--{evil}"),
                  ("qmp", "./x", "stop", evil), ("qmp", "./x", f"--timeout={evil}"),
                  ("qmp", "./x", f"--wait={evil},"), ("trace", "show", evil)):
        ended = scene.run(*words)
        if ended.code == 0 or re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", ended.out + ended.err):
            wild.append((words, ended.err))
    assert not wild, wild


def test_invalid_utf8_words(scene):
    """Words that are not UTF-8 are repeated as valid UTF-8"""
    for words in (b"\xff\xfe", b"trace show \xff", b"qmp \xff/x", b"qmp ./x stop a=\xff"):
        ended = scene.run(*(os.fsdecode(word) for word in words.split(b" ")))
        assert ended.code in (1, 2) and ended.err, ended


def shown_in_colour(scene, **how):
    """Whether `trace show` uses escape codes in a terminal."""
    ended = scene.run_in_terminal("trace", "show", TRACE, **how)
    assert ended.code == 0 and "RESUME" in ended.out, ended
    return ESCAPE in ended.out


def test_colours(scene):
    """Colours appear in a terminal, unless NO_COLOR is set to something; never in a pipe"""
    assert shown_in_colour(scene)
    assert shown_in_colour(scene, env={"NO_COLOR": ""})
    assert not shown_in_colour(scene, env={"NO_COLOR": "1"})
    assert ESCAPE not in scene.run("trace", "show", TRACE).out
    assert ESCAPE not in scene.run_in_terminal("trace", "show", TRACE, "--json").out
    assert ESCAPE not in scene.run_in_terminal("qmp", "--help").out


def test_dumb_terminal(scene):
    """A terminal that knows no colours gets none"""
    assert not shown_in_colour(scene, env={"TERM": "dumb"})


def test_colours_are_ended(scene):
    """Every line ends in the terminal's own colour"""
    out = scene.run_in_terminal("trace", "show", TRACE).out
    for line in out.splitlines():
        codes = re.findall(r"\x1b\[(\d+)m", line)
        assert codes and codes[-1] == "0", repr(line)


def test_full_stdout(scene):
    """A full disk behind stdout is an error with exit 1, whatever was to be printed"""
    with playing(scene, answer_once(ANSWER)):
        for words in (("qmp", "./f.qmp", "query-status"), ("trace", "show", TRACE),
                      ("trace", "show", TRACE, "--json"), ("--version",), ("qmp", "--help")):
            with open("/dev/full", "wb") as full:
                ended = scene.run(*words, stdout=full)
            assert ended.code == 1 and "no space left on device" in ended.err, (words, ended)
            assert ended.err.count("\n") == 1, (words, ended)


def test_full_stdout_while_recording(scene):
    """A full disk behind stdout does not spoil the recording"""
    with playing(scene, answer_once(ANSWER)), open("/dev/full", "wb") as full:
        ended = scene.run("qmp", "./f.qmp", "query-status", "--record", "r.jsonl", stdout=full)
    assert ended.code == 1, ended
    assert commands_in(scene.folder / "r.jsonl") == ["qmp_capabilities", "query-status"]


def test_reader_of_events_goes_away(scene):
    """A watch whose reader has gone ends at the next event, without a signal or a message"""
    def script(talk):
        talk.greet()
        while True:
            talk.event("TICK")
            pause(0.002)
    with playing(scene, script):
        ended = scene.shell('"$0" qmp ./f.qmp | head -1; echo "${PIPESTATUS[0]}"', within=5)
    first, code = ended.out.splitlines()
    assert "TICK" in first and code in ("0", "1", "141") and ended.err == "", ended


def closed_streams():
    """Every combination of closed standard streams, in the words of a shell."""
    for count in range(1, 4):
        for some in itertools.combinations(("<&-", ">&-", "2>&-"), count):
            yield " ".join(some)


def test_closed_streams(scene):
    """With any of stdin, stdout and stderr closed it works, and a recording stays clean"""
    def script(talk):
        talk.send(b'{"return": {}, "id": 99}\r\n')  # makes a warning for stderr
        answer_once(ANSWER)(talk)
    with playing(scene, script):
        for number, closed in enumerate(closed_streams()):
            name = f"{number}.jsonl"
            ended = scene.shell(f'"$0" "$@" {closed}', "qmp", "./f.qmp", "query-status", "--json",
                                "--record", name)
            assert ended.code == 0, (closed, ended)
            lines = [json.loads(line) for line in scene.text_of(name).splitlines()]
            assert lines[0]["magic"] and lines[-1]["dir"] == "eof", (closed, lines)
            assert ("running" in ended.out) == (">&-" not in closed.split()), (closed, ended)
            assert ("warning" in ended.err) == ("2>&-" not in closed), (closed, ended)


def test_closed_streams_and_errors(scene):
    """With closed streams errors still have their exit codes"""
    for closed in closed_streams():
        for words, code in ((("qmp", "./none.qmp", "stop"), 1), (("qmp",), 2), (("--help",), 0),
                            (("trace", "show", TRACE), 0), (("trace", "show", "none"), 1)):
            ended = scene.shell(f'"$0" "$@" {closed}', *words)
            assert ended.code == code, (closed, words, ended)


def test_own_stdout_as_recording(scene):
    """--record /dev/stdout mixes nothing into a line: every line is JSON"""
    with playing(scene, answer_once(ANSWER)):
        ended = scene.run("qmp", "./f.qmp", "query-status", "--json", "--record", "/dev/stdout")
    assert ended.code == 0, ended
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert {"running": True} in lines and any("magic" in line for line in lines), ended


if __name__ == "__main__":
    tap.run(globals(), scene=stage.stage)
