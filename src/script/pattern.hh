// SPDX-License-Identifier: Apache-2.0
// script/pattern.hh: Lua's patterns, with a bound on what a match may cost.
//
// Theory of operation. LuaJIT's own matcher runs in C, where no hook stops it, and a pattern of
// some sixty bytes can keep it busy for years. This one does the same and counts its steps: a match
// is found, is not there, or costs too much, and then it is an error.
//
// A pattern is compiled first, into a list of items. It has no alternatives and no repeated groups,
// so each path through it meets the same items in the same order; therefore every malformed pattern
// is refused by compile(), also where LuaJIT would notice only when a subject comes that far, and
// matching needs no recursion: what can still be tried is one frame for each repeated item.
//
// Bytes are bytes: the classes are those of the C locale whatever the process has, and a zero byte
// is a byte like others, in the subject and in the pattern. Offsets count from 0 here, and from 1
// in Lua.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace ktm::script {

/// LIMIT: captures of one pattern, as in Lua.
inline constexpr std::size_t captures_max = 32;
/// LIMIT: bytes of one pattern; each takes up to 40 bytes while the pattern is in use.
inline constexpr std::size_t pattern_bytes_max = 32768;

/// What matching may cost. A step is one look at one byte of the subject, or one byte written by
/// expand(). Calls that serve one call of the plan, such as the rounds of gsub, share one budget.
class StepBudget {
public:
    explicit StepBudget(std::size_t steps) noexcept : steps_(steps), left_(steps) {}

    /// Takes the steps, or says no and leaves none: from then on everything is refused.
    [[nodiscard]] bool spend(std::size_t steps = 1) noexcept {
        const bool enough = steps <= left_;
        left_ = enough ? left_ - steps : 0;
        exhausted_ = exhausted_ || !enough;
        return enough;
    }
    [[nodiscard]] bool exhausted() const noexcept { return exhausted_; }
    [[nodiscard]] std::size_t total() const noexcept { return steps_; }
    [[nodiscard]] std::size_t spent() const noexcept { return steps_ - left_; }

private:
    std::size_t steps_;
    std::size_t left_;
    bool exhausted_ = false;
};

/// One capture: subject[begin, end), or for "()" the place `begin` alone.
struct Capture {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool is_position = false;

    bool operator==(const Capture&) const = default;
};

/// Where a pattern matched: subject[begin, end).
struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t capture_count = 0;
    std::array<Capture, captures_max> capture_slots{};  ///< Without captures the whole match.

    [[nodiscard]] std::span<const Capture> captures() const noexcept {
        return {capture_slots.data(), capture_count};
    }
    /// What match, gmatch and gsub hand on: the captures, or the whole match where there are none.
    [[nodiscard]] std::span<const Capture> values() const noexcept {
        return {capture_slots.data(), capture_count > 0 ? capture_count : 1};
    }
    /// Where gmatch and gsub look for the next match: behind this one, and after an empty one a
    /// byte further, which gsub copies. Beyond the end of the subject find() finds nothing more.
    [[nodiscard]] std::size_t next_init() const noexcept { return end > begin ? end : end + 1; }

    bool operator==(const Match&) const = default;
};

/// The 256 bytes, and which of them an item stands for.
using ByteSet = std::bitset<256>;

/// One part of a compiled pattern; pattern.cc alone looks into it.
struct PatternItem {
    enum class Kind : std::uint8_t {
        bytes,           ///< Bytes of `set`, as often as the next three say.
        capture_begin,   ///< Opens the capture `number`.
        capture_end,     ///< Closes it.
        position,        ///< Notes the place as the capture `number`.
        back_reference,  ///< The text of the capture `number` again.
        balance,         ///< From `open` to the `close` that belongs to it.
        frontier,        ///< The place where `set` begins.
        subject_end,     ///< The end of the subject.
    };

    Kind kind = Kind::bytes;
    std::uint8_t least = 1;
    bool is_repeated = false;  ///< As often as it goes; otherwise at most once.
    bool is_lazy = false;      ///< As seldom as it goes.
    std::uint8_t number = 0;
    char open = 0;
    char close = 0;
    ByteSet set{};
};

class Pattern {
public:
    /// What a '^' in front means. In gmatch it is a character like others.
    enum class Caret : std::uint8_t { anchors, is_plain };

    /// The pattern, or what is malformed about it (`bad-pattern`, `pattern-too-complex`).
    [[nodiscard]] static Result<Pattern> compile(std::string_view text,
                                                 Caret caret = Caret::anchors);

    /// Whether it matches where the search begins or nowhere; gsub does not search on then.
    [[nodiscard]] bool is_anchored() const noexcept { return is_anchored_; }

    /// The match that begins at subject[at], if there is one. An error is always `pattern-budget`.
    [[nodiscard]] Result<std::optional<Match>> match_at(std::string_view subject, std::size_t at,
                                                        StepBudget& budget) const;

    /// The first match that begins at `init` or behind it; none when that is beyond the end of the
    /// subject. (string.find of Lua 5.1 takes such an init as the end, later ones as nil.)
    [[nodiscard]] Result<std::optional<Match>> find(std::string_view subject, std::size_t init,
                                                    StepBudget& budget) const;

private:
    Pattern() = default;
    [[nodiscard]] Result<std::optional<Match>> search(std::string_view subject, std::size_t first,
                                                      std::size_t last, StepBudget& budget) const;

    std::vector<PatternItem> items_;
    std::size_t capture_count_ = 0;
    bool is_anchored_ = false;
};

/// Whether string.find takes the pattern for plain text, because it has none of ^$*+?.([%- in it.
/// To Lua a ')' alone is such a text, and in match, gmatch and gsub an error.
[[nodiscard]] bool is_plain(std::string_view pattern) noexcept;

/// The first `text` at `init` or behind it, byte for byte: string.find with `plain`, or for what
/// is_plain(). Its time grows with the size of the subject; the budget pays for it.
[[nodiscard]] Result<std::optional<Match>> find_plain(std::string_view subject,
                                                      std::string_view text, std::size_t init,
                                                      StepBudget& budget);

/// What gsub puts in the place of `match`: the replacement with %0, the whole match, %1 to %9, its
/// captures, and %% filled in. A '%' before anything else is an error (`bad-replacement`), as is a
/// capture that the pattern does not have. What it writes is paid for from the budget, which bounds
/// the memory as well.
[[nodiscard]] Result<std::string> expand(std::string_view replacement, std::string_view subject,
                                         const Match& match, StepBudget& budget);

}  // namespace ktm::script
