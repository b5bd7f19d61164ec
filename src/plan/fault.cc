// SPDX-License-Identifier: Apache-2.0
// plan/fault.cc: what is wrong with a plan or its vars, and where.
#include "plan/fault.hh"

#include <algorithm>
#include <set>
#include <tuple>

namespace ktm::plan {

FileName::FileName(std::string_view name) {
    static std::set<std::string, std::less<>> names;
    const auto found = names.find(name);
    name_ = found != names.end() ? &*found : &*names.emplace(name).first;
}

const std::string* FileName::none() {
    static const std::string empty;
    return &empty;
}

std::string Place::text() const {
    return line > 0 ? file.text() + ":" + std::to_string(line) : file.text();
}

std::string Fault::sentence() const {
    std::string text = place.text();
    for (const std::string* part : {&where, &what}) {
        if (!part->empty()) {
            text += (text.empty() ? "" : ": ") + *part;
        }
    }
    if (!expected.empty()) {
        text += "; expected " + expected;
    }
    if (!hint.empty()) {
        text += "; did you mean '" + hint + "'?";
    }
    return text;
}

void sort_faults(Faults& faults) {
    const auto order = [](const Fault& fault) {
        return std::tie(fault.place.file.text(), fault.place.line, fault.where, fault.what);
    };
    std::stable_sort(faults.begin(), faults.end(),
                     [&](const Fault& a, const Fault& b) { return order(a) < order(b); });
    const auto same = [&](const Fault& a, const Fault& b) { return order(a) == order(b); };
    faults.erase(std::unique(faults.begin(), faults.end(), same), faults.end());
}

}  // namespace ktm::plan
