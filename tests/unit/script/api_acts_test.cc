// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/api_acts_test.cc: what is described of words that act, held against a run.
#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "script/action_stage.hh"
#include "script/api_topics.hh"

using ktm::script::all_topics;
using ktm::script::Topic;
using ktm::script::Word;
using ktm::testing::check;
using ktm::testing::Told;
using ktm::testing::told_by;

namespace {

/// Those of the other node are held against it in peer_words_test.cc.
bool acts(const Word& word) {
    return (word.contexts & ktm::script::in_actions) != 0 &&
           ktm::script::root_of(word.name) != "peer";
}

}  // namespace

TEST_CASE("each word that declares is refused while a plan runs, with the reason") {
    for (const Word& word : ktm::script::all_words()) {
        if (word.contexts != ktm::script::at_load) {
            continue;
        }
        INFO(word.name);
        const Told told = told_by("local _, problem = pcall(function() return " +
                                  std::string{word.name} + "('x') end) log.info('%s', problem)");
        REQUIRE(told.words.size() == 1);
        CHECK_THAT(told.words.front(), Catch::Contains(" declares; "));
    }
}

TEST_CASE("of the words that act those wait, and no others, that are described so") {
    for (const Topic& topic : all_topics()) {
        for (const Word& word : topic.words) {
            if (!topic.is_global || !acts(word) || ktm::script::is_value(word)) {
                continue;
            }
            INFO(word.name);
            const std::string name{word.name};
            const std::string_view root = ktm::script::root_of(name);
            const bool takes_table = root == "exec" || root == "net";
            const std::string call = name + (takes_table ? " { 'x' }" : "('x', {})");
            // The deadline is over after the sleep: what would wait raises that from then on.
            const Told told = told_by(
                "pcall(sleep, '1min') log.info(tried(function() local result, problem = " + call +
                " if result == nil and problem then error(problem) end end))");
            REQUIRE(told.words.size() >= 1);
            CHECK((told.words.back() == "timeout late") == word.waits);
        }
    }
}

TEST_CASE("the examples of words that act run, where no VM is needed") {
    for (const Topic& topic : all_topics()) {
        for (const Word& word : topic.words) {
            const bool needs_vm =
                word.example.find("qmp") != std::string_view::npos ||
                (word.example.find("m.") != std::string_view::npos && topic.name != "net");
            if (!acts(word) || needs_vm || word.name == "error" || word.name == "m:hold") {
                continue;
            }
            INFO(word.name << "\n" << word.example);
            const Told told = told_by(std::string{word.example});
            CHECK(told.outcome.ended.end == ktm::engine::End::done);
            CHECK(told.outcome.ended.left.empty());
            CHECK(told.journals.empty());
        }
    }
}

TEST_CASE("durations are refused as described") {
    check({{"sleep({})", "invalid bad-duration"},
           {"sleep(-1)", "invalid bad-duration"},
           {"sleep('5')", "invalid bad-quantity"},
           {"sleep('9999999999h')", "invalid too-large"},
           {"sleep('1.5ms')", "nothing"},
           {"sleep(1.5)", "nothing"}});
}

TEST_CASE("commands without a VM, or with wrong arguments, are refused as described") {
    check({{"qmp('stop')", "lost no-vm"},
           {"qmp.try('stop')", "lost no-vm"},
           {"qmp(1)", "invalid bad-argument"},
           {"qmp('stop', 1)", "invalid bad-argument"},
           {"qmp('stop', list { 1 })", "invalid bad-argument"},
           {"qmp('stop', { f = function() end })", "invalid no-json"},
           {"qmp('stop', {}, 1)", "invalid bad-argument"},
           {"qmp('stop', {}, { within = '5' })", "invalid bad-quantity"},
           {"qmp.enable('events')", "lost no-vm"}});
}

TEST_CASE("a VM that cannot be reached is an error as described") {
    check({{"qmp.connect('/none', 'a')", "io ENOENT"},
           {"qmp.connect('/none')", "invalid bad-argument"},
           {"qmp.connect({}, 'a')", "invalid bad-argument"},
           {"qmp.connect('/none', '')", "invalid bad-argument"},
           {"qmp.connect('', 'a')", "invalid bad-address"},
           {"qmp.connect(string.rep('x', 200), 'a')", "invalid path-too-long"}});
}

TEST_CASE("programs fail as described") {
    check({{"exec { 'fails' }", "refused exit-3"},
           {"exec { 'missing' }", "io ENOENT"},
           {"exec { 'hangs', within = '1s' }", "timeout killed"},
           {"exec { 'hangs', within = {} }", "invalid bad-duration"},
           {"exec { 'hangs', during = '1s' }", "invalid bad-argument"},
           {"exec {}", "invalid bad-argument"},
           {"exec 'fails'", "invalid bad-argument"},
           {"exec { 'ip', {} }", "invalid bad-argument"},
           {"exec { 'fails', undo = 'undoes' }", "invalid bad-argument"},
           {"exec { 'hangs' }", "timeout late"}});
    const Told told = told_by("local _, problem = exec.try { 'fails' } log.info('%s', problem)");
    REQUIRE(told.words.size() == 1);
    CHECK(told.words.front() == "could not run fails: no room (exit-3)");
}

TEST_CASE("the undo of a program is taken back when the program itself says that it failed") {
    using Programs = std::vector<std::string>;
    CHECK(told_by("exec { 'fails', undo = { 'undoes' } }").programs == Programs{"fails"});
    CHECK(told_by("exec { 'missing', undo = { 'undoes' } }").programs == Programs{});
    CHECK(told_by("exec { 'hangs', within = '1s', undo = { 'undoes' } }").programs ==
          Programs{"hangs", "undoes"});
    CHECK(told_by("exec { '/usr/lib/katamaran/probe', undo = { 'undoes' } } error('x')").programs ==
          Programs{"/usr/lib/katamaran/probe", "undoes"});
}

TEST_CASE("exec.try gives back what exec raises, whatever it is") {
    check({{"assert(exec.try { 'fails' })", "refused exit-3"},
           {"assert(exec.try {})", "invalid bad-argument"},
           {"assert(exec.try { 'hangs' })", "timeout late"}});
}

TEST_CASE("files are read and refused as described") {
    check({{"fs.read('/etc/passwd')", "invalid bad-argument"},
           {"fs.read('/sys/../etc/passwd')", "invalid bad-argument"},
           {"fs.read('/proc/1/environ')", "invalid bad-argument"},
           {"fs.read(1)", "invalid bad-argument"},
           {"fs.read('/sys/none')", "io ENOENT"},
           {"fs.read('/sys/large')", "invalid too-large"},
           {"assert(fs.read('/sys/class/net/lo/mtu') == '65536\\n')", "nothing"},
           {"fs.exists('/etc')", "invalid bad-argument"},
           {"assert(not fs.exists('/sys/none'))", "nothing"},
           {"assert(not fs.exists('/sys/large'))", "nothing"},
           {"assert(fs.exists('/sys/class/net'))", "nothing"}});
}

TEST_CASE("waits fail as described") {
    check({{"wait { 'RESUME', '1ms' }", "timeout no-event"},
           {"wait { 'RESUME' }", "timeout late"},
           {"wait 'RESUME'", "invalid bad-argument"},
           {"wait { '1ms' == 1 }", "invalid bad-argument"},
           {"wait { 'RESUME', vm = 1 }", "invalid bad-argument"},
           {"wait { 'RESUME', status = {} }", "invalid bad-argument"},
           {"wait { 'RESUME', '5' }", "invalid bad-quantity"},
           {"table.sort({ 1, 2 }, function() sleep(1) end)", "invalid bad-argument"},
           {"string.gsub('x', 'x', function() sleep(1) end)", "invalid bad-argument"}});
}

TEST_CASE("an event that came since the action began counts for a wait") {
    const Told told = told_by(
        "emit('copy:nearly', { left = 5 }) sleep('1s') "
        "local event = wait { 'copy:nearly', '1ms', left = 5 } "
        "log.info('%s %s %d', event.name, tostring(event.vm), event.data.left)");
    CHECK(told.words == std::vector<std::string>{"copy:nearly nil 5"});
}

TEST_CASE("timers and events are refused as described") {
    check({{"timer.after('1s', 'X')", "invalid bad-argument"},
           {"timer.after('1', 'x')", "invalid bad-quantity"},
           {"timer.after('1s', 'x.y-z_1')", "nothing"},
           {"timer.every(0.5, 'x')", "invalid bad-argument"},
           {"timer.every(1, 'x') timer.cancel('x')", "nothing"},
           {"timer.cancel('X')", "invalid bad-argument"},
           {"timer.cancel('x')", "nothing"},
           {"emit('x')", "invalid bad-argument"},
           {"emit('STOP')", "invalid bad-argument"},
           {"emit('a:b', 1)", "invalid bad-argument"},
           {"emit('a:b', list {})", "invalid bad-argument"},
           {"emit('a:b', { x = function() end })", "invalid no-json"},
           {"timer.after('1s', 'x') timer.after('2s', 'x') wait { 'timer:x' } "
            "assert(now() == 2000)",
            "nothing"}});
}

TEST_CASE("m behaves as described") {
    check({{"assert(m.size == 4000)", "nothing"},
           {"assert(m.none == nil)", "nothing"},
           {"return m['other']", "text"},
           {"return m['nothing']", "text"},
           {"m.size = 1", "text"},
           {"m.note.x = 1 assert(m.note.x == 1)", "nothing"},
           {"for _ in pairs(m) do error('there') end", "nothing"},
           {"m:hold('x')", "text"},
           {"m:hold({ what = 'x' })", "text"},
           {"m:hold({ what = 'x', release = function() end }, 1)", "invalid bad-argument"},
           {"m:hold({ what = 'x', release = function() end }, { within = '1' })",
            "invalid bad-quantity"},
           {"m:undo(1, function() end)", "invalid bad-argument"},
           {"m:undo('x')", "invalid bad-argument"},
           {"m:undo('x', function() end, 1)", "invalid bad-argument"},
           {"m:undo('x', function() end, { within = {} })", "invalid bad-duration"}});
}

TEST_CASE("holds are released newest first, once, and undos are dropped at done") {
    const Told told = told_by(R"(
        local function held(name)
          return m:hold { what = name, release = function() log.info(name) end }
        end
        held "a"
        local b = held "b"
        held "c"
        m:undo("d", function() log.info("d") end)
        b.release()
        b.release())");
    CHECK(told.words == std::vector<std::string>{"b", "c", "a"});
    CHECK(told.outcome.ended.left.empty());
}

TEST_CASE("undos and holds run newest first on abort, with m, and may wait") {
    const Told told = told_by(R"(
        m:hold { what = "a", release = function() log.info("a") end }
        m:undo("b", function(again) sleep("1s") log.info("b %d", again.size) end)
        error("enough"))");
    CHECK(told.words == std::vector<std::string>{"b 4000", "a"});
    CHECK(told.outcome.ended.end == ktm::engine::End::aborted);
}

TEST_CASE("Lua itself raises what is described") {
    check({{"assert(false)", "text"},
           {"assert(nil, { kind = 'lost', code = 'x', what = 'w' })", "lost x"},
           {"error('x')", "text"},
           {"for _ in pairs { [{}] = 1 } do error('there') end", "text"},
           {"for _ in pairs(1) do error('there') end", "text"},
           {"for _ in ipairs(1) do error('there') end", "text"},
           {"tostring()", "text"},
           {"list(1)", "text"},
           {"string.find('x', '(')", "invalid bad-pattern"},
           {"string.find('x', string.rep('.', 40000))", "invalid pattern-too-complex"},
           {"string.rep('a', 100000):find(string.rep('.-', 20) .. 'b')", "invalid pattern-budget"},
           {"string.gsub('x', 'x', '%2')", "invalid bad-replacement"},
           {"string.gsub('x', 'x', function() return {} end)", "text"},
           {"string.gmatch('x', '(')", "invalid bad-pattern"},
           {"for _ in string.gmatch('x', '(') do error('there') end", "invalid bad-pattern"},
           {"string.format('%d', {})", "text"},
           {"string.format('%p', {})", "text"},
           {"log.info('%d', 'x')", "text"},
           {"table.concat { {} }", "text"},
           {"table.sort { 1, 'x' }", "text"}});
}

TEST_CASE("texts have no addresses, and tables an order") {
    const Told told = told_by(R"(
        log.info("%s %s %s", {}, function() end, nil)
        log.info("100%")
        for key in pairs { b = 1, a = 2, [2] = 3, [true] = 4, [false] = 5 } do
          log.info(tostring(key))
        end)");
    CHECK(told.words ==
          std::vector<std::string>{"table function nil", "100%", "2", "a", "b", "false", "true"});
}
