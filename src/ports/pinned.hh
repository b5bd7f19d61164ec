// SPDX-License-Identifier: Apache-2.0
// ports/pinned.hh: what stays where it is and ends with its owner.
#pragma once

namespace ktm::ports {

/// The base of every port and of what ports give out: held by pointer, neither copied nor moved,
/// and given back by its destruction.
class Pinned {
public:
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;
    virtual ~Pinned() = default;

protected:
    Pinned() = default;
};

}  // namespace ktm::ports
