// SPDX-License-Identifier: Apache-2.0
// monitor/client.hh: a QEMU that we talk to: a session, its socket, its deadlines, its recording.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/recorder.hh"
#include "ports/clock.hh"
#include "ports/transport.hh"
#include "qmp/session.hh"

namespace ktm::monitor {

/// One connection to one monitor, from connect() to its end. It may be destroyed at any moment, in
/// its own callbacks too; what was waiting is then never called.
class Client {
public:
    struct Handlers {
        /// The negotiation has succeeded.
        UniqueFunction<void(const qmp::Greeting&)> on_ready;
        UniqueFunction<void(const qmp::Event&)> on_event;
        /// Once, last: the connection could not be made or has ended; nothing when we closed it.
        UniqueFunction<void(std::optional<Error>)> on_closed;
    };
    using Done = UniqueFunction<void(Result<qmp::Reply>)>;

    /// `recorder` may be null; `port` names this monitor in the recording.
    Client(ports::Clock& clock, ports::Transport& transport, Recorder* recorder, std::string port,
           qmp::Limits limits = {});
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Begins to connect; called once. What goes wrong from here on comes by on_closed.
    void connect(const Endpoint& endpoint, Handlers handlers);

    /// Runs a command. `done` is called once, never from inside this call; commands given before
    /// the connection is ready are sent when it is. An error means that it was not queued.
    [[nodiscard]] Result<qmp::CommandId> run(std::string_view command, std::string_view arguments,
                                             std::optional<Duration> within, Done done);

    /// Ends the connection; what waits is answered with `cancelled`.
    void close();

    /// The conversation has ended, also while that is just being told.
    [[nodiscard]] bool is_over() const noexcept {
        return session_.state() == qmp::Session::State::closed;
    }
    [[nodiscard]] const std::optional<qmp::Greeting>& greeting() const noexcept {
        return greeting_;
    }

private:
    void on_connected(Result<std::unique_ptr<ports::Stream>> stream);
    void give_up_connecting(Error error);
    void record(trace::Direction direction, std::string_view text);
    void record_line(qmp::Flow flow, std::string_view line);
    void pump();
    void rearm();
    void tell(qmp::Happening happening);
    void tell_answer(qmp::Answered answered);
    void tell_closed(std::optional<Error> error);

    ports::Clock& clock_;
    ports::Transport& transport_;
    Recorder* recorder_;
    std::string port_;
    qmp::Limits limits_;
    std::string place_;
    /// LIFETIME: shared with pump(), because a handler may destroy this while it runs.
    std::shared_ptr<Handlers> handlers_ = std::make_shared<Handlers>();
    std::unique_ptr<ports::Pending> connecting_;
    std::unique_ptr<ports::Stream> stream_;
    std::unique_ptr<ports::Timer> connect_timer_;
    std::unique_ptr<ports::Timer> timer_;  ///< For the next deadline of the session:
    std::optional<Instant> armed_for_;
    qmp::Session session_;
    std::optional<qmp::Greeting> greeting_;
    std::map<qmp::CommandId, Done> waiting_;
    bool pumping_ = false;
    /// LIFETIME: false once this is destroyed; pump() holds a share while callbacks run.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ktm::monitor
