// SPDX-License-Identifier: Apache-2.0
// engine/machine.hh: the plan machine: states, deadlines, the ledger, the commit, the three ends.
//
// Theory of operation
//
// Purpose: to decide what a plan does next, and nothing else. An Input goes in by step(), Actions
// come out in the order in which they are to be carried out. The machine knows no Lua, no socket
// and no clock; the same Inputs give the same Actions, always.
//
//     idle ──Start──> [ entering ──> waiting <──> handling ] per state ──> unwinding ──> ended
//
// One body (an action of the plan) runs at a time. RunBody asks for it; BodyEnded must follow
// exactly once, be it at once or much later. Meanwhile events queue, in order. A body that waits
// for an event says so by Awaits; the first event in the queue that fits, or the first that comes,
// is taken out and delivered. A state that waits takes each event at once, so the queue is empty
// when it begins a body, and the window of a wait opens there. Where a body follows upon a body,
// what came meanwhile stays in the queue, across moves too. Before the start events are dropped,
// and said.
//
// Edges: `next` after enter, `go` after an event and its run, `late` after the deadline. An event
// that no handler of a waiting state wants is dropped, and said. Handlers are tried in order, first
// match wins. A state that is left for itself is entered anew.
//
// Deadlines: each state has one, armed on entry and disarmed when it is left. When it is due while
// a body runs, the body is cancelled first; its BodyEnded, however it ended, is followed by `late`.
// A due deadline whose number is not the current one is stale and ignored. Each undo and each
// release has one of its own. A body that was cancelled and awaits once more is cancelled once
// more.
//
// Trouble: a body that failed, a default `late`, an edge to abort, an interruption, a lost
// connection, the other node gone, an overflowing queue, too many moves without waiting. Before the
// commit it leads to the end `aborted`: the ledger is unwound, newest first: undos run, holds are
// released. After the commit it leads to `stranded`: nothing runs, holds stay, all is reported. In
// a state that is left for `stranded` when it is late, only the other node knows whose the guest
// is: trouble leads to `stranded` there as well, but for an edge to `abort`. An interruption after
// the commit or in such a state is refused and said. At `done` undos are dropped and holds are
// released, newest first.
//
// A state that commits is entered when its commit is written down, for who recovers: WriteCommit
// asks for that, and CommitWritten must be the next input. What cannot be written is trouble before
// the commit. Entering it drops the undos and keeps the holds; from then on an undo that is
// registered is dropped at once, and said. What is registered during the unwinding is unwound too.
//
// An undo or a release that fails or is late is reported at the end as left behind; the rest still
// run. Trouble during unwinding is ignored, and said. Each undo and each release begins with an
// empty queue.
//
// LIMIT: events_max events in the queue; one more is trouble, not a drop. From trouble on the
// oldest is dropped instead, and said.
//
// LIMIT: moves_max moves in a row without a body that waited or an event from outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hh"
#include "base/id.hh"
#include "base/time.hh"
#include "json/document.hh"
#include "plan/plan.hh"

namespace ktm::engine {

using BodyId = Id<struct BodyTag>;
using DeadlineId = Id<struct DeadlineTag>;
/// Given by whoever registers, from one counter.
using EntryId = Id<struct EntryTag>;

inline constexpr std::size_t events_max = 1024;
inline constexpr unsigned moves_max = 1000;
/// For an undo or a release that names no deadline.
inline constexpr Duration undo_within_default = std::chrono::seconds{10};

enum class End { done, aborted, stranded };
[[nodiscard]] std::string_view name_of(End end) noexcept;

/// Something that happened: a QMP event, "timer:NAME", "peer:WORD", whatever a plan emits.
struct Event {
    std::string name;
    std::string vm;  ///< Which VM; empty for the default one, and for what is no VM's.
    std::shared_ptr<const json::Document> data;  ///< An object, or nothing.
};

/// Which event is meant; a Handler has the same three.
struct Pattern {
    std::string event;
    std::string vm;
    std::vector<plan::Match> matches;
    [[nodiscard]] bool fits(const Event& event) const;
};

// --- Inputs -----------------------------------------------------------------------------------

struct Start {};
struct Happened {
    Event event;
};
struct BodyEnded {
    BodyId body;
    std::optional<Error> error;
    bool waited = false;  ///< It was suspended at least once.
};
/// The running body waits for an event.
struct Awaits {
    BodyId body;
    Pattern pattern;
};
/// The wait is over without the event.
struct Forgets {
    BodyId body;
};
struct Registered {
    enum class Kind { hold, undo };
    EntryId entry;
    Kind kind = Kind::undo;
    std::string what;
    Duration within = undo_within_default;
    bool in_kernel = false;  ///< It takes back what lies in the kernel, and nothing at a VM.
};
/// The plan itself has released a hold, or an undo has become pointless.
struct Released {
    EntryId entry;
    bool is_undo = false;  ///< It need not be undone any more.
};
struct Due {
    DeadlineId deadline;
};
/// Somebody wants it to end: a signal. `reason` is what the end will say.
struct Interrupted {
    Error reason;
};
/// A VM's connection is gone. Where the state has a handler for the event "qmp:lost" of that VM it
/// is that event (data: {"what": …}); elsewhere it is trouble.
struct Lost {
    std::string vm;
    Error reason;
};

/// The run at the other node is gone. Where the state has a handler for `event` it is that event;
/// elsewhere it is trouble.
struct PeerGone {
    Event event;
    Error reason;
};

/// Whether the commit is written down. Nothing may be put in between it and WriteCommit.
struct CommitWritten {
    std::optional<Error> error;
};

using Input = std::variant<Start, Happened, BodyEnded, Awaits, Forgets, Registered, Released, Due,
                           Interrupted, Lost, PeerGone, CommitWritten>;

// --- Actions ----------------------------------------------------------------------------------

enum class BodyKind { enter, run, undo, release };
[[nodiscard]] std::string_view name_of(BodyKind kind) noexcept;

struct RunBody {
    BodyId body;
    BodyKind kind = BodyKind::enter;
    int function = 0;            ///< FunctionRef::id, for enter and run.
    EntryId entry;               ///< For undo and release.
    std::optional<Event> event;  ///< For run.
};
/// The body's suspended primitive fails with this error. Nothing when the body has ended meanwhile.
struct CancelBody {
    BodyId body;
    Error reason;
};
/// The event for which the body waits.
struct Deliver {
    BodyId body;
    Event event;
};
struct Arm {
    DeadlineId deadline;
    Duration within{};
};
struct Disarm {
    DeadlineId deadline;
};

/// That the run commits is to be written down, before it does.
struct WriteCommit {
    std::string state;  ///< That is entered then.
};

// What is only told.
struct Entered {
    std::string state;
    bool commits = false;
};
/// These undos will not be needed, oldest first: the commit or the end `done` dropped them.
struct Dropped {
    std::vector<std::string> undos;
};
struct Ignored {
    std::string event;
    std::string why;  ///< "no handler in precopy", "the end has begun".
};
/// The run leaves its course.
struct Trouble {
    Error error;
    std::string state;
};
/// An undo or a release begins: "undo 2/4: wake the guest".
struct Unwinding {
    BodyKind kind = BodyKind::undo;
    std::size_t number = 0;
    std::size_t count = 0;
    std::string what;
};
struct Unwound {
    BodyKind kind = BodyKind::undo;
    std::string what;
    std::optional<Error> error;
};
/// What could not be undone or released, or was kept on purpose; told before Ended, which has them
/// all once more.
struct Left {
    std::string what;
    std::string why;
    bool in_kernel = false;  ///< As of Registered.
};
struct Ended {
    End end = End::done;
    std::string state;           ///< In which it ended; the last one that was entered.
    std::optional<Error> cause;  ///< Of abort and stranded.
    bool committed = false;
    std::vector<Left> left;  ///< Oldest first.
};

using Action = std::variant<RunBody, CancelBody, Deliver, Arm, Disarm, WriteCommit, Entered,
                            Dropped, Ignored, Trouble, Unwinding, Unwound, Left, Ended>;
using Actions = std::vector<Action>;

/// One line of text for an Action, the same on every machine; for logs that are compared.
/// An affair of the machine and its owner alone; what it brings about is told by others.
[[nodiscard]] bool is_inner(const Action& action) noexcept;
[[nodiscard]] std::string describe(const Action& action);
[[nodiscard]] std::string describe(const Input& input);

// --- The machine ------------------------------------------------------------------------------

class Machine {
public:
    /// `role` has passed plan::check; `within` is the deadline of each of its states, in order.
    /// LIFETIME: the role outlives the machine.
    Machine(const plan::Role& role, std::vector<Duration> within);
    Machine(Machine&&) noexcept;
    Machine& operator=(Machine&&) noexcept;
    ~Machine();

    /// Appends what is to be done to `actions`, in order. Must not be called from inside itself.
    void step(Input input, Actions& actions);

    [[nodiscard]] bool has_ended() const noexcept;
    [[nodiscard]] bool is_committed() const noexcept;
    /// The state that was entered last; empty before the start.
    [[nodiscard]] const std::string& state() const noexcept;

private:
    class Core;
    std::unique_ptr<Core> core_;
};

}  // namespace ktm::engine
