// SPDX-License-Identifier: Apache-2.0
// sim/virtual_processes.cc: the Processes port as a table of command lines and their outcomes.
#include "sim/virtual_processes.hh"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ktm::sim {

namespace {

/// The first one's number; the next ones count up.
constexpr int first_pid = 1001;

/// A program from its start to its end. LIFETIME: held by its process; the callback that tells the
/// end holds a share, because it may destroy the process.
struct Run {
    ports::Processes::Ended ended;
    ports::Ending ending;
    std::unique_ptr<ports::Timer> timer;
    bool over = false;
};

void end_after(VirtualClock& clock, const std::shared_ptr<Run>& run, Duration delay) {
    run->timer = clock.arm(delay, [weak = std::weak_ptr<Run>{run}] {
        if (const std::shared_ptr<Run> alive = weak.lock()) {
            alive->over = true;
            ports::Processes::Ended ended = std::move(alive->ended);
            ended(std::move(alive->ending));
        }
    });
}

class VirtualProcess final : public ports::Process {
public:
    VirtualProcess(VirtualClock& clock, std::shared_ptr<Run> run, int pid)
        : clock_(clock), run_(std::move(run)), pid_(pid) {}

    [[nodiscard]] int pid() const override { return pid_; }

    [[nodiscard]] Result<void> send_signal(int signal) override {
        if (run_->over) {
            return system_error(ESRCH, "send signal " + std::to_string(signal) + " to process " +
                                           std::to_string(pid_));
        }
        // Every signal kills, but for 0, which only asks whether the process is there.
        if (signal != 0) {
            run_->ending = ports::Ending{};
            run_->ending.signal = signal;
            end_after(clock_, run_, Duration::zero());
        }
        return {};
    }

private:
    VirtualClock& clock_;
    std::shared_ptr<Run> run_;
    int pid_;
};

std::string keep(std::string text, Bytes output_max, Bytes& lost) {
    const std::size_t kept = std::min<std::uint64_t>(text.size(), output_max.count);
    lost.count += text.size() - kept;
    text.resize(kept);
    return text;
}

std::string command_line_of(const ports::Program& program) {
    std::string line;
    for (const std::string& word : program.argv) {
        line += (line.empty() ? "" : " ") + word;
    }
    return line;
}

}  // namespace

void VirtualProcesses::install(const std::string& command_line, ProgramOutcome outcome) {
    outcomes_[command_line] = std::move(outcome);
}

Result<std::unique_ptr<ports::Process>> VirtualProcesses::start(const ports::Program& program,
                                                                Ended ended) {
    if (program.argv.empty()) {
        return Error{Kind::usage, "no-program", "there is no program to start", "", nullptr};
    }
    std::string line = command_line_of(program);
    const auto found = outcomes_.find(line);
    if (found == outcomes_.end()) {
        return system_error(ENOENT, "start '" + program.argv[0] + "'");
    }
    const ProgramOutcome& outcome = found->second;
    auto run = std::make_shared<Run>();
    run->ended = std::move(ended);
    run->ending.exit_code = outcome.exit_code;
    run->ending.signal = outcome.signal;
    run->ending.out = keep(outcome.out, program.output_max, run->ending.output_lost);
    run->ending.err = keep(outcome.err, program.output_max, run->ending.output_lost);
    if (outcome.delay) {
        end_after(clock_, run, *outcome.delay);
    }
    const int pid = first_pid + static_cast<int>(started_.size());
    started_.push_back(std::move(line));
    return std::unique_ptr<ports::Process>{
        std::make_unique<VirtualProcess>(clock_, std::move(run), pid)};
}

}  // namespace ktm::sim
