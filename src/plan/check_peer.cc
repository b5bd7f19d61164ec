// SPDX-License-Identifier: Apache-2.0
// plan/check_peer.cc: what is wrong with the other node of a role.
#include <algorithm>

#include "plan/check_parts.hh"
#include "plan/wording.hh"

namespace ktm::plan {

namespace {

constexpr std::string_view peer_prefix = "peer:";
constexpr std::string_view expected_keys = "peer_to = var \"NAME\" or peer_from = var \"NAME\"";
/// LIMIT: of a TCP port.
constexpr std::int64_t port_max = 65535;

/// Adds faults of one role's other node.
class PeerCheck {
public:
    PeerCheck(const Plan& plan, const Role& role, Faults& faults)
        : plan_(plan), role_(role), keys_(role.peer), faults_(faults) {}

    void keys();
    void events();

private:
    void add(const Place& place, std::string where, std::string what, std::string expected,
             std::string hint = "") {
        faults_.push_back(
            {place, std::move(where), std::move(what), std::move(expected), std::move(hint)});
    }
    /// The var of a key, if it is one that always has a value here.
    const Var* var(std::string_view key, const std::string& name, Type type);
    void address(std::string_view key, const std::string& name);
    void port();
    void counterpart();

    const Plan& plan_;
    const Role& role_;
    const PeerKeys& keys_;
    Faults& faults_;
};

const Var* PeerCheck::var(std::string_view key, const std::string& name, Type type) {
    const Var* var = plan_.find_var(name);
    const std::string expected = std::string{name_of(type)} + " among the vars";
    if (var == nullptr) {
        add(keys_.place, role_.name, "no var " + shown(name) + " for " + std::string{key}, expected,
            meant(name, plan_.var_names()));
        return nullptr;
    }
    const std::string subject = std::string{key} + "'s var " + shown(name);
    if (var->type != type) {
        add(keys_.place, role_.name, subject + " is of type " + std::string{name_of(var->type)},
            expected);
        return nullptr;
    }
    if (!var->role.empty() && var->role != role_.name) {
        add(keys_.place, role_.name, subject + " belongs to role " + shown(var->role),
            "a var of this role or of all");
    }
    if (var->optional && !var->preset) {
        add(keys_.place, role_.name, subject + " may be without a value",
            "a var that is required or has a default");
    }
    return var;
}

void PeerCheck::address(std::string_view key, const std::string& name) {
    if (!name.empty()) {
        (void)var(key, name, Type::ip);
    }
}

void PeerCheck::port() {
    const Var* port = keys_.port.empty() ? nullptr : var("peer_port", keys_.port, Type::integer);
    if (port != nullptr &&
        (port->min.value_or(0) < 1 || port->max.value_or(port_max + 1) > port_max)) {
        add(keys_.place, role_.name, "peer_port's var " + shown(keys_.port) + " may be no port",
            "min = 1 and max = " + std::to_string(port_max) + ", or narrower");
    }
}

/// Two that connect, or two that listen, never meet.
void PeerCheck::counterpart() {
    const bool connects = !keys_.to.empty();
    const bool found = std::any_of(plan_.roles.begin(), plan_.roles.end(), [&](const Role& other) {
        return &other != &role_ && !(connects ? other.peer.from : other.peer.to).empty();
    });
    if (!found) {
        add(keys_.place, role_.name,
            std::string{connects ? "this role connects, and no other listens"
                                 : "this role listens, and no other connects"},
            std::string{"a role with "} + (connects ? "peer_from" : "peer_to"));
    }
}

void PeerCheck::keys() {
    if (!keys_.given()) {
        if (!keys_.port.empty()) {
            add(keys_.place, role_.name, "peer_port without another node",
                std::string{expected_keys});
        }
        return;
    }
    if (!keys_.to.empty() && !keys_.from.empty()) {
        add(keys_.place, role_.name, "both peer_to and peer_from", "one of the two");
        return;
    }
    address("peer_to", keys_.to);
    address("peer_from", keys_.from);
    port();
    counterpart();
}

void PeerCheck::events() {
    if (keys_.given()) {
        return;
    }
    for (const State& state : role_.states) {
        for (const Handler& handler : state.handlers) {
            // One that is misspelt is reported as that.
            if (handler.event.starts_with(peer_prefix) && is_own_event(handler.event)) {
                add(handler.place, inside(role_.name, state.name),
                    shown(handler.event) + " is an event of the other node, and this role has none",
                    std::string{expected_keys} + " in the role");
            }
        }
    }
}

}  // namespace

void check_peer(const Plan& plan, const Role& role, Faults& faults) {
    PeerCheck check(plan, role, faults);
    check.keys();
    check.events();
}

}  // namespace ktm::plan
