// SPDX-License-Identifier: Apache-2.0
// tests/bench/qmp_bench.cc: katamaran's whole session path against two parsers alone.
//
// Theory of operation. The recorded conversations are turned into lines as QEMU writes them, one
// after the other in one long conversation. One measurement of katamaran is all of it through a
// Session: bytes cut into lines, messages decoded and checked, replies matched, happenings taken.
// One measurement of json-c and yajl is their parser alone on the same lines. A round measures all
// three, one after the other and beginning with another each time, so that a noisy machine disturbs
// all alike.
//
// Usage: qmp_bench ROUNDS SCHEMA.json TRACE...; the times go to stdout as JSON, in nanoseconds.
#include <json-c/json.h>
#include <yajl/yajl_tree.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "json/writer.hh"
#include "qmp/session.hh"
#include "trace/reader.hh"

namespace {

using namespace ktm;

/// So much work goes into one measurement that the clock's own cost vanishes.
constexpr int repeats_of_traces = 20;
constexpr int repeats_of_schema = 40;

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "qmp_bench: %s\n", what.c_str());
    std::exit(2);
}

/// A command of ours, or else a line of QEMU's.
struct Step {
    std::string command;
    std::string arguments;
    std::string line;
};

using Conversation = std::vector<Step>;

std::string file_content(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        give_up(std::string("cannot read ") + path);
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

/// QEMU puts a space behind each colon and comma.
std::string as_qemu_writes(std::string_view compact) {
    std::string out;
    bool inside = false;
    bool escaped = false;
    for (const char c : compact) {
        out += c;
        inside = c == '"' && !escaped ? !inside : inside;
        escaped = inside && c == '\\' && !escaped;
        if (!inside && (c == ',' || c == ':')) {
            out += ' ';
        }
    }
    return out + "\r\n";
}

/// The message with the number that a Session gives to the command.
std::string renumbered(const json::View& message, const std::map<std::int64_t, std::int64_t>& ids) {
    json::ObjectWriter out;
    for (const json::View::Field field : message.fields()) {
        if (field.key == "id") {
            const auto found = ids.find(field.value.as_int().value_or(-1));
            if (found == ids.end()) {
                give_up("a trace has a reply to no command");
            }
            out.integer("id", found->second);
        } else {
            out.json(field.key, json::compact(field.value));
        }
    }
    return std::move(out).finish();
}

/// Adds a recorded conversation to one that goes on: a monitor lives for hours, and what is
/// measured is a message, not the making of a session. The greeting and the negotiation are kept
/// once.
void append(Conversation& steps, std::int64_t& commands, const char* path) {
    trace::Reader reader;
    std::vector<trace::Record> records;
    reader.receive(file_content(path), records);
    reader.finish(records);
    if (reader.damage()) {
        give_up(std::string(path) + ": " + reader.damage()->sentence());
    }
    const bool first = steps.empty();
    std::map<std::int64_t, std::int64_t> ids;
    std::size_t heard = 0;
    for (const trace::Record& record : records) {
        if (!record.message) {
            continue;
        }
        const json::View message = record.message->root();
        if (record.direction == trace::Direction::in) {
            // The first two lines are the greeting and the answer to the negotiation.
            if (++heard > 2 || first) {
                steps.push_back({"", "", as_qemu_writes(renumbered(message, ids))});
            }
            continue;
        }
        const bool negotiation = message.find_string("execute") == "qmp_capabilities";
        if (negotiation != ids.empty()) {
            give_up(std::string(path) + ": does not begin with the negotiation");
        }
        ids.emplace(message.find_int("id").value_or(-1), negotiation ? 1 : ++commands);
        if (!negotiation) {
            const std::optional<json::View> arguments = message.find("arguments");
            steps.push_back({std::string(*message.find_string("execute")),
                             arguments ? json::compact(*arguments) : "", ""});
        }
    }
}

/// What came out of the sessions, to be compared once and to be consumed always.
struct Tally {
    std::size_t events = 0;
    std::size_t answers = 0;
    std::size_t became = 0;
    std::size_t faults = 0;
    std::size_t sum = 0;  ///< Depends on every message, so that no work can be left out.

    void count(const qmp::Happening& happening) {
        // Of each message the size of its root, as of the parsers' results below.
        if (const auto* event = std::get_if<qmp::Event>(&happening)) {
            ++events;
            sum += event->body.root().size();
        } else if (const auto* answered = std::get_if<qmp::Answered>(&happening)) {
            ++answers;
            sum += answered->reply ? answered->reply->body.root().size() : 1;
        } else if (const auto* started = std::get_if<qmp::Became>(&happening)) {
            ++became;
            sum += started->greeting.package.size();
        } else {
            ++faults;
        }
    }
};

/// A session whose commands are given: all of them wait for their replies. To give commands is our
/// own pace and not part of the path from QEMU to us, so it is not measured.
std::unique_ptr<qmp::Session> asked(const Conversation& steps) {
    qmp::Limits limits;
    limits.pending_commands_max = steps.size() + 1;
    auto session = std::make_unique<qmp::Session>(limits);
    // The session gives number 1 to its negotiation when it hears the greeting, before any other.
    session->receive(steps.front().line, Instant{});
    for (const Step& step : steps) {
        if (!step.command.empty() &&
            !session->send(step.command, step.arguments, std::nullopt, Instant{})) {
            give_up("the session refused a command");
        }
    }
    return session;
}

/// Hears every line behind the greeting, as it came: a message a read.
void hear(qmp::Session& session, const Conversation& steps, Tally& tally) {
    std::vector<qmp::Happening> happenings;
    for (std::size_t i = 1; i < steps.size(); ++i) {
        if (steps[i].line.empty()) {
            continue;
        }
        session.receive(steps[i].line, Instant{});
        session.take_happenings(happenings);
        for (const qmp::Happening& happening : happenings) {
            tally.count(happening);
        }
    }
}

void converse(const Conversation& steps, Tally& tally) {
    const std::unique_ptr<qmp::Session> session = asked(steps);
    hear(*session, steps, tally);
}

/// A benchmark of an error path would be fast and worthless.
void check(const Conversation& steps) {
    Tally tally;
    converse(steps, tally);
    std::size_t events = 0;
    std::size_t replies = 0;
    for (const Step& step : steps) {
        const Result<json::Document> message = json::parse(step.line);
        if (message) {
            events += message->root().find("event") ? 1 : 0;
            replies += message->root().find("id") ? 1 : 0;
        }
    }
    if (tally.faults != 0 || tally.became != 1 || tally.events != events ||
        tally.answers + 1 != replies || tally.events + tally.answers == 0) {
        give_up("the conversation did not go through the session as it was recorded");
    }
}

std::size_t parse_by_json_c(const std::vector<std::string>& lines) {
    std::size_t sum = 0;
    json_tokener* tokener = json_tokener_new();
    // What our reader checks, too; without the flags it takes comments, 'words' and broken UTF-8.
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    for (const std::string& line : lines) {
        json_tokener_reset(tokener);
        json_object* root =
            json_tokener_parse_ex(tokener, line.data(), static_cast<int>(line.size()));
        if (root == nullptr) {
            give_up("json-c refuses a line");
        }
        sum += static_cast<std::size_t>(json_object_object_length(root));
        json_object_put(root);
    }
    json_tokener_free(tokener);
    return sum;
}

std::size_t parse_by_yajl(const std::vector<std::string>& lines) {
    std::size_t sum = 0;
    for (const std::string& line : lines) {
        yajl_val root = yajl_tree_parse(line.c_str(), nullptr, 0);
        if (root == nullptr) {
            give_up("yajl refuses a line");
        }
        sum += YAJL_GET_OBJECT(root)->len;
        yajl_tree_free(root);
    }
    return sum;
}

/// One of the three: what is measured, and what is made ready before.
struct Runner {
    const char* name;
    std::function<void()> prepare;
    std::function<std::size_t()> work;
};

long long time_of(const Runner& runner, int repeats) {
    static volatile std::size_t sink = 0;
    std::chrono::nanoseconds total{};
    for (int i = 0; i < repeats; ++i) {
        runner.prepare();
        const auto begin = std::chrono::steady_clock::now();
        sink = sink + runner.work();
        total += std::chrono::steady_clock::now() - begin;
    }
    return total.count() / repeats;
}

/// A session, measured from the first byte behind the greeting.
Runner session_runner(const Conversation& conversation) {
    auto session = std::make_shared<std::unique_ptr<qmp::Session>>();
    return {"katamaran", [&conversation, session] { *session = asked(conversation); },
            [&conversation, session] {
                Tally tally;
                hear(**session, conversation, tally);
                return tally.sum;
            }};
}

Runner parser_runner(const char* name, const std::vector<std::string>& lines,
                     std::size_t (*parse)(const std::vector<std::string>&)) {
    return {name, [] {}, [&lines, parse] { return parse(lines); }};
}

/// Prints "NAME": {"messages": …, "bytes": …, "rounds": [{…}, …]}.
void measure(const char* name, std::size_t messages, std::size_t bytes,
             const std::vector<Runner>& runners, int rounds, int repeats) {
    std::printf("\"%s\": {\"messages\": %zu, \"bytes\": %zu, \"rounds\": [", name, messages, bytes);
    // Round 0 warms caches and allocators and is not counted.
    for (int round = 0; round <= rounds; ++round) {
        std::map<std::string, long long> times;
        for (std::size_t i = 0; i < runners.size(); ++i) {
            const Runner& runner = runners[(i + static_cast<std::size_t>(round)) % runners.size()];
            times[runner.name] = time_of(runner, repeats);
        }
        if (round > 0) {
            std::printf("%s{\"katamaran\": %lld, \"json-c\": %lld, \"yajl\": %lld}",
                        round > 1 ? ", " : "", times["katamaran"], times["json-c"], times["yajl"]);
        }
    }
    std::printf("]}");
}

void measure_all(const Conversation& conversation, int rounds) {
    std::vector<std::string> lines;
    std::size_t bytes = 0;
    for (std::size_t i = 1; i < conversation.size(); ++i) {
        if (!conversation[i].line.empty()) {
            lines.push_back(conversation[i].line);
            bytes += conversation[i].line.size();
        }
    }
    measure("traces", lines.size(), bytes,
            {session_runner(conversation), parser_runner("json-c", lines, parse_by_json_c),
             parser_runner("yajl", lines, parse_by_yajl)},
            rounds, repeats_of_traces);
}

/// The largest answer of QEMU, in one session that is ready already, as it comes: once.
void measure_schema(const std::string& file, int rounds) {
    const Result<json::Document> document = json::parse(file);
    if (!document || !document->root().find("return")) {
        give_up("the schema's file is no reply of QEMU");
    }
    const std::string types = json::compact(*document->root().find("return"));
    const std::vector<std::string> lines{as_qemu_writes("{\"return\":" + types + ",\"id\":2}")};
    const Conversation conversation{
        {"", "",
         "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "
         "\"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n"},
        {"", "", "{\"return\": {}, \"id\": 1}\r\n"},
        {"query-qmp-schema", "", ""},
        {"", "", lines[0]}};
    check(conversation);
    measure("schema", 1, lines[0].size(),
            {session_runner(conversation), parser_runner("json-c", lines, parse_by_json_c),
             parser_runner("yajl", lines, parse_by_yajl)},
            rounds, repeats_of_schema);
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 3 ? std::atoi(argv[1]) : 0;
    if (rounds < 1) {
        give_up("usage: qmp_bench ROUNDS SCHEMA.json TRACE...");
    }
    // Number 1 is the session's own, its negotiation.
    std::int64_t commands = 1;
    Conversation conversation;
    for (int i = 3; i < argc; ++i) {
        append(conversation, commands, argv[i]);
    }
    check(conversation);
    std::printf("{");
    measure_all(conversation, rounds);
    std::printf(",\n");
    measure_schema(file_content(argv[2]), rounds);
    std::printf("}\n");
    return 0;
}
