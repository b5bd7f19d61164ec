// SPDX-License-Identifier: Apache-2.0
// script/modules.cc: what `require` finds while a plan is loaded.
#include "script/modules.hh"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <lua.hpp>
#include <utility>

#include "base/digest.hh"
#include "base/nearest.hh"
#include "base/text.hh"
#include "script/api.hh"
#include "script/convert.hh"
#include "script/natives.hh"

namespace ktm::script {

namespace {

bool is_module_name(const std::string& name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

bool is_word(const std::string& name) {
    const std::vector<std::string>& words = global_words();
    return std::find(words.begin(), words.end(), name) != words.end();
}

}  // namespace

Result<void> Modules::compile(const std::string& file) {
    Result<std::string> text = files_.read(file, source_max);
    if (!text) {
        return std::move(text).error();
    }
    // Whatever Lua wrote it: no text begins so.
    if (text->starts_with(LUA_SIGNATURE[0])) {
        return Error{Kind::invalid, "bytecode", "it is bytecode; expected Lua as text", "",
                     nullptr};
    }
    sources_.add(file, *text);
    digests_[file] = sources_.find(file)->digest(1, sources_.find(file)->lines());
    KTM_CHECK(interpreter_.compile(*text, file));
    for (GlobalUse& use : globals_in_functions(interpreter_.lua())) {
        if (use.is_write || !is_word(use.name)) {
            unknown_globals_.push_back({file, use.line, std::move(use.name), use.is_write});
        }
    }
    return {};
}

Result<std::string> Modules::find(const std::string& name) const {
    if (!is_module_name(name)) {
        return Error{Kind::invalid, "bad-module",
                     "'" + printable(name) +
                         "' is no name of a module; expected a word in lower "
                         "case, such as \"retry\"",
                     "", nullptr};
    }
    std::vector<std::string> folders = library_;
    folders.push_back(own_folder_);
    std::vector<std::string> known;
    for (const std::string& folder : folders) {
        Result<std::vector<std::string>> names = files_.list(folder);
        if (!names) {
            continue;
        }
        if (std::find(names->begin(), names->end(), name + ".lua") != names->end()) {
            return folder + "/" + name + ".lua";
        }
        for (const std::string& file : *names) {
            if (file.ends_with(".lua")) {
                known.push_back(file.substr(0, file.size() - 4));
            }
        }
    }
    return Error{Kind::invalid, "no-module",
                 "no module '" + name + "' in the standard library or beside the plan" +
                     did_you_mean(name, known),
                 "", nullptr};
}

Result<void> Modules::require(const std::string& name) {
    Result<std::string> file = find(name);
    if (!file) {
        return std::move(file).error();
    }
    const auto [entry, is_new] = kept_.try_emplace(*file, 0);
    if (!is_new && entry->second == 0) {
        return Error{Kind::invalid, "module-cycle", "the module '" + name + "' requires itself", "",
                     nullptr};
    }
    if (is_new) {
        KTM_CHECK(compile(*file));
        // Inside a stretch of the plan: its budget counts.
        if (lua_pcall(interpreter_.lua(), 0, 1, 0) != 0) {
            return interpreter_.take_error(interpreter_.lua());
        }
        if (lua_isnil(interpreter_.lua(), -1)) {
            return Error{Kind::invalid, "bad-module",
                         "the module '" + name + "' (" + *file +
                             ") returns nothing; expected a value, such as a table",
                         "", nullptr};
        }
        entry->second = interpreter_.keep(interpreter_.lua());
    }
    interpreter_.push_kept(interpreter_.lua(), entry->second);
    return {};
}

/// The end of the name of a source with which the text begins, as in "file:3: …"; or nothing.
std::optional<std::size_t> Modules::end_of_source(const std::string& text) const {
    for (std::size_t colon = text.find(':'); colon != std::string::npos;
         colon = text.find(':', colon + 1)) {
        if (sources_.find(std::string_view{text}.substr(0, colon)) != nullptr) {
            return colon;
        }
    }
    return std::nullopt;
}

plan::Fault Modules::fault_of(const std::string& file, const Error& error) const {
    plan::Fault fault{{file, 0}, "", error.what, "", ""};
    if (const std::optional<std::size_t> colon = end_of_source(error.what)) {
        const std::size_t end = error.what.find(':', *colon + 1);
        if (end != std::string::npos) {
            fault.place = {error.what.substr(0, *colon),
                           std::atoi(error.what.c_str() + *colon + 1)};
            fault.what = error.what.substr(std::min(end + 2, error.what.size()));
        }
    } else if (error.kind == Kind::io || error.code == "too-large") {
        fault.what = "it cannot be read: " + error.what;
    } else if (!error.during.empty()) {
        fault.what = error.sentence();
    }
    return fault;
}

std::string Modules::digest() const {
    std::uint64_t all = digest_begin;
    for (const auto& [file, digest] : digests_) {
        all = digest_with(all, digest);
    }
    std::array<char, 17> digits{};
    (void)std::snprintf(digits.data(), digits.size(), "%016llx",
                        static_cast<unsigned long long>(all));
    return digits.data();
}

int require_module(lua_State* lua) {
    require_context(lua, static_cast<unsigned>(Context::load), "require");
    Interpreter& interpreter = Interpreter::of(lua);
    const std::string name = lua_type(lua, 1) == LUA_TSTRING ? lua_tostring(lua, 1) : "";
    const Result<void> found = interpreter.modules()->require(name);
    if (found) {
        return 1;
    }
    const Error& error = found.error();
    if (error.code == "plan") {
        // Lua's own words, and with a place already.
        lua_pushlstring(lua, error.what.data(), error.what.size());
        return lua_error(lua);
    }
    return blame(lua, error.during.empty() ? error.what : error.sentence());
}

}  // namespace ktm::script
