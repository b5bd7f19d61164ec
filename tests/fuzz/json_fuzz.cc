// SPDX-License-Identifier: Apache-2.0
// tests/fuzz/json_fuzz.cc: the fast JSON parser against the slow one, and the writer against both.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hh"
#include "json/grammar.hh"
#include "json/parser.hh"
#include "json/writer.hh"

namespace {

using namespace ktm;

/// What may stand behind a line in a framer's buffer: the next line, chosen to tempt the parser to
/// read on.
constexpr std::string_view temptations[] = {"\r\n{\"event\": \"STOP\"}", "\"}]},1]", "0000e9.9",
                                            "\\\"\\u00", "\xBF\xBF\xBF"};

/// The text as the framer hands it over: in a buffer that ends with the promised padding.
std::optional<std::string> parsed_in_place(std::string_view text, std::string_view behind) {
    static json::Parser parser;  // Reused, as in a session: one text must not leak into the next.
    std::vector<char> buffer(text.begin(), text.end());
    for (std::size_t i = 0; i < json::padding_bytes; ++i) {
        buffer.push_back(behind[i % behind.size()]);
    }
    const Result<json::Document> document =
        parser.parse_in_place(std::string_view{buffer.data(), text.size()});
    return document ? std::optional{json::compact(document->root())} : std::nullopt;
}

void check_parts(const json::View& view) {
    const json::Document part = json::Document::extract(view);
    KTM_ASSERT(json::compact(part.root()) == json::compact(view));
    KTM_ASSERT(part.root().type() == view.type() && part.root().size() == view.size());
    std::size_t children = 0;
    for (const json::View::Field field : view.fields()) {
        const std::optional<json::View> found = view.find(field.key);
        KTM_ASSERT(found && json::compact(*found) == json::compact(field.value));
        ++children;
    }
    for (const json::View item : view.items()) {
        KTM_ASSERT(json::compact(item).size() <= json::compact(view).size());
        ++children;
    }
    KTM_ASSERT(children == view.size());
}

/// Every value below, each looked at once by check_parts; only small texts, for it is quadratic.
void walk(const json::View& view) {
    check_parts(view);
    for (const json::View::Field field : view.fields()) {
        walk(field.value);
    }
    for (const json::View item : view.items()) {
        walk(item);
    }
}

void check_renderings(const json::Document& document) {
    const std::string line = json::compact(document.root());
    KTM_ASSERT(line.find('\n') == std::string::npos);
    const Result<json::Document> again = json::parse(line);
    KTM_ASSERT(again && json::compact(again->root()) == line);
    const Result<json::Document> pretty = json::parse(json::pretty(document.root()));
    KTM_ASSERT(pretty && json::compact(pretty->root()) == line);
    KTM_ASSERT(json::compact(document.copy().root()) == line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const std::optional<json::Fault> fault = json::find_fault(text);
    const Result<json::Document> document = json::parse(text);
    KTM_ASSERT(document.has_value() == !fault.has_value());
    KTM_ASSERT(!fault || (fault->offset <= text.size() && !fault->expected.empty()));
    KTM_ASSERT(document || document.error().code == fault->code);
    for (const std::string_view behind : temptations) {
        const std::optional<std::string> in_place = parsed_in_place(text, behind);
        KTM_ASSERT(in_place.has_value() == document.has_value());
        KTM_ASSERT(!in_place || *in_place == json::compact(document->root()));
    }
    if (document) {
        check_renderings(*document);
        if (text.size() <= 512) {
            walk(document->root());
        }
    }
    return 0;
}
