// SPDX-License-Identifier: Apache-2.0
// cli/summary.cc: a QMP message in a few words.
#include "cli/summary.hh"

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes.hh"
#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

/// Fields of query-migrate that count bytes.
constexpr std::array<std::string_view, 5> byte_fields{"remaining", "transferred", "total",
                                                      "max-bandwidth", "downtime-bytes"};

std::string value_text(std::string_view key, const json::View& value) {
    const bool bytes = std::find(byte_fields.begin(), byte_fields.end(), key) != byte_fields.end();
    if (const std::optional<std::uint64_t> count = value.as_uint(); count && bytes) {
        return format_bytes(Bytes{*count});
    }
    if (const std::optional<std::string_view> text = value.as_string()) {
        const bool word =
            !text->empty() && text->find_first_of(" \t\"=,") == std::string_view::npos;
        return word ? printable(*text) : printable(json::quoted(*text));
    }
    return printable(json::compact(value));
}

/// The answer to query-migrate has thirty fields; these tell how far it is.
std::string migration_progress(const json::View& answer, const json::View& ram) {
    std::string text = "status=" + printable(answer.find_string("status").value_or("?"));
    for (const std::string_view key : {"remaining", "transferred", "total", "dirty-sync-count"}) {
        if (const std::optional<json::View> value = ram.find(key)) {
            text += " " + std::string(key) + "=" + value_text(key, *value);
        }
    }
    for (const std::string_view key : {"expected-downtime", "downtime", "total-time"}) {
        if (const std::optional<std::int64_t> value = answer.find_int(key)) {
            text += " " + std::string(key) + "=" + std::to_string(*value) + "ms";
        }
    }
    return text;
}

}  // namespace

std::string summary_of(const json::View& value, std::size_t width) {
    if (!value.is_object()) {
        return excerpt(json::compact(value), width);
    }
    if (const std::optional<json::View> ram = value.find("ram"); ram && value.find("status")) {
        return excerpt(migration_progress(value, *ram), width);
    }
    std::string text;
    for (const json::View::Field field : value.fields()) {
        text += (text.empty() ? "" : " ") + printable(field.key) + "=" +
                value_text(field.key, field.value);
        if (text.size() > width) {
            break;
        }
    }
    return excerpt(text, width);
}

}  // namespace ktm::cli
