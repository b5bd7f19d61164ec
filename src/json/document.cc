// SPDX-License-Identifier: Apache-2.0
// json/document.cc: walking the flat form.
#include "json/document.hh"

#include <utility>

#include "base/assert.hh"

namespace ktm::json {

std::string_view name_of(Type type) noexcept {
    switch (type) {
        case Type::null: return "null";
        case Type::boolean: return "a boolean";
        case Type::integer:
        case Type::positive:
        case Type::big_number: return "an integer";
        case Type::real: return "a number";
        case Type::string: return "a string";
        case Type::array: return "an array";
        case Type::object: return "an object";
    }
    return "nothing";
}

Document::Document() : nodes_(1) {}

Document::Document(std::vector<Node> nodes, std::string text)
    : nodes_(std::move(nodes)), text_(std::move(text)) {
    KTM_ASSERT(!nodes_.empty());
}

Document Document::copy() const {
    return Document{nodes_, text_};
}

Document Document::extract(const View& view) {
    const Document& whole = *view.document_;
    const std::uint32_t from = view.index_;
    std::vector<Node> nodes(whole.nodes_.begin() + from, whole.nodes_.begin() + view.next());
    std::string text;
    for (Node& node : nodes) {
        if (node.type == Type::string || node.type == Type::big_number) {
            const std::string_view part = view.text_at(node);
            node.text = static_cast<std::uint32_t>(text.size());
            text += part;
        } else if (node.type == Type::array || node.type == Type::object) {
            node.end -= from;
        }
    }
    return Document{std::move(nodes), std::move(text)};
}

const Node& View::node() const noexcept {
    return document_->nodes_[index_];
}

std::string_view View::text_at(const Node& node) const noexcept {
    return std::string_view{document_->text_}.substr(node.text, node.size);
}

std::uint32_t View::next() const noexcept {
    const Node& here = node();
    const bool container = here.type == Type::array || here.type == Type::object;
    return container ? here.end : index_ + 1;
}

Type View::type() const noexcept {
    return node().type;
}

bool View::is_number() const noexcept {
    const Type kind = type();
    return kind == Type::integer || kind == Type::positive || kind == Type::real ||
           kind == Type::big_number;
}

std::optional<bool> View::as_bool() const noexcept {
    return type() == Type::boolean ? std::optional{node().boolean} : std::nullopt;
}

std::optional<std::int64_t> View::as_int() const noexcept {
    return type() == Type::integer ? std::optional{node().integer} : std::nullopt;
}

std::optional<std::uint64_t> View::as_uint() const noexcept {
    if (type() == Type::positive) {
        return node().positive;
    }
    const bool fits = type() == Type::integer && node().integer >= 0;
    return fits ? std::optional{static_cast<std::uint64_t>(node().integer)} : std::nullopt;
}

std::optional<double> View::as_double() const noexcept {
    switch (type()) {
        case Type::real: return node().real;
        case Type::integer: return static_cast<double>(node().integer);
        case Type::positive: return static_cast<double>(node().positive);
        case Type::big_number:
        case Type::null:
        case Type::boolean:
        case Type::string:
        case Type::array:
        case Type::object: return std::nullopt;
    }
    return std::nullopt;
}

std::optional<std::string_view> View::as_string() const noexcept {
    return type() == Type::string ? std::optional{text_at(node())} : std::nullopt;
}

std::optional<std::string_view> View::as_big_number() const noexcept {
    return type() == Type::big_number ? std::optional{text_at(node())} : std::nullopt;
}

std::size_t View::size() const noexcept {
    return is_object() || is_array() ? node().size : 0;
}

std::optional<View> View::find(std::string_view key) const noexcept {
    for (const Field field : fields()) {
        if (field.key == key) {
            return field.value;
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> View::find_string(std::string_view key) const noexcept {
    const std::optional<View> value = find(key);
    return value ? value->as_string() : std::nullopt;
}

std::optional<std::int64_t> View::find_int(std::string_view key) const noexcept {
    const std::optional<View> value = find(key);
    return value ? value->as_int() : std::nullopt;
}

View::Fields View::fields() const noexcept {
    const bool walk = is_object();
    return Fields{Fields::Iterator{document_, walk ? index_ + 1 : 0},
                  Fields::Iterator{document_, walk ? node().end : 0}};
}

View::Items View::items() const noexcept {
    const bool walk = is_array();
    return Items{Items::Iterator{document_, walk ? index_ + 1 : 0},
                 Items::Iterator{document_, walk ? node().end : 0}};
}

View::Field View::Fields::Iterator::operator*() const noexcept {
    const View key{*document_, index_};
    return Field{key.text_at(key.node()), View{*document_, index_ + 1}};
}

View::Fields::Iterator& View::Fields::Iterator::operator++() noexcept {
    index_ = View{*document_, index_ + 1}.next();
    return *this;
}

View::Items::Iterator& View::Items::Iterator::operator++() noexcept {
    index_ = View{*document_, index_}.next();
    return *this;
}

}  // namespace ktm::json
