// SPDX-License-Identifier: Apache-2.0
// script/api_topics.hh: the described words by topic, and how a description is read.
//
// How a Word is written down:
//
// - A parameter whose name begins with '.' or '[' is a key of the table that stands before it:
//   ".within", "[1]" for its first item, "[integer]" for its items, "[string]" for any other key.
// - A table with keys that is called "body", or that is the only argument, is written without
//   parentheses; behind another argument it is given in a call of its own: state "x" { … }.
// - `returns` has a line for each value: a type without blanks, a name, ": " and what it is.
// Without
//   a name the word is a value and no function: "number: infinity".
// - `errors` has a line for each: "`kind` `code`: when". What each word does in the wrong context,
//   and what a cancelled action does, is said once, at the head of the document.
// - Capitals behind the dot stand for any name: m.NAME.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "script/api.hh"
#include "script/natives.hh"

namespace ktm::script {

inline constexpr unsigned at_load = static_cast<unsigned>(Context::load);
inline constexpr unsigned everywhere = at_load | in_all_bodies;

/// A type that parameters and results name.
struct NamedType {
    std::string_view name;
    std::string_view means;  ///< In the words of LuaCATS; empty for a table with these fields.
    std::span<const Parameter> fields;
    std::string_view doc;
};

/// A part of the document, and one file of stubs.
struct Topic {
    std::string_view name;  ///< Of the file: lua/meta/NAME.lua.
    std::string_view title;
    std::string_view doc;
    bool is_global;  ///< Its words are in the environment of a plan; others come as values.
    std::span<const Word> words;
    std::span<const NamedType> types;
};

/// In the order of the document.
[[nodiscard]] const std::vector<Topic>& all_topics();

// The topics, by the file in which they are described.
[[nodiscard]] Topic plan_topic();
[[nodiscard]] Topic var_topic();
[[nodiscard]] Topic machine_topic();
[[nodiscard]] Topic qmp_topic();
[[nodiscard]] Topic vm_topic();
[[nodiscard]] Topic net_topic();
[[nodiscard]] Topic peer_topic();
[[nodiscard]] Topic look_topic();
[[nodiscard]] Topic exec_topic();
[[nodiscard]] Topic time_topic();
[[nodiscard]] Topic log_topic();
[[nodiscard]] Topic lua_topic();
[[nodiscard]] Topic text_topic();
[[nodiscard]] Topic table_topic();

// --- Reading a description ----------------------------------------------------------------------

struct Argument {
    const Parameter* parameter;
    std::vector<const Parameter*> keys;
    bool is_body;  ///< Written as { … }, without parentheses.
};
[[nodiscard]] std::vector<Argument> arguments_of(const Word& word);

struct Returned {
    std::string_view type;
    std::string_view name;  ///< Empty for a word that is a value.
    std::string_view doc;
};
[[nodiscard]] std::vector<Returned> returned_by(const Word& word);

/// Whether it is no function.
[[nodiscard]] bool is_value(const Word& word);

/// "In actions and undos; waits. Since api 1."
[[nodiscard]] std::string usage_of(const Word& word);

/// The part before the first dot or colon, and the part behind it: "qmp" and "try".
[[nodiscard]] std::string_view root_of(std::string_view word) noexcept;
[[nodiscard]] std::string_view field_of(std::string_view word) noexcept;

}  // namespace ktm::script
