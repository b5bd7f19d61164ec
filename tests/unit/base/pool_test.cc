// SPDX-License-Identifier: Apache-2.0
// tests/unit/base/pool_test.cc: small blocks, given out, taken back and given out again.
#include <catch2/catch.hpp>

#include <cstdint>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "base/pool.hh"

using ktm::Pool;

TEST_CASE("base/pool: a block that was given back is the next of its size to be given out") {
    Pool& pool = Pool::shared();
    for (std::size_t size = 1; size <= 1024; size += 7) {
        void* block = pool.allocate(size);
        REQUIRE(block != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(block) % 16 == 0);
        pool.release(block);
        CHECK(pool.allocate(size) == block);
        pool.release(block);
    }
}

TEST_CASE("base/pool: no two blocks overlap, whatever their sizes and whoever was released") {
    Pool& pool = Pool::shared();
    std::vector<std::pair<unsigned char*, std::size_t>> blocks;
    for (unsigned step = 0; step < 20'000; ++step) {
        const std::size_t size = (step * 7919U) % 2000;
        auto* block = static_cast<unsigned char*>(pool.allocate(size));
        REQUIRE(block != nullptr);
        std::memset(block, static_cast<int>(step & 0xFFU), size);
        blocks.emplace_back(block, size);
        if (step % 3 == 2) {
            const std::size_t victim = (step * 104'729U) % blocks.size();
            pool.release(blocks[victim].first);
            blocks[victim] = blocks.back();
            blocks.pop_back();
        }
    }
    bool whole = true;
    std::set<unsigned char*> different;
    for (const auto& [block, size] : blocks) {
        different.insert(block);
        for (std::size_t at = 1; at < size; ++at) {
            whole = whole && block[at] == block[0];
        }
    }
    CHECK(whole);
    CHECK(different.size() == blocks.size());
    for (const auto& [block, size] : blocks) {
        pool.release(block);
    }
}

TEST_CASE("base/pool: nothing is given back, too") {
    Pool::shared().release(nullptr);
    CHECK(Pool::shared().allocate(0) != nullptr);
}
