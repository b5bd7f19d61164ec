// SPDX-License-Identifier: Apache-2.0
// host/stepping.hh: the steps to something that is wanted, carried out in order.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "host/namespace.hh"
#include "net/wanted.hh"

namespace ktm::host {

/// How far it went.
struct Stepped {
    std::vector<net::Undo> undos;     ///< Of what was or may have been carried out, in its order.
    std::vector<std::size_t> places;  ///< Where each stands among the undos of all steps.
    std::optional<Error> error;       ///< Of the first that failed.
};

/// Sends the steps, those that belong together at once, up to the first that fails. Before each
/// message `go_on` is asked; when it says no, that is an error of the kind cancelled. `done` is
/// called once, perhaps before this returns; not at all when the namespace is destroyed before.
void carry_out(Namespace& space, std::shared_ptr<const net::Steps> steps,
               UniqueFunction<bool()> go_on, UniqueFunction<void(Stepped)> done);

/// The undos of all steps that have one.
[[nodiscard]] std::vector<net::Undo> undos_of(const net::Steps& steps);

}  // namespace ktm::host
