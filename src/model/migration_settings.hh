// SPDX-License-Identifier: Apache-2.0
// model/migration_settings.hh: the capabilities and parameters of a QEMU's migrations.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/ram_copy.hh"
#include "model/reply.hh"

namespace ktm::model {

/// As QEMU 7.2 has them: names, order, defaults, ranges and refusals.
class MigrationSettings {
public:
    enum class Capability : std::size_t {
        auto_converge = 2,
        events = 5,
        postcopy_ram = 6,
        pause_before_switchover = 11,
        multifd = 12,
        late_block_activate = 15,
    };

    [[nodiscard]] bool has(Capability capability) const noexcept {
        return capabilities_[static_cast<std::size_t>(capability)];
    }
    [[nodiscard]] std::uint64_t number(std::string_view parameter) const;
    [[nodiscard]] std::string_view text(std::string_view parameter) const;
    /// What the copying of memory must know of them.
    void apply_to(RamCopy::Terms& terms) const;

    [[nodiscard]] Reply set_capabilities(const json::View& arguments);
    [[nodiscard]] Reply set_parameters(const json::View& arguments);
    [[nodiscard]] std::string capabilities_json() const;
    [[nodiscard]] std::string parameters_json() const;
    /// Each that had another value: "parameter downtime-limit is 5, was 300".
    [[nodiscard]] std::vector<std::string> changes_since(const MigrationSettings& before) const;

private:
    static constexpr std::size_t capability_count = 21;
    static constexpr std::size_t number_count = 19;
    static constexpr std::size_t flag_count = 3;
    static constexpr std::size_t text_count = 4;

    std::array<bool, capability_count> capabilities_{};
    std::array<std::uint64_t, number_count> numbers_ = default_numbers();
    std::array<bool, flag_count> flags_{false, false, true};
    std::array<std::string, text_count> texts_{"", "none", "", ""};

    [[nodiscard]] static std::array<std::uint64_t, number_count> default_numbers();
};

}  // namespace ktm::model
