// SPDX-License-Identifier: Apache-2.0
// tests/bench/plan_bench.cc: what plans cost: an event, a load, a life.
//
// Theory of operation. All of it runs on the virtual world, so that no socket and no disk is
// measured. `event`: a QMP event with data goes into a run, through the state machine, into a Lua
// handler that reads it, and back; beside it, in the same rounds, a bare lua_pcall of the same
// handler with a ready table. `load`: a plan of 40 states from its text to a checked plan, with a
// Lua state of its own, and back to nothing. `memory`: so many plans, loaded, started and waiting,
// in one process.
//
// Usage: plan_bench ROUNDS; the figures go to stdout as JSON.
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "json/parser.hh"
#include "script/loader.hh"
#include "script/lua_state.hh"
#include "script/run.hh"
#include "sim/virtual_world.hh"

namespace {

using namespace ktm;

constexpr int events_per_round = 20'000;
constexpr int loads_per_round = 40;
constexpr int lives = 1000;

constexpr const char* handler_text =
    "function(m, event) if event.data.status == m.wanted then m.note.seen = event.name end end";

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "plan_bench: %s\n", what.c_str());
    std::exit(2);
}

std::string plan_of(const std::string& name, int states) {
    std::string text =
        "return plan { name = \"" + name +
        "\", api = 1, summary = \"For measuring.\",\n"
        "  vars = {\n"
        "    wanted = var.string { \"active\", doc = \"The status that counts.\" },\n"
        "    patience = var.duration { \"1h\", doc = \"How long.\" },\n"
        "    downtime = var.duration { \"25ms\", min = \"1ms\", max = \"60s\", doc = \"Dark "
        "window.\" },\n"
        "    bandwidth = var.rate { \"10GB/s\", doc = \"Ceiling of the copy.\" } },\n"
        "  role \"node\" {\n";
    for (int state = 1; state <= states; ++state) {
        const std::string next = state == states ? "done" : "state-" + std::to_string(state + 1);
        text += "    state \"state-" + std::to_string(state) +
                "\" { within = var \"patience\",\n"
                "      enter = function(m) m.note.step = " +
                std::to_string(state) +
                " end,\n"
                "      on { \"STOP\", go = \"" +
                next +
                "\" },\n"
                "      on { \"MIGRATION\", status = \"failed\", go = \"abort\" },\n"
                "      on { \"MIGRATION\", run = " +
                handler_text + " } },\n";
    }
    return text + "  } }\n";
}

script::LoadedPlan load(sim::VirtualWorld& world, const std::string& name) {
    script::Loading loading = script::load_plan(world.files(), {{"/plans"}, {}}, name);
    if (!loading.plan) {
        give_up(loading.faults.front().sentence());
    }
    return std::move(*loading.plan);
}

plan::Settings settings_of(const plan::Plan& plan) {
    plan::Faults faults;
    plan::Settings settings = plan::resolve(plan, "node", {}, faults);
    if (!faults.empty()) {
        give_up(faults.front().sentence());
    }
    return settings;
}

class Silent : public script::Observer {
public:
    void on_over(const script::Outcome&) override {}
};

/// A plan that has been loaded and waits in its first state.
struct Life {
    explicit Life(sim::VirtualWorld& world, const std::string& name)
        : ports(world.ports()),
          plan(load(world, name)),
          settings(settings_of(plan.plan())),
          run(ports, plan, settings, host::Settings{}, nullptr, observer) {
        run.start();
    }

    ports::World ports;
    script::LoadedPlan plan;
    plan::Settings settings;
    Silent observer;
    script::Run run;
};

/// Counts this process's own time: what others take of the machine is not the plan's.
class Stopwatch {
public:
    [[nodiscard]] double ns_per(int count) const { return (now_ns() - start_ns_) / count; }

private:
    static double now_ns() {
        timespec now{};
        (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
    }

    double start_ns_ = now_ns();
};

double measure_events(Life& life, const std::shared_ptr<const json::Document>& data) {
    const Stopwatch watch;
    for (int count = 0; count < events_per_round; ++count) {
        life.run.post(engine::Happened{engine::Event{"MIGRATION", "", data}});
        life.run.drain();
    }
    return watch.ns_per(events_per_round);
}

/// The same handler with a ready m and event, called by lua_pcall alone.
double measure_bare_calls(lua_State* lua) {
    const Stopwatch watch;
    for (int count = 0; count < events_per_round; ++count) {
        lua_pushvalue(lua, 1);
        lua_pushvalue(lua, 2);
        lua_pushvalue(lua, 3);
        if (lua_pcall(lua, 2, 0, 0) != 0) {
            give_up(lua_tostring(lua, -1));
        }
    }
    return watch.ns_per(events_per_round);
}

lua_State* prepare_bare_calls() {
    lua_State* lua = luaL_newstate();
    luaJIT_setmode(lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    const std::string text = std::string{"return "} + handler_text +
                             ", { wanted = \"active\", note = {} }, "
                             "{ name = \"MIGRATION\", data = { status = \"active\" } }";
    if (luaL_dostring(lua, text.c_str()) != 0) {
        give_up(lua_tostring(lua, -1));
    }
    return lua;
}

double measure_loads(sim::VirtualWorld& world) {
    const Stopwatch watch;
    for (int count = 0; count < loads_per_round; ++count) {
        (void)load(world, "forty");
    }
    return watch.ns_per(loads_per_round);
}

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0;
    statm >> pages >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t measure_memory(sim::VirtualWorld& world) {
    std::vector<std::unique_ptr<Life>> alive;
    (void)Life{world, "twelve"};
    (void)::malloc_trim(0);
    const std::size_t before = resident_bytes();
    for (int count = 0; count < lives; ++count) {
        alive.push_back(std::make_unique<Life>(world, "twelve"));
    }
    return (resident_bytes() - before) / lives;
}

void print(const char* name, const std::vector<double>& rounds) {
    std::printf("\"%s\":[", name);
    for (const double& round : rounds) {
        std::printf("%s%.1f", &round == rounds.data() ? "" : ",", round);
    }
    std::printf("],");
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 20;
    sim::VirtualWorld world;
    for (const auto& [name, states] : {std::pair{"twelve", 12}, std::pair{"forty", 40}}) {
        if (!world.files().replace("/plans/" + std::string{name} + ".lua", plan_of(name, states))) {
            give_up("cannot write a plan into the virtual world");
        }
    }
    // Memory first: later the allocator has pages to give away.
    const std::size_t bytes = measure_memory(world);
    Life life{world, "twelve"};
    lua_State* bare = prepare_bare_calls();
    Result<json::Document> parsed = json::parse("{\"status\":\"active\"}");
    const auto data = std::make_shared<const json::Document>(std::move(*parsed));
    std::vector<double> event_ns;
    std::vector<double> bare_ns;
    std::vector<double> load_ns;
    for (int round = 0; round < rounds; ++round) {
        event_ns.push_back(measure_events(life, data));
        bare_ns.push_back(measure_bare_calls(bare));
        load_ns.push_back(measure_loads(world));
    }
    lua_close(bare);
    std::printf("{");
    print("event_ns", event_ns);
    print("bare_ns", bare_ns);
    print("load_ns", load_ns);
    std::printf("\"lives\":%d,\"bytes_per_plan\":%zu}\n", lives, bytes);
    return 0;
}
