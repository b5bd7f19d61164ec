// SPDX-License-Identifier: Apache-2.0
// tests/unit/host/stage.hh: a simulated host with a guest's network, and what a run wants of it.
#pragma once

#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "host/host.hh"
#include "host/recovery.hh"
#include "net/divert.hh"
#include "net/hold.hh"
#include "net/tunnel.hh"
#include "sim/virtual_world.hh"

namespace ktm::host::testing {

inline const std::string folder = "/run/katamaran";
inline const std::string blue = "/proc/42/ns/net";

inline Header header_of(const std::string& run = "00000000000000aa") {
    return Header{"0.1.0",  run,      "/run/vm.sock",        "freeze",
                  "source", "boot-1", "2026-01-01T00:00:00Z"};
}

inline net::MacAddress mac(const std::string& text) {
    return *net::MacAddress::parse(text);
}
inline IpAddress address(const std::string& text) {
    return *IpAddress::parse(text);
}

/// Our own namespace with an uplink, and another one with the guest's tap.
class Stage {
public:
    Stage() {
        sim::VirtualKernel& own = sim.networks().kernel();
        own.add_link("eth0", "");
        own.add_address("eth0", "192.0.2.1/24");
        sim::VirtualKernel& guest = sim.networks().add(blue);
        guest.add_tap("tap0");
        guest.add_link("br0", "bridge");
        guest.add_address("br0", "10.1.0.1/16");
        guest.add_route("10.1.2.3/32", "tap0");
        guest.add_route("10.1.2.3/32", "br0", 50);
        guest.add_route("2001:db8::3/128", "tap0");
        guest.set("ipv6/conf/br0/accept_ra", "1");
        sim.networks().tell_changes();
    }
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    ~Stage() {
        host.reset();
        CHECK(sim.loop().close() == 0);
    }

    void begin(const std::string& run = "00000000000000aa") {
        host = std::make_unique<Host>(world, Settings{folder, header_of(run)});
    }
    Namespace& enter(const std::string& place) {
        Result<Namespace*> space = host->enter(place);
        REQUIRE(space);
        return **space;
    }
    void run() {
        world.loop.run();
        CHECK_FALSE(sim.loop().fault());
    }
    [[nodiscard]] std::string dump() const { return sim.networks().dump(); }
    [[nodiscard]] std::vector<std::string> journals() {
        return sim.files().list(folder).value_or({});
    }
    [[nodiscard]] std::string journal(const std::string& run = "00000000000000aa") {
        return sim.files().read(folder + "/" + run + ".journal", journal_max).value_or("none");
    }
    /// As often as an undo is tried.
    template <class Fits>
    void refuse(const Fits& fits, int error) {
        for (int count = 0; count < 3; ++count) {
            sim.networks().fail_next(fits, error);
        }
    }
    /// Drops the host as the kernel drops a process that was killed.
    void kill() {
        sim.life().end_after(0);
        host.reset();
        sim.bury();
    }

    mutable sim::VirtualWorld sim;
    ports::World world = sim.ports();
    std::unique_ptr<Host> host;
};

/// The lines that only one of two texts has.
inline std::vector<std::string> parting(const std::string& before, const std::string& after) {
    std::vector<std::string> lines;
    std::istringstream from{before};
    std::istringstream to{after};
    std::multiset<std::string> left;
    for (std::string line; std::getline(from, line);) {
        left.insert(line);
    }
    for (std::string line; std::getline(to, line);) {
        const auto there = left.find(line);
        if (there == left.end()) {
            lines.push_back("+ " + line);
        } else {
            left.erase(there);
        }
    }
    for (const std::string& line : left) {
        lines.push_back("- " + line);
    }
    if (lines.empty() && before != after) {
        lines.emplace_back("another order");
    }
    return lines;
}

/// Something that is acquired: where, and what.
struct Acquisition {
    std::string name;
    std::string place;
    net::Wanted (*wanted)(Host& host);
};

inline net::Wanted tunnel(Host& host) {
    net::TunnelWish wish;
    wish.remote = address("192.0.2.7");
    wish.lower_name = host.next_link_name();
    wish.upper_name = host.next_link_name();
    wish.tag = host.tag().text();
    return net::want_tunnel(std::move(wish), std::make_shared<net::TunnelForm>());
}

inline net::Wanted routes(Host&) {
    net::RouteWish wish;
    wish.addresses = {address("10.1.2.3"), address("2001:db8::3")};
    wish.link = "br0";
    wish.mac = mac("02:aa:00:00:00:01");
    return std::move(*net::want(wish));
}

inline net::HoldWish hold() {
    net::HoldWish wish;
    wish.tap = "tap0";
    wish.packets_per_second = 20'000;
    wish.pause = std::chrono::milliseconds{200};
    return wish;
}

inline net::Wanted ring(Host&) {
    return net::want_ring(hold(), *net::form_of(hold(), 1000, true, true));
}
inline net::Wanted plug(Host&) {
    return net::want_plug(hold(), *net::form_of(hold(), 1000, true, true));
}
inline net::Wanted bare_plug(Host&) {
    return net::want_plug(hold(), *net::form_of(hold(), 1000, true, false));
}
inline net::Wanted redirect(Host&) {
    net::Redirect wish;
    wish.link = "br0";
    wish.mac = mac("02:aa:00:00:00:01");
    wish.to = "tap0";
    return std::move(*net::want(wish));
}
inline net::Wanted setting(Host&) {
    net::Wanted wanted;
    wanted.what = "router advertisements";
    const std::string name = "ipv6/conf/br0/accept_ra";
    wanted.queries = {net::ReadSetting{name}};
    wanted.steps = [name](const net::Answers& answers) -> Result<net::Steps> {
        if (answers[0].text.empty()) {
            return Error{Kind::refused, "ENODEV", "there is no " + name, "", nullptr};
        }
        net::Steps steps;
        steps.push_back(
            {net::WriteSetting{name, "0"}, net::UndoSetting{name, "0", answers[0].text}, false});
        return steps;
    };
    return wanted;
}

inline const std::vector<Acquisition>& acquisitions() {
    static const std::vector<Acquisition> all{
        {"tunnel", "", tunnel},     {"routes", blue, routes},       {"ring", blue, ring},
        {"plug", blue, plug},       {"bare plug", blue, bare_plug}, {"redirect", blue, redirect},
        {"setting", blue, setting},
    };
    return all;
}

/// Acquires and turns the world until it is over; nothing when nobody was told.
inline std::optional<Result<AcquiredId>> acquire(Stage& stage, const Acquisition& what,
                                                 UndoKind kind = UndoKind::hold) {
    std::optional<Result<AcquiredId>> answer;
    stage.host->acquire(stage.enter(what.place), kind, what.wanted(*stage.host),
                        [&](Result<AcquiredId> id) { answer = std::move(id); });
    stage.run();
    return answer;
}

inline std::optional<Result<AcquiredId>> prepare(Stage& stage, const Acquisition& what) {
    std::optional<Result<AcquiredId>> answer;
    stage.host->prepare(stage.enter(what.place), UndoKind::undo, what.wanted(*stage.host),
                        [&](Result<AcquiredId> id) { answer = std::move(id); });
    stage.run();
    return answer;
}

/// The same for what gives nothing back.
template <class Call>
std::optional<Result<void>> await(Stage& stage, Call call) {
    std::optional<Result<void>> answer;
    call([&](Result<void> done) { answer = std::move(done); });
    stage.run();
    return answer;
}

/// How a recovery went.
struct Recovering {
    std::vector<std::string> told;
    std::optional<Result<int>> done;
};

inline std::string_view name_of(Recovered::End end) {
    switch (end) {
        case Recovered::End::undone: return "undone";
        case Recovered::End::nothing_left: return "nothing left";
        case Recovered::End::namespace_gone: return "namespace gone";
        case Recovered::End::skipped: return "skipped";
        case Recovered::End::marked: return "marked";
        case Recovered::End::failed: return "failed";
    }
    return "";
}

/// `places` are searched without a journal.
inline Recovering recover(Stage& stage, std::vector<std::string> places = {}, bool dry = false,
                          const std::string& boot = "boot-1", AtGuest at_guest = {}) {
    Recovering result;
    Recovery recovery{stage.world, RecoverySettings{folder, boot, std::move(places), true, dry},
                      std::move(at_guest),
                      [&](const Recovered& one) {
                          result.told.push_back(std::string{name_of(one.end)} + ": " + one.what +
                                                (one.why.empty() ? "" : " (" + one.why + ")"));
                      },
                      [&](Result<int> failed) { result.done = std::move(failed); }};
    recovery.start();
    stage.run();
    return result;
}

}  // namespace ktm::host::testing
