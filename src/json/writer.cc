// SPDX-License-Identifier: Apache-2.0
// json/writer.cc: JSON text, built or rendered.
#include "json/writer.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/assert.hh"
#include "base/text.hh"
#include "json/grammar.hh"

namespace ktm::json {

namespace {

/// Line width up to which pretty() keeps an array of scalars together.
constexpr std::size_t short_array_bytes = 72;

std::string number_text(double value) {
    std::array<char, 32> buffer{};
    const auto [end, fault] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    KTM_ASSERT(fault == std::errc{});
    std::string text(buffer.data(), end);
    // Without a point it would be read back as an integer.
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

template <class Number>
void append_number(std::string& out, Number value) {
    std::array<char, 24> buffer;
    const auto [end, fault] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    KTM_ASSERT(fault == std::errc{});
    out.append(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
}

void append_scalar(std::string& out, const View& view) {
    switch (view.type()) {
        case Type::null: out += "null"; break;
        case Type::boolean: out += *view.as_bool() ? "true" : "false"; break;
        case Type::integer: append_number(out, *view.as_int()); break;
        case Type::positive: append_number(out, *view.as_uint()); break;
        case Type::real: out += number_text(*view.as_double()); break;
        case Type::big_number: out += *view.as_big_number(); break;
        case Type::string: append_quoted(out, *view.as_string()); break;
        case Type::array: out += "[]"; break;
        case Type::object: out += "{}"; break;
    }
}

std::string scalar(const View& view) {
    std::string out;
    append_scalar(out, view);
    return out;
}

void append_compact(std::string& out, const View& view) {
    if (view.size() == 0) {
        append_scalar(out, view);
        return;
    }
    const bool object = view.is_object();
    char joint = object ? '{' : '[';
    for (const View::Field field : view.fields()) {
        out += joint;
        append_quoted(out, field.key);
        out += ':';
        append_compact(out, field.value);
        joint = ',';
    }
    for (const View item : view.items()) {
        out += joint;
        append_compact(out, item);
        joint = ',';
    }
    out += object ? '}' : ']';
}

bool fits_one_line(const View& view) {
    if (!view.is_array()) {
        return view.size() == 0;
    }
    for (const View item : view.items()) {
        if (item.size() > 0) {
            return false;
        }
    }
    return compact(view).size() <= short_array_bytes;
}

void append_pretty(std::string& out, const View& view, std::size_t indent) {
    if (fits_one_line(view)) {
        std::string line;
        for (const View item : view.items()) {
            line += (line.empty() ? "[" : ", ") + scalar(item);
        }
        out += line.empty() ? scalar(view) : line + "]";
        return;
    }
    const bool object = view.is_object();
    const std::string margin(indent + 2, ' ');
    const char* joint = object ? "{\n" : "[\n";
    for (const View::Field field : view.fields()) {
        out += joint + margin + quoted(field.key) + ": ";
        append_pretty(out, field.value, indent + 2);
        joint = ",\n";
    }
    for (const View item : view.items()) {
        out += joint + margin;
        append_pretty(out, item, indent + 2);
        joint = ",\n";
    }
    out += "\n" + std::string(indent, ' ') + (object ? "}" : "]");
}

/// The escape of a character that may not stand in a string, or nothing.
std::string_view named_escape(char c) {
    switch (c) {
        case '"': return "\\\"";
        case '\\': return "\\\\";
        case '\n': return "\\n";
        case '\r': return "\\r";
        case '\t': return "\\t";
        default: return {};
    }
}

/// The same byte eight times.
constexpr std::uint64_t each_byte(std::uint8_t byte) {
    return 0x0101010101010101U * byte;
}

/// Whether none of these eight bytes needs a look: each subtraction sets the highest bit of a byte
/// that does, and of none before it.
bool are_plain(const char* bytes) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes, sizeof eight);
    const auto zeros = [](std::uint64_t word) { return word - each_byte(1); };
    const std::uint64_t special = eight | (eight - each_byte(0x20)) |
                                  zeros(eight ^ each_byte('"')) | zeros(eight ^ each_byte('\\')) |
                                  zeros(eight ^ each_byte(0x7F));
    return (special & each_byte(0x80)) == 0;
}

/// Bytes at the start of the text that stand in a string as they are: nearly all, nearly always.
std::size_t plain_bytes(std::string_view text) {
    std::size_t plain = 0;
    while (plain + 8 <= text.size() && are_plain(text.data() + plain)) {
        plain += 8;
    }
    const auto is_special = [](char c) { return c < 0x20 || c == 0x7F || c == '"' || c == '\\'; };
    while (plain < text.size() && !is_special(text[plain])) {
        ++plain;
    }
    return plain;
}

/// Bytes of the valid UTF-8 character at the start of the text; 0 when there is none.
std::size_t character_bytes(std::string_view text) {
    const auto lead = static_cast<std::uint8_t>(text[0]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 1) {
        return 1;
    }
    // The grammar knows UTF-8 already; a string of one character is a complete question to it.
    const std::string one = "\"" + std::string(text.substr(0, length)) + "\"";
    return text.size() >= length && !find_fault(one) ? length : 0;
}

/// Whether a terminal would obey this valid character: controls, and marks that turn the direction
/// of writing. It is printable's question, asked of one character.
bool is_obeyed(std::string_view character) {
    return printable(character) != character;
}

/// \uXXXX of a character of the basic plane, where all controls are.
std::string unicode_escape(std::string_view character) {
    static constexpr char hex[] = "0123456789abcdef";
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(character[i]); };
    const unsigned code = character.size() == 1   ? byte(0)
                          : character.size() == 2 ? (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU)
                                                  : (byte(0) & 0x0FU) << 12U |
                                                        (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    std::string escape = "\\u";
    for (const unsigned shift : {12U, 8U, 4U, 0U}) {
        escape += hex[(code >> shift) & 15U];
    }
    return escape;
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    if (plain_bytes(text) == text.size()) {
        const std::size_t at = out.size();
        out.append(text.size() + 2, '"');
        text.copy(out.data() + at + 1, text.size());
        return;
    }
    out += '"';
    while (!text.empty()) {
        const std::size_t plain = plain_bytes(text);
        if (plain > 0) {
            out += text.substr(0, plain);
            text.remove_prefix(plain);
            continue;
        }
        const std::size_t length = character_bytes(text);
        const std::string_view character = text.substr(0, length);
        const std::string_view escape = named_escape(text[0]);
        if (!escape.empty()) {
            out += escape;
        } else if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (is_obeyed(character)) {
            out += unicode_escape(character);
        } else {
            out += character;
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    out += '"';
}

std::string quoted(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    append_quoted(out, text);
    return out;
}

std::string compact(const View& view) {
    std::string out;
    append_compact(out, view);
    return out;
}

std::string pretty(const View& view) {
    std::string out;
    append_pretty(out, view, 0);
    return out;
}

ObjectWriter::ObjectWriter() {
    // Room for most objects: to grow there by doubling would be more work than to write them.
    constexpr std::size_t usual_bytes = 240;
    out_.reserve(usual_bytes);
    out_ += '{';
}

void ObjectWriter::key(std::string_view name) {
    if (out_.size() > 1) {
        out_ += ',';
    }
    append_quoted(out_, name);
    out_ += ':';
}

ObjectWriter& ObjectWriter::text(std::string_view name, std::string_view value) {
    key(name);
    append_quoted(out_, value);
    return *this;
}

ObjectWriter& ObjectWriter::integer(std::string_view name, std::int64_t value) {
    key(name);
    append_number(out_, value);
    return *this;
}

ObjectWriter& ObjectWriter::boolean(std::string_view name, bool value) {
    key(name);
    out_ += value ? "true" : "false";
    return *this;
}

ObjectWriter& ObjectWriter::json(std::string_view name, std::string_view value) {
    key(name);
    out_ += value;
    return *this;
}

std::string ObjectWriter::finish() && {
    out_ += '}';
    return std::move(out_);
}

}  // namespace ktm::json
