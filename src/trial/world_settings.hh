// SPDX-License-Identifier: Apache-2.0
// trial/world_settings.hh: what a simulated migration has to deal with: guest, network, traffic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "base/time.hh"

namespace ktm::trial {

struct WorldSettings {
    // The guest.
    std::uint64_t ram_bytes = 1ULL << 30U;
    std::uint64_t dirty_bytes_per_second = 50'000'000;
    std::uint64_t working_set_bytes = 256ULL << 20U;
    std::uint64_t disk_bytes = 1ULL << 30U;
    std::uint64_t disk_writes_per_second = 200;
    bool survives = true;  ///< A guest that does not begins anew a moment after it has come.
    /// Without a word: shared, unless the plan has a var `drives`.
    std::optional<bool> shared_disks;
    // The network between the nodes.
    std::uint64_t link_bytes_per_second = 1'250'000'000;
    std::uint64_t encrypted_bytes_per_second = 140'000'000;
    Duration latency = std::chrono::microseconds{100};
    // Packets for the guest.
    std::uint64_t packets_per_second = 20'000;
    std::uint32_t packet_bytes = 1000;
    std::uint64_t guest_packets_per_second = 200'000;
    /// Until the network leads packets to the new node, from when the guest runs there.
    Duration fabric_moves_after = std::chrono::milliseconds{1500};
    bool has_plug = true;  ///< Whether the kernels have sch_plug.

    friend bool operator==(const WorldSettings&, const WorldSettings&) = default;
};

/// "ram=8G,dirty=300M/s,link=10G,pps=20k", upon what is there. An error names the key, what was
/// given and what is expected.
[[nodiscard]] Result<void> read_world(std::string_view text, WorldSettings& settings);

/// All keys with an example, what they are without a word, and what they mean, a line each; for
/// help.
[[nodiscard]] std::string describe_world_keys();
/// What each key is without a word, where it is the same for every plan.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> world_presets();

}  // namespace ktm::trial
