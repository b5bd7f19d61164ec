// SPDX-License-Identifier: Apache-2.0
// os/deaf_fork.cc: processes of ours that are forked and never exec.
#include "os/deaf_fork.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace ktm::os {

pid_t fork_deaf() noexcept {
    sigset_t all;
    sigset_t before;
    (void)::sigfillset(&all);
    (void)::sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t child = ::fork();
    const int fault = errno;
    if (child != 0) {
        (void)::sigprocmask(SIG_SETMASK, &before, nullptr);
    }
    errno = fault;
    return child;
}

void keep_only(std::span<int> kept) noexcept {
    const int empty = ::open("/dev/null", O_RDWR);
    for (int standard = 0; standard <= 2; ++standard) {
        (void)::dup2(empty, standard);
    }
    std::sort(kept.begin(), kept.end());
    unsigned from = 3;
    for (const int number : kept) {
        const auto keep = static_cast<unsigned>(number);
        if (keep > from) {
            (void)::close_range(from, keep - 1, 0);
        }
        from = std::max(from, keep + 1);
    }
    (void)::close_range(from, ~0U, 0);
}

}  // namespace ktm::os
