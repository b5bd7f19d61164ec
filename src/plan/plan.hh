// SPDX-License-Identifier: Apache-2.0
// plan/plan.hh: a plan as a value: vars, roles, states, edges. Functions are numbers here.
//
// A Plan is what a source file declares, as it stands there; it may be wrong. check() says what is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.hh"
#include "plan/fault.hh"
#include "plan/var.hh"

namespace ktm::plan {

/// The three ends; they are targets of edges like states.
inline constexpr std::string_view end_done = "done";
inline constexpr std::string_view end_abort = "abort";
inline constexpr std::string_view end_stranded = "stranded";

[[nodiscard]] bool is_end(std::string_view target) noexcept;

/// A name as QEMU writes events: MIGRATION, BLOCK_JOB_READY.
[[nodiscard]] bool is_qmp_event(std::string_view name);
/// A name as plans write their own: peer:ready, timer:look.
[[nodiscard]] bool is_own_event(std::string_view name);
/// A signal that a plan may wait for: signal:USR1, signal:USR2. The others mean something already.
[[nodiscard]] bool is_signal_event(std::string_view name) noexcept;

/// LIMIT: the version of the language that this program speaks; a plan says `api = 1`.
inline constexpr int api_version = 1;

/// LIMIT: the longest deadline of a state. A migration that takes a month is no migration.
inline constexpr Duration within_max = std::chrono::hours{30 * 24};

/// A hold or an undo that a function registers, as it is written there.
struct Mention {
    enum class Kind { hold, undo };
    Kind kind = Kind::hold;
    std::string text;  ///< "net.tunnel { mode = m.tunnel }", or what an undo says of itself.
    Place place;
};

/// A function of the plan, known to whoever loaded it by its number.
struct FunctionRef {
    int id = 0;
    std::uint64_t digest = 0;  ///< Of its source text, to see whether two are the same.
    Place place;
    int last_line = 0;
    std::vector<Mention> mentions;
};

/// A deadline: fixed, or the value of a var.
struct Within {
    std::optional<Duration> fixed;
    std::string var;
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool operator==(const Within&) const = default;
};

/// A field of an event's data that must be equal.
struct Match {
    using Wanted = std::variant<bool, double, std::string>;
    std::string field;
    Wanted wanted;
    [[nodiscard]] bool operator==(const Match&) const = default;
};

/// `on { EVENT, field = value, run = function, go = target }`.
struct Handler {
    std::string event;
    std::string
        vm;  ///< Which VM's event, by the name given to qmp.connect; empty: the default one's.
    std::vector<Match> matches;  ///< In the order of their names.
    std::optional<FunctionRef> run;
    std::string go;  ///< Empty: the state stays.
    Place place;

    /// "MIGRATION status=failed".
    [[nodiscard]] std::string label() const;
};

struct State {
    std::string name;
    std::optional<Within> within;
    std::string late;  ///< Empty: abort, or stranded after the commit.
    std::optional<FunctionRef> enter;
    std::string next;  ///< Empty: waits for an event.
    bool commits = false;
    std::vector<Handler> handlers;
    Place place;
};

/// LIMIT: where the katamaran at the other node is found, if a plan names no var for it.
inline constexpr std::uint16_t peer_port_default = 4445;

/// The other node of a role, as names of vars; empty for what is not given.
struct PeerKeys {
    std::string to;    ///< Connects to this address,
    std::string from;  ///< or listens on this one.
    std::string port;
    Place place;

    [[nodiscard]] bool given() const noexcept { return !to.empty() || !from.empty(); }
    [[nodiscard]] bool operator==(const PeerKeys& other) const {
        return to == other.to && from == other.from && port == other.port;
    }
};

struct Role {
    std::string name;
    std::vector<State> states;  ///< The first is the start.
    Place place;
    PeerKeys peer;
    /// What it looks at before it begins, in order; those of the parent first.
    std::vector<FunctionRef> looks;

    [[nodiscard]] const State* find(std::string_view state) const noexcept;
    [[nodiscard]] std::vector<std::string> state_names() const;
};

/// A relation between vars that a plan demands.
struct Relation {
    enum class Kind {
        same_family,  ///< All addresses are of one IP family.
        ascending,    ///< Each is at most the next: quantities of one type.
        together,     ///< All of them are given, or none.
        one_of,       ///< Exactly one is given.
        different,    ///< No two are equal.
    };
    Kind kind = Kind::together;
    std::vector<std::string> vars;
    Place place;
};

[[nodiscard]] std::string_view name_of(Relation::Kind kind) noexcept;

struct Plan {
    std::string name;
    int api = api_version;
    std::string summary;
    std::string file;
    std::string parent;  ///< The name of the plan that it is derived from; empty for none.
    std::vector<Var> vars;
    std::vector<Relation> relations;
    std::vector<Role> roles;
    Place place;

    [[nodiscard]] const Role* find(std::string_view role) const noexcept;
    [[nodiscard]] const Var* find_var(std::string_view var) const noexcept;
    [[nodiscard]] std::vector<std::string> role_names() const;
    [[nodiscard]] std::vector<std::string> var_names() const;
};

/// One edge of the graph, for checks and drawings.
struct Edge {
    enum class Kind { next, go, late };
    Kind kind = Kind::go;
    std::string from;
    std::string to;  ///< A state or an end.
    std::string
        label;  ///< What leads along it: "MIGRATION status=failed", "after 10 s"; empty for next.
    Place place;
};

/// All edges of a role in reading order. The default target of `late` is filled in: stranded where
/// a commit lies behind, abort elsewhere.
[[nodiscard]] std::vector<Edge> edges_of(const Role& role);

/// The states in which the commit lies behind: those that commit, and all that are reached from
/// them. In reading order.
[[nodiscard]] std::vector<std::string> committed_states(const Role& role);

}  // namespace ktm::plan
