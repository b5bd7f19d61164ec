// SPDX-License-Identifier: Apache-2.0
// trial/case_check.cc: what of a case does not fit its plan.
#include <algorithm>
#include <utility>

#include "plan/wording.hh"
#include "trial/case_file.hh"
#include "trial/sequence.hh"

namespace ktm::trial {

namespace {

using Path = std::vector<std::string>;

class CaseCheck {
public:
    CaseCheck(const Case& wanted, const plan::Plan& plan, const std::vector<std::string>& plays,
              plan::Faults& faults)
        : case_(wanted), plan_(plan), plays_(plays), faults_(faults) {}

    void run() {
        for (const RoleExpected& role : case_.expected.roles) {
            check_role(role);
        }
        const std::string& guest = case_.expected.guest;
        if (!guest.empty() && guest != nowhere_word) {
            check_is_played(guest, {"expect", "guest"}, "expect.guest");
        }
        for (std::size_t at = 0; at < case_.strikes.size(); ++at) {
            const Strike& strike = case_.strikes[at];
            const std::string number = std::to_string(at + 1);
            const std::string where = "faults." + number;
            if (!strike.role.empty()) {
                check_is_played(strike.role, {"faults", number, "role"}, where);
            }
            check_state(strike.state, strike.role, {"faults", number, "state"}, where);
        }
    }

private:
    void check_role(const RoleExpected& role) {
        const std::string where = "expect." + role.role;
        if (!check_is_played(role.role, {"expect", role.role}, where)) {
            return;
        }
        check_state(role.in_state, role.role, {"expect", role.role, "ends"}, where);
        for (std::size_t at = 0; at < role.states.size(); ++at) {
            if (role.states[at] != anything) {
                check_state(role.states[at], role.role,
                            {"expect", role.role, "states", std::to_string(at + 1)}, where);
            }
        }
    }

    bool check_is_played(const std::string& role, const Path& path, const std::string& where) {
        if (std::find(plays_.begin(), plays_.end(), role) != plays_.end()) {
            return true;
        }
        const bool is_other = plan_.find(role) != nullptr;
        faults_.push_back({case_.place_of(path), where,
                           (is_other ? "not played: role " : "no role ") + plan::shown(role),
                           plan::listed(plays_), plan::meant(role, plays_)});
        return false;
    }

    /// Of this role; of any that is played when it is not said of which.
    void check_state(const std::string& state, const std::string& role, const Path& path,
                     const std::string& where) {
        std::vector<std::string> known;
        for (const plan::Role& one : plan_.roles) {
            const bool is_played =
                std::find(plays_.begin(), plays_.end(), one.name) != plays_.end();
            if (role.empty() ? is_played : one.name == role) {
                for (const plan::State& has : one.states) {
                    known.push_back(has.name);
                }
            }
        }
        if (!state.empty() && !known.empty() &&
            std::find(known.begin(), known.end(), state) == known.end()) {
            faults_.push_back({case_.place_of(path), where, "no state " + plan::shown(state),
                               plan::listed(known), plan::meant(state, known)});
        }
    }

    const Case& case_;
    const plan::Plan& plan_;
    const std::vector<std::string>& plays_;
    plan::Faults& faults_;
};

}  // namespace

void check_case(const Case& wanted, const plan::Plan& plan, const std::vector<std::string>& plays,
                plan::Faults& faults) {
    CaseCheck{wanted, plan, plays, faults}.run();
}

}  // namespace ktm::trial
