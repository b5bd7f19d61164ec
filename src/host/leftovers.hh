// SPDX-License-Identifier: Apache-2.0
// host/leftovers.hh: what is ours in a namespace, told by its marks alone.
#pragma once

#include <string>
#include <vector>

#include "host/recovery.hh"
#include "net/answer.hh"

namespace ktm::host {

/// Two undos that would take back the same thing.
[[nodiscard]] bool is_same_thing(const net::Undo& left, const net::Undo& right);

/// What a namespace was asked first, and what for each of its devices afterwards.
[[nodiscard]] net::Requests first_queries();
[[nodiscard]] net::Requests queries_of_links(const std::vector<net::LinkFacts>& links);

/// Something of ours, and how it is taken back.
struct Leftover {
    std::string run;  ///< Empty when that is not known.
    net::Undo undo;
    std::string unknown;  ///< What could not be put back, as nobody knows it.
};

/// What bears our marks and is neither a living run's nor another one's that was written down.
/// `first` and `links` are the answers to those queries; `identity` is that of the namespace.
[[nodiscard]] std::vector<Leftover> leftovers_of(const net::Answers& first,
                                                 const net::Answers& links,
                                                 const std::vector<Found>& journals,
                                                 const std::string& identity);

}  // namespace ktm::host
