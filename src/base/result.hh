// SPDX-License-Identifier: Apache-2.0
// base/result.hh: a value or the error that stands in its place.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/assert.hh"
#include "base/error.hh"

namespace ktm {

/// Spelled like std::expected, so that a later swap is mechanical; [[nodiscard]] as a type,
/// so that an error cannot be dropped by accident.
template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return content_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& operator*() & {
        KTM_ASSERT(has_value());
        return *std::get_if<0>(&content_);
    }
    [[nodiscard]] const T& operator*() const& {
        KTM_ASSERT(has_value());
        return *std::get_if<0>(&content_);
    }
    [[nodiscard]] T&& operator*() && {
        KTM_ASSERT(has_value());
        return std::move(*std::get_if<0>(&content_));
    }
    [[nodiscard]] T* operator->() {
        KTM_ASSERT(has_value());
        return std::get_if<0>(&content_);
    }
    [[nodiscard]] const T* operator->() const {
        KTM_ASSERT(has_value());
        return std::get_if<0>(&content_);
    }
    [[nodiscard]] const Error& error() const& {
        KTM_ASSERT(!has_value());
        return *std::get_if<1>(&content_);
    }
    [[nodiscard]] Error&& error() && {
        KTM_ASSERT(!has_value());
        return std::move(*std::get_if<1>(&content_));
    }
    [[nodiscard]] T value_or(T fallback) && {
        return has_value() ? std::move(*std::get_if<0>(&content_)) : std::move(fallback);
    }

private:
    std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] const Error& error() const& {
        KTM_ASSERT(error_.has_value());
        return *error_;
    }
    [[nodiscard]] Error&& error() && {
        KTM_ASSERT(error_.has_value());
        return std::move(*error_);
    }

private:
    std::optional<Error> error_;
};

}  // namespace ktm

/// Returns the error of `expression` to the caller, or goes on; for results whose value is not
/// wanted.
#define KTM_CHECK(expression)                                \
    do {                                                     \
        if (auto ktm_checked = (expression); !ktm_checked) { \
            return std::move(ktm_checked).error();           \
        }                                                    \
    } while (false)
