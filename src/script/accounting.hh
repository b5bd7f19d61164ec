// SPDX-License-Identifier: Apache-2.0
// script/accounting.hh: what a run counts of a guest's packets, without being asked to.
//
// Theory of operation. Whoever makes a tunnel, a diversion or a hold gets its counters read: when
// it is there, and before it is taken away. In between a reading is made behind the diversion,
// while the guest still runs, and one behind the opening of a hold, when it runs again; none while
// it stands. Readings are one message to the kernel, and nobody waits for those in between. What
// could not be read is in the account, with the reason.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/host.hh"
#include "net/account.hh"
#include "net/tunnel.hh"

namespace ktm::script {

class Run;

class Accounting {
public:
    /// LIFETIME: run and host outlive it.
    Accounting(Run& run, host::Host& host) : run_(run), host_(host) {}
    Accounting(const Accounting&) = delete;
    Accounting& operator=(const Accounting&) = delete;

    void add_tunnel(const std::string& place, host::AcquiredId id, const net::TunnelForm& form);
    /// The diversion of that number sends packets into a tunnel of this run. Where they went so far
    /// is looked up and read.
    void add_diversion(const std::string& place, host::AcquiredId id,
                       const std::vector<IpAddress>& addresses);
    /// It was turned; it was taken back, or given back.
    void note_turned(host::AcquiredId id);
    void note_turned_back(host::AcquiredId id) { turned_.erase(id); }
    void note_held() { account_.holds = true; }
    /// A hold was opened: what has come out of the tunnels by now belongs to it. Whether it is the
    /// first one; then its tap is read next, and `note_opened` is called.
    [[nodiscard]] bool note_opening();
    void note_opened() {
        read(of_part(net::part_tunnel), When::again, [] {});
    }
    /// Reads all that belongs to that tunnel for the last time; `then` in any case. Nothing is read
    /// when it is no tunnel.
    void close(host::AcquiredId id, UniqueFunction<void()> then);
    /// The same of whatever has not been read for the last time.
    void close_all();
    /// Whether packets still came to where the guest was, behind the last reading; the run goes on
    /// to its end then.
    void look_back();
    /// The same before the other node is told, which waits for that: no longer than a moment.
    void glance_back();

    [[nodiscard]] net::Account account() const;

private:
    enum class When : std::uint8_t { amid, again, after, late };
    using Points = std::vector<std::size_t>;

    void add(std::string_view part, const std::string& place, net::Seen before,
             const std::string& link);
    void add_home(const std::string& place, const std::string& link);
    /// Looks at the homes in which packets may be joined until one look finds what the last one
    /// found.
    void wait_for_stillness(std::size_t looks);
    void note_stillness(const std::map<std::size_t, net::Seen>& before, std::size_t looks);
    [[nodiscard]] Points of_part(std::string_view part) const;
    void read(const Points& points, When when, UniqueFunction<void()> then);
    void ask(host::Namespace& space, const Points& points, When when, UniqueFunction<void()> then);
    /// The end of the run waits for it.
    void read_at_end(const Points& points, When when);
    /// The homes that have been read for the last time already.
    [[nodiscard]] Points left_homes() const;
    static void settle(net::Point& point, When when, const Result<net::Answer>& link,
                       const Result<net::Answer>* queue);

    Run& run_;
    host::Host& host_;
    net::Account account_;
    std::map<host::AcquiredId, Points> tunnels_;
    std::set<host::AcquiredId> diversions_;  ///< Into a tunnel of this run.
    std::set<host::AcquiredId> turned_;      ///< Those that still send packets there.
    std::unique_ptr<ports::Timer> moment_;
    bool opened_ = false;
};

}  // namespace ktm::script
