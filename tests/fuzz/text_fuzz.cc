// SPDX-License-Identifier: Apache-2.0
// tests/fuzz/text_fuzz.cc: foreign bytes made safe, for the terminal and for JSON.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "base/text.hh"
#include "json/grammar.hh"
#include "json/parser.hh"
#include "json/writer.hh"

namespace {

using namespace ktm;

/// Nothing a terminal obeys, and a text that needs no second treatment.
void check_safe(const std::string& shown) {
    for (const char c : shown) {
        KTM_ASSERT(static_cast<std::uint8_t>(c) >= 0x20 && c != 0x7F);
    }
    KTM_ASSERT(printable(shown) == shown);
    KTM_ASSERT(shown.find("\xC2\x80") == std::string::npos);
    KTM_ASSERT(shown.find("\xE2\x80\xAE") == std::string::npos);
    KTM_ASSERT(!json::find_fault(json::quoted(shown)));
}

/// Any bytes become one JSON string; those that are UTF-8 come back as they were.
void check_quoting(std::string_view text) {
    const std::string quoted = json::quoted(text);
    const Result<json::Document> back = json::parse(quoted);
    KTM_ASSERT(back && back->root().is_string());
    const std::string content{*back->root().as_string()};
    KTM_ASSERT(json::quoted(content) == quoted);
    KTM_ASSERT(content == text || content.find("\xEF\xBF\xBD") != std::string::npos);
    for (const char c : quoted) {
        KTM_ASSERT(static_cast<std::uint8_t>(c) >= 0x20 && c != 0x7F);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check_safe(printable(text));
    for (const std::size_t bytes_max : {std::size_t{0}, std::size_t{1}, size / 2, size}) {
        const std::string shown = excerpt(text, bytes_max);
        check_safe(shown);
        KTM_ASSERT(shown.size() <= bytes_max * 4 + 3);
    }
    check_quoting(text);
    return 0;
}
