// SPDX-License-Identifier: Apache-2.0
// script/slab.hh: memory for many small objects whose sizes their owner remembers.
//
// Lua says how large a block was when it gives it back, so a block needs no header; a waiting plan
// is made of a thousand blocks, and malloc's headers and rounding would be a third of it. All
// interpreters share the free blocks, so that what one load leaves over serves the next.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace ktm::script {

class Slab {
public:
    /// The blocks of this process; it has one thread.
    [[nodiscard]] static Slab& shared();

    /// Null when there is no memory.
    [[nodiscard]] void* allocate(std::size_t size) noexcept;
    void release(void* block, std::size_t size) noexcept;
    [[nodiscard]] void* resize(void* block, std::size_t old_size, std::size_t new_size) noexcept;

private:
    static constexpr std::size_t grain = 8;
    static constexpr std::size_t small_max = 512;  ///< Larger blocks are malloc's.
    static constexpr std::size_t chunk_bytes = 65536;

    struct Free {
        Free* next;
    };

    [[nodiscard]] static std::size_t class_of(std::size_t size) noexcept {
        return (size + grain - 1) / grain;
    }
    [[nodiscard]] void* carve(std::size_t bytes) noexcept;

    std::array<Free*, small_max / grain + 1> free_{};
    std::vector<std::unique_ptr<std::byte[]>> chunks_;
    std::size_t left_ = 0;  ///< Bytes of the last chunk that were never given out.
};

}  // namespace ktm::script
