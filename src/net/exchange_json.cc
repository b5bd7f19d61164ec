// SPDX-License-Identifier: Apache-2.0
// net/exchange_json.cc: what is asked of the kernel and what it says, as JSON.
#include "net/exchange_json.hh"

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "json/writer.hh"
#include "net/account.hh"
#include "net/fields.hh"
#include "net/hexadecimal.hh"

namespace ktm::net {

namespace {

constexpr std::array<std::string_view, 4> parts{"link", "route", "qdisc", "neighbour"};

/// By the place in the variant: the changes come first, and are as many as changes_count.
constexpr std::array<std::string_view, std::variant_size_v<Request>> names{
    "add-tunnel",      "delete-link",  "add-address",   "set-queue-length", "set-input",
    "add-route",       "delete-route", "set-neighbour", "delete-neighbour", "add-pacer",
    "set-pace",        "add-plug",     "block-plug",    "open-plug",        "delete-root-qdisc",
    "put-root-qdisc",  "add-clsact",   "delete-clsact", "add-redirect",     "delete-redirect",
    "write-setting",   "find-link",    "list-links",    "find-routes",      "route-to",
    "list-our-routes", "list-qdiscs",  "list-filters",  "list-neighbours",  "list-addresses",
    "read-setting",    "find-kind"};
const std::size_t changes_count = Request{FindLink{}}.index();

// --- Writing ------------------------------------------------------------------------------------

template <class T>
concept Number = std::unsigned_integral<T> && !std::same_as<T, bool>;

template <class T>
concept HasText = AnyOf<T, MacAddress, IpAddress, IpPrefix>;

/// What has fields of its own.
template <class T>
concept Fielded = std::is_class_v<T> && !HasText<T> && !std::same_as<T, std::string>;

template <class T>
std::string object_of(const T& value);

class FieldWriter {
public:
    explicit FieldWriter(json::ObjectWriter& writer) : writer_(writer) {}

    template <class T>
    void operator()(std::string_view name, const T& value) {
        if constexpr (AnyOf<T, Change::Of>) {
            writer_.text(name, parts.at(static_cast<std::size_t>(value)));
        } else if (value != T{}) {
            put(name, value);
        }
    }
    void bytes(std::string_view name, const std::string& value) {
        if (!value.empty()) {
            writer_.text(name, hexadecimal(value));
        }
    }

private:
    void put(std::string_view name, bool value) { writer_.boolean(name, value); }
    void put(std::string_view name, const std::string& value) { writer_.text(name, value); }
    void put(std::string_view name, Carrier value) { writer_.text(name, name_of(value)); }
    void put(std::string_view name, Direction value) { writer_.text(name, name_of(value)); }
    void put(std::string_view name, Family value) {
        writer_.text(name, value == Family::v4 ? "v4" : "v6");
    }
    template <Number T>
    void put(std::string_view name, T value) {
        writer_.json(name, std::to_string(value));
    }
    template <HasText T>
    void put(std::string_view name, const T& value) {
        writer_.text(name, value.text());
    }
    template <class T>
    void put(std::string_view name, const std::optional<T>& value) {
        put(name, *value);
    }
    template <class T>
    void put(std::string_view name, const std::vector<T>& values) {
        std::string array = "[";
        for (const T& value : values) {
            array += (array.size() == 1 ? "" : ",") + object_of(value);
        }
        writer_.json(name, array + "]");
    }
    template <Fielded T>
    void put(std::string_view name, const T& value) {
        writer_.json(name, object_of(value));
    }

    json::ObjectWriter& writer_;
};

template <class T>
std::string object_of(const T& value) {
    json::ObjectWriter writer;
    FieldWriter visitor{writer};
    fields(visitor, value);
    return std::move(writer).finish();
}

// --- Reading ------------------------------------------------------------------------------------

/// Remembers the first field that does not fit; what is read after that is worth nothing.
class FieldReader {
public:
    FieldReader(const json::View& object, std::optional<Error>& fault)
        : object_(object), fault_(fault) {}

    template <class T>
    void operator()(std::string_view name, T& value) {
        value = T{};
        if (const std::optional<json::View> found = object_.find(name); found && !fault_) {
            if (!get(*found, value)) {
                miss(name);
            }
        }
    }
    void bytes(std::string_view name, std::string& value) {
        (*this)(name, value);
        std::optional<std::string> read = from_hexadecimal(value);
        if (!read) {
            miss(name);
        }
        value = std::move(read).value_or("");
    }

private:
    void miss(std::string_view name) {
        if (!fault_) {
            fault_ = Error{Kind::invalid, "bad-answer",
                           "the field " + std::string{name} + " does not hold what it should", "",
                           nullptr};
        }
    }
    static bool get(const json::View& from, bool& value) {
        value = from.as_bool().value_or(false);
        return from.as_bool().has_value();
    }
    static bool get(const json::View& from, std::string& value) {
        value = from.as_string().value_or("");
        return from.is_string();
    }
    static bool get(const json::View& from, Change::Of& value) {
        for (std::size_t at = 0; at < parts.size(); ++at) {
            if (from.as_string() == parts.at(at)) {
                value = static_cast<Change::Of>(at);
                return true;
            }
        }
        return false;
    }
    template <Number T>
    static bool get(const json::View& from, T& value) {
        const std::optional<std::uint64_t> number = from.as_uint();
        value = static_cast<T>(number.value_or(0));
        return number && *number <= std::numeric_limits<T>::max();
    }
    template <HasText T>
    static bool get(const json::View& from, T& value) {
        Result<T> parsed = T::parse(from.as_string().value_or(""));
        if (parsed) {
            value = *parsed;
        }
        return parsed.has_value();
    }
    template <class T>
    bool get(const json::View& from, std::optional<T>& value) {
        value.emplace();
        return get(from, *value);
    }
    template <class T>
    bool get(const json::View& from, std::vector<T>& values) {
        for (const json::View item : from.items()) {
            if (!get(item, values.emplace_back())) {
                return false;
            }
        }
        return from.is_array();
    }
    template <Fielded T>
    bool get(const json::View& from, T& value) {
        FieldReader inner{from, fault_};
        fields(inner, value);
        return from.is_object();
    }

    json::View object_;
    std::optional<Error>& fault_;
};

template <class T>
Result<T> read(const json::View& view) {
    T value;
    std::optional<Error> fault;
    if (!view.is_object()) {
        return Error{Kind::invalid, "bad-answer", "it is not an object", "", nullptr};
    }
    FieldReader reader{view, fault};
    fields(reader, value);
    return fault ? Result<T>{*std::move(fault)} : Result<T>{std::move(value)};
}

}  // namespace

bool is_change(const Request& request) noexcept {
    return request.index() < changes_count;
}

std::string to_json(const Request& request) {
    json::ObjectWriter writer;
    writer.text("what", names.at(request.index()));
    FieldWriter visitor{writer};
    std::visit([&](const auto& one) { fields(visitor, one); }, request);
    return std::move(writer).finish();
}

std::string to_json(const Answer& answer) {
    return object_of(answer);
}

std::string to_json(const Change& change) {
    return object_of(change);
}

std::string to_json(const Account& account) {
    return object_of(account);
}

Result<Account> account_from_json(const json::View& view) {
    return read<Account>(view);
}

Result<Answer> answer_from_json(const json::View& view) {
    return read<Answer>(view);
}

Result<Change> change_from_json(const json::View& view) {
    return read<Change>(view);
}

}  // namespace ktm::net
