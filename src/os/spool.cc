// SPDX-License-Identifier: Apache-2.0
// os/spool.cc: a file that is written by a process of its own.
//
// Theory of operation. A write to a disk may block for seconds, and what a thread of ours still
// holds is gone when we are killed. So the writer is a process: forked at open, fed through a pipe,
// it reads until the pipe ends, filters, and writes. Appending costs one write to a pipe. The pipe
// survives us: after a kill -9 of the program the writer finds the end of the pipe behind the last
// byte, ends the stream and exits. What a full pipe does not take waits here until the loop sees
// room in it.
//
// The writer leaves our process group and session, so that a Ctrl-C at the terminal does not take
// it with us. It reports once, at its end, an errno value through a second pipe; close() waits for
// it, at most close_timeout.
//
// What it does not do: survive a kill of the whole control group, or of the machine; and a kill -9
// while a disk stands still loses what waits in memory, beyond the mebibyte in the pipe.
#include "os/spool.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

#include "base/assert.hh"
#include "base/bytes.hh"
#include "os/deaf_fork.hh"
#include "os/handle.hh"

namespace ktm::os {

namespace {

/// The kernel's default ceiling for a pipe; tens of thousands of records fit.
constexpr int pipe_bytes = 1 << 20;
/// LIMIT: what waits in memory when the disk stands still; beyond it the recording stops, and says
/// so.
constexpr std::size_t backlog_bytes_max = 64U << 20U;
/// LIMIT: how long close() waits for the disk.
constexpr std::chrono::milliseconds close_timeout{30'000};
/// After this long a person wants to know what is being waited for.
constexpr std::chrono::milliseconds slow_after{1'000};
constexpr std::size_t spool_chunk_bytes = 65536;

struct Pipe {
    disk::Descriptor reading;
    disk::Descriptor writing;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return system_error(errno, "make a pipe");
    }
    return Pipe{disk::Descriptor{ends[0]}, disk::Descriptor{ends[1]}};
}

/// Everything from the pipe to the file; returns 0 or the errno value. Runs in the writer.
int drain(int pipe, int file, ports::Filter& filter) noexcept {
    std::array<char, spool_chunk_bytes> buffer;
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
            fault = disk::write_all(file, filter({buffer.data(), size}, last));
        }
        if (last) {
            return fault;
        }
    }
}

/// The writer's whole life. Never returns.
[[noreturn]] void run_writer(int pipe, int status, int file, ports::Filter& filter) noexcept {
    (void)::setsid();
    (void)::prctl(PR_SET_NAME, "katamaran-spool");
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXFSZ}) {
        (void)std::signal(signal, SIG_IGN);
    }
    // ORDER: what came since the fork has just been thrown away; only now may signals come in.
    sigset_t none;
    (void)::sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::array<int, 3> kept{pipe, status, file};
    keep_only(kept);
    const int fault = drain(pipe, file, filter);
    const bool told = ::write(status, &fault, sizeof fault) == sizeof fault;
    ::_exit(told && fault == 0 ? 0 : 1);
}

/// Waits until the descriptor is ready, at most so long; a signal does not end the wait.
bool wait_until_ready(pollfd& waiting, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (true) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<long>(left.count(), 0)));
        if (ready != 0 && !(ready < 0 && errno == EINTR)) {
            return true;
        }
        if (left.count() <= 0) {
            return false;
        }
    }
}

class ForkedSpool;

/// The watch for room in the pipe, while something waits in memory.
struct RoomState : State<uv_poll_t> {
    ForkedSpool* spool = nullptr;
};

class ForkedSpool final : public ports::Spool {
public:
    ForkedSpool(UvLoop& loop, std::string path, disk::Descriptor pipe, disk::Descriptor status,
                pid_t writer)
        : loop_(loop),
          path_(std::move(path)),
          pipe_(std::move(pipe)),
          status_(std::move(status)),
          writer_(writer) {}

    ~ForkedSpool() override { (void)close(nullptr); }

    void append(std::string_view bytes) override {
        if (fault_ != 0 || overflowed_ || !pipe_.is_open()) {
            return;
        }
        // ORDER: what waits goes first.
        const std::size_t done = flush_backlog() ? write_some(bytes) : 0;
        keep(bytes.substr(done));
    }

    /// Called by the loop when the pipe has room again.
    void go_on() {
        if (flush_backlog() || fault_ != 0) {
            room_.reset();
        }
    }

    Result<void> close(UniqueFunction<void()> slow) override {
        if (writer_ <= 0) {
            return {};
        }
        slow_ = std::move(slow);
        room_.reset();
        pollfd room{pipe_.number(), POLLOUT, 0};
        while (fault_ == 0 && !flush_backlog()) {
            fault_ = wait_for(room) ? fault_ : ETIMEDOUT;
        }
        pipe_.reset();
        const int told = wait_for_status();
        writer_ = -1;
        if (overflowed_) {
            return Error{Kind::io, "ENOBUFS",
                         "the disk stood still until " + format_bytes(Bytes{backlog_bytes_max}) +
                             " waited; what came later is not in it",
                         "write all of " + path_, nullptr};
        }
        fault_ = fault_ != 0 ? fault_ : told;
        return fault_ == 0 ? Result<void>{}
                           : Result<void>{system_error(fault_, "write all of " + path_)};
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

    /// What the pipe did not take waits here, and goes when the loop sees room in the pipe.
    void keep(std::string_view bytes) {
        overflowed_ = backlog_.size() + bytes.size() > backlog_bytes_max;
        if (!overflowed_) {
            backlog_ += bytes;
        }
        if (!backlog_.empty() && !room_) {
            watch_for_room();
        }
    }

    void watch_for_room() {
        auto fresh = std::make_unique<RoomState>();
        fresh->spool = this;
        KTM_ASSERT(uv_poll_init(loop_.raw(), &fresh->handle, pipe_.number()) == 0);
        room_ = own(std::move(fresh));
        KTM_ASSERT(uv_poll_start(&room_->handle, UV_WRITABLE, on_room) == 0);
        // The recording alone is no reason to go on.
        uv_unref(room_->raw());
    }

    static void on_room(uv_poll_t* handle, int, int) noexcept {
        auto* state = static_cast<RoomState*>(handle->data);
        if (state->owned) {
            state->spool->go_on();
        }
    }

    /// Waits until it is ready; after a while it says that it waits. False when it gives up.
    bool wait_for(pollfd& waiting) {
        if (slow_ && !wait_until_ready(waiting, slow_after)) {
            slow_();
            slow_ = nullptr;
        }
        return wait_until_ready(waiting, close_timeout);
    }

    /// The writer's last word, or ETIMEDOUT; then it is left to end by itself.
    [[nodiscard]] int wait_for_status() {
        pollfd waiting{status_.number(), POLLIN, 0};
        if (!wait_for(waiting)) {
            return ETIMEDOUT;
        }
        int fault = 0;
        const bool told = ::read(status_.number(), &fault, sizeof fault) == sizeof fault;
        (void)::waitpid(writer_, nullptr, 0);
        return told ? fault : EPIPE;
    }

    UvLoop& loop_;
    std::string path_;
    disk::Descriptor pipe_;
    disk::Descriptor status_;
    pid_t writer_;
    std::string backlog_;
    bool overflowed_ = false;
    int fault_ = 0;
    Owned<RoomState> room_;
    UniqueFunction<void()> slow_;
};

}  // namespace

Result<std::unique_ptr<ports::Spool>> open_spool(UvLoop& loop, const std::string& path,
                                                 ports::Filter filter) {
    Result<Pipe> data = make_pipe();
    if (!data) {
        return std::move(data).error();
    }
    Result<Pipe> status = make_pipe();
    if (!status) {
        return std::move(status).error();
    }
    // Last of what can fail for want of descriptors, so that no empty file is left in the way.
    Result<disk::Descriptor> file = disk::open_target(path);
    if (!file) {
        return std::move(file).error();
    }
    // A smaller pipe works too; only the backlog in memory is used sooner.
    (void)::fcntl(data->writing.number(), F_SETPIPE_SZ, pipe_bytes);
    const pid_t writer = fork_deaf();
    if (writer < 0) {
        const int fault = errno;
        if (struct stat facts{}; ::fstat(file->number(), &facts) == 0 && S_ISREG(facts.st_mode)) {
            (void)::unlink(path.c_str());
        }
        return system_error(fault, "start the writer of " + path);
    }
    if (writer == 0) {
        run_writer(data->reading.number(), status->writing.number(), file->number(), filter);
    }
    (void)::fcntl(data->writing.number(), F_SETFL, O_NONBLOCK);
    return std::unique_ptr<ports::Spool>{std::make_unique<ForkedSpool>(
        loop, path, std::move(data->writing), std::move(status->reading), writer)};
}

}  // namespace ktm::os
