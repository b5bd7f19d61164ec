// SPDX-License-Identifier: Apache-2.0
// script/api_vars.cc: the types of vars, described.
#include "script/api_topics.hh"

namespace ktm::script {

namespace {

constexpr std::string_view made = "ktm.Var var: for vars = { NAME = … }";

constexpr std::string_view doc_doc = "What it is for. A var without it is refused.";
constexpr std::string_view role_doc = "The only role that has it; without it all have.";
constexpr std::string_view optional_doc =
    "It may stay without a value; in actions it is nil then. Not beside a default.";
constexpr std::string_view required_doc =
    "Says that it has no default on purpose. Only true makes sense.";
constexpr std::string_view agree_doc =
    "It must have the same value at both nodes, or neither run begins.";
constexpr std::string_view min_doc = "The least value, written like the default.";
constexpr std::string_view max_doc = "The greatest value, written like the default.";
constexpr std::string_view min_bytes_doc = "The least size in bytes.";
constexpr std::string_view max_bytes_doc = "The greatest size in bytes.";
constexpr std::string_view min_items_doc = "The least number of items.";
constexpr std::string_view max_items_doc = "The greatest number of items.";

constexpr std::string_view family_doc =
    "\"v4\" or \"v6\": the only family that is accepted; without it both are.";

constexpr Parameter body_parameter{"body", "table", "The var."};
constexpr Parameter doc_key{".doc", "string", doc_doc};
constexpr Parameter role_key{".role", "string?", role_doc};
constexpr Parameter optional_key{".optional", "boolean?", optional_doc};
constexpr Parameter required_key{".required", "boolean?", required_doc};
constexpr Parameter agree_key{".agree", "boolean?", agree_doc};
constexpr Parameter family_key{".family", "string?", family_doc};

constexpr Parameter reference_parameters[] = {
    {"name", "string", "A var that always has a value: a duration, or what the key asks for."},
};
constexpr Parameter ifname_parameters[] = {
    body_parameter, {"[1]", "string?", "The default."},
    doc_key,        role_key,
    optional_key,   required_key,
    agree_key,
};
constexpr Parameter ip_parameters[] = {
    body_parameter, {"[1]", "string?", "The default."},
    doc_key,        role_key,
    optional_key,   required_key,
    agree_key,      family_key,
};
constexpr Parameter ips_parameters[] = {
    body_parameter,
    {"[1]", "string[]?", "The default: a list."},
    doc_key,
    role_key,
    optional_key,
    required_key,
    agree_key,
    {".min", "integer?", min_items_doc},
    {".max", "integer?", max_items_doc},
    family_key,
};
constexpr Parameter list_parameters[] = {
    body_parameter,
    {"[1]", "any[]?", "The default: a list, its items written as defaults of their type."},
    {".of", "string", "The type of the items: any but list, secret and enum."},
    doc_key,
    role_key,
    optional_key,
    required_key,
    agree_key,
    {".min", "integer?", min_items_doc},
    {".max", "integer?", max_items_doc},
    {".family", "string?", "Of items of type ip: the same as for one."},
};
constexpr Parameter quantity_parameters[] = {
    body_parameter,
    {"[1]", "string?", "The default: a number with a unit."},
    doc_key,
    role_key,
    optional_key,
    required_key,
    agree_key,
    {".min", "string?", min_doc},
    {".max", "string?", max_doc},
};
constexpr Parameter int_parameters[] = {
    body_parameter,
    {"[1]", "integer?", "The default."},
    doc_key,
    role_key,
    optional_key,
    required_key,
    agree_key,
    {".min", "integer?", min_doc},
    {".max", "integer?", max_doc},
};
constexpr Parameter text_var_parameters[] = {
    body_parameter,
    {"[1]", "string?", "The default."},
    doc_key,
    role_key,
    optional_key,
    required_key,
    agree_key,
    {".min", "integer?", min_bytes_doc},
    {".max", "integer?", max_bytes_doc},
};
constexpr Parameter bool_parameters[] = {
    body_parameter, {"[1]", "boolean?", "The default."},
    doc_key,        role_key,
    optional_key,   required_key,
    agree_key,
};
constexpr Parameter enum_parameters[] = {
    body_parameter,
    {"[integer]", "string",
     "The words. The first is the default, unless the var is optional or required."},
    doc_key,
    role_key,
    optional_key,
    {".required", "boolean?", "True: the first word is no default."},
    agree_key,
};

constexpr Word var_words[] = {
    {.name = "var",
     .parameters = reference_parameters,
     .returns = "ktm.Deadline deadline: for within = …",
     .contexts = at_load,
     .since = 1,
     .doc = "The value of a var as the deadline of a state.",
     .example = R"(state "precopy" { within = var "patience",
  on { "MIGRATION", status = "completed", go = "done" },
})"},
    {.name = "var.bool",
     .parameters = bool_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "True or false; a person may also write yes, no, on, off. A boolean in actions.",
     .example = R"(var.bool { false, doc = "Also compress what is sent." })"},
    {.name = "var.duration",
     .parameters = quantity_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "A time with one of the units ns, us, ms, s, min, h, d. A number of milliseconds in "
            "actions.",
     .example =
         R"(var.duration { "25ms", min = "1ms", max = "60s", doc = "Dark window to aim for." })"},
    {.name = "var.enum",
     .parameters = enum_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "One of some words. A text in actions.",
     .example = R"(var.enum { "ipip", "gre", "none", doc = "How diverted packets travel." })"},
    {.name = "var.ifname",
     .parameters = ifname_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "The name of a network interface: 1 to 15 bytes without blanks, '/' and ':'. A text in "
            "actions.",
     .example = R"(var.ifname { "tap0", doc = "The guest's tap." })"},
    {.name = "var.int",
     .parameters = int_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "A whole number.",
     .example = R"(var.int { 4, min = 1, max = 255, doc = "Connections of the RAM copy." })"},
    {.name = "var.ip",
     .parameters = ip_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "An address of IPv4 or IPv6. A text in actions, in its canonical form.",
     .example = R"(var.ip { role = "source", doc = "Address of the destination node." })"},
    {.name = "var.ips",
     .parameters = ips_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "Addresses: short for a list of ip. A person writes them with commas between them.",
     .example = R"(var.ips { min = 1, doc = "Addresses of the guest." })"},
    {.name = "var.list",
     .parameters = list_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc =
         "Values of one type. A person writes them with commas between them, or as a JSON array. "
         "A list in actions.",
     .example = R"(var.list { { "tap0", "tap1" }, of = "ifname", doc = "The guest's taps." })"},
    {.name = "var.path",
     .parameters = text_var_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc =
         "A path, not empty. A text in actions. The var called `qmp`, when it is of this type, is "
         "the monitor of the default VM: it is connected before the first state.",
     .example = R"(var.path { doc = "QMP socket of the VM on this node." })"},
    {.name = "var.rate",
     .parameters = quantity_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "An amount in each second, with one of the units B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, "
            "GiB/s, bit/s, kbit/s, Mbit/s, Gbit/s. A number of bytes in actions.",
     .example = R"(var.rate { "10GB/s", doc = "Ceiling of the RAM copy." })"},
    {.name = "var.secret",
     .parameters = text_var_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "A text of at least 8 bytes that is neither printed nor recorded. A text in actions.",
     .example = R"(var.secret { optional = true, doc = "Password of the disk's key." })"},
    {.name = "var.size",
     .parameters = quantity_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "An amount of data, with one of the units B, kB, MB, GB, TB, KiB, MiB, GiB, TiB. A "
            "number of bytes in actions.",
     .example = R"(var.size { "16MiB", doc = "Divert when less RAM than this is left to copy." })"},
    {.name = "var.string",
     .parameters = text_var_parameters,
     .returns = made,
     .contexts = at_load,
     .since = 1,
     .doc = "Any UTF-8 text.",
     .example = R"(var.string { optional = true, max = 64, doc = "A note for the log." })"},
};

constexpr NamedType var_value_types[] = {
    {.name = "ktm.Var", .doc = "What `var.TYPE { … }` makes."},
    {.name = "ktm.Deadline", .doc = "What `var \"NAME\"` makes: the value of a var."},
};

}  // namespace

Topic var_topic() {
    return {"var",
            "Vars",
            "A var is what a person can set for a run; it stands under its name in the `vars` of a "
            "plan, and actions read it as `m.NAME`. Each has a type and a doc, may have a default, "
            "which stands first, and is required otherwise, but with `optional = true`. What is "
            "given is checked before anything runs.",
            true,
            var_words,
            var_value_types};
}

}  // namespace ktm::script
