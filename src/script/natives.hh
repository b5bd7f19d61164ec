// SPDX-License-Identifier: Apache-2.0
// script/natives.hh: the functions of C++ that the prelude and the plans call, by file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hh"
#include "script/interpreter.hh"

struct lua_State;

namespace ktm::script {

/// Each adds its functions to the table on top of the stack.
void add_constructors(lua_State* words);  ///< plan, role, state, on, var, …: the words of loading.
void add_text_natives(lua_State* native);   ///< Patterns, tostring, sorted keys, errors of access.
void add_table_natives(lua_State* native);  ///< Order, frozen words, m.
void add_run_natives(lua_State* native);    ///< What acts on a Run.
void add_exec_natives(lua_State* native);   ///< Programs and files.
void add_guest_natives(lua_State* native);  ///< How a guest comes back.
void add_peer_natives(lua_State* native);   ///< What is said to the other node.
void add_look_natives(lua_State* native);   ///< What is found before the run begins.
void add_net_natives(lua_State* native);    ///< What is acquired of the kernel.
void add_net_query_natives(lua_State* native);  ///< What is asked of it, and heard.

/// The word that a plan has when it names it first; find_word() calls this: adds it to the table
/// of words at that index, and pushes it.
inline constexpr const char* net_word = "net";
void push_net_words(lua_State* lua, int words);

/// Forgets what only a plan that is being loaded needs.
void drop_words_of_loading(lua_State* lua, int words);

/// Raises unless the code that runs now is in one of `contexts` (a mask of Context).
void require_context(lua_State* lua, unsigned contexts, const char* word);

/// Raises a text with the place of the plan's code that is to blame.
int blame(lua_State* lua, const std::string& text);

/// Raises: a word was given what it cannot take. `during` is the word, or what it tries.
[[noreturn]] void refuse(lua_State* lua, std::string what, std::string during);
/// The duration in the field of a table of options; nothing when neither is there.
[[nodiscard]] std::optional<Duration> duration_field(lua_State* lua, int options, const char* field,
                                                     const char* word);

inline constexpr unsigned in_actions =
    static_cast<unsigned>(Context::action) | static_cast<unsigned>(Context::undo);
inline constexpr unsigned in_looks = static_cast<unsigned>(Context::look);
/// For words that change nothing.
inline constexpr unsigned in_all_bodies = in_actions | in_looks;

/// The run, for a primitive that waits: raises in a cancelled action, and behind a C function.
[[nodiscard]] Run& waiting_run_of(lua_State* lua, const char* word, unsigned contexts = in_actions);
/// The same for a word that does not wait.
[[nodiscard]] Run& acting_run_of(lua_State* lua, const char* word, unsigned contexts = in_actions);

/// The same for a word of `net`: charged for what the kernel does for it.
[[nodiscard]] Run& waiting_net_run_of(lua_State* lua, const char* word,
                                      unsigned contexts = in_actions);
/// LIMIT: a stretch has time for 2,000 of them; the kernel answers at once, so they do not end it.
inline constexpr std::int64_t net_word_instructions = 5000;

/// What constructors make; see constructors.cc.
inline constexpr const char* node_mark = "ktm.node";
inline constexpr const char* unfinished_mark = "ktm.unfinished";
/// Places in the table of a node.
enum NodePlace : int { node_kind = 1, node_name, node_body, node_file, node_line };

/// Pushes our string.format, around LuaJIT's own at this index.
void push_format(lua_State* lua, int raw_format);
/// register(kind, what, options, function, in_kernel): an entry of the ledger.
int register_entry(lua_State* lua);
/// Where the prelude leaves m:hold in the registry.
inline constexpr const char* hold_word = "hold";
inline constexpr const char* undo_word = "undo";

/// require "name": the value of a module.
int require_module(lua_State* lua);

/// A name that a function reads or writes as a global, and where.
struct GlobalUse {
    std::string name;
    int line = 0;
    bool is_write = false;
};
/// The globals in all functions inside the chunk on top of the stack, which stays there. What the
/// chunk itself does when it is run is not among them.
[[nodiscard]] std::vector<GlobalUse> globals_in_functions(lua_State* lua);

/// Adds C functions to the table on top of the stack.
struct Native {
    const char* name;
    int (*function)(lua_State*);
};
void add_natives(lua_State* lua, const Native* begin, const Native* end);

}  // namespace ktm::script
