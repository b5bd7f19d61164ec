// SPDX-License-Identifier: Apache-2.0
// script/run_looks.cc: what a run looks at before it begins, at this node and with the other one.
//
// Theory of operation. When the VM has greeted, the functions of the role's `looks` run, one after
// the other, as bodies that can only ask. The other node need not be there yet. What is bad ends
// the run before its first state. Where the plan has looks at all and the role has another node,
// the two tell each other what they have found and what must be the same, and each compares; so a
// misfit is told at both, and neither begins. A word of the plan cannot come before that: words
// come in order, and the other run says none before it has heard ours.
#include <lua.hpp>

#include <algorithm>
#include <utility>

#include "script/peer_side.hh"
#include "script/run.hh"

namespace ktm::script {

namespace {

constexpr std::string_view looks_name = "the looks";

bool has_looks(const plan::Plan& plan) {
    return std::any_of(plan.roles.begin(), plan.roles.end(),
                       [](const plan::Role& role) { return !role.looks.empty(); });
}

}  // namespace

void Run::begin_looks() {
    looks_.have_begun = true;
    if (looks_.are_all) {
        look_at_peer_place();
    }
    if (!role_.looks.empty()) {
        looks_.deadline = world_.clock.arm(looks_within, [this] {
            cancel_body({body_.id, Error{Kind::timeout, "looks-late",
                                         "it took longer than " + format_duration(looks_within),
                                         "look", nullptr}});
        });
    }
    next_look();
}

void Run::next_look() {
    if (looks_.next == role_.looks.size()) {
        looks_.are_over = true;
        looks_.deadline.reset();
        settle_looks();
        return;
    }
    const int function = role_.looks[looks_.next++].id;
    prepare_body(Context::look);
    body_.id = {};
    interpreter().push_kept(body_.thread, function);
    interpreter().push_kept(body_.thread, m_);
    go_on(1);
}

void Run::end_look(std::optional<Error> error) {
    if (error) {
        note_finding({Finding::State::bad, std::string{looks_name}, error->sentence(),
                      "mend the plan, or what it looks at"});
    }
    next_look();
}

/// One that waits for something is not waited for any more.
void Run::abandon_look() {
    if (body_.thread == nullptr || body_.token == 0) {
        return;
    }
    wait_timer_.reset();
    if (UniqueFunction<void()> abandon = std::move(body_.abandon)) {
        abandon();
    }
    interpreter().drop_kept(body_.kept);
    body_.thread = nullptr;
    body_.token = 0;
}

bool Run::find(Finding finding) {
    const bool has_room = looks_.findings.size() < findings_max;
    if (has_room) {
        note_finding(std::move(finding));
    }
    return has_room;
}

void Run::note_finding(Finding finding) {
    observer_.on_finding(finding);
    looks_.findings.push_back(std::move(finding));
}

bool Run::share(const std::string& what, Shared thing) {
    if (looks_.shared.size() == findings_max) {
        return false;
    }
    looks_.shared.insert_or_assign(what, std::move(thing));
    return true;
}

void Run::hear_report(const json::View& data) {
    if (phase_ != Phase::connecting || looks_.theirs) {
        return;
    }
    looks_.theirs =
        report_of(data).value_or(Report{{}, {"what it says of its looks cannot be read"}});
    begin_when_ready();
}

/// Called whenever something has come that the beginning waits for.
void Run::settle_looks() {
    if (!looks_.are_over) {
        return;
    }
    if (looks_.are_all) {
        for (Finding& finding : uncompared(looks_.shared)) {
            note_finding(std::move(finding));
        }
        refuse_to_begin();
        return;
    }
    if (peer_ == nullptr || !peer_->is_greeted()) {
        if (has_bad(looks_.findings)) {
            refuse_to_begin();
        } else if (peer_ == nullptr) {
            begin();
        }
        return;
    }
    if (has_looks(plan_.plan()) && !looks_.are_told) {
        looks_.are_told = true;
        (void)peer_->say(looks_word, to_json(looks_.shared, looks_.findings));
        looks_.deadline = world_.clock.arm(their_looks_within, [this] {
            note_finding({Finding::State::bad, "the other node",
                          "it has not said within " + format_duration(their_looks_within) +
                              " what it has found",
                          "see what it waits for there"});
            refuse_to_begin();
        });
    }
    if (looks_.are_told && !looks_.theirs) {
        return;
    }
    if (looks_.theirs) {
        for (Finding& finding : compared(looks_.shared, *looks_.theirs)) {
            note_finding(std::move(finding));
        }
    }
    has_bad(looks_.findings) ? refuse_to_begin() : begin();
}

void Run::refuse_to_begin() {
    give_up(refusal_of(looks_.findings));
}

/// A run would wait there for the other node already.
void Run::look_at_peer_place() {
    const std::optional<PeerPlace> place = peer_place_of(plan_.plan(), settings_);
    if (!place || place->connects) {
        return;
    }
    const Result<std::unique_ptr<ports::Listener>> listener =
        world_.transport.listen(place->endpoint(), [](const std::unique_ptr<ports::Stream>&) {});
    const std::string what = "place for the other node";
    note_finding(listener ? Finding{Finding::State::ok, what, place->text() + " is free", ""}
                          : Finding{Finding::State::bad, what, listener.error().sentence(),
                                    "give an address of this node, and a port that is free"});
}

/// The VM is not to be had; when nothing is to be done but looking, there is more to look at.
void Run::miss_vm(Error error) {
    vms_.at("").client.reset();
    vms_.at("").ready = false;
    if (!looks_.are_all || looks_.have_begun) {
        give_up(std::move(error));
        return;
    }
    patience_.reset();
    note_finding({Finding::State::bad, "QEMU", error.sentence(),
                  "see that it runs, and that nobody else talks to that socket"});
    begin_looks();
}

}  // namespace ktm::script
