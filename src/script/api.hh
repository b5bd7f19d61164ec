// SPDX-License-Identifier: Apache-2.0
// script/api.hh: every word of the plan language, described once.
//
// From this list come docs/api.md, the editor stubs in lua/meta, the "did you mean" of the loader,
// and the tests that hold what is registered against what is described.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "script/interpreter.hh"

namespace ktm::script {

struct Parameter {
    std::string_view name;
    std::string_view type;  ///< In the words of LuaCATS: "string", "table?", "fun(m: ktm.M)".
    std::string_view doc;
};

struct Word {
    std::string_view name;  ///< "qmp", "qmp.try", "m:hold", "var.ip".
    std::span<const Parameter> parameters;
    std::string_view returns;  ///< "table result: what QEMU answered"; empty for nothing.
    std::string_view errors;   ///< What it raises; empty for nothing.
    unsigned contexts;         ///< A mask of Context.
    bool waits;                ///< It may suspend the action.
    int since;                 ///< Version of the language.
    std::string_view doc;
    std::string_view example;
};

/// All words, in the order of the document.
[[nodiscard]] std::span<const Word> all_words();

/// The names that a plan's code can use without a dot: "plan", "qmp", "pairs", …
[[nodiscard]] const std::vector<std::string>& global_words();

/// The names behind the dot: fields_of("qmp") gives "connect", "enable", "try". Empty for what has
/// none.
[[nodiscard]] const std::vector<std::string>& fields_of(std::string_view word);

/// __index of a plan's globals: an unknown word.
int find_word(lua_State* lua);

}  // namespace ktm::script
