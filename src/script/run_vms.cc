// SPDX-License-Identifier: Apache-2.0
// script/run_vms.cc: the VMs of a run: connected, heard, lost.
#include <lua.hpp>

#include <utility>

#include "script/convert.hh"
#include "script/run.hh"

namespace ktm::script {

namespace {

Error closed_error() {
    return Error{Kind::lost, "connection-lost", "QEMU has closed the connection", "", nullptr};
}

}  // namespace

monitor::Client* Run::client(const std::string& vm) noexcept {
    const auto found = vms_.find(vm);
    return found == vms_.end() ? nullptr : found->second.client.get();
}

void Run::open(const std::string& vm, const Endpoint& endpoint) {
    Vm& entry = vms_[vm];
    entry.endpoint = endpoint;
    entry.socket = endpoint.text();
    const std::string port = vm.empty() ? "qmp" : "qmp:" + vm;
    entry.client =
        std::make_unique<monitor::Client>(world_.clock, world_.transport, recorder_, port);
    entry.client->connect(
        endpoint, {[this, vm](const qmp::Greeting&) { on_ready(vm); },
                   [this, vm](const qmp::Event& event) { on_event(vm, event); },
                   [this, vm](std::optional<Error> error) { on_closed(vm, std::move(error)); }});
}

void Run::connect(const std::string& vm, const Endpoint& endpoint, Token token) {
    vms_[vm].connecting = token;
    open(vm, endpoint);
}

void Run::disconnect(const std::string& vm) {
    vms_.erase(vm);
}

void Run::on_ready(std::string vm) {
    Vm& entry = vms_.at(vm);
    entry.ready = true;
    entry.known = true;
    if (phase_ == Phase::connecting) {
        patience_.reset();
        begin_when_ready();
        return;
    }
    if (phase_ == Phase::asking) {
        if (greetings_.erase(vm) > 0) {
            status_of(vm)->why = "QEMU has not said it in time";
            ask_status(vm);
            end_when_answered();
        }
        return;
    }
    const Token token = std::exchange(entry.connecting, 0);
    resume(token, [&vm](lua_State* thread) {
        lua_pushboolean(thread, 1);
        lua_pushlstring(thread, vm.data(), vm.size());
        return 2;
    });
    drain();
}

void Run::on_event(std::string vm, const qmp::Event& event) {
    std::shared_ptr<const json::Document> data;
    if (const std::optional<json::View> view = event.data()) {
        data = std::make_shared<const json::Document>(json::Document::extract(*view));
    }
    // By our own clock, and not by the time of day that QEMU gives: of that it is not known how far
    // the two nodes are apart, and somebody may set it meanwhile.
    if (vm.empty() && event.name() == "STOP") {
        stopped_ = elapsed();
    } else if (vm.empty() && event.name() == "RESUME") {
        resumed_ = elapsed();
    } else if (event.name() == "MIGRATION" && data != nullptr) {
        vms_.at(vm).copy = data->root().find_string("status").value_or("");
    }
    post(
        engine::Happened{engine::Event{std::string{event.name()}, std::move(vm), std::move(data)}});
    drain();
}

// The name is a copy: the callback that holds the original may be gone before we are through.
void Run::on_closed(std::string vm, std::optional<Error> error) {
    Vm& entry = vms_.at(vm);
    const Error reason = error ? std::move(*error) : closed_error();
    entry.lost = reason.sentence();
    entry.ready = false;
    if (phase_ == Phase::connecting) {
        miss_vm(reason);
        return;
    }
    if (phase_ == Phase::asking) {
        if (greetings_.erase(vm) > 0) {  // Any other question is answered with the loss itself.
            status_of(vm)->why = reason.sentence();
            count_answer();
            end_when_answered();
        }
        return;
    }
    if (const Token token = std::exchange(entry.connecting, 0); token != 0) {
        const bool is_known = entry.known;
        resume_with_error(token, reason);
        if (!is_known) {
            vms_.erase(vm);
        }
    } else {
        const std::string intent = vm.empty() ? "" : "keep the connection to " + vm;
        post(engine::Lost{vm, Error{reason}.while_trying(intent)});
    }
    drain();
}

}  // namespace ktm::script
