// SPDX-License-Identifier: Apache-2.0
// trial/case_file.cc: the file in which a person writes a case of a plan.
#include "trial/case_file.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "json/writer.hh"
#include "plan/wording.hh"
#include "script/form.hh"
#include "script/table_file.hh"
#include "trial/sequence.hh"

namespace ktm::trial {

namespace {

using script::Datum;
using Names = std::vector<std::string>;
using Type = script::Datum::Type;

const Names known_ends{"done", "aborted", "stranded", "killed"};

/// What a fault strikes, by key.
constexpr std::array<std::pair<std::string_view, Channel>, 8> channels{{
    {"command", Channel::command},
    {"reply", Channel::reply},
    {"event", Channel::event},
    {"kernel", Channel::request},
    {"word", Channel::line},
    {"journal", Channel::journal},
    {"program", Channel::program},
    {"run", Channel::run},
}};

/// LIMIT: what a count of packets or of crossings may be.
constexpr double count_max = 9e15;

std::string beside(const std::string& file, const std::string& name) {
    const std::size_t slash = file.rfind('/');
    return name.starts_with('/') || slash == std::string::npos ? name
                                                               : file.substr(0, slash + 1) + name;
}

class CaseReader {
public:
    CaseReader(const std::string& file, plan::Faults& faults) : form_(sources_, faults) {
        case_.file = file;
    }

    Case read(Datum table) && {
        allow(table, "",
              {"claim", "plan", "role", "vars", "vars_file", "model", "programs", "trace", "faults",
               "expect"});
        case_.claim = text(table, "claim", "");
        case_.plan = text(table, "plan", "");
        case_.role = text(table, "role", "");
        read_vars(table);
        read_model(table);
        read_programs(table);
        if (table.find("trace") != nullptr) {
            case_.trace = beside(case_.file, text(table, "trace", ""));
        }
        read_faults(table);
        read_expected(table);
        check_whole(table);
        case_.table = std::move(table);
        return std::move(case_);
    }

private:
    void allow(const Datum& table, const std::string& where, const Names& keys) {
        for (const Datum::Field& field : table.fields) {
            if (std::find(keys.begin(), keys.end(), field.name) == keys.end()) {
                form_.add({field.value.place(), where, "no key " + plan::shown(field.name),
                           keys.empty() ? "none" : plan::listed(keys),
                           plan::meant(field.name, keys)});
            }
        }
    }

    void no_items(const Datum& table, const std::string& where, const std::string& expected) {
        for (const Datum& item : table.items) {
            form_.stray(item, where, expected);
        }
    }

    std::string text(const Datum& table, std::string_view key, const std::string& where,
                     const std::string& expected = "a text that is not empty") {
        const Datum* value = table.find(key);
        if (value == nullptr || (value->type == Type::text && !value->text.empty())) {
            return value == nullptr ? "" : value->text;
        }
        form_.fault(*value, where, std::string{key} + " is " + value->described(), expected);
        return "";
    }

    std::optional<std::uint64_t> count(const Datum& table, std::string_view key,
                                       const std::string& where, double least) {
        const Datum* value = table.find(key);
        if (value == nullptr) {
            return std::nullopt;
        }
        if (value->type == Type::number && value->number >= least && value->number < count_max &&
            std::trunc(value->number) == value->number) {
            return static_cast<std::uint64_t>(value->number);
        }
        form_.fault(*value, where, std::string{key} + " is " + value->described(),
                    least > 0 ? "a number from 1 on" : "a number from 0 on");
        return std::nullopt;
    }

    std::optional<Duration> duration(const Datum& table, std::string_view key,
                                     const std::string& where) {
        const std::string given = text(table, key, where, "a duration, such as \"300ms\"");
        if (given.empty()) {
            return std::nullopt;
        }
        const Result<Duration> read = parse_duration(given);
        if (!read) {
            form_.fault(*table.find(key), where, std::string{key} + ": " + read.error().what, "");
            return std::nullopt;
        }
        return *read;
    }

    /// A table of names; null when there is none.
    const Datum* named(const Datum& table, std::string_view key, const std::string& expected) {
        const Datum* value = table.find(key);
        if (value != nullptr && value->type != Type::table) {
            form_.fault(*value, "", std::string{key} + " is " + value->described(), expected);
            return nullptr;
        }
        return value;
    }

    /// As a command line would have it.
    std::string word(const Datum& value, const std::string& where) {
        if (value.type == Type::text) {
            return value.text;
        }
        const std::optional<json::Document> read = form_.json(value, where, "it");
        return read ? json::compact(read->root()) : "";
    }

    void read_vars(const Datum& table) {
        if (table.find("vars_file") != nullptr) {
            case_.vars_file = beside(case_.file, text(table, "vars_file", ""));
        }
        const std::string expected = "names with values, such as { pause = \"1s\" }";
        const Datum* vars = named(table, "vars", expected);
        if (vars == nullptr) {
            return;
        }
        no_items(*vars, "vars", expected);
        for (const Datum::Field& var : vars->fields) {
            case_.vars.push_back(var.name + "=" + word(var.value, "vars." + var.name));
        }
    }

    void read_model(const Datum& table) {
        const Datum* model = table.find("model");
        if (model == nullptr) {
            return;
        }
        if (model->type == Type::text) {
            check_world(*model, model->text);
            case_.model = model->text;
            return;
        }
        const std::string expected = "{ ram = \"1G\", link = \"10G\" } or \"ram=1G,link=10G\"";
        if (named(table, "model", expected) == nullptr) {
            return;
        }
        no_items(*model, "model", expected);
        for (const Datum::Field& key : model->fields) {
            const std::string more = case_.model + (case_.model.empty() ? "" : ",") + key.name +
                                     "=" + word(key.value, "model." + key.name);
            if (check_world(key.value, more)) {
                case_.model = more;
            }
        }
    }

    void read_programs(const Datum& table) {
        const std::string expected = "programs with what they write: { [\"uname -r\"] = \"6.1\" }";
        const Datum* programs = named(table, "programs", expected);
        if (programs == nullptr) {
            return;
        }
        no_items(*programs, "programs", expected);
        for (const Datum::Field& program : programs->fields) {
            if (program.value.type == Type::text) {
                case_.programs[program.name] = program.value.text;
            } else {
                form_.fault(program.value, "programs." + program.name,
                            "it is " + program.value.described(), "a text: what it writes");
            }
        }
    }

    bool check_world(const Datum& at, const std::string& text) {
        WorldSettings world;
        const Result<void> read = read_world(text, world);
        if (!read) {
            form_.fault(at, "model", read.error().what, "");
        }
        return read.has_value();
    }

    // --- Faults ---------------------------------------------------------------------------------

    void read_faults(const Datum& table) {
        const std::string expected =
            "\"all\", or a list such as { { \"lost\", event = \"STOP\" }, \"41:lost\" }";
        const Datum* faults = table.find("faults");
        if (faults == nullptr) {
            return;
        }
        case_.tries_all = faults->type == Type::text && faults->text == "all";
        if (case_.tries_all || named(table, "faults", expected) == nullptr) {
            return;
        }
        if (faults->items.empty() && faults->fields.empty()) {
            form_.fault(*faults, "faults", "there is none", expected);
        }
        for (const Datum::Field& field : faults->fields) {
            form_.fault(field.value, "faults", "no key " + plan::shown(field.name), expected);
        }
        for (const Datum& item : faults->items) {
            read_fault(item, "faults." + std::to_string(case_.strikes.size() + 1));
        }
    }

    void read_fault(const Datum& item, const std::string& where) {
        Strike strike;
        if (item.type == Type::text) {
            const Result<Fault> fault = parse_fault(item.text);
            if (!fault) {
                form_.fault(item, where, fault.error().what, "");
            } else {
                strike.at = fault->at;
                strike.harm = fault->harm;
            }
        } else if (item.type == Type::table) {
            strike = read_strike(item, where);
        } else {
            form_.stray(item, where, "{ \"lost\", event = \"STOP\" }, or \"41:lost\"");
        }
        case_.strikes.push_back(std::move(strike));
    }

    Strike read_strike(const Datum& item, const std::string& where) {
        Strike strike;
        Names keys{"role", "state", "nth"};
        Names things;
        for (const auto& [key, channel] : channels) {
            things.emplace_back(key);
            if (item.find(key) != nullptr) {
                if (strike.channel) {
                    form_.fault(*item.find(key), where, "it strikes two things at once",
                                "one of " + plan::listed(things));
                }
                strike.channel = channel;
                strike.text = text(item, key, where);
            }
        }
        keys.insert(keys.begin(), things.begin(), things.end());
        strike.role = text(item, "role", where);
        strike.state = text(item, "state", where);
        strike.nth = count(item, "nth", where, 1).value_or(1);
        // As of `on`: any other key is a field of the event.
        const bool is_event = strike.channel == Channel::event;
        for (const Datum::Field& field : item.fields) {
            if (is_event && std::find(keys.begin(), keys.end(), field.name) == keys.end()) {
                strike.fields.emplace_back(field.name, word(field.value, where));
            }
        }
        if (!is_event) {
            allow(item, where, keys);
        }
        read_harm(item, where, strike);
        return strike;
    }

    void read_harm(const Datum& item, const std::string& where, Strike& strike) {
        const std::string expected = "{ \"lost\", event = \"STOP\" }: a harm, and what it strikes";
        if (item.items.size() != 1 || item.items.front().type != Type::text) {
            form_.fault(item.items.empty() ? item : item.items.back(), where,
                        item.items.empty() ? "no harm" : "no single harm", expected);
            return;
        }
        const Datum& harm = item.items.front();
        const std::optional<Harm> known = harm_named(harm.text);
        Names names = harm_names();
        if (strike.channel) {
            std::erase_if(names, [&](const std::string& name) {
                return !fits(*harm_named(name), *strike.channel, false, true);
            });
        }
        strike.harm = known.value_or(Harm::none);
        if (std::find(names.begin(), names.end(), harm.text) == names.end()) {
            form_.add({harm.place(), where,
                       known ? plan::shown(harm.text) + " is no harm to that"
                             : "no harm " + plan::shown(harm.text),
                       plan::listed(names), plan::meant(harm.text, names)});
        } else if (!strike.channel && strike.state.empty()) {
            form_.fault(harm, where, "it is not said where it strikes",
                        "a state, or one of command, reply, event, kernel, word, journal, program, "
                        "run");
        }
    }

    // --- What is expected -----------------------------------------------------------------------

    void read_expected(const Datum& table) {
        const std::string example = "{ source = { ends = \"done\" }, guest = \"dest\" }";
        const Datum* expect = named(table, "expect", example);
        if (expect == nullptr) {
            return;
        }
        no_items(*expect, "expect", example);
        Datum others = *expect;
        std::erase_if(others.fields,
                      [](const Datum::Field& field) { return field.value.type == Type::table; });
        allow(others, "expect", {"guest", "dark", "total", "lost", "ROLE = { … }"});
        Expected& expected = case_.expected;
        expected.guest = text(others, "guest", "expect", "the name of a role, or \"nowhere\"");
        expected.dark = duration(others, "dark", "expect");
        expected.total = duration(others, "total", "expect");
        expected.lost = count(others, "lost", "expect", 0);
        for (const Datum::Field& field : expect->fields) {
            if (field.value.type == Type::table) {
                expected.roles.push_back(read_role(field.value, field.name));
            }
        }
    }

    RoleExpected read_role(const Datum& table, const std::string& name) {
        const std::string where = "expect." + name;
        allow(table, where, {"ends", "why", "exit", "states"});
        no_items(table, where, "ends = \"done\", states = { … }");
        RoleExpected role;
        role.role = name;
        read_end(table, where, role);
        role.why = text(table, "why", where);
        if (const auto code = count(table, "exit", where, 0)) {
            role.exit = static_cast<int>(*code);
        }
        read_states(table, where, role);
        if (table.fields.empty()) {
            form_.fault(table, where, "nothing is expected of it", "ends, why, exit or states");
        }
        return role;
    }

    /// "aborted in copy", as the last line of a run begins.
    void read_end(const Datum& table, const std::string& where, RoleExpected& role) {
        const std::string given = text(table, "ends", where, plan::listed(known_ends));
        if (given.empty()) {
            return;
        }
        const std::size_t in = given.find(" in ");
        role.end = given.substr(0, in);
        role.in_state = in == std::string::npos ? "" : given.substr(in + 4);
        if (std::find(known_ends.begin(), known_ends.end(), role.end) == known_ends.end()) {
            form_.add({table.find("ends")->place(), where, "no end " + plan::shown(given),
                       plan::listed(known_ends) + ", of an abort also \"aborted in STATE\"",
                       plan::meant(role.end, known_ends)});
        }
    }

    void read_states(const Datum& table, const std::string& where, RoleExpected& role) {
        const Datum* states = table.find("states");
        if (states == nullptr) {
            return;
        }
        const std::string expected = "a list such as { \"prepare\", \"…\", \"drain\" }";
        if (states->type != Type::table || states->items.empty() || !states->fields.empty()) {
            form_.fault(*states, where,
                        "states is " + (states->type == Type::table ? "no list of names"
                                                                    : states->described()),
                        expected);
            return;
        }
        bool says_something = false;
        for (const Datum& state : states->items) {
            if (state.type != Type::text) {
                form_.stray(state, where, expected);
                continue;
            }
            const bool is_open = state.text == "..." || state.text == anything;
            role.states.push_back(is_open ? std::string{anything} : state.text);
            says_something = says_something || !is_open;
        }
        if (!says_something) {
            form_.fault(*states, where, "states fits whatever happens", expected);
        }
    }

    // --- The whole ------------------------------------------------------------------------------

    void check_whole(const Datum& table) {
        const auto refuse_beside = [&](std::string_view other, std::string_view key,
                                       const std::string& why) {
            if (table.find(key) != nullptr) {
                form_.fault(
                    *table.find(key), "",
                    std::string{key} + " and " + std::string{other} + " do not go together: " + why,
                    "");
            }
        };
        if (case_.tries_all) {
            refuse_beside("faults = \"all\"", "expect",
                          "each trial ends in a way of its own; what must hold is judged in all");
        }
        if (!case_.trace.empty()) {
            refuse_beside("trace", "model", "the world is what was recorded");
            refuse_beside("trace", "programs", "they do what was recorded");
            refuse_beside("trace", "faults", "what goes wrong is what was recorded");
            const Datum* expect = table.find("expect");
            for (const char* key : {"dark", "lost"}) {
                if (expect != nullptr && expect->find(key) != nullptr) {
                    form_.fault(*expect->find(key), "expect",
                                std::string{key} + " is not known of a recording", "");
                }
            }
        }
        if (!case_.tries_all && table.find("expect") == nullptr) {
            form_.fault(table, "", "the case expects nothing, so that it cannot fail",
                        "expect = { … }, or faults = \"all\"");
        } else if (!case_.tries_all && table.find("expect")->type == Type::table &&
                   table.find("expect")->fields.empty()) {
            form_.fault(*table.find("expect"), "",
                        "the case expects nothing, so that it cannot fail", "something in expect");
        }
    }

    Case case_;
    script::SourceTexts sources_;
    script::Form form_;
};

}  // namespace

plan::Place Case::place_of(const std::vector<std::string>& path) const {
    const Datum* at = &table;
    for (const std::string& step : path) {
        std::size_t number = 0;
        (void)std::from_chars(step.data(), step.data() + step.size(), number);
        const Datum* next =
            number > 0 && number <= at->items.size() ? &at->items[number - 1] : at->find(step);
        if (next == nullptr) {
            break;
        }
        at = next;
    }
    return at->place();
}

ReadCase read_case(ports::Files& files, const std::string& file) {
    ReadCase read;
    script::TableFile table = script::read_table(files, file);
    read.faults = std::move(table.faults);
    if (table.table) {
        Case found = CaseReader{file, read.faults}.read(std::move(*table.table));
        if (read.faults.empty()) {
            read.found = std::move(found);
        }
    }
    plan::sort_faults(read.faults);
    return read;
}

}  // namespace ktm::trial
