// SPDX-License-Identifier: Apache-2.0
// disk/plain_spool.cc: a new file that is appended to, by calls that wait for the disk.
#include "disk/plain_spool.hh"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace ktm::disk {

namespace {

class PlainSpool final : public ports::Spool {
public:
    PlainSpool(std::string path, Descriptor file, ports::Filter filter)
        : path_(std::move(path)), file_(std::move(file)), filter_(std::move(filter)) {}
    ~PlainSpool() override { (void)close(nullptr); }

    void append(std::string_view bytes) override { put(filter_(bytes, false)); }

    [[nodiscard]] Result<void> close(UniqueFunction<void()> /*slow*/) override {
        if (file_.is_open()) {
            put(filter_("", true));
            file_.reset();
        }
        return fault_ == 0 ? Result<void>{} : system_error(fault_, "write " + path_);
    }

private:
    /// The first thing that goes wrong is what is told; behind it nothing is written.
    void put(std::string_view bytes) {
        if (fault_ == 0 && file_.is_open()) {
            fault_ = write_all(file_.number(), bytes);
        }
    }

    std::string path_;
    Descriptor file_;
    ports::Filter filter_;
    int fault_ = 0;
};

}  // namespace

/// A new file, or an existing one that is not a regular file: a pipe, /dev/stdout.
Result<Descriptor> open_target(const std::string& path) {
    Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
    if (file.is_open()) {
        return file;
    }
    if (errno != EEXIST) {
        return system_error(errno, "create " + path);
    }
    struct stat facts {};
    if (::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode)) {
        return Error{Kind::usage, "EEXIST",
                     "the file exists, and a recording never overwrites; choose another name or "
                     "remove it",
                     "create " + path, nullptr};
    }
    // Without O_NONBLOCK the open of a FIFO that nobody reads would wait for a reader.
    file = Descriptor{::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file.is_open()) {
        return system_error(errno, "open " + path);
    }
    (void)::fcntl(file.number(), F_SETFL, 0);
    return file;
}

Result<std::unique_ptr<ports::Spool>> open_plain_spool(const std::string& path,
                                                       ports::Filter filter) {
    Result<Descriptor> file = open_target(path);
    if (!file) {
        return std::move(file).error();
    }
    return std::unique_ptr<ports::Spool>{
        std::make_unique<PlainSpool>(path, std::move(*file), std::move(filter))};
}

}  // namespace ktm::disk
