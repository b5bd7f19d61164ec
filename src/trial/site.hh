// SPDX-License-Identifier: Apache-2.0
// trial/site.hh: the world of one trial: two nodes, what is between them, and who watches.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/disk.hh"
#include "model/traffic.hh"
#include "model/wire.hh"
#include "trial/node.hh"
#include "trial/trial.hh"

namespace ktm::trial {

class Site final : private Victims {
public:
    /// LIFETIME: all outlive it; `told` and `recorded` may be nothing.
    Site(Stage& stage, Faults faults, Told& told, Recorded& recorded);
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;
    ~Site() override;

    void begin(Part& part);
    /// Each katamaran is at its end, or was killed.
    [[nodiscard]] bool is_over() const;
    void recover();
    [[nodiscard]] bool is_recovering() const;

    [[nodiscard]] const Stage& stage() const noexcept { return stage_; }
    [[nodiscard]] sim::VirtualClock& virtual_clock() noexcept { return clock_; }
    [[nodiscard]] Crossings& crossings() noexcept { return crossings_; }
    [[nodiscard]] Referee& referee() noexcept { return referee_; }
    [[nodiscard]] bool has(Side side) const noexcept { return at(side) != nullptr; }
    [[nodiscard]] Node& node(Side side) noexcept { return *at(side); }

    /// Empty in a world without packets.
    [[nodiscard]] std::vector<model::FlowAccount> accounts();
    [[nodiscard]] std::array<model::HeldMost, 2> held_most();
    /// When the last of the runs was over.
    [[nodiscard]] Instant ended_at() const;
    /// "; source in copy, dest in waiting": for who asks why nothing goes on.
    [[nodiscard]] std::string whereabouts();

private:
    [[nodiscard]] const std::unique_ptr<Node>& at(Side side) const noexcept {
        return nodes_[static_cast<std::size_t>(side)];
    }
    void add_node(Side side);
    void add_traffic();
    [[nodiscard]] bool can_suffer(Harm harm) const override;
    void suffer(Harm harm) override;
    void on_struck(Harm harm, const Crossing& crossing) override;
    void on_guest(Side side, bool runs);
    void tell(Side side, std::string_view kind, std::string_view text);

    Stage& stage_;
    Told& told_;
    Recorded& recorded_;
    sim::VirtualClock clock_;
    sim::VirtualLoop loop_;
    model::Wire wire_;
    model::Switchboard board_;
    Crossings crossings_;
    Referee referee_;
    std::vector<std::unique_ptr<model::Disk>> disks_;
    std::array<std::unique_ptr<Node>, 2> nodes_;
    std::unique_ptr<model::Traffic> traffic_;
    std::unique_ptr<ports::Timer> healing_;
    bool cut_for_good_ = false;
};

}  // namespace ktm::trial
