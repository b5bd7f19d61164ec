// SPDX-License-Identifier: Apache-2.0
// script/loaded_plan.hh: a plan as a value, with the Lua state that holds its functions.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "plan/plan.hh"
#include "script/interpreter.hh"

namespace ktm::script {

class LoadedPlan {
public:
    LoadedPlan(std::unique_ptr<Interpreter> interpreter, plan::Plan plan, std::string digest)
        : interpreter_(std::move(interpreter)),
          plan_(std::make_unique<const plan::Plan>(std::move(plan))),
          digest_(std::move(digest)) {}

    [[nodiscard]] Interpreter& interpreter() noexcept { return *interpreter_; }
    [[nodiscard]] const plan::Plan& plan() const noexcept { return *plan_; }
    /// Of all the text that went into it; two plans with the same digest act the same.
    [[nodiscard]] const std::string& digest() const noexcept { return digest_; }

private:
    std::unique_ptr<Interpreter> interpreter_;
    std::unique_ptr<const plan::Plan> plan_;  ///< LIFETIME: machines point into it.
    std::string digest_;
};

}  // namespace ktm::script
