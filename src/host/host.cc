// SPDX-License-Identifier: Apache-2.0
// host/host.cc: what a run changes on this host, and how it takes that back.
#include "host/host.hh"

#include <utility>

#include "base/text.hh"
#include "host/undoing.hh"

namespace ktm::host {

namespace {

/// LIMIT: journals of one name in one folder.
constexpr unsigned journals_max = 100;
/// Where a secret lies when journals are on a disk.
constexpr const char* memory_folder = "/dev/shm/katamaran";

/// The kind and the code of the cause stay: callers branch on these.
Error caused(Error cause, std::string what, std::string intent) {
    const Kind kind = cause.kind;
    std::string code = cause.code;
    return std::move(cause).wrapped(kind, std::move(code), std::move(what), std::move(intent));
}

}  // namespace

Host::Host(const ports::World& world, Settings settings)
    : world_(world), settings_(std::move(settings)) {}

Host::~Host() = default;

net::Tag Host::tag() const {
    return tag_of(settings_.header);
}

std::string Host::next_link_name() {
    return net::link_name(tag(), links_++);
}

Result<Namespace*> Host::enter(const std::string& place) {
    const auto known = spaces_.find(place);
    if (known != spaces_.end()) {
        return known->second.get();
    }
    Result<std::shared_ptr<ports::Network>> network = world_.networks.open(place);
    if (!network) {
        return std::move(network).error();
    }
    auto space = std::make_unique<Namespace>(world_.clock, place, std::move(*network));
    return spaces_.emplace(place, std::move(space)).first->second.get();
}

// --- The journal --------------------------------------------------------------------------------

Result<std::optional<UndoId>> Host::will_undo(const GuestUndo& undo) {
    if (is_void(UndoKind::undo)) {
        return std::optional<UndoId>{};
    }
    KTM_CHECK(open_journal());
    Result<UndoId> id = journal_->will_undo(undo);
    if (!id) {
        return std::move(id).error();
    }
    return std::optional{*id};
}

Result<void> Host::drop(UndoId id) {
    return journal_ == nullptr ? Result<void>{} : journal_->dropped(id);
}

Result<void> Host::open_journal() {
    if (journal_ != nullptr) {
        return {};
    }
    for (unsigned nth = 1;; ++nth) {
        std::string path = host::journal_path(settings_.folder, settings_.header, nth);
        Result<std::unique_ptr<Journal>> journal =
            Journal::begin(world_.files, path, settings_.header);
        if (!journal && journal.error().code == "EEXIST" && nth < journals_max) {
            continue;
        }
        if (!journal) {
            return std::move(journal).error();
        }
        if (committed_) {
            KTM_CHECK((*journal)->commit());
        }
        journal_ = std::move(*journal);
        journal_path_ = std::move(path);
        return {};
    }
}

Result<std::vector<UndoId>> Host::write_down(const Held& held) {
    const std::vector<net::Undo> undos = undos_of(*held.steps);
    if (undos.empty() || is_void(held.kind)) {
        return std::vector<UndoId>{};
    }
    KTM_CHECK(open_journal());
    return journal_->will_undo(held.kind, held.space->place(), held.space->identity(), undos);
}

/// When that cannot be written, whoever undoes it again finds nothing to undo.
void Host::note_undone(const std::vector<UndoId>& ids) {
    if (journal_ != nullptr) {
        (void)journal_->undone(ids);
    }
}

std::string Host::where_it_stays(bool written) const {
    return written ? ", and stays in the journal " + journal_path_ : "";
}

Result<void> Host::commit() {
    if (committed_) {
        return {};
    }
    if (journal_ != nullptr) {
        if (Result<void> written = journal_->commit(); !written) {
            return caused(std::move(written).error(),
                          "it cannot be written down that nothing is to be undone any more",
                          "commit");
        }
    }
    committed_ = true;
    for (auto& [id, held] : held_) {
        if (held.kind == UndoKind::undo) {
            held.ids.clear();
        }
    }
    return {};
}

// --- A secret -----------------------------------------------------------------------------------

/// As the journal, which no other run has; on a disk a secret could be found long afterwards.
Result<std::string> Host::secrets_folder() const {
    const std::size_t name = journal_path_.rfind('/') + 1;
    const std::string own =
        journal_path_.substr(name, journal_path_.size() - name - journal_ending.size()) + ".keys";
    for (const std::string& folder : {settings_.folder, std::string{memory_folder}}) {
        const Result<bool> in_memory = world_.files.is_in_memory(folder);
        if (in_memory && *in_memory) {
            return folder + "/" + own;
        }
    }
    return Error{Kind::refused, "no-memory",
                 "neither " + settings_.folder + " nor " + memory_folder +
                     " lies in memory, and a key must not be written to a disk; expected a tmpfs",
                 "keep a key", nullptr};
}

Result<std::string> Host::keep_secret(const std::string& name, std::string_view content) {
    if (!secret_path_.empty()) {
        return secret_path_.substr(0, secret_path_.rfind('/'));
    }
    KTM_CHECK(open_journal());
    Result<std::string> folder = secrets_folder();
    if (!folder) {
        return folder;
    }
    const std::string path = *folder + "/" + name;
    Result<UndoId> id = journal_->will_forget(path);
    if (!id) {
        return std::move(id).error();
    }
    if (Result<void> kept = world_.files.keep_secret(path, content); !kept) {
        note_undone({*id});
        return std::move(kept).error();
    }
    secret_path_ = path;
    secret_id_ = *id;
    return folder;
}

/// One that could not be removed stays in the journal.
Result<void> Host::forget_secret() {
    if (secret_path_.empty()) {
        return {};
    }
    if (Result<bool> forgotten = world_.files.forget_secret(secret_path_); !forgotten) {
        return std::move(forgotten).error();
    }
    secret_path_.clear();
    note_undone({secret_id_});
    return {};
}

Result<std::string> Host::close() {
    KTM_CHECK(forget_secret());
    if (journal_ == nullptr || !journal_->is_empty()) {
        return journal_path_;
    }
    if (Result<void> removed = journal_->remove(); !removed) {
        return caused(std::move(removed).error(), "the journal is empty, and stays", "clean up");
    }
    journal_ = nullptr;
    journal_path_.clear();
    return std::string{};
}

// --- Acquiring ----------------------------------------------------------------------------------

void Host::acquire(Namespace& space, UndoKind kind, net::Wanted wanted, Acquired done) {
    begin(Order{space, kind, true, std::move(wanted), std::move(done)});
}

void Host::prepare(Namespace& space, UndoKind kind, net::Wanted wanted, Acquired done) {
    begin(Order{space, kind, false, std::move(wanted), std::move(done)});
}

void Host::begin(Order order) {
    auto shared = std::make_shared<Order>(std::move(order));
    net::Requests queries = std::exchange(shared->wanted.queries, {});
    shared->space.send(std::move(queries), [this, shared](ports::Network::Outcome outcome) {
        decide(shared, std::move(outcome));
    });
}

void Host::decide(std::shared_ptr<Order> order, ports::Network::Outcome outcome) {
    const std::string intent = "get " + order->wanted.what;
    net::Answers answers;
    for (Result<net::Answer>& one : outcome) {
        if (!one && is_absence(one.error())) {
            answers.emplace_back();  // The steps say what that means.
            continue;
        }
        if (!one) {
            order->done(caused(std::move(one).error(), "nothing was changed", intent));
            return;
        }
        answers.push_back(std::move(*one));
    }
    Result<net::Steps> steps = order->wanted.steps(answers);
    if (!steps) {
        order->done(std::move(steps).error().while_trying(intent));
        return;
    }
    Held held;
    held.space = &order->space;
    held.kind = order->kind;
    held.what = order->wanted.what;
    held.steps = std::make_shared<const net::Steps>(std::move(*steps));
    Result<std::vector<UndoId>> ids = write_down(held);
    if (!ids) {
        order->done(caused(std::move(ids).error(),
                           "what would undo it cannot be written down, so nothing was changed",
                           intent));
        return;
    }
    held.ids = std::move(*ids);
    if (order->at_once) {
        step(order, std::move(held));
        return;
    }
    const AcquiredId id = ids_.next();
    held_.emplace(id, std::move(held));
    order->done(id);
}

void Host::step(const std::shared_ptr<Order>& order, Held held) {
    const std::shared_ptr<const net::Steps> steps = held.steps;
    auto shared = std::make_shared<Held>(std::move(held));
    carry_out(
        order->space, steps, [] { return true; },
        [this, order, shared](Stepped stepped) {
            if (stepped.error) {
                unwind(*shared, std::move(stepped), true,
                       [order](Error error, bool) { order->done(std::move(error)); });
                return;
            }
            // What was acquired across the commit is void like all others.
            if (is_void(shared->kind)) {
                shared->ids.clear();
            }
            const AcquiredId id = ids_.next();
            shared->acted = true;
            held_.emplace(id, std::move(*shared));
            order->done(id);
        });
}

// --- Undoing ------------------------------------------------------------------------------------

void Host::unwind(const Held& held, Stepped stepped, bool forget,
                  UniqueFunction<void(Error, bool clean)> done) {
    struct State {
        std::string what;
        bool forget = true;
        std::vector<UndoId> ids;
        std::vector<std::size_t> places;
        std::vector<std::string> words;
        std::vector<std::string> left;
        Error error;
    };
    auto state = std::make_shared<State>();
    state->what = held.what;
    state->forget = forget;
    state->ids = held.ids;
    state->places = std::move(stepped.places);
    state->error = std::move(*stepped.error);
    for (const net::Undo& undo : stepped.undos) {
        state->words.push_back(net::describe(undo));
    }
    if (forget) {
        // What was not carried out has nothing to undo.
        std::vector<UndoId> unused = held.ids;
        for (auto place = state->places.rbegin(); place != state->places.rend(); ++place) {
            if (*place < unused.size()) {
                unused.erase(unused.begin() + static_cast<std::ptrdiff_t>(*place));
            }
        }
        note_undone(unused);
    }
    undo_all(
        *held.space, std::move(stepped.undos),
        [this, state](std::size_t at, Result<Undone> undone) {
            const std::size_t place = state->places[at];
            if (!undone) {
                state->left.push_back("could not " + state->words[at] + ": " +
                                      undone.error().sentence());
            } else if (state->forget && place < state->ids.size()) {
                note_undone({state->ids[place]});
            }
        },
        [this, state, done = std::move(done)]() mutable {
            std::string what = state->words.empty() ? "nothing was changed"
                                                    : "what had been changed was taken back";
            if (!state->left.empty()) {
                what = "not all that had been changed could be taken back: " +
                       joined(state->left, "; ") + where_it_stays(!state->ids.empty());
            }
            done(caused(std::move(state->error), std::move(what), "get " + state->what),
                 state->left.empty());
        });
}

void Host::undo_held(std::shared_ptr<Held> held, bool forget, Given done) {
    struct State {
        std::vector<std::string> words;
        std::vector<std::string> left;
        std::optional<Error> error;
    };
    std::vector<net::Undo> undos = undos_of(*held->steps);
    if (!held->acted && forget) {
        note_undone(held->ids);  // It was prepared alone: what looks like ours is another's.
    }
    if (!held->acted || is_void(held->kind)) {
        undos.clear();
    }
    auto state = std::make_shared<State>();
    for (const net::Undo& undo : undos) {
        state->words.push_back(net::describe(undo));
    }
    Namespace& space = *held->space;
    undo_all(
        space, std::move(undos),
        [this, state, held, forget](std::size_t at, Result<Undone> undone) {
            if (!undone) {
                state->left.push_back("could not " + state->words[at]);
                if (!state->error) {
                    state->error = std::move(undone).error();
                }
            } else if (forget && at < held->ids.size()) {
                note_undone({held->ids[at]});
            }
        },
        [this, state, held, done = std::move(done)]() mutable {
            if (!state->error) {
                done({});
                return;
            }
            done(caused(std::move(*state->error),
                        joined(state->left, "; ") + where_it_stays(!held->ids.empty()),
                        "give " + held->what + " back"));
        });
}

void Host::give_back(AcquiredId id, Given done) {
    auto held = held_.extract(id);
    if (held.empty()) {
        done({});
        return;
    }
    undo_held(std::make_shared<Held>(std::move(held.mapped())), true, std::move(done));
}

std::string Host::what(AcquiredId id) const {
    const auto found = held_.find(id);
    return found == held_.end() ? "" : found->second.what;
}

void Host::let_be(AcquiredId id) {
    const auto held = held_.extract(id);
    if (!held.empty()) {
        note_undone(held.mapped().ids);
    }
}

void Host::take_back(AcquiredId id, Given done) {
    const auto found = held_.find(id);
    if (found == held_.end()) {
        done({});
        return;
    }
    found->second.turned = false;
    const unsigned turn = ++found->second.turns;
    undo_held(std::make_shared<Held>(found->second), false,
              [this, id, turn, done = std::move(done)](Result<void> given) mutable {
                  const auto there = held_.find(id);
                  if (given && there != held_.end() && there->second.turns == turn) {
                      there->second.acted = false;
                  }
                  done(std::move(given));
              });
}

/// What has been carried out is not carried out twice: the second time would fail, as it is there,
/// and its undo with it. What may have been left by halves is taken back first.
void Host::act(AcquiredId id, Given done) {
    const auto found = held_.find(id);
    if (found == held_.end()) {
        done(Error{Kind::usage, "given-back", "it was given back already", "", nullptr});
        return;
    }
    if (found->second.turned) {
        done({});
        return;
    }
    if (found->second.acted) {
        take_back(id, [this, id, done = std::move(done)](Result<void> given) mutable {
            if (given) {
                act(id, std::move(done));
            } else {
                done(std::move(given));
            }
        });
        return;
    }
    found->second.acted = true;
    const unsigned turn = ++found->second.turns;
    const Held held = found->second;
    const auto is_this_turn = [this, id, turn] {
        const auto there = held_.find(id);
        return there != held_.end() && there->second.turns == turn;
    };
    carry_out(*held.space, held.steps, is_this_turn,
              [this, id, held, is_this_turn, done = std::move(done)](Stepped stepped) mutable {
                  if (!stepped.error) {
                      if (is_this_turn()) {
                          held_.at(id).turned = true;
                      }
                      done({});
                  } else if (stepped.error->kind == Kind::cancelled) {
                      // Whoever took it back saw all that had been sent, and has undone it.
                      done(std::move(*stepped.error));
                  } else {
                      unwind(held, std::move(stepped), false,
                             [this, id, is_this_turn, done = std::move(done)](Error error,
                                                                              bool clean) mutable {
                                 if (clean && is_this_turn()) {
                                     // Nothing of it is left: what looks like ours is another's.
                                     held_.at(id).acted = false;
                                 }
                                 done(std::move(error));
                             });
                  }
              });
}

}  // namespace ktm::host
