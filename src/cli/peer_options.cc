// SPDX-License-Identifier: Apache-2.0
// cli/peer_options.cc: how a run meets the other node, and whether it may.
#include "cli/peer_options.hh"

#include <optional>
#include <utility>

#include "base/log.hh"

namespace ktm::cli {

namespace {

Error misused(std::string what) {
    return Error{Kind::usage, "bad-option", std::move(what), "", nullptr};
}

}  // namespace

Result<script::PeerOptions> peer_options(const plan::Plan& plan, const plan::Settings& settings,
                                         const PeerWords& words) {
    script::PeerOptions options;
    const std::optional<script::PeerPlace> place = script::peer_place_of(plan, settings);
    if (!place && (words.insecure || !words.wait.empty())) {
        return misused(std::string{words.insecure ? "--insecure" : "--peer-wait"} +
                       " means nothing here: the role '" + settings.role + "' of plan '" +
                       plan.name + "' has no other node");
    }
    if (!words.wait.empty()) {
        Result<Duration> wait = parse_duration(words.wait);
        if (!wait) {
            return std::move(wait).error().while_trying("read --peer-wait");
        }
        if (*wait <= Duration::zero()) {
            return misused("--peer-wait is " + words.wait + "; expected more than nothing");
        }
        options.wait = *wait;
    }
    if (!place || place->address.is_loopback()) {
        return options;
    }
    const std::string way = (place->connects ? "to " : "on ") + place->text();
    if (!words.insecure) {
        return Error{Kind::usage, "insecure",
                     "what the two nodes say " + way +
                         " could be read and changed by anybody on the way, who could so command "
                         "this VM; with --insecure it is said all the same",
                     "talk to the other node", nullptr};
    }
    log::warning("INSECURE: what the two nodes say " + way +
                 " is neither encrypted nor authenticated; whoever reaches that port or the way to "
                 "it can command this VM");
    return options;
}

}  // namespace ktm::cli
