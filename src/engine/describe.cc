// SPDX-License-Identifier: Apache-2.0
// engine/describe.cc: inputs and actions as lines of text.
#include <string>
#include <string_view>

#include "base/text.hh"
#include "engine/machine.hh"
#include "json/writer.hh"

namespace ktm::engine {

namespace {

/// What is appended when there is something to append.
std::string with(std::string_view between, const std::string& text) {
    return text.empty() ? std::string{} : std::string{between} + text;
}

std::string with(std::string_view between, const std::optional<Error>& error) {
    return error ? std::string{between} + error->sentence() : std::string{};
}

std::string_view name_of(Registered::Kind kind) noexcept {
    return kind == Registered::Kind::hold ? "hold" : "undo";
}

template <class Tag>
std::string numbered(std::string_view noun, Id<Tag> id) {
    return std::string{noun} + " " + std::to_string(id.value);
}

std::string label_of(const Event& event) {
    return event.name + with(" vm=", event.vm);
}

std::string label_of(const Pattern& pattern) {
    plan::Handler handler;
    handler.event = pattern.event;
    handler.vm = pattern.vm;
    handler.matches = pattern.matches;
    return handler.label();
}

// --- Inputs -----------------------------------------------------------------------------------

std::string line_of(const Start&) {
    return "start";
}

std::string line_of(const Happened& happened) {
    const Event& event = happened.event;
    return "event " + label_of(event) +
           (event.data ? " " + json::compact(event.data->root()) : std::string{});
}

std::string line_of(const BodyEnded& ended) {
    const std::string waited = ended.waited ? ", having waited" : "";
    return numbered("body", ended.body) + (ended.error ? " failed" : " ended") + waited +
           with(": ", ended.error);
}

std::string line_of(const Awaits& awaits) {
    return numbered("body", awaits.body) + " awaits " + label_of(awaits.pattern);
}

std::string line_of(const Forgets& forgets) {
    return numbered("body", forgets.body) + " waits no longer";
}

std::string line_of(const Registered& registered) {
    return numbered(name_of(registered.kind), registered.entry) + " registered, within " +
           format_duration(registered.within) + ": " + registered.what;
}

std::string line_of(const Released& released) {
    return released.is_undo ? numbered("undo", released.entry) + " dropped by the plan"
                            : numbered("hold", released.entry) + " released by the plan";
}

std::string line_of(const Due& due) {
    return numbered("deadline", due.deadline) + " due";
}

std::string line_of(const Interrupted& interrupted) {
    return "interrupted: " + interrupted.reason.sentence();
}

std::string line_of(const Lost& lost) {
    return "connection lost" + with(" vm=", lost.vm) + ": " + lost.reason.sentence();
}

std::string line_of(const PeerGone& gone) {
    return "other node gone, " + label_of(gone.event) + ": " + gone.reason.sentence();
}

std::string line_of(const CommitWritten& written) {
    return "commit " + std::string{written.error ? "not " : ""} + "written down" +
           with(": ", written.error);
}

// --- Actions ----------------------------------------------------------------------------------

std::string line_of(const RunBody& run) {
    const bool of_plan = run.kind == BodyKind::enter || run.kind == BodyKind::run;
    return numbered("run body", run.body) + ": " + std::string{name_of(run.kind)} +
           (of_plan ? ", function " + std::to_string(run.function)
                    : numbered(", entry", run.entry)) +
           (run.event ? ", upon " + label_of(*run.event) : std::string{});
}

std::string line_of(const CancelBody& cancel) {
    return numbered("cancel body", cancel.body) + ": " + cancel.reason.sentence();
}

std::string line_of(const Deliver& deliver) {
    return numbered("deliver to body", deliver.body) + ": " + label_of(deliver.event);
}

std::string line_of(const Arm& arm) {
    return numbered("arm deadline", arm.deadline) + ": " + format_duration(arm.within);
}

std::string line_of(const Disarm& disarm) {
    return numbered("disarm deadline", disarm.deadline);
}

std::string line_of(const WriteCommit& commit) {
    return "write down the commit of " + commit.state;
}

std::string line_of(const Entered& entered) {
    return "enter " + entered.state + (entered.commits ? ", which commits" : "");
}

std::string line_of(const Dropped& dropped) {
    return "drop undo: " + joined(dropped.undos);
}

std::string line_of(const Ignored& ignored) {
    return "ignore " + ignored.event + ": " + ignored.why;
}

std::string line_of(const Trouble& trouble) {
    return "trouble " + (trouble.state.empty() ? "before the start" : "in " + trouble.state) +
           ": " + trouble.error.sentence();
}

std::string line_of(const Unwinding& unwinding) {
    return std::string{name_of(unwinding.kind)} + " " + std::to_string(unwinding.number) + "/" +
           std::to_string(unwinding.count) + ": " + unwinding.what;
}

std::string line_of(const Unwound& unwound) {
    const std::string_view done = unwound.kind == BodyKind::undo ? "undone: " : "released: ";
    return (unwound.error ? "not " : "") + std::string{done} + unwound.what +
           with(": ", unwound.error);
}

std::string line_of(const Left& left) {
    return "left: " + left.what + ": " + left.why;
}

std::string line_of(const Ended& ended) {
    return "end " + std::string{name_of(ended.end)} +
           (ended.state.empty() ? " before the start" : " in " + ended.state) +
           (ended.committed ? ", after the commit" : "") + with(": ", ended.cause);
}

}  // namespace

std::string_view name_of(End end) noexcept {
    switch (end) {
        case End::done: return "done";
        case End::aborted: return "aborted";
        case End::stranded: return "stranded";
    }
    return "unknown";
}

std::string_view name_of(BodyKind kind) noexcept {
    switch (kind) {
        case BodyKind::enter: return "enter";
        case BodyKind::run: return "run";
        case BodyKind::undo: return "undo";
        case BodyKind::release: return "release";
    }
    return "unknown";
}

// What comes from outside may hold line ends; a line stays one.

bool is_inner(const Action& action) noexcept {
    return std::holds_alternative<RunBody>(action) || std::holds_alternative<Deliver>(action) ||
           std::holds_alternative<CancelBody>(action) || std::holds_alternative<Arm>(action) ||
           std::holds_alternative<Disarm>(action) || std::holds_alternative<WriteCommit>(action);
}

std::string describe(const Action& action) {
    return printable(std::visit([](const auto& one) { return line_of(one); }, action));
}

std::string describe(const Input& input) {
    return printable(std::visit([](const auto& one) { return line_of(one); }, input));
}

}  // namespace ktm::engine
