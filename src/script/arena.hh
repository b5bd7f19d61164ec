// SPDX-License-Identifier: Apache-2.0
// script/arena.hh: memory of one interpreter alone, which can be put back to what it was.
//
// A simulation plays a plan some thousand times a second, and each play begins with the plan as it
// was loaded. To load it again would cost more than the play; to put back the bytes in which its
// Lua state lives costs a few microseconds, and nothing that a plan does survives it.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace ktm::script {

class Arena {
public:
    Arena();
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// Null when there is no memory.
    [[nodiscard]] void* allocate(std::size_t size) noexcept;
    void release(void* block, std::size_t size) noexcept;
    [[nodiscard]] void* resize(void* block, std::size_t old_size, std::size_t new_size) noexcept;

    /// What is there now is what rewind() goes back to.
    void mark();
    void rewind() noexcept;

private:
    struct Free {
        Free* next;
    };
    static constexpr std::size_t classes = 160;

    char* memory_ = nullptr;
    std::size_t used_ = 0;
    std::array<Free*, classes> free_{};

    /// What was in use at the mark, as one piece between two holes and the next.
    struct Piece {
        std::size_t at;
        std::size_t bytes;
    };
    std::vector<Piece> pieces_;
    std::vector<char> marked_;  ///< The pieces, one behind the other.
    std::size_t used_marked_ = 0;
};

}  // namespace ktm::script
