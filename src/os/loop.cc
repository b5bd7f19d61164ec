// SPDX-License-Identifier: Apache-2.0
// os/loop.cc: the libuv loop, and the real world around it.
#include "os/loop.hh"

#include <uv.h>

#include <csignal>

#include "base/assert.hh"
#include "os/ciphers.hh"
#include "os/clock.hh"
#include "os/files.hh"
#include "os/network.hh"
#include "os/process.hh"
#include "os/signals.hh"
#include "os/transport.hh"

namespace ktm::os {

namespace {

void note_handle(uv_handle_t* handle, void* names) noexcept {
    const char* type = uv_handle_type_name(handle->type);
    static_cast<std::vector<std::string>*>(names)->emplace_back(type != nullptr ? type : "unknown");
}

}  // namespace

UvLoop::UvLoop() : loop_(std::make_unique<uv_loop_t>()) {
    KTM_ASSERT(uv_loop_init(loop_.get()) == 0);
}

UvLoop::~UvLoop() {
    KTM_ASSERT(close().empty());
}

void UvLoop::run() {
    (void)uv_run(loop_.get(), UV_RUN_DEFAULT);
}

void UvLoop::stop() {
    uv_stop(loop_.get());
}

std::vector<std::string> UvLoop::close() {
    std::vector<std::string> forgotten;
    if (closed_) {
        return forgotten;
    }
    // Handles whose owners are gone are closing; each needs a turn for its last callback. A killed
    // child needs more than one turn: its end is waited for, so that no zombie is left.
    while (uv_loop_alive(loop_.get()) != 0 && uv_run(loop_.get(), UV_RUN_NOWAIT) != 0) {
        bool only_closing = true;
        uv_walk(
            loop_.get(),
            [](uv_handle_t* handle, void* verdict) noexcept {
                const bool ends_by_itself = uv_is_closing(handle) != 0 || handle->data == nullptr ||
                                            handle->type == UV_PROCESS;
                *static_cast<bool*>(verdict) = *static_cast<bool*>(verdict) && ends_by_itself;
            },
            &only_closing);
        if (!only_closing) {
            break;
        }
        (void)uv_run(loop_.get(), UV_RUN_ONCE);
    }
    if (uv_loop_close(loop_.get()) != 0) {
        uv_walk(loop_.get(), note_handle, &forgotten);
        return forgotten;
    }
    closed_ = true;
    return forgotten;
}

RealWorld::RealWorld()
    : clock_(std::make_unique<UvClock>(loop_)),
      transport_(std::make_unique<UvTransport>(loop_)),
      processes_(std::make_unique<UvProcesses>(loop_)),
      files_(std::make_unique<UvFiles>(loop_)),
      signals_(std::make_unique<UvSignals>(loop_)),
      networks_(std::make_unique<NetlinkNetworks>(loop_)),
      ciphers_(std::make_unique<OpensslCiphers>()) {
    // A peer that closes while we write is an error value of that write, not the end of the
    // program.
    (void)std::signal(SIGPIPE, SIG_IGN);
}

RealWorld::~RealWorld() = default;

ports::World RealWorld::ports() noexcept {
    return ports::World{loop_,   *clock_,   *transport_, *processes_,
                        *files_, *signals_, *networks_,  *ciphers_};
}

}  // namespace ktm::os
