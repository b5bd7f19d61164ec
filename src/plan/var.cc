// SPDX-License-Identifier: Apache-2.0
// plan/var.cc: from what a person gives to the value of a var.
#include "plan/var.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/address.hh"
#include "base/bytes.hh"
#include "base/nearest.hh"
#include "base/quantity.hh"
#include "base/text.hh"
#include "json/grammar.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "plan/wording.hh"

namespace ktm::plan {

namespace {

/// LIMIT: what is neither text nor path fits easily; of more only the beginning is shown.
constexpr std::size_t word_bytes_max = 64;

/// LIMIT: IFNAMSIZ of the kernel, without its NUL.
constexpr std::size_t ifname_bytes_max = 15;

// In bits, for a bit is no whole number of bytes; from large to small as for sizes.
constexpr std::array<Unit, 11> rate_units{{{"B/s", 8},
                                           {"kB/s", 8'000},
                                           {"MB/s", 8'000'000},
                                           {"GB/s", 8'000'000'000},
                                           {"KiB/s", 8LL << 10},
                                           {"MiB/s", 8LL << 20},
                                           {"GiB/s", 8LL << 30},
                                           {"bit/s", 1},
                                           {"kbit/s", 1'000},
                                           {"Mbit/s", 1'000'000},
                                           {"Gbit/s", 1'000'000'000}}};

Error bad_value(std::string what, std::string_view expected) {
    return Error{Kind::invalid, "bad-value",
                 std::move(what) + "; expected " + std::string(expected), "", nullptr};
}

std::string counted(std::size_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

/// What the size of a value counts; empty for a value without a size.
std::string_view size_noun(Type type) {
    const bool is_text = type == Type::text || type == Type::path || type == Type::secret;
    return is_text ? "byte" : (type == Type::list ? "item" : "");
}

/// The smallest value: of the plan, and of the type itself.
std::optional<std::int64_t> least(const Var& var) {
    if (var.type != Type::secret) {
        return var.min;
    }
    return std::max(var.min.value_or(0), static_cast<std::int64_t>(secret_bytes_min));
}

std::string bound_text(const Var& var, std::int64_t bound) {
    return is_amount(var.type) ? Value{var.type, bound}.text() : std::to_string(bound);
}

/// "from 1ms to 60s", "of 1 to 4 bytes", "of at least 1ms"; empty without bounds.
std::string range_text(const Var& var) {
    const std::optional<std::int64_t> min = least(var);
    std::string text;
    if (min && var.max) {
        text = (is_amount(var.type) ? "from " : "of ") + bound_text(var, *min) + " to " +
               bound_text(var, *var.max);
    } else if (min) {
        text = "of at least " + bound_text(var, *min);
    } else if (var.max) {
        text = "of at most " + bound_text(var, *var.max);
    }
    const std::string_view noun = size_noun(var.type);
    if (text.empty() || noun.empty()) {
        return text;
    }
    const bool one = var.max.value_or(min.value_or(0)) == 1;
    return text + " " + std::string(noun) + (one ? "" : "s");
}

std::string family_words(Family family) {
    return family == Family::v6 ? " of IPv6" : " of IPv4";
}

std::string_view address_expected(const std::optional<Family>& family) {
    if (!family) {
        return "an address such as 192.0.2.1 or 2001:db8::1";
    }
    return *family == Family::v6 ? "an address of IPv6, such as 2001:db8::1"
                                 : "an address of IPv4, such as 192.0.2.1";
}

/// What a value must be, behind the word "expected".
std::string expected_of(const Var& var) {
    const std::string range = range_text(var);
    const std::string in_range = range.empty() ? "" : " " + range;
    switch (var.type) {
        case Type::ip: return std::string(address_expected(var.family));
        case Type::ifname:
            return "the name of an interface, such as tap0 (1 to 15 bytes without "
                   "spaces, '/' and ':')";
        case Type::duration:
            return "a duration" + (range.empty() ? " with a unit, such as 25ms" : in_range);
        case Type::size:
            return "a size" + (range.empty() ? " with a unit, such as 16MiB" : in_range);
        case Type::rate:
            return "a rate" + (range.empty() ? " with a unit, such as 10GB/s" : in_range);
        case Type::integer: return "a whole number" + in_range;
        case Type::enumeration: return listed(var.choices);
        case Type::boolean: return "true or false (or yes, no, on, off)";
        case Type::path: return "a path" + in_range;
        case Type::text: return "a text" + in_range;
        case Type::secret: return "a text" + in_range;
        case Type::list: return "a list of " + std::string(name_of(var.element)) + in_range;
    }
    return "";
}

Error not_a(const Var& var, std::string_view given) {
    return bad_value(shown(given) + " is not a value of type " + std::string(name_of(var.type)),
                     expected_of(var));
}

// --- From text to content, by type. The range comes later: allows() looks at it. ---------------

Result<Value> read_ip(std::string_view given) {
    const Result<IpAddress> address = IpAddress::parse(given);
    if (!address) {
        return address.error();
    }
    return Value{Type::ip, address->text()};
}

/// Rates are read in bits and rounded to bytes.
Result<std::int64_t> parse_rate(std::string_view given) {
    const Result<std::int64_t> bits = parse_quantity(given, rate_units, "a rate", "10GB/s");
    if (!bits) {
        return bits.error();
    }
    return *bits / 8 + (*bits % 8 >= 4 ? 1 : 0);
}

Result<std::int64_t> parse_amount(Type type, std::string_view given) {
    if (type == Type::rate) {
        return parse_rate(given);
    }
    if (type == Type::size) {
        const Result<Bytes> bytes = parse_bytes(given);
        if (!bytes) {
            return bytes.error();
        }
        // parse_bytes counts in a signed number.
        return static_cast<std::int64_t>(bytes->count);
    }
    const Result<Duration> duration = parse_duration(given);
    if (!duration) {
        return duration.error();
    }
    return duration->count();
}

Error unit_missing(Type type, const std::string& number) {
    Var without_range;
    without_range.type = type;
    return bad_value(number + " has no unit", expected_of(without_range));
}

Result<Value> read_quantity(Type type, std::string_view given) {
    const bool bare = given.find_first_not_of("0123456789.-") == given.npos &&
                      given.find_first_of("0123456789") != given.npos;
    if (bare) {
        return unit_missing(type, shown(given));
    }
    const Result<std::int64_t> amount = parse_amount(type, given);
    if (!amount) {
        return amount.error();
    }
    return Value{type, *amount};
}

Result<Value> read_integer(const Var& var, std::string_view given) {
    std::int64_t number = 0;
    const char* end = given.data() + given.size();
    const auto [stop, fault] = std::from_chars(given.data(), end, number);
    if (fault == std::errc::result_out_of_range && stop == end) {
        return bad_value(shown(given) + " does not fit into 64 bits", expected_of(var));
    }
    if (fault != std::errc{} || stop != end) {
        return not_a(var, given);
    }
    return Value{Type::integer, number};
}

Result<Value> read_boolean(const Var& var, std::string_view given) {
    for (const std::string_view yes : {"true", "yes", "on"}) {
        if (given == yes) {
            return Value{Type::boolean, true};
        }
    }
    for (const std::string_view no : {"false", "no", "off"}) {
        if (given == no) {
            return Value{Type::boolean, false};
        }
    }
    return not_a(var, given);
}

/// The rules of the kernel's dev_valid_name().
bool is_ifname(std::string_view text) {
    static constexpr std::string_view refused{"/: \t\n\v\f\r\0", 9};
    return !text.empty() && text.size() <= ifname_bytes_max && text != "." && text != ".." &&
           text.find_first_of(refused) == text.npos;
}

bool is_utf8(std::string_view text) {
    // The grammar knows UTF-8 already; what it must not see are the quotes and controls of ASCII.
    std::string one = "\"" + std::string(text) + "\"";
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    std::replace_if(one.begin() + 1, one.end() - 1, is_ascii, 'a');
    return !json::find_fault(one);
}

/// The types whose content is the text itself.
Result<Value> read_plain(const Var& var, std::string_view given) {
    if (var.type == Type::ifname && !is_ifname(given)) {
        return not_a(var, given);
    }
    if (var.type == Type::path && (given.empty() || given.find('\0') != given.npos)) {
        return bad_value(given.empty() ? "a path cannot be empty" : "a path cannot hold a NUL",
                         expected_of(var));
    }
    if (var.type == Type::text && !is_utf8(given)) {
        return bad_value(shown(given) + " is not UTF-8", expected_of(var));
    }
    return Value{var.type, std::string(given)};
}

Result<Value> read_scalar(const Var& var, std::string_view given) {
    // What follows repeats the text in its errors. A text that is changed here was not valid
    // anyway: no address, quantity or word holds a backslash or an ellipsis.
    const std::string word = excerpt(given, word_bytes_max);
    switch (var.type) {
        case Type::ip: return read_ip(word);
        case Type::duration:
        case Type::size:
        case Type::rate: return read_quantity(var.type, word);
        case Type::integer: return read_integer(var, word);
        case Type::boolean: return read_boolean(var, word);
        case Type::ifname:
        case Type::path:
        case Type::enumeration:
        case Type::text:
        case Type::secret:
        case Type::list: break;
    }
    return read_plain(var, given);
}

// --- Lists ---------------------------------------------------------------------------------------

/// An item of a list, as a var of its own.
Var item_of(const Var& list) {
    Var item;
    item.type = list.element;
    item.choices = list.choices;
    item.family = list.family;
    return item;
}

Error in_item(std::size_t index, const Error& error) {
    Error outer = error;
    outer.what = "item " + std::to_string(index + 1) + ": " + error.what;
    return outer;
}

Result<Value> list_of(std::vector<Result<Value>> items) {
    Value::List list;
    for (Result<Value>& item : items) {
        if (!item) {
            return in_item(list.size(), item.error());
        }
        list.push_back(*std::move(item));
    }
    return Value{Type::list, std::move(list)};
}

Result<Value> read_json_list(const Var& var, const json::View& given) {
    const Var item = item_of(var);
    std::vector<Result<Value>> items;
    for (const json::View each : given.items()) {
        items.push_back(read_json(item, each));
    }
    return list_of(std::move(items));
}

Result<Value> read_json_list_text(const Var& var, std::string_view given) {
    const Result<json::Document> document = json::parse(given);
    if (document && document->root().is_array()) {
        return read_json_list(var, document->root());
    }
    // The parser's words could hold a piece of a secret.
    const bool tell = !document && var.element != Type::secret;
    return bad_value("the list begins with '[' and is no JSON array" +
                         (tell ? ": " + document.error().what : std::string()),
                     "items with commas between them, or a JSON array");
}

Result<Value> read_list(const Var& var, std::string_view given) {
    if (given.starts_with('[')) {
        return read_json_list_text(var, given);
    }
    const Var item = item_of(var);
    std::vector<Result<Value>> items;
    while (!given.empty()) {
        const std::size_t comma = given.find(',');
        items.push_back(read_text(item, given.substr(0, comma)));
        if (comma == given.npos) {
            break;
        }
        given.remove_prefix(comma + 1);
        if (given.empty()) {
            items.push_back(read_text(item, given));
        }
    }
    return list_of(std::move(items));
}

// --- What a var allows -------------------------------------------------------------------------

bool is_outside(const Var& var, std::int64_t amount) {
    const std::optional<std::int64_t> min = least(var);
    return (min && amount < *min) || (var.max && amount > *var.max);
}

Result<void> allows_amount(const Var& var, const Value& value) {
    if (is_outside(var, value.as_int())) {
        return bad_value("'" + value.text() + "' is out of range", expected_of(var));
    }
    return {};
}

Result<void> allows_size(const Var& var, const Value& value) {
    const bool list = var.type == Type::list;
    const std::size_t size = list ? value.as_list().size() : value.as_text().size();
    if (is_outside(var, static_cast<std::int64_t>(size))) {
        return bad_value(
            "the " + std::string(name_of(var.type)) + " has " + counted(size, size_noun(var.type)),
            expected_of(var));
    }
    return {};
}

Result<void> allows_items(const Var& var, const Value& value) {
    const Var item = item_of(var);
    const Value::List& list = value.as_list();
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Result<void> allowed = allows(item, list[i]);
        if (!allowed) {
            return in_item(i, allowed.error());
        }
    }
    return {};
}

Result<void> allows_choice(const Var& var, const std::string& word) {
    if (std::find(var.choices.begin(), var.choices.end(), word) != var.choices.end()) {
        return {};
    }
    Error error = bad_value(shown(word) + " is not one of the choices", expected_of(var));
    error.what += did_you_mean(word, var.choices);
    return error;
}

Result<void> allows_family(const Var& var, const std::string& text) {
    const Result<IpAddress> address = IpAddress::parse(text);
    if (address && var.family && address->family() != *var.family) {
        return bad_value(shown(text) + " is an address" + family_words(address->family()),
                         expected_of(var));
    }
    return {};
}

// --- JSON --------------------------------------------------------------------------------------

/// "the number 5", "an object"; a secret's content is never in it.
std::string described(const Var& var, const json::View& given) {
    switch (given.type()) {
        case json::Type::null: return "null";
        case json::Type::array: return "a list";
        case json::Type::object: return "a table";
        case json::Type::string: return "a text";
        case json::Type::boolean: return var.type == Type::secret ? "a bool" : json::compact(given);
        case json::Type::integer:
        case json::Type::positive:
        case json::Type::real:
        case json::Type::big_number: break;
    }
    return var.type == Type::secret ? "a number"
                                    : "the number " + excerpt(json::compact(given), word_bytes_max);
}

Result<Value> read_json_value(const Var& var, const json::View& given) {
    if (const auto text = given.as_string()) {
        return read_text(var, *text);
    }
    if (var.type == Type::list && given.is_array()) {
        return read_json_list(var, given);
    }
    if (const auto flag = given.as_bool(); flag && var.type == Type::boolean) {
        return Value{Type::boolean, *flag};
    }
    if (const auto number = given.as_int(); number && var.type == Type::integer) {
        return Value{Type::integer, *number};
    }
    if (given.is_number() && is_amount(var.type) && var.type != Type::integer) {
        return unit_missing(var.type, described(var, given));
    }
    return bad_value(
        described(var, given) + " is not a value of type " + std::string(name_of(var.type)),
        expected_of(var));
}

}  // namespace

Result<void> allows(const Var& var, const Value& value) {
    if (value.type() != var.type) {
        return bad_value("a value of type " + std::string(name_of(value.type())), expected_of(var));
    }
    if (var.type == Type::list) {
        KTM_CHECK(allows_items(var, value));
    }
    if (var.type == Type::enumeration) {
        return allows_choice(var, value.as_text());
    }
    if (var.type == Type::ip) {
        return allows_family(var, value.as_text());
    }
    if (is_amount(var.type)) {
        return allows_amount(var, value);
    }
    return size_noun(var.type).empty() ? Result<void>{} : allows_size(var, value);
}

Result<Value> read_json(const Var& var, const json::View& given) {
    Result<Value> value = read_json_value(var, given);
    if (value) {
        KTM_CHECK(allows(var, *value));
    }
    return value;
}

Result<Value> read_text(const Var& var, std::string_view given) {
    Result<Value> value = var.type == Type::list ? read_list(var, given) : read_scalar(var, given);
    if (value) {
        KTM_CHECK(allows(var, *value));
    }
    return value;
}

bool holds_addresses(const Var& var) noexcept {
    return var.type == Type::ip || (var.type == Type::list && var.element == Type::ip);
}

std::string describe_kind(const Var& var) {
    std::string kind(name_of(var.type));
    if (var.type == Type::list) {
        kind += " of " + std::string(name_of(var.element));
    }
    return kind + (var.family ? family_words(*var.family) : "");
}

std::string describe_type(const Var& var) {
    if (var.type == Type::enumeration) {
        return listed(var.choices);
    }
    const bool of_choices = var.type == Type::list && var.element == Type::enumeration;
    const std::string type = of_choices ? "list of " + listed(var.choices) : describe_kind(var);
    // The bounds of a secret are the type's own, unless the plan sets some.
    const bool bounded = var.min || var.max;
    std::string range = bounded ? range_text(var) : "";
    for (const std::string_view word : {"from ", "of "}) {
        if (range.starts_with(word)) {
            range.erase(0, word.size());
        }
    }
    return type + (range.empty() ? "" : ", " + range);
}

}  // namespace ktm::plan
