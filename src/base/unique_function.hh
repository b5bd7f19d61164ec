// SPDX-License-Identifier: Apache-2.0
// base/unique_function.hh: a callable that owns what it captured and can only be moved.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "base/assert.hh"

namespace ktm {

template <class Signature>
class UniqueFunction;

/// std::move_only_function comes with C++23; completions capture handles that cannot be copied.
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
public:
    UniqueFunction() = default;
    UniqueFunction(std::nullptr_t) {}

    template <class F>
    requires(!std::is_same_v<std::decay_t<F>, UniqueFunction> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Args...>) UniqueFunction(F&& callable)
        : body_(std::make_unique<Body<std::decay_t<F>>>(std::forward<F>(callable))) {}

    explicit operator bool() const noexcept { return body_ != nullptr; }

    R operator()(Args... args) {
        KTM_ASSERT(body_ != nullptr);
        return body_->call(std::forward<Args>(args)...);
    }

private:
    struct Callable {
        virtual ~Callable() = default;
        virtual R call(Args... args) = 0;
    };

    template <class F>
    struct Body final : Callable {
        explicit Body(F callable) : callable_(std::move(callable)) {}
        R call(Args... args) override { return callable_(std::forward<Args>(args)...); }
        F callable_;
    };

    std::unique_ptr<Callable> body_;
};

}  // namespace ktm
