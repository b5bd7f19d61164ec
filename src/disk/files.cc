// SPDX-License-Identifier: Apache-2.0
// disk/files.cc: the Files port on plain system calls.
#include "disk/files.hh"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "disk/descriptor.hh"
#include "disk/owned_file.hh"
#include "disk/plain_spool.hh"

namespace ktm::disk {

namespace {

constexpr std::size_t read_bytes = 65536;
/// What a mode says of those who are not the owner, and all that it says.
constexpr mode_t others_mode = S_IRWXG | S_IRWXO;
constexpr mode_t all_modes = 07777;

/// Reads pieces until the end or until `piece` answers false.
Result<void> read_from(int descriptor, const std::string& path,
                       UniqueFunction<bool(std::string_view)>& piece) {
    std::array<char, read_bytes> buffer;
    while (true) {
        const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return system_error(errno, "read " + path);
        }
        if (count == 0 || !piece({buffer.data(), static_cast<std::size_t>(count)})) {
            return {};
        }
    }
}

/// What is read must be whole.
Result<std::string> read_whole(int descriptor, const std::string& path, Bytes size_max) {
    std::string content;
    bool too_large = false;
    UniqueFunction<bool(std::string_view)> keep = [&](std::string_view piece) {
        too_large = content.size() + piece.size() > size_max.count;
        content += piece;
        return !too_large;
    };
    KTM_CHECK(read_from(descriptor, path, keep));
    if (too_large) {
        return Error{Kind::invalid, "too-large",
                     "it is larger than " + format_bytes(size_max) + ", the most that is read",
                     "read " + path, nullptr};
    }
    return content;
}

Error not_private(std::string code, std::string what, const std::string& path) {
    return Error{Kind::invalid, std::move(code), std::move(what), "read " + path, nullptr};
}

Result<void> write_and_rename(int descriptor, const std::string& temporary, const std::string& path,
                              std::string_view content) {
    int fault = write_all(descriptor, content);
    if (fault == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) {
        fault = errno;
    }
    if (fault != 0) {
        (void)::unlink(temporary.c_str());
        return system_error(fault, "write " + path);
    }
    return {};
}

}  // namespace

int write_all(int descriptor, std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) {
            return errno;
        }
        bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    return 0;
}

Result<std::vector<std::string>> PlainFiles::list(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code fault;
    std::filesystem::directory_iterator entries{folder, fault};
    for (; !fault && entries != std::filesystem::directory_iterator{}; entries.increment(fault)) {
        names.push_back(entries->path().filename().string());
    }
    if (fault) {
        return system_error(fault.value(), "read the folder " + folder);
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<void> PlainFiles::read_pieces(const std::string& path,
                                     UniqueFunction<bool(std::string_view)> piece) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.is_open()) {
        return system_error(errno, "open " + path);
    }
    return read_from(file.number(), path, piece);
}

Result<std::string> PlainFiles::read(const std::string& path, Bytes size_max) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.is_open()) {
        return system_error(errno, "open " + path);
    }
    return read_whole(file.number(), path, size_max);
}

Result<std::string> PlainFiles::read_private(const std::string& path, Bytes size_max) {
    // Who waits for the writer of a pipe would wait for ever.
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat facts {};
    if (!file.is_open() || ::fstat(file.number(), &facts) != 0) {
        return system_error(errno, "open " + path);
    }
    if (!S_ISREG(facts.st_mode)) {
        return not_private(
            "no-file",
            std::string{S_ISDIR(facts.st_mode) ? "it is a folder" : "it is no file"} +
                "; expected a file",
            path);
    }
    if ((facts.st_mode & others_mode) != 0) {
        std::array<char, 8> mode{};
        (void)std::snprintf(mode.data(), mode.size(), "%04o", facts.st_mode & all_modes);
        return not_private("not-private",
                           std::string{"others may read or change it, its mode is "} + mode.data() +
                               "; expected 0600: chmod 600 " + path,
                           path);
    }
    return read_whole(file.number(), path, size_max);
}

Result<void> PlainFiles::replace(const std::string& path, std::string_view content) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    std::error_code fault;
    if (!folder.empty()) {
        std::filesystem::create_directories(folder, fault);
    }
    if (fault) {
        return system_error(fault.value(), "make the folder " + folder.string());
    }
    std::string temporary = path + ".XXXXXX";
    const Descriptor file{::mkostemp(temporary.data(), O_CLOEXEC)};
    if (!file.is_open()) {
        return system_error(errno, "write " + path);
    }
    return write_and_rename(file.number(), temporary, path, content);
}

Result<void> PlainFiles::keep_secret(const std::string& path, std::string_view content) {
    Result<std::unique_ptr<ports::OwnedFile>> file = make_owned_file(path);
    if (!file) {
        return std::move(file).error();
    }
    Result<void> written = (*file)->append(content);
    if (!written) {
        (void)forget_secret(path);
    }
    return written;
}

Result<bool> PlainFiles::forget_secret(const std::string& path) {
    const bool had = ::unlink(path.c_str()) == 0;
    if (!had && errno != ENOENT) {
        return system_error(errno, "remove " + path);
    }
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (!folder.empty() && ::rmdir(folder.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY &&
        errno != EEXIST) {
        return system_error(errno, "remove the folder " + folder);
    }
    return had;
}

Result<std::unique_ptr<ports::OwnedFile>> PlainFiles::make_owned(const std::string& path) {
    return make_owned_file(path);
}

Result<std::unique_ptr<ports::OwnedFile>> PlainFiles::take_over(const std::string& path) {
    return take_over_file(path);
}

Result<bool> PlainFiles::is_in_memory(const std::string& folder) {
    return lies_in_memory(folder);
}

Result<std::unique_ptr<ports::Spool>> PlainFiles::spool(const std::string& path,
                                                        ports::Filter filter) {
    return open_plain_spool(path, std::move(filter));
}

}  // namespace ktm::disk
