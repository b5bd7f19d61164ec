// SPDX-License-Identifier: Apache-2.0
// model/switchboard.hh: who listens at which address of which node.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/wire.hh"

namespace ktm::model {

class Incoming;
class Exports;

/// Where a QEMU listens for a migration or for NBD clients. LIFETIME: outlives those who listen.
class Switchboard {
public:
    /// One of the two is set. LIFETIME: taken off the board before its end.
    struct Listener {
        Incoming* incoming = nullptr;
        Exports* exports = nullptr;
    };
    enum class Reach { reached, refused, silent, unknown };
    struct Found {
        Reach reach = Reach::unknown;
        Listener listener;
        bool over_wire = false;
    };

    explicit Switchboard(Wire& wire) : wire_(wire) {}

    [[nodiscard]] Wire& wire() const noexcept { return wire_; }
    /// The node has this address; every node has 127.0.0.1 and ::1.
    void own(int node, std::string host);

    /// Listens at "host:port"; returns what QEMU says when it cannot be.
    [[nodiscard]] std::optional<std::string> listen(int node, std::string_view host,
                                                    std::string_view port, Listener listener);
    void leave(Listener listener);
    /// What a connection from that node comes to at this instant.
    [[nodiscard]] Found find(int node, std::string_view host, std::string_view port) const;

private:
    struct Address {
        int node;
        std::string host;
    };
    struct Place {
        int node;
        std::string host;
        std::string port;
        Listener listener;
    };

    [[nodiscard]] std::optional<int> node_of(int asking, std::string_view host) const;

    Wire& wire_;
    std::vector<Address> addresses_;
    std::vector<Place> places_;
};

}  // namespace ktm::model
