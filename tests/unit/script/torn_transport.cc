// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/torn_transport.cc: connections that fall silent, break, and are refused.
#include "script/torn_transport.hh"

#include <cerrno>
#include <string>
#include <utility>

namespace ktm::testing {

/// One end of a connection. LIFETIME: shared by its stream and by who tears it.
struct TornTransport::Line {
    std::unique_ptr<ports::Stream> inner;
    ports::Stream::Handlers handlers;
    std::string held;
    bool muted = false;
    bool owned = true;

    void end(std::optional<Error> error) {
        if (owned && handlers.on_end) {
            inner.reset();
            handlers.on_end(std::move(error));
        }
    }
};

class TornTransport::TornStream final : public ports::Stream {
public:
    explicit TornStream(std::shared_ptr<Line> line) : line_(std::move(line)) {}
    ~TornStream() override {
        line_->owned = false;
        line_->inner.reset();
    }

    void start(Handlers handlers) override {
        line_->handlers = std::move(handlers);
        const std::shared_ptr<Line> line = line_;
        line_->inner->start({[line](std::string_view bytes) {
                                 if (line->owned) {
                                     line->handlers.on_data(bytes);
                                 }
                             },
                             [line](std::optional<Error> error) { line->end(std::move(error)); }});
    }

    void write(std::string bytes) override {
        if (line_->muted) {
            line_->held += bytes;
        } else if (line_->inner != nullptr) {
            line_->inner->write(std::move(bytes));
        }
    }

    [[nodiscard]] Ends ends() const override {
        return line_->inner == nullptr ? Ends{} : line_->inner->ends();
    }
    [[nodiscard]] std::size_t unsent_bytes() const override { return line_->held.size(); }

private:
    std::shared_ptr<Line> line_;
};

std::unique_ptr<ports::Stream> TornTransport::wrap(std::unique_ptr<ports::Stream> stream) {
    auto line = std::make_shared<Line>();
    line->inner = std::move(stream);
    line->muted = muted_;
    lines_.push_back(line);
    return std::make_unique<TornStream>(std::move(line));
}

Result<std::unique_ptr<ports::Pending>> TornTransport::connect(const Endpoint& endpoint,
                                                               Connected connected) {
    return transport_.connect(endpoint, [this, connected = std::move(connected)](
                                            Result<std::unique_ptr<ports::Stream>> stream) mutable {
        if (refuses_) {
            connected(system_error(ECONNREFUSED, "connect"));
            return;
        }
        ++connections_;
        connected(stream ? Result<std::unique_ptr<ports::Stream>>{wrap(std::move(*stream))}
                         : std::move(stream));
    });
}

Result<std::unique_ptr<ports::Listener>> TornTransport::listen(const Endpoint& endpoint,
                                                               Accepted accepted) {
    return transport_.listen(endpoint, [this, accepted = std::move(accepted)](
                                           std::unique_ptr<ports::Stream> stream) mutable {
        accepted(wrap(std::move(stream)));
    });
}

void TornTransport::mute(bool muted) {
    muted_ = muted;
    for (const std::weak_ptr<Line>& weak : lines_) {
        if (const std::shared_ptr<Line> line = weak.lock()) {
            line->muted = muted;
            if (!muted && line->inner != nullptr && !line->held.empty()) {
                line->inner->write(std::exchange(line->held, {}));
            }
        }
    }
}

void TornTransport::tear() {
    for (const std::weak_ptr<Line>& weak : std::exchange(lines_, {})) {
        if (const std::shared_ptr<Line> line = weak.lock()) {
            line->end(system_error(ECONNRESET, "read from the connection"));
        }
    }
}

}  // namespace ktm::testing
