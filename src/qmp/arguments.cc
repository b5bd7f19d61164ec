// SPDX-License-Identifier: Apache-2.0
// qmp/arguments.cc: words of a command line to typed JSON, and JSON held against the schema.
//
// Theory of operation. The words make a tree, by the dots of their keys. The tree and the schema's
// type are walked together: a leaf becomes JSON of its type; where a leaf stands for an object or a
// list it must be JSON itself, and is checked against the type like any JSON.
#include "qmp/arguments.hh"

#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/nearest.hh"
#include "base/text.hh"
#include "json/parser.hh"
#include "json/writer.hh"

namespace ktm::qmp {

namespace {

/// LIMIT: QEMU's types refer to each other in circles; data for them ends long before this.
constexpr int depth_max = 32;

struct Member {
    std::string name;
    std::string type;
    bool optional = false;
};

/// What was written below one key: a value, or further keys.
struct Tree {
    std::string name;
    std::optional<std::string> value;
    std::vector<Tree> children;

    Tree& child(std::string_view key) {
        for (Tree& tree : children) {
            if (tree.name == key) {
                return tree;
            }
        }
        return children.emplace_back(Tree{std::string(key), {}, {}});
    }

    [[nodiscard]] const std::string* value_of(std::string_view key) const {
        for (const Tree& tree : children) {
            if (tree.name == key && tree.value) {
                return &*tree.value;
            }
        }
        return nullptr;
    }
};

Error misfit(std::string code, std::string what) {
    return Error{Kind::usage, std::move(code), std::move(what), "", nullptr};
}

Error wrong_value(const std::string& path, std::string_view value, const std::string& expected) {
    return misfit("wrong-value",
                  "'" + std::string(value) + "' does not fit " + path + "; expected " + expected);
}

std::string below(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
}

std::vector<Member> members_of(const json::View& object) {
    std::vector<Member> members;
    const std::optional<json::View> list = object.find("members");
    if (list) {
        for (const json::View item : list->items()) {
            members.push_back(Member{std::string(item.find_string("name").value_or("")),
                                     std::string(item.find_string("type").value_or("")),
                                     item.find("default").has_value()});
        }
    }
    return members;
}

std::vector<std::string> strings_of(const json::View& owner, std::string_view key) {
    std::vector<std::string> names;
    if (const std::optional<json::View> list = owner.find(key)) {
        for (const json::View item : list->items()) {
            names.emplace_back(item.as_string().value_or(""));
        }
    }
    return names;
}

/// The number as JSON writes it, without leading zeros; nothing when it is none of 64 bits.
std::optional<std::string> integer_text(std::string_view text) {
    std::int64_t small = 0;
    std::uint64_t large = 0;
    const char* end = text.data() + text.size();
    const auto whole = [&](std::from_chars_result result) {
        return result.ec == std::errc{} && result.ptr == end;
    };
    if (whole(std::from_chars(text.data(), end, small))) {
        return std::to_string(small);
    }
    return whole(std::from_chars(text.data(), end, large)) ? std::optional{std::to_string(large)}
                                                           : std::nullopt;
}

/// Commands whose arguments QEMU does not list: device_add takes every property of every device.
/// What the schema lists is typed; the rest is QEMU's to judge.
bool takes_anything(std::string_view command) {
    return command == "device_add";
}

class Typist {
public:
    Typist(const Schema& schema, std::string_view command)
        : schema_(schema), open_(takes_anything(command)) {}

    /// JSON of the named type from what was written.
    Result<std::string> build(std::string_view type, const Tree& tree, const std::string& path,
                              int depth) {
        const std::optional<json::View> entry = schema_.type(type);
        if (depth > depth_max) {
            return misfit("too-deep", path + " is nested too deeply");
        }
        const std::string_view meta = *entry->find_string("meta-type");
        if (meta == "alternate") {
            return build_alternate(*entry, tree, path, depth);
        }
        const bool compound = meta == "object" || meta == "array";
        if (tree.value && compound && (*tree.value).find_first_of("[{") == 0) {
            return build_from_json(type, *tree.value, path, depth);
        }
        if (meta == "object") {
            return build_object(*entry, tree, path, depth);
        }
        if (meta == "array") {
            return build_array(*entry, tree, path, depth);
        }
        if (!tree.value) {
            return wrong_value(path, "." + tree.children.front().name, "a value, not a part");
        }
        return meta == "enum" ? build_enum(*entry, *tree.value, path)
                              : build_builtin(*entry, *tree.value, path);
    }

    /// Holds JSON against the named type.
    Result<void> check(std::string_view type, const json::View& value, const std::string& path,
                       int depth) {
        const std::optional<json::View> entry = schema_.type(type);
        if (depth > depth_max) {
            return misfit("too-deep", path + " is nested too deeply");
        }
        const std::string_view meta = *entry->find_string("meta-type");
        if (meta == "object") {
            return check_object(*entry, value, path, depth);
        }
        if (meta == "array") {
            return check_array(*entry, value, path, depth);
        }
        if (meta == "alternate") {
            return check_alternate(*entry, value, path, depth);
        }
        if (meta == "enum") {
            const bool fits = value.is_string();
            return fits ? checked(build_enum(*entry, *value.as_string(), path))
                        : wrong_value(path, json::compact(value), one_of(*entry));
        }
        return check_builtin(*entry, value, path);
    }

private:
    static Result<void> checked(const Result<std::string>& built) {
        return built ? Result<void>{} : Result<void>{built.error()};
    }

    static std::string one_of(const json::View& entry) {
        return "one of " + joined(strings_of(entry, "values"));
    }

    /// The members of an object, those of its variant included. `tag_value` is what was given for
    /// the tag, if anything.
    Result<std::vector<Member>> all_members(const json::View& entry, const std::string& path,
                                            const std::optional<std::string>& tag_value) {
        std::vector<Member> members = members_of(entry);
        const std::optional<std::string_view> tag = entry.find_string("tag");
        if (!tag || !tag_value) {
            return members;
        }
        std::vector<std::string> cases;
        for (const json::View variant : entry.find("variants")->items()) {
            cases.emplace_back(variant.find_string("case").value_or(""));
            const std::optional<json::View> object =
                schema_.type(variant.find_string("type").value_or(""));
            if (cases.back() == *tag_value && object) {
                for (Member& member : members_of(*object)) {
                    members.push_back(std::move(member));
                }
                return members;
            }
        }
        // Cases without members of their own are not listed; the tag's enum is the judge of it.
        for (const Member& member : members) {
            if (member.name == *tag) {
                KTM_CHECK(
                    checked(build_enum(*schema_.type(member.type), *tag_value, below(path, *tag))));
            }
        }
        return members;
    }

    template <class HasKey>
    static Result<void> require(const std::vector<Member>& members, const std::string& path,
                                const HasKey& has_key) {
        for (const Member& member : members) {
            if (!member.optional && !has_key(member.name)) {
                return misfit("missing-argument",
                              "the argument '" + below(path, member.name) + "' is missing");
            }
        }
        return {};
    }

    Result<std::string> type_of(const std::vector<Member>& members, std::string_view key,
                                const std::string& path) const {
        std::vector<std::string> names;
        for (const Member& member : members) {
            if (member.name == key) {
                return member.type;
            }
            names.push_back(member.name);
        }
        if (open_ && path.empty() && schema_.type("any")) {
            return std::string("any");
        }
        const std::string place = path.empty() ? "this command" : "'" + path + "'";
        std::string hint = did_you_mean(key, names);
        if (hint.empty()) {
            hint = names.empty() ? "; it takes none" : "; it takes " + joined(names);
        }
        return misfit("unknown-argument",
                      place + " takes no argument '" + std::string(key) + "'" + hint);
    }

    Result<std::string> build_object(const json::View& entry, const Tree& tree,
                                     const std::string& path, int depth) {
        if (tree.value) {
            return wrong_value(path, *tree.value,
                               "an object: " + below(path, "KEY") + "=VALUE or JSON");
        }
        const std::string* tag = tree.value_of(entry.find_string("tag").value_or(""));
        const Result<std::vector<Member>> members =
            all_members(entry, path, tag != nullptr ? std::optional{*tag} : std::nullopt);
        if (!members) {
            return members.error();
        }
        json::ObjectWriter object;
        for (const Tree& child : tree.children) {
            const std::string& key = child.name;
            const Result<std::string> type = type_of(*members, key, path);
            if (!type) {
                return type.error();
            }
            const Result<std::string> value = build(*type, child, below(path, key), depth + 1);
            if (!value) {
                return value.error();
            }
            object.json(key, *value);
        }
        KTM_CHECK(require(*members, path, [&](const std::string& name) {
            for (const Tree& child : tree.children) {
                if (child.name == name) {
                    return true;
                }
            }
            return false;
        }));
        return std::move(object).finish();
    }

    Result<std::string> build_array(const json::View& entry, const Tree& tree,
                                    const std::string& path, int depth) {
        if (tree.value) {
            return wrong_value(path, *tree.value, "a list: " + path + ".0=VALUE or JSON in [ ]");
        }
        std::string list;
        for (std::size_t i = 0; i < tree.children.size(); ++i) {
            const Tree& child = tree.children[i];
            const std::string& key = child.name;
            if (key != std::to_string(i)) {
                return misfit("wrong-index", "'" + below(path, key) + "' comes where '" +
                                                 below(path, std::to_string(i)) + "' was expected");
            }
            const Result<std::string> value =
                build(*entry.find_string("element-type"), child, below(path, key), depth + 1);
            if (!value) {
                return value.error();
            }
            list += (i == 0 ? "" : ",") + *value;
        }
        return "[" + list + "]";
    }

    /// The first branch that takes it; numbers and words before strings, which take anything.
    Result<std::string> build_alternate(const json::View& entry, const Tree& tree,
                                        const std::string& path, int depth) {
        std::optional<Error> refusal;
        for (const bool strings : {false, true}) {
            for (const json::View member : entry.find("members")->items()) {
                const std::string_view type = member.find_string("type").value_or("");
                if ((type == "str") != strings) {
                    continue;
                }
                Result<std::string> value = build(type, tree, path, depth + 1);
                if (value) {
                    return value;
                }
                refusal = value.error();
            }
        }
        return refusal ? *refusal : misfit("wrong-value", path + " has no type");
    }

    Result<std::string> build_from_json(std::string_view type, const std::string& text,
                                        const std::string& path, int depth) {
        const Result<json::Document> parsed = json::parse(text);
        if (!parsed) {
            Error error = parsed.error();
            return std::move(error).wrapped(Kind::usage, "wrong-value",
                                            "the value of " + path + " is not JSON", "");
        }
        KTM_CHECK(check(type, parsed->root(), path, depth));
        return json::compact(parsed->root());
    }

    static Result<std::string> build_enum(const json::View& entry, std::string_view value,
                                          const std::string& path) {
        const std::vector<std::string> values = strings_of(entry, "values");
        for (const std::string& known : values) {
            if (known == value) {
                return json::quoted(value);
            }
        }
        const std::string hint = did_you_mean(value, values);
        return misfit("wrong-value", "'" + std::string(value) + "' does not fit " + path +
                                         (hint.empty() ? "; expected " + one_of(entry) : hint));
    }

    static Result<std::string> build_builtin(const json::View& entry, const std::string& value,
                                             const std::string& path) {
        const std::string_view type = entry.find_string("json-type").value_or("");
        if (type == "string") {
            return json::quoted(value);
        }
        if (type == "int") {
            const std::optional<std::string> digits = integer_text(value);
            return digits ? Result<std::string>{*digits}
                          : wrong_value(path, value, "a whole number of 64 bits");
        }
        if (type == "boolean") {
            if (value == "true" || value == "on") {
                return std::string("true");
            }
            return value == "false" || value == "off" ? Result<std::string>{std::string("false")}
                                                      : wrong_value(path, value, "true or false");
        }
        const Result<json::Document> parsed = json::parse(value);
        if (type == "number") {
            const bool fits = parsed && parsed->root().is_number();
            return fits ? Result<std::string>{value} : wrong_value(path, value, "a number");
        }
        if (type == "null") {
            return value == "null" ? Result<std::string>{value} : wrong_value(path, value, "null");
        }
        // "value" takes anything: JSON where it is JSON, else a string.
        return parsed ? json::compact(parsed->root()) : json::quoted(value);
    }

    Result<void> check_object(const json::View& entry, const json::View& value,
                              const std::string& path, int depth) {
        if (!value.is_object()) {
            return wrong_value(path, json::compact(value), "an object");
        }
        const std::optional<std::string_view> tag =
            value.find_string(entry.find_string("tag").value_or(""));
        const Result<std::vector<Member>> members =
            all_members(entry, path, tag ? std::optional{std::string(*tag)} : std::nullopt);
        if (!members) {
            return members.error();
        }
        for (const json::View::Field field : value.fields()) {
            const Result<std::string> type = type_of(*members, field.key, path);
            if (!type) {
                return type.error();
            }
            KTM_CHECK(check(*type, field.value, below(path, field.key), depth + 1));
        }
        return require(*members, path,
                       [&](const std::string& name) { return value.find(name).has_value(); });
    }

    Result<void> check_array(const json::View& entry, const json::View& value,
                             const std::string& path, int depth) {
        if (!value.is_array()) {
            return wrong_value(path, json::compact(value), "a list");
        }
        std::size_t index = 0;
        for (const json::View item : value.items()) {
            KTM_CHECK(check(*entry.find_string("element-type"), item,
                            below(path, std::to_string(index++)), depth + 1));
        }
        return {};
    }

    Result<void> check_alternate(const json::View& entry, const json::View& value,
                                 const std::string& path, int depth) {
        Result<void> verdict = misfit("wrong-value", path + " has no type");
        for (const json::View member : entry.find("members")->items()) {
            verdict = check(member.find_string("type").value_or(""), value, path, depth + 1);
            if (verdict) {
                break;
            }
        }
        return verdict;
    }

    static Result<void> check_builtin(const json::View& entry, const json::View& value,
                                      const std::string& path) {
        const std::string_view type = entry.find_string("json-type").value_or("");
        const bool fits = (type == "string" && value.is_string()) ||
                          (type == "int" && (value.as_int() || value.as_uint())) ||
                          (type == "number" && value.is_number()) ||
                          (type == "boolean" && value.as_bool()) ||
                          (type == "null" && value.type() == json::Type::null) || type == "value";
        return fits ? Result<void>{}
                    : wrong_value(path, json::compact(value), "JSON of type " + std::string(type));
    }

    const Schema& schema_;
    bool open_;
};

/// Puts one written argument into the tree.
Result<void> plant(Tree& root, const WrittenArgument& argument) {
    Tree* here = &root;
    std::string_view rest = argument.key;
    while (true) {
        const std::size_t dot = rest.find('.');
        here = &here->child(rest.substr(0, dot));
        if (here->value) {
            break;
        }
        if (dot == std::string_view::npos) {
            if (!here->children.empty()) {
                break;
            }
            here->value = argument.value;
            return {};
        }
        rest.remove_prefix(dot + 1);
    }
    return misfit("given-twice", "the argument '" + argument.key +
                                     "' is given twice, or both as a whole and in parts");
}

}  // namespace

Result<WrittenArgument> parse_argument(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return misfit("bad-argument", "'" + std::string(text) +
                                          "' is not an argument; expected KEY=VALUE, such as "
                                          "downtime-limit=25");
    }
    if (json::quoted(text).find("\xEF\xBF\xBD") != std::string::npos &&
        text.find("\xEF\xBF\xBD") == std::string_view::npos) {
        return misfit("bad-argument", "the argument '" + printable(text) +
                                          "' is not UTF-8, and QMP carries nothing else");
    }
    return WrittenArgument{std::string(text.substr(0, equals)),
                           std::string(text.substr(equals + 1))};
}

Result<std::string> build_arguments(const Schema& schema, std::string_view command,
                                    const std::vector<WrittenArgument>& arguments) {
    const std::optional<json::View> entry = schema.command(command);
    if (!entry) {
        return schema.unknown_command(command);
    }
    Tree root;
    for (const WrittenArgument& argument : arguments) {
        KTM_CHECK(plant(root, argument));
    }
    return Typist{schema, command}.build(*entry->find_string("arg-type"), root, "", 0);
}

Result<void> check_arguments(const Schema& schema, std::string_view command,
                             const json::View& arguments) {
    const std::optional<json::View> entry = schema.command(command);
    if (!entry) {
        return schema.unknown_command(command);
    }
    return Typist{schema, command}.check(*entry->find_string("arg-type"), arguments, "", 0);
}

}  // namespace ktm::qmp
