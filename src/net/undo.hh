// SPDX-License-Identifier: Apache-2.0
// net/undo.hh: what takes a change of the kernel back: kept in the journal, carried out once, or
// again, by whoever comes later.
//
// An undo looks first and acts afterwards, and acts only on what is ours: by tag, by handle, by
// protocol, or because a setting still has the value that we gave it. So it may be carried out
// twice, or when its change never came about, and then does nothing.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/result.hh"
#include "json/document.hh"
#include "net/answer.hh"
#include "net/request.hh"

namespace ktm::net {

/// Deletes the device, if it has this tag, or none yet.
struct UndoTunnel {
    std::string link;
    std::string tag;
    friend bool operator==(const UndoTunnel&, const UndoTunnel&) = default;
};

/// Deletes our route, if it is there.
struct UndoRoute {
    Route route;
    friend bool operator==(const UndoRoute&, const UndoRoute&) = default;
};

/// Deletes the neighbour, or puts the one that was there back, if ours is there.
struct UndoNeighbour {
    SetNeighbour ours;
    std::optional<MacAddress> former;  ///< Of a permanent one; others are found anew.
    std::uint8_t former_protocol = 0;
    friend bool operator==(const UndoNeighbour&, const UndoNeighbour&) = default;
};

/// Puts the queue length back, if it is what we made it.
struct UndoQueueLength {
    std::string link;
    std::uint32_t ours = 0;
    std::uint32_t former = 0;
    std::uint32_t former_joined_max = 0;  ///< 0: we left it as it was.
    friend bool operator==(const UndoQueueLength&, const UndoQueueLength&) = default;
};

/// Opens our plug and takes it away, and puts the former root qdisc back, if it was no default.
struct UndoRootQdisc {
    std::string link;
    std::optional<SavedQdisc> former;
    friend bool operator==(const UndoRootQdisc&, const UndoRootQdisc&) = default;
};

/// Takes our filter away; and the clsact that we made for it, if no filter is left on it.
struct UndoRedirect {
    Redirect redirect;
    bool made_clsact = false;
    friend bool operator==(const UndoRedirect&, const UndoRedirect&) = default;
};

/// Writes the former value back, if ours is still there.
struct UndoSetting {
    std::string name;
    std::string ours;
    std::string former;
    friend bool operator==(const UndoSetting&, const UndoSetting&) = default;
};

using Undo = std::variant<UndoTunnel, UndoRoute, UndoNeighbour, UndoQueueLength, UndoRootQdisc,
                          UndoRedirect, UndoSetting>;

/// For people: "delete the tunnel ktm1a2b3c4d0".
[[nodiscard]] std::string describe(const Undo& undo);

/// What must be asked before it can be decided.
[[nodiscard]] Requests queries_of(const Undo& undo);
/// What is to be done, given the answers to those queries; nothing when there is nothing of ours.
/// A device that is gone took everything with it.
[[nodiscard]] Requests requests_of(const Undo& undo, const Answers& answers);

/// JSON on one line, and back; what does not fit is an error that names the field.
[[nodiscard]] std::string to_json(const Undo& undo);
[[nodiscard]] Result<Undo> undo_from_json(const json::View& view);

}  // namespace ktm::net
