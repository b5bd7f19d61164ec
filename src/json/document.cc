// SPDX-License-Identifier: Apache-2.0
// json/document.cc: walking the flat form.
#include "json/document.hh"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.hh"
#include "json/tape.hh"

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

Document::Document()
    : Document(std::array<std::uint64_t, 2>{0, tape::make_word(tape::Kind::null, 0)}, "") {}

Document::Document(std::span<const std::uint64_t> words, std::string_view strings) {
    KTM_ASSERT(words.size() > 1);
    auto memory = std::make_unique_for_overwrite<std::byte[]>(words.size_bytes() + strings.size());
    std::memcpy(memory.get(), words.data(), words.size_bytes());
    if (!strings.empty()) {
        std::memcpy(memory.get() + words.size_bytes(), strings.data(), strings.size());
    }
    const void* begin = memory.get();
    const void* behind = memory.get() + words.size_bytes();
    words_ = static_cast<const std::uint64_t*>(begin);
    strings_ = static_cast<const char*>(behind);
    keeper_ = Keeper{memory.release(),
                     [](void* bytes) noexcept { delete[] static_cast<std::byte*>(bytes); }};
}

Document Document::extract(const View& view) {
    const Document& whole = *view.document_;
    // The word in front becomes the first one, which every tape has and nobody reads.
    const std::uint32_t from = view.index_ - 1;
    std::vector<std::uint64_t> words(whole.words_ + from, whole.words_ + view.next());
    std::string strings;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const tape::Kind kind = tape::kind_of(words[i]);
        if (kind == tape::Kind::string || kind == tape::Kind::big_number) {
            const std::string_view text = tape::text_at(whole.strings_, tape::payload_of(words[i]));
            words[i] = tape::make_word(kind, strings.size());
            strings.append(text.data() - tape::length_bytes, text.size() + tape::length_bytes + 1);
        } else if (tape::is_container(kind)) {
            words[i] -= from;
        } else if (tape::has_value_word(kind)) {
            ++i;
        }
    }
    return Document{words, strings};
}

bool View::is_number() const noexcept {
    const Type kind = type();
    return kind == Type::integer || kind == Type::positive || kind == Type::real ||
           kind == Type::big_number;
}

std::optional<bool> View::as_bool() const noexcept {
    return type() == Type::boolean ? std::optional{tape::kind_of(word()) == tape::Kind::yes}
                                   : std::nullopt;
}

std::optional<std::int64_t> View::as_int() const noexcept {
    return type() == Type::integer ? std::optional{static_cast<std::int64_t>(number())}
                                   : std::nullopt;
}

std::optional<std::uint64_t> View::as_uint() const noexcept {
    const bool fits = type() == Type::positive || (type() == Type::integer && *as_int() >= 0);
    return fits ? std::optional{number()} : std::nullopt;
}

std::optional<double> View::as_double() const noexcept {
    switch (type()) {
        case Type::real: return std::bit_cast<double>(number());
        case Type::integer: return static_cast<double>(static_cast<std::int64_t>(number()));
        case Type::positive: return static_cast<double>(number());
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
    return type() == Type::string ? std::optional{text()} : std::nullopt;
}

std::optional<std::string_view> View::as_big_number() const noexcept {
    return type() == Type::big_number ? std::optional{text()} : std::nullopt;
}

std::size_t View::size() const noexcept {
    if (!tape::is_container(tape::kind_of(word()))) {
        return 0;
    }
    const std::uint32_t told = tape::children_of(word());
    if (told < tape::children_max) {
        return told;
    }
    std::size_t counted = 0;
    for (auto item = Items::Iterator{document_, index_ + 1};
         item != Items::Iterator{document_, tape::end_of(word()) - 1}; ++item) {
        ++counted;
    }
    return is_object() ? counted / 2 : counted;
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

}  // namespace ktm::json
