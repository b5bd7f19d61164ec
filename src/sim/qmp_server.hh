// SPDX-License-Identifier: Apache-2.0
// sim/qmp_server.hh: the server's end of a QMP socket.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.hh"
#include "base/result.hh"
#include "base/unique_function.hh"
#include "json/document.hh"
#include "ports/transport.hh"

namespace ktm::sim {

/// What a client wants to be done.
struct QmpCommand {
    std::string name;
    json::Document message;
    std::string id;  ///< As JSON; empty when it has none.
};

/// Serves one client at a time, as QEMU does; others wait until that one has gone.
class QmpServer {
public:
    struct Handlers {
        /// One is served from now on.
        UniqueFunction<void()> on_client;
        UniqueFunction<void(QmpCommand)> on_command;
        /// A line that is no command.
        UniqueFunction<void(std::string_view)> on_garbage;
        /// The client has closed the connection.
        UniqueFunction<void()> on_left;
    };

    /// Listens at once. LIFETIME: no handler is called behind the end of the server.
    [[nodiscard]] static Result<std::unique_ptr<QmpServer>> open(ports::Transport& transport,
                                                                 const Endpoint& endpoint,
                                                                 Handlers handlers);

    QmpServer(const QmpServer&) = delete;
    QmpServer& operator=(const QmpServer&) = delete;
    ~QmpServer() = default;

    [[nodiscard]] bool has_client() const noexcept { return stream_ != nullptr; }
    [[nodiscard]] bool has_waiting() const noexcept { return !waiting_.empty(); }
    /// Nothing is sent while there is no client.
    void send(std::string line);
    /// A line with the command's id and one more field.
    void answer(const QmpCommand& command, std::string_view field, std::string_view value);
    /// Closes the connection that is served.
    void hang_up();
    /// Serves who waits longest, if somebody does and nobody is served.
    void serve_next();
    /// Nobody is served any more, and nobody can connect.
    void close();

private:
    explicit QmpServer(Handlers handlers) : handlers_(std::move(handlers)) {}

    void accept(std::unique_ptr<ports::Stream> stream);
    void serve(std::unique_ptr<ports::Stream> stream);
    void lose_client();
    void receive(std::string_view bytes);
    void read_line(std::string_view line);

    Handlers handlers_;
    std::unique_ptr<ports::Listener> listener_;
    std::deque<std::unique_ptr<ports::Stream>> waiting_;
    std::unique_ptr<ports::Stream> stream_;
    std::string received_;  ///< The beginning of a line.
};

/// The id of a command or a reply, as JSON; empty when it has none.
[[nodiscard]] std::string id_of(const json::View& message);
/// The reply with another id, or without one when that is empty.
[[nodiscard]] std::string with_id(const json::View& reply, const std::string& id);
[[nodiscard]] bool is_reply(const json::View& message);
[[nodiscard]] bool is_greeting(const json::View& message);
/// Said by a QEMU of which no greeting is known.
[[nodiscard]] std::string_view made_up_greeting();
/// The value of the field "error" of a reply.
[[nodiscard]] std::string generic_error(std::string_view text);

}  // namespace ktm::sim
