// SPDX-License-Identifier: Apache-2.0
// host/recovery.hh: what killed runs left on this host: found, and taken back.
//
// Theory of operation. A journal whose owner lives is left alone. Of one whose owner is gone, the
// entries are undone newest first, and each that succeeded is written down before the next begins,
// so that a recovery that is killed itself is gone on with. Entries of the kind `undo` are skipped
// behind the commit. A namespace that does not exist any more took everything with it; one whose
// path leads elsewhere now is looked for among the other places. A journal of an earlier boot is
// only removed. A run that had a guest handed over and died leaves nobody who knows how that guest
// is: it is looked at, not touched, and where it does not run that is a failure.
//
//     finding ──> taking over ──> undoing, entry by entry ──> looking at the guest ──> removing ──┐
//                     ^────────────────────── the next journal ───────────────────────────────────┤
//                                                searching, place by place <──────────────────────┘
//                                                            └──> done
//
// Where a journal is lost, devices are found by their tag, routes and neighbours by our protocol,
// qdiscs and filters by our handles, and removed, unless they are those of a living run: that is
// known by the tag, or stands in its journal. The kernel is asked first and the journals are read
// afterwards, as runs write first and act afterwards. What had been there before is then not
// known, and that is said.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/journal.hh"
#include "host/namespace.hh"
#include "ports/loop.hh"

namespace ktm::host {

/// A journal that was found.
struct Found {
    std::string path;
    bool alive = false;      ///< Its owner runs.
    std::string unreadable;  ///< Why it cannot be read; then `remains` is empty.
    Remains remains;
};

/// All journals of a folder, by path; a folder that does not exist has none.
[[nodiscard]] Result<std::vector<Found>> find_journals(ports::Files& files,
                                                       const std::string& folder);

/// Those of this VM, by its monitor's path.
[[nodiscard]] std::vector<Found> of_vm(std::vector<Found> found, const std::string& vm);

/// One thing that a recovery did, or could not do; or would do.
struct Recovered {
    enum class End : std::uint8_t {
        undone,
        nothing_left,
        namespace_gone,
        skipped,  ///< It stays, and rightly.
        marked,   ///< It has our mark, and no journal; nobody said that it is to go.
        failed,
    };

    std::string run;
    std::string what;  ///< "delete the tunnel ktm1a2b3c4d0"
    std::string place;
    End end = End::undone;
    std::string why;        ///< Of those that stay, and what is not known of others.
    bool at_guest = false;  ///< It is about a QEMU, and not about this host.
};

struct RecoverySettings {
    std::string folder;
    std::string boot;                 ///< Of the kernel that runs now.
    std::vector<std::string> places;  ///< Namespaces that are searched by tag.
    /// What has no journal in this folder is taken back, too. Its run may live, and have it
    /// elsewhere; so somebody must say that none does.
    bool by_mark = false;
    bool dry = false;  ///< Only say what would be done.
    /// Those of the places that a person named: they must be there.
    std::vector<std::string> given;
};

/// Does to a guest what a journal says, and tells how that ended: whether something had to be done.
/// What is called "see" does nothing, and ends well where the guest runs. It may be destroyed
/// before.
using AtGuest = UniqueFunction<void(const GuestUndo&, UniqueFunction<void(Result<bool>)>)>;

/// Recovers everything whose owner is gone. `told` hears each thing as it is done, `done` once,
/// with how many failed; an error is that journals cannot even be looked for. It may be destroyed
/// at any moment, in both too. LIFETIME: the world outlives it.
class Recovery {
public:
    Recovery(const ports::World& world, RecoverySettings settings, AtGuest at_guest,
             UniqueFunction<void(const Recovered&)> told, UniqueFunction<void(Result<int>)> done);
    ~Recovery();
    Recovery(const Recovery&) = delete;
    Recovery& operator=(const Recovery&) = delete;

    /// Once.
    void start();

private:
    struct Work;
    std::shared_ptr<Work> work_;
};

}  // namespace ktm::host
