// SPDX-License-Identifier: Apache-2.0
// tests/lab/ptrace_shim.cc: lets user-mode-linux run on processors with large vector registers.
//
// Theory of operation. user-mode-linux keeps 832 bytes of the vector registers of each of its tasks
// (x87, SSE, AVX), and hands just those to ptrace. Hosts with AVX-512 or AMX refuse a set that is
// shorter than theirs, and would otherwise let the rest leak from one thread to the next: a process
// there is one process here, whatever thread of it runs. So this object is loaded before libc and
// replaces ptrace: what is read for a task is kept whole, under the address that it is read to, and
// is written whole. Peeks return their word by value, as libc's ptrace does. And so that a killed
// kernel leaves nothing behind, its tracees die with it, and so do the threads of its own.
//
// What it does not do: a signal handler inside shares the registers beyond AVX with what it
// interrupted. The lab tells libc not to use them.
#include <dlfcn.h>
#include <elf.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

// LIMIT: the area of a processor with AMX has 11,008 bytes; up to PKRU it has 2,696.
constexpr std::size_t area_bytes_max = 16384;
constexpr std::size_t kept_bytes_max = 4096;
// LIMIT: tasks whose registers are kept; with more, some lose those beyond AVX.
constexpr std::size_t tasks_max = 4096;
constexpr std::size_t probes_max = 16;
constexpr int old_set_options = 21;

/// The part of a task's registers that user-mode-linux does not keep itself.
struct Kept {
    const void* owner = nullptr;
    std::array<std::byte, kept_bytes_max> bytes;
};

// Static, because this runs on kernel stacks of 16 KiB. One thread runs it, and no signal handler.
std::array<Kept, tasks_max> kept_areas;
std::array<std::byte, area_bytes_max> area;

long call(long request, pid_t pid, void* address, void* data) {
    return syscall(SYS_ptrace, request, pid, address, data);
}

/// Where the rest of `owner` is kept, or will be; an old one gives way when all places are taken.
Kept& kept_of(const void* owner) {
    const std::size_t first = (reinterpret_cast<std::uintptr_t>(owner) >> 6) * 2654435761U;
    for (std::size_t probe = 0; probe < probes_max; ++probe) {
        Kept& place = kept_areas[(first + probe) % tasks_max];
        if (place.owner == owner || place.owner == nullptr) {
            return place;
        }
    }
    return kept_areas[first % tasks_max];
}

/// Reads the whole area into `area` and tells its length, or -1.
long read_area(pid_t pid, void* kind) {
    iovec whole{area.data(), area.size()};
    return call(PTRACE_GETREGSET, pid, kind, &whole) < 0 ? -1 : static_cast<long>(whole.iov_len);
}

long get_registers(pid_t pid, void* kind, iovec& asked) {
    const long length = read_area(pid, kind);
    if (length < 0) {
        return -1;
    }
    const std::size_t given = std::min(asked.iov_len, static_cast<std::size_t>(length));
    std::memcpy(asked.iov_base, area.data(), given);
    Kept& kept = kept_of(asked.iov_base);
    kept.owner = asked.iov_base;
    std::memcpy(kept.bytes.data(), area.data() + given, std::min(kept_bytes_max, length - given));
    asked.iov_len = given;
    return 0;
}

long set_registers(pid_t pid, void* kind, const iovec& asked) {
    static long length = -1;  // the same for every process, once it is known
    if (length < 0) {
        length = read_area(pid, kind);
    }
    if (length < 0) {
        return -1;
    }
    const std::size_t given = std::min(asked.iov_len, static_cast<std::size_t>(length));
    std::memcpy(area.data(), asked.iov_base, given);
    std::memset(area.data() + given, 0, length - given);
    const Kept& kept = kept_of(asked.iov_base);
    if (kept.owner == asked.iov_base) {
        std::memcpy(area.data() + given, kept.bytes.data(),
                    std::min(kept_bytes_max, length - given));
    }
    iovec whole{area.data(), static_cast<std::size_t>(length)};
    return call(PTRACE_SETREGSET, pid, kind, &whole);
}

/// A peek of the system call stores the word; that of libc returns it.
long peek(long request, pid_t pid, void* address) {
    long word = 0;
    if (call(request, pid, address, &word) < 0) {
        return -1;
    }
    errno = 0;
    return word;
}

/// What a new thread runs, kept on its own stack; aligned as that must stay below it.
struct alignas(16) Beginning {
    int (*function)(void*);
    void* argument;
    pid_t parent;  ///< 0: not the one that cloned it.
};

int begin_thread(void* pointer) {
    const Beginning beginning = *static_cast<Beginning*>(pointer);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // One whose parent was killed before that would ask a stranger to trace it, and stop for good.
    if (beginning.parent != 0 && getppid() != beginning.parent) {
        _exit(1);
    }
    return beginning.function(beginning.argument);
}

}  // namespace

/// Replaces libc's clone likewise; none of the calls has more arguments than these.
extern "C" int clone(int (*function)(void*), void* stack, int flags, void* argument, ...) noexcept {
    using Clone = int (*)(int (*)(void*), void*, int, void*, ...);
    static const auto libc_clone = reinterpret_cast<Clone>(dlsym(RTLD_NEXT, "clone"));
    auto* beginning = static_cast<Beginning*>(stack) - 1;
    const bool is_child = (flags & (CLONE_THREAD | CLONE_PARENT)) == 0;
    *beginning = {.function = function, .argument = argument, .parent = is_child ? getpid() : 0};
    return libc_clone(begin_thread, reinterpret_cast<std::byte*>(beginning) - 16, flags, beginning);
}

/// Replaces libc's ptrace in the program that loads this object first.
extern "C" long ptrace(enum __ptrace_request request, ...) noexcept {
    va_list words;
    va_start(words, request);
    const pid_t pid = va_arg(words, pid_t);
    void* address = va_arg(words, void*);
    void* data = va_arg(words, void*);
    va_end(words);
    const bool vectors = reinterpret_cast<std::uintptr_t>(address) == NT_X86_XSTATE;
    switch (static_cast<int>(request)) {
        case PTRACE_PEEKTEXT:
        case PTRACE_PEEKDATA:
        case PTRACE_PEEKUSER: return peek(request, pid, address);
        case PTRACE_GETREGSET:
            return vectors ? get_registers(pid, address, *static_cast<iovec*>(data))
                           : call(request, pid, address, data);
        case PTRACE_SETREGSET:
            return vectors ? set_registers(pid, address, *static_cast<iovec*>(data))
                           : call(request, pid, address, data);
        case old_set_options:
        case PTRACE_SETOPTIONS: {
            const auto options = reinterpret_cast<std::uintptr_t>(data) | PTRACE_O_EXITKILL;
            return call(PTRACE_SETOPTIONS, pid, address, reinterpret_cast<void*>(options));
        }
        default: return call(request, pid, address, data);
    }
}
