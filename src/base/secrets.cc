// SPDX-License-Identifier: Apache-2.0
// base/secrets.cc: texts that must not be seen, taken out of what is written.
#include "base/secrets.hh"

#include <algorithm>
#include <utility>

namespace ktm {

void Secrets::add(std::string form) {
    if (form.empty() || std::find(forms_.begin(), forms_.end(), form) != forms_.end()) {
        return;
    }
    forms_.push_back(std::move(form));
    std::stable_sort(forms_.begin(), forms_.end(), [](const std::string& a, const std::string& b) {
        return a.size() > b.size();
    });
}

std::string Secrets::hide(std::string_view text) const {
    std::string shown{text};
    for (const std::string& form : forms_) {
        for (std::size_t at = shown.find(form); at != std::string::npos;
             at = shown.find(form, at + secret_mark.size())) {
            shown.replace(at, form.size(), secret_mark);
        }
    }
    return shown;
}

}  // namespace ktm
