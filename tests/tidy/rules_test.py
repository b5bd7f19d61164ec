#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rules_test.py: each house rule finds a bad example, says what to do, and leaves a good one alone.

The examples are whole little trees, path to content. Words that no file may hold are put together
from pieces here, so that the rules find them in the examples and not in this file.
"""
import pathlib
import re
import sys
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

import cxx  # noqa: E402
import rules  # noqa: E402
import tap  # noqa: E402
import tree  # noqa: E402


class Example(NamedTuple):
    """A tree that breaks a rule once, what the message must say, and a tree that keeps the rule."""

    bad: dict
    says: str
    good: dict


def _cc(code):
    return {"src/qmp/x.cc": code}


def _body(lines):
    return "int f(int x) const {\n" + "    x += 1;\n" * lines + "}\n"


def _head(own_path, guard=""):
    return f"// {rules.LICENSE}\n// {own_path}: an example.\n{guard}"


BUILD = "x_lib = static_library('x', 'x.cc', dependencies: [{}])\n"
ALL_MACROS = "".join(f"#define KTM_{name} 1\n" for name in "ABCD")

EXAMPLES = {
    "arrows": [
        Example(_cc('#include "os/loop.hh"\n'), "behind a port", _cc('#include "json/x.hh"\n')),
        Example({"src/main.cc": '#include "qmp/x.hh"\n'}, "cli, disk, os",
                {"src/main.cc": '#include "cli/x.hh"\n'}),
        Example(_cc('#include "x.hh"\n'), "from src/ on", _cc('#include "qmp/x.hh"\n')),
        Example(_cc("#include <base/x.hh>\n"), "in quotes", _cc("#include <base64.h>\n")),
        Example(_cc('#include "version.hh"\n'), "for cli alone",
                {"src/cli/x.cc": '#include "version.hh"\n'}),
        Example({"src/brandnew/x.cc": "\n"}, "add it to ARROWS", {"src/qmp/x.cc": "\n"}),
        Example(_cc('#  include "os/loop.hh"\n'), "behind a port",
                _cc('// #include "os/loop.hh"\n')),
    ],
    "build-arrows": [
        Example({"src/qmp/meson.build": BUILD.format("base_dep, os_dep")}, "take it out",
                {"src/qmp/meson.build": BUILD.format("base_dep, json_dep")}),
        Example({"src/qmp/meson.build": BUILD.format("\n    base_dep,\n    libuv,\n")}, "libuv",
                {"src/os/meson.build": BUILD.format("ports_dep, libuv")}),
    ],
    "built-sources": [
        Example({"src/qmp/y.cc": "", "src/qmp/meson.build": BUILD}, "list 'y.cc'",
                {"src/qmp/x.cc": "", "src/qmp/meson.build": BUILD}),
        Example({"src/qmp/y.cc": ""}, "list 'y.cc'", {"src/main.cc": ""}),
    ],
    "foreign-headers": [
        Example(_cc("#include <uv.h>\n"), "src/os/*", {"src/os/x.hh": "#include <uv.h>\n"}),
        Example({"src/json/x.hh": "#include <simdjson.h>\n"}, "src/json/*.cc",
                {"src/json/x.cc": "#include <simdjson.h>\n"}),
        Example({"src/trace/x.hh": "#include <zstd.h>\n"}, "src/trace/*.cc",
                {"src/trace/x.cc": "#include <zstd.h>\n"}),
        Example(_cc("#include <spdlog/spdlog.h>\n"), "src/cli/*.cc",
                {"src/cli/x.cc": "#include <spdlog/spdlog.h>\n"}),
        Example({"src/cli/x.cc": "#include <CLI/CLI.hpp>\n"}, "src/cli/command_line.hh",
                {"src/cli/command_line.hh": "#include <CLI/CLI.hpp>\n"}),
        Example(_cc("#include <netlink/route/link.h>\n"), "src/os/*",
                {"src/os/x.cc": "#include <netlink/route/link.h>\n"}),
        Example({"tests/unit/x.cc": "#include <lua.hpp>\n"}, "src/script/*",
                {"src/script/x.cc": "#include <luajit-2.1/lua.h>\n"}),
        Example(_cc("#include <catch2/catch.hpp>\n"), "tests/*",
                {"tests/unit/x.cc": "#include <catch2/catch.hpp>\n"}),
    ],
    "dead-headers": [
        Example({"src/qmp/x.hh": "", "src/qmp/x.cc": '#include "qmp/x.hh"\n'}, "remove it",
                {"src/qmp/x.hh": "", "src/qmp/y.cc": '#include "qmp/x.hh"\n'}),
        Example({"src/qmp/x.hh": ""}, "remove it",
                {"src/qmp/x.hh": "", "tests/unit/x.cc": '#include "qmp/x.hh"\n'}),
    ],
    "line-length": [
        Example(_cc("x" * 101 + "\n"), "break the line", _cc("x" * 100 + "\n")),
        Example({"tools/x": "x" * 101}, "break the line", {"docs/X.md": "x" * 101}),
        Example({"meson.build": "é" * 101}, "break the line", {"meson.build": "é" * 100}),
    ],
    "file-length": [
        Example(_cc("\n" * 601), "split the file", _cc("\n" * 600)),
    ],
    "function-length": [
        Example(_cc(_body(71)), "make them functions", _cc(_body(70))),
        Example(_cc("int f() {\n"), "balanced", _cc("int f();\n")),
        Example(_cc("int f() {\n    auto g = [] {\n" + "    h();\n" * 70 + "    };\n}\n"),
                "a body of 72 lines",
                _cc("class X {\n" + "    int f();\n" * 80 + "};\n")),
    ],
    "blobs": [
        Example({"tests/data/x": "x" * (512 * 1024 + 1)}, "shorten it",
                {"tests/data/x": "x" * (512 * 1024)}),
        Example({"docs/x.png": b"\0"}, "build it from text", {"tests/fuzz/corpus/x": b"\0"}),
        Example({"docs/x.md": b"\xff"}, "build it from text", {"docs/x.md": "ÿ"}),
    ],
    "banned-calls": [],  # BANNED below has one for each row of the table.
    "reminders": [
        Example(_cc("// X" "XX: later\n"), "open an issue", _cc('"/tmp/name.XXXXXX"\n')),
        Example({"tools/x": "# TO" "DO\n"}, "open an issue", {"docs/X.md": "No `TO" "DO` here.\n"}),
        Example({"docs/X.md": "FIX" "ME: write\n"}, "open an issue", {"docs/X.md": "HACKING\n"}),
    ],
    "machine-words": [
        Example({"docs/X.md": "see /" "work/main\n"}, "from the root",
                {"docs/X.md": "build-x/work/y\n"}),
        Example({"tools/x": "HOME=/" "root/x\n"}, "from the root", {"tools/x": "/roots/x\n"}),
        Example({"tools/x": "cd ../" "shared\n"}, "from the root",
                {"tools/x": "cd ../" "shared-storage\n"}),
        Example({"tools/x": "http://deb." "debian.org"}, "an option", {"tools/x": "debian.org"}),
    ],
    "heads": [
        Example(_cc(_head("qmp/x.cc").replace("// SPDX", "// spdx")), "begin with '// SPDX",
                _cc(_head("qmp/x.cc"))),
        Example(_cc(_head("qmp/y.cc")), "write '// qmp/x.cc: …'", _cc(_head("qmp/x.cc"))),
        Example(_cc(_head("qmp/x.cc").replace("an example.", "")), "nothing says what this is",
                {"tests/unit/x.cc": _head("tests/unit/x.cc")}),
        Example({"src/qmp/x.hh": _head("qmp/x.hh")}, "#pragma once",
                {"src/x.hh.in": _head("x.hh", "#pragma once\n")}),
    ],
    "script-heads": [
        Example({"tools/x": "#!/bin/sh\n\n\n# " + rules.LICENSE}, "write '# SPDX",
                {"tools/x": "#!/bin/sh\n# " + rules.LICENSE}),
        Example({"tests/x.py": "import os\n"}, "write '# SPDX",
                {"tests/x.py": f"# {rules.LICENSE}\n"}),
    ],
    "vague-names": [
        Example({"src/qmp/string_utils.cc": ""}, "main type", {"src/qmp/utilisation.cc": ""}),
        Example({"tools/common/x": ""}, "main type", {"tests/data/common.json": ""}),
        Example(_cc("class SessionManager;\n"), "what it does",
                _cc("class Session;  // manager\n")),
    ],
    "file-names": [
        Example({"src/qmp/BigThing.cc": ""}, "small letters", {"src/qmp/big_thing.cc": ""}),
        Example({"tests/out-side/x.py": ""}, "small letters", {"lua/plans/shared-x.lua": ""}),
        Example({"tools/run-all": ""}, "small letters", {".ci/run": "", "docs/TRACE.md": ""}),
    ],
    "macros": [
        Example(_cc("#define ASSERT(x) x\n"), "begin with KTM_", _cc("#define KTM_ASSERT(x) x\n")),
        Example(_cc(ALL_MACROS + "#define KTM_E 1\n"), "4 macros are the most", _cc(ALL_MACROS)),
    ],
    "links": [
        Example({"docs/X.md": "[y](Y.md)\n"}, "leads nowhere",
                {"docs/X.md": "[y](Y.md#top) [z](https://z.example/) [x](#x)\n", "docs/Y.md": ""}),
        Example({"docs/X.md": "[y]: Y.md\n"}, "leads nowhere", {"docs/X.md": "`[y](Y.md)`\n"}),
        Example({"README.md": "![y](docs/y.svg)\n"}, "leads nowhere",
                {"README.md": "[the documents](docs)\n", "docs/X.md": ""}),
    ],
    "mentioned-paths": [
        Example({"README.md": "Run `tools/gone --fast`.\n"}, "'tools/gone' does not exist",
                {"README.md": "Run `tools/here --fast`, see tools/gone.\n", "tools/here": ""}),
        Example({"README.md": "```sh\n$ tools/gone\n```\n"}, "'tools/gone' does not exist",
                {"README.md": "```sh\n$ tools/here\n```\n", "tools/here": ""}),
        Example({"README.md": "`src/<room>/x` `tests/old/`\n", "src/qmp/x": ""}, "'tests/old'",
                {"README.md": "`src/<room>/x` `src/*/x` `src/qmp/x:7`\n", "src/qmp/x": ""}),
    ],
}

# For each ban: code that breaks it, and code that looks like it.
BANNED = {
    "sleep": ("std::this_thread::sleep_for(1s);", "asleep(); // usleep(1)"),
    "shell": ("int x = ::system (line);", "std::system_category(); filesystem();"),
    "random": ("auto x = rand() % 6;", "operand(); random_access(x); brand();"),
    "time": ("auto x = std::chrono::steady_clock::now();",
             "record.time(); clock.now(); strftime();"),
    "regex": ("std::wregex pattern;", "::regcomp(&regex, text, 0);"),
    "catch-all": ("try { f(); } catch ( ... ) {}", "try { f(); } catch (const Fault&) {}"),
    "coroutine": ("co_await f();", "auto x = co_awaited;"),
    "thread": ("std::jthread worker{f};", "std::this_thread::get_id(); async();"),
    "unordered": ("std::unordered_map<int, int> x;", "std::map<int, int> unordered_x;"),
    "using-namespace": ("using  namespace std;", "namespace fs = std::filesystem;"),
    "printf": ('std::fprintf(stderr, "x");', 'std::snprintf(x, 1, "%d", 1); vsnprintf(x);'),
    "iostream": ("std::cerr << 1;", 'f("std::cerr"); xstd::cerrno;'),
    "assert": ("assert(x);", "static_assert(x); KTM_ASSERT(x);"),
    "reinterpret-cast": ("reinterpret_cast<int*>(x);", "static_cast<int*>(x);"),
    "environment": ('std::getenv("HOME");', "environment();"),
}


def _say(findings):
    return "\n".join(map(str, findings)) or "nothing was found"


def _test_of(rule):
    def test():
        assert EXAMPLES[rule.name] or rule.name == "banned-calls", "a rule without an example"
        for example in EXAMPLES[rule.name]:
            findings = rule.check(tree.Tree(example.bad))
            assert len(findings) == 1, f"{example.bad}: {_say(findings)}"
            assert example.says in findings[0].message, f"'{example.says}': {findings[0]}"
            assert findings[0].rule == rule.name and findings[0].path in example.bad
            findings = rule.check(tree.Tree(example.good))
            assert not findings, f"{example.good}: {_say(findings)}"
    test.__doc__ = f"The rule {rule.name} finds bad examples, says what to do, spares good ones."
    return test


def test_every_rule_has_examples():
    """There is an example for every rule and every ban, and for none that does not exist."""
    assert EXAMPLES.keys() == rules.RULES.keys(), EXAMPLES.keys() ^ rules.RULES.keys()
    assert BANNED.keys() == rules.BANS.keys(), BANNED.keys() ^ rules.BANS.keys()


def test_bans():
    """Each ban finds its example and names the replacement, and spares what only looks like it."""
    check = rules.RULES["banned-calls"].check
    for name, (bad, good) in BANNED.items():
        findings = check(tree.Tree(_cc(f"\n{bad}\n")))
        assert len(findings) == 1 and findings[0].line == 2, f"{bad}: {_say(findings)}"
        assert f"({name})" in findings[0].message, findings[0]
        assert rules.BANS[name].instead in findings[0].message, findings[0]
        findings = check(tree.Tree(_cc(good)))
        assert not findings, f"{good}: {_say(findings)}"


def test_bans_have_homes():
    """A ban does not hold where it is at home, nor in tests, comments and strings."""
    check = rules.RULES["banned-calls"].check
    for name, (bad, _) in BANNED.items():
        for home in rules.BANS[name].homes:
            path = home if home.endswith(".cc") else f"{home}x.cc"
            assert not check(tree.Tree({path: bad})), f"{name} in {home}"
        assert not check(tree.Tree({"tests/unit/x.cc": bad})), name
        assert not check(tree.Tree(_cc(f"/*\n{bad}\n*/\n"))), name
        assert not check(tree.Tree(_cc(f'R"({bad})"'))), name


def test_arrows_point_down():
    """The table of arrows has no circle: each room uses only rooms that stand above it there."""
    known = []
    for room, others in rules.ARROWS.items():
        assert set(others) <= set(known), f"'{room}' uses a room that stands below it"
        known.append(room)


def test_findings_are_places():
    """A finding is printed as path:line: rule: message, with the line where it is."""
    findings = rules.RULES["arrows"].check(tree.Tree(_cc('\n\n#include "os/loop.hh"\n')))
    assert re.match(r"src/qmp/x\.cc:3: arrows: 'qmp' may use base, json, not 'os'; ",
                    str(findings[0])), findings[0]


# --- The scanner under the rules --------------------------------------------------------------


def test_code_only():
    """Comments and quoted text become spaces; numbers, lines and columns stay."""
    text = "a = 1'000'000; // 'b'\nc = \"// {\"; /* {\n */ d = '\\'' + 'x';\n"
    code = cxx.code_only(text)
    assert len(code) == len(text) and code.count("\n") == text.count("\n")
    assert code.split() == ["a", "=", "1'000'000;", "c", "=", '"', '";', "d", "=", "'", "'", "+",
                            "'", "';"], code
    assert "{" not in cxx.code_only('auto x = R"json({"a": ")"})json";')


BODIES = {
    "int f() { return 1; }": 1,
    "auto X::f() const& noexcept -> std::vector<int> { return {}; }": 1,
    "template <class T>\nrequires(sizeof(T) > 1) T g(T x) { return x; }": 1,
    "X::X(int a) : a_{a}, b_(f(a)), c_{{1, 2}} { g(); }\nint h() { return 1; }": 2,
    "struct X final : Y<int> { explicit X(int a) noexcept(true) : Y<int>{a} {} int b{3}; };": 1,
    "constexpr auto f = [](int x) { return x; };\nconst auto g = [] { return 1; };": 2,
    "void f() { g([&](int x) { for (;;) { h(x); } }, {1, 2}); }": 1,
    "enum class E : int { a, b };\nnamespace a::b { struct F {}; union U { int x; }; }": 0,
    "std::array<int, 2> x{{1, 2}};\nconst Y y = Y{1};\nint z[] = {1, 2};\nstruct stat facts {};": 0,
    "#define KTM_X(a) \\\n    do { \\\n        f(a); \\\n    } while (false)\n": 0,
    "bool operator()(int x) const { return x; }\noperator bool() const noexcept { return 1; }": 2,
    'TEST_CASE("a { claim") { REQUIRE(true); }\nextern "C" int f(int x) { return x; }': 2,
}


def test_function_bodies():
    """Functions, constructors and free lambdas have bodies; types, values and macros have none."""
    for code, count in BODIES.items():
        bodies = cxx.function_bodies(code)
        assert len(bodies) == count, f"{code}\n{count} expected: {bodies}"


def test_body_places():
    """A body is counted between its braces and placed where it opens."""
    body, = cxx.function_bodies("int f(\n    int x)\n{\n    if (x) {\n    }\n    return 1;\n}\n")
    assert (body.line, body.length) == (3, 3), body


def test_unreadable():
    """Braces that do not match are said to be unreadable, with the line."""
    for code, line in (("int f() {\n{ }\n", "line 1"), ("int f() {\n}\n}\n", "line 3")):
        try:
            cxx.function_bodies(code)
        except cxx.Unreadable as reason:
            assert line in str(reason), reason
        else:
            raise AssertionError(f"{code!r} was read")


TESTS = {name: test for name, test in globals().items() if name.startswith("test_")}
TESTS |= {f"test_{rule.name}": _test_of(rule) for rule in rules.RULES.values()}

if __name__ == "__main__":
    tap.run(TESTS)
