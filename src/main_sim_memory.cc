// SPDX-License-Identifier: Apache-2.0
// main_sim_memory.cc: where katamaran-sim gets its memory; it has one thread.
#include <new>

#include "base/pool.hh"

void* operator new(std::size_t size) {
    void* block = ktm::Pool::shared().allocate(size);
    if (block == nullptr) {
        throw std::bad_alloc{};
    }
    return block;
}

void operator delete(void* block) noexcept {
    ktm::Pool::shared().release(block);
}

void operator delete(void* block, std::size_t) noexcept {
    ktm::Pool::shared().release(block);
}
