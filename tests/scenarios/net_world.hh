// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/net_world.hh: the kernels of a scenario, as its net.json says.
//
//     {"namespaces": {"": {
//        "links":     {"eth1": {}, "tap0": {"kind": "tap", "ring": 1000, "open": false,
//                      "qdisc": "htb 1", "parts": true, "filters": "clsact"}},
//        "addresses": ["192.0.2.1/24 eth1"], "routes": ["10.1.2.0/24 tap0 100"],
//        "settings":  {"ipv6/conf/all/forwarding": "1"}, "lacks": ["plug", "ipip"]}},
//      "faults": [{"fail": "AddRoute", "errno": "EPERM"}, {"never": "AddTunnel"},
//                 {"lost": "AddTunnel"}, {"late": "AddTunnel", "by": "2s"}],
//      "later":  [{"at": "1s", "link": "tap0", "tx_packets": 5, "tx_dropped": 2, "queued": 10,
//                  "plug_dropped": 3, "gone": true}, {"at": "1s", "overrun": true},
//                 {"at": "1s", "end": true}, {"at": "1s", "routes": 2000},
//                 {"at": "1s", "signal": "TERM"}]}
//
// Our own namespace is "". Of a fault: `fail` is refused; `lost` is not carried out and never
// answered, `never` is carried out and never answered, `late` is answered later; "nth": 2 is for
// the second request of that type from now on. What happens later has "in" for another namespace.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "json/document.hh"
#include "sim/virtual_world.hh"

namespace ktm::testing {

class NetWorld {
public:
    /// Reads net.json into the world; an error says what is wrong with it. LIFETIME: the world
    /// outlives it.
    [[nodiscard]] static Result<std::unique_ptr<NetWorld>> open(const std::filesystem::path& file,
                                                                sim::VirtualWorld& world);

    /// What is another than at the start, line by line, and which faults had no turn.
    [[nodiscard]] std::string difference() const;

private:
    explicit NetWorld(sim::VirtualWorld& world) : world_(world) {}
    [[nodiscard]] Result<void> read(const json::View& root);
    [[nodiscard]] Result<void> furnish(const std::string& place, const json::View& space);
    [[nodiscard]] Result<void> add_fault(const json::View& fault);
    [[nodiscard]] Result<void> add_later(const json::View& later);

    sim::VirtualWorld& world_;
    std::string before_;
    std::vector<std::unique_ptr<ports::Timer>> later_;
};

}  // namespace ktm::testing
