// SPDX-License-Identifier: Apache-2.0
// disk/owned_file.cc: a file that one process at a time owns.
//
// Theory of operation. The owner holds a lock on the open file (flock), which the kernel lets go
// when the process ends, however that is. Who takes a file over locks it, and then looks whether
// the path still leads to it: between the open and the lock a former owner may have removed it.
// What was written is in the kernel, and so survives us; nothing waits for a disk.
//
// LIMIT: at most three attempts to make a file that others remove while it is made.
#include "disk/owned_file.hh"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "disk/descriptor.hh"

namespace ktm::disk {

namespace {

constexpr int attempts_max = 3;
constexpr mode_t file_mode = 0600;
constexpr mode_t folder_mode = 0700;

class LockedFile final : public ports::OwnedFile {
public:
    LockedFile(Descriptor file, std::string path, std::uint64_t size)
        : file_(std::move(file)), path_(std::move(path)), size_(size) {}

    [[nodiscard]] Result<void> append(std::string_view bytes) override {
        ssize_t count = -1;
        do {
            count = ::write(file_.number(), bytes.data(), bytes.size());
        } while (count < 0 && errno == EINTR);
        if (count == static_cast<ssize_t>(bytes.size())) {
            size_ += bytes.size();
            return {};
        }
        const int fault = count < 0 ? errno : ENOSPC;
        // Half a record is none. If this fails too, it stays at the end, where readers must expect
        // it: the machine may also stop in the middle of a write.
        (void)!::ftruncate(file_.number(), static_cast<off_t>(size_));
        return system_error(fault, "append to " + path_);
    }

    [[nodiscard]] Result<std::string> read(Bytes size_max) override {
        if (size_ > size_max.count) {
            return Error{Kind::invalid, "too-large",
                         "it is larger than " + format_bytes(size_max) + ", the most that is read",
                         "read " + path_, nullptr};
        }
        std::string content(size_, '\0');
        for (std::size_t done = 0; done < content.size();) {
            const ssize_t count = ::pread(file_.number(), content.data() + done,
                                          content.size() - done, static_cast<off_t>(done));
            if (count < 0 && errno != EINTR) {
                return system_error(errno, "read " + path_);
            }
            if (count == 0) {
                content.resize(done);
            }
            done += count > 0 ? static_cast<std::size_t>(count) : 0;
        }
        return content;
    }

    [[nodiscard]] Result<void> remove() override {
        if (::unlink(path_.c_str()) != 0) {
            return system_error(errno, "remove " + path_);
        }
        return {};
    }

private:
    Descriptor file_;
    std::string path_;
    std::uint64_t size_;
};

/// Locks it; then its facts, if the path still leads to it.
Result<std::optional<struct stat>> lock(const Descriptor& file, const std::string& path,
                                        const std::string& intent) {
    if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return system_error(errno, intent);
        }
        return Error{Kind::refused, "busy", "its owner still runs", intent, nullptr};
    }
    struct stat held {};
    struct stat named {};
    if (::fstat(file.number(), &held) != 0) {
        return system_error(errno, intent);
    }
    const bool same = ::stat(path.c_str(), &named) == 0 && named.st_ino == held.st_ino &&
                      named.st_dev == held.st_dev;
    return same ? std::optional{held} : std::nullopt;
}

std::unique_ptr<ports::OwnedFile> own_file(Descriptor file, const std::string& path,
                                           const struct stat& facts) {
    return std::make_unique<LockedFile>(std::move(file), path,
                                        static_cast<std::uint64_t>(facts.st_size));
}

/// Makes the folder and those above it, for us alone.
Result<void> make_folder(const std::filesystem::path& folder) {
    if (folder.empty() || ::mkdir(folder.c_str(), folder_mode) == 0 || errno == EEXIST) {
        return {};
    }
    if (errno == ENOENT && folder.has_parent_path() && folder.parent_path() != folder) {
        KTM_CHECK(make_folder(folder.parent_path()));
        if (::mkdir(folder.c_str(), folder_mode) == 0 || errno == EEXIST) {
            return {};
        }
    }
    return system_error(errno, "make the folder " + folder.string());
}

}  // namespace

Result<std::unique_ptr<ports::OwnedFile>> make_owned_file(const std::string& path) {
    const std::string intent = "make " + path;
    KTM_CHECK(make_folder(std::filesystem::path(path).parent_path()));
    for (int attempt = 1; attempt <= attempts_max; ++attempt) {
        Descriptor file{::open(path.c_str(),
                               O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                               file_mode)};
        if (!file.is_open()) {
            return system_error(errno, intent);
        }
        auto facts = lock(file, path, intent);
        if (!facts) {
            return std::move(facts).error();
        }
        // Somebody may have found it in the instant before it was locked, empty, and removed it.
        if (*facts) {
            return own_file(std::move(file), path, **facts);
        }
    }
    return Error{Kind::refused, "busy", "others remove it", intent, nullptr};
}

Result<std::unique_ptr<ports::OwnedFile>> take_over_file(const std::string& path) {
    const std::string intent = "take over " + path;
    Descriptor file{::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (!file.is_open()) {
        return system_error(errno, intent);
    }
    auto facts = lock(file, path, intent);
    if (!facts) {
        return std::move(facts).error();
    }
    if (!*facts) {
        return system_error(ENOENT, intent);
    }
    return own_file(std::move(file), path, **facts);
}

Result<bool> lies_in_memory(const std::string& folder) {
    struct statfs facts {};
    std::filesystem::path place = folder.empty() ? "." : folder;
    while (::statfs(place.c_str(), &facts) != 0) {
        if (errno != ENOENT || place == place.parent_path()) {
            return system_error(errno, "look at the folder " + folder);
        }
        place = place.has_parent_path() ? place.parent_path() : ".";
    }
    const auto kind = static_cast<std::uint32_t>(facts.f_type);
    return kind == TMPFS_MAGIC || kind == RAMFS_MAGIC;
}

}  // namespace ktm::disk
