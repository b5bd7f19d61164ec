// SPDX-License-Identifier: Apache-2.0
// script/exec_natives.cc: programs and files, as plans may use them.
//
// A program is an argv, never a line for a shell. One that is cancelled, by its own deadline or
// with the action, is killed; the run keeps it until it is gone.
#include <lua.hpp>

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hh"
#include "script/convert.hh"
#include "script/natives.hh"
#include "script/run.hh"

namespace ktm::script {

namespace {

/// LIMIT: of what a program says of its failure.
constexpr std::size_t output_bytes_shown = 4096;
/// LIMIT: a file of sysfs or procfs that a plan reads.
constexpr Bytes file_max{1U << 20U};

std::vector<std::string> argv_at(lua_State* lua, int index, const char* word) {
    if (lua_type(lua, index) != LUA_TTABLE) {
        refuse(lua, "expected a table, such as { \"ip\", \"link\" }", word);
    }
    std::vector<std::string> argv;
    const int count = static_cast<int>(lua_objlen(lua, index));
    for (int position = 1; position <= count; ++position) {
        lua_rawgeti(lua, index, position);
        std::size_t size = 0;
        const bool is_word = lua_type(lua, -1) == LUA_TSTRING || lua_type(lua, -1) == LUA_TNUMBER;
        const char* text = is_word ? lua_tolstring(lua, -1, &size) : nullptr;
        if (text == nullptr || std::string_view{text, size}.find('\0') != std::string_view::npos) {
            refuse(lua, "argument " + std::to_string(position) + " is no text without a NUL", word);
        }
        argv.emplace_back(text, size);
        lua_pop(lua, 1);
    }
    if (argv.empty() || argv.front().empty()) {
        refuse(lua, "expected the program's name first", word);
    }
    return argv;
}

std::string line_of(const std::vector<std::string>& argv) {
    return printable(joined(argv, " "));
}

void check_fields(lua_State* lua, int index) {
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        lua_pop(lua, 1);
        if (lua_type(lua, -1) == LUA_TSTRING) {
            const std::string_view field = lua_tostring(lua, -1);
            if (field != "within" && field != "undo") {
                refuse(lua, "no option '" + std::string{field} + "'; there are within and undo",
                       "exec");
            }
        }
    }
}

/// exec_undo(program): what undoes it and how, or nothing.
int exec_undo(lua_State* lua) {
    require_context(lua, in_actions, "exec");
    (void)argv_at(lua, 1, "exec");
    check_fields(lua, 1);
    lua_getfield(lua, 1, "undo");
    if (lua_isnil(lua, -1)) {
        return 0;
    }
    const std::string what = "run " + line_of(argv_at(lua, lua_gettop(lua), "exec"));
    lua_createtable(lua, 0, 2);
    lua_pushlstring(lua, what.data(), what.size());
    lua_setfield(lua, -2, "what");
    lua_pushvalue(lua, -2);
    lua_setfield(lua, -2, "program");
    return 1;
}

std::string how_it_ended(const ports::Ending& ending) {
    return ending.signal != 0 ? "signal-" + std::to_string(ending.signal)
                              : "exit-" + std::to_string(ending.exit_code);
}

Error failure_of(const ports::Ending& ending) {
    const std::string said = ending.err.empty() ? ending.out : ending.err;
    const std::string_view first{said.data(), std::min(said.find('\n'), said.size())};
    return Error{Kind::refused, how_it_ended(ending),
                 first.empty() ? "it failed and said nothing" : excerpt(first, output_bytes_shown),
                 "", nullptr};
}

int push_ending(lua_State* lua, const ports::Ending& ending) {
    lua_pushboolean(lua, 1);
    lua_createtable(lua, 0, 2);
    lua_pushlstring(lua, ending.out.data(), ending.out.size());
    lua_setfield(lua, -2, "out");
    lua_pushlstring(lua, ending.err.data(), ending.err.size());
    lua_setfield(lua, -2, "err");
    return 2;
}

/// What an exec that is under way shares with its callbacks. LIFETIME: it is the body's that waits;
/// callbacks know it weakly, for it owns who calls them.
struct Execution {
    std::unique_ptr<ports::Process> process;
    std::unique_ptr<ports::Timer> deadline;
    std::shared_ptr<bool> gone = std::make_shared<bool>(false);
    Run::Token token = 0;
    engine::EntryId entry;
    std::string during;
};

void kill_and_bury(Run& run, Execution& execution) {
    execution.deadline.reset();
    if (execution.process != nullptr && !*execution.gone) {
        (void)execution.process->send_signal(SIGKILL);
        run.bury(std::move(execution.process), execution.gone);
    }
}

void on_ended(Run& run, Execution& execution, const ports::Ending& ending) {
    execution.deadline.reset();
    if (ending.exit_code == 0 && ending.signal == 0) {
        run.resume(execution.token, [&](lua_State* thread) { return push_ending(thread, ending); });
    } else {
        // It says itself that it did nothing: there is nothing to be undone.
        if (execution.entry.value != 0 && ending.signal == 0) {
            run.forget_entry(execution.entry);
        }
        run.resume_with_error(execution.token, failure_of(ending).while_trying(execution.during));
    }
}

void on_late(Run& run, Execution& execution, Duration within) {
    kill_and_bury(run, execution);
    run.resume_with_error(
        execution.token, Error{Kind::timeout, "killed",
                               "it took longer than " + format_duration(within) + " and was killed",
                               execution.during, nullptr});
    run.drain();
}

/// exec(program, entry)
int exec(lua_State* lua) {
    Run& run = waiting_run_of(lua, "exec");
    ports::Program program;
    program.argv = argv_at(lua, 1, "exec");
    const std::optional<Duration> within = duration_field(lua, 1, "within", "exec");
    auto execution = std::make_shared<Execution>();
    execution->during = "run " + line_of(program.argv);
    execution->entry = engine::EntryId{static_cast<std::uint64_t>(lua_tonumber(lua, 2))};
    execution->token = run.suspend([&run, execution] { kill_and_bury(run, *execution); });
    Result<std::unique_ptr<ports::Process>> started = run.world().processes.start(
        program, [&run, gone = execution->gone,
                  weak = std::weak_ptr{execution}](const ports::Ending& ending) {
            *gone = true;
            if (const std::shared_ptr<Execution> alive = weak.lock()) {
                on_ended(run, *alive, ending);
            }
            run.drain();
        });
    if (!started) {
        if (execution->entry.value != 0) {
            run.forget_entry(execution->entry);
        }
        run.resume_later(execution->token,
                         std::move(started).error().while_trying(execution->during));
        return lua_yield(lua, 0);
    }
    execution->process = std::move(*started);
    if (within) {
        execution->deadline =
            run.world().clock.arm(*within, [&run, weak = std::weak_ptr{execution}, within] {
                if (const std::shared_ptr<Execution> alive = weak.lock()) {
                    on_late(run, *alive, *within);
                }
            });
    }
    return lua_yield(lua, 0);
}

/// Whether a path leads to the kernel's own files, and not by one of its doors back to the disk.
bool is_kernel_file(std::string_view path) {
    if (!path.starts_with("/sys/") && !path.starts_with("/proc/")) {
        return false;
    }
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/', 1), path.size());
        const std::string_view part = path.substr(1, end - 1);
        for (const std::string_view door :
             {"..", "root", "cwd", "exe", "fd", "map_files", "mem", "environ"}) {
            if (part == door) {
                return false;
            }
        }
        path.remove_prefix(end);
    }
    return true;
}

std::string kernel_path_at(lua_State* lua, const char* word) {
    require_context(lua, in_all_bodies, word);
    std::size_t size = 0;
    const char* text = lua_type(lua, 1) == LUA_TSTRING ? lua_tolstring(lua, 1, &size) : "";
    std::string path{text, size};
    if (!is_kernel_file(path) || path.find('\0') != std::string::npos) {
        refuse(lua, "'" + printable(path) + "' is not for plans; they read files of /sys and /proc",
               word);
    }
    return path;
}

int read_file(lua_State* lua) {
    const std::string path = kernel_path_at(lua, "fs.read");
    Result<std::string> content = Interpreter::of(lua).run()->world().files.read(path, file_max);
    if (!content) {
        raise(lua, std::move(content).error());
    }
    lua_pushlstring(lua, content->data(), content->size());
    return 1;
}

int file_exists(lua_State* lua) {
    const std::string path = kernel_path_at(lua, "fs.exists");
    ports::Files& files = Interpreter::of(lua).run()->world().files;
    lua_pushboolean(lua, files.read(path, file_max) || files.list(path) ? 1 : 0);
    return 1;
}

constexpr Native exec_natives[] = {
    {"exec_undo", exec_undo},
    {"exec", exec},
    {"read_file", read_file},
    {"file_exists", file_exists},
};

}  // namespace

void add_exec_natives(lua_State* native) {
    add_natives(native, std::begin(exec_natives), std::end(exec_natives));
}

}  // namespace ktm::script
