// SPDX-License-Identifier: Apache-2.0
// script/arena.cc: memory of one interpreter alone, which can be put back to what it was.
#include "script/arena.hh"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "base/assert.hh"

namespace ktm::script {

namespace {

/// LIMIT: addresses, not memory: what an interpreter may use, and the waste of sizes rounded up.
constexpr std::size_t arena_bytes = std::size_t{64} << 20U;
constexpr std::size_t grain = 16;
constexpr std::size_t small_max = 1024;
constexpr std::size_t small_classes = small_max / grain + 1;
/// Of each larger power of two; so no more than a quarter of a block is lost.
constexpr std::size_t steps = 4;

struct SizeClass {
    std::size_t number;
    std::size_t bytes;
};

SizeClass class_of(std::size_t size) noexcept {
    if (size <= small_max) {
        const std::size_t number = (size + grain - 1) / grain;
        return {number, number * grain};
    }
    const std::size_t power = std::bit_width(size - 1) - 1;  // 2^power < size <= 2^(power + 1)
    const std::size_t step = (std::size_t{1} << power) / steps;
    const std::size_t nth = (size - (std::size_t{1} << power) + step - 1) / step;
    const std::size_t first_power = std::bit_width(small_max) - 1;
    return {small_classes + (power - first_power) * steps + nth,
            (std::size_t{1} << power) + nth * step};
}

/// How large its blocks are.
std::size_t bytes_of(std::size_t number) noexcept {
    if (number < small_classes) {
        return number * grain;
    }
    const std::size_t power = (number - small_classes - 1) / steps + std::bit_width(small_max) - 1;
    const std::size_t nth = (number - small_classes - 1) % steps + 1;
    return (std::size_t{1} << power) + nth * (std::size_t{1} << power) / steps;
}

}  // namespace

Arena::Arena() {
    void* memory = ::mmap(nullptr, arena_bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    KTM_ASSERT(memory != MAP_FAILED);
    memory_ = static_cast<char*>(memory);
}

Arena::~Arena() {
    (void)::munmap(memory_, arena_bytes);
}

void* Arena::allocate(std::size_t size) noexcept {
    const SizeClass wanted = class_of(size);
    if (Free* block = free_[wanted.number]; block != nullptr) {
        free_[wanted.number] = block->next;
        return block;
    }
    if (wanted.bytes > arena_bytes - used_) {
        return nullptr;
    }
    void* block = memory_ + used_;
    used_ += wanted.bytes;
    return block;
}

void Arena::release(void* block, std::size_t size) noexcept {
    const std::size_t number = class_of(size).number;
    free_[number] = new (block) Free{free_[number]};
}

void* Arena::resize(void* block, std::size_t old_size, std::size_t new_size) noexcept {
    if (class_of(old_size).number == class_of(new_size).number) {
        return block;
    }
    void* moved = allocate(new_size);
    if (moved != nullptr) {
        std::memcpy(moved, block, std::min(old_size, new_size));
        release(block, old_size);
    }
    return moved;
}

void Arena::mark() {
    std::vector<bool> is_free(used_ / grain);
    for (std::size_t number = 0; number < classes; ++number) {
        for (const Free* block = free_[number]; block != nullptr; block = block->next) {
            const void* place = block;
            const auto at = static_cast<std::size_t>(static_cast<const char*>(place) - memory_);
            std::fill_n(is_free.begin() + static_cast<std::ptrdiff_t>(at / grain),
                        bytes_of(number) / grain, true);
        }
    }
    // What is free is given up: to put it back would cost more than the addresses are worth.
    free_ = {};
    marked_.clear();
    pieces_.clear();
    for (std::size_t at = 0; at < used_; at += grain) {
        if (is_free[at / grain]) {
            continue;
        }
        if (at == 0 || is_free[at / grain - 1]) {
            pieces_.push_back({at, 0});
        }
        pieces_.back().bytes += grain;
        marked_.insert(marked_.end(), memory_ + at, memory_ + at + grain);
    }
    used_marked_ = used_;
}

void Arena::rewind() noexcept {
    const char* from = marked_.data();
    for (const Piece& piece : pieces_) {
        std::memcpy(memory_ + piece.at, from, piece.bytes);
        from += piece.bytes;
    }
    used_ = used_marked_;
    free_ = {};
}

}  // namespace ktm::script
