// SPDX-License-Identifier: Apache-2.0
// script/run_natives.cc: the primitives that act on a run.
#include <lua.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hh"
#include "json/parser.hh"
#include "script/convert.hh"
#include "script/natives.hh"
#include "script/run.hh"

namespace ktm::script {

namespace {

/// The run, for a primitive that acts at once.
std::string text_at(lua_State* lua, int index, const char* what, const char* word) {
    if (lua_type(lua, index) != LUA_TSTRING) {
        refuse(lua,
               std::string{"expected "} + what + " as a text, got " + luaL_typename(lua, index),
               word);
    }
    std::size_t size = 0;
    const char* text = lua_tolstring(lua, index, &size);
    return {text, size};
}

Duration checked_duration_at(lua_State* lua, int index, const char* word) {
    Result<Duration> duration = duration_at(lua, index);
    if (!duration) {
        raise(lua, std::move(duration).error().while_trying(word));
    }
    return *duration;
}

// --- Virtual machines -------------------------------------------------------------------------

std::string arguments_at(lua_State* lua, int index, const std::string& during) {
    if (lua_isnoneornil(lua, index)) {
        return "";
    }
    Result<std::string> arguments = read_json_at(lua, index, "arguments");
    if (!arguments) {
        raise(lua, std::move(arguments).error().while_trying(during));
    }
    Interpreter::of(lua).charge(static_cast<std::int64_t>(arguments->size()));
    if (arguments->front() != '{') {
        refuse(lua, "expected the arguments as a table with names", during);
    }
    return std::move(*arguments);
}

/// What tells something of a QEMU and changes nothing.
bool is_question(std::string_view command) {
    constexpr std::array others{"qom-get", "qom-list", "qom-list-types", "qom-list-properties",
                                "device-list-properties"};
    return command.starts_with("query-") ||
           std::find(others.begin(), others.end(), command) != others.end();
}

/// qmp(vm, command, arguments, options)
int run_command(lua_State* lua) {
    require_context(lua, in_all_bodies, "qmp");
    const std::string vm = lua_tostring(lua, 1);
    const std::string command = text_at(lua, 2, "the name of a QMP command", "qmp");
    const bool looks = Interpreter::of(lua).context() == Context::look;
    if (looks && !is_question(command)) {
        (void)blame(lua, "qmp \"" + printable(command) + "\" acts; looks only ask");
    }
    Run& run = waiting_run_of(lua, "qmp", in_all_bodies);
    const std::string during = "run " + command + (vm.empty() ? "" : " on " + vm);
    const std::string arguments = arguments_at(lua, 3, during);
    std::optional<Duration> within = duration_field(lua, 4, "within", "qmp");
    if (looks && !within) {
        within = question_within;
    }
    monitor::Client* client = run.client(vm);
    if (client == nullptr) {
        raise(lua, Error{Kind::lost, "no-vm",
                         !vm.empty()      ? "the connection was released"
                         : run.has_vm(vm) ? "there is no connection to it"
                                          : "this plan has no var 'qmp' with the path of a monitor",
                         during, nullptr});
    }
    const Run::Token token = run.suspend(nullptr);
    const auto done = [&run, token, during](Result<qmp::Reply> reply) {
        if (!reply) {
            // In our words, for the session does not know which VM it talks to.
            Error error = std::move(reply).error();
            error.during = during;
            run.resume_with_error(token, std::move(error));
        } else {
            run.resume(token, [&reply](lua_State* thread) {
                lua_pushboolean(thread, 1);
                push_json(thread, reply->result());
                return 2;
            });
        }
        run.drain();
    };
    if (Result<qmp::CommandId> sent = client->run(command, arguments, within, done); !sent) {
        run.resume_later(token, std::move(sent).error().while_trying(during));
    }
    return lua_yield(lua, 0);
}

/// connect(path, name)
int connect(lua_State* lua) {
    Run& run = waiting_run_of(lua, "qmp.connect");
    const std::string path = text_at(lua, 1, "the path of a monitor", "qmp.connect");
    const std::string name = text_at(lua, 2, "a name for the VM", "qmp.connect");
    Result<Endpoint> endpoint = Endpoint::parse("unix:" + path);
    if (!endpoint) {
        raise(lua, std::move(endpoint).error().while_trying("connect to " + name));
    }
    if (name.empty() || run.has_vm(name)) {
        refuse(lua, "there is a VM '" + name + "' already; give each another name", "qmp.connect");
    }
    const Run::Token token = run.suspend([&run, name] { run.disconnect(name); });
    run.connect(name, *endpoint, token);
    return lua_yield(lua, 0);
}

int disconnect(lua_State* lua) {
    acting_run_of(lua, "release").disconnect(lua_tostring(lua, 1));
    return 0;
}

// --- Events and time --------------------------------------------------------------------------

void add_match(lua_State* lua, engine::Pattern& pattern, const std::string& field) {
    switch (lua_type(lua, -1)) {
        case LUA_TSTRING:
            pattern.matches.push_back({field, std::string{lua_tostring(lua, -1)}});
            return;
        case LUA_TNUMBER: pattern.matches.push_back({field, lua_tonumber(lua, -1)}); return;
        case LUA_TBOOLEAN: pattern.matches.push_back({field, lua_toboolean(lua, -1) != 0}); return;
        default:
            refuse(lua, "the field '" + field + "' must equal a text, a number or a boolean",
                   "wait");
    }
}

/// The pattern in a table { EVENT, "2s", field = value }.
engine::Pattern pattern_at(lua_State* lua, int index) {
    engine::Pattern pattern;
    lua_rawgeti(lua, index, 1);
    pattern.event = text_at(lua, -1, "the name of an event first", "wait");
    lua_pop(lua, 1);
    if (!plan::is_qmp_event(pattern.event) && !plan::is_own_event(pattern.event)) {
        refuse(lua, "'" + printable(pattern.event) + "' is not the name of an event", "wait");
    }
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        if (lua_type(lua, -2) == LUA_TSTRING) {
            const std::string field = lua_tostring(lua, -2);
            if (field == "vm") {
                pattern.vm = text_at(lua, -1, "the name of a VM", "wait");
            } else {
                add_match(lua, pattern, field);
            }
        }
        lua_pop(lua, 1);
    }
    std::sort(pattern.matches.begin(), pattern.matches.end(),
              [](const plan::Match& a, const plan::Match& b) { return a.field < b.field; });
    return pattern;
}

int wait(lua_State* lua) {
    Run& run = waiting_run_of(lua, "wait");
    if (lua_type(lua, 1) != LUA_TTABLE) {
        refuse(lua, "expected a table, such as wait { \"RESUME\", \"2s\" }", "wait");
    }
    engine::Pattern pattern = pattern_at(lua, 1);
    std::optional<Duration> within;
    lua_rawgeti(lua, 1, 2);
    if (!lua_isnil(lua, -1)) {
        within = checked_duration_at(lua, -1, "wait");
    }
    lua_pop(lua, 1);
    run.wait_for(run.suspend(nullptr), std::move(pattern), within);
    return lua_yield(lua, 0);
}

int pause(lua_State* lua) {
    Run& run = waiting_run_of(lua, "sleep", in_all_bodies);
    const Duration duration = checked_duration_at(lua, 1, "sleep");
    run.pause(run.suspend(nullptr), duration);
    return lua_yield(lua, 0);
}

std::string timer_name_at(lua_State* lua, int index, const char* word) {
    std::string name = text_at(lua, index, "a name for the timer", word);
    if (!plan::is_own_event("timer:" + name)) {
        refuse(lua, "'" + name + "' is no name for a timer; expected a word in lower case", word);
    }
    return name;
}

int arm_timer(lua_State* lua, const char* word, bool again) {
    Run& run = acting_run_of(lua, word);
    const Duration period = checked_duration_at(lua, 1, word);
    if (again && period < std::chrono::milliseconds{1}) {
        refuse(lua, "expected at least 1 ms between two events", word);
    }
    run.arm_timer(timer_name_at(lua, 2, word), period, again);
    return 0;
}

int timer_after(lua_State* lua) {
    return arm_timer(lua, "timer.after", false);
}

int timer_every(lua_State* lua) {
    return arm_timer(lua, "timer.every", true);
}

int timer_cancel(lua_State* lua) {
    Run& run = acting_run_of(lua, "timer.cancel");
    run.cancel_timer(timer_name_at(lua, 1, "timer.cancel"));
    return 0;
}

int emit(lua_State* lua) {
    Run& run = acting_run_of(lua, "emit");
    const std::string name = text_at(lua, 1, "the name of an event", "emit");
    if (!plan::is_own_event(name)) {
        refuse(lua, "'" + name + "' is no event of a plan; expected word:word in lower case",
               "emit");
    }
    std::shared_ptr<const json::Document> data;
    if (!lua_isnoneornil(lua, 2)) {
        Result<std::string> text = read_json_at(lua, 2, "data");
        if (!text || text->front() != '{') {
            raise(lua, text ? Error{Kind::invalid, "bad-argument", "expected a table with names",
                                    "emit", nullptr}
                            : std::move(text).error().while_trying("emit"));
        }
        Result<json::Document> document = json::parse(*text);
        if (!document) {
            raise(lua, std::move(document).error().while_trying("emit"));
        }
        data = std::make_shared<const json::Document>(std::move(*document));
    }
    if (!run.emit(engine::Event{name, "", std::move(data)})) {
        raise(lua, Error{Kind::invalid, "runaway",
                         "more than " + std::to_string(emits_max) +
                             " events in a row without waiting for anything",
                         "emit " + name, nullptr});
    }
    return 0;
}

int now(lua_State* lua) {
    const Duration elapsed = acting_run_of(lua, "now", in_all_bodies).elapsed();
    lua_pushnumber(lua, std::floor(static_cast<double>(elapsed.count()) / 1e3) / 1e3);
    return 1;
}

// --- The ledger, and words to people ----------------------------------------------------------

int released(lua_State* lua) {
    Run& run = acting_run_of(lua, "release");
    run.forget_entry(engine::EntryId{static_cast<std::uint64_t>(lua_tonumber(lua, 1))},
                     lua_toboolean(lua, 2) != 0);
    return 0;
}

/// The words of a log or of progress: the upvalue is the level.
int tell(lua_State* lua) {
    const std::string level = lua_tostring(lua, lua_upvalueindex(1));
    Run& run = acting_run_of(lua, level == "progress" ? "progress" : ("log." + level).c_str(),
                             level == "progress" ? in_actions : in_all_bodies);
    if (lua_gettop(lua) > 1) {
        lua_pushvalue(lua, lua_upvalueindex(2));
        lua_insert(lua, 1);
        lua_call(lua, lua_gettop(lua) - 1, 1);
    } else {
        luaL_checkany(lua, 1);
        push_text_of(lua, 1);
    }
    std::size_t size = 0;
    const char* text = lua_tolstring(lua, -1, &size);
    run.observer().on_words(level, {text, size});
    return 0;
}

/// told(level, format): the word for that level.
int told(lua_State* lua) {
    lua_settop(lua, 2);
    lua_pushcclosure(lua, tell, 2);
    return 1;
}

/// capabilities(names…): the arguments of migrate-set-capabilities.
int capabilities(lua_State* lua) {
    const int count = lua_gettop(lua);
    lua_createtable(lua, 0, 1);
    lua_createtable(lua, count, 0);
    for (int index = 1; index <= count; ++index) {
        lua_createtable(lua, 0, 2);
        lua_pushvalue(lua, index);
        lua_setfield(lua, -2, "capability");
        lua_pushboolean(lua, 1);
        lua_setfield(lua, -2, "state");
        lua_rawseti(lua, -2, index);
    }
    lua_setfield(lua, -2, "capabilities");
    return 1;
}

constexpr Native run_natives[] = {
    {"qmp", run_command},
    {"connect", connect},
    {"disconnect", disconnect},
    {"wait", wait},
    {"sleep", pause},
    {"timer_after", timer_after},
    {"timer_every", timer_every},
    {"timer_cancel", timer_cancel},
    {"emit", emit},
    {"now", now},
    {"register", register_entry},
    {"released", released},
    {"told", told},
    {"capabilities", capabilities},
};

}  // namespace

int register_entry(lua_State* lua) {
    const bool is_hold = std::string_view{lua_tostring(lua, 1)} == "hold";
    const char* word = is_hold ? "m:hold" : "m:undo";
    Run& run = acting_run_of(lua, word);
    const std::string what = text_at(lua, 2, "what it is, in words,", word);
    const std::optional<Duration> within = duration_field(lua, 3, "within", word);
    if (lua_type(lua, 4) != LUA_TFUNCTION) {
        refuse(lua, std::string{"expected a function that undoes it, got "} + luaL_typename(lua, 4),
               word);
    }
    if (run.entries() >= entries_max) {
        refuse(lua, "more than " + std::to_string(entries_max) + " holds and undos in one run",
               word);
    }
    lua_pushvalue(lua, 4);
    const int kept = Interpreter::of(lua).keep(lua);
    const engine::EntryId entry = run.register_entry(
        is_hold ? engine::Registered::Kind::hold : engine::Registered::Kind::undo, what,
        within.value_or(engine::undo_within_default), kept, lua_toboolean(lua, 5) != 0);
    lua_pushnumber(lua, static_cast<double>(entry.value));
    return 1;
}

void refuse(lua_State* lua, std::string what, std::string during) {
    raise(lua, Error{Kind::invalid, "bad-argument", std::move(what), std::move(during), nullptr});
}

std::optional<Duration> duration_field(lua_State* lua, int options, const char* field,
                                       const char* word) {
    if (lua_isnoneornil(lua, options)) {
        return std::nullopt;
    }
    if (lua_type(lua, options) != LUA_TTABLE) {
        refuse(lua, std::string{"expected a table of options, such as { "} + field + " = \"2s\" }",
               word);
    }
    lua_getfield(lua, options, field);
    std::optional<Duration> duration;
    if (!lua_isnil(lua, -1)) {
        duration = checked_duration_at(lua, -1, word);
    }
    lua_pop(lua, 1);
    return duration;
}

Run& acting_run_of(lua_State* lua, const char* word, unsigned contexts) {
    require_context(lua, contexts, word);
    return *Interpreter::of(lua).run();
}

Run& waiting_run_of(lua_State* lua, const char* word, unsigned contexts) {
    Run& run = acting_run_of(lua, word, contexts);
    if (run.cancelled()) {
        raise(lua, *run.cancelled());
    }
    if (lua_isyieldable(lua) == 0) {
        refuse(lua, std::string{word} + " cannot wait inside table.sort or string.gsub", "");
    }
    return run;
}

void add_run_natives(lua_State* native) {
    add_natives(native, std::begin(run_natives), std::end(run_natives));
    add_exec_natives(native);
    add_guest_natives(native);
    add_peer_natives(native);
    add_look_natives(native);
}

}  // namespace ktm::script
