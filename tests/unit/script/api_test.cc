// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/api_test.cc: what is described is what a plan has, and nothing else.
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "script/api.hh"
#include "script/api_pages.hh"
#include "script/api_topics.hh"
#include "script/interpreter.hh"
#include "script/loader.hh"
#include "script/lua_state.hh"
#include "script/natives.hh"
#include "script/source_text.hh"
#include "script/var_reader.hh"
#include "sim/virtual_files.hh"

using ktm::Result;
using ktm::plan::Fault;
using ktm::script::all_topics;
using ktm::script::all_words;
using ktm::script::Argument;
using ktm::script::Context;
using ktm::script::fields_of;
using ktm::script::global_words;
using ktm::script::Interpreter;
using ktm::script::NamedType;
using ktm::script::Parameter;
using ktm::script::Returned;
using ktm::script::Topic;
using ktm::script::Word;

namespace {

using Names = std::set<std::string>;

const Word& word_of(std::string_view name) {
    for (const Word& word : all_words()) {
        if (word.name == name) {
            return word;
        }
    }
    FAIL("no word " << name);
    return all_words().front();
}

Names described_globals() {
    Names names;
    for (const Topic& topic : all_topics()) {
        for (const Word& word : topic.words) {
            if (topic.is_global) {
                names.emplace(word.name);
            }
        }
    }
    return names;
}

// --- What a plan sees
// -----------------------------------------------------------------------------

/// Replaces the value on the stack by what its metatable has under that key.
bool enter_metafield(lua_State* lua, const char* key) {
    if (lua_getmetatable(lua, -1) == 0) {
        return false;
    }
    lua_getfield(lua, -1, key);
    lua_replace(lua, -3);
    lua_pop(lua, 1);
    return true;
}

bool has_metafield(lua_State* lua, const char* key) {
    return luaL_getmetafield(lua, -1, key) != 0 ? (lua_pop(lua, 1), true) : false;
}

/// The names behind a word on the stack: of a frozen table, or the types of var.
Names fields_behind(lua_State* lua) {
    Names names;
    lua_pushvalue(lua, -1);
    REQUIRE(enter_metafield(lua, "__index"));
    if (lua_isfunction(lua, -1)) {
        const std::vector<std::string> types = ktm::script::var_type_names();
        names.insert(types.begin(), types.end());
    } else {
        lua_pushnil(lua);
        while (lua_next(lua, -2) != 0) {
            lua_pop(lua, 1);
            names.emplace(lua_tostring(lua, -1));
        }
    }
    lua_pop(lua, 1);
    return names;
}

/// All that a plan's code can name: "qmp", "qmp.try".
Names seen_words() {
    Interpreter interpreter;
    lua_State* lua = interpreter.lua();
    // A plan has `net` from when it names it first.
    REQUIRE(interpreter.compile("return net", "words.lua"));
    lua_pushvalue(lua, -1);
    REQUIRE(interpreter.call(0, 0, Context::load));
    lua_getfenv(lua, -1);
    REQUIRE(enter_metafield(lua, "__index"));
    Names names;
    lua_pushnil(lua);
    while (lua_next(lua, -2) != 0) {
        const std::string name = lua_tostring(lua, -2);
        const bool is_table = lua_istable(lua, -1);
        if (!is_table || has_metafield(lua, "__call")) {
            names.insert(name);
        }
        for (const std::string& field : is_table ? fields_behind(lua) : Names{}) {
            names.insert(name + "." + field);
        }
        lua_pop(lua, 1);
    }
    return names;
}

Names without(const Names& all, const Names& known) {
    Names rest;
    std::set_difference(all.begin(), all.end(), known.begin(), known.end(),
                        std::inserter(rest, rest.end()));
    return rest;
}

// --- Running small chunks
// -------------------------------------------------------------------------

/// What the chunk raises in that context; empty when it raises nothing.
std::string raised_by(const std::string& chunk, Context context) {
    Interpreter interpreter;
    Result<void> done = interpreter.compile(chunk, "chunk.lua");
    if (done) {
        done = interpreter.call(0, 0, context);
    }
    return done ? "" : done.error().what;
}

/// What a call of the word raises, or gives back behind nil, as the words called try do.
std::string refusal_of(const Word& word, Context context) {
    return raised_by("local result, problem = " + std::string{word.name} +
                         "(\"x\", {}) if result == nil then error(problem, 0) end",
                     context);
}

/// Everything that an example names as a global, and how.
std::vector<ktm::script::GlobalUse> globals_of(const std::string& chunk) {
    Interpreter interpreter;
    REQUIRE(interpreter.compile(chunk, "example.lua"));
    return ktm::script::globals_in_functions(interpreter.lua());
}

/// An example as it stands in a plan: in an action, with its arguments.
std::string in_action(const Word& word) {
    return "return function(m, event)\n" + std::string{word.example} + "\nend";
}

// --- What the loader says
// -------------------------------------------------------------------------

std::vector<Fault> faults_of(const std::string& name, const std::string& text,
                             const std::string& parent = "") {
    ktm::sim::VirtualFiles files;
    REQUIRE(files.replace("plans/" + name + ".lua", text));
    if (!parent.empty()) {
        REQUIRE(files.replace("plans/shared-storage.lua", parent));
    }
    return ktm::script::load_plan(files, {{"plans"}, {}}, name).faults;
}

std::string first_fault(const std::vector<Fault>& faults) {
    return faults.empty() ? "" : faults.front().what + "; expected " + faults.front().expected;
}

/// The keys in "a, b or c".
Names split(std::string text) {
    Names names;
    for (std::size_t at = text.find(" or "); at != std::string::npos; at = text.find(" or ")) {
        text.replace(at, 4, ", ");
    }
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(", "), text.size());
        names.insert(text.substr(0, comma));
        text.erase(0, comma + 2);
    }
    return names;
}

/// The keys that the loader allows where the text has a wrong one.
Names allowed_keys(const std::string& text) {
    for (const Fault& fault : faults_of("keys", text)) {
        if (fault.what.starts_with("no key 'zzzzzz'")) {
            return split(fault.expected);
        }
    }
    FAIL("no fault about the key in " << text);
    return {};
}

Names described_keys(std::string_view word) {
    Names keys;
    for (const Parameter& parameter : word_of(word).parameters) {
        if (parameter.name.starts_with('.')) {
            keys.emplace(parameter.name.substr(1));
        }
    }
    return keys;
}

/// The types of ours in a type: "ktm.Event".
Names types_in(std::string_view type) {
    Names names;
    for (std::size_t at = type.find("ktm."); at != type.npos; at = type.find("ktm.", at + 4)) {
        const std::size_t end = type.find_first_of("?|,()[]>:", at);
        names.emplace(type.substr(at, std::min(end, type.size()) - at));
    }
    return names;
}

bool is_sentence(std::string_view text) {
    return !text.empty() && (text.ends_with('.') || text.ends_with(')'));
}

}  // namespace

// --- The words
// ------------------------------------------------------------------------------------

TEST_CASE("each word that a plan sees is described, and each described one is there") {
    const Names seen = seen_words();
    CHECK(without(seen, described_globals()) == Names{});
    CHECK(without(described_globals(), seen) == Names{});
    CHECK(seen.size() > 80);
}

TEST_CASE("each word is described once, and the document begins with plan") {
    Names names;
    for (const Word& word : all_words()) {
        INFO(word.name);
        CHECK(names.emplace(word.name).second);
    }
    CHECK(all_words().front().name == "plan");
}

TEST_CASE("the global words are the roots of the described ones, without m and vm") {
    Names roots;
    for (const std::string& name : described_globals()) {
        roots.emplace(ktm::script::root_of(name));
    }
    const std::vector<std::string>& words = global_words();
    CHECK(Names(words.begin(), words.end()) == roots);
    CHECK(words.size() == roots.size());
    CHECK(roots.count("m") + roots.count("vm") == 0);
}

TEST_CASE("the fields of a word are what stands behind its dot") {
    CHECK(fields_of("qmp") == std::vector<std::string>{"try", "enable", "wake", "quit", "restore",
                                                       "reconnect", "connect"});
    CHECK(fields_of("timer") == std::vector<std::string>{"after", "every", "cancel"});
    CHECK(fields_of("sleep").empty());
    CHECK(fields_of("m").empty());
    CHECK(fields_of("vm").empty());
    CHECK(fields_of("nothing").empty());
}

TEST_CASE("each description says everything") {
    for (const Word& word : all_words()) {
        INFO(word.name);
        CHECK(is_sentence(word.doc));
        CHECK((word.errors.empty() || is_sentence(word.errors)));
        CHECK(!word.example.empty());
        CHECK(word.since == 1);
        CHECK(word.contexts != 0);
        CHECK((!word.waits || (word.contexts & ktm::script::at_load) == 0));
        for (const Parameter& parameter : word.parameters) {
            INFO(parameter.name);
            CHECK(!parameter.type.empty());
            CHECK(is_sentence(parameter.doc));
        }
        for (const Returned& value : ktm::script::returned_by(word)) {
            CHECK(!value.type.empty());
            CHECK(!value.doc.empty());
            CHECK(value.name.find(' ') == std::string_view::npos);
        }
    }
}

TEST_CASE("each type that a description names is described") {
    Names known{"ktm.M", "ktm.Vm"};
    Names named;
    const auto name_all = [&](std::span<const Parameter> parameters) {
        for (const Parameter& parameter : parameters) {
            named.merge(types_in(parameter.type));
        }
    };
    for (const Topic& topic : all_topics()) {
        for (const NamedType& type : topic.types) {
            CHECK(known.emplace(type.name).second);
            CHECK(is_sentence(type.doc));
            name_all(type.fields);
        }
        for (const Word& word : topic.words) {
            name_all(word.parameters);
            for (const Returned& value : ktm::script::returned_by(word)) {
                named.merge(types_in(value.type));
            }
        }
    }
    CHECK(without(named, known) == Names{});
    CHECK(without(known, named) == Names{});
}

// --- Contexts
// -------------------------------------------------------------------------------------

TEST_CASE("a word is refused in each context that its description does not list") {
    for (const Topic& topic : all_topics()) {
        for (const Word& word : topic.words) {
            for (const Context context :
                 {Context::load, Context::action, Context::undo, Context::look}) {
                if (!topic.is_global || (word.contexts & static_cast<unsigned>(context)) != 0) {
                    continue;
                }
                INFO(word.name << " in context " << static_cast<int>(context));
                const std::string error = refusal_of(word, context);
                const bool declares = word.contexts == ktm::script::at_load;
                const bool finds = word.contexts == ktm::script::in_looks;
                const bool loading = context == Context::load;
                CHECK_THAT(error, Catch::Contains(declares            ? " declares; "
                                                  : finds && !loading ? " finds something; "
                                                                      : " acts; "));
                CHECK_THAT(error, Catch::Contains(std::string{ktm::script::root_of(word.name)}));
            }
        }
    }
}

TEST_CASE("a word that belongs everywhere is refused nowhere") {
    for (const Word& word : all_words()) {
        if (word.contexts != ktm::script::everywhere) {
            continue;
        }
        for (const Context context :
             {Context::load, Context::action, Context::undo, Context::look}) {
            INFO(word.name << " in context " << static_cast<int>(context));
            const std::string error =
                raised_by("local _ = " + std::string{word.name} + " return pcall(_, 1)", context);
            CHECK(error == "");
        }
    }
}

// --- Examples
// -------------------------------------------------------------------------------------

TEST_CASE("each example is legal code, and uses the word that it is for") {
    const ktm::script::LuaState lua{luaL_newstate()};
    for (const Word& word : all_words()) {
        INFO(word.name << "\n" << word.example);
        CHECK(luaL_loadstring(lua.get(), std::string{word.example}.c_str()) == 0);
        lua_settop(lua.get(), 0);
        const bool any_name = word.name == "m.NAME";
        const std::string_view used = any_name ? "m." : word.name;
        const bool as_method = word.name == "string.upper";
        CHECK((as_method || word.example.find(used) != std::string_view::npos));
    }
}

TEST_CASE("an example uses described words alone") {
    const std::vector<std::string>& words = global_words();
    for (const Word& word : all_words()) {
        INFO(word.name);
        const std::string chunk = in_action(word);
        for (const ktm::script::GlobalUse& use : globals_of(chunk)) {
            INFO(use.name);
            CHECK_FALSE(use.is_write);
            CHECK(std::find(words.begin(), words.end(), use.name) != words.end());
        }
        const ktm::script::SourceText source{chunk};
        for (const auto& use : ktm::script::field_uses_in(source.tokens(1, source.lines()))) {
            const std::vector<std::string> fields = fields_of(use.object);
            INFO(use.object << "." << use.field);
            CHECK((fields.empty() ||
                   std::find(fields.begin(), fields.end(), use.field) != fields.end()));
        }
    }
}

TEST_CASE("the examples of words that declare run while a plan is loaded") {
    for (const Word& word : all_words()) {
        if (word.contexts == ktm::script::at_load && word.name != "require") {
            INFO(word.name);
            CHECK(raised_by(std::string{word.example}, Context::load) == "");
        }
    }
}

TEST_CASE("the examples of words that belong everywhere do no harm while a plan is loaded") {
    // Some of them say what came out, by a word of actions: that one is refused, and nothing else.
    for (const Word& word : all_words()) {
        if (word.contexts == ktm::script::everywhere && word.name != "error") {
            INFO(word.name);
            const std::string error = raised_by(std::string{word.example}, Context::load);
            CHECK((error.empty() || error.find(" acts; ") != std::string::npos));
        }
    }
}

TEST_CASE("the example of a plan is a plan without a fault") {
    CHECK(first_fault(faults_of("pause", std::string{word_of("plan").example})) == "");
}

TEST_CASE("the example of derive is a plan without a fault, where its parent is there") {
    const std::string parent = R"(return plan { name = "shared-storage", api = 1, summary = "s",
      vars = { patience = var.duration { "1h", doc = "d" } },
      role "source" {
        state "precopy" { within = var "patience", on { "STOP", go = "divert" } },
        state "divert" { within = "5s", next = "done" },
      } })";
    const std::string child{word_of("derive").example};
    CHECK(first_fault(faults_of("patient-storage", child, parent)) == "");
}

// --- Keys
// -----------------------------------------------------------------------------------------

TEST_CASE("the described keys of plan, derive, state and change are those that the loader takes") {
    CHECK(allowed_keys("return plan { zzzzzz = 1 }") == described_keys("plan"));
    CHECK(allowed_keys("return derive \"keys\" { zzzzzz = 1 }") == described_keys("derive"));
    CHECK(allowed_keys("return plan { role \"r\" { state \"s\" { zzzzzz = 1 } } }") ==
          described_keys("state"));
    CHECK(allowed_keys("return derive \"p\" { role \"r\" { change \"s\" { zzzzzz = 1 } } }") ==
          described_keys("change"));
}

TEST_CASE("the described keys of a role are those that the loader takes, in derive too") {
    CHECK(allowed_keys("return plan { role \"r\" { zzzzzz = 1 } }") == described_keys("role"));
    CHECK(allowed_keys("return derive \"p\" { role \"r\" { zzzzzz = 1 } }") ==
          described_keys("role"));
}

TEST_CASE("an insertion has no keys, as described") {
    CHECK(allowed_keys("return derive \"p\" { role \"r\" { before \"s\" { zzzzzz = 1 } } }") ==
          Names{});
    CHECK(described_keys("before") == Names{});
    CHECK(described_keys("after") == Names{});
}

TEST_CASE("the described keys of each type of var are those that the loader takes") {
    for (const std::string& type : ktm::script::var_type_names()) {
        INFO(type);
        // A list has the keys of its items, too.
        const std::string items = type == "list" ? "of = 'ip', " : "";
        CHECK(allowed_keys("return plan { vars = { x = var." + type + " { " + items +
                           "zzzzzz = 1 } } }") == described_keys("var." + type));
    }
}

TEST_CASE("the described examples of vars are vars without a fault") {
    for (const Word& word : all_words()) {
        if (word.name.starts_with("var.")) {
            INFO(word.name);
            const std::string plan =
                "return plan { name = \"v\", api = 1, summary = \"s\", vars = { x = " +
                std::string{word.example} +
                " }, role \"source\" { state \"a\" { within = \"1s\", next = \"done\" } } }";
            CHECK(first_fault(faults_of("v", plan)) == "");
        }
    }
}

// --- The files
// ------------------------------------------------------------------------------------

TEST_CASE("the document names each word, and each type") {
    const std::string document = ktm::script::api_document();
    for (const Topic& topic : all_topics()) {
        for (const Word& word : topic.words) {
            CHECK_THAT(document, Catch::Contains("\n### `" + std::string{word.name} + "`\n"));
        }
        for (const NamedType& type : topic.types) {
            CHECK_THAT(document, Catch::Contains("\n### `" + std::string{type.name} + "`\n"));
        }
    }
}

TEST_CASE("each stub is legal Lua, of lines that are not too long") {
    const ktm::script::LuaState lua{luaL_newstate()};
    for (const auto& [name, text] : ktm::script::api_stubs()) {
        INFO(name);
        CHECK(luaL_loadstring(lua.get(), text.c_str()) == 0);
        lua_settop(lua.get(), 0);
        CHECK(text.starts_with("---@meta\n"));
        for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
            CHECK(text.find('\n', at) - at <= 100);
        }
    }
}

TEST_CASE("each function and each value has a stub") {
    std::string stubs;
    for (const auto& [name, text] : ktm::script::api_stubs()) {
        stubs += text;
    }
    for (const Word& word : all_words()) {
        INFO(word.name);
        const std::string name{word.name};
        const std::string field{ktm::script::field_of(name)};
        const bool is_root = stubs.find("\n" + name + " = {}\n") != std::string::npos ||
                             stubs.find("\nlocal " + name + " = {}\n") != std::string::npos;
        const bool is_function = stubs.find("\nfunction " + name + "(") != std::string::npos;
        const bool is_field = stubs.find("\n---@field " + field + " ") != std::string::npos;
        const bool is_any = stubs.find("\n---@field [string] any ") != std::string::npos;
        CHECK((is_root || is_function || (ktm::script::is_value(word) && (is_field || is_any))));
    }
}
