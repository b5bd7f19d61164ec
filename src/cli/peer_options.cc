// SPDX-License-Identifier: Apache-2.0
// cli/peer_options.cc: how a run meets the other node, and whether it may.
#include "cli/peer_options.hh"

#include <optional>
#include <utility>

#include "base/log.hh"

namespace ktm::cli {

namespace {

/// LIMIT: of the file of a key; one is 65 bytes long.
constexpr Bytes key_file_max{4096};

/// Nothing of what the file holds is in an error.
Result<SharedKey> read_key(ports::Files& files, const std::string& path) {
    const std::string intent = "read the key in " + path;
    Result<std::string> text = files.read_private(path, key_file_max);
    if (!text) {
        Error error = std::move(text).error();
        error.during = intent;
        return error;
    }
    Result<SharedKey> key = SharedKey::parse(*text);
    if (!key) {
        return std::move(key).error().while_trying(intent);
    }
    return *key;
}

Error misused(std::string what) {
    return Error{Kind::usage, "bad-option", std::move(what), "", nullptr};
}

}  // namespace

Result<script::PeerOptions> peer_options(ports::Files& files, const plan::Plan& plan,
                                         const plan::Settings& settings, const PeerWords& words) {
    script::PeerOptions options;
    const std::optional<script::PeerPlace> place = script::peer_place_of(plan, settings);
    const char* given = words.insecure       ? "--insecure"
                        : !words.key.empty() ? "--peer-key"
                                             : "--peer-wait";
    if (!place && (words.insecure || !words.key.empty() || !words.wait.empty())) {
        return misused(std::string{given} + " means nothing here: the role '" + settings.role +
                       "' of plan '" + plan.name + "' has no other node");
    }
    if (words.insecure && !words.key.empty()) {
        return misused(
            "--insecure and --peer-key exclude each other; expected --peer-key alone: "
            "with it what the two nodes say is safe");
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
    const std::string usual = place && !words.insecure ? words.usual_key : "";
    if (const std::string& file = words.key.empty() ? usual : words.key; !file.empty()) {
        Result<SharedKey> key = read_key(files, file);
        if (!key) {
            return std::move(key).error();
        }
        options.key = *key;
        return options;
    }
    if (!place || place->address.is_loopback()) {
        return options;
    }
    const std::string way = (place->connects ? "to " : "on ") + place->text();
    if (!words.insecure) {
        return Error{Kind::usage, "insecure",
                     "what the two nodes say " + way +
                         " could be read and changed by anybody on the way, who could so command "
                         "this VM; expected --peer-key FILE at both nodes, with a key that "
                         "'katamaran peer key' makes; with --insecure it is said all the same",
                     "talk to the other node", nullptr};
    }
    const auto encrypts = settings.values.find("encrypt");
    if (encrypts != settings.values.end() && encrypts->second.type() == plan::Type::boolean &&
        encrypts->second.as_bool()) {
        return misused(
            "the var encrypt is yes, and with --insecure its key could be read by "
            "anybody on the way; expected --peer-key FILE at both nodes, or --var "
            "encrypt=no, with which the guest's memory could be read as well");
    }
    log::warning("INSECURE: what the two nodes say " + way +
                 " is neither encrypted nor authenticated; whoever reaches that port or the way to "
                 "it can command this VM");
    options.is_private = false;
    return options;
}

}  // namespace ktm::cli
