// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/owned_file_test.cc: a file has one owner at a time, and keeps what was appended.
#include "unit/os/world.hh"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

using namespace ktm;
using ktm::os::testing::TestWorld;

namespace {

constexpr Bytes plenty{1U << 20U};

unsigned mode_of(const std::string& path) {
    struct stat facts {};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    return facts.st_mode & 0777U;
}

template <class T>
std::string code_of(const Result<T>& result) {
    return result ? "" : result.error().code;
}

}  // namespace

TEST_CASE("os/owned: what is appended is there at once, and for nobody else to read") {
    TestWorld world;
    const std::string path = world.path("state/deep/journal");
    const auto file = world.ports.files.make_owned(path);
    REQUIRE(file);
    CHECK(mode_of(path) == 0600);
    CHECK(mode_of(world.path("state/deep")) == 0700);
    CHECK(mode_of(world.path("state")) == 0700);
    CHECK((*file)->append("one\n"));
    CHECK((*file)->append("two\n"));
    CHECK(content(path) == "one\ntwo\n");
    CHECK((*file)->read(plenty).value_or("") == "one\ntwo\n");
    CHECK(code_of((*file)->read(Bytes{7})) == "too-large");
    CHECK((*file)->read(Bytes{8}));
    CHECK((*file)->remove());
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(code_of((*file)->remove()) == "ENOENT");
}

TEST_CASE("os/owned: a file that exists is not made again, and one with an owner is busy") {
    TestWorld world;
    const std::string path = world.path("journal");
    auto file = world.ports.files.make_owned(path);
    REQUIRE(file);
    CHECK(code_of(world.ports.files.make_owned(path)) == "EEXIST");
    CHECK((*file)->append("kept"));
    CHECK(code_of(world.ports.files.take_over(path)) == "busy");
    file->reset();
    const auto heir = world.ports.files.take_over(path);
    REQUIRE(heir);
    CHECK((*heir)->append(" on"));
    CHECK((*heir)->read(plenty).value_or("") == "kept on");
    CHECK(code_of(world.ports.files.take_over(path)) == "busy");
    CHECK(code_of(world.ports.files.take_over(world.path("none"))) == "ENOENT");
    CHECK(code_of(world.ports.files.make_owned("/proc/nowhere/journal")) == "ENOENT");
}

TEST_CASE("os/owned: a dead owner's file can be taken over, with all that it appended") {
    TestWorld world;
    const std::string path = world.path("journal");
    const pid_t owner = ::fork();
    REQUIRE(owner >= 0);
    if (owner == 0) {
        auto file = world.ports.files.make_owned(path);
        for (int i = 0; file && i < 1000; ++i) {
            (void)(*file)->append("line " + std::to_string(i) + "\n");
        }
        (void)::kill(::getpid(), SIGKILL);
    }
    REQUIRE(::waitpid(owner, nullptr, 0) == owner);
    const auto heir = world.ports.files.take_over(path);
    REQUIRE(heir);
    CHECK((*heir)->read(plenty).value_or("").ends_with("line 999\n"));
}

TEST_CASE("os/owned: a file that was removed while it was opened is not taken over") {
    TestWorld world;
    const std::string path = world.path("journal");
    auto file = world.ports.files.make_owned(path);
    REQUIRE(file);
    CHECK((*file)->remove());
    // Its owner still has it; another of the same name is another file.
    const auto second = world.ports.files.make_owned(path);
    REQUIRE(second);
    file->reset();
    CHECK(code_of(world.ports.files.take_over(path)) == "busy");
}

TEST_CASE("os/owned: what could not be written whole is taken back") {
    TestWorld world;
    const std::string path = world.path("journal");
    const auto file = world.ports.files.make_owned(path);
    REQUIRE(file);
    CHECK((*file)->append("whole\n"));
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    void (*const handler)(int) = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit tight{10, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
    const Result<void> part = (*file)->append("longer than four\n");
    const Result<void> none = (*file)->append("more");
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    (void)std::signal(SIGXFSZ, handler);
    CHECK(code_of(part) == "ENOSPC");
    CHECK(code_of(none) == "");
    CHECK(content(path) == "whole\nmore");
    CHECK((*file)->append("!"));
    CHECK((*file)->read(plenty).value_or("") == "whole\nmore!");
}

TEST_CASE("os/owned: a link is not followed, and a folder is no file") {
    TestWorld world;
    std::ofstream{world.path("precious")} << "precious";
    REQUIRE(::symlink(world.path("precious").c_str(), world.path("link").c_str()) == 0);
    CHECK(code_of(world.ports.files.make_owned(world.path("link"))) == "EEXIST");
    CHECK(code_of(world.ports.files.take_over(world.path("link"))) == "ELOOP");
    CHECK(code_of(world.ports.files.take_over(world.folder.string())) == "EISDIR");
    CHECK(content(world.path("precious")) == "precious");
}

TEST_CASE("os/owned: a folder in memory is told from one on a disk, before it is there") {
    TestWorld world;
    CHECK(world.ports.files.is_in_memory("/dev/shm").value_or(false));
    CHECK(world.ports.files.is_in_memory("/dev/shm/ktm/is/not/there").value_or(false));
    CHECK_FALSE(world.ports.files.is_in_memory("/proc/sys").value_or(true));
    CHECK(world.ports.files.is_in_memory("relative/and/new"));
}
