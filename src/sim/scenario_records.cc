// SPDX-License-Identifier: Apache-2.0
// sim/scenario_records.cc: what is replayed: a recorded trace, or a scenario written by hand.
#include "sim/scenario_records.hh"

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "base/text.hh"
#include "json/parser.hh"
#include "trace/exchange.hh"
#include "trace/reader.hh"

namespace ktm::sim {

namespace {

/// LIMIT: the longest recording of a migration has a few MiB.
constexpr Bytes file_max{256U << 20U};
/// What monitor::Client records when the connection was closed by us (docs/TRACE.md).
constexpr std::string_view default_port = "qmp";
constexpr std::string_view closed_by_us = "closed on our side";
/// A record is one level around a message, as in trace::Reader.
constexpr json::Rules rules{json::depth_max + 1, json::Keys::first_counts};

/// How far each port has come while the records are read in order.
using Times = std::map<std::string, Duration, std::less<>>;

Duration distance(Times& times, const std::string& port, Duration time) {
    const auto [last, first] = times.emplace(port, time);
    const Duration passed = std::max(time - last->second, Duration::zero());
    last->second = std::max(time, last->second);
    return first ? Duration::zero() : passed;
}

Turn turn_of_eof(std::string_view text) {
    return text == closed_by_us ? Turn::left : Turn::eof;
}

std::optional<int> signal_of(std::string_view name) {
    name.remove_prefix(name.starts_with("SIG") ? 3 : 0);
    for (int number = 1; number < NSIG; ++number) {
        const char* known = ::sigabbrev_np(number);
        if (known != nullptr && known == name) {
            return number;
        }
    }
    return std::nullopt;
}

Error expected(std::size_t line, std::string_view what) {
    return Error{Kind::invalid, "bad-scenario",
                 "line " + std::to_string(line) + ": expected " + std::string(what), "", nullptr};
}

/// Reads the loose form, line by line.
class LooseReader {
public:
    Result<void> read_line(std::string_view line) {
        ++line_;
        line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
        if (line.empty()) {
            return {};
        }
        const Result<json::Document> parsed = parser_.parse(line);
        if (!parsed) {
            return Error{Kind::invalid, parsed.error().code,
                         "line " + std::to_string(line_) + ": " + parsed.error().what, "", nullptr};
        }
        if (!parsed->root().is_object()) {
            return expected(line_, R"(a record, such as {"dir":"out","msg":{"execute":"stop"}})");
        }
        return read_record(parsed->root());
    }

    ScenarioRecords records;

private:
    Result<void> read_record(const json::View& object) {
        ScenarioRecord record;
        record.line = line_;
        record.port = object.find_string("port").value_or(default_port);
        record.text = object.find_string("text").value_or("");
        if (const std::optional<json::View> message = object.find("msg")) {
            record.message = json::Document::extract(*message);
        }
        const std::string_view direction = object.find_string("dir").value_or("");
        if (direction == "note") {
            return {};
        }
        KTM_CHECK(read_time(object, record));
        record.at = times_[record.port];
        if (direction == "open") {
            return {};
        }
        KTM_CHECK(read_turn(direction, record));
        records.push_back(std::make_shared<const ScenarioRecord>(std::move(record)));
        return {};
    }

    Result<void> read_time(const json::View& object, ScenarioRecord& record) {
        const std::optional<json::View> time = object.find("t");
        const std::optional<json::View> after = object.find("after");
        if (time && after) {
            return expected(line_, R"("t" or "after", not both)");
        }
        if (time) {
            const std::optional<double> seconds = time->as_double();
            // LIMIT: nanoseconds in 64 bits are 292 years.
            if (!seconds || *seconds < 0 || *seconds >= 9e9) {
                return expected(line_, R"("t" with seconds, 0 or more)");
            }
            record.after = distance(times_, record.port, Duration{std::llround(*seconds * 1e9)});
        } else if (after) {
            const Result<Duration> passed = parse_duration(after->as_string().value_or("nothing"));
            if (!passed || *passed < Duration::zero()) {
                return expected(line_, R"("after" with a duration, such as "5ms")");
            }
            record.after = *passed;
            times_[record.port] += *passed;
        } else {
            times_.try_emplace(record.port);
        }
        return {};
    }

    Result<void> read_turn(std::string_view direction, ScenarioRecord& record) {
        if (direction == "in") {
            record.turn = Turn::in;
            const bool something = record.message || !record.text.empty();
            return something ? Result<void>{}
                             : expected(line_, R"("msg" with what QEMU says, or "text")");
        }
        if (direction == "out") {
            record.turn = Turn::out;
            const bool command = record.message && command_in(record.message->root());
            return command ? Result<void>{}
                           : expected(line_, R"("msg" with a command, such as {"execute":"stop"})");
        }
        if (direction == "eof") {
            record.turn = turn_of_eof(record.text);
            return {};
        }
        if (direction == "signal") {
            record.turn = Turn::signal;
            record.signal = signal_of(record.text).value_or(0);
            return record.signal != 0
                       ? Result<void>{}
                       : expected(line_, R"("text" with the name of a signal, such as "INT")");
        }
        return expected(line_, R"("dir" with in, out, open, eof, note or signal)");
    }

    json::Parser parser_{rules};
    Times times_;
    std::size_t line_ = 0;
};

/// Whether it is a file that trace::Reader knows by its first bytes: compressed, or with a header.
bool has_header(std::string_view bytes) {
    const std::string_view first = bytes.substr(0, bytes.find('\n'));
    const Result<json::Document> header = json::Parser{rules}.parse(first);
    return trace::looks_compressed(bytes) || (header && header->root().find("magic"));
}

/// Whether it is the port of a monitor, or of signals.
bool is_scenic(std::string_view port) {
    constexpr std::array<std::string_view, 6> others{trace::net_port,   trace::exec_port,
                                                     trace::files_port, trace::journal_port,
                                                     trace::plan_port,  trace::peer_port};
    return std::find(others.begin(), others.end(), port) == others.end();
}

/// Takes the exchanges out of a trace.
std::map<std::string, std::vector<trace::Record>, std::less<>> exchanges_of(
    std::vector<trace::Record>& trace) {
    std::map<std::string, std::vector<trace::Record>, std::less<>> exchanges;
    std::vector<trace::Record> rest;
    for (trace::Record& record : trace) {
        const bool is_exchange =
            record.port == trace::net_port || record.port == trace::exec_port ||
            record.port == trace::files_port || record.port == trace::peer_port;
        (is_exchange ? exchanges[record.port] : rest).push_back(std::move(record));
    }
    trace = std::move(rest);
    return exchanges;
}

Recording recording_of(std::vector<trace::Record> trace) {
    Recording recording;
    for (const trace::Record& record : trace) {
        recording.end = std::max(recording.end, record.time);
        if (record.port == trace::plan_port && record.message) {
            const json::View message = record.message->root();
            recording.run = message.find_string("run").value_or(recording.run);
            recording.state = message.find_string("state").value_or(recording.state);
            recording.vm = message.find_string("vm").value_or(recording.vm);
        }
    }
    recording.exchanges = exchanges_of(trace);
    recording.conversations = scenario_of(std::move(trace));
    return recording;
}

Result<ScenarioRecords> read_trace(std::string_view bytes) {
    trace::Reader reader;
    std::vector<trace::Record> trace;
    reader.receive(bytes, trace);
    reader.finish(trace);
    return reader.damage() ? Result<ScenarioRecords>{*reader.damage()}
                           : Result<ScenarioRecords>{scenario_of(std::move(trace))};
}

}  // namespace

std::optional<std::string_view> command_in(const json::View& message) {
    const std::optional<std::string_view> name = message.find_string("execute");
    return name ? name : message.find_string("exec-oob");
}

ScenarioRecords scenario_of(std::vector<trace::Record> trace) {
    ScenarioRecords records;
    Times times;
    std::map<std::string, std::string, std::less<>> places;
    const bool has_vm = std::any_of(trace.begin(), trace.end(), [](const trace::Record& record) {
        return record.port == default_port;
    });
    for (trace::Record& old : trace) {
        const bool is_signal = old.port == trace::signal_port;
        const bool command = old.message && command_in(old.message->root());
        const bool foreign = old.direction == trace::Direction::out && !command;
        if (old.direction == trace::Direction::note || foreign || !is_scenic(old.port)) {
            continue;
        }
        if (is_signal && has_vm) {
            old.port = default_port;
        }
        ScenarioRecord record;
        record.after = distance(times, old.port, old.time);
        record.at = old.time;
        if (old.direction == trace::Direction::open) {
            places[old.port] = old.text;
            continue;
        }
        if (const auto place = places.find(old.port); place != places.end()) {
            record.place = place->second;
        }
        record.signal = is_signal ? signal_of(old.text).value_or(0) : 0;
        record.turn = record.signal != 0                       ? Turn::signal
                      : old.direction == trace::Direction::in  ? Turn::in
                      : old.direction == trace::Direction::out ? Turn::out
                                                               : turn_of_eof(old.text);
        record.port = std::move(old.port);
        record.message = std::move(old.message);
        record.text = std::move(old.text);
        record.line = old.line;
        records.push_back(std::make_shared<const ScenarioRecord>(std::move(record)));
    }
    return records;
}

namespace {

/// Reads the loose form up to its first fault, which is the answer.
Result<void> read_loose(std::string_view bytes, ScenarioRecords& records) {
    LooseReader reader;
    Result<void> outcome;
    while (!bytes.empty() && outcome) {
        const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1);
        const std::string_view line = bytes.substr(0, end + 1);
        outcome = reader.read_line(line.substr(0, line.size() - (line.ends_with('\n') ? 1 : 0)));
        bytes.remove_prefix(end + 1);
    }
    records = std::move(reader.records);
    return records.empty() && outcome ? Result<void>{expected(1, "a record")} : outcome;
}

Recording read_part(std::string_view bytes) {
    Recording recording;
    if (has_header(bytes)) {
        trace::Reader reader;
        std::vector<trace::Record> trace;
        reader.receive(bytes, trace);
        reader.finish(trace);
        recording = recording_of(std::move(trace));
        recording.damage = reader.damage();
        return recording;
    }
    if (const Result<void> read = read_loose(bytes, recording.conversations); !read) {
        recording.damage = read.error();
    }
    for (const auto& record : recording.conversations) {
        recording.end = std::max(recording.end, record->at);
    }
    return recording;
}

}  // namespace

Result<Recording> read_recording(ports::Files& files, const std::string& path) {
    const Result<std::string> bytes = files.read(path, file_max);
    if (!bytes) {
        return bytes.error();
    }
    Recording recording = read_part(*bytes);
    if (recording.damage && recording.conversations.empty() && recording.exchanges.empty()) {
        return std::move(*recording.damage).while_trying("read the recording " + path);
    }
    return recording;
}

Result<ScenarioRecords> read_scenario(std::string_view bytes) {
    if (has_header(bytes)) {
        return read_trace(bytes);
    }
    ScenarioRecords records;
    KTM_CHECK(read_loose(bytes, records));
    return records;
}

Result<ScenarioRecords> read_scenario(ports::Files& files, const std::string& path) {
    const Result<std::string> bytes = files.read(path, file_max);
    if (!bytes) {
        return bytes.error();
    }
    Result<ScenarioRecords> records = read_scenario(*bytes);
    return records ? std::move(records)
                   : Result<ScenarioRecords>{
                         std::move(records).error().while_trying("read the trace " + path)};
}

ScenarioRecords on_port(const ScenarioRecords& records, std::string_view port) {
    ScenarioRecords chosen;
    std::copy_if(records.begin(), records.end(), std::back_inserter(chosen),
                 [&](const auto& record) { return record->port == port; });
    return chosen;
}

std::optional<Endpoint> endpoint_of(const ScenarioRecords& records, std::string_view port) {
    for (const auto& record : records) {
        if (record->port == port && !record->place.empty()) {
            Result<Endpoint> endpoint = Endpoint::parse(record->place);
            return endpoint ? std::optional{std::move(*endpoint)} : std::nullopt;
        }
    }
    return std::nullopt;
}

std::vector<std::string> ports_of(const ScenarioRecords& records) {
    std::set<std::string> names;
    for (const auto& record : records) {
        names.insert(record->port);
    }
    return {names.begin(), names.end()};
}

}  // namespace ktm::sim
