// SPDX-License-Identifier: Apache-2.0
// script/api_library.cc: what plans have of Lua's libraries string, table and math, described.
#include "script/api_topics.hh"

namespace ktm::script {

namespace {

// --- string
// ---------------------------------------------------------------------------------------

constexpr Parameter byte_parameters[] = {
    {"text", "string", "A text."},
    {"first", "integer?", "1 without it; negative from the end."},
    {"last", "integer?", "As `first` without it."},
};
constexpr Parameter char_parameters[] = {
    {"...", "integer", "Bytes: 0 to 255."},
};
constexpr Parameter find_parameters[] = {
    {"text", "string", "Where to look."},
    {"pattern", "string", "What to look for: a pattern of Lua."},
    {"first", "integer?", "From where on; negative from the end."},
    {"plain", "boolean?", "The pattern is a plain text."},
};
constexpr Parameter format_parameters[] = {
    {"format", "string", "With %d, %s, %q, %x, %.1f and so on; not %p."},
    {"...", "any", "The values. What is neither number nor text goes through `tostring`."},
};
constexpr Parameter gmatch_parameters[] = {
    {"text", "string", "Where to look."},
    {"pattern", "string", "What to look for; a '^' is a character here."},
};
constexpr Parameter gsub_parameters[] = {
    {"text", "string", "Where to look."},
    {"pattern", "string", "What to look for."},
    {"replacement", "string|table|function",
     "A text with %0 to %9 for what was found; a table by it; or a function, which must not wait."},
    {"count", "integer?", "How many at most; all without it."},
};
constexpr Parameter text_parameters[] = {
    {"text", "string", "A text."},
};
constexpr Parameter match_parameters[] = {
    {"text", "string", "Where to look."},
    {"pattern", "string", "What to look for: a pattern of Lua."},
    {"first", "integer?", "From where on; negative from the end."},
};
constexpr Parameter rep_parameters[] = {
    {"text", "string", "A text."},
    {"count", "integer", "How often."},
    {"between", "string?", "What stands between two."},
};
constexpr Parameter sub_parameters[] = {
    {"text", "string", "A text."},
    {"first", "integer", "From 1; negative from the end."},
    {"last", "integer?", "The end without it; negative from the end."},
};

constexpr std::string_view pattern_errors =
    "`invalid` `bad-pattern`: the pattern is malformed.\n"
    "`invalid` `pattern-too-complex`: it is too long, or has too many captures.\n"
    "`invalid` `pattern-budget`: the search takes more than a million steps.\n"
    "Text: an argument is of another type.";
constexpr std::string_view replacement_errors =
    "`invalid` `bad-pattern`: the pattern is malformed.\n"
    "`invalid` `pattern-too-complex`: it is too long, or has too many captures.\n"
    "`invalid` `pattern-budget`: the search takes more than a million steps.\n"
    "`invalid` `bad-replacement`: a '%' stands before anything but '%' and a capture's digit.\n"
    "Text: an argument, or what replaces, is of another type.";
constexpr std::string_view argument_errors = "Text: an argument is of another type.";

constexpr Word text_words[] = {
    {.name = "string.byte",
     .parameters = byte_parameters,
     .returns = "integer ...: the bytes from first to last",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Bytes of a text as numbers.",
     .example = R"(log.info("%d", string.byte("A")))"},
    {.name = "string.char",
     .parameters = char_parameters,
     .returns = "string text: of these bytes",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "A text of bytes.",
     .example = R"(log.info(string.char(79, 75)))"},
    {.name = "string.find",
     .parameters = find_parameters,
     .returns = "integer? first: where it begins, nil when it is not there\n"
                "integer? last: where it ends\n"
                "any ...: the captures",
     .errors = pattern_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Where a pattern matches first.",
     .example = R"(if string.find("a.b", ".", 1, true) then log.info("it has a dot") end)"},
    {.name = "string.format",
     .parameters = format_parameters,
     .returns = "string text: the format with the values in it",
     .errors = "Text: the values do not fit the format, or it has %p, which would show an address.",
     .contexts = everywhere,
     .since = 1,
     .doc = "A text from values.",
     .example = R"(log.info(string.format("%5.1f ms, %s", 1.25, "fine")))"},
    {.name = "string.gmatch",
     .parameters = gmatch_parameters,
     .returns = "function step: for `for`; gives the captures, or the whole match",
     .errors = pattern_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Goes through all matches; errors come with the first step, and each step has its own "
            "million.",
     .example = R"(for word in string.gmatch("one two", "%a+") do log.info(word) end)"},
    {.name = "string.gsub",
     .parameters = gsub_parameters,
     .returns = "string text: with the replacements\n"
                "integer count: how many there were",
     .errors = replacement_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Replaces matches. False or nil from a table or function keeps the match.",
     .example = R"(local path = string.gsub("/run/NAME.qmp", "NAME", "vm1")
log.info(path))"},
    {.name = "string.len",
     .parameters = text_parameters,
     .returns = "integer size: in bytes",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "The size of a text; the same as #text.",
     .example = R"(log.info("%d bytes", string.len("text")))"},
    {.name = "string.lower",
     .parameters = text_parameters,
     .returns = "string text: with small letters",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Makes the letters of ASCII small.",
     .example = R"(log.info(string.lower("RESUME")))"},
    {.name = "string.match",
     .parameters = match_parameters,
     .returns = "any ...: the captures, or the whole match; nil when there is none",
     .errors = pattern_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "What a pattern matches first.",
     .example = R"(local major = string.match("7.2.0", "^(%d+)%.")
log.info("QEMU %s", major))"},
    {.name = "string.rep",
     .parameters = rep_parameters,
     .returns = "string text: repeated",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Repeats a text.",
     .example = R"(log.info(string.rep("-", 20)))"},
    {.name = "string.reverse",
     .parameters = text_parameters,
     .returns = "string text: its bytes from the end",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Turns a text round.",
     .example = R"(log.info(string.reverse("abc")))"},
    {.name = "string.sub",
     .parameters = sub_parameters,
     .returns = "string text: the part",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "A part of a text, by bytes.",
     .example = R"(log.info(string.sub("migration", 1, 4)))"},
    {.name = "string.upper",
     .parameters = text_parameters,
     .returns = "string text: with capitals",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Makes the letters of ASCII capitals.",
     .example = R"(log.info(("resume"):upper()))"},
};

// --- table
// ----------------------------------------------------------------------------------------

constexpr Parameter concat_parameters[] = {
    {"list", "table", "Texts and numbers."},
    {"between", "string?", "What stands between two."},
    {"first", "integer?", "1 without it."},
    {"last", "integer?", "Its length without it."},
};
constexpr Parameter insert_parameters[] = {
    {"list", "table", "A list."},
    {"place", "any", "Where; left out, the value is put at the end."},
    {"value", "any?", "The new item."},
};
constexpr Parameter remove_parameters[] = {
    {"list", "table", "A list."},
    {"place", "integer?", "Which item; the last without it."},
};
constexpr Parameter sort_parameters[] = {
    {"list", "table", "A list."},
    {"before", "fun(a:any,b:any):boolean|nil",
     "Whether a belongs before b; a < b without it. It must not wait."},
};

// --- math
// -----------------------------------------------------------------------------------------

constexpr Parameter number_parameters[] = {
    {"x", "number", "A number."},
};
constexpr Parameter fmod_parameters[] = {
    {"x", "number", "A number."},
    {"y", "number", "What it is divided by."},
};
constexpr Parameter log_parameters[] = {
    {"x", "number", "A number."},
    {"base", "number?", "e without it."},
};
constexpr Parameter numbers_parameters[] = {
    {"x", "number", "A number."},
    {"...", "number", "More numbers."},
};

constexpr Word table_words[] = {
    {.name = "table.concat",
     .parameters = concat_parameters,
     .returns = "string text: all of them in a row",
     .errors = "Text: an item is neither text nor number.",
     .contexts = everywhere,
     .since = 1,
     .doc = "A text from a list.",
     .example = R"(log.info(table.concat({ "a", "b" }, ", ")))"},
    {.name = "table.insert",
     .parameters = insert_parameters,
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Adds an item at the end, or at a place: table.insert(list, value), "
            "table.insert(list, place, value).",
     .example = R"(local taps = { "tap1" }
table.insert(taps, 1, "tap0")
log.info(table.concat(taps, " ")))"},
    {.name = "table.remove",
     .parameters = remove_parameters,
     .returns = "any item: what was there",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Takes an item out.",
     .example = R"(local taps = { "tap0", "tap1" }
log.info("without %s", table.remove(taps)))"},
    {.name = "table.sort",
     .parameters = sort_parameters,
     .errors = "Text: two items cannot be compared, or `before` contradicts itself.",
     .contexts = everywhere,
     .since = 1,
     .doc = "Sorts a list where it is. Equal items may change places.",
     .example = R"(local sizes = { 3, 1, 2 }
table.sort(sizes, function(a, b) return a > b end)
log.info("the largest is %d", sizes[1]))"},
    {.name = "math.abs",
     .parameters = number_parameters,
     .returns = "number distance: from 0",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "The number without its sign.",
     .example = R"(log.info("%d", math.abs(-1)))"},
    {.name = "math.ceil",
     .parameters = number_parameters,
     .returns = "number whole: the least whole number that is not below x",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Rounds up.",
     .example = R"(log.info("%d", math.ceil(1.2)))"},
    {.name = "math.floor",
     .parameters = number_parameters,
     .returns = "number whole: the greatest whole number that is not above x",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "Rounds down.",
     .example = R"(log.info("%d", math.floor(1.8)))"},
    {.name = "math.fmod",
     .parameters = fmod_parameters,
     .returns = "number rest: with the sign of x",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "The rest of a division.",
     .example = R"(log.info("%d", math.fmod(7, 3)))"},
    {.name = "math.huge",
     .returns = "number: infinity, more than any other number",
     .contexts = everywhere,
     .since = 1,
     .doc = "For the least of some numbers, to begin with.",
     .example = R"(local least = math.huge
for _, size in ipairs { 3, 1, 2 } do least = math.min(least, size) end
log.info("%d", least))"},
    {.name = "math.log",
     .parameters = log_parameters,
     .returns = "number logarithm: of x",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "A logarithm.",
     .example = R"(log.info("%.1f bits", math.log(1000, 2)))"},
    {.name = "math.max",
     .parameters = numbers_parameters,
     .returns = "number greatest: of all",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "The greatest number.",
     .example = R"(log.info("%d", math.max(1, 2, 3)))"},
    {.name = "math.min",
     .parameters = numbers_parameters,
     .returns = "number least: of all",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "The least number.",
     .example = R"(log.info("%d", math.min(1, 2, 3)))"},
    {.name = "math.modf",
     .parameters = number_parameters,
     .returns = "number whole: the part before the point\n"
                "number fraction: the part behind it",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "The two parts of a number.",
     .example = R"(local whole, fraction = math.modf(1.25)
log.info("%d and %.2f", whole, fraction))"},
    {.name = "math.sqrt",
     .parameters = number_parameters,
     .returns = "number root: of x",
     .errors = argument_errors,
     .contexts = everywhere,
     .since = 1,
     .doc = "The square root.",
     .example = R"(log.info("%.3f", math.sqrt(2)))"},
};

}  // namespace

Topic text_topic() {
    return {"text",
            "Texts",
            "A text is bytes; the functions of `string` are also its methods: "
            "`(\"x\"):upper()`. Patterns are Lua's, matched by code of katamaran's own that counts "
            "its steps, for a pattern can take years otherwise.",
            true,
            text_words,
            {}};
}

Topic table_topic() {
    return {"table",
            "Lists and numbers",
            "A number is a double: exact for whole numbers up to 2^53. Nothing here is random.",
            true,
            table_words,
            {}};
}

}  // namespace ktm::script
