// SPDX-License-Identifier: Apache-2.0
// script/slab.cc: memory for many small objects whose sizes their owner remembers.
#include "script/slab.hh"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace ktm::script {

Slab& Slab::shared() {
    static Slab slab;
    return slab;
}

void* Slab::carve(std::size_t bytes) noexcept {
    if (left_ < bytes) {
        std::unique_ptr<std::byte[]> chunk{new (std::nothrow) std::byte[chunk_bytes]};
        if (chunk == nullptr) {
            return nullptr;
        }
        chunks_.push_back(std::move(chunk));
        left_ = chunk_bytes;
    }
    void* block = chunks_.back().get() + (chunk_bytes - left_);
    left_ -= bytes;
    return block;
}

void* Slab::allocate(std::size_t size) noexcept {
    if (size > small_max) {
        return std::malloc(size);
    }
    const std::size_t number = class_of(size);
    if (Free* block = free_[number]; block != nullptr) {
        free_[number] = block->next;
        return block;
    }
    return carve(number * grain);
}

void Slab::release(void* block, std::size_t size) noexcept {
    if (size > small_max) {
        std::free(block);
        return;
    }
    const std::size_t number = class_of(size);
    free_[number] = new (block) Free{free_[number]};
}

void* Slab::resize(void* block, std::size_t old_size, std::size_t new_size) noexcept {
    if (old_size > small_max && new_size > small_max) {
        return std::realloc(block, new_size);
    }
    if (old_size <= small_max && class_of(old_size) == class_of(new_size)) {
        return block;
    }
    void* moved = allocate(new_size);
    if (moved != nullptr) {
        std::memcpy(moved, block, std::min(old_size, new_size));
        release(block, old_size);
    }
    return moved;
}

}  // namespace ktm::script
