// SPDX-License-Identifier: Apache-2.0
// script/source_text.cc: the text of a plan's files, and a reader of Lua's tokens.
#include "script/source_text.hh"

#include <algorithm>
#include <utility>

#include "base/digest.hh"

namespace ktm::script {

namespace {

/// About as many bytes of source as a token takes.
constexpr std::size_t bytes_a_token = 4;

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Cuts a text into tokens. What is no legal Lua gives some tokens, too: the compiler has spoken
/// before.
class Lexer {
public:
    Lexer(std::string_view text, int line) : text_(text), line_(line) {}

    std::vector<Token> run() {
        std::vector<Token> tokens;
        tokens.reserve(text_.size() / bytes_a_token);
        while (true) {
            skip_blank();
            if (at_ >= text_.size()) {
                return tokens;
            }
            const int line = line_;
            const std::size_t begin = at_;
            const Token::Type type = take();
            tokens.push_back(Token{type, text_.substr(begin, at_ - begin), line});
        }
    }

private:
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    void advance() {
        line_ += text_[at_] == '\n' ? 1 : 0;
        ++at_;
    }

    void skip_blank() {
        while (at_ < text_.size()) {
            if (is_space(peek())) {
                advance();
            } else if (peek() == '-' && peek(1) == '-') {
                at_ += 2;
                if (!skip_long_bracket()) {
                    while (at_ < text_.size() && peek() != '\n') {
                        ++at_;
                    }
                }
            } else {
                return;
            }
        }
    }

    /// Skips [[…]] or [==[…]==] when one begins here.
    bool skip_long_bracket() {
        std::size_t level = 0;
        if (peek() != '[') {
            return false;
        }
        while (peek(1 + level) == '=') {
            ++level;
        }
        if (peek(1 + level) != '[') {
            return false;
        }
        const std::string closing = "]" + std::string(level, '=') + "]";
        const std::size_t end = text_.find(closing, at_ + level + 2);
        const std::size_t stop =
            end == std::string_view::npos ? text_.size() : end + closing.size();
        while (at_ < stop) {
            advance();
        }
        return true;
    }

    Token::Type take() {
        const char first = peek();
        if (begins_name(first)) {
            while (begins_name(peek()) || is_digit(peek())) {
                ++at_;
            }
            return Token::Type::name;
        }
        if (is_digit(first)) {
            while (begins_name(peek()) || is_digit(peek()) || peek() == '.') {
                ++at_;
            }
            return Token::Type::number;
        }
        if (first == '"' || first == '\'') {
            take_string(first);
            return Token::Type::text;
        }
        if (first == '[' && skip_long_bracket()) {
            return Token::Type::text;
        }
        // ".." and "..." are one sign, so that what follows them is no field.
        do {
            ++at_;
        } while (first == '.' && peek() == '.');
        return Token::Type::sign;
    }

    void take_string(char quote) {
        ++at_;
        while (at_ < text_.size() && peek() != quote && peek() != '\n') {
            if (peek() == '\\' && at_ + 1 < text_.size()) {
                advance();
            }
            advance();
        }
        at_ = std::min(at_ + 1, text_.size());
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int line_;
};

bool is_sign(const Token& token, char sign) {
    return token.type == Token::Type::sign && token.text.size() == 1 && token.text[0] == sign;
}

bool opens(const Token& token) {
    return is_sign(token, '(') || is_sign(token, '{') || is_sign(token, '[');
}

/// Whether a token is a field or a method of what stands in front of it.
bool is_field(const std::vector<Token>& tokens, std::size_t at) {
    return at > 0 && (is_sign(tokens[at - 1], '.') || is_sign(tokens[at - 1], ':'));
}

/// The index behind the bracket that closes the one at `open`, or the end.
std::size_t behind_closing(const std::vector<Token>& tokens, std::size_t open) {
    int depth = 0;
    for (std::size_t index = open; index < tokens.size(); ++index) {
        const Token& token = tokens[index];
        if (opens(token)) {
            ++depth;
        } else if (is_sign(token, ')') || is_sign(token, '}') || is_sign(token, ']')) {
            if (--depth == 0) {
                return index + 1;
            }
        }
    }
    return tokens.size();
}

/// The text from one token to the one before another, on one line.
std::string text_between(const std::vector<Token>& tokens, std::size_t begin, std::size_t end) {
    std::string text;
    for (std::size_t index = begin; index < end; ++index) {
        const Token& token = tokens[index];
        const bool first = index == begin;
        const bool gap = !first && tokens[index - 1].text.data() + tokens[index - 1].text.size() !=
                                       token.text.data();
        text += (gap ? " " : "") + std::string{token.text};
    }
    return text;
}

/// The content of a string token without its quotes; escapes stay as they are.
std::string content_of(const Token& token) {
    return token.text.size() >= 2 && token.text[0] != '['
               ? std::string{token.text.substr(1, token.text.size() - 2)}
               : std::string{token.text};
}

}  // namespace

SourceText::SourceText(std::string text) : text_(std::move(text)) {
    begins_.push_back(0);
    for (std::size_t at = text_.find('\n'); at != std::string::npos;
         at = text_.find('\n', at + 1)) {
        begins_.push_back(at + 1);
    }
}

std::string_view SourceText::between(int first, int last) const {
    const int lines = static_cast<int>(begins_.size());
    first = std::clamp(first, 1, lines);
    last = std::clamp(last, first, lines);
    const std::size_t begin = begins_[static_cast<std::size_t>(first - 1)];
    const std::size_t end = last == lines ? text_.size() : begins_[static_cast<std::size_t>(last)];
    return std::string_view{text_}.substr(begin, end - begin);
}

std::vector<Token> SourceText::tokens(int first, int last) const {
    return Lexer{between(first, last), std::max(first, 1)}.run();
}

std::uint64_t SourceText::digest(int first, int last) const {
    std::uint64_t hash = digest_begin;
    bool indentation = true;
    for (const char c : between(first, last)) {
        indentation = c == '\n' || (indentation && is_space(c));
        if (!indentation) {
            hash = digest_with(hash, static_cast<unsigned char>(c));
        }
    }
    return hash;
}

int SourceText::line_of_key(std::string_view key, int from) const {
    const std::vector<Token> found = tokens(from, lines());
    for (std::size_t index = 0; index + 1 < found.size(); ++index) {
        if (found[index].text == key && is_sign(found[index + 1], '=')) {
            return found[index].line;
        }
    }
    return from;
}

void SourceTexts::add(const std::string& file, std::string text) {
    texts_.try_emplace(file, std::move(text));
}

const SourceText* SourceTexts::find(std::string_view file) const {
    const auto found = texts_.find(file);
    return found == texts_.end() ? nullptr : &found->second;
}

const std::string* SourceTexts::name_of(std::string_view file) const {
    const auto found = texts_.find(file);
    return found == texts_.end() ? nullptr : &found->first;
}

std::vector<plan::Mention> mentions_in(const SourceText& text, const std::string& file, int first,
                                       int last) {
    std::vector<plan::Mention> mentions;
    const std::vector<Token> tokens = text.tokens(first, last);
    for (std::size_t index = 0; index + 2 < tokens.size(); ++index) {
        const bool hold = tokens[index + 1].text == "hold";
        const bool undo = tokens[index + 1].text == "undo";
        if (!is_sign(tokens[index], ':') || !(hold || undo) || !is_sign(tokens[index + 2], '(')) {
            continue;
        }
        const std::size_t begin = index + 3;
        const std::size_t end = behind_closing(tokens, index + 2) - 1;
        const bool named = undo && begin < end && tokens[begin].type == Token::Type::text;
        mentions.push_back({hold ? plan::Mention::Kind::hold : plan::Mention::Kind::undo,
                            named ? content_of(tokens[begin]) : text_between(tokens, begin, end),
                            {file, tokens[index].line}});
    }
    return mentions;
}

std::vector<FieldUse> field_uses_in(const std::vector<Token>& tokens) {
    std::vector<FieldUse> uses;
    for (std::size_t index = 0; index + 2 < tokens.size(); ++index) {
        const bool has_field = is_sign(tokens[index + 1], '.') || is_sign(tokens[index + 1], ':');
        if (!is_field(tokens, index) && has_field && tokens[index].type == Token::Type::name &&
            tokens[index + 2].type == Token::Type::name) {
            uses.push_back({tokens[index].text, tokens[index + 2].text, tokens[index].line});
        }
    }
    return uses;
}

namespace {

/// An argument of a call, where it is a text as it stands; `at` is behind what is called.
std::optional<std::string> text_argument(const std::vector<Token>& tokens, std::size_t at,
                                         std::size_t argument) {
    const auto text_at = [&tokens](std::size_t index) -> std::optional<std::string> {
        const bool is_plain =
            tokens[index].type == Token::Type::text && tokens[index].text[0] != '[';
        return is_plain ? std::optional{content_of(tokens[index])} : std::nullopt;
    };
    if (argument == 0 && tokens[at].type == Token::Type::text) {
        return text_at(at);
    }
    if (!is_sign(tokens[at], '(')) {
        return std::nullopt;
    }
    const std::size_t end = behind_closing(tokens, at) - 1;
    for (++at; argument > 0 && at < end; ++at) {
        if (opens(tokens[at])) {
            at = behind_closing(tokens, at) - 1;
        } else if (is_sign(tokens[at], ',')) {
            --argument;
        }
    }
    const bool is_alone = at + 1 == end || (at + 1 < end && is_sign(tokens[at + 1], ','));
    return argument == 0 && is_alone ? text_at(at) : std::nullopt;
}

/// Whether a name stands for the word, and not for a field or a key that is called so.
bool is_word(const std::vector<Token>& tokens, std::size_t at, std::string_view word) {
    const bool is_key = at + 1 < tokens.size() && is_sign(tokens[at + 1], '=');
    return tokens[at].type == Token::Type::name && tokens[at].text == word &&
           !is_field(tokens, at) && !is_key;
}

/// False when a name is given that cannot be read.
bool add_names(const std::vector<Token>& tokens, const NamingWord& word,
               std::set<std::string>& names) {
    const bool stands_alone = word.object.empty();
    for (std::size_t at = 0; at < tokens.size(); ++at) {
        if (!is_word(tokens, at, stands_alone ? word.words.front() : word.object)) {
            continue;
        }
        const std::size_t called = stands_alone ? at : at + 2;
        if (called + 1 >= tokens.size() || (!stands_alone && !is_sign(tokens[at + 1], '.'))) {
            return false;
        }
        if (std::find(word.words.begin(), word.words.end(), tokens[called].text) ==
            word.words.end()) {
            continue;
        }
        const std::optional<std::string> name = text_argument(tokens, called + 1, word.argument);
        if (!name) {
            return false;
        }
        names.insert(*name);
    }
    return true;
}

}  // namespace

std::optional<std::set<std::string>> names_given(const SourceTexts& texts, const NamingWord& word) {
    std::set<std::string> names;
    for (const auto& [file, text] : texts.all()) {
        if (!add_names(text.tokens(1, text.lines()), word, names)) {
            return std::nullopt;
        }
    }
    return names;
}

}  // namespace ktm::script
