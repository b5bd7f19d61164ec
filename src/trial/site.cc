// SPDX-License-Identifier: Apache-2.0
// trial/site.cc: the world of one trial: two nodes, what is between them, and who watches.
#include "trial/site.hh"

#include <algorithm>
#include <utility>

namespace ktm::trial {

namespace {

constexpr std::size_t index_of(Side side) noexcept {
    return static_cast<std::size_t>(side);
}

model::Disk::Settings disk_settings(const WorldSettings& world, std::uint64_t origin) {
    model::Disk::Settings settings;
    settings.bytes = world.disk_bytes;
    settings.allocated_bytes = world.disk_bytes / 2;
    settings.origin = origin;
    return settings;
}

}  // namespace

Site::Site(Stage& stage, Faults faults, Told& told, Recorded& recorded)
    : stage_(stage),
      told_(told),
      recorded_(recorded),
      loop_(clock_),
      wire_(clock_, {stage.world.latency, stage.world.link_bytes_per_second}),
      board_(wire_),
      crossings_(std::move(faults), stage.has_two_nodes(), *this) {
    constexpr std::uint64_t written = 7;
    const bool shared = stage.world.shared_disks.value_or(stage.drives.empty());
    disks_.push_back(std::make_unique<model::Disk>(disk_settings(stage.world, written)));
    if (!shared) {
        disks_.push_back(std::make_unique<model::Disk>(disk_settings(stage.world, 0)));
    }
    board_.own(0, "192.0.2.1");
    board_.own(0, "2001:db8:77::1");
    board_.own(1, "192.0.2.2");
    board_.own(1, "2001:db8:77::2");
    for (const IpAddress& address : stage.dest_addresses) {
        board_.own(1, address.text());
    }
    add_node(Side::source);
    if (stage.has_two_nodes()) {
        add_node(Side::dest);
        model::NodeTransport::join(node(Side::source).transport(), node(Side::dest).transport());
        add_traffic();
    }
}

Site::~Site() = default;

void Site::add_node(Side side) {
    const Ground ground{clock_, loop_, board_, wire_, crossings_, referee_, recorded_};
    model::Disk* disk = disks_[std::min(index_of(side), disks_.size() - 1)].get();
    nodes_[index_of(side)] = std::make_unique<Node>(ground, stage_, side, disk);
    Node& node = *nodes_[index_of(side)];
    node.on_moved_on = [this, side] {
        if (has(model::other(side))) {
            this->node(model::other(side)).let_lines_through();
        }
    };
    node.on_guest = [this, side](bool runs) { on_guest(side, runs); };
    node.on_qemu_exit = [this, side] {
        tell(side, "guest", "its QEMU is gone");
        if (traffic_ != nullptr) {
            traffic_->close_tap(side, stage_.part(side)->tap);
        }
    };
    node.on_qemu_start = [this, side] {
        tell(side, "guest", "another QEMU waits for it");
        if (traffic_ != nullptr) {
            traffic_->open_tap(side, stage_.part(side)->tap);
        }
    };
}

void Site::add_traffic() {
    model::Traffic::Settings settings;
    settings.guest_packets_per_second = stage_.world.guest_packets_per_second;
    settings.guest_mac = net::MacAddress::parse("02:aa:00:00:00:01").value_or(net::MacAddress{});
    traffic_ = std::make_unique<model::Traffic>(
        clock_, wire_, model::Traffic::Node{&node(Side::source).kernel()},
        model::Traffic::Node{&node(Side::dest).kernel()}, std::move(settings));
    traffic_->guest_runs(Side::source, true);
    std::uint64_t packets = stage_.world.packets_per_second;
    for (std::size_t at = 0; at < stage_.guest.size(); ++at) {
        model::Flow flow;
        flow.name = stage_.guest[at].text();
        flow.to = stage_.guest[at];
        flow.packets_per_second = packets / (stage_.guest.size() - at);
        flow.bytes = stage_.world.packet_bytes;
        packets -= flow.packets_per_second;
        // Fewer packets than addresses: some get none.
        if (flow.packets_per_second > 0) {
            (void)traffic_->add(flow);
        }
    }
}

void Site::begin(Part& part) {
    const Side side = part.side;
    Katamaran::Told told;
    if (told_) {
        told = [this, side](std::string_view kind, std::string_view text) {
            tell(side, kind, text);
        };
    }
    node(side).begin(part, std::move(told), [this] { return accounts(); });
}

bool Site::is_over() const {
    return std::all_of(nodes_.begin(), nodes_.end(), [](const std::unique_ptr<Node>& node) {
        return node == nullptr || node->is_over();
    });
}

void Site::recover() {
    for (const auto& node : nodes_) {
        if (node != nullptr) {
            node->recover();
        }
    }
}

bool Site::is_recovering() const {
    return std::any_of(nodes_.begin(), nodes_.end(), [](const std::unique_ptr<Node>& node) {
        return node != nullptr && node->is_recovering();
    });
}

void Site::on_guest(Side side, bool runs) {
    tell(side, "guest", runs ? "runs" : "stands");
    if (traffic_ != nullptr) {
        traffic_->guest_runs(side, runs);
        if (runs && side == Side::dest) {
            traffic_->fabric_moves(side, clock_.now() + stage_.world.fabric_moves_after);
        }
    }
}

bool Site::can_suffer(Harm harm) const {
    if (is_cut(harm)) {
        return has(Side::dest) && !cut_for_good_;
    }
    const std::unique_ptr<Node>& there = at(side_of(harm));
    return there != nullptr &&
           (is_to_qemu(harm) ? there->has_qemu() : !there->is_over() && !there->was_killed());
}

void Site::suffer(Harm harm) {
    tell(is_cut(harm) ? Side::source : side_of(harm), "fault", describe(harm));
    if (is_cut(harm)) {
        // Behind the act in whose midst we are: nobody expects the world to change inside of it.
        clock_.soon([this] { wire_.cut(); });
        cut_for_good_ = harm == Harm::cut;
        healing_ = cut_for_good_ ? nullptr : clock_.arm(cut_short_for, [this] { wire_.heal(); });
        return;
    }
    Node& there = node(side_of(harm));
    if (is_to_qemu(harm)) {
        there.kill_qemu();
    } else if (harm == Harm::kill_source || harm == Harm::kill_dest) {
        there.kill_katamaran();
    } else {
        there.interrupt();
    }
}

void Site::on_struck(Harm harm, const Crossing& crossing) {
    if (told_) {
        const std::string name{model::name_of(crossing.side)};
        tell(crossing.side, "fault",
             describe(crossing).substr(name.size() + 2) + ": " + std::string{describe(harm)});
    }
}

void Site::tell(Side side, std::string_view kind, std::string_view text) {
    if (told_) {
        told_(clock_.now(), side, kind, text);
    }
}

std::vector<model::FlowAccount> Site::accounts() {
    return traffic_ == nullptr ? std::vector<model::FlowAccount>{} : traffic_->accounts();
}

std::array<model::HeldMost, 2> Site::held_most() {
    if (traffic_ == nullptr) {
        return {};
    }
    return {traffic_->held_most(Side::source), traffic_->held_most(Side::dest)};
}

Instant Site::ended_at() const {
    Instant last{};
    for (const auto& node : nodes_) {
        if (node != nullptr && node->katamaran() != nullptr) {
            last = std::max(last, node->katamaran()->ended_at());
        }
    }
    return last;
}

std::string Site::whereabouts() {
    std::string text;
    for (const Side side : {Side::source, Side::dest}) {
        if (has(side) && !node(side).is_over()) {
            const std::vector<Entered>& states = node(side).katamaran()->states();
            text += "; the " + std::string{model::name_of(side)} + " is in " +
                    (states.empty() ? "no state yet" : states.back().state);
        }
    }
    return text;
}

}  // namespace ktm::trial
