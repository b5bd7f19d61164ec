// SPDX-License-Identifier: Apache-2.0
// script/api_lua.cc: what plans have of Lua itself, described.
#include "script/api_topics.hh"

namespace ktm::script {

namespace {

constexpr Parameter assert_parameters[] = {
    {"value", "any", "What must be there."},
    {"message", "any?", "What is raised if not: a text or a table, as for `error`."},
};
constexpr Parameter error_parameters[] = {
    {"message", "any",
     "A text, or a table with `what` and, as wanted, `kind`, `code`, `during`, `cause`."},
    {"level", "integer?", "Whose place a text names; 1, this one, without it; 0 for none."},
};
constexpr Parameter table_parameters[] = {
    {"table", "table", "Any table."},
};
constexpr Parameter call_parameters[] = {
    {"action", "function", "What is called; it may wait."},
    {"...", "any", "Its arguments."},
};
constexpr Parameter select_parameters[] = {
    {"which", "integer|\"#\"", "From which value on, negative from the end; \"#\" for how many."},
    {"...", "any", "The values."},
};
constexpr Parameter tonumber_parameters[] = {
    {"value", "any", "A number, or a text such as \"16\" or \"0x10\"."},
    {"base", "integer?", "2 to 36; 10 without it."},
};
constexpr Parameter value_parameters[] = {
    {"value", "any", "Any value."},
};
constexpr Parameter unpack_parameters[] = {
    {"list", "any[]", "A list."},
    {"first", "integer?", "1 without it."},
    {"last", "integer?", "Its length without it."},
};

constexpr Word lua_words[] = {
    {.name = "assert",
     .parameters = assert_parameters,
     .returns = "any ...: all its arguments",
     .errors = "The message, or the text \"assertion failed!\", when the value is nil or false.",
     .contexts = everywhere,
     .since = 1,
     .doc = "Goes on if there is a value.",
     .example = R"(local mtu = assert(tonumber("1500"), "no number")
log.info("mtu %d", mtu))"},
    {.name = "error",
     .parameters = error_parameters,
     .errors = "The message.",
     .contexts = everywhere,
     .since = 1,
     .doc =
         "Raises an error. One that leaves an action is trouble: the plan aborts, or is stranded "
         "behind the commit. A text becomes an error of the kind `invalid` with the code `plan`.",
     .example =
         R"(error { kind = "refused", code = "no-room", what = "the host has no memory left" })"},
    {.name = "ipairs",
     .parameters = table_parameters,
     .returns = "function step: for `for`\ntable table: the table\ninteger start: 0",
     .errors = "Text: it is no table.",
     .contexts = everywhere,
     .since = 1,
     .doc = "Goes through the items 1, 2, … until one is nil.",
     .example =
         R"(for place, tap in ipairs { "tap0", "tap1" } do log.info("%d: %s", place, tap) end)"},
    {.name = "pairs",
     .parameters = table_parameters,
     .returns = "function step: for `for`",
     .errors = "Text: it is no table, or a key is neither a number, a text nor a boolean.",
     .contexts = everywhere,
     .since = 1,
     .doc = "Goes through a table in a fixed order, which Lua's own does not have: numbers, texts, "
            "false, true. What is added meanwhile is not seen, what is removed is left out. In a "
            "table of words, such as `string` or `m`, it finds nothing.",
     .example =
         R"(for name, value in pairs { b = 2, a = 1 } do log.info("%s is %d", name, value) end)"},
    {.name = "pcall",
     .parameters = call_parameters,
     .returns = "boolean ok: whether nothing was raised\n"
                "any ...: what it returned, or the error",
     .contexts = everywhere,
     .since = 1,
     .doc = "Calls a function and catches what it raises; it may wait inside. An action that is "
            "cancelled is not saved by it: each further word that waits raises the reason again.",
     .example = R"(local ok, problem = pcall(function() qmp("stop") end)
if not ok then log.warn("%s", problem) end)"},
    {.name = "select",
     .parameters = select_parameters,
     .returns = "any ...: the values from that one on, or their number",
     .errors = "Text: no such place.",
     .contexts = everywhere,
     .since = 1,
     .doc = "A part of some values.",
     .example = R"(local count = select("#", "a", nil)
log.info("%d values", count))"},
    {.name = "tonumber",
     .parameters = tonumber_parameters,
     .returns = "number? number: nil when it is none",
     .errors = "Text: the base is none.",
     .contexts = everywhere,
     .since = 1,
     .doc = "Reads a number.",
     .example = R"(local mtu = tonumber("1500")
log.info("mtu %d", mtu))"},
    {.name = "tostring",
     .parameters = value_parameters,
     .returns = "string text: for people",
     .errors = "Text: there is no value.",
     .contexts = everywhere,
     .since = 1,
     .doc = "A text for any value: an error's sentence; of tables and functions just \"table\" and "
            "\"function\", without the address that Lua's own shows.",
     .example = R"(log.info("it is " .. tostring(true)))"},
    {.name = "type",
     .parameters = value_parameters,
     .returns =
         "string name: \"nil\", \"boolean\", \"number\", \"string\", \"table\", \"function\"",
     .errors = "Text: there is no value.",
     .contexts = everywhere,
     .since = 1,
     .doc = "What kind of value it is.",
     .example = R"(if type(1) == "number" then log.info("a number") end)"},
    {.name = "unpack",
     .parameters = unpack_parameters,
     .returns = "any ...: the items",
     .errors = "Text: it is no table, or there are too many.",
     .contexts = everywhere,
     .since = 1,
     .doc = "The items of a list as values.",
     .example = R"(qmp.enable(unpack { "events", "multifd" }))"},
    {.name = "list",
     .parameters = table_parameters,
     .returns = "table list: the same table",
     .errors = "Text: it is no table.",
     .contexts = everywhere,
     .since = 1,
     .doc = "Marks a table as a list. Only an empty one needs it: in JSON it is [] then, and {} "
            "otherwise. Lists that came out of JSON, and vars, are marked.",
     .example = R"(qmp("qom-set", { path = "/objects/x", property = "cpus", value = list {} }))"},
};

constexpr Parameter error_fields[] = {
    {"kind", "string",
     "usage, invalid, io, protocol, refused, timeout, lost or cancelled: what to branch on."},
    {"code", "string", "A short stable word, such as \"no-reply\"; \"GenericError\" is QEMU's."},
    {"what", "string", "What is wrong, for people."},
    {"during", "string", "What was tried: \"run migrate\"; may be empty."},
    {"cause", "ktm.Error?", "The error behind it."},
};
constexpr NamedType lua_types[] = {
    {.name = "ktm.Error",
     .fields = error_fields,
     .doc =
         "What the words of actions raise. `tostring` makes a sentence of it, and so does \"%s\" "
         "in `string.format`."},
};

}  // namespace

Topic lua_topic() {
    return {
        "lua",
        "Lua",
        "The language is that of Lua 5.1, as LuaJIT has it. What is not in this document is not "
        "there: no `print`, `next`, `setmetatable`, `xpcall`, `loadstring`, `coroutine`, `io`, "
        "`os`, `debug`, `bit` or `jit`, no random numbers, and no globals of one's own.",
        true,
        lua_words,
        lua_types};
}

}  // namespace ktm::script
