// SPDX-License-Identifier: Apache-2.0
// script/var_reader.cc: one `var.type {…}` of a plan.
#include "script/var_reader.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "base/nearest.hh"

namespace ktm::script {

namespace {

using plan::Type;

constexpr std::array<Type, 12> var_types{
    Type::boolean, Type::duration, Type::enumeration, Type::ifname, Type::integer, Type::ip,
    Type::list,    Type::path,     Type::rate,        Type::secret, Type::size,    Type::text};

/// `var.ips` is short for a list of addresses.
constexpr std::string_view list_of_ips = "ips";

bool find_type(std::string_view name, Type& found) {
    for (const Type type : var_types) {
        if (plan::name_of(type) == name) {
            found = type;
            return true;
        }
    }
    return false;
}

bool has_limits(Type type) {
    return type == Type::duration || type == Type::size || type == Type::rate ||
           type == Type::integer || type == Type::text || type == Type::list ||
           type == Type::secret || type == Type::path;
}

bool is_quantity(Type type) {
    return type == Type::duration || type == Type::size || type == Type::rate;
}

class VarReader {
public:
    VarReader(const std::string& name, const Datum& node, Form& form)
        : node_(node), form_(form), where_("vars." + name) {
        var_.name = name;
        var_.place = node.place();
    }

    plan::Var read() && {
        read_type();
        if (!is_typed_) {
            return std::move(var_);
        }
        var_.doc = form_.text(node_, where_, "doc");
        var_.role = form_.text(node_, where_, "role");
        var_.optional = form_.boolean(node_, where_, "optional").value_or(false);
        var_.agree = form_.boolean(node_, where_, "agree").value_or(false);
        var_.min = read_limit("min");
        var_.max = read_limit("max");
        read_family();
        read_positions();
        read_required();
        allow_keys();
        return std::move(var_);
    }

private:
    void read_type() {
        if (node_.name == list_of_ips) {
            var_.type = Type::list;
            var_.element = Type::ip;
            return;
        }
        if (!find_type(node_.name, var_.type)) {
            const std::vector<std::string> near = nearest(node_.name, var_type_names());
            std::string types_known;
            for (const std::string& name : var_type_names()) {
                types_known += (types_known.empty() ? "one of " : ", ") + name;
            }
            form_.add({node_.place(), where_, "no type 'var." + node_.name + "'",
                       near.empty() ? types_known : "", near.empty() ? "" : "var." + near.front()});
            is_typed_ = false;
            return;
        }
        if (var_.type == Type::list) {
            read_element();
        }
    }

    void read_element() {
        const std::string of = form_.text(node_, where_, "of");
        if (!find_type(of, var_.element) || var_.element == Type::list ||
            var_.element == Type::secret || var_.element == Type::enumeration) {
            form_.fault_at(
                node_.find("of") == nullptr ? node_.place() : form_.place_of(node_, "of"), where_,
                of.empty() ? "a list without the type of its items" : "a list of '" + of + "'",
                "of = \"ip\", or another type but list, secret and enum");
        }
    }

    /// A limit in the words of the var's own type: "1ms" for a duration.
    std::optional<std::int64_t> read_limit(std::string_view key) {
        const Datum* limit = node_.find(key);
        if (limit == nullptr) {
            return std::nullopt;
        }
        if (!has_limits(var_.type)) {
            form_.fault_at(form_.place_of(node_, key), where_,
                           std::string{key} + " means nothing for " + node_.name, "");
            return std::nullopt;
        }
        plan::Var bare;
        bare.name = var_.name;
        bare.type = is_quantity(var_.type) ? var_.type : Type::integer;
        const std::optional<json::Document> given = form_.json(*limit, where_, std::string{key});
        if (!given) {
            return std::nullopt;
        }
        Result<plan::Value> value = plan::read_json(bare, given->root());
        if (!value) {
            form_.fault_at(form_.place_of(node_, key), where_,
                           std::string{key} + ": " + value.error().what, "");
            return std::nullopt;
        }
        return value->as_int();
    }

    void read_family() {
        if (!holds_addresses(var_)) {
            return;
        }
        const std::string family = form_.text(node_, where_, "family");
        if (family == "v4" || family == "v6") {
            var_.family = family == "v4" ? Family::v4 : Family::v6;
        } else if (!family.empty()) {
            form_.fault_at(form_.place_of(node_, "family"), where_,
                           "there is no family '" + family + "'", "\"v4\" or \"v6\"");
        }
    }

    /// The default; for an enumeration also the words.
    void read_positions() {
        if (var_.type == Type::enumeration) {
            var_.choices = form_.texts(words_only(), where_);
            const bool may_stay_empty =
                var_.optional || form_.boolean(node_, where_, "required").value_or(false);
            if (!var_.choices.empty() && !may_stay_empty) {
                var_.preset = plan::Value{Type::enumeration, var_.choices.front()};
            }
            return;
        }
        if (node_.items.size() > 1) {
            form_.fault(node_, where_, "it has " + std::to_string(node_.items.size()) + " defaults",
                        "one default, first");
        }
        // Bounds that allow nothing are a mistake of their own.
        if (node_.items.empty() || (var_.min && var_.max && *var_.min > *var_.max)) {
            return;
        }
        const std::optional<json::Document> given =
            form_.json(node_.items.front(), where_, "its default");
        if (!given) {
            return;
        }
        Result<plan::Value> value = plan::read_json(var_, given->root());
        if (value) {
            var_.preset = std::move(*value);
        } else {
            form_.fault(node_, where_, "its default: " + value.error().what, "");
            bad_default_ = true;
        }
    }

    /// The node without its keys, which texts() would refuse.
    [[nodiscard]] Datum words_only() const {
        Datum words = node_;
        words.fields.clear();
        return words;
    }

    void read_required() {
        const std::optional<bool> required = form_.boolean(node_, where_, "required");
        if (!required) {
            return;
        }
        if (!*required) {
            form_.fault_at(form_.place_of(node_, "required"), where_, "required = false",
                           "a default, or optional = true");
        } else if (var_.preset || bad_default_) {
            form_.fault_at(form_.place_of(node_, "required"), where_,
                           "required, and it has a default", "one of the two");
        } else if (var_.optional) {
            form_.fault_at(form_.place_of(node_, "required"), where_, "required and optional",
                           "one of the two");
        }
    }

    void allow_keys() {
        std::vector<std::string_view> keys{"doc", "role", "optional", "required", "agree"};
        const auto allow = [&](std::initializer_list<std::string_view> more, bool holds) {
            if (holds) {
                keys.insert(keys.end(), more);
            }
        };
        allow({"min", "max"}, has_limits(var_.type));
        allow({"of"}, var_.type == Type::list && node_.name != list_of_ips);
        allow({"family"}, holds_addresses(var_));
        Datum rest = node_;
        if (!has_limits(var_.type)) {
            // read_limit has spoken of them.
            std::erase_if(rest.fields, [](const auto& field) {
                return field.name == "min" || field.name == "max";
            });
        }
        form_.allow(rest, where_, keys);
    }

    const Datum& node_;
    Form& form_;
    std::string where_;
    plan::Var var_;
    bool bad_default_ = false;
    bool is_typed_ = true;
};

}  // namespace

plan::Var read_var(const std::string& name, const Datum& node, Form& form) {
    return VarReader{name, node, form}.read();
}

std::vector<std::string> var_type_names() {
    std::vector<std::string> names{std::string{list_of_ips}};
    for (const Type type : var_types) {
        names.emplace_back(plan::name_of(type));
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace ktm::script
