// SPDX-License-Identifier: Apache-2.0
// script/awaiting.cc: an answer that is there at once, or comes later.
#include "script/awaiting.hh"

#include <lua.hpp>

#include <optional>
#include <utility>

#include "script/convert.hh"
#include "script/net_side.hh"

namespace ktm::script {

struct Answer::Awaited {
    bool inside = true;
    std::optional<Result<Run::Push>> early;
    Run::Token token = 0;
};

namespace {

int push_outcome(lua_State* lua, Result<Run::Push>& outcome) {
    lua_pushboolean(lua, outcome ? 1 : 0);
    if (!outcome) {
        push_error(lua, outcome.error());
        return 2;
    }
    return 1 + (*outcome)(lua);
}

}  // namespace

Answer::Answer(Run& run, std::shared_ptr<Awaited> awaited)
    : run_(&run), awaited_(std::move(awaited)) {}

bool Answer::is_wanted() const {
    return awaited_->inside ? !awaited_->early : run_->waits_for(awaited_->token);
}

bool Answer::is_inside() const {
    return awaited_->inside;
}

void Answer::give(Result<Run::Push> outcome) const {
    if (!is_wanted()) {
        return;
    }
    if (awaited_->inside) {
        awaited_->early.emplace(std::move(outcome));
        return;
    }
    run_->resume(awaited_->token,
                 [&outcome](lua_State* thread) { return push_outcome(thread, outcome); });
    run_->drain();
}

Deed::Deed(Run& run, Answer answer) : run_(&run), answer_(std::move(answer)) {
    run.net().begin_work();
}

void Deed::give(Result<Run::Push> outcome) const {
    // LIFETIME: the end of the run destroys whoever calls this.
    Run& run = *run_;
    const bool inside = answer_.is_inside();
    answer_.give(std::move(outcome));
    run.net().end_work();
    if (!inside) {
        run.drain();
    }
}

void Deed::give(Result<void> outcome) const {
    if (outcome) {
        give(Run::Push{[](lua_State*) { return 0; }});
    } else {
        give(Result<Run::Push>{std::move(outcome).error()});
    }
}

int await(lua_State* lua, Run& run, UniqueFunction<void(const Answer&)> start) {
    const auto awaited = std::make_shared<Answer::Awaited>();
    start(Answer{run, awaited});
    awaited->inside = false;
    if (awaited->early) {
        return push_outcome(lua, *awaited->early);
    }
    awaited->token = run.suspend(nullptr);
    return lua_yield(lua, 0);
}

int await_deed(lua_State* lua, Run& run, UniqueFunction<void(const Deed&)> start) {
    return await(lua, run, [&](const Answer& answer) { start(Deed{run, answer}); });
}

}  // namespace ktm::script
