// SPDX-License-Identifier: Apache-2.0
// tests/lab/kernel_faults.cc: kills a program at its nth point, or spoils its nth change.
//
// Theory of operation. The object is loaded before libc and stands between the program and the
// calls by which it changes what outlives it. Each of these is a point: a journal is made, written
// or removed, a datagram is sent to the kernel's routing, a setting below /proc/sys/net is written.
// Points are counted from 1, in their order:
//
//     KTM_KILL_AT=N      the program dies by SIGKILL before point N
//     KTM_KILL_AFTER=N   the same behind it
//     KTM_COUNT_FILE=F   a line for each point, "point N WHAT", and for each change, "change N
//     TYPE"
//
// Each message to the kernel that is no question is a change; a datagram can bear several.
// KTM_FAULT="N:WHAT" spoils the nth:
//
//     N:ERRNO     the kernel does not get it, and it is answered by this number
//     N:unheard   it is carried out, and the answer does not come
//     N:lost      the kernel does not get it, and no answer comes
//     N:sendE     the datagram that bears it cannot be sent: the call fails with the number E
//     N:stop      the program stops before it, as by SIGSTOP, and goes on after SIGCONT
//
// What the kernel is not to carry out is sent as NLMSG_NOOP, so that all else, the order of the
// answers too, is the kernel's own. Only the process that was started is touched, no child of it.
//
// What it does not do: threads. The program sends and writes from one.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

// LIMIT: of a datagram to the kernel; those of katamaran have at most 256 messages.
constexpr std::size_t datagram_bytes_max = 1 << 20;
constexpr std::size_t path_bytes_max = 4096;
constexpr std::size_t line_bytes_max = 256;
constexpr unsigned question = 2;  // The two low bits of a message's type: new, delete, get, set.
constexpr unsigned verb_mask = 3;

enum class Spoil { none, refuse, unheard, lost, send_fails, stop };

struct Orders {
    pid_t process = 0;
    long kill_at = 0;
    long kill_after = 0;
    long spoiled_change = 0;
    Spoil spoil = Spoil::none;
    int fault = 0;
    int count_file = -1;
};

/// The answer that is rewritten.
struct Awaited {
    int socket = -1;
    __u32 number = 0;
};

Orders orders;
Awaited awaited;
long points = 0;
long changes = 0;
alignas(NLMSG_ALIGNTO) std::array<char, datagram_bytes_max> datagram;

long number_in(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

void read_fault() {
    const char* text = std::getenv("KTM_FAULT");
    if (text == nullptr || *text == '\0') {
        return;
    }
    char* end = nullptr;
    orders.spoiled_change = std::strtol(text, &end, 10);
    const std::string_view what = *end == ':' ? end + 1 : "";
    constexpr std::string_view sending = "send";
    if (what == "unheard") {
        orders.spoil = Spoil::unheard;
    } else if (what == "lost") {
        orders.spoil = Spoil::lost;
    } else if (what == "stop") {
        orders.spoil = Spoil::stop;
    } else if (what.starts_with(sending)) {
        orders.spoil = Spoil::send_fails;
        orders.fault = static_cast<int>(std::strtol(what.data() + sending.size(), nullptr, 10));
    } else {
        orders.spoil = Spoil::refuse;
        orders.fault = static_cast<int>(std::strtol(what.data(), nullptr, 10));
    }
}

__attribute__((constructor)) void begin() {
    orders.process = getpid();
    orders.kill_at = number_in("KTM_KILL_AT");
    orders.kill_after = number_in("KTM_KILL_AFTER");
    read_fault();
    if (const char* path = std::getenv("KTM_COUNT_FILE"); path != nullptr && *path != '\0') {
        constexpr int mode = 0600;
        orders.count_file = static_cast<int>(
            syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode));
    }
}

bool is_watched() {
    return getpid() == orders.process;
}

void tell(const char* kind, long number, const char* what) {
    if (orders.count_file >= 0) {
        std::array<char, line_bytes_max> line;
        const int length =
            std::snprintf(line.data(), line.size(), "%s %ld %s\n", kind, number, what);
        (void)syscall(SYS_write, orders.count_file, line.data(), static_cast<std::size_t>(length));
    }
}

void end_if(bool due) {
    if (due) {
        (void)kill(orders.process, SIGKILL);
        while (true) {
            (void)pause();
        }
    }
}

void before(const char* what) {
    tell("point", ++points, what);
    end_if(points == orders.kill_at);
}

template <class Result>
Result after(Result result) {
    const int fault = errno;
    end_if(points == orders.kill_after);
    errno = fault;
    return result;
}

// --- Files ------------------------------------------------------------------------------------

bool is_journal(std::string_view path) {
    return path.ends_with(".journal");
}

/// What a write to this file is; nothing when it is no point.
const char* write_point(int file) {
    std::array<char, 64> link;
    std::array<char, path_bytes_max> path;
    (void)std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", file);
    const ssize_t count = readlink(link.data(), path.data(), path.size());
    const std::string_view name{path.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
    if (is_journal(name)) {
        return "write-journal";
    }
    return name.starts_with("/proc/sys/net/") ? "write-setting" : nullptr;
}

int open_file(int folder, const char* path, int flags, mode_t mode) {
    const bool makes = (flags & O_CREAT) != 0 && is_watched() && is_journal(path);
    if (makes) {
        before("make-journal");
    }
    const int file = static_cast<int>(syscall(SYS_openat, folder, path, flags, mode));
    return makes ? after(file) : file;
}

// --- The kernel's routing ---------------------------------------------------------------------

bool is_netlink(int socket) {
    int domain = 0;
    socklen_t length = sizeof domain;
    const int fault = errno;
    const bool known = getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0;
    errno = fault;
    return known && domain == AF_NETLINK;
}

/// Calls `look` with each message of a piece of memory.
template <class Look>
void for_each_message(char* bytes, std::size_t length, Look look) {
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= length;) {
        nlmsghdr head;
        std::memcpy(&head, bytes + at, sizeof head);
        if (head.nlmsg_len < sizeof head) {
            return;
        }
        look(bytes + at, head);
        at += NLMSG_ALIGN(head.nlmsg_len);
    }
}

bool is_change(const nlmsghdr& head) {
    return head.nlmsg_type >= RTM_BASE && (head.nlmsg_type & verb_mask) != question;
}

void spoil(int socket, char* message, nlmsghdr head) {
    const bool is_sent = orders.spoil == Spoil::unheard;
    if (!is_sent) {
        head.nlmsg_type = NLMSG_NOOP;
    }
    if (orders.spoil == Spoil::refuse) {
        awaited = Awaited{socket, head.nlmsg_seq};
    } else {
        head.nlmsg_flags &= static_cast<__u16>(~NLM_F_ACK);
    }
    std::memcpy(message, &head, sizeof head);
}

/// Looks at the messages that are about to be sent, and spoils what is to be spoiled. Returns
/// false when they cannot be sent.
bool prepare(int socket, char* bytes, std::size_t length) {
    bool can_be_sent = true;
    for_each_message(bytes, length, [&](char* message, const nlmsghdr& head) {
        if (!is_change(head)) {
            return;
        }
        std::array<char, 16> type;
        (void)std::snprintf(type.data(), type.size(), "%u", head.nlmsg_type);
        tell("change", ++changes, type.data());
        if (changes != orders.spoiled_change) {
            return;
        }
        if (orders.spoil == Spoil::send_fails) {
            can_be_sent = false;
        } else if (orders.spoil == Spoil::stop) {
            (void)kill(orders.process, SIGSTOP);
        } else {
            spoil(socket, message, head);
        }
    });
    return can_be_sent;
}

ssize_t send_to_kernel(int socket, const msghdr& message, int flags) {
    before("netlink");
    if (message.msg_iovlen != 1 || message.msg_iov->iov_len > datagram.size()) {
        (void)std::fputs("kernel_faults: a datagram of a form that it does not know\n", stderr);
        std::abort();
    }
    iovec piece{datagram.data(), message.msg_iov->iov_len};
    std::memcpy(piece.iov_base, message.msg_iov->iov_base, piece.iov_len);
    if (!prepare(socket, datagram.data(), piece.iov_len)) {
        errno = orders.fault;
        return after(ssize_t{-1});
    }
    msghdr copy = message;
    copy.msg_iov = &piece;
    return after(static_cast<ssize_t>(syscall(SYS_sendmsg, socket, &copy, flags)));
}

void rewrite(char* bytes, std::size_t length) {
    for_each_message(bytes, length, [](char* message, const nlmsghdr& head) {
        if (head.nlmsg_type == NLMSG_ERROR && head.nlmsg_seq == awaited.number) {
            const int error = -orders.fault;
            std::memcpy(message + NLMSG_HDRLEN, &error, sizeof error);
            awaited.socket = -1;
        }
    });
}

}  // namespace

// --- What is replaced ---------------------------------------------------------------------------

extern "C" {

ssize_t write(int file, const void* bytes, size_t length) {
    const char* what = is_watched() ? write_point(file) : nullptr;
    if (what == nullptr) {
        return static_cast<ssize_t>(syscall(SYS_write, file, bytes, length));
    }
    before(what);
    return after(static_cast<ssize_t>(syscall(SYS_write, file, bytes, length)));
}

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_file(AT_FDCWD, path, flags, mode);
}

int unlink(const char* path) noexcept {
    if (!is_watched() || !is_journal(path)) {
        return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
    }
    before("remove-journal");
    return after(static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0)));
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
    if (!is_watched() || !is_netlink(socket)) {
        return static_cast<ssize_t>(syscall(SYS_sendmsg, socket, message, flags));
    }
    return send_to_kernel(socket, *message, flags);
}

ssize_t sendto(int socket, const void* bytes, size_t length, int flags, const sockaddr* to,
               socklen_t to_length) {
    if (!is_watched() || !is_netlink(socket)) {
        return static_cast<ssize_t>(
            syscall(SYS_sendto, socket, bytes, length, flags, to, to_length));
    }
    iovec piece{const_cast<void*>(bytes), length};
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(to);
    message.msg_namelen = to_length;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    return send_to_kernel(socket, message, flags);
}

ssize_t recvmsg(int socket, msghdr* message, int flags) {
    const auto count = static_cast<ssize_t>(syscall(SYS_recvmsg, socket, message, flags));
    if (count > 0 && socket == awaited.socket && is_watched()) {
        rewrite(static_cast<char*>(message->msg_iov->iov_base), static_cast<std::size_t>(count));
    }
    return count;
}

}  // extern "C"
