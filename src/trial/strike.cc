// SPDX-License-Identifier: Apache-2.0
// trial/strike.cc: where a fault strikes, in words that outlive a change of the plan.
#include "trial/strike.hh"

#include <algorithm>
#include <string_view>

#include "base/nearest.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "trial/trial.hh"

namespace ktm::trial {

namespace {

std::string name_of_line(const std::string& text) {
    const Result<json::Document> line = json::parse(text);
    if (!line) {
        return text;
    }
    for (const char* key : {"word", "ask"}) {
        if (const auto name = line->root().find_string(key)) {
            return std::string{*name};
        }
    }
    return line->root().find("answer") ? "answer" : line->root().find("bye") ? "goodbye" : "hello";
}

bool has_fields(const Strike& strike, const std::string& text) {
    if (strike.fields.empty()) {
        return true;
    }
    const std::size_t blank = text.find(' ');
    const Result<json::Document> data =
        json::parse(blank == std::string::npos ? "{}" : text.substr(blank + 1));
    return std::all_of(strike.fields.begin(), strike.fields.end(), [&](const auto& field) {
        const std::optional<json::View> value =
            data ? data->root().find(field.first) : std::nullopt;
        return value && (value->as_string() == std::string_view{field.second} ||
                         json::compact(*value) == field.second);
    });
}

/// What a trial shows of a strike's place.
class Search {
public:
    Search(const Stage& stage, const Report& report, const Strike& strike)
        : stage_(stage), report_(report), strike_(strike) {}

    [[nodiscard]] Result<Fault> run(std::uint64_t behind) {
        if (strike_.at != 0) {
            return numbered(behind);
        }
        std::uint64_t seen = 0;
        for (std::uint64_t at = behind + 1; at <= report_.list.size(); ++at) {
            if (is_here(at) && ++seen == strike_.nth) {
                return Fault{at, strike_.harm};
            }
        }
        return nowhere(why_not(behind, seen));
    }

private:
    [[nodiscard]] const Crossing& crossing(std::uint64_t at) const { return report_.list[at - 1]; }

    [[nodiscard]] const Ending& ending(Side side) const {
        return *std::find_if(report_.endings.begin(), report_.endings.end(),
                             [&](const Ending& ending) { return ending.side == side; });
    }

    /// The state in which whoever's crossing it is was then.
    [[nodiscard]] std::string state_at(std::uint64_t at) const {
        std::string state;
        for (const Entered& entered : ending(crossing(at).side).states) {
            state = entered.behind < at ? entered.state : state;
        }
        return state;
    }
    [[nodiscard]] std::string when(std::uint64_t at) const {
        const std::string state = state_at(at);
        return state.empty() ? "before the first state" : "in " + state;
    }

    [[nodiscard]] bool is_of_role(std::uint64_t at) const {
        return strike_.role.empty() || ending(crossing(at).side).role == strike_.role;
    }
    [[nodiscard]] bool is_kind(std::uint64_t at) const {
        return is_of_role(at) && is_meant(strike_, crossing(at), stage_.has_two_nodes());
    }
    [[nodiscard]] bool is_here(std::uint64_t at) const {
        return is_kind(at) && (strike_.state.empty() || state_at(at) == strike_.state);
    }

    [[nodiscard]] Error nowhere(const std::string& why) const {
        return Error{Kind::invalid, "no-such-crossing",
                     describe(strike_) + " strikes nowhere: " + why, "", nullptr};
    }

    [[nodiscard]] Result<Fault> numbered(std::uint64_t behind) const {
        if (strike_.at <= behind) {
            return nowhere("it must come behind the fault before it, which is at " +
                           std::to_string(behind));
        }
        if (strike_.at > report_.list.size()) {
            return nowhere("there are only " + std::to_string(report_.list.size()) + " crossings");
        }
        const Crossing& there = crossing(strike_.at);
        if (!fits(strike_.harm, there, stage_.has_two_nodes())) {
            return nowhere(why_unfit(strike_.harm, there, stage_.has_two_nodes()));
        }
        return Fault{strike_.at, strike_.harm};
    }

    [[nodiscard]] std::string why_not(std::uint64_t behind, std::uint64_t seen) const {
        if (seen > 0) {
            return "there are only " + std::to_string(seen) + " of the kind";
        }
        std::vector<std::string> names;
        for (std::uint64_t at = 1; at <= report_.list.size(); ++at) {
            if (is_kind(at)) {
                return at <= behind ? "it comes before the fault before it"
                                    : "it comes " + when(at) + ", not in " + strike_.state;
            }
            if (strike_.channel == crossing(at).channel && is_of_role(at)) {
                names.push_back(name_of(crossing(at)));
            }
        }
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        return "nothing of the kind crosses" + did_you_mean(strike_.text, names);
    }

    const Stage& stage_;
    const Report& report_;
    const Strike& strike_;
};

}  // namespace

std::string describe(const Strike& strike) {
    std::string text{name_of(strike.harm)};
    if (strike.at != 0) {
        return text + " at " + std::to_string(strike.at);
    }
    if (strike.channel) {
        text += " at " + std::string{noun_of(*strike.channel)} + " " + strike.text;
    }
    for (const auto& [name, value] : strike.fields) {
        text += " " + name + "=" + value;
    }
    text += strike.role.empty() ? "" : " of " + strike.role;
    text += strike.state.empty() ? "" : " in " + strike.state;
    return text + (strike.nth == 1 ? "" : ", number " + std::to_string(strike.nth));
}

std::string name_of(const Crossing& crossing) {
    switch (crossing.channel) {
        case Channel::event: return crossing.text.substr(0, crossing.text.find(' '));
        case Channel::line: return name_of_line(crossing.text);
        case Channel::command:
        case Channel::reply:
        case Channel::request:
        case Channel::journal:
        case Channel::program:
        case Channel::run: break;
    }
    return crossing.text;
}

bool is_meant(const Strike& strike, const Crossing& crossing, bool two_nodes) {
    if (!fits(strike.harm, crossing, two_nodes)) {
        return false;
    }
    if (!strike.channel) {
        return true;
    }
    if (*strike.channel != crossing.channel) {
        return false;
    }
    if (crossing.channel == Channel::request || crossing.channel == Channel::journal ||
        crossing.channel == Channel::program || crossing.channel == Channel::run) {
        return crossing.text.find(strike.text) != std::string::npos;
    }
    return name_of(crossing) == strike.text && has_fields(strike, crossing.text);
}

Result<void> check_strikes(const Stage& stage, const Faults& faults, const Report& report) {
    bool undisturbed = true;
    for (std::size_t number = 0; number < faults.size(); ++number) {
        const Fault& fault = faults[number];
        const Turn turn = report.turns[number];
        const auto strikes_nothing = [&fault](const std::string& why) {
            return Error{Kind::usage, "no-such-crossing",
                         "the fault " + text_of(fault) + " strikes nothing: " + why, "", nullptr};
        };
        if (turn == Turn::none && undisturbed) {
            return strikes_nothing("there are only " + std::to_string(report.crossings) +
                                   " crossings; --list shows them");
        }
        const bool was_ended = !undisturbed && is_to_world(fault.harm) &&
                               fits(fault.harm, Channel::command, false, stage.has_two_nodes());
        if (turn == Turn::missed && !was_ended) {
            const Crossing& there = report.list[fault.at - 1];
            return strikes_nothing(fits(fault.harm, there, stage.has_two_nodes())
                                       ? "another fault has befallen that crossing already"
                                       : why_unfit(fault.harm, there, stage.has_two_nodes()));
        }
        undisturbed = false;
    }
    return {};
}

Result<Faults> locate(Stage& stage, const std::vector<Strike>& strikes) {
    Faults faults;
    for (const Strike& strike : strikes) {
        TrialOptions options;
        options.faults = faults;
        options.keeps = Keep::texts;
        const Report report = play(stage, std::move(options));
        const Result<Fault> found =
            Search{stage, report, strike}.run(faults.empty() ? 0 : faults.back().at);
        if (!found) {
            return Error{found.error()};
        }
        faults.push_back(*found);
    }
    return faults;
}

}  // namespace ktm::trial
