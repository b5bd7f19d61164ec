// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/guard_test.cc: somebody acts when we are dead or stand still, and never otherwise.
#include "unit/os/own_namespace.hh"

#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>

using namespace ktm;
using namespace std::chrono_literals;
using namespace ktm::os::testing;

namespace {

std::string first_line(const std::filesystem::path& path) {
    std::ifstream file{path};
    std::string line;
    (void)std::getline(file, line);
    return line;
}

/// The processes of this name that were forked here.
std::vector<pid_t> guards_of(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos ||
            first_line(entry.path() / "comm") != "katamaran-guard") {
            continue;
        }
        std::ifstream status{entry.path() / "status"};
        for (std::string line; std::getline(status, line);) {
            if (line == "PPid:\t" + std::to_string(parent)) {
                found.push_back(std::stoi(name));
            }
        }
    }
    return found;
}

/// One guard's process; it takes an instant until it has its name.
pid_t the_guard() {
    for (int i = 0; i < 1000; ++i) {
        if (const auto found = guards_of(::getpid()); found.size() == 1) {
            return found[0];
        }
        std::this_thread::sleep_for(1ms);
    }
    FAIL("there is no guard, or more than one");
    return -1;
}

/// Waits until the device is gone, or for a second.
bool goes(Asker& asker, const std::string& link) {
    for (int i = 0; i < 1000; ++i) {
        if (asker.get(net::FindLink{link}).links.empty()) {
            return true;
        }
        std::this_thread::sleep_for(1ms);
    }
    return false;
}

bool stays(Asker& asker, const std::string& link, Duration time) {
    std::this_thread::sleep_for(time);
    return !asker.get(net::FindLink{link}).links.empty();
}

/// No guard is there any more, and none is left to be waited for.
void check_no_process() {
    CHECK(guards_of(::getpid()).empty());
    const pid_t any = ::waitpid(-1, nullptr, WNOHANG);
    CHECK((any == -1 && errno == ECHILD));
}

}  // namespace

TEST_CASE("os/guard: it acts when the time is over, and says so") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    auto guard =
        asker.network->guard({net::WriteSetting{"ipv4/ip_forward", "1"}, net::DeleteLink{"ktm0"},
                              net::WriteSetting{"ipv4/conf/lo/rp_filter", "2"}});
    REQUIRE(guard);
    CHECK((*guard)->arm(300ms));
    CHECK((*guard)->disarm());
    CHECK(stays(asker, "ktm0", 400ms));
    CHECK((*guard)->arm(20ms));
    CHECK(goes(asker, "ktm0"));
    CHECK_FALSE((*guard)->disarm());
    CHECK(asker.get(net::ReadSetting{"ipv4/ip_forward"}).text == "1");
    CHECK(asker.get(net::ReadSetting{"ipv4/conf/lo/rp_filter"}).text == "2");
    // It stands ready again.
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    CHECK((*guard)->arm(10s));
    CHECK((*guard)->disarm());
    CHECK((*guard)->disarm());
    // More words than fit into its socket.
    for (int i = 0; i < 5000; ++i) {
        REQUIRE((*guard)->arm(10s));
    }
    CHECK((*guard)->disarm());
    CHECK(stays(asker, "ktm0", 20ms));
}

TEST_CASE("os/guard: armed again, it has the new time") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    auto guard = asker.network->guard({net::DeleteLink{"ktm0"}});
    REQUIRE(guard);
    for (int i = 0; i < 10; ++i) {
        CHECK((*guard)->arm(600ms));
        CHECK(stays(asker, "ktm0", 100ms));
    }
    CHECK((*guard)->arm(-5s));
    CHECK(goes(asker, "ktm0"));
}

TEST_CASE("os/guard: it acts when we die, whatever signals it gets itself") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    const pid_t victim = ::fork();
    REQUIRE(victim >= 0);
    if (victim == 0) {
        auto guard = asker.network->guard({net::DeleteLink{"ktm0"}});
        if (guard && (*guard)->arm(60s) && (*guard)->disarm() && (*guard)->arm(60s)) {
            for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGTSTP, SIGPIPE}) {
                for (const pid_t process : guards_of(::getpid())) {
                    (void)::kill(process, signal);
                }
            }
            (void)::kill(::getpid(), SIGKILL);
        }
        ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(victim, &status, 0) == victim);
    CHECK(WIFSIGNALED(status));
    CHECK(goes(asker, "ktm0"));
}

TEST_CASE("os/guard: who dies while it is not armed leaves everything as it is") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    const pid_t victim = ::fork();
    REQUIRE(victim >= 0);
    if (victim == 0) {
        auto guard = asker.network->guard({net::DeleteLink{"ktm0"}});
        if (guard && (*guard)->arm(60s) && (*guard)->disarm()) {
            (void)::kill(::getpid(), SIGKILL);
        }
        ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(victim, &status, 0) == victim);
    CHECK(WIFSIGNALED(status));
    CHECK(stays(asker, "ktm0", 50ms));
}

TEST_CASE("os/guard: it is sent home without acting, and leaves no process") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    {
        auto guard = asker.network->guard({net::DeleteLink{"ktm0"}});
        REQUIRE(guard);
        CHECK((*guard)->arm(10s));
        (void)the_guard();
        CHECK((*guard)->disarm());
    }
    check_no_process();
    CHECK(stays(asker, "ktm0", 20ms));
}

TEST_CASE("os/guard: one that is armed acts when it is sent home, and leaves no process") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    {
        auto guard = asker.network->guard({net::DeleteLink{"ktm0"}});
        REQUIRE(guard);
        CHECK((*guard)->arm(10s));
    }
    CHECK(goes(asker, "ktm0"));
    check_no_process();
}

TEST_CASE("os/guard: behind its time it acts again and again, until it is disarmed") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    auto guard = asker.network->guard({net::DeleteLink{"ktm0"}});
    REQUIRE(guard);
    CHECK((*guard)->arm(1ms));
    CHECK(goes(asker, "ktm0"));
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    CHECK(goes(asker, "ktm0"));
    CHECK_FALSE((*guard)->disarm());
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    CHECK(stays(asker, "ktm0", 700ms));
}

TEST_CASE("os/guard: it has nothing open but what it needs, and a session of its own") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    const std::string held = world.path("held");
    const std::ofstream open{held};
    auto guard =
        asker.network->guard({net::WriteSetting{"ipv4/ip_forward", "1"}, net::DeleteLink{"ktm0"}});
    REQUIRE(guard);
    CHECK((*guard)->disarm());
    const pid_t process = the_guard();
    CHECK(::getsid(process) == process);
    std::vector<std::string> files;
    for (const auto& entry :
         std::filesystem::directory_iterator{"/proc/" + std::to_string(process) + "/fd"}) {
        files.push_back(std::filesystem::read_symlink(entry.path()).string());
    }
    const auto count = [&](std::string_view begin) {
        return std::count_if(files.begin(), files.end(),
                             [&](const std::string& file) { return file.starts_with(begin); });
    };
    CHECK(files.size() == 6);
    CHECK(count("/dev/null") == 3);
    CHECK(count("socket:") == 2);
    CHECK(count("/proc/sys/net/ipv4/ip_forward") == 1);
}

TEST_CASE("os/guard: one that is dead or stands still is not trusted, and does nothing later") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    for (const int signal : {SIGKILL, SIGSTOP}) {
        auto guard = asker.network->guard({net::DeleteLink{"ktm0"}});
        REQUIRE(guard);
        CHECK((*guard)->arm(10s));
        const pid_t process = the_guard();
        REQUIRE(::kill(process, signal) == 0);
        std::this_thread::sleep_for(20ms);
        const Instant begin = world.ports.clock.now();
        CHECK_FALSE((*guard)->disarm());
        CHECK(world.ports.clock.now() - begin < 3s);
        CHECK_FALSE((*guard)->arm(1s));
        CHECK(guards_of(::getpid()).empty());
    }
    CHECK(stays(asker, "ktm0", 20ms));
}

TEST_CASE("os/guard: it takes changes alone, and not many, of devices that are there") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    const auto code = [&](const net::Requests& requests) {
        const auto guard = asker.network->guard(requests);
        return guard ? std::string{} : guard.error().code;
    };
    CHECK(code({net::ListLinks{}}) == "EINVAL");
    CHECK(code({net::ReadSetting{"ipv4/ip_forward"}}) == "EINVAL");
    CHECK(code({net::OpenPlug{"none", true}}) == "ENODEV");
    CHECK(code(net::Requests(17, net::DeleteLink{"va"})) == "E2BIG");
    CHECK(code(net::Requests(16, net::DeleteLink{"va"})) == "");
    CHECK(guards_of(::getpid()).empty());
}

TEST_CASE("os/guard: it takes a redirect back that was made after it") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    space.must("ip link add va type veth peer name vb && ip link set va up && ip link set vb up");
    asker.all({net::AddClsact{"va"}});
    const net::Redirect redirect{"va", net::Direction::egress, mac("02:00:00:00:09:05"), "lo"};
    auto guard = asker.network->guard({net::DeleteRedirect{redirect}});
    REQUIRE(guard);
    asker.all({net::AddRedirect{redirect}});
    REQUIRE(asker.get(net::ListFilters{"va", net::Direction::egress}).filters.size() == 1);
    CHECK((*guard)->arm(0s));
    for (int i = 0; i < 1000; ++i) {
        if (asker.get(net::ListFilters{"va", net::Direction::egress}).filters.empty()) {
            break;
        }
        std::this_thread::sleep_for(1ms);
    }
    CHECK(asker.get(net::ListFilters{"va", net::Direction::egress}).filters.empty());
    CHECK_FALSE((*guard)->disarm());
}
