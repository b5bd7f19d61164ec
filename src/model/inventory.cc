// SPDX-License-Identifier: Apache-2.0
// model/inventory.cc: what a QEMU has at an instant, beside its guest, for who compares two.
#include "model/inventory.hh"

#include <algorithm>

namespace ktm::model {

namespace {

void add_lacking(const std::vector<std::string>& things, const std::vector<std::string>& there,
                 const char* what, std::vector<std::string>& found) {
    for (const std::string& thing : things) {
        if (std::ranges::find(there, thing) == there.end()) {
            found.push_back(thing + what);
        }
    }
}

}  // namespace

std::string difference(const Inventory& before, const Inventory& now) {
    std::vector<std::string> found = now.settings.changes_since(before.settings);
    add_lacking(now.things, before.things, " is there", found);
    add_lacking(before.things, now.things, " is not there any more", found);
    std::string text;
    for (const std::string& one : found) {
        text += (text.empty() ? "" : "; ") + one;
    }
    return text;
}

}  // namespace ktm::model
