// SPDX-License-Identifier: Apache-2.0
// host/host.hh: what a run changes on this host, and how it takes that back.
//
// Theory of operation. Something that is wanted is acquired: its queries are asked, its steps
// decided, the undos of all of them written into the journal in one piece, and the steps sent, in
// order. When one fails, what was done is undone, newest first, and the error is the answer. What
// was acquired is given back by its undos, newest first; the journal learns of each that succeeded.
// What could not be undone stays in the journal, for `katamaran recover`.
//
//     asking ──answers──> deciding ──steps──> writing ──> stepping ──last──> acquired
//                                                            └──error──> undoing ──> failed
//
// A step whose answer does not come may have been carried out, and is undone like one that was. One
// that was refused was not: its undo would take back what somebody else has there.
//
// The journal is made by the first change, not earlier: a run that changes nothing leaves none. A
// change that cannot be written down is not made.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/journal.hh"
#include "host/namespace.hh"
#include "host/stepping.hh"
#include "net/tag.hh"
#include "net/wanted.hh"
#include "ports/loop.hh"

namespace ktm::host {

using AcquiredId = Id<struct AcquiredTag>;

/// Where journals lie when nobody says otherwise.
inline constexpr const char* state_folder_default = "/run/katamaran";

struct Settings {
    std::string folder{state_folder_default};
    Header header;
};

class Host {
public:
    using Acquired = UniqueFunction<void(Result<AcquiredId>)>;
    using Given = UniqueFunction<void(Result<void>)>;

    /// LIFETIME: the world outlives it.
    Host(const ports::World& world, Settings settings);
    ~Host();
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    [[nodiscard]] net::Tag tag() const;
    /// A name that this run has not used yet.
    [[nodiscard]] std::string next_link_name();

    /// Opens a namespace, once; later calls give the same.
    [[nodiscard]] Result<Namespace*> enter(const std::string& place);

    /// Acquires, or leaves everything as it was. `done` is called once, perhaps before this
    /// returns; not at all when the Host is destroyed before.
    void acquire(Namespace& space, UndoKind kind, net::Wanted wanted, Acquired done);

    /// Prepares without acting: asks, decides, and writes the undos down. act() carries the steps
    /// out, as often as wanted, or leaves everything as it was; take_back() carries the undos out.
    /// Both keep them written down.
    void prepare(Namespace& space, UndoKind kind, net::Wanted wanted, Acquired done);
    void act(AcquiredId id, Given done);
    void take_back(AcquiredId id, Given done);

    /// Undoes all of it; afterwards it is not known any more. Of an id that is gone: nothing.
    void give_back(AcquiredId id, Given done);

    /// What it is, for people; empty when it is gone.
    [[nodiscard]] std::string what(AcquiredId id) const;

    /// It stays as it is: nobody undoes it any more.
    void let_be(AcquiredId id);

    /// Writes down what is to be done to a guest, for whoever comes after us: who is alive does it
    /// himself, and says so by forget(). Nothing behind the commit, where undos are void.
    [[nodiscard]] Result<std::optional<UndoId>> will_undo(const GuestUndo& undo);
    void forget(UndoId id) { note_undone({id}); }
    /// It is not to be done any more, by nobody. An error means that whoever comes after us would.
    [[nodiscard]] Result<void> drop(UndoId id);

    /// Writes this into a file of that name in memory, in a folder of its own, for programs of our
    /// user alone; once. The folder. It is removed by close(), however the run ends.
    [[nodiscard]] Result<std::string> keep_secret(const std::string& name,
                                                  std::string_view content);

    /// The run has committed: undos are void, holds stay. An error means that it is not known to
    /// whoever comes after us: what must not be undone any more would be undone.
    [[nodiscard]] Result<void> commit();

    /// Forgets the secret, and removes the journal when nothing is left in it; the path of the one
    /// that stays, or empty.
    [[nodiscard]] Result<std::string> close();
    /// Empty as long as there is none.
    [[nodiscard]] const std::string& journal_path() const noexcept { return journal_path_; }

private:
    struct Held {
        Namespace* space = nullptr;
        UndoKind kind = UndoKind::hold;
        std::string what;
        std::shared_ptr<const net::Steps> steps;
        std::vector<UndoId> ids;  ///< Of those steps that have an undo, in their order.
        bool acted = false;       ///< Something of it was carried out, or may have been.
        bool turned = false;      ///< All of it was carried out.
        unsigned turns = 0;  ///< How often it was begun or taken back: what began before stops.
    };
    /// What is being acquired.
    struct Order {
        Namespace& space;
        UndoKind kind;
        bool at_once;  ///< Its steps follow, and not act() later.
        net::Wanted wanted;
        Acquired done;
    };
    void begin(Order order);
    void decide(std::shared_ptr<Order> order, ports::Network::Outcome outcome);
    void step(const std::shared_ptr<Order>& order, Held held);
    [[nodiscard]] Result<void> open_journal();
    [[nodiscard]] Result<std::string> secrets_folder() const;
    [[nodiscard]] Result<void> forget_secret();
    [[nodiscard]] Result<std::vector<UndoId>> write_down(const Held& held);
    [[nodiscard]] bool is_void(UndoKind kind) const noexcept {
        return committed_ && kind == UndoKind::undo;
    }
    /// Undoes what was done of it; `forget`: and takes it out of the journal. `done` hears the
    /// error that is the answer, and whether nothing of it is left.
    void unwind(const Held& held, Stepped stepped, bool forget,
                UniqueFunction<void(Error, bool clean)> done);
    void note_undone(const std::vector<UndoId>& ids);
    void undo_held(std::shared_ptr<Held> held, bool forget, Given done);
    [[nodiscard]] std::string where_it_stays(bool written) const;

    const ports::World& world_;
    Settings settings_;
    std::string journal_path_;
    std::unique_ptr<Journal> journal_;
    std::string secret_path_;  ///< Of the secret that is kept; empty: none.
    UndoId secret_id_;
    std::map<AcquiredId, Held> held_;
    IdCounter<AcquiredTag> ids_;
    unsigned links_ = 0;
    bool committed_ = false;
    /// LIFETIME: destroyed first, and with it whatever waits for the kernel and knows this Host.
    std::map<std::string, std::unique_ptr<Namespace>> spaces_;
};

}  // namespace ktm::host
