// SPDX-License-Identifier: Apache-2.0
// host/recovery.cc: journals found, and taken back; and what is left without one.
#include "host/recovery.hh"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "host/leftovers.hh"
#include "host/turns.hh"
#include "host/undoing.hh"

namespace ktm::host {

namespace {

/// Whether a name leads to no namespace any more: it is gone, or lies on an ordinary file.
bool names_nothing(const Error& error) {
    return is_gone_already(error) || error.code == "EINVAL";
}

/// Of a QEMU that has ended, as monitor::GuestVisit says it.
constexpr std::string_view gone_code = "qemu-gone";

/// What to do about a guest that does not run, or is not seen, behind what is said of it.
std::string advice_upon(const Error& error, bool ours) {
    if (!ours) {
        return "; only the other node knows whether the guest was given to this one: start it here "
               "only when it was";
    }
    return error.code == "stands"
               ? "; where nobody has stopped it since, 'cont' at its monitor lets it run"
           : error.code == gone_code ? "; where nobody has ended it or moved the guest since, the "
                                       "guest is lost, and must be started anew"
                                     : "";
}

}  // namespace

/// LIFETIME: held by its Recovery alone; what waits for the kernel holds it weakly.
struct Recovery::Work : std::enable_shared_from_this<Recovery::Work> {
    using Next = Turns::Next;
    using End = Recovered::End;

    Work(const ports::World& of, RecoverySettings with, AtGuest does,
         UniqueFunction<void(const Recovered&)> hears, UniqueFunction<void(Result<int>)> ends)
        : world(of),
          settings(std::move(with)),
          at_guest(std::move(does)),
          told(std::move(hears)),
          done(std::move(ends)) {}

    void start();
    void turn(Next next);

    void tell(Recovered recovered);
    [[nodiscard]] Result<Namespace*> enter(const std::string& place);
    [[nodiscard]] Result<Namespace*> space_of(const Entry& entry);
    [[nodiscard]] Result<Namespace*> space_of_process(const std::string& identity);
    [[nodiscard]] std::string living_owner(const Entry& entry) const;

    void begin_journal(const Found& found);
    void drop_journal(std::unique_ptr<ports::OwnedFile> file, const std::string& path,
                      const Remains& remains, std::string why);
    void undo_newest(Next next);
    void undo_guest(const Entry& entry, Recovered recovered, Next next);
    void forget_secret(const Entry& entry, Recovered recovered, Next next);
    void note_undone(UndoId id);
    void see_guest(Next next);
    void end_journal();

    void search(const std::string& place, Next next);
    void look(Namespace& space, net::Answers first, net::Answers links);
    /// The same, and how its undo went.
    void tell(Recovered recovered, const Result<Undone>& undone);
    void undo_leftover(Next next);

    const ports::World& world;
    RecoverySettings settings;
    AtGuest at_guest;
    UniqueFunction<void(const Recovered&)> told;
    UniqueFunction<void(Result<int>)> done;
    bool stopped = false;  ///< The Recovery is gone: nobody hears.
    int failed = 0;

    std::vector<Found> journals;  ///< Those to come, the next one last.
    struct Current {
        std::string path;
        std::unique_ptr<Journal> journal;  ///< None when dry.
        Remains remains;                   ///< Entries that are left.
        std::vector<Found> living;         ///< The journals of runs that live.
        bool stays = false;                ///< Its guest has to be looked after once more.
    };
    std::optional<Current> current;
    /// What was undone in vain, or was to stay, or would have been undone: with its namespace.
    std::vector<std::pair<std::string, net::Undo>> settled;

    std::vector<std::string> places;  ///< To be searched, the next one last.
    std::set<std::string> searched;   ///< By identity.
    struct Left {
        Namespace* space = nullptr;
        Leftover leftover;
    };
    std::vector<Left> leftovers;  ///< The next one last.

    /// LIFETIME: destroyed first, and with them whatever waits for the kernel.
    std::map<std::string, std::unique_ptr<Namespace>> spaces;
};

void Recovery::Work::start() {
    Result<std::vector<Found>> found = find_journals(world.files, settings.folder);
    if (!found) {
        done(std::move(found).error().while_trying("find journals in " + settings.folder));
        return;
    }
    journals = std::move(*found);
    std::reverse(journals.begin(), journals.end());
    // The latest run found what the ones before it had left: its changes lie on top.
    std::stable_sort(journals.begin(), journals.end(), [](const Found& one, const Found& other) {
        return one.remains.header.began < other.remains.header.began;
    });
    places = settings.places;
    std::reverse(places.begin(), places.end());
    Turns::take([weak = weak_from_this()](Next next) {
        const std::shared_ptr<Work> self = weak.lock();
        if (self && !self->stopped) {
            self->turn(std::move(next));
        }
    });
}

/// Begins one thing.
void Recovery::Work::turn(Next next) {
    if (current && !current->remains.entries.empty()) {
        undo_newest(std::move(next));
    } else if (current && !current->remains.handed_over.empty()) {
        see_guest(std::move(next));
    } else if (current) {
        end_journal();
        next();
    } else if (!journals.empty()) {
        const Found found = std::move(journals.back());
        journals.pop_back();
        begin_journal(found);
        next();
    } else if (!leftovers.empty()) {
        undo_leftover(std::move(next));
    } else if (!places.empty()) {
        const std::string place = std::move(places.back());
        places.pop_back();
        search(place, std::move(next));
    } else {
        done(failed);
    }
}

void Recovery::Work::tell(Recovered recovered) {
    failed += recovered.end == End::failed ? 1 : 0;
    if (!stopped) {
        told(recovered);
    }
}

// --- Namespaces ---------------------------------------------------------------------------------

Result<Namespace*> Recovery::Work::enter(const std::string& place) {
    const auto known = spaces.find(place);
    if (known != spaces.end()) {
        return known->second.get();
    }
    Result<std::shared_ptr<ports::Network>> network = world.networks.open(place);
    if (!network) {
        return std::move(network).error();
    }
    auto space = std::make_unique<Namespace>(world.clock, place, std::move(*network));
    return spaces.emplace(place, std::move(space)).first->second.get();
}

/// Nothing when it does not exist any more. Its path can be that of a process which is gone while
/// the namespace is not, or have another meaning for us than for the run.
Result<Namespace*> Recovery::Work::space_of(const Entry& entry) {
    Result<Namespace*> named = enter(entry.place);
    if (named && (*named)->identity() == entry.space) {
        return named;
    }
    for (const std::string& place : settings.places) {
        Result<Namespace*> other = enter(place);
        if (other && (*other)->identity() == entry.space) {
            return other;
        }
    }
    if (!named && !names_nothing(named.error())) {
        return named;
    }
    return space_of_process(entry.space);
}

/// The namespace that some process is in; nothing when none is.
Result<Namespace*> Recovery::Work::space_of_process(const std::string& identity) {
    const Result<std::vector<std::string>> names = world.files.list("/proc");
    if (!names && names.error().code != "ENOENT") {
        return Error{names.error()}.while_trying("look for the namespace among the processes");
    }
    for (const std::string& name : names ? *names : std::vector<std::string>{}) {
        if (name.find_first_not_of("0123456789") != std::string::npos) {
            continue;
        }
        const std::string place = "/proc/" + name + "/ns/net";
        Result<std::shared_ptr<ports::Network>> network = world.networks.open(place);
        if (network && (*network)->identity() == identity) {
            auto space = std::make_unique<Namespace>(world.clock, place, std::move(*network));
            return spaces.insert_or_assign(place, std::move(space)).first->second.get();
        }
    }
    return nullptr;
}

/// The run that lives and will take the same thing back itself; empty: none.
std::string Recovery::Work::living_owner(const Entry& entry) const {
    for (const Found& found : current->living) {
        for (const Entry& theirs : found.remains.entries) {
            if (theirs.space == entry.space && is_same_thing(theirs.undo, entry.undo)) {
                return found.remains.header.run;
            }
        }
    }
    return "";
}

// --- Journals -----------------------------------------------------------------------------------

void Recovery::Work::begin_journal(const Found& found) {
    if (found.alive) {
        return;
    }
    const std::string intent = "recover the journal " + found.path;
    Remains remains = found.remains;
    std::string why = found.unreadable;
    std::unique_ptr<ports::OwnedFile> file;
    if (why.empty() && !settings.dry) {
        Result<std::unique_ptr<ports::OwnedFile>> taken = world.files.take_over(found.path);
        if (!taken && (taken.error().code == "busy" || taken.error().code == "ENOENT")) {
            return;  // Somebody else recovers it.
        }
        Result<std::string> bytes =
            taken ? (*taken)->read(journal_max) : Result<std::string>{taken.error()};
        Result<Remains> again = bytes ? read_journal(*bytes) : Error{bytes.error()};
        if (again) {
            file = std::move(*taken);
            remains = std::move(*again);
        } else {
            why = again.error().sentence();
        }
    }
    if (!why.empty()) {
        tell({"", intent, "", End::failed, std::move(why)});
        return;
    }
    const std::string& boot = remains.header.boot;
    if (!boot.empty() && !settings.boot.empty() && boot != settings.boot) {
        drop_journal(std::move(file), found.path, remains,
                     "it is of an earlier boot, of which nothing is left");
        return;
    }
    auto journal = file ? std::make_unique<Journal>(std::move(file), remains) : nullptr;
    Result<std::vector<Found>> living = find_journals(world.files, settings.folder);
    if (living) {
        std::erase_if(*living,
                      [&](const Found& other) { return !other.alive || other.path == found.path; });
    }
    current = Current{found.path, std::move(journal), std::move(remains),
                      living ? std::move(*living) : std::vector<Found>{}};
}

void Recovery::Work::drop_journal(std::unique_ptr<ports::OwnedFile> file, const std::string& path,
                                  const Remains& remains, std::string why) {
    Recovered recovered{tag_of(remains.header).run, "remove the journal " + path, "",
                        End::nothing_left, std::move(why)};
    if (file) {
        if (Result<void> removed = file->remove(); !removed) {
            recovered.end = End::failed;
            recovered.why = removed.error().sentence();
        }
    }
    tell(std::move(recovered));
}

void Recovery::Work::note_undone(UndoId id) {
    if (current->journal) {
        // When that cannot be written, whoever undoes it again finds nothing to undo.
        (void)current->journal->undone({id});
    }
}

void Recovery::Work::undo_newest(Next next) {
    Entry entry = std::move(current->remains.entries.back());
    current->remains.entries.pop_back();
    Recovered recovered{tag_of(current->remains.header).run,
                        describe(entry),
                        entry.place,
                        End::undone,
                        "",
                        entry.guest.has_value()};
    if (current->remains.committed && entry.kind == UndoKind::undo) {
        if (!entry.guest) {
            settled.emplace_back(entry.space, std::move(entry.undo));
        }
        recovered.end = End::skipped;
        recovered.why = "its run has committed";
        tell(std::move(recovered));
        next();
        return;
    }
    if (entry.guest) {
        undo_guest(entry, std::move(recovered), std::move(next));
        return;
    }
    if (!entry.secret.empty()) {
        forget_secret(entry, std::move(recovered), std::move(next));
        return;
    }
    const Result<Namespace*> space = space_of(entry);
    if (!space || *space == nullptr) {
        recovered.end = space ? End::namespace_gone : End::failed;
        recovered.why = space ? "" : space.error().sentence();
        if (space) {
            note_undone(entry.id);
        }
        tell(std::move(recovered));
        next();
        return;
    }
    if (const std::string owner = living_owner(entry); !owner.empty()) {
        settled.emplace_back(entry.space, std::move(entry.undo));
        recovered.end = End::failed;
        recovered.why = "run " + owner + ", which lives, has it, too; recover again behind its end";
        tell(std::move(recovered));
        next();
        return;
    }
    net::Undo wanted = entry.undo;
    undo(**space, std::move(wanted), settings.dry ? Undoing::dry : Undoing::for_real,
         [weak = weak_from_this(), entry = std::move(entry), recovered = std::move(recovered),
          next = std::move(next)](Result<Undone> undone) mutable {
             const std::shared_ptr<Work> self = weak.lock();
             if (!self) {
                 return;
             }
             if (!undone || self->settings.dry) {
                 self->settled.emplace_back(entry.space, std::move(entry.undo));
             } else {
                 self->note_undone(entry.id);
             }
             self->tell(std::move(recovered), undone);
             next();
         });
}

void Recovery::Work::forget_secret(const Entry& entry, Recovered recovered, Next next) {
    Result<Undone> undone = Undone{true};
    if (!settings.dry) {
        Result<bool> had = world.files.forget_secret(entry.secret);
        undone = had ? Result<Undone>{Undone{*had}} : Result<Undone>{std::move(had).error()};
        if (undone) {
            note_undone(entry.id);
        }
    }
    tell(std::move(recovered), undone);
    next();
}

void Recovery::Work::undo_guest(const Entry& entry, Recovered recovered, Next next) {
    if (settings.dry) {
        tell(std::move(recovered));
        next();
        return;
    }
    at_guest(*entry.guest,
             [weak = weak_from_this(), id = entry.id, recovered = std::move(recovered),
              next = std::move(next)](Result<bool> ended) mutable {
                 const std::shared_ptr<Work> self = weak.lock();
                 if (!self) {
                     return;
                 }
                 if (!ended) {
                     recovered.end = End::failed;
                     recovered.why = ended.error().sentence();
                 } else {
                     self->note_undone(id);
                     recovered.end = *ended ? End::undone : End::nothing_left;
                 }
                 self->tell(std::move(recovered));
                 next();
             });
}

/// A guest that was handed over to a run is in nobody's hands when that run dies: what became of
/// it is found here, or by nobody. It is only looked at, for others may have moved it since.
void Recovery::Work::see_guest(Next next) {
    const GuestUndo see{"see", std::exchange(current->remains.handed_over, "")};
    if (settings.dry) {
        tell({tag_of(current->remains.header).run, describe(see), "", End::undone, "", true});
        next();
        return;
    }
    at_guest(see, [weak = weak_from_this(), what = describe(see),
                   next = std::move(next)](const Result<bool>& seen) mutable {
        const std::shared_ptr<Work> self = weak.lock();
        if (!self) {
            return;
        }
        if (!seen) {
            // Of a QEMU that has ended there is nothing to be seen any more; any other is looked at
            // again.
            self->current->stays = seen.error().code != gone_code;
            const Remains& remains = self->current->remains;
            self->tell({tag_of(remains.header).run, what, "", End::failed,
                        seen.error().sentence() + advice_upon(seen.error(), remains.committed),
                        true});
        }
        next();
    });
}

void Recovery::Work::tell(Recovered recovered, const Result<Undone>& undone) {
    if (!undone) {
        recovered.end = End::failed;
        recovered.why = undone.error().sentence();
    } else if (!undone->changed) {
        recovered.end = End::nothing_left;
    }
    tell(std::move(recovered));
}

void Recovery::Work::end_journal() {
    const Current ended = std::move(*current);
    current.reset();
    if (!ended.journal || !ended.journal->is_empty() || ended.stays) {
        return;
    }
    if (const Result<void> removed = ended.journal->remove(); !removed) {
        tell({tag_of(ended.remains.header).run, "remove the journal " + ended.path, "", End::failed,
              removed.error().sentence()});
    }
}

// --- What has no journal ------------------------------------------------------------------------

void Recovery::Work::search(const std::string& place, Next next) {
    Result<Namespace*> entered = enter(place);
    if (!entered || !searched.insert((*entered)->identity()).second) {
        const bool given =
            std::find(settings.given.begin(), settings.given.end(), place) != settings.given.end();
        // What merely lies where namespaces are named need not be one.
        if (!entered && (given || !names_nothing(entered.error()))) {
            tell({"", "search a namespace", place, End::failed, entered.error().sentence()});
        }
        next();
        return;
    }
    Namespace& space = **entered;
    const auto fail = [](Work& work, Namespace& in, const Error& error) {
        work.tell({"", "search a namespace", in.place(), End::failed, error.sentence()});
    };
    space.send(first_queries(), [weak = weak_from_this(), &space, fail,
                                 next = std::move(next)](ports::Network::Outcome outcome) mutable {
        const std::shared_ptr<Work> self = weak.lock();
        Result<net::Answers> first = answers_of(std::move(outcome));
        if (!self || !first) {
            if (self) {
                fail(*self, space, first.error());
                next();
            }
            return;
        }
        net::Requests queries = queries_of_links((*first)[0].links);
        space.send(std::move(queries),
                   [weak, &space, fail, first = std::move(*first),
                    next = std::move(next)](ports::Network::Outcome second) mutable {
                       const std::shared_ptr<Work> there = weak.lock();
                       if (!there) {
                           return;
                       }
                       Result<net::Answers> links = answers_of(std::move(second));
                       if (links) {
                           there->look(space, std::move(first), std::move(*links));
                       } else {
                           fail(*there, space, links.error());
                       }
                       next();
                   });
    });
}

/// Reads the journals anew: what the kernel has shown was written down before.
void Recovery::Work::look(Namespace& space, net::Answers first, net::Answers links) {
    const Result<std::vector<Found>> now = find_journals(world.files, settings.folder);
    const bool unsure = !now || std::any_of(now->begin(), now->end(), [](const Found& found) {
        return found.alive && !found.unreadable.empty();
    });
    if (unsure) {
        tell({"", "search a namespace", space.place(), End::marked,
              "the journals of living runs cannot be read, so what is theirs is not known"});
        return;
    }
    for (Leftover& leftover : leftovers_of(first, links, *now, space.identity())) {
        const bool is_settled = std::any_of(settled.begin(), settled.end(), [&](const auto& one) {
            return one.first == space.identity() && is_same_thing(one.second, leftover.undo);
        });
        if (!is_settled) {
            leftovers.push_back(Left{&space, std::move(leftover)});
        }
    }
    // Routes and filters before the devices that they lead to: those come first in the list.
}

void Recovery::Work::undo_leftover(Next next) {
    Left left = std::move(leftovers.back());
    leftovers.pop_back();
    Recovered recovered{left.leftover.run, net::describe(left.leftover.undo), left.space->place(),
                        End::undone, std::move(left.leftover.unknown)};
    const bool only_look = settings.dry || !settings.by_mark;
    undo(*left.space, std::move(left.leftover.undo), only_look ? Undoing::dry : Undoing::for_real,
         [weak = weak_from_this(), recovered = std::move(recovered),
          next = std::move(next)](Result<Undone> undone) mutable {
             const std::shared_ptr<Work> self = weak.lock();
             if (!self) {
                 return;
             }
             if (self->settings.by_mark || !undone) {
                 self->tell(std::move(recovered), undone);
             } else if (undone->changed) {  // Else somebody has taken it back meanwhile.
                 recovered.end = End::marked;
                 recovered.why =
                     "no journal here has it; when no run lives, --by-mark takes it back";
                 self->tell(std::move(recovered));
             }
             next();
         });
}

// --- The recovery -------------------------------------------------------------------------------

Recovery::Recovery(const ports::World& world, RecoverySettings settings, AtGuest at_guest,
                   UniqueFunction<void(const Recovered&)> told,
                   UniqueFunction<void(Result<int>)> done)
    : work_(std::make_shared<Work>(world, std::move(settings), std::move(at_guest), std::move(told),
                                   std::move(done))) {}

Recovery::~Recovery() {
    work_->stopped = true;
}

void Recovery::start() {
    // LIFETIME: a share of its own, as both callbacks may destroy this.
    const std::shared_ptr<Work> work = work_;
    work->start();
}

}  // namespace ktm::host
