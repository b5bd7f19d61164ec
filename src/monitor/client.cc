// SPDX-License-Identifier: Apache-2.0
// monitor/client.cc: a QEMU that we talk to.
#include "monitor/client.hh"

#include <utility>

#include "base/log.hh"

namespace ktm::monitor {

namespace {

/// What the system's refusal means for somebody who looks for a QEMU; empty where its own words do.
std::string hint_for(const std::string& code, bool is_tcp) {
    if (code == "ENOENT") {
        return "there is no such socket; is QEMU running, and with -qmp unix:PATH,server=on?";
    }
    if (code == "ECONNREFUSED") {
        return is_tcp ? "nobody listens there; is QEMU running, and with -qmp tcp:...,server=on?"
                      : "nobody listens there; it is no socket, or one that an ended QEMU left";
    }
    if (code == "EAGAIN") {
        return "other clients are waiting for this monitor already; QEMU serves one at a time";
    }
    if (code == "EACCES") {
        return "permission denied; the socket belongs to another user";
    }
    if (code == "ENOTSOCK" || code == "EPROTOTYPE") {
        return "that is not a stream socket";
    }
    return "";
}

}  // namespace

Client::Client(ports::Clock& clock, ports::Transport& transport, Recorder* recorder,
               std::string port, qmp::Limits limits)
    : clock_(clock),
      transport_(transport),
      recorder_(recorder),
      port_(std::move(port)),
      limits_(limits),
      session_(limits, [this](qmp::Flow flow, std::string_view line) { record_line(flow, line); }) {
}

Client::~Client() {
    *alive_ = false;
}

void Client::record(trace::Direction direction, std::string_view text) {
    if (recorder_ != nullptr) {
        recorder_->text(port_, direction, text);
    }
}

void Client::record_line(qmp::Flow flow, std::string_view line) {
    if (recorder_ == nullptr) {
        return;
    }
    switch (flow) {
        case qmp::Flow::in: recorder_->message(port_, trace::Direction::in, line); break;
        case qmp::Flow::out: recorder_->message(port_, trace::Direction::out, line); break;
        case qmp::Flow::unreadable: recorder_->text(port_, trace::Direction::in, line); break;
    }
}

void Client::connect(const Endpoint& endpoint, Handlers handlers) {
    handlers_ = std::make_shared<Handlers>(std::move(handlers));
    place_ = endpoint.text();
    // LIFETIME: connecting_, stream_ and timer_ are destroyed with this, and with them the
    // callbacks that hold `this`.
    Result<std::unique_ptr<ports::Pending>> connecting = transport_.connect(
        endpoint,
        [this](Result<std::unique_ptr<ports::Stream>> stream) { on_connected(std::move(stream)); });
    if (connecting) {
        connecting_ = std::move(*connecting);
        connect_timer_ = clock_.arm(limits_.greeting_within, [this] {
            give_up_connecting(Error{Kind::timeout, "no-connection",
                                     "no answer within " + format_duration(limits_.greeting_within),
                                     "connect to " + place_, nullptr});
        });
        return;
    }
    connect_timer_ = clock_.arm(Duration::zero(),
                                [this, error = connecting.error()] { give_up_connecting(error); });
}

void Client::on_connected(Result<std::unique_ptr<ports::Stream>> stream) {
    if (!stream) {
        Error error = std::move(stream).error();
        const std::string hint = hint_for(error.code, place_.starts_with("tcp:"));
        error.what = hint.empty() ? error.what : hint;
        give_up_connecting(std::move(error));
        return;
    }
    connecting_.reset();
    connect_timer_.reset();
    session_.open(clock_.now());
    record(trace::Direction::open, place_);
    stream_ = std::move(*stream);
    stream_->start({[this](std::string_view bytes) {
                        session_.receive(bytes, clock_.now());
                        pump();
                    },
                    [this](std::optional<Error> error) {
                        session_.hang_up(std::move(error));
                        pump();
                    }});
    rearm();
}

void Client::give_up_connecting(Error error) {
    connecting_.reset();
    connect_timer_.reset();
    session_.fail(std::move(error));
    pump();
}

Result<qmp::CommandId> Client::run(std::string_view command, std::string_view arguments,
                                   std::optional<Duration> within, Done done) {
    const Result<qmp::CommandId> id = session_.send(command, arguments, within, clock_.now());
    if (id) {
        waiting_.emplace(*id, std::move(done));
        pump();
    }
    return id;
}

void Client::close() {
    session_.finish();
    pump();
}

void Client::pump() {
    // A callback that runs a command comes here again: the outer turn does the work.
    if (pumping_) {
        return;
    }
    const std::shared_ptr<bool> alive = alive_;
    const std::shared_ptr<Handlers> handlers = handlers_;
    pumping_ = true;
    std::vector<qmp::Happening> happenings;
    do {
        std::string output = session_.take_output();
        if (stream_ && !output.empty()) {
            stream_->write(std::move(output));
        }
        session_.take_happenings(happenings);
        for (qmp::Happening& happening : happenings) {
            tell(std::move(happening));
            if (!*alive) {
                return;
            }
        }
    } while (!happenings.empty());
    pumping_ = false;
    rearm();
}

void Client::rearm() {
    const std::optional<Instant> deadline = session_.deadline();
    if (deadline == armed_for_) {
        return;
    }
    armed_for_ = deadline;
    timer_.reset();
    if (deadline) {
        timer_ = clock_.arm(*deadline - clock_.now(), [this] {
            armed_for_.reset();
            session_.tick(clock_.now());
            pump();
        });
    }
}

void Client::tell(qmp::Happening happening) {
    if (auto* event = std::get_if<qmp::Event>(&happening)) {
        handlers_->on_event(*event);
    } else if (auto* answered = std::get_if<qmp::Answered>(&happening)) {
        tell_answer(std::move(*answered));
    } else if (auto* warned = std::get_if<qmp::Warned>(&happening)) {
        record(trace::Direction::note, warned->text);
        log::warning(place_ + ": " + warned->text);
    } else if (auto* became = std::get_if<qmp::Became>(&happening)) {
        greeting_ = std::move(became->greeting);
        handlers_->on_ready(*greeting_);
    } else {
        tell_closed(std::move(std::get<qmp::Closed>(happening).error));
    }
}

void Client::tell_answer(qmp::Answered answered) {
    const auto found = waiting_.find(answered.id);
    KTM_ASSERT(found != waiting_.end());
    Done done = std::move(found->second);
    waiting_.erase(found);
    done(std::move(answered.reply));
}

void Client::tell_closed(std::optional<Error> error) {
    record(trace::Direction::eof, error ? error->sentence() : "closed on our side");
    connecting_.reset();
    connect_timer_.reset();
    stream_.reset();
    if (handlers_->on_closed) {
        handlers_->on_closed(std::move(error));
    }
}

}  // namespace ktm::monitor
