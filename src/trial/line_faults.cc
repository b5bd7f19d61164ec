// SPDX-License-Identifier: Apache-2.0
// trial/line_faults.cc: the Transport of a node, in which lines to the other node can go wrong.
#include "trial/line_faults.hh"

#include <string_view>
#include <utility>

namespace ktm::trial {

namespace {

/// Signs of life come when nothing happens; they are not counted.
bool is_beat(std::string_view line) {
    return line.starts_with("{\"beat\"") || line.starts_with("{\"heard\"");
}

}  // namespace

/// To a path: as it is, as long as who writes lives.
class LineFaults::MortalStream final : public ports::Stream {
public:
    MortalStream(const sim::Life& life, std::unique_ptr<ports::Stream> stream)
        : life_(life), stream_(std::move(stream)) {}
    MortalStream(const MortalStream&) = delete;
    MortalStream& operator=(const MortalStream&) = delete;
    ~MortalStream() override = default;

    void start(Handlers handlers) override { stream_->start(std::move(handlers)); }
    void write(std::string bytes) override {
        if (!life_.is_over()) {
            stream_->write(std::move(bytes));
        }
    }
    std::size_t unsent_bytes() const override { return stream_->unsent_bytes(); }
    Ends ends() const override { return stream_->ends(); }

private:
    const sim::Life& life_;
    std::unique_ptr<ports::Stream> stream_;
};

class LineFaults::FaultyStream final : public ports::Stream {
public:
    FaultyStream(LineFaults& faults, std::unique_ptr<ports::Stream> stream, Ends ends)
        : faults_(faults), stream_(std::move(stream)), ends_(std::move(ends)) {}
    FaultyStream(const FaultyStream&) = delete;
    FaultyStream& operator=(const FaultyStream&) = delete;
    ~FaultyStream() override { std::erase(faults_.kept_, this); }

    void start(Handlers handlers) override {
        handlers_ = std::make_shared<Handlers>(std::move(handlers));
        stream_->start({[there = handlers_](std::string_view bytes) {
                            if (there->on_data) {
                                there->on_data(bytes);
                            }
                        },
                        [there = handlers_](std::optional<Error> error) {
                            if (there->on_end) {
                                there->on_end(std::move(error));
                            }
                        }});
    }

    void write(std::string bytes) override {
        unwritten_ += bytes;
        for (std::size_t end = 0; (end = unwritten_.find('\n')) != std::string::npos;) {
            std::string line = unwritten_.substr(0, end + 1);
            unwritten_.erase(0, end + 1);
            write_line(std::move(line));
        }
    }

    std::size_t unsent_bytes() const override {
        return stream_ == nullptr ? 0 : stream_->unsent_bytes();
    }
    Ends ends() const override { return ends_; }

    void catch_up() {
        timer_.reset();
        const std::string lines = std::exchange(late_, {});
        if (stream_ != nullptr) {
            stream_->write(lines);
        }
    }

private:
    void write_line(std::string line) {
        const Harm harm = is_beat(line) || faults_.life_.is_over()
                              ? Harm::none
                              : faults_.crossings_.pass(faults_.side_, Channel::line, false, [&] {
                                    return line.substr(0, line.size() - 1);
                                });
        if (faults_.life_.is_over()) {
            return;
        }
        faults_.silent_ = faults_.silent_ || harm == Harm::silence;
        if (faults_.silent_ || stream_ == nullptr) {
            return;
        }
        if (harm == Harm::lost) {
            break_off();
        } else if (harm == Harm::late || harm == Harm::too_late || !late_.empty()) {
            const bool is_first = late_.empty();
            late_ += line;
            if (is_first && harm == Harm::too_late) {
                faults_.kept_.push_back(this);
            } else if (is_first) {
                timer_ = faults_.clock_.arm(late_by, [this] { catch_up(); });
            }
        } else {
            stream_->write(harm == Harm::twice ? line + line : std::move(line));
        }
    }

    /// The other side sees the connection end; ours hears of it as of any loss.
    void break_off() {
        stream_.reset();
        timer_ = faults_.clock_.arm(Duration::zero(), [there = handlers_] {
            if (there && there->on_end) {
                there->on_end(
                    Error{Kind::lost, "ECONNRESET", "the connection was reset", "", nullptr});
            }
        });
    }

    LineFaults& faults_;
    std::unique_ptr<ports::Stream> stream_;
    Ends ends_;
    std::shared_ptr<Handlers> handlers_;
    std::string unwritten_;
    std::string late_;
    std::unique_ptr<ports::Timer> timer_;
};

void LineFaults::let_through() {
    while (!kept_.empty()) {
        FaultyStream* stream = kept_.back();
        kept_.pop_back();
        stream->catch_up();
    }
}

std::unique_ptr<ports::Stream> LineFaults::wrap(std::unique_ptr<ports::Stream> stream,
                                                const Endpoint& endpoint) {
    if (std::holds_alternative<UnixEndpoint>(endpoint.place())) {
        return std::make_unique<MortalStream>(life_, std::move(stream));
    }
    const Family family = std::get<TcpEndpoint>(endpoint.place()).address.family();
    const auto first = [family](const std::vector<IpAddress>& addresses) {
        for (const IpAddress& address : addresses) {
            if (address.family() == family) {
                return address.text();
            }
        }
        return std::string{};
    };
    return std::make_unique<FaultyStream>(
        *this, std::move(stream),
        ports::Stream::Ends{first(addresses_.own), first(addresses_.other)});
}

Result<std::unique_ptr<ports::Pending>> LineFaults::connect(const Endpoint& endpoint,
                                                            Connected connected) {
    return transport_.connect(endpoint, [this, endpoint, connected = std::move(connected)](
                                            Result<std::unique_ptr<ports::Stream>> stream) mutable {
        if (stream) {
            connected(wrap(std::move(*stream), endpoint));
        } else {
            connected(std::move(stream));
        }
    });
}

Result<std::unique_ptr<ports::Listener>> LineFaults::listen(const Endpoint& endpoint,
                                                            Accepted accepted) {
    if (std::holds_alternative<UnixEndpoint>(endpoint.place())) {
        return transport_.listen(endpoint, std::move(accepted));
    }
    return transport_.listen(endpoint, [this, endpoint, accepted = std::move(accepted)](
                                           std::unique_ptr<ports::Stream> stream) mutable {
        accepted(wrap(std::move(stream), endpoint));
    });
}

}  // namespace ktm::trial
