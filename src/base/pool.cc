// SPDX-License-Identifier: Apache-2.0
// base/pool.cc: the small blocks of a process that has one thread, given out again at once.
#include "base/pool.hh"

#include <sys/mman.h>

#include <cstdlib>

namespace ktm {

bool Pool::has_span() noexcept {
    if (memory_ == nullptr && !refused_) {
        void* memory = ::mmap(nullptr, pool_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        refused_ = memory == MAP_FAILED;
        memory_ = refused_ ? nullptr : static_cast<char*>(memory);
    }
    return memory_ != nullptr && spans_ < class_of_span_.size();
}

void* Pool::carve(std::size_t number) noexcept {
    const std::size_t bytes = number * grain;
    if (left_[number] < bytes) {
        if (!has_span()) {
            return std::malloc(bytes);
        }
        class_of_span_[spans_] = static_cast<std::uint8_t>(number);
        fresh_[number] = memory_ + spans_ * span_bytes;
        left_[number] = span_bytes;
        ++spans_;
    }
    void* block = fresh_[number];
    fresh_[number] += bytes;
    left_[number] -= bytes;
    return block;
}

}  // namespace ktm
