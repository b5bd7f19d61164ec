// SPDX-License-Identifier: Apache-2.0
// disk/descriptor.hh: a file descriptor that is closed with its owner.
#pragma once

#include <unistd.h>

#include <string_view>
#include <utility>

#include "base/result.hh"

namespace ktm::disk {

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { reset(); }

    [[nodiscard]] int number() const noexcept { return number_; }
    [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }

    void reset() noexcept {
        if (is_open()) {
            (void)::close(std::exchange(number_, -1));
        }
    }

private:
    int number_ = -1;
};

/// Writes all of it, however many calls that takes; returns 0 or the errno value.
[[nodiscard]] int write_all(int descriptor, std::string_view bytes) noexcept;

}  // namespace ktm::disk
