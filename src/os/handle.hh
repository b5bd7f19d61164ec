// SPDX-License-Identifier: Apache-2.0
// os/handle.hh: the two lifetimes of a libuv handle, kept apart.
#pragma once

#include <uv.h>

#include <memory>
#include <utility>

namespace ktm::os {

/// What stands behind a libuv handle until libuv lets go of it.
///
/// LIFETIME: libuv owns the memory from init until its close callback; our object may be destroyed
/// at any moment before, in its own callback too. So the handle and everything that a callback
/// touches, the callback itself included, live in a State on the heap. The object holds the State
/// by Owned, whose end begins the close; the close callback deletes the State.
template <class UvHandle>
struct State {
    UvHandle handle{};
    /// False from the moment that the owner let go: callbacks that still come are ignored.
    bool owned = true;

    [[nodiscard]] uv_handle_t* raw() noexcept { return reinterpret_cast<uv_handle_t*>(&handle); }
};

template <class S>
struct CloseState {
    void operator()(S* state) const noexcept {
        state->owned = false;
        uv_close(state->raw(),
                 [](uv_handle_t* handle) noexcept { delete static_cast<S*>(handle->data); });
    }
};

template <class S>
using Owned = std::unique_ptr<S, CloseState<S>>;

/// Takes a State whose handle was just initialised; from here on it is closed, not deleted.
template <class S>
[[nodiscard]] Owned<S> own(std::unique_ptr<S> initialised) noexcept {
    initialised->handle.data = initialised.get();
    return Owned<S>{initialised.release()};
}

}  // namespace ktm::os
