// SPDX-License-Identifier: Apache-2.0
// trial/node.hh: one node of a trial: its kernel, its files, its QEMU, and who acts on it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/recovery.hh"
#include "model/node_transport.hh"
#include "model/qemu.hh"
#include "model/qemu_socket.hh"
#include "monitor/guest_visit.hh"
#include "monitor/recorded_world.hh"
#include "ports/loop.hh"
#include "sim/life.hh"
#include "sim/virtual_ciphers.hh"
#include "sim/virtual_files.hh"
#include "sim/virtual_network.hh"
#include "sim/virtual_signals.hh"
#include "trial/crossings.hh"
#include "trial/katamaran.hh"
#include "trial/line_faults.hh"
#include "trial/programs.hh"
#include "trial/stage.hh"
#include "trial/trial.hh"

namespace ktm::trial {

/// What both nodes of a trial share. LIFETIME: outlives the nodes.
struct Ground {
    sim::VirtualClock& clock;
    sim::VirtualLoop& loop;
    model::Switchboard& board;
    model::Wire& wire;
    Crossings& crossings;
    Referee& referee;
    Recorded& recorded;
};

class Node {
public:
    /// LIFETIME: all outlive it.
    Node(const Ground& ground, const Stage& stage, Side side, model::Disk* disk);
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node();

    [[nodiscard]] sim::VirtualKernel& kernel() { return networks_.kernel(netns_); }
    [[nodiscard]] model::Qemu& qemu() noexcept { return *qemu_; }
    [[nodiscard]] model::NodeTransport& transport() noexcept { return transport_; }
    [[nodiscard]] Katamaran* katamaran() noexcept { return katamaran_.get(); }

    /// Starts its katamaran with this part. `packets` tells what became of the guest's so far.
    void begin(Part& part, Katamaran::Told told,
               UniqueFunction<std::vector<model::FlowAccount>()> packets);
    void interrupt();
    void kill_katamaran();
    void kill_qemu();
    /// What `katamaran recover` does, when its katamaran was killed; done() afterwards.
    void recover();
    [[nodiscard]] bool is_recovering() const noexcept { return recovery_ != nullptr; }
    [[nodiscard]] bool was_killed() const noexcept { return killed_; }
    /// Nothing of it acts any more of its own.
    [[nodiscard]] bool is_over() const noexcept;

    /// In which way its host is another than before; empty: in none.
    [[nodiscard]] std::string difference();
    /// In which way its QEMU, if it lives, has something that it had not; empty: in none.
    [[nodiscard]] std::string qemu_difference() const;
    /// What QEMU wrote to a program is not there, or not all of it.
    [[nodiscard]] bool lacks_file() const noexcept {
        return !program_file_.empty() && !file_whole_;
    }
    [[nodiscard]] bool had_qemu() const { return qemu_ != nullptr; }
    [[nodiscard]] bool has_qemu() const { return qemu_ != nullptr && qemu_->is_alive(); }
    [[nodiscard]] bool qemu_is_gone() const { return qemu_ != nullptr && !qemu_->is_alive(); }
    /// Its QEMU has ended by itself: what it was to load broke off.
    [[nodiscard]] bool qemu_failed_to_load() const {
        return qemu_is_gone() && qemu_->exit_code() == 1;
    }
    /// How the memory that its QEMU sent has gone, if it sent any.
    [[nodiscard]] std::optional<model::RamCopy::Course> copy_course() const;
    [[nodiscard]] bool holds_packets();
    [[nodiscard]] std::vector<std::string> journals() const;
    [[nodiscard]] Ending ending(const std::string& role) const;
    /// What something is about that was left behind, and that a person is told of.
    enum class About : std::uint8_t { host, vm };
    /// Its run, or the recovery behind it, says that something of this kind is not as it was.
    [[nodiscard]] bool says_left(About about) const;
    /// Its recovery has found the guest that had been handed over, and it ran.
    [[nodiscard]] bool saw_guest_run() const noexcept { return saw_guest_run_; }

    /// Each start and stop of its guest; behind the referee.
    UniqueFunction<void(bool runs)> on_guest;
    UniqueFunction<void()> on_qemu_exit;
    /// It has another QEMU, in the place of one that was gone.
    UniqueFunction<void()> on_qemu_start;
    /// Its run has left what it was at; whatever was too late for that may come.
    UniqueFunction<void()> on_moved_on;
    /// What was too late for the other node, which has moved on.
    void let_lines_through() { lines_.let_through(); }

private:
    void furnish(const Stage& stage);
    void start_qemu();
    [[nodiscard]] bool start_qemu_anew(std::string_view line);
    void judge();
    void move_on();
    [[nodiscard]] model::QemuSocket::Verdict judge_message(
        const model::QemuSocket::Message& message);
    [[nodiscard]] std::optional<sim::NetworkFault> judge_request(const net::Request& request);
    [[nodiscard]] int judge_write(std::string_view bytes);
    [[nodiscard]] model::Program judge_program(std::string_view command);
    [[nodiscard]] bool is_open_in_journal(const std::string& path, About about) const;
    void tell_guess(std::string_view line);

    Ground ground_;
    const Stage& stage_;
    Side side_;
    model::Disk* disk_;
    std::string netns_;
    std::string socket_;
    sim::Life life_;
    sim::VirtualNetworks networks_;
    sim::VirtualFiles files_{&life_};
    Programs processes_;
    sim::VirtualSignals signals_;
    sim::VirtualCiphers ciphers_;
    model::NodeTransport transport_;
    LineFaults lines_;
    ports::World world_;
    std::string before_;
    std::optional<model::Inventory> qemu_before_;
    std::unique_ptr<model::Qemu> qemu_;
    std::unique_ptr<model::QemuSocket> socket_of_qemu_;
    std::unique_ptr<monitor::Recorder> recorder_;  ///< Null when nobody wants to know.
    std::optional<monitor::RecordedWorld> recorded_;
    std::optional<ports::World> seen_;  ///< What its katamaran has for its world.
    std::unique_ptr<Katamaran> katamaran_;
    std::unique_ptr<ports::Timer> resets_;
    bool killed_ = false;
    std::unique_ptr<host::Recovery> recovery_;
    std::unique_ptr<monitor::GuestVisit> visit_;
    std::vector<std::string> left_;     ///< What a recovery could not take back.
    std::array<bool, 2> left_about_{};  ///< Of what kinds that was.
    bool saw_guest_run_ = false;
    std::string program_file_;  ///< Of the last program that QEMU has started.
    bool program_fails_ = false;
    bool file_whole_ = false;
    bool file_there_ = false;
};

}  // namespace ktm::trial
