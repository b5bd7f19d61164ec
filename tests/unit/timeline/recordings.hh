// SPDX-License-Identifier: Apache-2.0
// tests/unit/timeline/recordings.hh: recordings for tests, in lines.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "timeline/builder.hh"
#include "trace/reader.hh"

namespace ktm::timeline::testing {

/// Records of lines in the native form, without a header.
inline std::vector<trace::Record> records_of(const std::string& lines) {
    trace::Reader reader;
    std::vector<trace::Record> records;
    reader.receive(
        "{\"magic\":\"katamaran-trace\",\"version\":1,\"tool\":\"0\",\"started\":\"\"}\n" + lines,
        records);
    reader.finish(records);
    return records;
}

inline std::string line(double ms, const std::string& port, const std::string& direction,
                        const std::string& field, const std::string& value) {
    return "{\"t\":" + std::to_string(static_cast<long long>(ms * 1e6)) + ",\"port\":\"" + port +
           "\",\"dir\":\"" + direction + "\",\"" + field + "\":" + value + "}\n";
}

inline std::string note(double ms, const std::string& text) {
    return line(ms, "plan", "note", "text", "\"" + text + "\"");
}

inline std::string event(double ms, const std::string& name, const std::string& data = "{}",
                         const std::string& port = "qmp") {
    return line(ms, port, "in", "msg", "{\"event\":\"" + name + "\",\"data\":" + data + "}");
}

inline std::string migration(double ms, const std::string& status) {
    return event(ms, "MIGRATION", "{\"status\":\"" + status + "\"}");
}

inline std::string command(double ms, int id, const std::string& name,
                           const std::string& reply = "{}") {
    const std::string number = std::to_string(id);
    return line(ms, "qmp", "out", "msg", "{\"execute\":\"" + name + "\",\"id\":" + number + "}") +
           line(ms + 0.5, "qmp", "in", "msg", "{\"return\":" + reply + ",\"id\":" + number + "}");
}

/// One side of the recordings in tests/data.
inline Source recorded(const std::string& name, const std::string& side) {
    std::ifstream file{std::string(std::getenv("KTM_DATA")) + "/traces/" + name + "-" + side +
                       ".jsonl"};
    std::stringstream text;
    text << file.rdbuf();
    trace::Reader reader;
    Source source{side, {}, {}};
    reader.receive(text.str(), source.records);
    reader.finish(source.records);
    return source;
}

inline Timeline build_both(const std::string& name) {
    std::vector<Source> sources;
    sources.push_back(recorded(name, "source"));
    sources.push_back(recorded(name, "dest"));
    return build(sources);
}

inline Timeline build_one(const std::string& lines) {
    std::vector<Source> sources;
    sources.push_back({"run", records_of(lines), {}});
    return build(sources);
}

inline const Lane* lane(const Timeline& timeline, const std::string& name) {
    for (const Lane& each : timeline.lanes) {
        if (each.name == name) {
            return &each;
        }
    }
    return nullptr;
}

/// "prepare, copying, …": what a lane's spans say, in their order.
inline std::string spans(const Timeline& timeline, const std::string& name) {
    const Lane* found = lane(timeline, name);
    std::string text;
    if (found == nullptr) {
        return "no lane";
    }
    for (const Span& span : found->spans) {
        text += (text.empty() ? "" : ", ") + span.text;
    }
    return text;
}

}  // namespace ktm::timeline::testing
