// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/told_ports.cc: ports of a simulated world, each of whose uses is told.
#include "scenarios/told_ports.hh"

#include <algorithm>
#include <utility>

#include "host/journal.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "net/undo.hh"

namespace ktm::testing {

namespace {

std::string word_of(const Error& error) {
    return std::string{name_of(error.kind)} + " " + error.code;
}

// --- Programs -----------------------------------------------------------------------------------

class ToldProcesses final : public ports::Processes {
public:
    ToldProcesses(ports::Processes& processes, Tell tell)
        : processes_(processes), tell_(std::move(tell)) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Process>> start(const ports::Program& program,
                                                                Ended ended) override {
        std::string line = "exec";
        for (const std::string& word : program.argv) {
            line += " " + word;
        }
        tell_(line);
        return processes_.start(program, std::move(ended));
    }

private:
    ports::Processes& processes_;
    Tell tell_;
};

// --- The kernel ---------------------------------------------------------------------------------

class ToldGuard final : public ports::Guard {
public:
    ToldGuard(std::unique_ptr<ports::Guard> guard, Tell tell)
        : guard_(std::move(guard)), tell_(std::move(tell)) {}
    ~ToldGuard() override { tell_("guard sent home"); }

    [[nodiscard]] Result<void> arm(Duration within) override {
        Result<void> armed = guard_->arm(within);
        tell_("guard armed for " + format_duration(within) +
              (armed ? "" : ": " + word_of(armed.error())));
        return armed;
    }
    [[nodiscard]] bool disarm() override {
        const bool in_time = guard_->disarm();
        tell_(in_time ? "guard disarmed" : "guard disarmed, and has acted");
        return in_time;
    }

private:
    std::unique_ptr<ports::Guard> guard_;
    Tell tell_;
};

class ToldNetwork final : public ports::Network {
public:
    ToldNetwork(std::shared_ptr<ports::Network> network, std::string prefix, Tell tell)
        : network_(std::move(network)), prefix_(std::move(prefix)), tell_(std::move(tell)) {}

    [[nodiscard]] const std::string& identity() const noexcept override {
        return network_->identity();
    }

    // LIFETIME: whoever is answered may destroy this.
    void send(net::Requests requests, Answered answered) override {
        struct Flight {
            net::Requests requests;
            bool inside = true;
            bool landed = false;
        };
        const auto flight = std::make_shared<Flight>(Flight{requests});
        const Tell tell = tell_;
        const std::string prefix = prefix_;
        const std::shared_ptr<ports::Network> network = network_;
        network->send(std::move(requests), [flight, tell, prefix, answered = std::move(answered)](
                                               Outcome outcome) mutable {
            flight->landed = true;
            for (std::size_t at = 0; at < outcome.size(); ++at) {
                tell(prefix + net::describe(flight->requests[at]) +
                     (flight->inside ? ": " : ": answered late: ") +
                     (outcome[at] ? "ok" : word_of(outcome[at].error())));
            }
            answered(std::move(outcome));
        });
        flight->inside = false;
        if (!flight->landed) {
            for (const net::Request& request : flight->requests) {
                tell(prefix + net::describe(request) + ": no answer yet");
            }
        }
    }

    [[nodiscard]] Result<std::unique_ptr<ports::Pinned>> watch(Handlers handlers) override {
        tell_(prefix_ + "watch");
        return network_->watch(std::move(handlers));
    }

    [[nodiscard]] Result<void> send_frame(const std::string& link,
                                          std::string_view frame) override {
        Result<void> sent = network_->send_frame(link, frame);
        tell_(prefix_ + "a frame of " + std::to_string(frame.size()) + " bytes out of " + link +
              ": " + (sent ? "ok" : word_of(sent.error())));
        return sent;
    }

    [[nodiscard]] Result<std::unique_ptr<ports::Guard>> guard(
        const net::Requests& requests) override {
        Result<std::unique_ptr<ports::Guard>> guard = network_->guard(requests);
        if (!guard) {
            return guard;
        }
        std::string what;
        for (const net::Request& request : requests) {
            what += (what.empty() ? "" : ", ") + net::describe(request);
        }
        tell_("guard set up to " + what);
        return std::unique_ptr<ports::Guard>{std::make_unique<ToldGuard>(std::move(*guard), tell_)};
    }

private:
    std::shared_ptr<ports::Network> network_;
    std::string prefix_;
    Tell tell_;
};

class ToldNetworks final : public ports::Networks {
public:
    ToldNetworks(ports::Networks& networks, Tell tell)
        : networks_(networks), tell_(std::move(tell)) {}

    [[nodiscard]] Result<std::shared_ptr<ports::Network>> open(const std::string& place) override {
        Result<std::shared_ptr<ports::Network>> network = networks_.open(place);
        if (!network) {
            tell_("net " + place + ": " + word_of(network.error()));
            return network;
        }
        return std::shared_ptr<ports::Network>{std::make_shared<ToldNetwork>(
            std::move(*network), place.empty() ? "net: " : "net " + place + ": ", tell_)};
    }

private:
    ports::Networks& networks_;
    Tell tell_;
};

// --- Journals -----------------------------------------------------------------------------------

std::string undo_in(const json::View& line) {
    if (const auto wish = line.find_string("guest")) {
        const std::optional<json::View> before = line.find("before");
        return host::describe(host::GuestUndo{std::string{*wish},
                                              std::string{line.find_string("vm").value_or("")},
                                              before ? json::compact(*before) : ""});
    }
    const std::optional<json::View> undo = line.find("undo");
    const Result<net::Undo> read = undo ? net::undo_from_json(*undo) : Result<net::Undo>{Error{}};
    return read ? net::describe(*read) : "what cannot be read";
}

std::string line_of(const json::View& line) {
    if (const auto number = line.find_int("do")) {
        return std::string{line.find_string("kind").value_or("")} + " " + std::to_string(*number) +
               ": " + undo_in(line);
    }
    if (const auto number = line.find_int("done")) {
        return "done " + std::to_string(*number);
    }
    return line.find("katamaran") ? "begun" : line.find("committed") ? "committed" : "something";
}

class ToldOwned final : public ports::OwnedFile {
public:
    ToldOwned(std::unique_ptr<ports::OwnedFile> file, Tell tell)
        : file_(std::move(file)), tell_(std::move(tell)) {}

    [[nodiscard]] Result<void> append(std::string_view bytes) override {
        Result<void> written = file_->append(bytes);
        const std::string end = written ? "" : ": " + word_of(written.error());
        while (!bytes.empty()) {
            const std::size_t size = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
            const Result<json::Document> line = json::parse(bytes.substr(0, size));
            tell_("journal: " + (line ? line_of(line->root()) : "something") + end);
            bytes.remove_prefix(size);
        }
        return written;
    }
    [[nodiscard]] Result<std::string> read(Bytes size_max) override {
        return file_->read(size_max);
    }
    [[nodiscard]] Result<void> remove() override {
        Result<void> removed = file_->remove();
        tell_("journal: removed" + (removed ? "" : ": " + word_of(removed.error())));
        return removed;
    }

private:
    std::unique_ptr<ports::OwnedFile> file_;
    Tell tell_;
};

class ToldFiles final : public ports::Files {
public:
    ToldFiles(ports::Files& files, Tell tell) : files_(files), tell_(std::move(tell)) {}

    [[nodiscard]] Result<std::string> read(const std::string& path, Bytes size_max) override {
        return files_.read(path, size_max);
    }
    [[nodiscard]] Result<std::string> read_private(const std::string& path,
                                                   Bytes size_max) override {
        return files_.read_private(path, size_max);
    }
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& folder) override {
        return files_.list(folder);
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
        Result<void> kept = files_.keep_secret(path, content);
        tell_("secret: kept" + (kept ? "" : ": " + word_of(kept.error())));
        return kept;
    }
    [[nodiscard]] Result<bool> forget_secret(const std::string& path) override {
        Result<bool> forgotten = files_.forget_secret(path);
        tell_("secret: forgotten" + (forgotten ? "" : ": " + word_of(forgotten.error())));
        return forgotten;
    }
    [[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> make_owned(
        const std::string& path) override {
        return told(files_.make_owned(path), "make " + path);
    }
    [[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> take_over(
        const std::string& path) override {
        return told(files_.take_over(path), "take over " + path);
    }
    [[nodiscard]] Result<bool> is_in_memory(const std::string& folder) override {
        return files_.is_in_memory(folder);
    }
    [[nodiscard]] Result<std::unique_ptr<ports::Spool>> spool(const std::string& path,
                                                              ports::Filter filter) override {
        return files_.spool(path, std::move(filter));
    }

private:
    Result<std::unique_ptr<ports::OwnedFile>> told(Result<std::unique_ptr<ports::OwnedFile>> file,
                                                   const std::string& what) {
        if (!file) {
            tell_("journal: " + what + ": " + word_of(file.error()));
            return file;
        }
        return std::unique_ptr<ports::OwnedFile>{
            std::make_unique<ToldOwned>(std::move(*file), tell_)};
    }

    ports::Files& files_;
    Tell tell_;
};

}  // namespace

std::unique_ptr<ports::Processes> told_processes(ports::Processes& processes, Tell tell) {
    return std::make_unique<ToldProcesses>(processes, std::move(tell));
}

std::unique_ptr<ports::Networks> told_networks(ports::Networks& networks, Tell tell) {
    return std::make_unique<ToldNetworks>(networks, std::move(tell));
}

std::unique_ptr<ports::Files> told_files(ports::Files& files, Tell tell) {
    return std::make_unique<ToldFiles>(files, std::move(tell));
}

}  // namespace ktm::testing
