// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/torn_transport.hh: connections that fall silent, break, and are refused.
#pragma once

#include <memory>
#include <vector>

#include "ports/transport.hh"

namespace ktm::testing {

/// Passes everything on, as long as the test does not want anything else.
class TornTransport final : public ports::Transport {
public:
    explicit TornTransport(ports::Transport& transport) : transport_(transport) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Pending>> connect(const Endpoint& endpoint,
                                                                  Connected connected) override;
    [[nodiscard]] Result<std::unique_ptr<ports::Listener>> listen(const Endpoint& endpoint,
                                                                  Accepted accepted) override;

    /// What is written from now on does not arrive; false: it does again, and first what was held.
    void mute(bool muted);
    /// All connections end, with what is under way on them.
    void tear();
    /// Whether new connections fail.
    void refuse(bool refused) { refuses_ = refused; }
    [[nodiscard]] unsigned connections() const { return connections_; }

    struct Line;

private:
    class TornStream;

    std::unique_ptr<ports::Stream> wrap(std::unique_ptr<ports::Stream> stream);

    ports::Transport& transport_;
    std::vector<std::weak_ptr<Line>> lines_;
    bool muted_ = false;
    bool refuses_ = false;
    unsigned connections_ = 0;
};

}  // namespace ktm::testing
