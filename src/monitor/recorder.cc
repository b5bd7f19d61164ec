// SPDX-License-Identifier: Apache-2.0
// monitor/recorder.cc: what crosses the ports, kept while the program runs.
#include "monitor/recorder.hh"

#include <cstring>
#include <utility>

#include "trace/exchange.hh"
#include "trace/writer.hh"
#include "trace/zstd.hh"

namespace ktm::monitor {

namespace {

ports::Filter filter_for(const std::string& path) {
    if (!trace::wants_compression(path)) {
        return [](std::string_view bytes, bool) { return std::string(bytes); };
    }
    return [compressor = trace::Compressor{}](std::string_view bytes, bool last) mutable {
        return compressor.compress(bytes, last);
    };
}

}  // namespace

Recorder::Recorder(std::unique_ptr<ports::Spool> spool, const ports::Clock& clock)
    : spool_(std::move(spool)), clock_(clock), start_(clock.now()) {}

Result<std::unique_ptr<Recorder>> Recorder::open(ports::Files& files, const ports::Clock& clock,
                                                 const std::string& path,
                                                 std::string_view tool_version) {
    Result<std::unique_ptr<ports::Spool>> spool = files.spool(path, filter_for(path));
    if (!spool) {
        return std::move(spool).error();
    }
    std::unique_ptr<Recorder> recorder{new Recorder{std::move(*spool), clock}};
    recorder->spool_->append(trace::header_line(tool_version, clock.wall_now()));
    return recorder;
}

void Recorder::message(std::string_view port, trace::Direction direction, std::string_view json) {
    append(trace::message_line(elapsed(), port, direction, json));
}

void Recorder::text(std::string_view port, trace::Direction direction, std::string_view text) {
    append(trace::text_line(elapsed(), port, direction, text));
}

void Recorder::signal(int number) {
    const char* name = ::sigabbrev_np(number);
    text(trace::signal_port, trace::Direction::in, name != nullptr ? name : std::to_string(number));
}

void Recorder::append(const std::string& line) {
    spool_->append(secrets_.empty() ? line : secrets_.hide(line));
}

Result<void> Recorder::close(UniqueFunction<void()> slow) {
    return spool_->close(std::move(slow));
}

}  // namespace ktm::monitor
