// SPDX-License-Identifier: Apache-2.0
// script/interpreter.hh: one Lua state with its limits: memory, instructions, words.
//
// Theory of operation. A plan is foreign code that may be wrong: it may loop, grow, or reach for
// what it must not have. Each loaded plan has a Lua state of its own. Its memory is counted by the
// allocator and ends at memory_max. A hook counts instructions; a stretch of more than
// instructions_max without waiting is ended with an error that names the line, and the error is
// raised again at each further instruction until the stretch has been left, so that no pcall can
// hold it. The JIT is off, because the hook does not fire in compiled loops. The words that a chunk
// sees are those of the prelude; there are no others, and none can be added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hh"
#include "base/error.hh"
#include "base/result.hh"
#include "script/arena.hh"

struct lua_State;
struct lua_Debug;

namespace ktm::script {

class Run;
class Modules;

/// LIMIT: what one plan may hold in memory while its code runs, what is no longer used included.
inline constexpr Bytes memory_max{16U << 20U};
/// An undo has this beyond, for it must run even where a plan has used up everything. What we give
/// to a plan ourselves is not limited: outside of its code there is nobody to catch an error.
inline constexpr Bytes memory_for_undo{4U << 20U};
/// LIMIT: instructions in one stretch, from where an action begins or goes on to where it waits.
inline constexpr std::int64_t instructions_max = 10'000'000;

/// Where plan code runs; words are legal in some of them.
enum class Context : std::uint8_t {
    none = 0,
    load = 1,    ///< The file is being read: constructors only, no effect.
    action = 2,  ///< enter and run.
    undo = 4,    ///< Undos and releases.
    look = 8,    ///< What is looked at before the run begins: nothing is changed there.
};

/// The place of the innermost frame of the plan: "plans/move.lua:41"; empty outside of one.
[[nodiscard]] std::string place_in(lua_State* thread);

class Interpreter {
public:
    Interpreter() : Interpreter(nullptr) {}
    /// In memory of its own, so that mark() and rewind() can be called; null for the shared one.
    explicit Interpreter(std::unique_ptr<Arena> arena);
    ~Interpreter();
    Interpreter(const Interpreter&) = delete;
    Interpreter& operator=(const Interpreter&) = delete;

    /// The owner of any of the threads of an interpreter.
    [[nodiscard]] static Interpreter& of(lua_State* lua) noexcept;

    /// The plan is loaded: what loading has left over is freed. Until then nothing is, for a load
    /// is short, and memory_max holds all the same.
    void settle();

    /// Nothing runs in it: what is there now is what rewind() goes back to. Of an interpreter with
    /// an arena only.
    void mark();
    void rewind() noexcept;

    [[nodiscard]] lua_State* lua() noexcept { return lua_; }
    [[nodiscard]] Bytes memory_used() const noexcept { return Bytes{memory_used_}; }

    /// Compiles a text chunk, with the plan's words as its globals, and leaves the function on the
    /// stack. `name` is the path that errors show.
    [[nodiscard]] Result<void> compile(std::string_view text, const std::string& name);

    /// Calls what was pushed: a function and its arguments, under a fresh budget.
    [[nodiscard]] Result<void> call(int arguments, int results, Context context);

    /// A fresh budget for what is about to run in this context.
    void begin_stretch(Context context) noexcept;
    void end_stretch() noexcept;
    /// Takes from the budget what a long computation in C++ has cost; raises when it is used up.
    void charge(std::int64_t instructions);
    [[nodiscard]] std::int64_t budget_left() const noexcept { return budget_; }

    [[nodiscard]] Context context() const noexcept { return context_; }

    /// The run that the primitives act on; null outside of one.
    [[nodiscard]] Run* run() const noexcept { return run_; }
    void attach(Run* run) noexcept { run_ = run; }

    /// Who finds modules while a plan is loaded; null at other times.
    [[nodiscard]] Modules* modules() const noexcept { return modules_; }
    void attach_modules(Modules* modules) noexcept { modules_ = modules; }

    /// The error on top of the stack of `thread` as a value; with the place where it was raised,
    /// when the thread still has the frames. Pops it.
    [[nodiscard]] Error take_error(lua_State* thread);

    /// Keeps the value on top of the stack and pops it; the numbers count from 1.
    [[nodiscard]] int keep(lua_State* thread);
    void push_kept(lua_State* thread, int number);
    void drop_kept(int number);

private:
    template <typename Memory>
    static void* give(Memory& memory, void* block, std::size_t old_size, std::size_t new_size);
    [[nodiscard]] void* give(void* block, std::size_t old_size, std::size_t new_size);
    static void* allocate(void* owner, void* block, std::size_t old_size, std::size_t new_size);
    static void count(lua_State* thread, lua_Debug* info);
    void open_words();
    [[nodiscard]] std::size_t memory_limit() const noexcept;

    std::unique_ptr<Arena> arena_;
    lua_State* lua_ = nullptr;
    std::size_t memory_used_ = 0;
    std::size_t memory_marked_ = 0;
    std::int64_t budget_ = 0;
    Context context_ = Context::none;
    Run* run_ = nullptr;
    Modules* modules_ = nullptr;
    int words_ = 0;  ///< The kept table of all words.
};

/// Opens what only trusted code of ours sees, and returns the words of the prelude: one table.
void push_words(lua_State* lua);

}  // namespace ktm::script
