// SPDX-License-Identifier: Apache-2.0
// cli/plan_example.cc: the command line with which a plan can be run.
#include "cli/plan_example.hh"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.hh"
#include "plan/settings.hh"

namespace ktm::cli {

namespace {

constexpr std::size_t line_bytes_max = 80;

bool stands_unquoted(char c) {
    constexpr std::string_view harmless = "-_./=:@,+";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (static_cast<unsigned char>(c) & 0x80U) != 0 || harmless.find(c) != harmless.npos;
}

/// The vars that a role cannot run without, in the plan's order.
class Required {
public:
    Required(const plan::Plan& plan, const plan::Role& role) : plan_(plan), role_(role) {
        for (const plan::Var& var : plan.vars) {
            if (is_own(var) && var.required()) {
                names_.insert(var.name);
            }
        }
        for (const plan::Relation& relation : plan.relations) {
            if (relation.kind == plan::Relation::Kind::one_of) {
                choose_one(relation);
            }
        }
        for (const plan::Relation& relation : plan.relations) {
            if (relation.kind == plan::Relation::Kind::together) {
                complete(relation);
            }
        }
    }

    [[nodiscard]] std::vector<const plan::Var*> vars() const {
        std::vector<const plan::Var*> vars;
        for (const plan::Var& var : plan_.vars) {
            if (names_.contains(var.name)) {
                vars.push_back(&var);
            }
        }
        return vars;
    }

private:
    [[nodiscard]] bool is_own(const plan::Var& var) const {
        return var.role.empty() || var.role == role_.name;
    }

    [[nodiscard]] bool has_value(const plan::Var& var) const {
        return var.preset || names_.contains(var.name);
    }

    [[nodiscard]] std::vector<const plan::Var*> own_vars(const plan::Relation& relation) const {
        std::vector<const plan::Var*> vars;
        for (const std::string& name : relation.vars) {
            const plan::Var* var = plan_.find_var(name);
            if (var != nullptr && is_own(*var)) {
                vars.push_back(var);
            }
        }
        return vars;
    }

    void choose_one(const plan::Relation& relation) {
        const std::vector<const plan::Var*> vars = own_vars(relation);
        const bool is_chosen = std::any_of(vars.begin(), vars.end(),
                                           [&](const plan::Var* var) { return has_value(*var); });
        if (vars.size() > 1 && !is_chosen) {
            names_.insert(vars.front()->name);
        }
    }

    void complete(const plan::Relation& relation) {
        const std::vector<const plan::Var*> vars = own_vars(relation);
        const bool is_begun = std::any_of(vars.begin(), vars.end(),
                                          [&](const plan::Var* var) { return has_value(*var); });
        for (const plan::Var* var : vars) {
            if (is_begun && !has_value(*var)) {
                names_.insert(var->name);
            }
        }
    }

    const plan::Plan& plan_;
    const plan::Role& role_;
    std::set<std::string, std::less<>> names_;
};

}  // namespace

std::vector<std::vector<std::string>> example_runs(const plan::Plan& plan,
                                                   const std::string& called) {
    std::vector<std::vector<std::string>> runs;
    for (const plan::Role& role : plan.roles) {
        std::vector<std::string> words{"katamaran run " + shell_word(called)};
        if (plan.roles.size() > 1) {
            words.push_back("--role " + role.name);
        }
        for (const plan::Var* var : Required{plan, role}.vars()) {
            words.push_back("--var " + shell_word(var->name + "=" + plan::example_of(*var)));
        }
        runs.push_back(std::move(words));
    }
    return runs;
}

std::string call_of(ports::Files& files, const script::SearchPath& path, const std::string& name,
                    const std::string& file) {
    const Result<std::string> found = script::find_plan(files, path, name);
    return found && *found == file ? name : file;
}

std::string shell_word(const std::string& text) {
    if (!text.empty() && std::all_of(text.begin(), text.end(), stands_unquoted)) {
        return text;
    }
    std::string word = "'";
    for (const char c : printable(text)) {
        word += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return word + "'";
}

std::string line_of(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) {
        line += (line.empty() ? "" : " ") + word;
    }
    return line;
}

std::vector<std::string> broken(const std::vector<std::string>& words) {
    std::vector<std::string> lines;
    for (const std::string& word : words) {
        if (lines.empty()) {
            lines.push_back(word);
        } else if (lines.back().size() + word.size() < line_bytes_max) {
            lines.back() += " " + word;
        } else {
            lines.back() += " \\";
            lines.push_back("    " + word);
        }
    }
    return lines;
}

}  // namespace ktm::cli
