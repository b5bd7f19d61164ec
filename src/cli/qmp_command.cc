// SPDX-License-Identifier: Apache-2.0
// cli/qmp_command.cc: `katamaran qmp`: one monitor, by hand or from a script.
//
// Theory of operation. Three uses of one conversation: watch (no command, no --wait: every event
// until the end), run (a command: its reply), wait (--wait, with or without a command: the reply,
// then the event). The window for the event opens with the negotiation, before the command is sent,
// because QEMU sends an event like STOP before the reply to the command that caused it.
//
// Steps, each begun by the end of the one before: connect, ready, check the awaited event against
// the schema, type the arguments by the schema, send, reply, event. A step that needs no schema
// does not ask for it. A schema that was only remembered never has the last word: before a name is
// refused because of it, this QEMU is asked for a fresh one.
//
// The end comes once, by finish(): it keeps the exit code and stops the loop.
#include "cli/qmp_command.hh"

#include <memory>
#include <utility>

#include "base/text.hh"
#include "cli/awaited_event.hh"
#include "cli/console.hh"
#include "cli/interruptions.hh"
#include "cli/migration_id.hh"
#include "cli/summary.hh"
#include "json/writer.hh"
#include "monitor/client.hh"
#include "monitor/schema_cache.hh"
#include "qmp/arguments.hh"
#include "version.hh"

namespace ktm::cli {

namespace {

constexpr std::size_t event_detail_bytes = 400;
/// After this long without a sign a person wants to know what is being waited for.
constexpr Duration patience = std::chrono::seconds{2};

/// What the words of the command line ask for, before any QEMU was seen.
struct Request {
    Endpoint endpoint{UnixEndpoint{}};
    std::string command;
    std::vector<qmp::WrittenArgument> arguments;
    std::optional<json::Document> whole_arguments;  ///< All arguments as one JSON object.
    std::optional<AwaitedEvent> awaited;
    std::optional<Duration> timeout;
};

Result<void> read_words(const std::vector<std::string>& words, Request& request) {
    if (words.empty()) {
        return {};
    }
    request.command = words.front();
    if (request.command.empty()) {
        return Error{Kind::usage, "no-command",
                     "the command is an empty word; expected the name of a QMP command", "",
                     nullptr};
    }
    if (words.size() == 2 && words[1].starts_with('{')) {
        Result<json::Document> parsed = json::parse(words[1]);
        if (!parsed) {
            return std::move(parsed).error().wrapped(Kind::usage, "bad-argument",
                                                     "the arguments are not a JSON object", "");
        }
        request.whole_arguments.emplace(std::move(*parsed));
        return {};
    }
    for (std::size_t i = 1; i < words.size(); ++i) {
        Result<qmp::WrittenArgument> argument = qmp::parse_argument(words[i]);
        if (!argument) {
            return std::move(argument).error();
        }
        request.arguments.push_back(std::move(*argument));
    }
    return {};
}

Result<Request> read_request(const QmpOptions& options) {
    Request request;
    Result<Endpoint> endpoint = Endpoint::parse(options.socket);
    if (!endpoint) {
        return std::move(endpoint).error();
    }
    request.endpoint = std::move(*endpoint);
    if (!options.wait.empty()) {
        Result<AwaitedEvent> awaited = AwaitedEvent::parse(options.wait);
        if (!awaited) {
            return std::move(awaited).error();
        }
        request.awaited = std::move(*awaited);
    }
    if (!options.timeout.empty()) {
        const Result<Duration> timeout = parse_duration(options.timeout);
        if (!timeout) {
            return timeout.error();
        }
        request.timeout = *timeout;
    }
    KTM_CHECK(read_words(options.words, request));
    return request;
}

class QmpCommand {
public:
    QmpCommand(const ports::World& world, Request request, Console& console,
               monitor::Recorder* recorder, const std::string& cache_folder)
        : world_(world),
          request_(std::move(request)),
          console_(console),
          schemas_(world.files, cache_folder),
          client_(world.clock, world.transport, recorder, "qmp") {}

    int run(Interruptions& interruptions) {
        interruptions.tell([this](int) { finish(exit_interrupted); });
        arm_timers();
        client_.connect(request_.endpoint,
                        {[this](const qmp::Greeting&) { on_ready(); },
                         [this](const qmp::Event& event) { on_event(event); },
                         [this](std::optional<Error> error) { on_closed(std::move(error)); }});
        if (!exit_code_) {
            world_.loop.run();
        }
        client_.close();
        return exit_code_.value_or(exit_failed);
    }

private:
    void finish(int code) {
        if (!exit_code_) {
            exit_code_ = code;
            world_.loop.stop();
        }
    }

    void fail(const Error& error) {
        if (!exit_code_) {
            console_.error(error);
            finish(error.kind == Kind::usage ? exit_usage : exit_failed);
        }
    }

    void print(std::string_view text) {
        if (!exit_code_ && !console_.line(text)) {
            finish(console_.explain_loss());
        }
    }

    [[nodiscard]] bool watches_events() const {
        return request_.command.empty() && !request_.awaited;
    }

    void arm_timers() {
        if (request_.timeout) {
            const Instant end = world_.clock.now() + *request_.timeout;
            console_.limit_waits([this, end] { return end - world_.clock.now(); });
            timeout_ = world_.clock.arm(*request_.timeout, [this] { on_timeout(); });
        }
        if (!console_.json()) {
            patience_ = world_.clock.arm(patience, [this] { explain_delay(); });
        }
    }

    void on_timeout() {
        if (watches_events() && ready_) {
            finish(exit_done);
            return;
        }
        const bool unknown = sent_ && !replied_;
        fail(Error{Kind::timeout, "timeout",
                   "nothing within " + format_duration(*request_.timeout) +
                       (unknown ? "; whether QEMU carries the command out is not known" : ""),
                   "wait for " + missing(), nullptr});
    }

    /// What has not come yet, for a person who waits.
    [[nodiscard]] std::string missing() const {
        if (!ready_) {
            return "QEMU's greeting (another client may hold this monitor)";
        }
        if (!replied_) {
            return "the reply to " + request_.command;
        }
        return "the event " + (request_.awaited ? request_.awaited->text() : "");
    }

    void explain_delay() {
        if (!watches_events() || !ready_) {
            console_.note("waiting for " + missing() + "…");
        }
    }

    void on_ready() {
        ready_ = true;
        if (request_.awaited) {
            check_awaited(monitor::SchemaCache::Want::any);
        } else {
            prepare_command();
        }
    }

    /// A misspelt event would be waited for until the end of the world.
    void check_awaited(monitor::SchemaCache::Want want) {
        schemas_.find(client_, want, [this](Result<monitor::FoundSchema> found) {
            if (!found) {
                fail(found.error());
            } else if (found->schema->has_event(request_.awaited->name())) {
                prepare_command();
            } else if (!found->fresh) {
                check_awaited(monitor::SchemaCache::Want::fresh);
            } else {
                fail(found->schema->unknown_event(request_.awaited->name()));
            }
        });
    }

    void prepare_command() {
        if (request_.command.empty()) {
            replied_ = true;
            finish_when_complete();
        } else if (request_.arguments.empty() && !request_.whole_arguments) {
            send("");
        } else {
            type_arguments(monitor::SchemaCache::Want::any);
        }
    }

    void type_arguments(monitor::SchemaCache::Want want) {
        schemas_.find(client_, want, [this](Result<monitor::FoundSchema> found) {
            if (!found) {
                fail(found.error());
                return;
            }
            const Result<std::string> typed = typed_arguments(*found->schema);
            if (typed) {
                send(*typed);
            } else if (!found->fresh) {
                type_arguments(monitor::SchemaCache::Want::fresh);
            } else {
                fail(typed.error());
            }
        });
    }

    [[nodiscard]] Result<std::string> typed_arguments(const qmp::Schema& schema) const {
        if (!request_.whole_arguments) {
            return qmp::build_arguments(schema, request_.command, request_.arguments);
        }
        const json::View whole = request_.whole_arguments->root();
        KTM_CHECK(qmp::check_arguments(schema, request_.command, whole));
        return json::compact(whole);
    }

    void send(const std::string& arguments) {
        sent_ = true;
        const Result<qmp::CommandId> sent =
            client_.run(request_.command, arguments, std::nullopt,
                        [this](Result<qmp::Reply> reply) { on_reply(std::move(reply)); });
        if (!sent) {
            fail(sent.error());
        }
    }

    void on_reply(Result<qmp::Reply> reply) {
        if (exit_code_) {
            return;
        }
        if (!reply) {
            on_refusal(std::move(reply).error());
            return;
        }
        replied_ = true;
        const json::View result = reply->result();
        if (console_.json()) {
            print(json::compact(result));
        } else if (result.size() > 0 || !result.is_object()) {
            print(printable_lines(json::pretty(result)));
        } else {
            print(request_.command.starts_with("query-") ? "{}" : "ok");
        }
        finish_when_complete();
    }

    /// A command that this QEMU does not know deserves the names of those that it does.
    void on_refusal(Error error) {
        if (error.code != "CommandNotFound") {
            fail(error);
            return;
        }
        schemas_.find(client_, monitor::SchemaCache::Want::any,
                      [this, error](Result<monitor::FoundSchema> found) {
                          const bool unknown =
                              found && !found->schema->has_command(request_.command);
                          fail(unknown ? found->schema->unknown_command(request_.command) : error);
                      });
    }

    void on_event(const qmp::Event& event) {
        if (event.name() == "SHUTDOWN") {
            shut_down_ = true;
        }
        if (watches_events()) {
            print(console_.json() ? json::compact(event.body.root()) : event_line(event));
            return;
        }
        if (request_.awaited && !happened_ && request_.awaited->matches(event)) {
            happened_.emplace(console_.json() ? json::compact(event.body.root())
                                              : event_line(event));
            finish_when_complete();
        }
    }

    void finish_when_complete() {
        if (!replied_ || watches_events()) {
            return;
        }
        if (request_.awaited) {
            if (!happened_) {
                return;
            }
            print(*happened_);
        }
        finish(exit_done);
    }

    [[nodiscard]] std::string event_line(const qmp::Event& event) const {
        const WallTime time = event.time().value_or(world_.clock.wall_now());
        const std::optional<json::View> data = event.data();
        const std::string detail = data ? summary_of(*data, event_detail_bytes) : "";
        return console_.paint(Colour::dim, format_wall_time(time)) + "  " +
               console_.paint(Colour::bold, printable(event.name())) +
               (detail.empty() ? "" : "  " + detail);
    }

    /// Newlines stay, everything else that a terminal would obey does not.
    [[nodiscard]] static std::string printable_lines(std::string_view text) {
        std::string safe;
        while (true) {
            const std::size_t end = text.find('\n');
            safe += printable(text.substr(0, end));
            if (end == std::string_view::npos) {
                return safe;
            }
            safe += '\n';
            text.remove_prefix(end + 1);
        }
    }

    void on_closed(std::optional<Error> error) {
        if (exit_code_ || !error) {
            return;
        }
        // Who watches until QEMU shuts down has got what was asked for.
        if (watches_events() && shut_down_) {
            finish(exit_done);
            return;
        }
        if (!watches_events() && ready_) {
            error->during = "wait for " + missing();
        }
        fail(*error);
    }

    const ports::World& world_;
    Request request_;
    Console& console_;
    monitor::SchemaCache schemas_;
    monitor::Client client_;
    std::unique_ptr<ports::Timer> timeout_;
    std::unique_ptr<ports::Timer> patience_;
    bool ready_ = false;
    bool sent_ = false;
    bool replied_ = false;
    bool shut_down_ = false;
    std::optional<std::string> happened_;
    std::optional<int> exit_code_;
};

}  // namespace

int run_qmp(const ports::World& world, const QmpOptions& options) {
    Console console{options.json};
    Result<Request> request = read_request(options);
    if (!request) {
        console.error(request.error());
        return exit_usage;
    }
    Result<std::string> migration = migration_id();
    if (!migration) {
        console.error(migration.error());
        return exit_usage;
    }
    Interruptions interruptions{world.signals};
    std::unique_ptr<monitor::Recorder> recorder;
    if (!options.record.empty()) {
        Result<std::unique_ptr<monitor::Recorder>> opened = monitor::Recorder::open(
            world.files, world.clock, options.record, version, *std::move(migration));
        if (!opened) {
            console.error(opened.error());
            return exit_usage;
        }
        recorder = std::move(*opened);
    }
    int code =
        QmpCommand{world, std::move(*request), console, recorder.get(), options.cache_folder}.run(
            interruptions);
    interruptions.let_go();
    const auto slow = [&] { console.note("waiting for the disk to take " + options.record + "…"); };
    const Result<void> kept = recorder ? recorder->close(slow) : Result<void>{};
    if (!kept) {
        console.error(kept.error());
        code = code == exit_done ? exit_failed : code;
    }
    return code;
}

}  // namespace ktm::cli
