// SPDX-License-Identifier: Apache-2.0
// tests/unit/disk/plain_spool_test.cc: a new file that is appended to by who may wait.
#include <catch2/catch.hpp>

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "disk/files.hh"

using namespace ktm;

namespace {

ports::Filter with_end() {
    return
        [](std::string_view bytes, bool last) { return std::string{bytes} + (last ? "END" : ""); };
}

struct Folder {
    Folder() {
        std::string pattern = std::filesystem::temp_directory_path() / "ktm-disk-XXXXXX";
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] std::string content(const std::string& name) const {
        std::ifstream file{path / name};
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    }

    std::filesystem::path path;
};

}  // namespace

TEST_CASE("disk: what is appended is in the file, and behind the end nothing is") {
    const Folder folder;
    disk::PlainFiles files;
    auto spool = files.spool(folder.path / "a", with_end());
    REQUIRE(spool);
    (*spool)->append("one ");
    CHECK(folder.content("a") == "one ");
    (*spool)->append("two ");
    CHECK((*spool)->close(nullptr));
    (*spool)->append("three");
    CHECK((*spool)->close(nullptr));
    CHECK(folder.content("a") == "one two END");
    const auto again = files.spool(folder.path / "a", with_end());
    REQUIRE_FALSE(again);
    CHECK(again.error().code == "EEXIST");
    CHECK(folder.content("a") == "one two END");
}

TEST_CASE("disk: a spool that nobody closes has its end, too") {
    const Folder folder;
    disk::PlainFiles files;
    {
        auto spool = files.spool(folder.path / "a", with_end());
        REQUIRE(spool);
        (*spool)->append("x");
    }
    CHECK(folder.content("a") == "xEND");
}

TEST_CASE("disk: a full disk is told when the spool is closed") {
    disk::PlainFiles files;
    auto spool = files.spool("/dev/full", with_end());
    REQUIRE(spool);
    (*spool)->append("lost");
    const Result<void> closed = (*spool)->close(nullptr);
    REQUIRE_FALSE(closed);
    CHECK(closed.error().code == "ENOSPC");
    CHECK_FALSE(files.spool("/none/such/folder", with_end()));
}
