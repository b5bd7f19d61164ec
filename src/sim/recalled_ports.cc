// SPDX-License-Identifier: Apache-2.0
// sim/recalled_ports.cc: sockets, programs and files that do what they did when recorded.
#include "sim/recalled_ports.hh"

#include <utility>

#include "base/text.hh"
#include "json/writer.hh"
#include "trace/exchange.hh"

namespace ktm::sim {

namespace {

ProgramOutcome outcome_of(const RecalledExchanges::Answer& recalled, const json::View& answer) {
    ProgramOutcome outcome;
    outcome.exit_code = static_cast<int>(answer.find_int("exit").value_or(0));
    outcome.signal = static_cast<int>(answer.find_int("signal").value_or(0));
    outcome.out = answer.find_string("out").value_or("");
    outcome.err = answer.find_string("err").value_or("");
    outcome.delay = recalled.was_killed ? std::nullopt : recalled.after;
    return outcome;
}

Error not_known(std::string what) {
    return Error{Kind::protocol, "not-recorded",
                 std::move(what) + " is not known: the recording does not have it", "", nullptr};
}

}  // namespace

Result<std::unique_ptr<ports::Pending>> RecalledTransport::connect(const Endpoint& endpoint,
                                                                   Connected connected) {
    if (peer_ != nullptr && endpoint.text() == peer_endpoint_) {
        return peer_->connect(endpoint, std::move(connected));
    }
    const auto found = known_.find(endpoint.text());
    if (found == known_.end()) {
        Error error = not_known("the plan connects to " + endpoint.text() + ", and who is there");
        on_unknown_(Error{error});
        return error;
    }
    if (found->second) {
        return Error{*found->second};
    }
    return transport_.connect(endpoint, std::move(connected));
}

Result<std::unique_ptr<ports::Listener>> RecalledTransport::listen(const Endpoint& endpoint,
                                                                   Accepted accepted) {
    if (peer_ != nullptr && endpoint.text() == peer_endpoint_) {
        return peer_->listen(std::move(accepted));
    }
    on_unknown_(
        not_known("the plan waits on " + endpoint.text() + " for the other node, and who comes"));
    return transport_.listen(endpoint, std::move(accepted));
}

Result<std::unique_ptr<ports::Process>> RecalledProcesses::start(const ports::Program& program,
                                                                 Ended ended) {
    std::string argv = "[";
    for (const std::string& word : program.argv) {
        argv += (argv.size() == 1 ? "" : ",") + json::quoted(word);
    }
    json::ObjectWriter request;
    request.text("what", "run").json("argv", argv + "]");
    const std::string line = joined(program.argv, " ");
    const Result<RecalledExchanges::Answer> recalled = exchanges_.answer(
        "", std::move(request).finish(), "run " + line, RecalledExchanges::Again::never);
    if (!recalled) {
        on_unknown_(Error{recalled.error()});
        return recalled.error();
    }
    if (recalled->message == nullptr && !recalled->was_killed) {
        Error error{
            Kind::protocol, "not-recorded",
            "the plan wants to run " + line + ", and the recording ends before that program does",
            "", nullptr};
        on_unknown_(Error{error});
        return error;
    }
    ProgramOutcome outcome;
    outcome.delay.reset();
    if (recalled->message != nullptr) {
        const json::View message = recalled->message->root();
        if (const std::optional<json::View> error = message.find("error")) {
            return trace::error_in(*error);
        }
        outcome = outcome_of(*recalled, message.find("answer").value_or(message));
    }
    programs_.install(line, std::move(outcome));
    return programs_.start(program, std::move(ended));
}

Result<RecalledExchanges::Answer> RecalledFiles::look_up(std::string_view what,
                                                         const std::string& path) {
    json::ObjectWriter request;
    request.text("what", what).text("path", path);
    return exchanges_.answer("", std::move(request).finish(), std::string{what} + " " + path);
}

Result<json::View> RecalledFiles::recall(std::string_view what, const std::string& path) {
    const Result<RecalledExchanges::Answer> recalled = look_up(what, path);
    if (!recalled) {
        on_unknown_(Error{recalled.error()});
        return recalled.error();
    }
    if (recalled->message == nullptr) {
        Error error{Kind::protocol, "not-recorded",
                    "the recording ends before " + path + " was read", "", nullptr};
        on_unknown_(Error{error});
        return error;
    }
    const json::View message = recalled->message->root();
    if (const std::optional<json::View> error = message.find("error")) {
        return trace::error_in(*error);
    }
    return message.find("answer").value_or(message);
}

Result<bool> RecalledFiles::is_in_memory(const std::string& folder) {
    const Result<RecalledExchanges::Answer> recalled = look_up("is-in-memory", folder);
    const bool is_known = recalled && recalled->message != nullptr;
    const auto answer = is_known ? recalled->message->root().find("answer") : std::nullopt;
    const auto memory = answer ? answer->find("memory") : std::nullopt;
    return memory ? memory->as_bool().value_or(true) : true;
}

Result<std::string> RecalledFiles::read(const std::string& path, Bytes /*size_max*/) {
    const Result<json::View> answer = recall("read", path);
    return answer ? Result<std::string>{std::string{answer->find_string("text").value_or("")}}
                  : Result<std::string>{answer.error()};
}

Result<std::vector<std::string>> RecalledFiles::list(const std::string& folder) {
    const Result<json::View> answer = recall("list", folder);
    if (!answer) {
        return answer.error();
    }
    std::vector<std::string> names;
    if (const std::optional<json::View> array = answer->find("names")) {
        for (const json::View name : array->items()) {
            names.emplace_back(name.as_string().value_or(""));
        }
    }
    return names;
}

}  // namespace ktm::sim
