// SPDX-License-Identifier: Apache-2.0
// json/grammar.cc: RFC 8259, one function per production.
#include "json/grammar.hh"

#include <cstdint>
#include <set>

namespace ktm::json {

namespace {

class Checker {
public:
    Checker(std::string_view text, unsigned depth_max) : text_(text), depth_max_(depth_max) {}

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
            if (depth >= depth_max_) {
                return fail("at most " + std::to_string(depth_max_) + " levels of nesting",
                            "too-deep");
            }
            return c == '{' ? object(depth + 1) : array(depth + 1);
        }
        if (c == '"') {
            std::string ignored;
            return string(ignored);
        }
        for (const std::string_view word : {"true", "false", "null"}) {
            if (text_.substr(at_, word.size()) == word) {
                at_ += word.size();
                return true;
            }
        }
        return c == '-' || digit() ? number() : fail("a value");
    }

    bool object(unsigned depth) {
        ++at_;
        skip_space();
        if (take('}')) {
            return true;
        }
        std::set<std::string> keys;
        while (true) {
            const std::size_t start = at_;
            std::string key;
            if (peek() != '"') {
                return fail("a key in double quotes");
            }
            if (!string(key)) {
                return false;
            }
            if (!keys.insert(key).second) {
                at_ = start;
                return fail("each key once in an object", "duplicate-key");
            }
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
                return true;
            }
            if (!take(',')) {
                return fail("',' or '}'");
            }
            skip_space();
        }
    }

    bool array(unsigned depth) {
        ++at_;
        skip_space();
        if (take(']')) {
            return true;
        }
        while (true) {
            if (!value(depth)) {
                return false;
            }
            skip_space();
            if (take(']')) {
                return true;
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
        (void)take('-');
        if (!take('0') && !digits()) {
            return false;
        }
        if (take('.') && !digits()) {
            return false;
        }
        if (take('e') || take('E')) {
            if (!take('+')) {
                (void)take('-');
            }
            return digits();
        }
        return true;
    }

    std::string_view text_;
    unsigned depth_max_;
    std::size_t at_ = 0;
    std::optional<Fault> fault_;
};

}  // namespace

std::optional<Fault> find_fault(std::string_view text, unsigned depth_max) {
    return Checker{text, depth_max}.check();
}

}  // namespace ktm::json
