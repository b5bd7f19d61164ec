// SPDX-License-Identifier: Apache-2.0
// sim/recalled_ports.hh: sockets, programs and files that do what they did when they were recorded.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ports/transport.hh"
#include "sim/recalled_exchanges.hh"
#include "sim/recalled_peer.hh"
#include "sim/virtual_files.hh"
#include "sim/virtual_processes.hh"

namespace ktm::sim {

/// Who asks for what is in no recording is refused, and the owner of the simulation is told that it
/// goes no further.
using OnUnknown = UniqueFunction<void(Error)>;

/// Connects to whom the recording knows. The other node is where the plan looks for it, or waits.
class RecalledTransport final : public ports::Transport {
public:
    RecalledTransport(ports::Transport& transport, OnUnknown on_unknown)
        : transport_(transport), on_unknown_(std::move(on_unknown)) {}

    /// Somebody will be there.
    void expect(const Endpoint& endpoint) { known_[endpoint.text()] = std::nullopt; }
    /// The other node of the plan is there.
    void expect(const Endpoint& endpoint, RecalledPeer& peer) {
        peer_ = &peer;
        peer_endpoint_ = endpoint.text();
    }
    /// Nobody could be reached there.
    void expect(const Endpoint& endpoint, Error error) {
        known_[endpoint.text()] = std::move(error);
    }

    [[nodiscard]] Result<std::unique_ptr<ports::Pending>> connect(const Endpoint& endpoint,
                                                                  Connected connected) override;
    [[nodiscard]] Result<std::unique_ptr<ports::Listener>> listen(const Endpoint& endpoint,
                                                                  Accepted accepted) override;

private:
    ports::Transport& transport_;
    OnUnknown on_unknown_;
    RecalledPeer* peer_ = nullptr;
    std::string peer_endpoint_;
    std::map<std::string, std::optional<Error>> known_;
};

/// Programs, each as often as it was started in the recording: what one does the next time, nobody
/// knows.
class RecalledProcesses final : public ports::Processes {
public:
    RecalledProcesses(VirtualClock& clock, RecalledExchanges exchanges, OnUnknown on_unknown)
        : programs_(clock), exchanges_(std::move(exchanges)), on_unknown_(std::move(on_unknown)) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Process>> start(const ports::Program& program,
                                                                Ended ended) override;

    [[nodiscard]] const RecalledExchanges& exchanges() const noexcept { return exchanges_; }

private:
    VirtualProcesses programs_;
    RecalledExchanges exchanges_;
    OnUnknown on_unknown_;
};

/// What a plan reads of the kernel's files is recalled; what a run writes for itself lies in
/// memory.
class RecalledFiles final : public ports::Files {
public:
    RecalledFiles(RecalledExchanges exchanges, OnUnknown on_unknown)
        : exchanges_(std::move(exchanges)), on_unknown_(std::move(on_unknown)) {}

    [[nodiscard]] Result<std::string> read(const std::string& path, Bytes size_max) override;
    [[nodiscard]] Result<std::string> read_private(const std::string& path,
                                                   Bytes size_max) override {
        return memory_.read_private(path, size_max);
    }
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& folder) override;
    [[nodiscard]] Result<void> read_pieces(const std::string& path,
                                           UniqueFunction<bool(std::string_view)> piece) override {
        return memory_.read_pieces(path, std::move(piece));
    }
    [[nodiscard]] Result<void> replace(const std::string& path, std::string_view content) override {
        return memory_.replace(path, content);
    }
    [[nodiscard]] Result<void> keep_secret(const std::string& path,
                                           std::string_view content) override {
        return memory_.keep_secret(path, content);
    }
    [[nodiscard]] Result<bool> forget_secret(const std::string& path) override {
        return memory_.forget_secret(path);
    }
    [[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> make_owned(
        const std::string& path) override {
        return memory_.make_owned(path);
    }
    [[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> take_over(
        const std::string& path) override {
        return memory_.take_over(path);
    }
    /// As it was; where that is not known, it lies in memory, as ours does.
    [[nodiscard]] Result<bool> is_in_memory(const std::string& folder) override;
    [[nodiscard]] Result<std::unique_ptr<ports::Spool>> spool(const std::string& path,
                                                              ports::Filter filter) override {
        return memory_.spool(path, std::move(filter));
    }

private:
    [[nodiscard]] Result<RecalledExchanges::Answer> look_up(std::string_view what,
                                                            const std::string& path);
    [[nodiscard]] Result<json::View> recall(std::string_view what, const std::string& path);

    VirtualFiles memory_;
    RecalledExchanges exchanges_;
    OnUnknown on_unknown_;
};

}  // namespace ktm::sim
