// SPDX-License-Identifier: Apache-2.0
// os/namespaces.cc: a network namespace, to be entered for a moment.
#include "os/namespaces.hh"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include "base/assert.hh"

namespace ktm::os {

namespace {

/// Of the thread, not of the process: others may be elsewhere.
constexpr const char* own_namespace_file = "/proc/thread-self/ns/net";
/// Where `ip netns` keeps names.
constexpr std::string_view names_folder = "/run/netns/";
/// LIMIT: of a setting; the largest of the kernel's own are lists of some hundred bytes.
constexpr std::size_t setting_bytes_max = 4096;

/// The file's "DEVICE:INODE" tells apart namespaces that are there at the same time.
std::string number_of(const struct stat& facts) {
    return std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
}

/// Where this thread is; empty when /proc does not tell.
std::string own_number() {
    struct stat facts {};
    return ::stat(own_namespace_file, &facts) == 0 ? number_of(facts) : "";
}

/// The kernel's own name for the namespace that this thread is in, which it gives only once; empty
/// before Linux 5.14.
Result<std::string> own_cookie() {
    const disk::Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    std::uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    if (socket.is_open() &&
        ::getsockopt(socket.number(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) == 0) {
        return "cookie " + std::to_string(cookie);
    }
    // Another name for the same namespace would be taken for another namespace.
    return errno == ENOPROTOOPT ? Result<std::string>{std::string{}}
                                : system_error(errno, "tell the network namespace from others");
}

std::string path_of(const std::string& place) {
    if (place.empty()) {
        return own_namespace_file;
    }
    return place.find('/') == std::string::npos ? std::string(names_folder) + place : place;
}

std::string said(const std::string& place) {
    return place.empty() ? "our own network namespace" : "the network namespace " + place;
}

/// /proc/sys/net is not left upwards, and not by a name that means something else to the kernel.
bool is_setting_name(std::string_view name) {
    if (name.empty() || name.find('\0') != std::string_view::npos) {
        return false;
    }
    for (std::size_t begin = 0; begin <= name.size();) {
        const std::size_t end = std::min(name.find('/', begin), name.size());
        const std::string_view part = name.substr(begin, end - begin);
        if (part.empty() || part == "." || part == "..") {
            return false;
        }
        begin = end + 1;
    }
    return true;
}

}  // namespace

Result<NetworkNamespace> NetworkNamespace::open(const std::string& place) {
    const std::string intent = "enter " + said(place);
    if (!place.starts_with('/') && place.find('/') != std::string::npos) {
        return Error{Kind::usage, "EINVAL", "a path must begin with /: a journal is read elsewhere",
                     intent, nullptr};
    }
    if (place == "." || place == ".." || place.find('\0') != std::string::npos) {
        return Error{Kind::usage, "EINVAL", "that is neither a name nor a path", intent, nullptr};
    }
    // A path may lead to a FIFO; without O_NONBLOCK the open would wait for its writer.
    disk::Descriptor file{::open(path_of(place).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file.is_open()) {
        return system_error(errno, intent);
    }
    if (::ioctl(file.number(), NS_GET_NSTYPE) != CLONE_NEWNET) {
        return Error{Kind::usage, "EINVAL", path_of(place) + " is no network namespace", intent,
                     nullptr};
    }
    struct stat facts {};
    if (::fstat(file.number(), &facts) != 0) {
        return system_error(errno, intent);
    }
    NetworkNamespace space{std::move(file), number_of(facts), place};
    Result<std::string> cookie{std::string{}};
    KTM_CHECK(space.inside([&cookie] { cookie = own_cookie(); }));
    if (!cookie) {
        return std::move(cookie).error();
    }
    space.identity_ = cookie->empty() ? space.number_ : *std::move(cookie);
    return space;
}

Result<void> NetworkNamespace::inside(UniqueFunction<void()> work) const {
    const std::string home_number = own_number();
    if (home_number == number_) {
        work();
        return {};
    }
    const std::string intent = "enter " + said(place_);
    const disk::Descriptor home{::open(own_namespace_file, O_RDONLY | O_CLOEXEC)};
    if (!home.is_open()) {
        return system_error(errno, intent);
    }
    // ORDER: the way back is tried first. In a user namespace of ours we may be free to enter what
    // is ours, and not to return to what is not.
    for (const int place : {home.number(), file_.number()}) {
        if (::setns(place, CLONE_NEWNET) != 0) {
            return system_error(errno, intent);
        }
    }
    work();
    // Anything that we did from here on would be done to the wrong namespace.
    KTM_ASSERT(::setns(home.number(), CLONE_NEWNET) == 0);
    KTM_ASSERT(own_number() == home_number);
    return {};
}

Result<disk::Descriptor> open_setting(const NetworkNamespace& space, const std::string& name,
                                      int flags) {
    const std::string path = "/proc/sys/net/" + name;
    const std::string intent = "open " + path;
    if (!is_setting_name(name)) {
        return Error{Kind::usage, "EINVAL", "that is no name of a setting", intent, nullptr};
    }
    int number = -1;
    int fault = 0;
    // The names below /proc/sys/net are looked up in the namespace of who asks, even from a folder
    // that was opened elsewhere; an open file keeps to its namespace.
    KTM_CHECK(space.inside([&] {
        number = ::open(path.c_str(), flags | O_CLOEXEC);
        fault = errno;
    }));
    if (number < 0) {
        return system_error(fault, intent);
    }
    return disk::Descriptor{number};
}

Result<std::string> read_setting(const NetworkNamespace& space, const std::string& name) {
    Result<disk::Descriptor> file = open_setting(space, name, O_RDONLY);
    if (!file) {
        return std::move(file).error();
    }
    std::array<char, setting_bytes_max> buffer;
    const ssize_t count = ::read(file->number(), buffer.data(), buffer.size());
    if (count < 0) {
        return system_error(errno, "read /proc/sys/net/" + name);
    }
    std::string text{buffer.data(), static_cast<std::size_t>(count)};
    if (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

Result<void> write_setting(const NetworkNamespace& space, const std::string& name,
                           const std::string& value) {
    Result<disk::Descriptor> file = open_setting(space, name, O_WRONLY);
    if (!file) {
        return std::move(file).error();
    }
    // In one piece: the kernel takes each write for a whole value.
    const ssize_t count = ::write(file->number(), value.data(), value.size());
    if (count != static_cast<ssize_t>(value.size())) {
        return system_error(count < 0 ? errno : EIO, "write /proc/sys/net/" + name);
    }
    return {};
}

}  // namespace ktm::os
