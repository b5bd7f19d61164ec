// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/two_nodes.hh: two simulated nodes, a wire, and a guest that moves.
#pragma once

#include <memory>
#include <string>

#include "base/assert.hh"
#include "model/traffic.hh"
#include "net/divert.hh"
#include "net/hold.hh"
#include "net/tunnel.hh"

namespace ktm::model::test {

using namespace std::chrono_literals;

/// The guest is 10.1.2.3 and 2001:db8::3, behind tap0 at both nodes.
class TwoNodes {
public:
    explicit TwoNodes(Wire::Settings settings = {}, Traffic::Settings traffic_settings = {})
        : wire(clock, settings) {
        prepare(source, "192.0.2.1", "fd00::1");
        prepare(dest, "192.0.2.2", "fd00::2");
        for (const char* prefix : {"10.1.2.3/32", "2001:db8::3/128"}) {
            source.add_route(prefix, "tap0");
        }
        traffic = std::make_unique<Traffic>(clock, wire, Traffic::Node{&source},
                                            Traffic::Node{&dest}, std::move(traffic_settings));
        traffic->guest_runs(Side::source, true);
    }

    void wait(Duration duration) {
        const auto timer = clock.arm(duration, [] {});
        clock.run_next();
    }
    static void apply(sim::VirtualKernel& kernel, const net::Request& request) {
        const Result<net::Answer> answer = kernel.apply(request);
        KTM_ASSERT(answer.has_value());
    }
    /// All at once.
    static void carry_out(sim::VirtualKernel& kernel, net::Wanted wanted) {
        net::Answers answers;
        for (const net::Request& query : wanted.queries) {
            answers.push_back(*kernel.apply(query));
        }
        Result<net::Steps> steps = wanted.steps(answers);
        KTM_ASSERT(steps.has_value());
        for (const net::Step& step : *steps) {
            apply(kernel, step.request);
        }
    }
    /// The same tunnel at both nodes.
    void make_tunnel(net::TunnelWish wish = {}, bool v6 = false) {
        wish.lower_name = "ktm0";
        wish.upper_name = "ktm1";
        wish.tag = "katamaran/test/x";
        wish.remote = *IpAddress::parse(v6 ? "fd00::2" : "192.0.2.2");
        carry_out(source, net::want_tunnel(wish, source_form));
        wish.remote = *IpAddress::parse(v6 ? "fd00::1" : "192.0.2.1");
        carry_out(dest, net::want_tunnel(wish, dest_form));
    }
    void arrive() {
        net::RouteWish wish;
        wish.addresses = guest;
        wish.link = "tap0";
        wish.mac = mac;
        wish.arrives = true;
        carry_out(dest, *net::want(wish));
    }
    void divert() {
        net::RouteWish wish;
        wish.addresses = guest;
        wish.link = source_form->entrance().name;
        wish.encapsulation = source_form->encapsulation();
        wish.mac = source_form->far_mac();
        carry_out(source, *net::want(wish));
    }
    /// A plug and, where `pace` says so, a pacer.
    static void plug(sim::VirtualKernel& kernel, std::uint32_t limit_bytes, bool paced = false) {
        if (paced) {
            apply(kernel, net::AddPacer{"tap0"});
        }
        apply(kernel, net::AddPlug{"tap0", paced, limit_bytes});
    }
    std::size_t send(std::uint64_t rate, std::optional<std::uint64_t> packets = std::nullopt,
                     std::uint32_t bytes = 1428) {
        Flow flow;
        flow.to = guest.front();
        flow.packets_per_second = rate;
        flow.bytes = bytes;
        flow.packets = packets;
        flow.from = clock.now();
        return traffic->add(flow);
    }
    [[nodiscard]] std::uint64_t lost(const std::string& where) {
        const auto account = traffic->account(0);
        const auto found = account.lost.find(where);
        return found == account.lost.end() ? 0 : found->second;
    }

    sim::VirtualClock clock;
    Wire wire;
    sim::VirtualKernel source;
    sim::VirtualKernel dest;
    std::shared_ptr<net::TunnelForm> source_form = std::make_shared<net::TunnelForm>();
    std::shared_ptr<net::TunnelForm> dest_form = std::make_shared<net::TunnelForm>();
    net::MacAddress mac = *net::MacAddress::parse("02:aa:00:00:00:01");
    std::vector<IpAddress> guest{*IpAddress::parse("10.1.2.3"), *IpAddress::parse("2001:db8::3")};
    std::unique_ptr<Traffic> traffic;

private:
    static void prepare(sim::VirtualKernel& kernel, const std::string& v4, const std::string& v6) {
        kernel.add_link("eth0", "");
        kernel.add_tap("tap0");
        kernel.add_address("eth0", v4 + "/24");
        kernel.add_address("eth0", v6 + "/64");
        kernel.set("ipv4/conf/eth0/forwarding", "1");
        kernel.set("ipv6/conf/all/forwarding", "1");
    }
};

}  // namespace ktm::model::test
