// SPDX-License-Identifier: Apache-2.0
// tests/bench/start_bench.cc: how long programs take from their start to their end, and how much
// memory at most.
//
// A small program of its own, because the kernel counts the memory of the process that started a
// child as the child's until it has loaded its program: started from Python, every program would
// seem to need as much as Python does. Here the floor is this program's own size.
//
// Usage: start_bench ROUNDS PROGRAM [ARGUMENT...] [-- PROGRAM [ARGUMENT...]]...
// Starts each once a round, one after the other; prints a list of [nanoseconds, bytes] for each.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

extern char** environ;

namespace {

struct Run {
    long long ns;
    long bytes_max;
};

[[noreturn]] void give_up(const char* what, const char* program) {
    std::fprintf(stderr, "start_bench: %s %s\n", what, program);
    std::exit(2);
}

Run run_once(char* const* arguments, const posix_spawn_file_actions_t& silence) {
    const auto begin = std::chrono::steady_clock::now();
    pid_t child = 0;
    if (::posix_spawnp(&child, arguments[0], &silence, nullptr, arguments, environ) != 0) {
        give_up("cannot start", arguments[0]);
    }
    int status = 0;
    rusage usage{};
    while (::wait4(child, &status, 0, &usage) != child) {
    }
    const auto end = std::chrono::steady_clock::now();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        give_up("an exit other than 0 of", arguments[0]);
    }
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin).count(),
            usage.ru_maxrss * 1024};
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 2 ? std::atoi(argv[1]) : 0;
    if (rounds < 1) {
        give_up("usage:", "start_bench ROUNDS PROGRAM [ARGUMENT...] [-- PROGRAM...]...");
    }
    std::vector<std::vector<char*>> programs(1);
    for (int i = 2; i < argc; ++i) {
        if (std::strcmp(argv[i], "--") == 0) {
            programs.emplace_back();
        } else {
            programs.back().push_back(argv[i]);
        }
    }
    posix_spawn_file_actions_t silence;
    ::posix_spawn_file_actions_init(&silence);
    ::posix_spawn_file_actions_addopen(&silence, 1, "/dev/null", O_WRONLY, 0);
    std::vector<std::vector<Run>> runs(programs.size());
    // Round 0 fills the page cache and is not counted.
    for (int round = 0; round <= rounds; ++round) {
        for (std::size_t i = 0; i < programs.size(); ++i) {
            std::vector<char*> arguments = programs[i];
            arguments.push_back(nullptr);
            const Run run = run_once(arguments.data(), silence);
            if (round > 0) {
                runs[i].push_back(run);
            }
        }
    }
    for (std::size_t i = 0; i < runs.size(); ++i) {
        for (std::size_t k = 0; k < runs[i].size(); ++k) {
            std::printf("%s[%lld, %ld]", k == 0 ? (i == 0 ? "[[" : ",\n[") : ", ", runs[i][k].ns,
                        runs[i][k].bytes_max);
        }
        std::printf("]");
    }
    std::printf("]\n");
    return 0;
}
