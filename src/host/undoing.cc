// SPDX-License-Identifier: Apache-2.0
// host/undoing.cc: one undo, and many, newest first.
#include "host/undoing.hh"

#include <memory>
#include <optional>
#include <utility>

#include "host/turns.hh"

namespace ktm::host {

namespace {

using Done = UniqueFunction<void(Result<Undone>)>;

/// What puts something back finds nothing "gone": the kernel lacks what it takes.
bool puts_back(const net::Request& request) {
    return std::holds_alternative<net::PutRootQdisc>(request);
}

/// Of several errors the first; an unknown outcome is one.
Result<Undone> judge(const net::Requests& requests, ports::Network::Outcome outcome) {
    Undone undone;
    std::optional<Error> error;
    for (std::size_t at = 0; at < outcome.size(); ++at) {
        Result<net::Answer>& one = outcome[at];
        if (one) {
            undone.changed = true;
        } else if (error) {
            continue;
        } else if (!is_gone_already(one.error()) ||
                   (one.error().code == "ENOENT" && puts_back(requests[at]))) {
            error = std::move(one).error();
        }
    }
    return error ? Result<Undone>{std::move(*error)} : Result<Undone>{undone};
}

/// What the kernel says of something that it does not have, if it says so of one.
std::optional<Error> gone_among(const ports::Network::Outcome& outcome) {
    for (const Result<net::Answer>& one : outcome) {
        if (!one && is_gone_already(one.error())) {
            return one.error();
        }
    }
    return std::nullopt;
}

/// Something was there, and the kernel says that it is not: so it is gone meanwhile, or the kernel
/// means something else. Who looks again knows.
void make_sure(Namespace& space, const net::Undo& wanted, const Error& gone, Undone undone,
               Done done) {
    space.send(net::queries_of(wanted), [wanted, gone, undone, done = std::move(done)](
                                            ports::Network::Outcome outcome) mutable {
        const Result<net::Answers> answers = answers_of(std::move(outcome));
        if (!answers) {
            done(Error{answers.error()});
        } else if (!net::requests_of(wanted, *answers).empty()) {
            done(Error{gone});
        } else {
            done(undone);
        }
    });
}

/// Looks, decides, acts: once.
void try_undo(Namespace& space, const net::Undo& wanted, Undoing how, Done done) {
    space.send(net::queries_of(wanted), [&space, wanted, how, done = std::move(done)](
                                            ports::Network::Outcome outcome) mutable {
        Result<net::Answers> answers = answers_of(std::move(outcome));
        if (!answers) {
            done(std::move(answers).error());
            return;
        }
        net::Requests requests = net::requests_of(wanted, *answers);
        if (requests.empty() || how == Undoing::dry) {
            done(Undone{!requests.empty()});
            return;
        }
        net::Requests sent = requests;
        space.send(std::move(requests),
                   [&space, wanted = std::move(wanted), sent = std::move(sent),
                    done = std::move(done)](ports::Network::Outcome acted) mutable {
                       const std::optional<Error> gone = gone_among(acted);
                       Result<Undone> undone = judge(sent, std::move(acted));
                       if (!undone || !gone) {
                           done(std::move(undone));
                       } else {
                           make_sure(space, wanted, *gone, *undone, std::move(done));
                       }
                   });
    });
}

/// One undo, as often as it is tried.
struct Attempts {
    Namespace& space;
    net::Undo wanted;
    Undoing how;
    Done done;
    std::size_t failed = 0;
};

void attempt(const std::shared_ptr<Attempts>& attempts) {
    try_undo(attempts->space, attempts->wanted, attempts->how, [attempts](Result<Undone> undone) {
        if (undone || attempts->failed == again_after.size()) {
            attempts->done(std::move(undone));
        } else {
            attempts->space.later(again_after[attempts->failed++],
                                  [attempts] { attempt(attempts); });
        }
    });
}

}  // namespace

Result<net::Answers> answers_of(ports::Network::Outcome outcome) {
    net::Answers answers;
    for (Result<net::Answer>& one : outcome) {
        if (!one && !is_gone_already(one.error())) {
            return std::move(one).error();
        }
        answers.push_back(one ? std::move(*one) : net::Answer{});
    }
    return answers;
}

void undo(Namespace& space, net::Undo wanted, Undoing how, Done done) {
    attempt(std::make_shared<Attempts>(Attempts{space, std::move(wanted), how, std::move(done)}));
}

void undo_all(Namespace& space, std::vector<net::Undo> wanted,
              UniqueFunction<void(std::size_t, Result<Undone>)> each, UniqueFunction<void()> done) {
    struct All {
        std::vector<net::Undo> wanted;
        UniqueFunction<void(std::size_t, Result<Undone>)> each;
        UniqueFunction<void()> done;
    };
    auto all = std::make_shared<All>(All{std::move(wanted), std::move(each), std::move(done)});
    Turns::take([&space, all](Turns::Next next) {
        if (all->wanted.empty()) {
            all->done();
            return;
        }
        net::Undo newest = std::move(all->wanted.back());
        all->wanted.pop_back();
        undo(space, std::move(newest), Undoing::for_real,
             [all, next = std::move(next)](Result<Undone> undone) mutable {
                 all->each(all->wanted.size(), std::move(undone));
                 next();
             });
    });
}

}  // namespace ktm::host
