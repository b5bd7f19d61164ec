// SPDX-License-Identifier: Apache-2.0
// sim/virtual_ciphers.cc: the Ciphers port without a cipher.
#include "sim/virtual_ciphers.hh"

#include <string>
#include <utility>

#include "base/digest.hh"

namespace ktm::sim {

namespace {

constexpr std::string_view lock_begins = "key ";
constexpr std::size_t lock_bytes_max = 64;

std::string lock_line(const SharedKey& key) {
    std::uint64_t digest = digest_begin;
    for (const std::uint8_t byte : key.raw()) {
        digest = digest_with(digest, byte);
    }
    return std::string{lock_begins} + std::to_string(digest) + "\n";
}

/// LIFETIME: a handler may destroy the stream; a call in progress holds a share.
struct Locked : std::enable_shared_from_this<Locked> {
    std::unique_ptr<ports::Stream> plain;
    ports::Stream::Handlers handlers;
    std::string line;
    std::string come;     ///< Of the other end's first line.
    std::string waiting;  ///< Written before the other end was known.
    bool connects = false;
    bool open = false;
    bool ended = false;
    bool owned = true;
};

void end_locked(Locked& locked, std::optional<Error> error) {
    if (!locked.ended && locked.owned) {
        locked.ended = true;
        locked.handlers.on_end(std::move(error));
    }
}

void refuse_lock(Locked& locked, std::string_view code, std::string what) {
    if (!locked.connects) {
        locked.plain->write(locked.line);  // So that the other end sees what differs.
    }
    end_locked(locked, Error{Kind::refused, std::string{code}, std::move(what),
                             "talk under the key", nullptr});
}

void compare_locks(Locked& locked) {
    const std::size_t size = locked.come.find('\n');
    if (!std::string_view{locked.come}.starts_with(lock_begins.substr(0, locked.come.size())) ||
        (size == std::string::npos && locked.come.size() > lock_bytes_max)) {
        refuse_lock(locked, ports::no_tls_code, "the other end does not speak TLS 1.3");
        return;
    }
    if (size == std::string::npos) {
        return;
    }
    if (locked.come.substr(0, size + 1) != locked.line) {
        refuse_lock(locked, ports::wrong_key_code, "the other end has another key");
        return;
    }
    locked.open = true;
    const std::string ours = std::exchange(locked.waiting, {});
    locked.plain->write((locked.connects ? "" : locked.line) + ours);
    const std::string rest = locked.come.substr(size + 1);
    if (!rest.empty()) {
        locked.handlers.on_data(rest);
    }
}

class LockedStream final : public ports::Stream {
public:
    explicit LockedStream(std::shared_ptr<Locked> locked) : locked_(std::move(locked)) {}
    ~LockedStream() override {
        locked_->owned = false;
        locked_->plain.reset();
    }

    void start(Handlers handlers) override {
        locked_->handlers = std::move(handlers);
        const std::shared_ptr<Locked> locked = locked_;
        Locked* const owner = locked.get();  // Of the stream, and so of its handlers.
        locked->plain->start({[owner](std::string_view bytes) {
                                  const std::shared_ptr<Locked> alive = owner->shared_from_this();
                                  if (alive->open && alive->owned && !alive->ended) {
                                      alive->handlers.on_data(bytes);
                                  } else if (alive->owned && !alive->ended) {
                                      alive->come += bytes;
                                      compare_locks(*alive);
                                  }
                              },
                              [owner](std::optional<Error> error) {
                                  const std::shared_ptr<Locked> alive = owner->shared_from_this();
                                  end_locked(*alive, std::move(error));
                              }});
        if (locked->connects) {
            locked->plain->write(locked->line);
        }
    }

    void write(std::string bytes) override {
        if (locked_->open) {
            locked_->plain->write(std::move(bytes));
        } else {
            locked_->waiting += bytes;
        }
    }

    [[nodiscard]] Ends ends() const override { return locked_->plain->ends(); }
    [[nodiscard]] std::size_t unsent_bytes() const override {
        return locked_->waiting.size() + locked_->plain->unsent_bytes();
    }

private:
    std::shared_ptr<Locked> locked_;
};

}  // namespace

Result<SharedKey> VirtualCiphers::make_key() {
    SharedKey::Raw raw{};
    ++last_;
    for (std::size_t byte = 0; byte < sizeof last_; ++byte) {
        raw[raw.size() - 1 - byte] = static_cast<std::uint8_t>(last_ >> (8 * byte));
    }
    return SharedKey{raw};
}

std::unique_ptr<ports::Stream> VirtualCiphers::secure(std::unique_ptr<ports::Stream> plain,
                                                      const SharedKey& key, End end) {
    auto locked = std::make_shared<Locked>();
    locked->plain = std::move(plain);
    locked->line = lock_line(key);
    locked->connects = end == End::connects;
    return std::make_unique<LockedStream>(std::move(locked));
}

}  // namespace ktm::sim
