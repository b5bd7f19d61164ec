// SPDX-License-Identifier: Apache-2.0
// json/parser.cc: simdjson's on-demand walk, turned into the flat form.
//
// Theory of operation. simdjson finds the structure of the text and checks its UTF-8 in one pass;
// the walk below visits every value exactly once, so nothing stays unchecked. simdjson unescapes
// strings one behind the other into a buffer of its own: a string is noted as its offset there, and
// the whole buffer is copied once at the end. What simdjson refuses is read again by grammar.hh,
// which is slow and knows the place and the reason.
#include "json/parser.hh"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "json/grammar.hh"

namespace ktm::json {

static_assert(padding_bytes >= simdjson::SIMDJSON_PADDING);

namespace {

namespace sj = simdjson::ondemand;

/// LIMIT: up to this many keys an object's keys are compared by scanning, beyond it by sorting.
constexpr std::size_t scanned_keys_max = 64;

class Walk {
public:
    Walk(std::vector<Node>& nodes, std::string_view whole, unsigned levels_max)
        : nodes_(nodes), whole_(whole), levels_max_(levels_max) {
        nodes_.clear();
    }

    bool run(sj::document& document) {
        return visit(document, 0) && (root_is_big_number_ || nothing_follows(document));
    }

    Document finish() {
        const auto strings = static_cast<std::size_t>(strings_end_ - strings_);
        std::string text;
        text.reserve(strings + numbers_.size());
        text.append(strings_, strings);
        text.append(numbers_);
        for (const std::uint32_t index : number_nodes_) {
            nodes_[index].text += static_cast<std::uint32_t>(strings);
        }
        return Document{nodes_, std::move(text)};
    }

private:
    static bool nothing_follows(sj::document& document) {
        const char* rest = nullptr;
        return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
    }

    template <class Value>
    bool visit(Value& value, unsigned depth) {
        sj::json_type type{};
        if (value.type().get(type)) {
            return false;
        }
        switch (type) {
            case sj::json_type::object: return visit_object(value, depth);
            case sj::json_type::array: return visit_array(value, depth);
            case sj::json_type::string: return visit_string(value);
            case sj::json_type::number: return visit_number(value);
            case sj::json_type::boolean: return visit_boolean(value);
            case sj::json_type::null: return visit_null(value);
        }
        return false;
    }

    std::uint32_t add(Type type) {
        nodes_.push_back(Node{type, 0, {}});
        return static_cast<std::uint32_t>(nodes_.size() - 1);
    }

    void close(std::uint32_t index, std::uint32_t children) {
        nodes_[index].size = children;
        nodes_[index].end = static_cast<std::uint32_t>(nodes_.size());
    }

    template <class Value>
    bool visit_object(Value& value, unsigned depth) {
        sj::object object;
        if (depth >= levels_max_ || value.get_object().get(object)) {
            return false;
        }
        const std::uint32_t index = add(Type::object);
        std::uint32_t count = 0;
        std::uint64_t seen = 0;
        for (auto item : object) {
            sj::field field;
            std::string_view key;
            if (std::move(item).get(field) || field.unescaped_key().get(key)) {
                return false;
            }
            const std::uint64_t mark = mark_of(key);
            if (count < scanned_keys_max && (seen & mark) != 0 && has_key(index, key)) {
                return false;
            }
            seen |= mark;
            ++count;
            add_string(key);
            if (!visit(field.value(), depth + 1)) {
                return false;
            }
        }
        close(index, count);
        return count <= scanned_keys_max || keys_differ(index);
    }

    template <class Value>
    bool visit_array(Value& value, unsigned depth) {
        sj::array array;
        if (depth >= levels_max_ || value.get_array().get(array)) {
            return false;
        }
        const std::uint32_t index = add(Type::array);
        std::uint32_t count = 0;
        for (auto item : array) {
            sj::value element;
            if (std::move(item).get(element) || !visit(element, depth + 1)) {
                return false;
            }
            ++count;
        }
        close(index, count);
        return true;
    }

    void add_string(std::string_view text) {
        if (strings_ == nullptr) {
            strings_ = text.data();
        }
        strings_end_ = text.data() + text.size();
        Node node{Type::string, static_cast<std::uint32_t>(text.size()), {}};
        node.text = static_cast<std::uint32_t>(text.data() - strings_);
        nodes_.push_back(node);
    }

    template <class Value>
    bool visit_string(Value& value) {
        std::string_view text;
        if (value.get_string().get(text)) {
            return false;
        }
        add_string(text);
        return true;
    }

    template <class Value>
    bool visit_boolean(Value& value) {
        bool truth = false;
        if (value.get_bool().get(truth)) {
            return false;
        }
        nodes_[add(Type::boolean)].boolean = truth;
        return true;
    }

    template <class Value>
    bool visit_null(Value& value) {
        bool is_null = false;
        if (simdjson::simdjson_result<bool>(value.is_null()).get(is_null) || !is_null) {
            return false;
        }
        add(Type::null);
        return true;
    }

    template <class Value>
    bool visit_number(Value& value) {
        sj::number number;
        if (value.get_number().get(number)) {
            return visit_big_number(value);
        }
        switch (number.get_number_type()) {
            case sj::number_type::signed_integer:
                nodes_[add(Type::integer)].integer = number.get_int64();
                return true;
            case sj::number_type::unsigned_integer:
                nodes_[add(Type::positive)].positive = number.get_uint64();
                return true;
            case sj::number_type::floating_point_number:
                nodes_[add(Type::real)].real = number.get_double();
                return true;
        }
        return false;
    }

    /// A number that no machine type holds keeps its digits; anything else here is malformed.
    template <class Value>
    bool visit_big_number(Value& value) {
        std::string_view token;
        if (simdjson::simdjson_result<std::string_view>(value.raw_json_token()).get(token)) {
            return false;
        }
        token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
        if (find_fault(token, 1)) {
            return false;
        }
        const std::uint32_t index = add(Type::big_number);
        nodes_[index].size = static_cast<std::uint32_t>(token.size());
        nodes_[index].text = static_cast<std::uint32_t>(numbers_.size());
        number_nodes_.push_back(index);
        numbers_ += token;
        return passed(value);
    }

    /// get_number() does not step over a number that it refused. Within a container the iteration
    /// does; at the root nobody does, so the rest of the text is looked at here.
    [[nodiscard]] static bool passed(const sj::value&) { return true; }
    [[nodiscard]] bool passed(const sj::document&) {
        root_is_big_number_ = !find_fault(whole_, 1);
        return root_is_big_number_;
    }

    static std::uint64_t mark_of(std::string_view key) {
        const std::size_t size = key.size();
        const auto letter = [&](std::size_t i) { return static_cast<std::uint8_t>(key[i]); };
        const std::size_t mix = size == 0 ? 0
                                          : size * 31 + letter(0) * 7U + letter(size - 1) * 131U +
                                                letter(size / 2) * 17U;
        return std::uint64_t{1} << (mix & 63);
    }

    [[nodiscard]] std::string_view string_at(std::uint32_t index) const {
        return {strings_ + nodes_[index].text, nodes_[index].size};
    }

    [[nodiscard]] std::uint32_t behind(std::uint32_t index) const {
        const Node& node = nodes_[index];
        const bool container = node.type == Type::array || node.type == Type::object;
        return container ? node.end : index + 1;
    }

    [[nodiscard]] bool has_key(std::uint32_t object, std::string_view key) const {
        for (std::uint32_t at = object + 1; at < nodes_.size(); at = behind(at + 1)) {
            if (string_at(at) == key) {
                return true;
            }
        }
        return false;
    }

    [[nodiscard]] bool keys_differ(std::uint32_t object) const {
        std::vector<std::string_view> keys;
        for (std::uint32_t at = object + 1; at < nodes_.size(); at = behind(at + 1)) {
            keys.push_back(string_at(at));
        }
        std::sort(keys.begin(), keys.end());
        return std::adjacent_find(keys.begin(), keys.end()) == keys.end();
    }

    std::vector<Node>& nodes_;
    std::string_view whole_;
    unsigned levels_max_;
    bool root_is_big_number_ = false;
    const char* strings_ = nullptr;
    const char* strings_end_ = nullptr;
    std::string numbers_;
    std::vector<std::uint32_t> number_nodes_;
};

Error refusal(std::string_view text, unsigned levels_max) {
    const std::optional<Fault> fault = find_fault(text, levels_max);
    if (!fault) {
        // LIMIT: simdjson reads texts below 4 GiB; the framers stop long before.
        return Error{Kind::invalid, "invalid-json", "the text is too large to be parsed", "",
                     nullptr};
    }
    return Error{Kind::invalid, fault->code,
                 "expected " + fault->expected + " at column " + std::to_string(fault->offset + 1),
                 "", nullptr};
}

}  // namespace

struct Parser::Engine {
    unsigned levels_max = depth_max;
    sj::parser parser;
    std::vector<Node> nodes;
    std::string padded;
};

Parser::Parser(unsigned levels_max) : engine_(std::make_unique<Engine>()) {
    engine_->levels_max = levels_max;
}
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;
Parser::~Parser() = default;

Result<Document> Parser::parse(std::string_view text) {
    engine_->padded.assign(text);
    engine_->padded.append(padding_bytes, '\0');
    return parse_in_place(std::string_view{engine_->padded}.substr(0, text.size()));
}

Result<Document> Parser::parse_in_place(std::string_view padded_text) {
    sj::document document;
    const simdjson::padded_string_view padded{padded_text.data(), padded_text.size(),
                                              padded_text.size() + padding_bytes};
    if (engine_->parser.iterate(padded).get(document)) {
        return refusal(padded_text, engine_->levels_max);
    }
    Walk walk{engine_->nodes, padded_text, engine_->levels_max};
    if (!walk.run(document)) {
        return refusal(padded_text, engine_->levels_max);
    }
    return walk.finish();
}

Result<Document> parse(std::string_view text) {
    return Parser{}.parse(text);
}

}  // namespace ktm::json
