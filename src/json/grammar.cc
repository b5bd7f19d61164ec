// SPDX-License-Identifier: Apache-2.0
// json/grammar.cc: RFC 8259, one function per production; what was read is written as a tape.
#include "json/grammar.hh"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "json/tape.hh"

namespace ktm::json {

namespace {

class SlowReader {
public:
    SlowReader(std::string_view text, Rules rules) : text_(text), rules_(rules) {}

    std::optional<Fault> check() {
        skip_space();
        if (!value(0)) {
            return fault_;
        }
        skip_space();
        if (at_ != text_.size()) {
            (void)fail("the end of the text");
        }
        return fault_;
    }

    [[nodiscard]] Document document() const { return Document{words_, strings_}; }

private:
    [[nodiscard]] bool fail(std::string expected, std::string code = "invalid-json") {
        fault_ = Fault{at_, std::move(expected), std::move(code)};
        return false;
    }

    [[nodiscard]] bool more() const { return at_ < text_.size(); }
    [[nodiscard]] char peek() const { return more() ? text_[at_] : '\0'; }
    [[nodiscard]] bool digit() const { return more() && peek() >= '0' && peek() <= '9'; }

    bool take(char c) {
        const bool there = more() && text_[at_] == c;
        at_ += there ? 1 : 0;
        return there;
    }

    void skip_space() {
        while (more() && std::string_view(" \t\r\n").find(peek()) != std::string_view::npos) {
            ++at_;
        }
    }

    bool value(unsigned depth) {
        const char c = peek();
        if (c == '{' || c == '[') {
            if (depth >= rules_.levels_max) {
                return fail("at most " + std::to_string(rules_.levels_max) + " levels of nesting",
                            "too-deep");
            }
            return c == '{' ? object(depth + 1) : array(depth + 1);
        }
        if (c == '"') {
            std::string content;
            const bool read = string(content);
            write_text(tape::Kind::string, content);
            return read;
        }
        for (const std::string_view word : {"true", "false", "null"}) {
            if (text_.substr(at_, word.size()) == word) {
                at_ += word.size();
                // The kinds of these three are their first letters.
                (void)write(static_cast<tape::Kind>(word[0]), 0);
                return true;
            }
        }
        return c == '-' || digit() ? number() : fail("a value");
    }

    bool object(unsigned depth) {
        ++at_;
        const std::size_t begin = write(tape::Kind::object, 0);
        skip_space();
        if (take('}')) {
            return close(begin, tape::Kind::object_end, 0);
        }
        std::set<std::string> keys;
        std::size_t count = 0;
        while (true) {
            const std::size_t start = at_;
            std::string key;
            if (peek() != '"') {
                return fail("a key in double quotes");
            }
            if (!string(key)) {
                return false;
            }
            ++count;
            if (!keys.insert(key).second && rules_.keys == Keys::unique) {
                at_ = start;
                return fail("each key once in an object", "duplicate-key");
            }
            write_text(tape::Kind::string, key);
            skip_space();
            if (!take(':')) {
                return fail("':' behind the key");
            }
            skip_space();
            if (!value(depth)) {
                return false;
            }
            skip_space();
            if (take('}')) {
                return close(begin, tape::Kind::object_end, count);
            }
            if (!take(',')) {
                return fail("',' or '}'");
            }
            skip_space();
        }
    }

    bool array(unsigned depth) {
        ++at_;
        const std::size_t begin = write(tape::Kind::array, 0);
        skip_space();
        if (take(']')) {
            return close(begin, tape::Kind::array_end, 0);
        }
        for (std::size_t count = 1;; ++count) {
            if (!value(depth)) {
                return false;
            }
            skip_space();
            if (take(']')) {
                return close(begin, tape::Kind::array_end, count);
            }
            if (!take(',')) {
                return fail("',' or ']'");
            }
            skip_space();
        }
    }

    bool string(std::string& content) {
        ++at_;
        while (more()) {
            const auto byte = static_cast<std::uint8_t>(peek());
            if (take('"')) {
                return true;
            }
            if (byte < 0x20) {
                return fail("an escape instead of a control character in a string");
            }
            if (byte == '\\' ? !escape(content) : !character(content)) {
                return false;
            }
        }
        return fail("'\"' at the end of the string");
    }

    bool hex4(std::uint32_t& code) {
        code = 0;
        for (int i = 0; i < 4; ++i, ++at_) {
            const char c = peek();
            const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
            if (!digit() && !letter) {
                return fail("four hexadecimal digits behind \\u");
            }
            code =
                code * 16 + static_cast<std::uint32_t>(digit() ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        return true;
    }

    bool escape(std::string& content) {
        ++at_;
        static constexpr std::string_view names = "\"\\/bfnrt";
        static constexpr std::string_view values = "\"\\/\b\f\n\r\t";
        const std::size_t simple = more() ? names.find(peek()) : std::string_view::npos;
        if (simple != std::string_view::npos) {
            content += values[simple];
            ++at_;
            return true;
        }
        if (!take('u')) {
            return fail("one of \" \\ / b f n r t u behind the backslash");
        }
        std::uint32_t code = 0;
        if (!hex4(code)) {
            return false;
        }
        if (code >= 0xD800 && code < 0xDC00) {
            std::uint32_t low = 0;
            if (!take('\\') || !take('u')) {
                return fail("the second half of a surrogate pair");
            }
            if (!hex4(low)) {
                return false;
            }
            if (low < 0xDC00 || low > 0xDFFF) {
                return fail("the second half of a surrogate pair");
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        } else if (code >= 0xDC00 && code <= 0xDFFF) {
            return fail("the first half of a surrogate pair");
        }
        append_utf8(content, code);
        return true;
    }

    static void append_utf8(std::string& content, std::uint32_t code) {
        const auto tail = [&](unsigned shift) {
            content += static_cast<char>(0x80 | ((code >> shift) & 0x3F));
        };
        if (code < 0x80) {
            content += static_cast<char>(code);
        } else if (code < 0x800) {
            content += static_cast<char>(0xC0 | (code >> 6));
            tail(0);
        } else if (code < 0x10000) {
            content += static_cast<char>(0xE0 | (code >> 12));
            tail(6);
            tail(0);
        } else {
            content += static_cast<char>(0xF0 | (code >> 18));
            tail(12);
            tail(6);
            tail(0);
        }
    }

    bool character(std::string& content) {
        const auto lead = static_cast<std::uint8_t>(peek());
        const unsigned tails = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        std::uint32_t code = tails == 0 ? lead : lead & (0x3FU >> tails);
        bool good = lead < 0x80 || (lead >= 0xC2 && lead < 0xF5);
        good = good && at_ + tails < text_.size();
        for (unsigned i = 1; good && i <= tails; ++i) {
            const auto byte = static_cast<std::uint8_t>(text_[at_ + i]);
            good = (byte & 0xC0) == 0x80;
            code = (code << 6) | (byte & 0x3FU);
        }
        const bool overlong = (tails == 2 && code < 0x800) || (tails == 3 && code < 0x10000);
        if (!good || overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
            return fail("valid UTF-8", "invalid-utf8");
        }
        content.append(text_.substr(at_, tails + 1));
        at_ += tails + 1;
        return true;
    }

    bool digits() {
        if (!digit()) {
            return fail("a digit");
        }
        while (digit()) {
            ++at_;
        }
        return true;
    }

    bool number() {
        const std::size_t begin = at_;
        (void)take('-');
        if (!take('0') && !digits()) {
            return false;
        }
        bool whole = true;
        if (take('.')) {
            whole = false;
            if (!digits()) {
                return false;
            }
        }
        if (take('e') || take('E')) {
            whole = false;
            if (!take('+')) {
                (void)take('-');
            }
            if (!digits()) {
                return false;
            }
        }
        write_number(std::string(text_.substr(begin, at_ - begin)), whole);
        return true;
    }

    void write_number(const std::string& text, bool whole) {
        const char* end = text.data() + text.size();
        std::int64_t integer = 0;
        std::uint64_t positive = 0;
        const auto fits = [&](auto& value) {
            return whole && std::from_chars(text.data(), end, value).ec == std::errc{};
        };
        if (fits(integer)) {
            write_value(tape::Kind::integer, static_cast<std::uint64_t>(integer));
        } else if (fits(positive)) {
            write_value(tape::Kind::positive, positive);
        } else if (const double real = std::strtod(text.c_str(), nullptr);
                   !whole && std::isfinite(real)) {
            write_value(tape::Kind::real, std::bit_cast<std::uint64_t>(real));
        } else {
            write_text(tape::Kind::big_number, text);
        }
    }

    std::size_t write(tape::Kind kind, std::uint64_t payload) {
        words_.push_back(tape::make_word(kind, payload));
        return words_.size() - 1;
    }

    void write_value(tape::Kind kind, std::uint64_t value) {
        (void)write(kind, 0);
        words_.push_back(value);
    }

    void write_text(tape::Kind kind, const std::string& text) {
        (void)write(kind, strings_.size());
        const auto size = static_cast<std::uint32_t>(text.size());
        std::array<char, tape::length_bytes> length{};
        std::memcpy(length.data(), &size, length.size());
        strings_.append(length.data(), length.size());
        strings_ += text;
        strings_ += '\0';
    }

    [[nodiscard]] bool close(std::size_t begin, tape::Kind end, std::size_t children) {
        (void)write(end, begin);
        const std::uint64_t told = std::min<std::uint64_t>(children, tape::children_max);
        words_[begin] = tape::make_word(tape::kind_of(words_[begin]), told << 32U | words_.size());
        return true;
    }

    std::string_view text_;
    Rules rules_;
    std::size_t at_ = 0;
    std::optional<Fault> fault_;
    std::vector<std::uint64_t> words_{0};
    std::string strings_;
};

}  // namespace

std::optional<Fault> find_fault(std::string_view text, Rules rules) {
    return SlowReader{text, rules}.check();
}

Result<Document> read_slowly(std::string_view text, Rules rules) {
    SlowReader reader{text, rules};
    const std::optional<Fault> fault = reader.check();
    if (fault) {
        return Error{
            Kind::invalid, fault->code,
            "expected " + fault->expected + " at column " + std::to_string(fault->offset + 1), "",
            nullptr};
    }
    return reader.document();
}

}  // namespace ktm::json
