// SPDX-License-Identifier: Apache-2.0
// base/secrets.cc: texts that must not be seen, taken out of what is written.
#include "base/secrets.hh"

#include <algorithm>
#include <utility>

namespace ktm {

namespace {

/// What excerpt() writes where it cuts.
constexpr std::string_view cut_mark = "…";
/// LIMIT: the beginning of a secret that gives nothing away.
constexpr std::size_t beginning_bytes_min = 3;

/// Bytes of the longest true beginning of the form with which the text ends.
std::size_t size_of_beginning(std::string_view form, std::string_view text) {
    std::size_t size = std::min(form.size() - 1, text.size());
    while (size > 0 && text.substr(text.size() - size) != form.substr(0, size)) {
        --size;
    }
    return size;
}

}  // namespace

void Secrets::add(std::string form) {
    if (form.empty() || std::find(forms_.begin(), forms_.end(), form) != forms_.end()) {
        return;
    }
    forms_.push_back(std::move(form));
    std::stable_sort(forms_.begin(), forms_.end(), [](const std::string& a, const std::string& b) {
        return a.size() > b.size();
    });
}

void Secrets::add(const Secrets& others) {
    for (const std::string& form : others.forms_) {
        add(form);
    }
}

std::string Secrets::hide(std::string_view text) const {
    std::string shown{text};
    for (const std::string& form : forms_) {
        for (std::size_t at = shown.find(form); at != std::string::npos;
             at = shown.find(form, at + secret_mark.size())) {
            shown.replace(at, form.size(), secret_mark);
        }
    }
    hide_beginnings(shown);
    return shown;
}

void Secrets::hide_beginnings(std::string& text) const {
    for (std::size_t cut = text.find(cut_mark); cut != std::string::npos;
         cut = text.find(cut_mark, cut + cut_mark.size())) {
        for (const std::string& form : forms_) {
            const std::size_t size = size_of_beginning(form, std::string_view{text}.substr(0, cut));
            if (size >= beginning_bytes_min) {
                text.replace(cut - size, size, secret_mark);
                cut = cut - size + secret_mark.size();
                break;
            }
        }
    }
}

}  // namespace ktm
