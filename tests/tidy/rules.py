# SPDX-License-Identifier: Apache-2.0
"""rules.py: the house rules. Each is a function that yields findings; tidy_test.py runs them all.

A rule over one file takes (path, text), a rule over the whole takes the Tree. The first line of
its docstring is the claim that the test prints. A message names what is wrong and what to do.
An exception to a rule stands beside the rule, with its reason.
"""
import fnmatch
import functools
import posixpath
import re
from typing import NamedTuple

import cxx

CXX = (".cc", ".hh")
HEADER_TEMPLATE = ".hh.in"


class Finding(NamedTuple):
    """One breach of a rule; printed, it is a line that editors can jump to."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class Rule(NamedTuple):
    """A rule as it is registered: its name in findings, its claim, and what checks a Tree."""

    name: str
    claim: str
    check: object


RULES = {}


def rule_over_tree(function):
    """Registers a function from a Tree to (path, line, message) under its name."""
    name = function.__name__.replace("_", "-")

    @functools.wraps(function)
    def check(tree):
        return [Finding(path, line, name, message) for path, line, message in function(tree)]
    RULES[name] = Rule(name, function.__doc__.split("\n\n")[0], check)
    return check


def rule_over_files(applies):
    """Registers a function from (path, text) to (line, message), for files that `applies` takes."""
    def register(function):
        @functools.wraps(function)
        def over_tree(tree):
            for path, text in tree.texts.items():
                if applies(path):
                    for line, message in function(path, text):
                        yield path, line, message
        return rule_over_tree(over_tree)
    return register


# --- Which file is what -----------------------------------------------------------------------


def is_cxx(path):
    """C++, the templates of generated headers included."""
    return path.endswith((*CXX, HEADER_TEMPLATE))


def is_cxx_in_src(path):
    """C++ of the program itself; tests may do more, such as sleep or read the clock."""
    return path.startswith("src/") and is_cxx(path)


def is_script(path):
    """A file of tools/ or .ci/ without an ending: those are commands, all of them scripts."""
    return path.startswith(("tools/", ".ci/")) and "." not in posixpath.basename(path)


def is_recorded(path):
    """Recordings and seeds: other programs wrote them, and they are kept as they came."""
    return path.startswith(("tests/data/", "tests/fuzz/corpus/"))


def is_ours(path):
    """Everything that somebody of this project wrote by hand."""
    return not is_recorded(path)


def is_code(path):
    """What a person reads as code; the small plans of cases are data, a thought a line."""
    return is_ours(path) and not re.match(r"tests/(scenarios|plans)/.*\.lua$", path) and (
        path.endswith((*CXX, ".py", ".build", ".lua", ".sh")) or is_script(path))


# --- Rooms ------------------------------------------------------------------------------------

# The arrows of docs/ARCHITECTURE.md: a room, and the rooms that it may use.
ARROWS = {
    "base": (),
    "draw": ("base",),
    "json": ("base",),
    "net": ("base", "json"),
    "peer": ("base", "json"),
    "ports": ("base", "net"),
    "qmp": ("base", "json"),
    "trace": ("base", "json"),
    "monitor": ("base", "json", "net", "ports", "qmp", "trace"),
    "timeline": ("base", "draw", "json", "trace"),
    "plan": ("base", "draw", "json"),
    "engine": ("base", "json", "plan"),
    "host": ("base", "json", "net", "ports"),
    "script": ("base", "json", "net", "ports", "qmp", "trace", "monitor", "plan", "engine",
               "host", "peer"),
    "sim": ("base", "json", "net", "peer", "ports", "trace"),
    "model": ("base", "json", "net", "ports", "trace", "sim"),
    "trial": ("base", "json", "net", "ports", "trace", "monitor", "plan", "engine", "host", "peer",
              "script", "sim", "model"),
    "disk": ("base", "net", "ports"),
    "os": ("base", "net", "ports", "disk"),
    "cli": ("base", "draw", "json", "net", "ports", "qmp", "trace", "monitor", "plan", "engine",
            "host", "model", "peer", "script", "sim", "timeline", "trial"),
    "main.cc": ("cli", "disk", "os"),
    "main_sim.cc": ("cli", "disk"),
    "main_sim_memory.cc": ("base",),
}
# The headers outside the rooms: the build makes them, each for one room.
OUTSIDE_THE_ROOMS = {
    "version.hh": "cli", "prelude_text.hh": "script", "prelude_net_text.hh": "script",
}


class ForeignHeader(NamedTuple):
    """A library's headers, the files that may include them, and its name in meson.build."""

    pattern: str
    home: str
    library: str


FOREIGN_HEADERS = (
    ForeignHeader(r"uv\.h|uv/.*", "src/os/*", "libuv"),
    ForeignHeader(r"simdjson\.h", "src/json/*.cc", "simdjson"),
    ForeignHeader(r"zstd.*\.h", "src/trace/*.cc", "zstd"),
    ForeignHeader(r"(spdlog|fmt)/.*", "src/cli/*.cc", "spdlog"),
    ForeignHeader(r"CLI/.*", "src/cli/command_line.hh", "cli11"),
    ForeignHeader(r"netlink/.*", "src/os/*", "libnl"),
    ForeignHeader(r"openssl/.*", "src/os/ciphers.cc", "openssl"),
    ForeignHeader(r"(luajit[^/]*/)?(lua.*|lauxlib)\.h(pp)?", "src/script/*", "luajit"),
    ForeignHeader(r"catch2/.*", "tests/*", "catch2"),
)


def room_of(path):
    """The room of a file below src/, or main.cc, which is a room of its own."""
    return path.removeprefix("src/").split("/")[0]


def _may_use(room):
    return ", ".join(ARROWS[room]) or "nothing"


def _judge_include(room, include):
    first, slash, _ = include.path.partition("/")
    home = OUTSIDE_THE_ROOMS.get(include.path)
    if not include.quoted:
        return f'write "{include.path}" in quotes: it is ours' if first in ARROWS else None
    if home is not None:
        return None if home == room else f"'{include.path}' is for {home} alone; take it from there"
    if not slash or first not in ARROWS:
        return f'"{include.path}" names no room; write it from src/ on, "room/file.hh"'
    if first != room and first not in ARROWS[room]:
        return (f"'{room}' may use {_may_use(room)}, not '{first}'; put the code where both rooms "
                "are allowed, or behind a port")
    return None


@rule_over_files(lambda path: is_cxx_in_src(path) and path != "src/version.hh.in")
def arrows(path, text):
    """A file includes only from its own room and from the rooms that this one may use."""
    room = room_of(path)
    if room not in ARROWS:
        yield 1, f"'{room}' is no room; add it to ARROWS in tests/tidy/rules.py, with its arrows"
        return
    for include in cxx.includes(text):
        message = _judge_include(room, include)
        if message is not None:
            yield include.line, message


DEPENDENCIES = re.compile(r"\bdependencies\s*:\s*\[([^\]]*)\]")


@rule_over_files(lambda path: re.fullmatch(r"src/\w+/meson\.build", path))
def build_arrows(path, text):
    """A room is built with the rooms and the libraries that it may use, and with no other."""
    room = room_of(path)
    allowed = {f"{other}_dep" for other in ARROWS.get(room, ())}
    allowed |= {
        foreign.library for foreign in FOREIGN_HEADERS if foreign.home.startswith(f"src/{room}/")
    }
    for match in DEPENDENCIES.finditer(text):
        for name in re.findall(r"\w+", match[1]):
            if name not in allowed:
                yield (cxx.line_of(text, match.start()),
                       f"'{name}' is no legal dependency of '{room}'; take it out, or change the "
                       "tables in tests/tidy/rules.py and docs/ARCHITECTURE.md first")


@rule_over_tree
def built_sources(tree):
    """Each .cc file of a room is listed in the room's meson.build."""
    for path, _ in tree.below("src/", ".cc"):
        folder, name = posixpath.split(path)
        build = tree.texts.get(f"{folder}/meson.build", "")
        if folder != "src" and f"'{name}'" not in build:
            yield path, 1, f"no one builds it; list '{name}' in {folder}/meson.build, or remove it"


@rule_over_files(is_cxx)
def foreign_headers(path, text):
    """A foreign header is included at its home alone."""
    for include in cxx.includes(text):
        for foreign in FOREIGN_HEADERS:
            at_home = fnmatch.fnmatchcase(path, foreign.home)
            if re.fullmatch(foreign.pattern, include.path) and not at_home:
                yield (include.line, f"<{include.path}> belongs to {foreign.home} alone; "
                                     "use what that room offers instead")


@rule_over_tree
def dead_headers(tree):
    """Each header of src is included by some file other than its own .cc file."""
    included = {}
    for path, text in tree.below("", *CXX):
        for include in cxx.includes(text):
            included.setdefault(include.path, set()).add(path)
    for path, _ in tree.below("src/", ".hh"):
        others = included.get(path.removeprefix("src/"), set()) - {path.removesuffix(".hh") + ".cc"}
        if not others:
            yield path, 1, "nobody else includes it; remove it, or put it into its .cc file"


# --- Sizes ------------------------------------------------------------------------------------

LINE_CHARACTERS_MAX = 100
BODY_LINES_MAX = 70
FILE_LINES_MAX = 600
BLOB_BYTES_MAX = 512 * 1024


@rule_over_files(is_code)
def line_length(path, text):
    """No line of code is longer than 100 characters."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LINE_CHARACTERS_MAX:
            yield number, f"{len(line)} characters; break the line at {LINE_CHARACTERS_MAX}"


@rule_over_files(is_code)
def file_length(path, text):
    """No file of code is longer than 600 lines."""
    count = len(text.splitlines())
    if count > FILE_LINES_MAX:
        yield count, f"{count} lines; split the file by topic, {FILE_LINES_MAX} are the most"


@rule_over_files(lambda path: path.endswith(CXX))
def function_length(path, text):
    """No body of a C++ function is longer than 70 lines."""
    try:
        bodies = cxx.function_bodies(text)
    except cxx.Unreadable as reason:
        yield 1, f"{reason}; keep the braces of all #if branches balanced"
        return
    for body in bodies:
        if body.length > BODY_LINES_MAX:
            yield (body.line, f"a body of {body.length} lines; name its parts and make them "
                              f"functions, {BODY_LINES_MAX} lines are the most")


@rule_over_tree
def blobs(tree):
    """No file is larger than 512 KiB, and binary ones are in tests/data and tests/fuzz alone."""
    for path, content in tree.contents.items():
        if len(content) > BLOB_BYTES_MAX:
            yield (path, 1, f"{len(content)} bytes; shorten it, or make it when it is needed; "
                            f"{BLOB_BYTES_MAX} are the most")
        if path not in tree.texts and not path.startswith(("tests/data/", "tests/fuzz/")):
            yield path, 1, "it is not UTF-8 text; build it from text, or move it to tests/data"


# --- What C++ in src does not say -------------------------------------------------------------


class Ban(NamedTuple):
    """What is not said in src, what is said instead, and where it may be said nevertheless."""

    pattern: str
    instead: str
    homes: tuple = ()


# Held against the code without its comments and strings.
BANS = {
    "sleep": Ban(r"\b(u|nano)?sleep(_for|_until)?\s*\(", "arm a timer: Clock::arm"),
    "shell": Ban(r"\b(system|popen)\s*\(", "start a program without a shell: Processes::start"),
    "random": Ban(r"\b(s?rand|s?random|rand_r|drand48)\s*\(|\bstd::(random_device|mt19937)",
                  "take ids from counters; chance belongs to sim, from one printed seed",
                  ("src/sim/",)),
    "time": Ban(r"\btime\s*\(\s*(nullptr|NULL|0|&)|\b(gettimeofday|clock_gettime)\s*\("
                r"|\bclock\s*\(\s*\)|_clock::now\b",
                "ask the Clock port: now() or wall_now()", ("src/os/", "src/disk/")),
    "regex": Ban(r"\bstd::\w*regex", "use POSIX regcomp: std::regex recurses for each character "
                                     "and overflows the stack"),
    "catch-all": Ban(r"\bcatch\s*\(\s*\.\.\.", "catch the type that you can handle; what nobody "
                                               "expected must end the program at a noexcept"),
    "coroutine": Ban(r"\bco_(await|yield|return)\b",
                     "write a state machine or a completion: GCC 12 miscompiles coroutines"),
    "thread": Ban(r"\bstd::(j?thread|async)\b", "use the loop; what blocks is a process, as in "
                                                "os/spool.cc"),
    "unordered": Ban(r"\bstd::unordered_", "use std::map, std::set or a sorted vector: the order "
                                           "must be the same in each run"),
    "using-namespace": Ban(r"\busing\s+namespace\b", "name what you use, or open namespace ktm"),
    "printf": Ban(r"\b(v?[fsd]?printf|f?puts|putchar|perror)\s*\(",
                  "return the text or the Error; printing is done by Console in cli",
                  ("src/cli/", "src/base/assert.cc")),
    "iostream": Ban(r"\bstd::(cout|cerr|clog)\b", "use Console in cli and ktm::log elsewhere"),
    "assert": Ban(r"\bassert\s*\(", "use KTM_ASSERT, which stays on in release"),
    "reinterpret-cast": Ban(r"\breinterpret_cast\b", "use a type that needs no cast; only system "
                                                     "calls and libuv, in os, ask for it",
                            ("src/os/",)),
    "environment": Ban(r"\b(secure_)?getenv\s*\(", "take it as an argument; cli reads the "
                                                   "environment and passes it on", ("src/cli/",)),
}


@rule_over_files(is_cxx_in_src)
def banned_calls(path, text):
    """Nothing in src sleeps, forks a shell, reads a clock or prints behind the ports' back."""
    code = cxx.code_only(text)
    for name, ban in BANS.items():
        if path.startswith(ban.homes):
            continue
        for match in re.finditer(ban.pattern, code):
            said = " ".join(match[0].split()).rstrip("(").rstrip()
            yield cxx.line_of(code, match.start()), f"'{said}' ({name}); {ban.instead}"


# --- What no file says ------------------------------------------------------------------------

# Written in two pieces each, so that this file does not break its own rules.
REMINDERS = re.compile(r"\b(" "TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
MACHINE_WORDS = re.compile(
    r"(?<![\w.-])/" r"(?:work|root)/|"
    r"\.\./" r"shared\b(?!-)|deb\." r"debian\.org|registry\." r"npmjs\.org"
)


def _mentions_removed(path, text):
    """A document may name a word that it bans, in backticks; code may not."""
    if not path.endswith(".md"):
        return text
    return re.sub(r"`[^`\n]*`", lambda match: " " * len(match[0]), text)


@rule_over_files(is_ours)
def reminders(path, text):
    """No file holds a reminder to finish something later."""
    text = _mentions_removed(path, text)
    for match in REMINDERS.finditer(text):
        yield (cxx.line_of(text, match.start()),
               f"'{match[0]}' is left over; do it now, or open an issue and take the line out")


@rule_over_tree
def machine_words(tree):
    """No file names a path or a server of the machine that it was written on."""
    for path, text in tree.texts.items():
        for match in MACHINE_WORDS.finditer(text):
            yield (path, cxx.line_of(text, match.start()),
                   f"'{match[0]}' exists on one machine only; use a path from the root of the "
                   "repository, or an option")


# --- Heads and names --------------------------------------------------------------------------

LICENSE = "SPDX-License-Identifier: Apache-2.0"


@rule_over_files(is_cxx)
def heads(path, text):
    """A C++ file opens with its license and one line that says what it is, under its own path."""
    lines = [*text.splitlines(), "", ""]
    own_path = path.removeprefix("src/").removesuffix(".in")
    if lines[0] != f"// {LICENSE}":
        yield 1, f"the license is missing; begin with '// {LICENSE}'"
    if not re.match(rf"// {re.escape(own_path)}: \S", lines[1]):
        yield 2, f"nothing says what this is; write '// {own_path}: …' in the second line"
    if not path.endswith(".cc") and "#pragma once" not in lines:
        yield 3, "a header without a guard; add #pragma once"


@rule_over_files(lambda path: path.endswith((".py", ".sh")) or is_script(path))
def script_heads(path, text):
    """A script names its license within the first three lines."""
    if f"# {LICENSE}" not in text.splitlines()[:3]:
        yield 1, f"the license is missing; write '# {LICENSE}' below the #! line"


VAGUE_WORDS = {
    "util", "utils", "utility", "utilities", "helper", "helpers", "common", "manager", "misc",
}


@rule_over_files(is_ours)
def vague_names(path, text):
    """No file and no type has a name that could hold anything."""
    vague = VAGUE_WORDS & set(re.split(r"[/._-]", path.lower()))
    if vague:
        yield 1, f"'{min(vague)}' could hold anything; name the file after its main type"
    if not is_cxx(path):
        return
    code = cxx.code_only(text)
    for match in re.finditer(r"\b(?:class|struct|namespace)\s+(\w+)", code):
        words = re.findall(r"[A-Z]?[a-z0-9]+", match[1])
        if VAGUE_WORDS & {word.lower() for word in words}:
            yield (cxx.line_of(code, match.start()),
                   f"'{match[1]}' could do anything; name it after what it does")


@rule_over_tree
def file_names(tree):
    """Files of code and their folders are named in snake_case."""
    for path in tree.texts:
        # Lua is left out: a plan's file has the name of the plan, and those have dashes.
        if not (is_cxx(path) or path.endswith(".py") or is_script(path)):
            continue
        for name in path.removeprefix(".").split("/"):
            stem = name.split(".")[0]
            if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", stem):
                yield path, 1, f"'{name}' is not snake_case; use small letters, digits and single _"
                break


MACROS_MAX = 4


@rule_over_tree
def macros(tree):
    """Macros of src begin with KTM_, and there are fewer than five."""
    found = []
    for path, text in tree.below("src/", *CXX, HEADER_TEMPLATE):
        code = cxx.code_only(text)
        for match in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", code, re.MULTILINE):
            found.append((path, cxx.line_of(code, match.start(1)), match[1]))
    for path, line, name in found:
        if not name.startswith("KTM_"):
            yield path, line, f"macro '{name}'; write a constexpr or a function, or begin with KTM_"
    for path, line, name in found[MACROS_MAX:]:
        yield (path, line, f"macro '{name}' is one too many; write a function or a template, "
                           f"{MACROS_MAX} macros are the most")


# --- Documents --------------------------------------------------------------------------------

FENCE = re.compile(r"^ {0,3}```.*?(?:^ {0,3}```|\Z)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^ {0,3}\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
OUR_PATH = re.compile(r"(?<![\w./<-])((?:src|tests|tools|docs|packaging|\.ci)/[^\s`'\",;()]*)")


def _without_fences(text):
    return FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


@rule_over_tree
def links(tree):
    """Each relative link of a document leads to a file of the repository."""
    for path, text in tree.below("", ".md"):
        prose = re.sub(r"`[^`\n]*`", lambda m: " " * len(m[0]), _without_fences(text))
        for match in LINK.finditer(prose):
            target = (match[1] or match[2]).split("#")[0]
            if not target or re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            if not tree.has(posixpath.join(posixpath.dirname(path), target)):
                yield (path, cxx.line_of(prose, match.start()),
                       f"'{target}' leads nowhere; name a file, relative to this document")


def _code_spans(text):
    """(offset, code): what stands between backticks, and the lines of fenced blocks."""
    for fence in FENCE.finditer(text):
        for line in re.finditer(r"^(?!\s*```)[ \t]*(?:\$[ \t]+)?(.*)$", fence[0], re.MULTILINE):
            yield fence.start() + line.start(1), line[1]
    for span in re.finditer(r"`([^`\n]+)`", _without_fences(text)):
        yield span.start(1), span[1]


def _mentioned_file(written):
    """The part of a written path that can be looked up: up to a placeholder or a line number."""
    written = re.sub(r":\d+(:\d+)?$", "", written.rstrip(".:…"))
    placeholder = re.search(r"[<{$…]|[A-Z]{3,}(?=/|$)", written)
    if placeholder:
        written = posixpath.dirname(written[:placeholder.start()] + "x")
    return written.rstrip("/")


@rule_over_tree
def mentioned_paths(tree):
    """Each path of the repository that a document writes as code exists."""
    for path, text in tree.below("", ".md"):
        for offset, code in _code_spans(text):
            for match in OUR_PATH.finditer(code):
                wanted = _mentioned_file(match[1])
                known = tree.contents.keys() | tree.folders
                if not tree.has(wanted) and not fnmatch.filter(known, wanted):
                    yield (path, cxx.line_of(text, offset + match.start()),
                           f"'{wanted}' does not exist; write the path as it is now")
