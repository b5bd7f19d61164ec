// SPDX-License-Identifier: Apache-2.0
// tests/bench/net_bench.cc: the kernel's side against programs that are started for it.
//
// Theory of operation. All of it happens in a network namespace that this process makes for itself.
// A monitor that we play ourselves says STOP on a unix socket; the run hears it on the loop, its
// handler in Lua diverts, and the clock stops when the kernel has acknowledged. In the same round
// the three commands are started that do the same by `ip`. Tunnels and, where the kernel has
// sch_plug, the block and the opening of a hold are measured beside `ip` and `tc` likewise.
//
// Usage: net_bench ROUNDS; the figures go to stdout as JSON, in microseconds.
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/hold.hh"
#include "net/tunnel.hh"
#include "os/loop.hh"
#include "script/loader.hh"
#include "script/run.hh"

namespace {

using namespace ktm;

constexpr std::chrono::milliseconds settle{10};

constexpr const char* plan_text = R"(return plan {
  name = "bench", api = 1, summary = "For measuring.",
  vars = { qmp = var.path { doc = "The monitor." } },
  role "node" {
    state "ready" { within = "1h",
      enter = function(m)
        m.note.path = net.divert { "10.1.2.3", into = "bench0" }
        emit("bench:ready")
      end,
      on { "STOP", run = function(m) m.note.path.turn() emit("bench:diverted") end },
      on { "MIGRATION_PASS",
        run = function(m) m.note.way = net.way { to = "10.1.2.3" } emit("bench:pass") end },
      on { "RESUME", run = function(m) m.note.path.back() emit("bench:back") end },
      on { "SHUTDOWN", go = "done" } } } }
)";

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "net_bench: %s\n", what.c_str());
    std::exit(2);
}

double now_us() {
    return std::chrono::duration<double, std::micro>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> words;
    std::size_t begin = 0;
    while (begin < line.size()) {
        const std::size_t end = std::min(line.find(' ', begin), line.size());
        words.push_back(line.substr(begin, end - begin));
        begin = end + 1;
    }
    return words;
}

/// Starts a program and waits for its end, as the ancestor did; what it says is dropped.
int status_of(const std::string& line) {
    std::vector<std::string> words = split(line);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    pid_t child = 0;
    int status = 0;
    if (posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ) != 0 ||
        waitpid(child, &status, 0) != child) {
        give_up("cannot run " + words.front());
    }
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

void execute_line(const std::string& line) {
    if (status_of(line) != 0) {
        give_up("cannot run " + line);
    }
}

/// A tap that this process has open, as QEMU would.
int open_tap() {
    const int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    ifreq request{};
    std::strncpy(request.ifr_name, "tap0", IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (tap < 0 || ioctl(tap, TUNSETIFF, &request) != 0) {
        give_up("cannot open a tap");
    }
    return tap;
}

/// A monitor that says what we want it to say.
class Monitor {
public:
    Monitor(ports::Transport& transport, const std::string& path) {
        Result<std::unique_ptr<ports::Listener>> listener = transport.listen(
            *Endpoint::parse("unix:" + path),
            [this](std::unique_ptr<ports::Stream> stream) { accept(std::move(stream)); });
        if (!listener) {
            give_up(listener.error().sentence());
        }
        listener_ = std::move(*listener);
    }
    void say(const std::string& event) {
        stream_->write("{\"event\":\"" + event +
                       "\",\"timestamp\":{\"seconds\":1,\"microseconds\":0}}\r\n");
    }

private:
    void accept(std::unique_ptr<ports::Stream> stream) {
        stream_ = std::move(stream);
        stream_->start({[this](std::string_view bytes) { answer(bytes); },
                        [](const std::optional<Error>&) {}});
        stream_->write(
            "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":0,\"minor\":2,\"major\":7},"
            "\"package\":\"\"},\"capabilities\":[]}}\r\n");
    }
    void answer(std::string_view bytes) {
        const std::size_t at = bytes.find("\"id\":");
        const std::string_view rest = bytes.substr(at + 5);
        const std::string id{rest.substr(0, rest.find_first_of(",}"))};
        const bool asks = bytes.find("query-status") != std::string_view::npos;
        const std::string value = asks ? R"({"status":"running","running":true})" : "{}";
        stream_->write("{\"return\":" + value + ",\"id\":" + id + "}\r\n");
    }

    std::unique_ptr<ports::Listener> listener_;
    std::unique_ptr<ports::Stream> stream_;
};

/// Stops the loop when the event comes that is waited for.
class Waiter : public script::Observer {
public:
    explicit Waiter(os::UvLoop& loop) : loop_(loop) {}
    void on_input(const engine::Input& input) override {
        const auto* happened = std::get_if<engine::Happened>(&input);
        if (happened != nullptr && happened->event.name == wanted_) {
            at_us_ = now_us();
            loop_.stop();
        }
    }
    void on_over(const script::Outcome& outcome) override {
        if (outcome.ended.end != engine::End::done) {
            give_up(outcome.ended.cause ? outcome.ended.cause->sentence() : "the run has ended");
        }
        loop_.stop();
    }
    double until(const std::string& event) {
        wanted_ = event;
        at_us_ = 0;
        loop_.run();
        return at_us_;
    }

private:
    os::UvLoop& loop_;
    std::string wanted_;
    double at_us_ = 0;
};

struct Figures {
    std::vector<double> divert, divert_exec, tunnel, tunnel_exec, hold, hold_exec;
};

void print(const char* name, const std::vector<double>& values, const char* end) {
    std::printf("\"%s\":[", name);
    for (const double& value : values) {
        std::printf("%s%.1f", &value == values.data() ? "" : ",", value);
    }
    std::printf("]%s", end);
}

/// What the ancestor started when the guest had stopped: a tunnel made, set up, and the route.
double divert_by_exec() {
    const double began = now_us();
    execute_line("ip link add old0 type vxlan id 9 remote 192.0.2.2 local 192.0.2.1 dstport 4790");
    execute_line("ip link set old0 up");
    execute_line("ip route replace 10.1.2.4/32 dev old0");
    const double took = now_us() - began;
    execute_line("ip link del old0");
    return took;
}

/// The same devices as ours with the same counters, made by programs. As we do, they look first
/// whether there is one from an earlier time; the ancestor deletes it, which fails when there is
/// none.
double tunnel_by_exec() {
    const double began = now_us();
    (void)status_of("ip link del old1");
    execute_line(
        "ip link add old1 mtu 1500 type vxlan id 8 remote 192.0.2.2 local 192.0.2.1 dstport 4791");
    execute_line("ip link set old1 alias old up");
    execute_line("sysctl -q -w net.ipv4.conf.old1.rp_filter=0 net.ipv4.conf.old1.forwarding=1");
    execute_line("tc qdisc add dev old1 clsact");
    for (const std::string direction : {"ingress", "egress"}) {
        execute_line("tc filter add dev old1 " + direction +
                     " protocol all pref 65535 u32 match u32 1 0xffffffff at 0");
    }
    const double took = now_us() - began;
    execute_line("ip link del old1");
    return took;
}

double tunnel_in_process(host::Host& host, host::Namespace& space) {
    net::TunnelWish wish;
    wish.mode = net::TunnelMode::vxlan;
    wish.wrapped = false;
    wish.id = 7;
    wish.port = 4792;
    wish.local = *IpAddress::parse("192.0.2.1");
    wish.remote = *IpAddress::parse("192.0.2.2");
    wish.lower_name = host.next_link_name();
    wish.upper_name = host.next_link_name();
    wish.tag = host.tag().text();
    std::optional<host::AcquiredId> made;
    const double began = now_us();
    host.acquire(space, host::UndoKind::hold,
                 net::want_tunnel(wish, std::make_shared<net::TunnelForm>()),
                 [&](Result<host::AcquiredId> id) {
                     if (!id) {
                         give_up(id.error().sentence());
                     }
                     made = *id;
                 });
    const double took = now_us() - began;
    if (!made) {
        give_up("the kernel did not answer at once");
    }
    host.give_back(*made, [](const Result<void>&) {});
    return took;
}

/// Half of a block and an opening.
double hold_in_process(host::Hold& hold) {
    const auto check = [](const Result<void>& done) {
        if (!done) {
            give_up(done.error().sentence());
        }
    };
    const double began = now_us();
    hold.block(check);
    hold.open(check);
    return (now_us() - began) / 2;
}

double hold_by_exec() {
    const double began = now_us();
    execute_line("tc qdisc change dev tap1 root plug block");
    execute_line("tc qdisc change dev tap1 root plug release_indefinite");
    return (now_us() - began) / 2;
}

void prepare_namespace() {
    if (unshare(CLONE_NEWNET) != 0) {
        give_up("cannot make a network namespace; it takes root");
    }
    for (const char* line :
         {"ip link set lo up", "ip link add v0 type veth peer name v1",
          "ip addr add 192.0.2.1/24 dev v0", "ip link set v0 up", "ip link set v1 up",
          "ip link add bench0 type vxlan id 5 remote 192.0.2.2 local 192.0.2.1 dstport 4793",
          "ip link set bench0 up", "ip tuntap add tap1 mode tap", "ip link set tap1 up"}) {
        execute_line(line);
    }
}

void measure_diverts(os::RealWorld& world, const std::string& folder, int rounds,
                     Figures& figures) {
    const ports::World ports = world.ports();
    if (!ports.files.replace(folder + "/bench.lua", plan_text)) {
        give_up("cannot write into " + folder);
    }
    script::Loading loading = script::load_plan(ports.files, {{folder}, {}}, "bench");
    if (!loading.plan) {
        give_up(loading.faults.front().sentence());
    }
    plan::Settings settings;
    settings.role = "node";
    const std::string socket = folder + "/qmp";
    settings.values.emplace("qmp", plan::Value{plan::Type::path, socket});
    Monitor monitor{ports.transport, socket};
    Waiter waiter{world.loop()};
    host::Settings host;
    host.folder = folder + "/state";
    host.header.run = "bench";
    script::Run run{ports, *loading.plan, settings, host, nullptr, waiter};
    run.start();
    (void)waiter.until("bench:ready");
    for (int round = 0; round < rounds; ++round) {
        // What the kernel still does for the programs of the last round is no part of this one.
        const auto settled = ports.clock.arm(settle, [&] { world.loop().stop(); });
        world.loop().run();
        // QEMU says this before each STOP; a plan looks then how the guest's packets go.
        monitor.say("MIGRATION_PASS");
        (void)waiter.until("bench:pass");
        const double began = now_us();
        monitor.say("STOP");
        figures.divert.push_back(waiter.until("bench:diverted") - began);
        monitor.say("RESUME");
        (void)waiter.until("bench:back");
        figures.divert_exec.push_back(divert_by_exec());
    }
    monitor.say("SHUTDOWN");
    (void)waiter.until("");
}

void measure_parts(os::RealWorld& world, const std::string& folder, int rounds, Figures& figures) {
    const ports::World ports = world.ports();
    host::Settings settings;
    settings.folder = folder + "/state";
    settings.header.run = "parts";
    host::Host host{ports, settings};
    Result<host::Namespace*> space = host.enter("");
    if (!space) {
        give_up(space.error().sentence());
    }
    for (int round = 0; round < rounds; ++round) {
        figures.tunnel.push_back(tunnel_in_process(host, **space));
        figures.tunnel_exec.push_back(tunnel_by_exec());
    }
    net::HoldWish wish;
    wish.tap = "tap0";
    wish.mode = net::HoldMode::plug_and_ring;
    wish.packets_per_second = 20000;
    wish.pause = std::chrono::milliseconds{300};
    host::Hold hold{host, ports.clock, **space, wish, std::chrono::seconds{30}};
    bool installed = false;
    hold.install([&](const Result<void>& done) { installed = done.has_value(); });
    if (installed) {
        execute_line("tc qdisc add dev tap1 root plug limit 1000000");
    }
    for (int round = 0; installed && round < rounds; ++round) {
        figures.hold.push_back(hold_in_process(hold));
        figures.hold_exec.push_back(hold_by_exec());
    }
    bool given = false;
    hold.give_back([&](const Result<host::HoldCounts>&) {
        given = true;
        world.loop().stop();
    });
    if (!given) {
        world.loop().run();
    }
    (void)host.close();
}

/// A folder for the plan, the monitor's socket and the journals; gone with its owner.
class Folder {
public:
    Folder() {
        std::string path = (std::filesystem::temp_directory_path() / "ktm-bench-XXXXXX").string();
        if (mkdtemp(path.data()) == nullptr) {
            give_up("cannot make a folder");
        }
        path_ = path;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        give_up("usage: net_bench ROUNDS");
    }
    const Folder folder;
    prepare_namespace();
    const int tap = open_tap();
    execute_line("ip link set tap0 up");
    Figures figures;
    os::RealWorld world;
    measure_diverts(world, folder.path(), std::atoi(argv[1]), figures);
    measure_parts(world, folder.path(), std::atoi(argv[1]), figures);
    std::printf("{");
    print("divert_us", figures.divert, ",");
    print("divert_exec_us", figures.divert_exec, ",");
    print("tunnel_us", figures.tunnel, ",");
    print("tunnel_exec_us", figures.tunnel_exec, ",");
    print("hold_us", figures.hold, ",");
    print("hold_exec_us", figures.hold_exec, "}\n");
    close(tap);
    return 0;
}
