// SPDX-License-Identifier: Apache-2.0
// os/process.cc: the Processes port on uv_spawn.
#include "os/process.hh"

#include <uv.h>

#include <array>
#include <csignal>
#include <utility>

#include "base/assert.hh"
#include "os/handle.hh"

namespace ktm::os {

namespace {

constexpr std::size_t output_chunk_bytes = 16384;

struct Run;

/// One of the two outputs of a child.
struct OutputState : State<uv_pipe_t> {
    Run* run = nullptr;
    std::string* text = nullptr;
    std::array<char, output_chunk_bytes> buffer;
};

struct ChildState : State<uv_process_t> {
    Run* run = nullptr;
};

/// A child from its start to its end. LIFETIME: shared by the UvProcess and, until the exit was
/// reported, by itself: a child whose owner is gone is killed but must still be reaped.
struct Run : std::enable_shared_from_this<Run> {
    Owned<ChildState> child;
    Owned<OutputState> out;
    Owned<OutputState> err;
    std::shared_ptr<Run> self;
    ports::Processes::Ended ended;
    ports::Ending ending;
    std::uint64_t output_max = 0;

    void take(std::string& text, std::string_view piece) {
        const std::size_t room = output_max - std::min<std::uint64_t>(output_max, text.size());
        text.append(piece.substr(0, room));
        ending.output_lost.count += piece.size() - std::min(room, piece.size());
    }

    void finish_when_done() {
        if (child || out || err) {
            return;
        }
        const std::shared_ptr<Run> alive = std::move(self);
        if (ended) {
            ports::Processes::Ended last_word = std::move(ended);
            last_word(std::move(ending));
        }
    }
};

void on_exit(uv_process_t* process, std::int64_t code, int signal) noexcept {
    auto* state = static_cast<ChildState*>(process->data);
    Run* run = state->run;
    run->ending.exit_code = static_cast<int>(code);
    run->ending.signal = signal;
    run->child.reset();
    run->finish_when_done();
}

void on_output_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
    auto* state = static_cast<OutputState*>(handle->data);
    *buffer = uv_buf_init(state->buffer.data(), static_cast<unsigned>(state->buffer.size()));
}

void on_output(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept {
    auto* state = static_cast<OutputState*>(stream->data);
    if (!state->owned || count == 0) {
        return;
    }
    Run* run = state->run;
    if (count > 0) {
        run->take(*state->text, {buffer->base, static_cast<std::size_t>(count)});
        return;
    }
    (state == run->out.get() ? run->out : run->err).reset();
    run->finish_when_done();
}

class UvProcess final : public ports::Process {
public:
    UvProcess(std::shared_ptr<Run> run, int pid) : run_(std::move(run)), pid_(pid) {}

    ~UvProcess() override {
        run_->ended = nullptr;
        run_->out.reset();
        run_->err.reset();
        (void)send_signal(SIGKILL);
        run_->finish_when_done();
    }

    [[nodiscard]] int pid() const override { return pid_; }

    [[nodiscard]] Result<void> send_signal(int signal) override {
        const std::string intent =
            "send signal " + std::to_string(signal) + " to process " + std::to_string(pid_);
        // Once reaped, the number may belong to somebody else.
        if (!run_->child) {
            return system_error(ESRCH, intent);
        }
        const int fault = uv_kill(-pid_, signal);
        return fault == 0 ? Result<void>{} : Result<void>{system_error(-fault, intent)};
    }

private:
    std::shared_ptr<Run> run_;
    int pid_;
};

Owned<OutputState> make_output(uv_loop_t* loop, Run* run, std::string* text) {
    auto fresh = std::make_unique<OutputState>();
    KTM_ASSERT(uv_pipe_init(loop, &fresh->handle, 0) == 0);
    fresh->run = run;
    fresh->text = text;
    return own(std::move(fresh));
}

uv_stdio_container_t readable(OutputState& output) {
    uv_stdio_container_t stdio{};
    stdio.flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
    stdio.data.stream = reinterpret_cast<uv_stream_t*>(&output.handle);
    return stdio;
}

}  // namespace

Result<std::unique_ptr<ports::Process>> UvProcesses::start(const ports::Program& program,
                                                           Ended ended) {
    if (program.argv.empty()) {
        return Error{Kind::usage, "no-program", "there is no program to start", "", nullptr};
    }
    auto run = std::make_shared<Run>();
    run->ended = std::move(ended);
    run->output_max = program.output_max.count;
    run->out = make_output(loop_.raw(), run.get(), &run->ending.out);
    run->err = make_output(loop_.raw(), run.get(), &run->ending.err);

    std::vector<char*> argv;
    for (const std::string& argument : program.argv) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    std::array<uv_stdio_container_t, 3> stdio{};
    stdio[0].flags = UV_IGNORE;
    stdio[1] = readable(*run->out);
    stdio[2] = readable(*run->err);
    uv_process_options_t options{};
    options.file = argv[0];
    options.args = argv.data();
    options.exit_cb = on_exit;
    // A session of its own: Ctrl-C at our terminal is ours alone, and a signal reaches what the
    // program has started, too.
    options.flags = UV_PROCESS_DETACHED;
    options.stdio = stdio.data();
    options.stdio_count = static_cast<int>(stdio.size());

    auto child = std::make_unique<ChildState>();
    child->run = run.get();
    const int fault = uv_spawn(loop_.raw(), &child->handle, &options);
    // libuv has initialised the handle whether or not the program started.
    run->child = own(std::move(child));
    if (fault != 0) {
        return system_error(-fault, "start '" + program.argv[0] + "'");
    }
    run->self = run;
    for (OutputState* output : {run->out.get(), run->err.get()}) {
        auto* stream = reinterpret_cast<uv_stream_t*>(&output->handle);
        KTM_ASSERT(uv_read_start(stream, on_output_alloc, on_output) == 0);
    }
    const int pid = run->child->handle.pid;
    return std::unique_ptr<ports::Process>{std::make_unique<UvProcess>(std::move(run), pid)};
}

}  // namespace ktm::os
