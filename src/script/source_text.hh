// SPDX-License-Identifier: Apache-2.0
// script/source_text.hh: the text of a plan's files, for what Lua does not remember: where a key
// stands, what a function mentions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.hh"

namespace ktm::script {

/// A token of Lua, with the line it begins on. Comments are left out; a string is one token.
struct Token {
    enum class Type { name, text, number, sign };
    Type type = Type::sign;
    std::string_view text;  ///< As it stands in the source. LIFETIME: the source's.
    int line = 0;
};

class SourceText {
public:
    explicit SourceText(std::string text);
    SourceText(SourceText&&) = delete;  // Tokens point into the text.
    SourceText& operator=(SourceText&&) = delete;

    /// The tokens of lines first to last.
    [[nodiscard]] std::vector<Token> tokens(int first, int last) const;
    /// A digest of lines first to last, without their indentation.
    [[nodiscard]] std::uint64_t digest(int first, int last) const;
    /// The line at or behind `from` on which `key =` stands; `from` when there is none.
    [[nodiscard]] int line_of_key(std::string_view key, int from) const;
    [[nodiscard]] int lines() const noexcept { return static_cast<int>(begins_.size()); }

private:
    [[nodiscard]] std::string_view between(int first, int last) const;

    std::string text_;
    std::vector<std::size_t> begins_;  ///< Of each line.
};

/// The files of one plan by the name that Lua knows.
class SourceTexts {
public:
    void add(const std::string& file, std::string text);
    [[nodiscard]] const SourceText* find(std::string_view file) const;
    /// The name of a file as it is kept here; null for one that was not added.
    [[nodiscard]] const std::string* name_of(std::string_view file) const;
    [[nodiscard]] const std::map<std::string, SourceText, std::less<>>& all() const noexcept {
        return texts_;
    }

private:
    std::map<std::string, SourceText, std::less<>> texts_;
};

/// The calls of :hold and :undo on lines first to last.
[[nodiscard]] std::vector<plan::Mention> mentions_in(const SourceText& text,
                                                     const std::string& file, int first, int last);

/// The fields that are read from a name: `m.tap`, `qmp.enable`.
struct FieldUse {
    std::string_view object;
    std::string_view field;
    int line = 0;
};
[[nodiscard]] std::vector<FieldUse> field_uses_in(const std::vector<Token>& tokens);

/// A word that makes something known by its name: `timer.every(…, "tick")`, `emit("disk:late")`.
struct NamingWord {
    std::string_view object;  ///< Empty: the word stands alone.
    std::vector<std::string_view> words;
    std::size_t argument = 0;  ///< That gives the name.
};
/// All names that are given so; nothing when one of them cannot be read without running the plan.
[[nodiscard]] std::optional<std::set<std::string>> names_given(const SourceTexts& texts,
                                                               const NamingWord& word);

}  // namespace ktm::script
