// SPDX-License-Identifier: Apache-2.0
// monitor/recorded_world.cc: programs, files and signals, kept with what they said.
#include "monitor/recorded_world.hh"

#include <cstring>
#include <utility>

#include "base/text.hh"
#include "json/writer.hh"
#include "trace/exchange.hh"

namespace ktm::monitor {

namespace {

using SharedExchanges = std::shared_ptr<Exchanges>;

std::string request_of(std::string_view what, std::string_view path) {
    json::ObjectWriter request;
    request.text("what", what).text("path", path);
    return std::move(request).finish();
}

/// Notes the signals that we send: what a program that was killed would have done is not known.
class RecordedProcess final : public ports::Process {
public:
    RecordedProcess(std::unique_ptr<ports::Process> process, SharedExchanges exchanges,
                    std::uint64_t id)
        : process_(std::move(process)), exchanges_(std::move(exchanges)), id_(id) {}

    [[nodiscard]] int pid() const override { return process_->pid(); }
    [[nodiscard]] Result<void> send_signal(int signal) override {
        json::ObjectWriter message;
        message.integer("kills", static_cast<std::int64_t>(id_)).integer("signal", signal);
        exchanges_->recorder().message(trace::exec_port, trace::Direction::out,
                                       std::move(message).finish());
        return process_->send_signal(signal);
    }

private:
    std::unique_ptr<ports::Process> process_;
    SharedExchanges exchanges_;
    std::uint64_t id_;
};

class RecordedProcesses final : public ports::Processes {
public:
    RecordedProcesses(ports::Processes& processes, SharedExchanges exchanges)
        : processes_(processes), exchanges_(std::move(exchanges)) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Process>> start(const ports::Program& program,
                                                                Ended ended) override {
        std::string argv = "[";
        for (const std::string& word : program.argv) {
            argv += (argv.size() == 1 ? "" : ",") + json::quoted(word);
        }
        json::ObjectWriter request;
        request.text("what", "run").json("argv", argv + "]");
        const std::uint64_t id = exchanges_->ask(trace::exec_port, "", std::move(request).finish(),
                                                 printable(joined(program.argv, " ")));
        Result<std::unique_ptr<ports::Process>> process = processes_.start(
            program,
            [exchanges = exchanges_, id, ended = std::move(ended)](ports::Ending ending) mutable {
                exchanges->answer(trace::exec_port, id, answer_of(ending));
                ended(std::move(ending));
            });
        if (!process) {
            exchanges_->fail(trace::exec_port, id, process.error());
            return process;
        }
        return std::unique_ptr<ports::Process>{
            std::make_unique<RecordedProcess>(std::move(*process), exchanges_, id)};
    }

private:
    static std::string answer_of(const ports::Ending& ending) {
        json::ObjectWriter answer;
        answer.integer("exit", ending.exit_code).integer("signal", ending.signal);
        answer.text("out", ending.out).text("err", ending.err);
        answer.integer("lost", static_cast<std::int64_t>(ending.output_lost.count));
        return std::move(answer).finish();
    }

    ports::Processes& processes_;
    SharedExchanges exchanges_;
};

/// The lines of a journal are JSON; what was not written is kept with the reason.
class RecordedOwnedFile final : public ports::OwnedFile {
public:
    RecordedOwnedFile(std::unique_ptr<ports::OwnedFile> file, SharedExchanges exchanges)
        : file_(std::move(file)), exchanges_(std::move(exchanges)) {}

    [[nodiscard]] Result<void> append(std::string_view bytes) override {
        Result<void> appended = file_->append(bytes);
        Recorder& recorder = exchanges_->recorder();
        while (!bytes.empty()) {
            const std::string_view line = bytes.substr(0, bytes.find('\n'));
            bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
            if (!line.empty()) {
                recorder.message(trace::journal_port, trace::Direction::out, line);
            }
        }
        if (!appended) {
            note("not written: " + appended.error().sentence());
        }
        return appended;
    }
    [[nodiscard]] Result<std::string> read(Bytes size_max) override {
        return file_->read(size_max);
    }
    [[nodiscard]] Result<void> remove() override {
        Result<void> removed = file_->remove();
        note(removed ? "removed" : "not removed: " + removed.error().sentence());
        return removed;
    }

private:
    void note(std::string_view text) {
        exchanges_->recorder().text(trace::journal_port, trace::Direction::note, text);
    }

    std::unique_ptr<ports::OwnedFile> file_;
    SharedExchanges exchanges_;
};

class RecordedFiles final : public ports::Files {
public:
    RecordedFiles(ports::Files& files, SharedExchanges exchanges)
        : files_(files), exchanges_(std::move(exchanges)) {}

    [[nodiscard]] Result<std::string> read(const std::string& path, Bytes size_max) override {
        const std::uint64_t id = ask("read", path);
        Result<std::string> content = files_.read(path, size_max);
        if (!content) {
            exchanges_->fail(trace::files_port, id, content.error());
            return content;
        }
        json::ObjectWriter answer;
        answer.text("text", *content);
        exchanges_->answer(trace::files_port, id, std::move(answer).finish());
        return content;
    }
    /// What it holds is in no recording.
    [[nodiscard]] Result<std::string> read_private(const std::string& path,
                                                   Bytes size_max) override {
        return files_.read_private(path, size_max);
    }
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& folder) override {
        const std::uint64_t id = ask("list", folder);
        Result<std::vector<std::string>> names = files_.list(folder);
        if (!names) {
            exchanges_->fail(trace::files_port, id, names.error());
            return names;
        }
        std::string array = "[";
        for (const std::string& name : *names) {
            array += (array.size() == 1 ? "" : ",") + json::quoted(name);
        }
        json::ObjectWriter answer;
        answer.json("names", array + "]");
        exchanges_->answer(trace::files_port, id, std::move(answer).finish());
        return names;
    }
    [[nodiscard]] Result<void> read_pieces(const std::string& path,
                                           UniqueFunction<bool(std::string_view)> piece) override {
        return files_.read_pieces(path, std::move(piece));
    }
    [[nodiscard]] Result<void> replace(const std::string& path, std::string_view content) override {
        return files_.replace(path, content);
    }
    [[nodiscard]] Result<void> keep_secret(const std::string& path,
                                           std::string_view content) override {
        return files_.keep_secret(path, content);
    }
    [[nodiscard]] Result<bool> forget_secret(const std::string& path) override {
        return files_.forget_secret(path);
    }
    [[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> make_owned(
        const std::string& path) override {
        return recorded(files_.make_owned(path));
    }
    [[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> take_over(
        const std::string& path) override {
        return recorded(files_.take_over(path));
    }
    [[nodiscard]] Result<bool> is_in_memory(const std::string& folder) override {
        const std::uint64_t id = ask("is-in-memory", folder);
        Result<bool> memory = files_.is_in_memory(folder);
        if (!memory) {
            exchanges_->fail(trace::files_port, id, memory.error());
            return memory;
        }
        json::ObjectWriter answer;
        answer.boolean("memory", *memory);
        exchanges_->answer(trace::files_port, id, std::move(answer).finish());
        return memory;
    }
    [[nodiscard]] Result<std::unique_ptr<ports::Spool>> spool(const std::string& path,
                                                              ports::Filter filter) override {
        return files_.spool(path, std::move(filter));
    }

private:
    std::uint64_t ask(std::string_view what, const std::string& path) {
        return exchanges_->ask(trace::files_port, "", request_of(what, path),
                               std::string{what} + " " + path);
    }
    Result<std::unique_ptr<ports::OwnedFile>> recorded(
        Result<std::unique_ptr<ports::OwnedFile>> file) {
        if (!file) {
            return file;
        }
        return std::unique_ptr<ports::OwnedFile>{
            std::make_unique<RecordedOwnedFile>(std::move(*file), exchanges_)};
    }

    ports::Files& files_;
    SharedExchanges exchanges_;
};

class RecordedSignals final : public ports::Signals {
public:
    RecordedSignals(ports::Signals& signals, Recorder& recorder)
        : signals_(signals), recorder_(recorder) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Watch>> watch(
        int signal, UniqueFunction<void()> arrived) override {
        return signals_.watch(signal, [this, signal, arrived = std::move(arrived)]() mutable {
            recorder_.signal(signal);
            arrived();
        });
    }

private:
    ports::Signals& signals_;
    Recorder& recorder_;
};

}  // namespace

std::uint64_t Exchanges::ask(std::string_view port, std::string_view place,
                             std::string_view request, std::string_view words) {
    recorder_.message(port, trace::Direction::out,
                      trace::request_message(++last_, place, request, words));
    return last_;
}

void Exchanges::answer(std::string_view port, std::uint64_t id, std::string_view answer) {
    recorder_.message(port, trace::Direction::in, trace::answer_message(id, answer));
}

void Exchanges::fail(std::string_view port, std::uint64_t id, const Error& error) {
    recorder_.message(port, trace::Direction::in, trace::error_message(id, error));
}

void Exchanges::settle(std::string_view port, std::uint64_t id, const Result<void>& outcome) {
    if (outcome) {
        answer(port, id, "{}");
    } else {
        fail(port, id, outcome.error());
    }
}

RecordedWorld::RecordedWorld(const ports::World& world, Recorder& recorder) : world_(world) {
    const auto exchanges = std::make_shared<Exchanges>(recorder);
    processes_ = std::make_unique<RecordedProcesses>(world.processes, exchanges);
    files_ = std::make_unique<RecordedFiles>(world.files, exchanges);
    signals_ = std::make_unique<RecordedSignals>(world.signals, recorder);
    networks_ = recorded_networks(world.networks, exchanges);
}

ports::World RecordedWorld::ports() noexcept {
    return ports::World{world_.loop, world_.clock, world_.transport, *processes_,
                        *files_,     *signals_,    *networks_,       world_.ciphers};
}

}  // namespace ktm::monitor
