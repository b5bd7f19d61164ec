// SPDX-License-Identifier: Apache-2.0
// peer/hello.cc: what the katamaran at each node says of itself first, and whether the two fit.
#include "peer/hello.hh"

#include <utility>
#include <vector>

#include "base/text.hh"

namespace ktm::peer {

namespace {

/// What somebody else said is shown in short.
constexpr std::size_t shown_bytes = 80;

std::string both(const std::string& what, const std::string& ours, const std::string& theirs) {
    return what + " is '" + excerpt(ours, shown_bytes) + "' here and '" +
           excerpt(theirs, shown_bytes) + "' at the other node";
}

/// The vars that differ, in the order of their names.
std::vector<std::string> disagreements(const Hello& ours, const Hello& theirs) {
    std::vector<std::string> texts;
    for (const auto& [name, value] : ours.agreed) {
        const auto other = theirs.agreed.find(name);
        if (other == theirs.agreed.end()) {
            texts.push_back("the var " + name + " is '" + excerpt(value, shown_bytes) +
                            "' here and not known at the other node");
        } else if (other->second != value) {
            texts.push_back(both("the var " + name, value, other->second));
        }
    }
    for (const auto& [name, value] : theirs.agreed) {
        if (!ours.agreed.contains(name)) {
            texts.push_back("the var " + excerpt(name, shown_bytes) + " is not known here and '" +
                            excerpt(value, shown_bytes) + "' at the other node");
        }
    }
    return texts;
}

}  // namespace

std::optional<Error> mismatch(const Hello& ours, const Hello& theirs) {
    std::string what;
    if (theirs.version != ours.version) {
        what = both("the version of the conversation", std::to_string(ours.version),
                    std::to_string(theirs.version)) +
               ": the two katamarans are too far apart";
    } else if (theirs.plan != ours.plan) {
        what = both("the plan", ours.plan, theirs.plan);
    } else if (theirs.digest != ours.digest) {
        what = both("the digest of the plan " + ours.plan, ours.digest, theirs.digest) +
               ": its text is not the same";
    } else if (theirs.role == ours.role) {
        what = "the role is '" + ours.role + "' here and at the other node";
    } else {
        what = joined(disagreements(ours, theirs), "; ");
    }
    if (what.empty()) {
        return std::nullopt;
    }
    return Error{Kind::refused, "peer-mismatch", std::move(what), "agree with the other node",
                 nullptr};
}

}  // namespace ktm::peer
