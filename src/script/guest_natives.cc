// SPDX-License-Identifier: Apache-2.0
// script/guest_natives.cc: the words by which a guest comes back, written down before they are
// needed; and the way back to a QEMU whose connection was lost.
#include <lua.hpp>

#include <utility>

#include "base/assert.hh"
#include "json/parser.hh"
#include "script/convert.hh"
#include "script/natives.hh"
#include "script/net_side.hh"
#include "script/run.hh"

namespace ktm::script {

namespace {

monitor::GuestWish wish_at(lua_State* lua, int index) {
    return monitor::wish_named(lua_tostring(lua, index));
}

std::string word_of(monitor::GuestWish wish) {
    switch (wish) {
        case monitor::GuestWish::wake: return "qmp.wake";
        case monitor::GuestWish::end: return "qmp.quit";
        case monitor::GuestWish::restore: return "qmp.restore";
        case monitor::GuestWish::see: break;  // No word of plans: who recovers looks.
    }
    return "";
}

/// A wish, and what is to be as it was.
monitor::GuestTask task_at(lua_State* lua, int index) {
    const char* before = lua_tostring(lua, index + 1);
    return {wish_at(lua, index), before == nullptr ? "" : before};
}

/// guest_before(table): checked, as JSON.
int guest_before(lua_State* lua) {
    const char* const word = "qmp.restore";
    require_context(lua, in_actions, word);
    Result<std::string> text = read_json_at(lua, 1, "before");
    if (!text) {
        raise(lua, std::move(text).error().while_trying(word));
    }
    const Result<json::Document> before = json::parse(*text);
    KTM_ASSERT(before.has_value());
    if (Result<void> checked = monitor::check_before(before->root()); !checked) {
        raise(lua, std::move(checked).error().while_trying(word));
    }
    lua_pushlstring(lua, text->data(), text->size());
    return 1;
}

/// guest(wish, before)
int undo_guest(lua_State* lua) {
    monitor::GuestTask task = task_at(lua, 1);
    const monitor::GuestWish wish = task.wish;
    Run& run = waiting_run_of(lua, word_of(wish).c_str());
    if (run.client("") == nullptr) {
        raise(lua,
              Error{Kind::usage, "no-vm", "this plan has no var 'qmp' with the path of a monitor",
                    word_of(wish), nullptr});
    }
    run.undo_guest(std::move(task), run.suspend([&run] { run.forget_guest_undo(); }));
    return lua_yield(lua, 0);
}

/// write_guest(wish, before): the number under which it stands in the journal, if it does.
int write_guest(lua_State* lua) {
    const monitor::GuestTask task = task_at(lua, 1);
    Run& run = acting_run_of(lua, "m:undo");
    const Result<std::optional<host::UndoId>> id = run.write_guest_undo(task);
    if (!id) {
        raise(lua, Error{id.error()}.while_trying("write down " + word_of(task.wish)));
    }
    if (!*id) {
        return 0;
    }
    lua_pushnumber(lua, static_cast<double>((*id)->value));
    return 1;
}

host::UndoId undo_at(lua_State* lua, int index) {
    return host::UndoId{static_cast<std::uint64_t>(lua_tonumber(lua, index))};
}

/// guest_undone(number)
int guest_undone(lua_State* lua) {
    acting_run_of(lua, "m:undo").net().host().forget(undo_at(lua, 1));
    return 0;
}

/// drop_guest(number)
int drop_guest(lua_State* lua) {
    const Result<void> dropped = acting_run_of(lua, "m:undo").net().host().drop(undo_at(lua, 1));
    if (!dropped) {
        raise(lua, Error{dropped.error()}.while_trying("write down that an undo is dropped"));
    }
    return 0;
}

/// is_lost(vm): whether an undo wants a QEMU whose connection is gone.
int is_lost(lua_State* lua) {
    const Interpreter& interpreter = Interpreter::of(lua);
    const bool unwinds = interpreter.context() == Context::undo;
    lua_pushboolean(lua, unwinds && interpreter.run() != nullptr &&
                                 interpreter.run()->is_lost(lua_tostring(lua, 1))
                             ? 1
                             : 0);
    return 1;
}

/// has_parted(): whether the connection of the default VM is gone, for an action that may wait.
int has_parted(lua_State* lua) {
    const Run& run = waiting_run_of(lua, "qmp.reconnect");
    if (!run.has_vm("")) {
        raise(lua,
              Error{Kind::usage, "no-vm", "this plan has no var 'qmp' with the path of a monitor",
                    "qmp.reconnect", nullptr});
    }
    lua_pushboolean(lua, run.is_lost("") ? 1 : 0);
    return 1;
}

/// reconnect(vm)
int reconnect(lua_State* lua) {
    const std::string vm = lua_tostring(lua, 1);
    Run& run = waiting_run_of(lua, "qmp");
    run.reconnect(vm, run.suspend(nullptr));
    return lua_yield(lua, 0);
}

constexpr Native guest_natives[] = {
    {"guest", undo_guest},          {"guest_before", guest_before}, {"write_guest", write_guest},
    {"guest_undone", guest_undone}, {"drop_guest", drop_guest},     {"is_lost", is_lost},
    {"has_parted", has_parted},     {"reconnect", reconnect},
};

}  // namespace

void Run::undo_guest(monitor::GuestTask task, Token token) {
    const monitor::GuestWish wish = task.wish;
    guest_undo_ = std::make_unique<monitor::GuestUndo>(
        world_.clock, *client(""), std::move(task), [this, wish, token](Result<bool> changed) {
            // LIFETIME: it is called from inside of what is destroyed here.
            const std::unique_ptr<monitor::GuestUndo> over = std::move(guest_undo_);
            if (!changed) {
                resume_with_error(token, std::move(changed).error().while_trying(word_of(wish)));
            } else {
                resume(token, [&changed](lua_State* thread) {
                    lua_pushboolean(thread, 1);
                    lua_pushboolean(thread, *changed ? 1 : 0);
                    return 2;
                });
            }
            drain();
        });
    guest_undo_->start();
}

Result<std::optional<host::UndoId>> Run::write_guest_undo(const monitor::GuestTask& task) {
    return net().host().will_undo(host::GuestUndo{std::string{monitor::name_of(task.wish)},
                                                  host_settings_.header.vm, task.before});
}

bool Run::is_lost(const std::string& vm) const {
    const auto found = vms_.find(vm);
    return found != vms_.end() && (!found->second.lost.empty() ||
                                   (found->second.client && found->second.client->is_over()));
}

void Run::reconnect(const std::string& vm, Token token) {
    Vm& entry = vms_.at(vm);
    entry.connecting = token;
    entry.lost.clear();
    const Endpoint endpoint = *entry.endpoint;
    open(vm, endpoint);
}

void add_guest_natives(lua_State* native) {
    add_natives(native, std::begin(guest_natives), std::end(guest_natives));
}

}  // namespace ktm::script
