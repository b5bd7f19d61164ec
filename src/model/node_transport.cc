// SPDX-License-Identifier: Apache-2.0
// model/node_transport.cc: the Transport port of one of two nodes.
#include "model/node_transport.hh"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace ktm::model {

namespace {

/// As long as a kernel asks for the neighbour before it gives up.
constexpr Duration unreachable_after{std::chrono::seconds{3}};

bool are_in_each_others_way(const TcpEndpoint& one, const TcpEndpoint& other) {
    return one.port == other.port &&
           (one.address == other.address || one.address.is_unspecified() ||
            other.address.is_unspecified());
}

}  // namespace

/// A connect that is under way; LIFETIME: shared with what is on the wire.
struct NodeTransport::Try {
    Connected connected;
    bool given_up = false;
    std::unique_ptr<ports::Pending> there;  ///< At the other node.
    std::unique_ptr<ports::Timer> timer;    ///< Of one that leads nowhere.
};

class NodeTransport::Attempt final : public ports::Pending {
public:
    explicit Attempt(std::shared_ptr<Try> attempt) : try_(std::move(attempt)) {}
    ~Attempt() override {
        try_->given_up = true;
        try_->timer.reset();
        try_->there.reset();
    }

private:
    std::shared_ptr<Try> try_;
};

/// A connection over the wire: an end in each node, that of ours opposite to the user's.
struct NodeTransport::Link {
    std::unique_ptr<ports::Stream> here;
    std::unique_ptr<ports::Stream> there;
};

class NodeTransport::NodeListener final : public ports::Listener {
public:
    NodeListener(std::unique_ptr<ports::Listener> inside, TcpEndpoint place,
                 std::shared_ptr<std::vector<TcpEndpoint>> taken)
        : inside_(std::move(inside)), place_(place), taken_(std::move(taken)) {}
    ~NodeListener() override { std::erase(*taken_, place_); }

private:
    std::unique_ptr<ports::Listener> inside_;
    TcpEndpoint place_;
    std::shared_ptr<std::vector<TcpEndpoint>> taken_;
};

NodeTransport::NodeTransport(sim::VirtualClock& clock, Wire& wire, std::vector<IpAddress> addresses)
    : clock_(clock),
      addresses_(std::move(addresses)),
      inside_(clock),
      taken_(std::make_shared<std::vector<TcpEndpoint>>()),
      out_(clock, wire) {}

NodeTransport::~NodeTransport() {
    if (other_ != nullptr) {
        other_->other_ = nullptr;
        // What was connected to here has its end over there.
        other_->links_.clear();
    }
}

void NodeTransport::join(NodeTransport& one, NodeTransport& other) noexcept {
    one.other_ = &other;
    other.other_ = &one;
}

bool NodeTransport::has(const IpAddress& address) const {
    return address.is_loopback() || address.is_unspecified() ||
           std::find(addresses_.begin(), addresses_.end(), address) != addresses_.end();
}

Result<std::unique_ptr<ports::Listener>> NodeTransport::listen(const Endpoint& endpoint,
                                                               Accepted accepted) {
    const auto* tcp = std::get_if<TcpEndpoint>(&endpoint.place());
    if (tcp == nullptr) {
        return inside_.listen(endpoint, std::move(accepted));
    }
    const std::string intent = "listen on " + endpoint.text();
    if (!has(tcp->address)) {
        return system_error(EADDRNOTAVAIL, intent);
    }
    const bool taken = std::any_of(taken_->begin(), taken_->end(), [&](const TcpEndpoint& there) {
        return are_in_each_others_way(there, *tcp);
    });
    if (taken) {
        return system_error(EADDRINUSE, intent);
    }
    Result<std::unique_ptr<ports::Listener>> inside = inside_.listen(endpoint, std::move(accepted));
    if (!inside) {
        return inside;
    }
    taken_->push_back(*tcp);
    return std::unique_ptr<ports::Listener>{
        std::make_unique<NodeListener>(std::move(*inside), *tcp, taken_)};
}

Result<std::unique_ptr<ports::Pending>> NodeTransport::connect(const Endpoint& endpoint,
                                                               Connected connected) {
    const auto* tcp = std::get_if<TcpEndpoint>(&endpoint.place());
    if (tcp == nullptr || has(tcp->address)) {
        return inside_.connect(endpoint, std::move(connected));
    }
    return connect_across(endpoint, std::move(connected));
}

std::unique_ptr<ports::Pending> NodeTransport::connect_across(const Endpoint& endpoint,
                                                              Connected connected) {
    auto attempt = std::make_shared<Try>();
    attempt->connected = std::move(connected);
    const IpAddress& address = std::get<TcpEndpoint>(endpoint.place()).address;
    if (other_ != nullptr && other_->has(address)) {
        out_.send([this, endpoint, attempt] {
            if (other_ != nullptr) {
                other_->knock(endpoint, *this, attempt);
            }
        });
    } else {
        attempt->timer = clock_.arm(unreachable_after, [endpoint, weak = std::weak_ptr{attempt}] {
            if (const std::shared_ptr<Try> there = weak.lock()) {
                Connected told = std::move(there->connected);
                told(system_error(EHOSTUNREACH, "connect to " + endpoint.text()));
            }
        });
    }
    return std::make_unique<Attempt>(std::move(attempt));
}

/// Somebody at the other node wants to connect to this one.
void NodeTransport::knock(const Endpoint& endpoint, NodeTransport& from,
                          const std::shared_ptr<Try>& attempt) {
    auto answered = [this, &from, attempt](Result<std::unique_ptr<ports::Stream>> there) {
        attempt->there.reset();
        if (there) {
            link_up(from, attempt, std::move(*there));
            return;
        }
        out_.send([attempt, error = std::move(there).error()]() mutable {
            if (!attempt->given_up) {
                attempt->connected(std::move(error));
            }
        });
    };
    Result<std::unique_ptr<ports::Pending>> pending =
        inside_.connect(endpoint, std::move(answered));
    KTM_ASSERT(pending.has_value());
    attempt->there = std::move(*pending);
}

/// The connection is there before the other node knows it: what is said first is behind that.
void NodeTransport::link_up(NodeTransport& from, const std::shared_ptr<Try>& attempt,
                            std::unique_ptr<ports::Stream> there) {
    auto [user, here] = sim::make_connection(clock_);
    const auto link = std::make_shared<Link>();
    link->here = std::move(here);
    link->there = std::move(there);
    from.links_.push_back(link);
    out_.send([attempt, user = std::move(user)]() mutable {
        if (!attempt->given_up) {
            attempt->connected(std::move(user));
        }
    });
    // LIFETIME: a link, and who carries for it, are gone together; what is on the wire looks first.
    const auto carry = [&from, weak = std::weak_ptr{link}](
                           WireQueue& wire, std::unique_ptr<ports::Stream> Link::*to) {
        ports::Stream::Handlers handlers;
        handlers.on_data = [&wire, weak, to](std::string_view bytes) {
            wire.send([weak, to, copy = std::string{bytes}]() mutable {
                if (const std::shared_ptr<Link> open = weak.lock()) {
                    ((*open).*to)->write(std::move(copy));
                }
            });
        };
        handlers.on_end = [&wire, &from, weak](const std::optional<Error>&) {
            wire.send([&from, weak] {
                if (const std::shared_ptr<Link> open = weak.lock()) {
                    from.forget(*open);
                }
            });
        };
        return handlers;
    };
    link->here->start(carry(from.out_, &Link::there));
    link->there->start(carry(out_, &Link::here));
}

/// The end of one side has arrived at the other.
void NodeTransport::forget(const Link& link) {
    std::erase_if(links_, [&](const std::shared_ptr<Link>& one) { return one.get() == &link; });
}

}  // namespace ktm::model
