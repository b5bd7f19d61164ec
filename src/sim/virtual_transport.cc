// SPDX-License-Identifier: Apache-2.0
// sim/virtual_transport.cc: the Transport port within one process: pairs of byte pipes.
#include "sim/virtual_transport.hh"

#include <cerrno>
#include <utility>

namespace ktm::sim {

namespace {

/// One end of a connection. LIFETIME: shared by its stream and by the delivery that is under way,
/// because a handler may destroy the stream; the other end knows it weakly.
struct End {
    ports::Stream::Handlers handlers;
    std::weak_ptr<End> other;
    std::string arrived;  ///< Not handed over yet.
    bool started = false;
    bool owned = true;
    bool other_closed = false;
    bool ended = false;
    bool delivering = false;  ///< A delivery stands in the clock's queue.
};

void deliver_soon(VirtualClock& clock, const std::shared_ptr<End>& end);

void deliver(VirtualClock& clock, const std::shared_ptr<End>& end) {
    end->delivering = false;
    if (!end->owned) {
        return;
    }
    if (end->arrived.empty()) {
        end->ended = true;
        end->handlers.on_end(std::nullopt);
        return;
    }
    const std::string bytes = std::exchange(end->arrived, {});
    end->handlers.on_data(bytes);
    deliver_soon(clock, end);
}

void deliver_soon(VirtualClock& clock, const std::shared_ptr<End>& end) {
    const bool something = !end->arrived.empty() || end->other_closed;
    if (end->started && end->owned && !end->ended && !end->delivering && something) {
        end->delivering = true;
        clock.soon([&clock, end] { deliver(clock, end); });
    }
}

class VirtualStream final : public ports::Stream {
public:
    VirtualStream(VirtualClock& clock, std::shared_ptr<End> end, Ends ends)
        : clock_(clock), end_(std::move(end)), ends_(std::move(ends)) {}

    ~VirtualStream() override {
        end_->owned = false;
        if (const std::shared_ptr<End> other = end_->other.lock()) {
            other->other_closed = true;
            deliver_soon(clock_, other);
        }
    }

    void start(Handlers handlers) override {
        end_->handlers = std::move(handlers);
        end_->started = true;
        deliver_soon(clock_, end_);
    }

    void write(std::string bytes) override {
        const std::shared_ptr<End> other = end_->other.lock();
        if (other && other->owned) {
            other->arrived += bytes;
            deliver_soon(clock_, other);
        }
    }

    [[nodiscard]] Ends ends() const override { return ends_; }
    [[nodiscard]] std::size_t unsent_bytes() const override { return 0; }

private:
    VirtualClock& clock_;
    std::shared_ptr<End> end_;
    Ends ends_;
};

std::string address_of(const Endpoint& endpoint) {
    const auto* tcp = std::get_if<TcpEndpoint>(&endpoint.place());
    return tcp == nullptr ? "" : tcp->address.text();
}

/// The places where a listener takes a connection to the endpoint, the closest one first.
std::vector<Endpoint::Place> places_of(const Endpoint& endpoint) {
    std::vector<Endpoint::Place> places{endpoint.place()};
    if (const auto* tcp = std::get_if<TcpEndpoint>(&endpoint.place())) {
        for (const Family family : {Family::v4, Family::v6}) {
            places.emplace_back(TcpEndpoint{IpAddress{family, {}}, tcp->port});
        }
    }
    return places;
}

}  // namespace

std::array<std::unique_ptr<ports::Stream>, 2> make_connection(VirtualClock& clock,
                                                              const ports::Stream::Ends& ends) {
    auto one = std::make_shared<End>();
    auto other = std::make_shared<End>();
    one->other = other;
    other->other = one;
    return {std::make_unique<VirtualStream>(clock, std::move(one), ends),
            std::make_unique<VirtualStream>(clock, std::move(other),
                                            ports::Stream::Ends{ends.other, ends.own})};
}

/// A connect that is under way.
struct VirtualTransport::Attempt final : ports::Pending {
    Attempt(VirtualTransport& transport, const Endpoint& endpoint, Connected done)
        : connected(std::move(done)), timer(transport.clock_.arm({}, [&transport, endpoint, this] {
              transport.try_door(endpoint, *this);
          })) {}

    Connected connected;
    std::unique_ptr<ports::Timer> timer;
};

class VirtualTransport::VirtualListener final : public ports::Listener {
public:
    explicit VirtualListener(std::shared_ptr<Door> door) : door_(std::move(door)) {}

private:
    std::shared_ptr<Door> door_;
};

std::shared_ptr<VirtualTransport::Door> VirtualTransport::door_at(const Endpoint& endpoint) const {
    for (const Endpoint::Place& place : places_of(endpoint)) {
        const auto found = doors_.find(place);
        if (found != doors_.end() && !found->second.expired()) {
            return found->second.lock();
        }
    }
    return nullptr;
}

Result<std::unique_ptr<ports::Pending>> VirtualTransport::connect(const Endpoint& endpoint,
                                                                  Connected connected) {
    return std::unique_ptr<ports::Pending>{
        std::make_unique<Attempt>(*this, endpoint, std::move(connected))};
}

void VirtualTransport::try_door(const Endpoint& endpoint, Attempt& attempt) {
    // LIFETIME: the callback may destroy the attempt, and itself with it.
    Connected connected = std::move(attempt.connected);
    const std::weak_ptr<Door> door = door_at(endpoint);
    if (door.expired()) {
        const bool local = std::holds_alternative<UnixEndpoint>(endpoint.place());
        connected(system_error(local ? ENOENT : ECONNREFUSED, "connect to " + endpoint.text()));
        return;
    }
    const std::string address = address_of(endpoint);
    auto [ours, theirs] = make_connection(clock_, {address, address});
    clock_.soon([door, stream = std::move(theirs)]() mutable {
        if (const std::shared_ptr<Door> open = door.lock()) {
            open->accepted(std::move(stream));
        }
    });
    connected(std::move(ours));
}

Result<std::unique_ptr<ports::Listener>> VirtualTransport::listen(const Endpoint& endpoint,
                                                                  Accepted accepted) {
    std::weak_ptr<Door>& place = doors_[endpoint.place()];
    if (!place.expired()) {
        return system_error(EADDRINUSE, "listen on " + endpoint.text());
    }
    auto door = std::make_shared<Door>(Door{std::move(accepted)});
    place = door;
    return std::unique_ptr<ports::Listener>{std::make_unique<VirtualListener>(std::move(door))};
}

}  // namespace ktm::sim
