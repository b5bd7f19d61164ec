// SPDX-License-Identifier: Apache-2.0
// tests/unit/sim/clock_test.cc: the order of a virtual world's moments.
#include <catch2/catch.hpp>

#include <functional>

#include "sim/virtual_clock.hh"

using namespace ktm;
using namespace std::chrono_literals;
using sim::VirtualClock;
using sim::VirtualLoop;

namespace {

/// A clock and its loop; every test ends with nothing armed.
struct Time {
    ~Time() { CHECK(clock.waiting() == 0); }

    [[nodiscard]] std::unique_ptr<ports::Timer> say(Duration delay, const std::string& what) {
        return clock.arm(delay, [this, what] { said += what + "@" + text() + " "; });
    }
    [[nodiscard]] std::string text() const {
        return std::to_string(
            std::chrono::floor<std::chrono::milliseconds>(clock.now()).time_since_epoch().count());
    }

    VirtualClock clock;
    VirtualLoop loop{clock};
    std::string said;
};

}  // namespace

TEST_CASE("sim/clock: timers expire in the order of their instants, at exactly these") {
    Time time;
    const auto late = time.say(30ms, "late");
    const auto early = time.say(10ms, "early");
    const auto middle = time.say(20ms, "middle");
    CHECK(time.said.empty());
    time.loop.run();
    CHECK(time.said == "early@10 middle@20 late@30 ");
    CHECK(time.clock.now() == Instant{30ms});
    CHECK(time.clock.wall_now() == VirtualClock::wall_start + 30ms);
}

TEST_CASE("sim/clock: timers of one instant expire in the order in which they were armed") {
    Time time;
    std::unique_ptr<ports::Timer> fourth;
    const auto zeroth = time.clock.arm(4ms, [&] { fourth = time.say(6ms, "fourth"); });
    const auto first = time.say(10ms, "first");
    const auto second = time.say(10ms, "second");
    const auto third = time.say(10ms, "third");
    time.loop.run();
    CHECK(time.said == "first@10 second@10 third@10 fourth@10 ");
}

TEST_CASE("sim/clock: what is asked for soon runs behind what is due, and before time passes") {
    Time time;
    const auto later = time.say(1ns, "later");
    const auto due = time.say(0ms, "due");
    time.clock.soon([&] {
        time.said += "soon ";
        time.clock.soon([&] { time.said += "soon-after "; });
        time.said += "then ";
    });
    const auto behind = time.say(-5s, "behind");
    CHECK(time.said.empty());
    time.loop.run();
    CHECK(time.said == "due@0 soon then behind@0 soon-after later@0 ");
}

TEST_CASE("sim/clock: a timer may be disarmed by others and by itself, and does not expire then") {
    Time time;
    std::unique_ptr<ports::Timer> self;
    std::unique_ptr<ports::Timer> other;
    const auto first = time.clock.arm(5ms, [&] {
        other.reset();
        time.said += "first ";
    });
    other = time.clock.arm(5ms, [] { FAIL("it was disarmed"); });
    self = time.clock.arm(6ms, [&] {
        self.reset();
        time.said += "self ";
    });
    time.clock.arm(1ms, [] { FAIL("nobody kept it"); }).reset();
    time.loop.run();
    CHECK(time.said == "first self ");
    CHECK(self == nullptr);
}

TEST_CASE("sim/clock: a callback may arm its own timer again") {
    Time time;
    std::unique_ptr<ports::Timer> timer;
    int count = 0;
    std::function<void()> tick = [&] {
        if (++count < 5) {
            timer = time.clock.arm(10ms, [&] { tick(); });
        }
    };
    tick();
    time.loop.run();
    CHECK(count == 5);
    CHECK(time.clock.now() == Instant{40ms});
}

TEST_CASE("sim/loop: stop() ends the run, and the next run goes on where it stood") {
    Time time;
    const auto first = time.say(1ms, "first");
    const auto end = time.clock.arm(2ms, [&] {
        time.loop.stop();
        time.said += "stopping ";
    });
    const auto second = time.say(2ms, "second");
    time.loop.run();
    CHECK(time.said == "first@1 stopping ");
    time.loop.run();
    CHECK(time.said == "first@1 stopping second@2 ");
    time.loop.run();
    CHECK(time.clock.now() == Instant{2ms});
}

TEST_CASE("sim/loop: a program that keeps itself busy ends, and the owner learns why") {
    CHECK(VirtualLoop::Limits{}.quiet_turns_max == 1'000'000);
    VirtualClock clock;
    VirtualLoop loop{clock, {1000, 10'000}};
    int turns = 0;
    std::function<void()> again = [&] {
        // Once it lets time pass: the count begins anew.
        if (++turns != 500) {
            clock.soon([&] { again(); });
        }
    };
    again();
    const auto pause = clock.arm(1ms, [&] { again(); });
    loop.run();
    REQUIRE(loop.fault());
    CHECK(loop.fault()->code == "livelock");
    CHECK(loop.fault()->what == "the program keeps itself busy: 1000 turns without time passing");
    CHECK(turns == 1501);
    loop.run();
    CHECK(turns == 1501);
    CHECK(loop.close() == 1);
}

TEST_CASE("sim/loop: closing lets happen what is left for the instant, and counts the rest") {
    Time time;
    time.clock.soon([&] { time.clock.soon([&] { time.said += "last "; }); });
    auto forgotten = time.say(1ms, "forgotten");
    CHECK(time.loop.close() == 1);
    CHECK(time.said == "last ");
    CHECK(time.clock.now() == Instant{});
    forgotten.reset();
    CHECK(time.loop.close() == 0);
}

TEST_CASE("sim/loop: a program that never ends is ended as well") {
    VirtualClock clock;
    VirtualLoop loop{clock, {1000, 5000}};
    std::unique_ptr<ports::Timer> timer;
    std::function<void()> poll = [&] { timer = clock.arm(100ms, [&] { poll(); }); };
    poll();
    loop.run();
    REQUIRE(loop.fault());
    CHECK(loop.fault()->code == "endless");
    CHECK(clock.now() == Instant{500s});
}

TEST_CASE("sim/clock: a delay for ever is longer than everything else, and overflows nothing") {
    Time time;
    const auto for_ever = time.say(Duration::max(), "for-ever");
    const auto day = time.clock.arm(24h, [&] { time.said += "day "; });
    time.loop.run();
    CHECK(time.said.starts_with("day for-ever@"));
    const auto again = time.clock.arm(Duration::max(), [&] { time.said = "again"; });
    time.loop.run();
    CHECK(time.said == "again");
    CHECK(time.clock.wall_now() > VirtualClock::wall_start);
}

TEST_CASE("sim/clock: what it drops at its end may come back to it") {
    int dropped = 0;
    struct Returning {
        ~Returning() {
            clock->soon([] {});
            ++*count;
        }
        VirtualClock* clock;
        int* count;
    };
    {
        VirtualClock clock;
        auto returning = std::make_unique<Returning>(&clock, &dropped);
        clock.soon([kept = std::move(returning)] { FAIL("nobody runs it"); });
    }
    CHECK(dropped == 1);
}
