// SPDX-License-Identifier: Apache-2.0
// plan/value.cc: values written for people and as JSON.
#include "plan/value.hh"

#include <algorithm>
#include <array>
#include <span>

#include "base/quantity.hh"
#include "json/writer.hh"

namespace ktm::plan {

namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;

// From large to small: of two texts of one length the one with the larger unit is taken.
constexpr std::array<Unit, 7> duration_units{{{"d", 86400 * ns_per_s},
                                              {"h", 3600 * ns_per_s},
                                              {"min", 60 * ns_per_s},
                                              {"s", ns_per_s},
                                              {"ms", 1'000'000},
                                              {"us", 1'000},
                                              {"ns", 1}}};
constexpr std::array<Unit, 9> size_units{{{"TiB", 1LL << 40},
                                          {"TB", 1'000'000'000'000},
                                          {"GiB", 1LL << 30},
                                          {"GB", 1'000'000'000},
                                          {"MiB", 1LL << 20},
                                          {"MB", 1'000'000},
                                          {"KiB", 1LL << 10},
                                          {"kB", 1'000},
                                          {"B", 1}}};

/// The shortest whole number with a unit that is exactly this amount.
std::string with_unit(std::int64_t amount, std::span<const Unit> units,
                      std::string_view unit_of_zero) {
    if (amount == 0) {
        return "0" + std::string(unit_of_zero);
    }
    std::string best;
    for (const Unit& unit : units) {
        if (amount % unit.factor != 0) {
            continue;
        }
        std::string text = std::to_string(amount / unit.factor) + std::string(unit.name);
        if (best.empty() || text.size() < best.size()) {
            best = std::move(text);
        }
    }
    return best;
}

/// No link is sold in terabytes per second: rates are not read in them.
std::string rate_text(std::int64_t bytes_per_s) {
    return with_unit(bytes_per_s, std::span(size_units).subspan(2), "B") + "/s";
}

/// Milliseconds as a decimal number, exactly: at most six decimals, no zeros at its end.
std::string milliseconds(std::int64_t ns) {
    constexpr std::int64_t ns_per_ms = 1'000'000;
    std::string text = std::to_string(ns / ns_per_ms);
    const std::int64_t rest = std::abs(ns % ns_per_ms);
    if (rest == 0) {
        return text;
    }
    if (ns < 0 && text == "0") {
        text = "-0";
    }
    std::string decimals = std::to_string(rest);
    decimals.insert(0, 6 - decimals.size(), '0');
    decimals.erase(decimals.find_last_not_of('0') + 1);
    return text + "." + decimals;
}

/// Whether an item can stand between commas and be read again as what it is.
bool stands_alone(const std::string& item) {
    return !item.empty() && item[0] != '[' && item.find(',') == std::string::npos;
}

std::string list_text(const Value::List& list) {
    std::vector<std::string> items;
    for (const Value& item : list) {
        items.push_back(item.text());
    }
    const bool plain = !items.empty() && std::all_of(items.begin(), items.end(), stands_alone);
    std::string text;
    for (const std::string& item : items) {
        text += (text.empty() ? "" : ",") + (plain ? item : json::quoted(item));
    }
    return plain ? text : "[" + text + "]";
}

std::string list_json(const Value::List& list) {
    std::string text;
    for (const Value& item : list) {
        text += (text.empty() ? "" : ",") + item.json();
    }
    return "[" + text + "]";
}

}  // namespace

std::string_view name_of(Type type) noexcept {
    switch (type) {
        case Type::ip: return "ip";
        case Type::ifname: return "ifname";
        case Type::duration: return "duration";
        case Type::size: return "size";
        case Type::rate: return "rate";
        case Type::integer: return "int";
        case Type::enumeration: return "enum";
        case Type::boolean: return "bool";
        case Type::path: return "path";
        case Type::text: return "string";
        case Type::secret: return "secret";
        case Type::list: return "list";
    }
    return "unknown";
}

bool is_amount(Type type) noexcept {
    return type == Type::duration || type == Type::size || type == Type::rate ||
           type == Type::integer;
}

std::string Value::text() const {
    switch (type_) {
        case Type::duration: return with_unit(as_int(), duration_units, "s");
        case Type::size: return with_unit(as_int(), size_units, "B");
        case Type::rate: return rate_text(as_int());
        case Type::integer: return std::to_string(as_int());
        case Type::boolean: return as_bool() ? "true" : "false";
        case Type::secret: return "(secret)";
        case Type::list: return list_text(as_list());
        case Type::ip:
        case Type::ifname:
        case Type::enumeration:
        case Type::path:
        case Type::text: return as_text();
    }
    return "";
}

std::string Value::json() const {
    switch (type_) {
        case Type::duration: return milliseconds(as_int());
        case Type::size:
        case Type::rate:
        case Type::integer: return std::to_string(as_int());
        case Type::boolean: return as_bool() ? "true" : "false";
        case Type::secret: return "null";
        case Type::list: return list_json(as_list());
        case Type::ip:
        case Type::ifname:
        case Type::enumeration:
        case Type::path:
        case Type::text: return json::quoted(as_text());
    }
    return "null";
}

}  // namespace ktm::plan
