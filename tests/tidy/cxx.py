# SPDX-License-Identifier: Apache-2.0
"""cxx.py: as much of the C++ language as the house rules need: comments, strings, includes, bodies.

It is a scanner, not a compiler: it knows tokens and braces and nothing of types or templates.
Where that is not enough it says so (Unreadable) instead of guessing.
"""
import re
from typing import NamedTuple

# Numbers come before character literals, for the sake of 1'000'000.
TOKEN = re.compile(
    r"""(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
      | (?P<raw>(?:u8|[uUL])?R"(?P<mark>[^()\\\s]*)\(.*?\)(?P=mark)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<number>\b\d(?:'?[\w.])*)
      | (?P<character>'(?:\\.|[^'\\\n])+')""",
    re.VERBOSE | re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
INCLUDE = re.compile(r"""^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]""", re.MULTILINE)


class Unreadable(Exception):
    """The braces of a file do not match, as far as this scanner can tell."""


class Include(NamedTuple):
    """One #include line; `quoted` tells "…" from <…>."""

    line: int
    path: str
    quoted: bool


class Body(NamedTuple):
    """A function's body: the line of its opening brace, and the lines between its braces."""

    line: int
    length: int
    head: str


def line_of(text, offset):
    """The number of the line, counted from 1, that holds `offset`."""
    return text.count("\n", 0, offset) + 1


def _spaces(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """The text with spaces for comments; every other character stays in its place."""
    def replace(match):
        return _spaces(match[0]) if match["comment"] is not None else match[0]
    return TOKEN.sub(replace, text)


def code_only(text):
    """The text with spaces for comments and for what is inside quotes; lines stay in place."""
    def replace(match):
        if match["comment"] is not None:
            return _spaces(match[0])
        if match["number"] is not None:
            return match[0]
        return match[0][-1] + _spaces(match[0][1:-1]) + match[0][-1]
    return TOKEN.sub(replace, text)


def includes(text):
    """Every #include of the text."""
    clean = without_comments(text)
    return [Include(line_of(clean, m.start()), m[2], m[1] == '"') for m in INCLUDE.finditer(clean)]


def _fold(head, pair):
    """The head with the content of every bracket of one kind taken out."""
    opening, closing = map(re.escape, pair)
    innermost = re.compile(rf"{opening}[^{opening}{closing}]*{closing}")
    while innermost.search(head):
        head = innermost.sub("\0", head)
    return head.replace("\0", pair)


TYPE_KEYWORD = re.compile(r"(?:^|[\s)>:;])(?:namespace|class|struct|union|enum)\b")
TRAILING_TYPE = re.compile(r"->[^()=;]+$")
QUALIFIER = re.compile(r"(?:\b(?:const|noexcept|override|final|mutable|try)|&&?)\s*$")
BARE_LAMBDA = re.compile(r"[=(,]\s*\[\]$")


def _begins_function(head):
    """Whether the brace behind `head` opens a body; asked outside of functions only."""
    head = _fold(_fold(head, "()"), "[]").strip()
    initialisers = re.search(r"\)[\w\s&]*:(?!:)", head)
    if initialisers:
        # `: a_(1), b_{2} {`: behind a name the brace initialises, behind a bracket the body begins.
        return head[-1] in ")}"
    head = TRAILING_TYPE.sub("", head).strip()
    while QUALIFIER.search(head):
        head = QUALIFIER.sub("", head).strip()
    return head.endswith(")") or BARE_LAMBDA.search(head) is not None


def _kind(head, inside_function):
    if inside_function:
        return "block"
    if _begins_function(head):
        return "function"
    return "scope" if TYPE_KEYWORD.search(re.sub(r"<[^<>]*>", "", head)) else "value"


class _BraceReader:
    """Walks over braces, brackets and semicolons, and remembers where each statement began."""

    def __init__(self, code):
        self.code = code
        self.bodies = []
        self.open_braces = []  # (kind, offset, head, start of the statement, bracket depth)
        self.start = 0
        self.depth = 0

    def read(self):
        for match in re.finditer(r"[{}();]", self.code):
            self._step(match[0], match.start())
        if self.open_braces:
            raise Unreadable(f"the brace of line {line_of(self.code, self.open_braces[0][1])} "
                             "is never closed")
        return self.bodies

    def _step(self, sign, offset):
        if sign == "{":
            self._open(offset)
        elif sign == "}":
            self._close(offset)
        elif sign == ";":
            self.start = self.start if self.depth else offset + 1
        else:
            self.depth += 1 if sign == "(" else -1

    def _open(self, offset):
        inside_function = any(brace[0] == "function" for brace in self.open_braces)
        head = self.code[self.start:offset]
        kind = _kind(head, inside_function)
        self.open_braces.append((kind, offset, head, self.start, self.depth))
        self.start, self.depth = offset + 1, 0

    def _close(self, offset):
        if not self.open_braces:
            raise Unreadable(f"the brace of line {line_of(self.code, offset)} closes nothing")
        kind, begin, head, start, self.depth = self.open_braces.pop()
        if kind == "function":
            lines = max(self.code.count("\n", begin, offset) - 1, 0)
            name = " ".join(head.split())
            self.bodies.append(Body(line_of(self.code, begin), lines, name))
        # Behind `x_{1}` the statement goes on; behind a body or a type a new one begins.
        self.start = start if kind == "value" else offset + 1


def function_bodies(text):
    """Every function body of the text; a lambda counts as part of the function around it."""
    code = DIRECTIVE.sub(lambda match: _spaces(match[0]), code_only(text))
    return _BraceReader(code).read()
