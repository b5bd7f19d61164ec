// SPDX-License-Identifier: Apache-2.0
// net/wanted.hh: what is wanted of the kernel, and the steps that lead there.
//
// Something that is wanted is reached in two moves: the kernel is asked what is there, and from the
// answers the steps follow. A step is a change and what takes it back.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "base/unique_function.hh"
#include "net/undo.hh"

namespace ktm::net {

/// One change. Its undo is written down before the request goes out. Steps of one wish that
/// follow each other with `with_next` go out in one message.
struct Step {
    Request request;
    std::optional<Undo> undo;  ///< None for what an earlier undo takes back.
    bool with_next = false;
};
using Steps = std::vector<Step>;

/// Why something cannot be had.
[[nodiscard]] inline Error misfit(std::string code, std::string what) {
    return Error{Kind::refused, std::move(code), std::move(what), "", nullptr};
}

/// What a plan gave makes no sense, whatever the kernel says.
[[nodiscard]] inline Error wrong(std::string what) {
    return Error{Kind::invalid, "bad-argument", std::move(what), "", nullptr};
}

struct Wanted {
    std::string what;  ///< For people: "the tunnel to 192.0.2.7".
    Requests queries;
    /// Decides; an error is the reason why it cannot be had.
    UniqueFunction<Result<Steps>(const Answers&)> steps;
};

}  // namespace ktm::net
