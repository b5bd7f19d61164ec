// SPDX-License-Identifier: Apache-2.0
// tests/harness/xml_reader.hh: whether a picture is XML.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ktm::testing {

inline bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Reads XML as far as a picture uses it, and says what is wrong; empty for nothing.
class XmlReader {
public:
    explicit XmlReader(std::string_view text) : rest_(text) {}

    std::string fault() && {
        bool any = false;
        while (fault_.empty() && !rest_.empty()) {
            if (any && open_.empty() && rest_ != "\n") {
                return "something behind the end";
            }
            rest_.front() == '<' ? read_tag() : read_text();
            any = true;
        }
        if (fault_.empty() && !open_.empty()) {
            return "not closed: " + open_.back();
        }
        return fault_;
    }

private:
    std::string_view take_until(std::string_view signs) {
        const std::size_t end = std::min(rest_.find_first_of(signs), rest_.size());
        const std::string_view taken = rest_.substr(0, end);
        rest_.remove_prefix(end);
        return taken;
    }

    bool skip(std::string_view sign) {
        const bool is_there = rest_.starts_with(sign);
        rest_.remove_prefix(is_there ? sign.size() : 0);
        return is_there;
    }

    void read_text() { check_text(take_until("<")); }

    void check_text(std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            const std::string_view rest = text.substr(i);
            const auto is = [&](std::string_view entity) { return rest.starts_with(entity); };
            if (rest.front() == '&' && !is("&amp;") && !is("&lt;") && !is("&gt;") &&
                !is("&quot;") && !is("&#39;")) {
                fault_ = "not an entity: " + std::string(rest.substr(0, 8));
            }
            const auto byte = static_cast<std::uint8_t>(rest.front());
            if ((byte < 0x20 && byte != '\n') || is("\xEF\xBF\xBE") || is("\xEF\xBF\xBF")) {
                fault_ = "a character that XML forbids";
            }
        }
    }

    void read_tag() {
        skip("<");
        const bool closes = skip("/");
        const std::string name{take_until(" />\n")};
        if (name.empty() || !begins_name(name.front())) {
            fault_ = "not a tag: " + name;
        } else if (closes) {
            if (open_.empty() || open_.back() != name || !skip(">")) {
                fault_ = "closed, but not open: " + name;
            } else {
                open_.pop_back();
            }
        } else {
            open_.push_back(name);
            read_attributes();
        }
    }

    void read_attributes() {
        std::set<std::string_view> names;
        while (fault_.empty() && skip(" ")) {
            const std::string_view name = take_until("=> ");
            if (!skip("=\"") || !names.insert(name).second) {
                fault_ = "a bad attribute: " + std::string(name);
                return;
            }
            check_text(take_until("\"<"));
            if (!skip("\"")) {
                fault_ = "an attribute without an end: " + std::string(name);
            }
        }
        if (skip("/>")) {
            open_.pop_back();
        } else if (fault_.empty() && !skip(">")) {
            fault_ = "a tag without an end: " + open_.back();
        }
    }

    std::string_view rest_;
    std::vector<std::string> open_;
    std::string fault_;
};

inline std::string xml_fault(std::string_view text) {
    return XmlReader{text}.fault();
}

}  // namespace ktm::testing
