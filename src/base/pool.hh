// SPDX-License-Identifier: Apache-2.0
// base/pool.hh: the small blocks of a process that has one thread, given out again at once.
//
// A simulation is made of thousands of small blocks that live for microseconds, and malloc, which
// thinks of threads and of merging neighbours, was a sixth of its time. Here a block that is given
// back is the next one of its size to be given out, and no two are ever merged. Blocks have no
// headers: what size one has is known of the span in which it lies.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace ktm {

class Pool {
public:
    /// That of this process. It is never taken down, for the last blocks outlive everything.
    [[nodiscard]] static Pool& shared() noexcept;

    /// Aligned for everything that is not aligned by order; null when there is no memory.
    [[nodiscard]] void* allocate(std::size_t size) noexcept;
    void release(void* block) noexcept;

private:
    struct Free {
        Free* next;
    };
    static constexpr std::size_t grain = 16;
    static constexpr std::size_t small_max = 1024;  ///< Larger blocks are malloc's.
    static constexpr std::size_t classes = small_max / grain + 1;
    static constexpr std::size_t span_bytes = 32768;  ///< Of blocks of one size.
    /// LIMIT: addresses, not memory; what does not fit there is malloc's, too.
    static constexpr std::size_t pool_bytes = std::size_t{1} << 30U;

    [[nodiscard]] void* carve(std::size_t number) noexcept;
    [[nodiscard]] bool has_span() noexcept;

    std::array<Free*, classes> free_{};
    std::array<char*, classes> fresh_{};       ///< What was never given out of the newest span,
    std::array<std::size_t, classes> left_{};  ///< and how many bytes of it there are.
    char* memory_ = nullptr;
    std::size_t spans_ = 0;
    bool refused_ = false;  ///< There are no such addresses.
    std::array<std::uint8_t, pool_bytes / span_bytes> class_of_span_{};
};

inline Pool& Pool::shared() noexcept {
    static constinit Pool pool;
    return pool;
}

inline void* Pool::allocate(std::size_t size) noexcept {
    if (size > small_max) {
        return std::malloc(size);
    }
    const std::size_t number = size == 0 ? 1 : (size + grain - 1) / grain;
    if (Free* block = free_[number]; block != nullptr) {
        free_[number] = block->next;
        return block;
    }
    return carve(number);
}

inline void Pool::release(void* block) noexcept {
    // As numbers, for it may lie anywhere: what lies before the beginning is far behind the end.
    const std::size_t at =
        std::bit_cast<std::uintptr_t>(block) - std::bit_cast<std::uintptr_t>(memory_);
    if (memory_ == nullptr || at >= pool_bytes) {
        std::free(block);
        return;
    }
    const std::size_t number = class_of_span_[at / span_bytes];
    free_[number] = new (block) Free{free_[number]};
}

}  // namespace ktm
