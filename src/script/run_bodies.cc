// SPDX-License-Identifier: Apache-2.0
// script/run_bodies.cc: the Lua threads of a run: begun, suspended, resumed, cancelled, ended.
#include <lua.hpp>

#include <utility>

#include "base/assert.hh"
#include "script/convert.hh"
#include "script/prelude.hh"
#include "script/run.hh"

namespace ktm::script {

namespace {

Context context_of(engine::BodyKind kind) {
    const bool unwinds = kind == engine::BodyKind::undo || kind == engine::BodyKind::release;
    return unwinds ? Context::undo : Context::action;
}

}  // namespace

void push_event(lua_State* lua, const engine::Event& event) {
    lua_createtable(lua, 0, 3);
    lua_pushlstring(lua, event.name.data(), event.name.size());
    lua_setfield(lua, -2, "name");
    if (!event.vm.empty()) {
        lua_pushlstring(lua, event.vm.data(), event.vm.size());
        lua_setfield(lua, -2, "vm");
    }
    if (event.data != nullptr) {
        push_json(lua, event.data->root());
    } else {
        lua_newtable(lua);
    }
    lua_setfield(lua, -2, "data");
}

void Run::push_function(const engine::RunBody& wanted) {
    const bool unwinds = context_of(wanted.kind) == Context::undo;
    const int kept = unwinds ? entries_.at(wanted.entry) : wanted.function;
    interpreter().push_kept(body_.thread, kept);
}

/// A thread for what runs next.
void Run::prepare_body(Context context) {
    KTM_ASSERT(body_.thread == nullptr);
    lua_State* lua = interpreter().lua();
    if (m_ == 0) {
        push_m(lua, plan_.plan(), settings_);
        note_ = interpreter().keep(lua);
        m_ = interpreter().keep(lua);
    }
    body_.context = context;
    body_.waited = false;
    body_.token = 0;
    body_.cancelled.reset();
    body_.thread = lua_newthread(lua);
    body_.kept = interpreter().keep(lua);
}

void Run::start_body(engine::RunBody& wanted) {
    prepare_body(context_of(wanted.kind));
    body_.id = wanted.body;
    push_function(wanted);
    interpreter().push_kept(body_.thread, m_);
    if (wanted.event) {
        push_event(body_.thread, *wanted.event);
    }
    go_on(wanted.event ? 2 : 1);
}

/// Runs the body until it waits or ends.
void Run::go_on(int arguments) {
    interpreter().begin_stretch(body_.context);
    const int result = lua_resume(body_.thread, arguments);
    interpreter().end_stretch();
    if (result == LUA_YIELD) {
        body_.waited = true;
        KTM_ASSERT(body_.token != 0);
        return;
    }
    end_body(result == 0 ? std::nullopt
                         : std::optional<Error>{interpreter().take_error(body_.thread)});
}

void Run::end_body(std::optional<Error> error) {
    interpreter().drop_kept(body_.kept);
    body_.thread = nullptr;
    body_.token = 0;
    body_.abandon = nullptr;
    if (body_.context == Context::look) {
        end_look(std::move(error));
        return;
    }
    post(engine::BodyEnded{body_.id, std::move(error), body_.waited});
}

Run::Token Run::suspend(UniqueFunction<void()> abandon) {
    KTM_ASSERT(body_.thread != nullptr && body_.token == 0);
    body_.token = ++last_token_;
    body_.abandon = std::move(abandon);
    return body_.token;
}

void Run::resume(Token token, Push push) {
    if (token == 0 || token != body_.token || body_.thread == nullptr) {
        return;
    }
    body_.token = 0;
    body_.abandon = nullptr;
    wait_timer_.reset();
    go_on(push(body_.thread));
}

void Run::resume_with_error(Token token, Error error) {
    resume(token, [&error](lua_State* thread) {
        lua_pushboolean(thread, 0);
        push_error(thread, error);
        return 2;
    });
}

void Run::resume_later(Token token, Error error) {
    bound(token, Duration{0}, std::move(error));
}

void Run::pause(Token token, Duration duration) {
    wait_timer_ = world_.clock.arm(duration, [this, token] {
        resume(token, [](lua_State* thread) {
            lua_pushboolean(thread, 1);
            return 1;
        });
        drain();
    });
}

void Run::bound(Token token, Duration within, Error late) {
    wait_timer_ = world_.clock.arm(within, [this, token, late = std::move(late)]() mutable {
        resume_with_error(token, std::move(late));
        drain();
    });
}

void Run::cancel_body(const engine::CancelBody& cancel) {
    if (body_.thread == nullptr || body_.id != cancel.body) {
        return;
    }
    body_.cancelled = cancel.reason;
    const Token token = body_.token;
    if (UniqueFunction<void()> abandon = std::move(body_.abandon)) {
        abandon();
    }
    resume_with_error(token, cancel.reason);
}

void Run::wait_for(Token token, engine::Pattern pattern, std::optional<Duration> within) {
    if (within) {
        std::string event = pattern.event;
        wait_timer_ = world_.clock.arm(*within, [this, token, event = std::move(event), within] {
            post(engine::Forgets{body_.id});
            resume_with_error(token, Error{Kind::timeout, "no-event",
                                           "no " + event + " within " + format_duration(*within),
                                           "wait for " + event, nullptr});
            drain();
        });
    }
    post(engine::Awaits{body_.id, std::move(pattern)});
}

void Run::deliver(const engine::Deliver& delivery) {
    if (body_.thread == nullptr || body_.id != delivery.body) {
        return;
    }
    resume(body_.token, [&delivery](lua_State* thread) {
        lua_pushboolean(thread, 1);
        push_event(thread, delivery.event);
        return 2;
    });
}

engine::EntryId Run::register_entry(engine::Registered::Kind kind, std::string what,
                                    Duration within, int function, bool in_kernel) {
    const engine::EntryId entry = entry_ids_.next();
    entries_[entry] = function;
    post(engine::Registered{entry, kind, std::move(what), within, in_kernel});
    return entry;
}

void Run::keep(std::string_view port, trace::Direction direction, std::string_view text) {
    if (recorder_ != nullptr) {
        recorder_->text(port, direction, text);
    }
}

void Run::forget_entry(engine::EntryId entry, bool is_undo) {
    post(engine::Released{entry, is_undo});
}

}  // namespace ktm::script
