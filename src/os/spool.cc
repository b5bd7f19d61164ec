// SPDX-License-Identifier: Apache-2.0
// os/spool.cc: a file that is written by a process of its own.
//
// Theory of operation. A write to a disk may block for seconds, and what a thread of ours still
// holds is gone when we are killed. So the writer is a process: forked at open, fed through a pipe,
// it reads until the pipe ends, filters, and writes. Appending costs one write to a pipe; when the
// pipe is full the bytes wait here and go first with the next append. The pipe survives us: after a
// kill -9 of the program the writer finds the end of the pipe behind the last byte, ends the stream
// and exits.
//
// The writer leaves our process group and session, so that a Ctrl-C at the terminal does not take
// it with us. It reports once, at its end, an errno value through a second pipe; close() waits for
// it.
//
// What it does not do: survive a kill of the whole control group, or of the machine.
#include "os/spool.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/bytes.hh"
#include "os/descriptor.hh"

namespace ktm::os {

namespace {

/// The kernel's default ceiling for a pipe; tens of thousands of records fit.
constexpr int pipe_bytes = 1 << 20;
/// LIMIT: what waits in memory when the disk stands still; beyond it the recording stops, and says
/// so.
constexpr std::size_t backlog_bytes_max = 64U << 20U;
/// LIMIT: how long close() waits for the disk.
constexpr int close_timeout_ms = 30'000;
/// After this long a person wants to know what is being waited for.
constexpr int slow_after_ms = 1'000;
constexpr std::size_t read_bytes = 65536;

struct Pipe {
    Descriptor reading;
    Descriptor writing;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return system_error(errno, "make a pipe");
    }
    return Pipe{Descriptor{ends[0]}, Descriptor{ends[1]}};
}

/// Everything from the pipe to the file; returns 0 or the errno value. Runs in the writer.
int drain(int pipe, int file, ports::Filter& filter) noexcept {
    std::array<char, read_bytes> buffer;
    int fault = 0;
    while (true) {
        const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        const bool last = count <= 0;
        // After a fault it goes on reading, so that the program is never stopped by a full pipe.
        if (fault == 0) {
            const std::size_t size = last ? 0 : static_cast<std::size_t>(count);
            fault = write_all(file, filter({buffer.data(), size}, last));
        }
        if (last) {
            return fault;
        }
    }
}

/// Closes every descriptor behind the standard ones but these.
void close_all_but(std::array<int, 3> kept) noexcept {
    std::sort(kept.begin(), kept.end());
    unsigned from = 3;
    for (const int number : kept) {
        const auto keep = static_cast<unsigned>(number);
        if (keep > from) {
            (void)::close_range(from, keep - 1, 0);
        }
        from = keep + 1;
    }
    (void)::close_range(from, ~0U, 0);
}

/// The writer's whole life. Never returns.
[[noreturn]] void run_writer(int pipe, int status, int file, ports::Filter& filter) noexcept {
    (void)::setsid();
    (void)::prctl(PR_SET_NAME, "katamaran-spool");
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXFSZ}) {
        (void)std::signal(signal, SIG_IGN);
    }
    // Whatever else we inherited would keep somebody's socket or terminal open.
    const int empty = ::open("/dev/null", O_RDWR);
    for (int standard = 0; standard <= 2; ++standard) {
        (void)::dup2(empty, standard);
    }
    close_all_but({pipe, status, file});
    const int fault = drain(pipe, file, filter);
    const bool told = ::write(status, &fault, sizeof fault) == sizeof fault;
    ::_exit(told && fault == 0 ? 0 : 1);
}

class ForkedSpool final : public ports::Spool {
public:
    ForkedSpool(std::string path, Descriptor pipe, Descriptor status, pid_t writer)
        : path_(std::move(path)),
          pipe_(std::move(pipe)),
          status_(std::move(status)),
          writer_(writer) {}

    ~ForkedSpool() override { (void)close(nullptr); }

    void append(std::string_view bytes) override {
        if (fault_ != 0 || !pipe_.is_open()) {
            return;
        }
        if (!flush_backlog()) {
            keep(bytes);
            return;
        }
        keep(bytes.substr(write_some(bytes)));
    }

    Result<void> close(UniqueFunction<void()> slow) override {
        if (writer_ <= 0) {
            return {};
        }
        slow_ = std::move(slow);
        wait_for_backlog();
        pipe_.reset();
        if (fault_ == 0) {
            fault_ = wait_for_status();
        }
        if (fault_ != ETIMEDOUT) {
            (void)::waitpid(writer_, nullptr, 0);
        }
        writer_ = -1;
        if (fault_ != 0) {
            return system_error(fault_, "write all of " + path_);
        }
        return {};
    }

private:
    /// Writes what the pipe takes without waiting, and returns how much that was.
    std::size_t write_some(std::string_view bytes) {
        std::size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t count = ::write(pipe_.number(), bytes.data() + done, bytes.size() - done);
            if (count > 0) {
                done += static_cast<std::size_t>(count);
            } else if (errno != EINTR) {
                fault_ = errno == EAGAIN ? fault_ : errno;
                break;
            }
        }
        return done;
    }

    bool flush_backlog() {
        backlog_.erase(0, write_some(backlog_));
        return backlog_.empty();
    }

    void keep(std::string_view bytes) {
        if (backlog_.size() + bytes.size() > backlog_bytes_max) {
            fault_ = ENOBUFS;
            return;
        }
        backlog_ += bytes;
    }

    void wait_for_backlog() {
        pollfd waiting{pipe_.number(), POLLOUT, 0};
        while (fault_ == 0 && !flush_backlog()) {
            if (!wait_for(waiting)) {
                fault_ = ETIMEDOUT;
            }
        }
    }

    /// Waits until it is ready; after a while it says that it waits. False when it gives up.
    bool wait_for(pollfd& waiting) {
        if (slow_ && ::poll(&waiting, 1, slow_after_ms) == 0) {
            slow_();
            slow_ = nullptr;
        }
        return ::poll(&waiting, 1, close_timeout_ms) != 0;
    }

    int wait_for_status() {
        pollfd waiting{status_.number(), POLLIN, 0};
        if (!wait_for(waiting)) {
            return ETIMEDOUT;
        }
        int fault = 0;
        const bool told = ::read(status_.number(), &fault, sizeof fault) == sizeof fault;
        return told ? fault : EPIPE;
    }

    std::string path_;
    Descriptor pipe_;
    Descriptor status_;
    pid_t writer_;
    std::string backlog_;
    int fault_ = 0;
    UniqueFunction<void()> slow_;
};

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

}  // namespace

Result<std::unique_ptr<ports::Spool>> open_spool(const std::string& path, ports::Filter filter) {
    Result<Pipe> data = make_pipe();
    if (!data) {
        return std::move(data).error();
    }
    Result<Pipe> status = make_pipe();
    if (!status) {
        return std::move(status).error();
    }
    // Last of what can fail for want of descriptors, so that no empty file is left in the way.
    Result<Descriptor> file = open_target(path);
    if (!file) {
        return std::move(file).error();
    }
    // A smaller pipe works too; only the backlog in memory is used sooner.
    (void)::fcntl(data->writing.number(), F_SETPIPE_SZ, pipe_bytes);
    const pid_t writer = ::fork();
    if (writer < 0) {
        return system_error(errno, "start the writer of " + path);
    }
    if (writer == 0) {
        run_writer(data->reading.number(), status->writing.number(), file->number(), filter);
    }
    (void)::fcntl(data->writing.number(), F_SETFL, O_NONBLOCK);
    return std::unique_ptr<ports::Spool>{std::make_unique<ForkedSpool>(
        path, std::move(data->writing), std::move(status->reading), writer)};
}

}  // namespace ktm::os
