// SPDX-License-Identifier: Apache-2.0
// script/awaiting.hh: primitives whose answer may be there at once, or come later.
#pragma once

#include <memory>

#include "script/run.hh"

namespace ktm::script {

/// Who is to be told the answer, once.
class Answer {
public:
    struct Awaited;
    Answer(Run& run, std::shared_ptr<Awaited> awaited);

    /// Whether the body still waits for it: it may have been cancelled.
    [[nodiscard]] bool is_wanted() const;
    /// Whether the word that asked is still on the stack.
    [[nodiscard]] bool is_inside() const;
    /// Gives what pushes the results, or why there are none. Nothing when it is not wanted.
    void give(Result<Run::Push> outcome) const;

private:
    Run* run_;
    std::shared_ptr<Awaited> awaited_;
};

/// The same for what changes something: the end of the run waits until it is told, whether or not
/// the body still does. LIFETIME: the run outlives it.
class Deed {
public:
    Deed(Run& run, Answer answer);

    [[nodiscard]] bool is_wanted() const { return answer_.is_wanted(); }
    /// Exactly once, and last.
    void give(Result<Run::Push> outcome) const;
    void give(Result<void> outcome) const;

private:
    Run* run_;
    Answer answer_;
};

/// Calls `start` with whom to answer. What is answered from inside is given to Lua as it is;
/// otherwise the body waits. The results of the native are true and what was pushed, or false and
/// an error.
[[nodiscard]] int await(lua_State* lua, Run& run, UniqueFunction<void(const Answer&)> start);
[[nodiscard]] int await_deed(lua_State* lua, Run& run, UniqueFunction<void(const Deed&)> start);

}  // namespace ktm::script
