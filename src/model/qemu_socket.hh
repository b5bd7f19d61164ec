// SPDX-License-Identifier: Apache-2.0
// model/qemu_socket.hh: a modelled QEMU behind its QMP socket, and a judge of each message.
//
// Theory of operation. One client is served at a time. It gets a greeting, must negotiate, and
// is told events from then on; whoever comes later hears nothing of what was told before. Commands
// are executed one after the other; while QEMU is busy they wait. When QEMU ends, so does the
// socket.
//
// Each message is numbered: commands as they come, replies and events as they would go. A judge may
// decide on each of them what becomes of it; without one all pass. A message that is late is so
// alone, and others overtake it; late commands keep those behind them waiting, as TCP keeps order.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/qemu.hh"
#include "sim/qmp_server.hh"

namespace ktm::model {

class QemuSocket {
public:
    enum class Kind { command, reply, event };
    /// A reply has the name of its command, an event its data, too. LIFETIME: both are valid
    /// during the call.
    struct Message {
        Kind kind = Kind::event;
        std::uint64_t number = 0;
        std::string_view name;
        std::string_view data = {};  ///< JSON; empty for none.
    };
    enum class Fate {
        passes,
        is_lost,
        is_late,         ///< By `delay`.
        is_kept,         ///< A reply or an event comes when let_through() is called.
        comes_twice,     ///< A command is executed twice, and answered twice.
        is_refused,      ///< A command is not executed; of a reply only the answer is another.
        ends_the_line,   ///< The connection is closed in its place.
        waits_for_next,  ///< It goes behind the next reply or event; a command passes.
    };
    struct Verdict {
        Fate fate = Fate::passes;
        Duration delay{};
        std::string desc = "refused by the fault injector";
    };
    using Judge = UniqueFunction<Verdict(const Message&)>;

    /// Listens at once. Takes the hooks of the QEMU and calls those that were there, behind its own
    /// acts. LIFETIME: the QEMU, clock and transport outlive it.
    [[nodiscard]] static Result<std::unique_ptr<QemuSocket>> open(sim::VirtualClock& clock,
                                                                  ports::Transport& transport,
                                                                  const Endpoint& endpoint,
                                                                  Qemu& qemu);
    QemuSocket(const QemuSocket&) = delete;
    QemuSocket& operator=(const QemuSocket&) = delete;
    ~QemuSocket();

    void judge_by(Judge judge) { judge_ = std::move(judge); }
    /// What was kept comes now, in its order.
    void let_through();
    [[nodiscard]] std::uint64_t messages() const noexcept { return last_number_; }
    /// Closes the connection that is served; who waits is served next.
    void hang_up();

private:
    struct Asked {
        std::string name;
        std::string id;
        std::uint64_t connection = 0;
    };

    QemuSocket(sim::VirtualClock& clock, Qemu& qemu) : clock_(clock), qemu_(qemu) {}

    void take_hooks();
    void greet();
    void forget_client();
    void take(sim::QmpCommand command);
    void refuse_garbage(std::string_view line);
    [[nodiscard]] std::optional<Reply> fault_of(const sim::QmpCommand& command) const;
    void work();
    void execute(const sim::QmpCommand& command);
    void negotiate(const Asked& asked);
    void answer(const Asked& asked, Reply reply);
    void tell_event(std::string_view name, std::string_view data);
    [[nodiscard]] Verdict judge(Kind kind, std::string_view name, std::string_view data = {});
    void dispatch(const Verdict& verdict, std::string line);
    void send(std::string line);
    void send_late(Duration delay, std::string line);
    void close();

    sim::VirtualClock& clock_;
    Qemu& qemu_;
    QemuHooks others_;
    Judge judge_;
    std::unique_ptr<sim::QmpServer> server_;
    std::uint64_t last_number_ = 0;
    std::uint64_t connection_ = 0;
    bool negotiated_ = false;
    bool working_ = false;
    std::deque<sim::QmpCommand> waiting_;
    /// The first of those that wait has been judged late, and is due then.
    std::optional<Instant> late_until_;
    std::unique_ptr<ports::Timer> late_timer_;
    std::unique_ptr<ports::Timer> next_served_;
    std::optional<Asked> asked_;  ///< QEMU answers it later.
    std::string held_back_;
    std::vector<std::string> kept_;
    std::vector<std::unique_ptr<ports::Timer>> on_the_way_;
};

}  // namespace ktm::model
