// SPDX-License-Identifier: Apache-2.0
// os/guard.cc: somebody else who acts when this process dies or stands still.
//
// Theory of operation. The guard is a process that is forked when the guard is made, and never
// execs. What it will send is built before the fork; afterwards it has two things, a socket to the
// kernel in the right namespace and one end of a pair of sockets, and it waits. It is told "armed
// until this instant" and "disarmed". While it is armed it acts when the instant comes, or when the
// other end is closed, which is what our death looks like. A word that waits to be read comes
// before the instant, and an end comes behind all words.
//
// It leaves our session and is deaf for signals, so that what ends us does not end it with us.
//
// What it does not do: read what the kernel answers, act when it is killed itself, or survive a
// kill of the whole control group.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

#include "base/assert.hh"
#include "os/deaf_fork.hh"
#include "os/link_table.hh"
#include "os/network.hh"

namespace ktm::os {

namespace {

/// LIMIT: what a guard can be given to do.
constexpr std::size_t requests_max = 16;
/// LIMIT: how long the guard may take to answer; it answers within microseconds.
constexpr int answer_ms = 1000;
/// How long it waits between its acts, when nobody disarms it.
constexpr std::int64_t again_ns = 500'000'000;

/// What it is told, in one datagram.
struct Word {
    enum class Kind : std::uint8_t { arm, disarm };
    Kind kind = Kind::disarm;
    std::int64_t until_ns = 0;  ///< On the monotonic clock.
};

std::int64_t now_ns() {
    return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// One piece of what it will do: messages to the kernel, or the value of a setting.
struct Act {
    std::optional<disk::Descriptor> setting;
    std::string bytes;
};

/// Everything that the guard has, made before the fork.
struct Orders {
    NetlinkSocket kernel;
    std::vector<Act> acts;
    std::vector<int> kept;  ///< The descriptors that stay open in the guard.
};

// --- In the guard: no memory is taken or given back here --------------------------------------

void carry_out(Orders& orders) noexcept {
    for (Act& act : orders.acts) {
        if (act.setting) {
            (void)!::write(act.setting->number(), act.bytes.data(), act.bytes.size());
        } else {
            (void)orders.kernel.send(act.bytes, 1);
        }
    }
}

/// The guard's whole life. Never returns.
[[noreturn]] void stand_guard(int other_end, Orders& orders) noexcept {
    (void)::setsid();
    (void)::prctl(PR_SET_NAME, "katamaran-guard");
    for (int signal = 1; signal < NSIG; ++signal) {
        (void)std::signal(signal, SIG_IGN);
    }
    keep_only(orders.kept);
    bool armed = false;
    bool acted = false;
    std::int64_t until_ns = 0;
    while (true) {
        pollfd waiting{other_end, POLLIN, 0};
        // What it opens may be closed behind it by who was late: it goes on, until it is disarmed.
        const std::int64_t left = acted ? again_ns : std::max<std::int64_t>(until_ns - now_ns(), 0);
        const timespec limit{left / 1'000'000'000, left % 1'000'000'000};
        const int ready = ::ppoll(&waiting, 1, armed ? &limit : nullptr, nullptr);
        if (ready == 0) {
            carry_out(orders);
            acted = true;
        }
        if (ready <= 0) {
            continue;
        }
        Word word;
        const ssize_t count = ::recv(other_end, &word, sizeof word, MSG_DONTWAIT);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (count != sizeof word) {
            if (armed) {
                carry_out(orders);
            }
            ::_exit(0);
        }
        if (word.kind == Word::Kind::disarm) {
            (void)::send(other_end, &acted, sizeof acted, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        armed = word.kind == Word::Kind::arm;
        acted = false;
        until_ns = word.until_ns;
    }
}

// --- Here ---------------------------------------------------------------------------------------

class ForkedGuard final : public ports::Guard {
public:
    ForkedGuard(disk::Descriptor end, disk::Descriptor process)
        : end_(std::move(end)), process_(std::move(process)) {}

    /// Unless it is armed it goes without a word, and must not act any more, whatever it was just
    /// about to do. When it is armed it acts: it hears that its other end is closed.
    ~ForkedGuard() override {
        if (armed_) {
            leave();
        } else {
            dismiss();
        }
    }

    [[nodiscard]] Result<void> arm(Duration within) override {
        const int fault = tell(Word{Word::Kind::arm, now_ns() + std::max(within.count(), 0L)});
        armed_ = armed_ || fault == 0;
        return fault == 0 ? Result<void>{} : Result<void>{system_error(fault, "arm the guard")};
    }

    [[nodiscard]] bool disarm() override {
        armed_ = false;
        bool acted = true;
        const bool answered =
            tell(Word{}) == 0 && is_ready(POLLIN) &&
            ::recv(end_.number(), &acted, sizeof acted, MSG_DONTWAIT) == sizeof acted;
        if (answered) {
            return !acted;
        }
        // It is dead or does not move: it is not known what it did, and it shall do no more.
        dismiss();
        return false;
    }

private:
    /// Says it without waiting, but for a guard that has hundreds of words still to read.
    [[nodiscard]] int tell(const Word& word) const {
        const auto try_once = [&] {
            const ssize_t count =
                ::send(end_.number(), &word, sizeof word, MSG_NOSIGNAL | MSG_DONTWAIT);
            return count < 0 ? errno : 0;
        };
        const int fault = try_once();
        if (fault != EAGAIN) {
            return fault;
        }
        (void)is_ready(POLLOUT);
        return try_once();
    }

    /// Waits for it, at most answer_ms; a signal does not end the wait.
    [[nodiscard]] bool is_ready(short event) const {
        pollfd waiting{end_.number(), event, 0};
        int ready = -1;
        do {
            ready = ::poll(&waiting, 1, answer_ms);
        } while (ready < 0 && errno == EINTR);
        return ready == 1;
    }

    /// It acts, and ends. One that does not move is left to itself.
    void leave() {
        end_.reset();
        if (!process_.is_open()) {
            return;
        }
        pollfd ending{process_.number(), POLLIN, 0};
        if (::poll(&ending, 1, answer_ms) == 1) {
            siginfo_t how{};
            (void)::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process_.number()),
                           &how, WEXITED | WNOHANG);
        }
    }

    void dismiss() {
        if (process_.is_open()) {
            (void)::syscall(SYS_pidfd_send_signal, process_.number(), SIGKILL, nullptr, 0);
            siginfo_t ending{};
            while (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process_.number()),
                            &ending, WEXITED) != 0 &&
                   errno == EINTR) {
            }
            process_.reset();
        }
    }

    disk::Descriptor end_;
    disk::Descriptor process_;
    bool armed_ = false;
};

Result<Act> act_of(const NetworkNamespace& space, const net::Request& request, LinkTable& table) {
    if (const auto* writing = std::get_if<net::WriteSetting>(&request)) {
        Result<disk::Descriptor> file = open_setting(space, writing->name, O_WRONLY);
        if (!file) {
            return std::move(file).error();
        }
        return Act{*std::move(file), writing->value};
    }
    Result<Built> built = build(request, table);
    if (!built) {
        return std::move(built).error().while_trying(net::describe(request));
    }
    if (built->list || is_setting(request)) {
        return Error{Kind::usage, "EINVAL", "a guard does changes alone", net::describe(request),
                     nullptr};
    }
    return Act{std::nullopt, std::move(built->bytes)};
}

Result<Orders> orders_of(const NetworkNamespace& space, const net::Requests& requests) {
    Result<NetlinkSocket> kernel = NetlinkSocket::open(space);
    Result<NetlinkSocket> looking = NetlinkSocket::open(space);
    if (!kernel || !looking) {
        return kernel ? std::move(looking).error() : std::move(kernel).error();
    }
    LinkTable table{*std::move(looking), true};
    Orders orders{*std::move(kernel), {}, {}};
    for (const net::Request& request : requests) {
        Result<Act> act = act_of(space, request, table);
        if (!act) {
            return std::move(act).error();
        }
        // Messages that follow each other go out in one piece.
        if (!act->setting && !orders.acts.empty() && !orders.acts.back().setting) {
            orders.acts.back().bytes += act->bytes;
        } else {
            orders.acts.push_back(*std::move(act));
        }
    }
    orders.kept.push_back(orders.kernel.number());
    for (const Act& act : orders.acts) {
        if (act.setting) {
            orders.kept.push_back(act.setting->number());
        }
    }
    return orders;
}

}  // namespace

Result<std::unique_ptr<ports::Guard>> start_guard(const NetworkNamespace& space,
                                                  const net::Requests& requests) {
    if (requests.size() > requests_max) {
        return Error{Kind::usage, "E2BIG",
                     "it can be given " + std::to_string(requests_max) + " changes, not " +
                         std::to_string(requests.size()),
                     "start a guard", nullptr};
    }
    Result<Orders> orders = orders_of(space, requests);
    if (!orders) {
        return std::move(orders).error();
    }
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return system_error(errno, "start a guard");
    }
    disk::Descriptor ours{ends[0]};
    const disk::Descriptor its{ends[1]};
    orders->kept.push_back(its.number());
    const pid_t child = fork_deaf();
    if (child < 0) {
        return system_error(errno, "start a guard");
    }
    if (child == 0) {
        stand_guard(its.number(), *orders);
    }
    // The child lives until we let go of it, so its number cannot be another's yet.
    // glibc declares these calls for C alone.
    disk::Descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
    if (!process.is_open()) {
        const int fault = errno;
        ours.reset();
        (void)::waitpid(child, nullptr, 0);
        return system_error(fault, "start a guard");
    }
    return std::unique_ptr<ports::Guard>{
        std::make_unique<ForkedGuard>(std::move(ours), std::move(process))};
}

}  // namespace ktm::os
