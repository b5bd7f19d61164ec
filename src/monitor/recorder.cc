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

Recorder::Recorder(std::unique_ptr<ports::Spool> spool, const ports::Clock& clock,
                   std::string_view tool_version, std::string migration)
    : spool_(std::move(spool)),
      migration_(std::move(migration)),
      header_(trace::header_line(tool_version, clock.wall_now(), migration_)),
      clock_(clock),
      start_(clock.now()) {
    if (spool_) {
        spool_->append(header_);
    }
}

Result<std::unique_ptr<Recorder>> Recorder::open(ports::Files& files, const ports::Clock& clock,
                                                 const std::string& path,
                                                 std::string_view tool_version,
                                                 std::string migration) {
    Result<std::unique_ptr<ports::Spool>> spool = files.spool(path, filter_for(path));
    if (!spool) {
        return std::move(spool).error();
    }
    return std::unique_ptr<Recorder>{
        new Recorder{std::move(*spool), clock, tool_version, std::move(migration)}};
}

std::unique_ptr<Recorder> Recorder::without_file(const ports::Clock& clock,
                                                 std::string_view tool_version,
                                                 std::string migration) {
    return std::unique_ptr<Recorder>{
        new Recorder{nullptr, clock, tool_version, std::move(migration)}};
}

void Recorder::tell(UniqueFunction<void(std::string_view)> listener) {
    listener(header_);
    listeners_.push_back(std::move(listener));
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

void Recorder::append(std::string line) {
    const std::string kept =
        trace::marked_line(secrets_.empty() ? std::move(line) : secrets_.hide(line), migration_);
    if (spool_) {
        spool_->append(kept);
    }
    for (UniqueFunction<void(std::string_view)>& listener : listeners_) {
        listener(kept);
    }
}

Result<void> Recorder::close(UniqueFunction<void()> slow) {
    return spool_ ? spool_->close(std::move(slow)) : Result<void>{};
}

}  // namespace ktm::monitor
