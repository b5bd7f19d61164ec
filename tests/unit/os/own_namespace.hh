// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/own_namespace.hh: a network namespace for one test, so that the machine's is left
// as it is.
#pragma once

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "disk/descriptor.hh"
#include "net/request.hh"
#include "unit/os/world.hh"

namespace ktm::os::testing {

/// A thread that has moved into a new namespace and stays there until the end.
class OwnNamespace {
public:
    OwnNamespace() {
        std::promise<void> moved;
        std::future<void> ready = moved.get_future();
        thread_ = std::thread{[this, &moved] {
            usable_ = ::unshare(CLONE_NEWNET) == 0;
            place_ = "/proc/self/task/" + std::to_string(::gettid()) + "/ns/net";
            moved.set_value();
            leave_.get_future().wait();
        }};
        ready.wait();
        if (usable_) {
            (void)run("ip link set lo up");
            use_ipv6(false);
        } else {
            WARN("skipped: this process may not make a network namespace");
        }
    }
    ~OwnNamespace() { end(); }
    OwnNamespace(const OwnNamespace&) = delete;
    OwnNamespace& operator=(const OwnNamespace&) = delete;

    /// False when it may not be made; then the test has said that it is skipped.
    explicit operator bool() const noexcept { return usable_; }
    [[nodiscard]] const std::string& place() const noexcept { return place_; }

    /// The place is gone; the namespace is when nobody has it open.
    void end() {
        if (thread_.joinable()) {
            leave_.set_value();
            thread_.join();
        }
    }

    /// Runs this in a thread that is in the namespace.
    void inside(const std::function<void()>& work) const {
        std::thread visitor{[&] {
            const int space = ::open(place_.c_str(), O_RDONLY | O_CLOEXEC);
            const bool there = ::setns(space, CLONE_NEWNET) == 0;
            (void)::close(space);
            if (there) {
                work();
            }
        }};
        visitor.join();
    }

    /// A command of the shell in the namespace, and what it says.
    [[nodiscard]] std::string run(const std::string& command) const {
        std::string said;
        inside([&] {
            FILE* output = ::popen(("( " + command + " ) 2>&1").c_str(), "r");
            std::array<char, 4096> piece;
            while (std::fgets(piece.data(), piece.size(), output) != nullptr) {
                said += piece.data();
            }
            (void)::pclose(output);
        });
        return said;
    }
    /// One that must succeed in silence.
    void must(const std::string& command) const { CHECK(run(command) == ""); }

    /// Devices that are made later have IPv6, or not, which is how it begins: with it they send
    /// packets on their own, which nobody counts on.
    void use_ipv6(bool wanted) const {
        must(std::string("echo ") + (wanted ? "0" : "1") +
             " >/proc/sys/net/ipv6/conf/default/disable_ipv6");
    }

    /// Opens a tap, as QEMU does, and sets it up.
    [[nodiscard]] disk::Descriptor tap(const std::string& name) const {
        disk::Descriptor file;
        inside([&] {
            file = disk::Descriptor{::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)};
            ifreq request{};
            name.copy(request.ifr_name, IFNAMSIZ - 1);
            request.ifr_flags = IFF_TAP | IFF_NO_PI;
            if (::ioctl(file.number(), TUNSETIFF, &request) != 0) {
                file.reset();
            }
        });
        REQUIRE(file.is_open());
        must("ip link set " + name + " up");
        return file;
    }

    /// A socket that gets all frames of a device.
    [[nodiscard]] disk::Descriptor ear(const std::string& name) const {
        disk::Descriptor socket;
        inside([&] {
            constexpr std::uint16_t all = 0x0300;  // ETH_P_ALL, in network order.
            socket =
                disk::Descriptor{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, all)};
            ifreq request{};
            name.copy(request.ifr_name, IFNAMSIZ - 1);
            (void)::ioctl(socket.number(), SIOCGIFINDEX, &request);
            sockaddr_ll place{};
            place.sll_family = AF_PACKET;
            place.sll_protocol = all;
            place.sll_ifindex = request.ifr_ifindex;
            (void)::bind(socket.number(), reinterpret_cast<const sockaddr*>(&place), sizeof place);
        });
        REQUIRE(socket.is_open());
        return socket;
    }

private:
    std::thread thread_;
    std::promise<void> leave_;
    std::string place_;
    bool usable_ = false;
};

/// The next frame, if one comes in time.
inline std::optional<std::string> next_frame(const disk::Descriptor& from, int wait_ms) {
    pollfd ready{from.number(), POLLIN, 0};
    std::array<char, 65536> buffer;
    if (::poll(&ready, 1, wait_ms) == 1) {
        const ssize_t count = ::read(from.number(), buffer.data(), buffer.size());
        if (count > 0) {
            return std::string(buffer.data(), static_cast<std::size_t>(count));
        }
    }
    return std::nullopt;
}

/// How many frames come until none comes for a while.
inline int count_frames(const disk::Descriptor& from, int quiet_ms = 50) {
    int count = 0;
    while (next_frame(from, quiet_ms)) {
        ++count;
    }
    return count;
}

/// A frame of the experimental ethertype 0x88b5.
inline std::string frame_to(const net::MacAddress& to, std::size_t bytes = 60) {
    std::string frame(reinterpret_cast<const char*>(to.octets().data()), 6);
    frame += std::string{"\x02\x00\x00\x00\x00\x09\x88\xb5", 8};
    frame.resize(bytes, 'x');
    return frame;
}

/// Our sockets to the kernel get the smallest buffer that there is.
inline void starve_netlink_sockets() {
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
        const int number = std::stoi(entry.path().filename().string());
        int family = 0;
        socklen_t length = sizeof family;
        if (::getsockopt(number, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0 &&
            family == AF_NETLINK) {
            const int least = 1;
            (void)::setsockopt(number, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
        }
    }
}

/// A network of a test, and what it answers.
class Asker {
public:
    Asker(TestWorld& world, const std::string& place) : world_(world) {
        auto opened = world.ports.networks.open(place);
        REQUIRE(opened);
        network = std::move(*opened);
    }

    /// All answers; `at_once` says whether they came before send() returned.
    ports::Network::Outcome send(net::Requests requests) {
        std::optional<ports::Network::Outcome> answers;
        bool in_loop = false;
        network->send(std::move(requests), [&](ports::Network::Outcome outcome) {
            answers = std::move(outcome);
            if (in_loop) {
                world_.stop();
            }
        });
        at_once = answers.has_value();
        in_loop = true;
        if (!answers) {
            world_.run();
        }
        REQUIRE(answers);
        return std::move(*answers);
    }
    Result<net::Answer> ask(net::Request request) {
        return std::move(send({std::move(request)}).front());
    }
    /// One that must go well.
    net::Answer get(net::Request request) {
        Result<net::Answer> answer = ask(std::move(request));
        CHECK((answer ? "" : answer.error().sentence()) == "");
        return answer ? *std::move(answer) : net::Answer{};
    }
    /// How the request fails: "EEXIST", or "" when it does not.
    std::string fault_of(net::Request request) {
        const Result<net::Answer> answer = ask(std::move(request));
        return answer ? "" : answer.error().code;
    }
    /// Many that must go well.
    void all(net::Requests requests) {
        for (const Result<net::Answer>& answer : send(std::move(requests))) {
            CHECK((answer ? "" : answer.error().sentence()) == "");
        }
    }

    std::shared_ptr<ports::Network> network;
    bool at_once = false;

private:
    TestWorld& world_;
};

inline net::MacAddress mac(std::string_view text) {
    return *net::MacAddress::parse(text);
}
inline IpAddress ip(std::string_view text) {
    return *IpAddress::parse(text);
}
inline IpPrefix prefix(std::string_view text) {
    return *IpPrefix::parse(text);
}

/// A vxlan over loopback: a tunnel that every kernel has.
inline net::TunnelLink some_tunnel(const std::string& name) {
    net::TunnelLink link;
    link.name = name;
    link.tag = "katamaran test " + name;
    link.carrier = net::Carrier::vxlan;
    link.local = ip("127.0.0.1");
    link.remote = ip("127.0.0.2");
    link.mtu = 1450;
    link.id = 77;
    link.port = 4790;
    link.mac = mac("02:00:00:00:00:77");
    return link;
}

/// Whether the kernel has this kind of qdisc or device; says so when it has not.
inline bool has_qdisc(Asker& asker, const OwnNamespace& space, const std::string& kind) {
    (void)space.run("ip link add ktmprobe type veth peer name ktmprobe2");
    const std::string fault =
        asker.fault_of(net::PutRootQdisc{"ktmprobe", net::SavedQdisc{kind, 0x10000, ""}});
    (void)space.run("ip link del ktmprobe");
    if (fault == "ENOENT") {
        WARN("skipped: this kernel has no qdisc " + kind + "; tools/lab has one that has");
    }
    return fault != "ENOENT";
}
inline bool has_device(const OwnNamespace& space, const std::string& arguments) {
    const std::string said = space.run("ip link add ktmprobe type " + arguments);
    (void)space.run("ip link del ktmprobe");
    if (!said.empty()) {
        WARN("skipped: this kernel has no device of the type " + arguments +
             "; tools/lab has one that has");
    }
    return said.empty();
}

}  // namespace ktm::os::testing
