// SPDX-License-Identifier: Apache-2.0
// os/loop.hh: the libuv loop, and the real world around it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ports/loop.hh"

struct uv_loop_s;

namespace ktm::os {

class UvLoop final : public ports::Loop {
public:
    UvLoop();
    ~UvLoop() override;

    void run() override;
    void stop() override;

    /// Lets handles that are being closed go, then closes the loop. Returns the kinds of the
    /// handles that somebody forgot: an empty list is the leak check of every test.
    [[nodiscard]] std::vector<std::string> close();

    [[nodiscard]] uv_loop_s* raw() noexcept { return loop_.get(); }

private:
    std::unique_ptr<uv_loop_s> loop_;
    bool closed_ = false;
};

/// The real ports on one loop.
class RealWorld {
public:
    RealWorld();
    ~RealWorld();

    [[nodiscard]] ports::World ports() noexcept;
    [[nodiscard]] UvLoop& loop() noexcept { return loop_; }

private:
    UvLoop loop_;
    std::unique_ptr<ports::Clock> clock_;
    std::unique_ptr<ports::Transport> transport_;
    std::unique_ptr<ports::Processes> processes_;
    std::unique_ptr<ports::Files> files_;
    std::unique_ptr<ports::Signals> signals_;
    std::unique_ptr<ports::Networks> networks_;
    std::unique_ptr<ports::Ciphers> ciphers_;
};

}  // namespace ktm::os
