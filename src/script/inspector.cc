// SPDX-License-Identifier: Apache-2.0
// script/inspector.cc: what is wrong inside the functions of a plan.
#include "script/inspector.hh"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/nearest.hh"
#include "plan/wording.hh"
#include "script/api.hh"

namespace ktm::script {

namespace {

constexpr std::string_view peer_word = "peer";

/// Events that only the plan itself makes happen, and how it does.
struct Making {
    std::string_view prefix;  ///< Of the event; what is behind it is the name that is given.
    NamingWord word;
    std::string_view complaint;  ///< In front of the name of what nobody makes.
    std::string_view expected;   ///< Around the name.
};

const std::vector<Making>& makings() {
    static const std::vector<Making> all{
        {"timer:",
         {"timer", {"after", "every"}, 1},
         "nothing begins the timer ",
         "timer.after(…, "},
        {"peer:", {"peer", {"send", "ask"}, 0}, "neither node says the word ", "peer.send("},
        {"", {"", {"emit"}, 0}, "nothing emits ", "emit("},
    };
    return all;
}

/// Events that katamaran itself makes.
bool is_made_for_plan(std::string_view event) {
    return event.starts_with("signal:") || event == "qmp:lost" || event == "peer:lost" ||
           event == "peer:ended" || !plan::is_own_event(event);
}

class Inspector {
public:
    Inspector(const plan::Plan& plan, const Modules& modules, plan::Faults& faults)
        : plan_(plan), modules_(modules), faults_(faults) {}

    void run() {
        std::set<std::string_view> written;
        for (const Modules::UnknownGlobal& global : modules_.unknown_globals()) {
            if (global.is_write) {
                written.insert(global.name);
            }
        }
        for (const Modules::UnknownGlobal& global : modules_.unknown_globals()) {
            // That it is read as well is the same mistake.
            if (global.is_write || !written.contains(global.name)) {
                add_global(global);
            }
        }
        for (const plan::Role& role : plan_.roles) {
            for (const plan::FunctionRef& looks : role.looks) {
                look_into(looks, role, role.name + ".looks");
            }
            for (const plan::State& state : role.states) {
                for (const plan::FunctionRef* function : functions_of(state)) {
                    look_into(*function, role, role.name + "." + state.name);
                }
                for (const plan::Handler& handler : state.handlers) {
                    check_heard(handler, role, role.name + "." + state.name);
                }
            }
        }
    }

private:
    static std::vector<const plan::FunctionRef*> functions_of(const plan::State& state) {
        std::vector<const plan::FunctionRef*> functions;
        if (state.enter) {
            functions.push_back(&*state.enter);
        }
        for (const plan::Handler& handler : state.handlers) {
            if (handler.run) {
                functions.push_back(&*handler.run);
            }
        }
        return functions;
    }

    static bool has_line(const plan::FunctionRef& function, const std::string& file, int line) {
        return function.place.file == file && function.place.line <= line &&
               line <= function.last_line;
    }

    /// "source.precopy", when the line is inside one of that state's functions.
    [[nodiscard]] std::string state_at(const std::string& file, int line) const {
        for (const plan::Role& role : plan_.roles) {
            for (const plan::FunctionRef& looks : role.looks) {
                if (has_line(looks, file, line)) {
                    return role.name + ".looks";
                }
            }
            for (const plan::State& state : role.states) {
                for (const plan::FunctionRef* function : functions_of(state)) {
                    if (has_line(*function, file, line)) {
                        return role.name + "." + state.name;
                    }
                }
            }
        }
        return "";
    }

    void add(plan::Place place, std::string where, std::string what, std::string_view wanted,
             const std::vector<std::string>& known) {
        faults_.push_back(
            {std::move(place), std::move(where), std::move(what), "", plan::meant(wanted, known)});
    }

    void add_global(const Modules::UnknownGlobal& global) {
        const std::string where = state_at(global.file, global.line);
        const std::vector<std::string>& words = global_words();
        if (global.is_write && std::find(words.begin(), words.end(), global.name) != words.end()) {
            faults_.push_back({{global.file, global.line},
                               where,
                               "'" + global.name + "' is a word of the language",
                               "another name, and local",
                               ""});
        } else if (global.is_write) {
            faults_.push_back({{global.file, global.line},
                               where,
                               "'" + global.name + "' would be a global",
                               "local " + global.name + ", or m.note." + global.name,
                               ""});
        } else {
            add({global.file, global.line}, where, "no word '" + global.name + "'", global.name,
                global_words());
        }
    }

    void look_into(const plan::FunctionRef& function, const plan::Role& role,
                   const std::string& where) {
        const SourceText* source = modules_.sources().find(function.place.file.text());
        if (source == nullptr) {
            return;
        }
        const std::vector<Token> tokens = source->tokens(function.place.line, function.last_line);
        const bool has_m = takes_m(tokens);
        for (const FieldUse& use : field_uses_in(tokens)) {
            const plan::Place place{function.place.file, use.line};
            if (use.object == "m" && has_m) {
                check_var(use, place, where, role);
            } else {
                check_field(use, place, where, *source);
                check_peer(use, place, where, role, *source);
            }
        }
    }

    /// A handler waits in vain for what nobody makes happen.
    void check_heard(const plan::Handler& handler, const plan::Role& role,
                     const std::string& where) {
        const bool is_strange = handler.event.starts_with("peer:") && !role.peer.given();
        if (is_strange || is_made_for_plan(handler.event)) {
            return;
        }
        const auto making =
            std::find_if(makings().begin(), makings().end(),
                         [&](const Making& one) { return handler.event.starts_with(one.prefix); });
        const auto [known, is_new] = given_.try_emplace(making->prefix);
        if (is_new) {
            known->second = names_given(modules_.sources(), making->word);
        }
        const std::string name = handler.event.substr(making->prefix.size());
        const std::optional<std::set<std::string>>& names = known->second;
        if (names && !names->contains(name)) {
            faults_.push_back({handler.place, where,
                               std::string{making->complaint} + "'" + name + "'",
                               std::string{making->expected} + "\"" + name + "\")",
                               plan::meant(name, {names->begin(), names->end()})});
        }
    }

    /// The words of the other node, where there is none.
    void check_peer(const FieldUse& use, const plan::Place& place, const std::string& where,
                    const plan::Role& role, const SourceText& source) {
        if (use.object == peer_word && !role.peer.given() && !is_shadowed(source, use.object)) {
            faults_.push_back(
                {place, where, "peer." + std::string{use.field} + " in a role without another node",
                 "peer_to = var \"NAME\" or peer_from = var \"NAME\" in the role", ""});
        }
    }

    /// Whether the function's first parameter is called m.
    static bool takes_m(const std::vector<Token>& tokens) {
        for (std::size_t at = 0; at + 2 < tokens.size(); ++at) {
            if (tokens[at].text == "function") {
                return tokens[at + 2].text == "m";
            }
        }
        return false;
    }

    /// Whether the file gives the word a meaning of its own.
    static bool is_shadowed(const SourceText& source, std::string_view word) {
        const std::vector<Token> tokens = source.tokens(1, source.lines());
        for (std::size_t at = 0; at + 1 < tokens.size(); ++at) {
            const std::string_view before = tokens[at].text;
            if ((before == "local" || before == "function" || before == "(" || before == "," ||
                 before == "for") &&
                tokens[at + 1].text == word &&
                (before == "local" || before == "for" ||
                 (at + 2 < tokens.size() &&
                  (tokens[at + 2].text == "," || tokens[at + 2].text == ")")))) {
                return true;
            }
        }
        return false;
    }

    void check_var(const FieldUse& use, const plan::Place& place, const std::string& where,
                   const plan::Role& role) {
        const std::string name{use.field};
        if (name == "note" || name == "hold" || name == "undo") {
            return;
        }
        const plan::Var* var = plan_.find_var(name);
        if (var == nullptr) {
            std::vector<std::string> known = plan_.var_names();
            known.insert(known.end(), {"note", "hold", "undo"});
            add(place, where, "no var '" + name + "'", name, known);
        } else if (!var->role.empty() && var->role != role.name) {
            faults_.push_back({place, where,
                               "the var '" + name + "' belongs to the role '" + var->role + "'", "",
                               ""});
        }
    }

    void check_field(const FieldUse& use, const plan::Place& place, const std::string& where,
                     const SourceText& source) {
        const std::vector<std::string>& fields = fields_of(use.object);
        const std::string name{use.field};
        const bool known =
            fields.empty() || std::find(fields.begin(), fields.end(), name) != fields.end();
        if (!known && !is_shadowed(source, use.object)) {
            const std::string object = std::string{use.object} + ".";
            const std::vector<std::string> near = nearest(name, fields, 1);
            faults_.push_back({place, where, "no " + object + name, "",
                               near.empty() ? "" : object + near.front()});
        }
    }

    const plan::Plan& plan_;
    const Modules& modules_;
    plan::Faults& faults_;
    std::map<std::string_view, std::optional<std::set<std::string>>> given_;  ///< By prefix.
};

}  // namespace

void inspect(const plan::Plan& plan, const Modules& modules, plan::Faults& faults) {
    Inspector{plan, modules, faults}.run();
}

}  // namespace ktm::script
