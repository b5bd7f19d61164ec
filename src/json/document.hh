// SPDX-License-Identifier: Apache-2.0
// json/document.hh: a parsed JSON text as one flat, immutable value.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "json/tape.hh"

namespace ktm::json {

class Document;

enum class Type : std::uint8_t {
    null,
    boolean,
    integer,     ///< Fits a signed 64-bit number.
    positive,    ///< Fits an unsigned 64-bit number only.
    real,        ///< A double.
    big_number,  ///< Beyond both; kept as its text, so that nothing is lost.
    string,
    array,
    object,
};

[[nodiscard]] std::string_view name_of(Type type) noexcept;

/// A place in a Document. LIFETIME: valid as long as the document it came from is neither moved
/// from nor destroyed.
class View {
public:
    View(const Document& document, std::uint32_t index) : document_(&document), index_(index) {}

    [[nodiscard]] Type type() const noexcept;
    [[nodiscard]] bool is_object() const noexcept { return type() == Type::object; }
    [[nodiscard]] bool is_array() const noexcept { return type() == Type::array; }
    [[nodiscard]] bool is_string() const noexcept { return type() == Type::string; }
    [[nodiscard]] bool is_number() const noexcept;

    /// Each returns nothing when the value is of another type or does not fit.
    [[nodiscard]] std::optional<bool> as_bool() const noexcept;
    [[nodiscard]] std::optional<std::int64_t> as_int() const noexcept;
    [[nodiscard]] std::optional<std::uint64_t> as_uint() const noexcept;
    [[nodiscard]] std::optional<double> as_double() const noexcept;
    [[nodiscard]] std::optional<std::string_view> as_string() const noexcept;
    /// The digits of a number that fits no machine type.
    [[nodiscard]] std::optional<std::string_view> as_big_number() const noexcept;

    /// Fields of an object or elements of an array; zero for anything else.
    [[nodiscard]] std::size_t size() const noexcept;

    /// The field of that name; nothing when there is none or this is not an object.
    [[nodiscard]] std::optional<View> find(std::string_view key) const noexcept;
    [[nodiscard]] std::optional<std::string_view> find_string(std::string_view key) const noexcept;
    [[nodiscard]] std::optional<std::int64_t> find_int(std::string_view key) const noexcept;

    struct Field;
    class Fields;
    class Items;
    /// For range loops, in the order of the text; empty when this is not an object or array.
    [[nodiscard]] Fields fields() const noexcept;
    [[nodiscard]] Items items() const noexcept;

private:
    friend class Document;
    [[nodiscard]] std::uint64_t word() const noexcept;
    [[nodiscard]] std::uint64_t number() const noexcept;
    [[nodiscard]] std::string_view text() const noexcept;
    [[nodiscard]] std::uint32_t next() const noexcept;

    const Document* document_;
    std::uint32_t index_;
};

/// Holds the memory of a document, whoever made it, until nobody needs it any more.
class Keeper {
public:
    using Release = void (*)(void* memory) noexcept;

    Keeper() = default;
    Keeper(void* memory, Release release) : memory_(memory), release_(release) {}
    Keeper(Keeper&& other) noexcept
        : memory_(std::exchange(other.memory_, nullptr)), release_(other.release_) {}
    Keeper& operator=(Keeper&& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(release_, other.release_);
        return *this;
    }
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;
    ~Keeper() {
        if (memory_ != nullptr) {
            release_(memory_);
        }
    }

private:
    void* memory_ = nullptr;
    Release release_ = nullptr;
};

/// Owns one JSON value in its flat form (tape.hh). Moving is cheap, copying is explicit. One that
/// came from a Parser has more room than it needs, for its speed: keep an extract() of what is kept
/// long.
class Document {
public:
    /// The value null.
    Document();
    /// Copies a flat form whose places and indices are right.
    Document(std::span<const std::uint64_t> words, std::string_view strings);
    /// Takes a flat form over, with what keeps it.
    Document(const std::uint64_t* words, const char* strings, Keeper keeper)
        : words_(words), strings_(strings), keeper_(std::move(keeper)) {}
    Document(Document&&) noexcept = default;
    Document& operator=(Document&&) noexcept = default;
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;
    ~Document() = default;

    [[nodiscard]] View root() const noexcept { return View{*this, 1}; }
    [[nodiscard]] Document copy() const { return extract(root()); }
    /// The part of the document below `view` as a document of its own, no larger than it must be.
    [[nodiscard]] static Document extract(const View& view);

private:
    friend class View;

    const std::uint64_t* words_ = nullptr;
    const char* strings_ = nullptr;
    Keeper keeper_;
};

struct View::Field {
    std::string_view key;
    View value;
};

class View::Fields {
public:
    class Iterator {
    public:
        Iterator(const Document* document, std::uint32_t index)
            : document_(document), index_(index) {}
        [[nodiscard]] Field operator*() const noexcept;
        Iterator& operator++() noexcept;
        [[nodiscard]] bool operator==(const Iterator&) const = default;

    private:
        const Document* document_;
        std::uint32_t index_;
    };
    Fields(Iterator begin, Iterator end) : begin_(begin), end_(end) {}
    [[nodiscard]] Iterator begin() const noexcept { return begin_; }
    [[nodiscard]] Iterator end() const noexcept { return end_; }

private:
    Iterator begin_;
    Iterator end_;
};

class View::Items {
public:
    class Iterator {
    public:
        Iterator(const Document* document, std::uint32_t index)
            : document_(document), index_(index) {}
        [[nodiscard]] View operator*() const noexcept { return View{*document_, index_}; }
        Iterator& operator++() noexcept;
        [[nodiscard]] bool operator==(const Iterator&) const = default;

    private:
        const Document* document_;
        std::uint32_t index_;
    };
    Items(Iterator begin, Iterator end) : begin_(begin), end_(end) {}
    [[nodiscard]] Iterator begin() const noexcept { return begin_; }
    [[nodiscard]] Iterator end() const noexcept { return end_; }

private:
    Iterator begin_;
    Iterator end_;
};

// --- What is asked of each value, for each word of it -------------------------------------------

inline std::uint64_t View::word() const noexcept {
    return document_->words_[index_];
}

inline std::uint64_t View::number() const noexcept {
    return document_->words_[index_ + 1];
}

inline std::string_view View::text() const noexcept {
    return tape::text_at(document_->strings_, tape::payload_of(word()));
}

inline std::uint32_t View::next() const noexcept {
    return tape::behind(document_->words_, index_);
}

inline Type View::type() const noexcept {
    switch (tape::kind_of(word())) {
        case tape::Kind::null: return Type::null;
        case tape::Kind::yes:
        case tape::Kind::no: return Type::boolean;
        case tape::Kind::integer: return Type::integer;
        case tape::Kind::positive: return Type::positive;
        case tape::Kind::real: return Type::real;
        case tape::Kind::string: return Type::string;
        case tape::Kind::big_number: return Type::big_number;
        case tape::Kind::object: return Type::object;
        case tape::Kind::array: return Type::array;
        // The end of a container is never the place of a view.
        case tape::Kind::object_end:
        case tape::Kind::array_end: break;
    }
    return Type::null;
}

inline View::Fields View::fields() const noexcept {
    const bool walk = is_object();
    return Fields{Fields::Iterator{document_, walk ? index_ + 1 : 0},
                  Fields::Iterator{document_, walk ? tape::end_of(word()) - 1 : 0}};
}

inline View::Items View::items() const noexcept {
    const bool walk = is_array();
    return Items{Items::Iterator{document_, walk ? index_ + 1 : 0},
                 Items::Iterator{document_, walk ? tape::end_of(word()) - 1 : 0}};
}

inline View::Field View::Fields::Iterator::operator*() const noexcept {
    return Field{View{*document_, index_}.text(), View{*document_, index_ + 1}};
}

inline View::Fields::Iterator& View::Fields::Iterator::operator++() noexcept {
    index_ = View{*document_, index_ + 1}.next();
    return *this;
}

inline View::Items::Iterator& View::Items::Iterator::operator++() noexcept {
    index_ = View{*document_, index_}.next();
    return *this;
}

}  // namespace ktm::json
