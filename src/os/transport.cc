// SPDX-License-Identifier: Apache-2.0
// os/transport.cc: the Transport port on libuv's pipes and TCP handles.
#include "os/transport.hh"

#include <netinet/in.h>
#include <sys/stat.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.hh"
#include "os/handle.hh"

namespace ktm::os {

namespace {

/// One read; QEMU's largest answer takes four of them.
constexpr std::size_t stream_chunk_bytes = 65536;
/// Connections that may wait to be accepted.
constexpr int backlog = 16;

/// Either kind of socket; libuv's stream calls take both.
union AnyStream {
    uv_handle_t any;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tcp_t tcp;
    void* data;  ///< The first member of every libuv handle.
};

struct StreamState : State<AnyStream> {
    ports::Stream::Handlers handlers;
    bool ended = false;
    std::array<char, stream_chunk_bytes> buffer;

    void end(std::optional<Error> error) {
        if (owned && !ended) {
            ended = true;
            (void)uv_read_stop(&handle.stream);
            // A write may fail before anybody has started to listen.
            if (handlers.on_end) {
                handlers.on_end(std::move(error));
            }
        }
    }
};

struct WriteRequest {
    uv_write_t request{};
    std::string bytes;
};

void on_read_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
    auto* state = static_cast<StreamState*>(handle->data);
    *buffer = uv_buf_init(state->buffer.data(), static_cast<unsigned>(state->buffer.size()));
}

void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept {
    auto* state = static_cast<StreamState*>(stream->data);
    if (count > 0 && state->owned && !state->ended) {
        state->handlers.on_data(std::string_view{buffer->base, static_cast<std::size_t>(count)});
    } else if (count == UV_EOF) {
        state->end(std::nullopt);
    } else if (count < 0) {
        state->end(system_error(static_cast<int>(-count), "read from the connection"));
    }
}

void on_written(uv_write_t* request, int status) noexcept {
    const std::unique_ptr<WriteRequest> done{static_cast<WriteRequest*>(request->data)};
    auto* state = static_cast<StreamState*>(request->handle->data);
    if (status < 0 && status != UV_ECANCELED) {
        state->end(system_error(-status, "write to the connection"));
    }
}

using AskAddress = int (*)(const uv_tcp_t*, sockaddr*, int*);

/// One end of a TCP connection. An IPv4 address that came to a socket of IPv6 is shown as it is.
std::string address_text(AskAddress ask, const uv_tcp_t& tcp) {
    sockaddr_storage storage{};
    int size = sizeof storage;
    if (ask(&tcp, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
        return "";
    }
    std::array<std::uint8_t, 16> bytes{};
    if (storage.ss_family == AF_INET) {
        std::memcpy(bytes.data(), &reinterpret_cast<sockaddr_in*>(&storage)->sin_addr, 4);
        return IpAddress{Family::v4, bytes}.text();
    }
    const in6_addr& v6 = reinterpret_cast<sockaddr_in6*>(&storage)->sin6_addr;
    const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6) != 0;
    std::memcpy(bytes.data(), is_mapped ? v6.s6_addr + 12 : v6.s6_addr, is_mapped ? 4 : 16);
    return IpAddress{is_mapped ? Family::v4 : Family::v6, bytes}.text();
}

class UvStream final : public ports::Stream {
public:
    explicit UvStream(Owned<StreamState> state) : state_(std::move(state)) {}

    void start(Handlers handlers) override {
        state_->handlers = std::move(handlers);
        // Cannot fail on a connected stream that is not being read yet.
        KTM_ASSERT(uv_read_start(&state_->handle.stream, on_read_alloc, on_read) == 0);
    }

    void write(std::string bytes) override {
        if (state_->ended) {
            return;
        }
        auto fresh = std::make_unique<WriteRequest>();
        fresh->bytes = std::move(bytes);
        fresh->request.data = fresh.get();
        const uv_buf_t buffer =
            uv_buf_init(fresh->bytes.data(), static_cast<unsigned>(fresh->bytes.size()));
        const int fault = uv_write(&fresh->request, &state_->handle.stream, &buffer, 1, on_written);
        // LIFETIME: libuv holds the request until on_written, which deletes it. When uv_write fails
        // at once there is no callback; the reader learns of the broken stream by itself.
        if (fault == 0) {
            (void)fresh.release();
        }
    }

    [[nodiscard]] Ends ends() const override {
        Ends ends;
        if (state_->handle.any.type == UV_TCP) {
            ends.own = address_text(uv_tcp_getsockname, state_->handle.tcp);
            ends.other = address_text(uv_tcp_getpeername, state_->handle.tcp);
        }
        return ends;
    }

    [[nodiscard]] std::size_t unsent_bytes() const override {
        return uv_stream_get_write_queue_size(&state_->handle.stream);
    }

private:
    Owned<StreamState> state_;
};

Owned<StreamState> make_stream(uv_loop_t* loop, const Endpoint& endpoint) {
    auto fresh = std::make_unique<StreamState>();
    const bool local = std::holds_alternative<UnixEndpoint>(endpoint.place());
    const int fault =
        local ? uv_pipe_init(loop, &fresh->handle.pipe, 0) : uv_tcp_init(loop, &fresh->handle.tcp);
    KTM_ASSERT(fault == 0);
    return own(std::move(fresh));
}

sockaddr_storage socket_address(const TcpEndpoint& endpoint) {
    sockaddr_storage storage{};
    const auto& bytes = endpoint.address.bytes();
    if (endpoint.address.family() == Family::v4) {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(endpoint.port);
        std::memcpy(&v4->sin_addr, bytes.data(), sizeof v4->sin_addr);
    } else {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(endpoint.port);
        std::memcpy(&v6->sin6_addr, bytes.data(), sizeof v6->sin6_addr);
    }
    return storage;
}

/// A connect that is under way. LIFETIME: shared by the Pending that the caller holds and by libuv,
/// which calls back even after the socket was closed.
struct Attempt {
    uv_connect_t request{};
    Owned<StreamState> stream;
    ports::Transport::Connected connected;  ///< Empty when nobody waits any more.
    std::string intent;
};

class UvPending final : public ports::Pending {
public:
    explicit UvPending(std::shared_ptr<Attempt> attempt) : attempt_(std::move(attempt)) {}
    ~UvPending() override {
        attempt_->connected = nullptr;
        attempt_->stream.reset();
    }

private:
    std::shared_ptr<Attempt> attempt_;
};

void on_connected(uv_connect_t* request, int status) noexcept {
    const std::unique_ptr<std::shared_ptr<Attempt>> share{
        static_cast<std::shared_ptr<Attempt>*>(request->data)};
    Attempt& attempt = **share;
    if (!attempt.connected) {
        return;
    }
    ports::Transport::Connected connected = std::move(attempt.connected);
    if (status < 0) {
        connected(system_error(-status, attempt.intent));
        return;
    }
    connected(
        std::unique_ptr<ports::Stream>{std::make_unique<UvStream>(std::move(attempt.stream))});
}

struct ListenerState : State<AnyStream> {
    ports::Transport::Accepted accepted;
    Endpoint endpoint{UnixEndpoint{}};
};

void on_connection(uv_stream_t* server, int status) noexcept {
    auto* state = static_cast<ListenerState*>(server->data);
    if (status < 0 || !state->owned) {
        return;
    }
    Owned<StreamState> stream = make_stream(server->loop, state->endpoint);
    if (uv_accept(server, &stream->handle.stream) == 0) {
        state->accepted(std::make_unique<UvStream>(std::move(stream)));
    }
}

class UvListener final : public ports::Listener {
public:
    /// libuv unlinks the path of a pipe that it bound when the pipe is closed.
    explicit UvListener(Owned<ListenerState> state) : state_(std::move(state)) {}

private:
    Owned<ListenerState> state_;
};

}  // namespace

Result<std::unique_ptr<ports::Pending>> UvTransport::connect(const Endpoint& endpoint,
                                                             Connected connected) {
    auto attempt = std::make_shared<Attempt>();
    attempt->stream = make_stream(loop_.raw(), endpoint);
    attempt->connected = std::move(connected);
    attempt->intent = "connect to " + endpoint.text();
    auto share = std::make_unique<std::shared_ptr<Attempt>>(attempt);
    attempt->request.data = share.get();
    if (const auto* local = std::get_if<UnixEndpoint>(&endpoint.place())) {
        uv_pipe_connect(&attempt->request, &attempt->stream->handle.pipe, local->path.c_str(),
                        on_connected);
    } else {
        const sockaddr_storage address = socket_address(std::get<TcpEndpoint>(endpoint.place()));
        const int fault = uv_tcp_connect(&attempt->request, &attempt->stream->handle.tcp,
                                         reinterpret_cast<const sockaddr*>(&address), on_connected);
        if (fault != 0) {
            return system_error(-fault, attempt->intent);
        }
        (void)uv_tcp_nodelay(&attempt->stream->handle.tcp, 1);
    }
    (void)share.release();  // on_connected, which always comes, deletes it.
    return std::unique_ptr<ports::Pending>{std::make_unique<UvPending>(std::move(attempt))};
}

Result<std::unique_ptr<ports::Listener>> UvTransport::listen(const Endpoint& endpoint,
                                                             Accepted accepted) {
    auto fresh = std::make_unique<ListenerState>();
    const auto* local = std::get_if<UnixEndpoint>(&endpoint.place());
    int fault = local != nullptr ? uv_pipe_init(loop_.raw(), &fresh->handle.pipe, 0)
                                 : uv_tcp_init(loop_.raw(), &fresh->handle.tcp);
    KTM_ASSERT(fault == 0);
    Owned<ListenerState> state = own(std::move(fresh));
    state->accepted = std::move(accepted);
    state->endpoint = endpoint;
    if (local != nullptr) {
        fault = uv_pipe_bind(&state->handle.pipe, local->path.c_str());
    } else {
        const sockaddr_storage address = socket_address(std::get<TcpEndpoint>(endpoint.place()));
        fault = uv_tcp_bind(&state->handle.tcp, reinterpret_cast<const sockaddr*>(&address), 0);
    }
    if (fault == 0) {
        fault = uv_listen(&state->handle.stream, backlog, on_connection);
    }
    if (fault != 0) {
        return system_error(-fault, "listen on " + endpoint.text());
    }
    return std::unique_ptr<ports::Listener>{std::make_unique<UvListener>(std::move(state))};
}

}  // namespace ktm::os
