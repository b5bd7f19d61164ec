// SPDX-License-Identifier: Apache-2.0
// script/pattern.cc: Lua's patterns, with a bound on what a match may cost.
#include "script/pattern.hh"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/assert.hh"
#include "base/text.hh"

namespace ktm::script {

namespace {

using ItemKind = PatternItem::Kind;

constexpr std::size_t pattern_bytes_shown = 60;

// --- Sets of bytes ----------------------------------------------------------------------------

/// A class of bytes, as pairs of first and last ones.
struct ByteClass {
    char letter;
    std::string_view ranges;
};

/// Those of the manual, and %g of LuaJIT: what can be seen.
constexpr ByteClass byte_classes[] = {
    {'a', "AZaz"},      {'c', {"\0\x1F\x7F\x7F", 4}},
    {'d', "09"},        {'g', "!~"},
    {'l', "az"},        {'p', "!/:@[`{~"},
    {'s', "\t\r  "},    {'u', "AZ"},
    {'w', "09AZaz"},    {'x', "09AFaf"},
    {'z', {"\0\0", 2}},
};

void add_range(ByteSet& set, char first, char last) {
    for (unsigned byte = static_cast<std::uint8_t>(first); byte <= static_cast<std::uint8_t>(last);
         ++byte) {
        set.set(byte);
    }
}

ByteSet only(char byte) {
    ByteSet set;
    set.set(static_cast<std::uint8_t>(byte));
    return set;
}

/// What '%' and this letter stand for: a class, the complement of one, or the letter itself.
ByteSet escaped(char letter) {
    const bool is_upper = letter >= 'A' && letter <= 'Z';
    const char name = is_upper ? static_cast<char>(letter - 'A' + 'a') : letter;
    for (const ByteClass& candidate : byte_classes) {
        if (candidate.letter == name) {
            ByteSet set;
            for (std::size_t i = 0; i < candidate.ranges.size(); i += 2) {
                add_range(set, candidate.ranges[i], candidate.ranges[i + 1]);
            }
            return is_upper ? ~set : set;
        }
    }
    return only(letter);
}

// --- From text to items -----------------------------------------------------------------------

class PatternReader {
public:
    explicit PatternReader(std::string_view text) : text_(text) {}

    /// Reads the whole text, from `at` on.
    [[nodiscard]] Result<void> read(std::size_t at);

    [[nodiscard]] std::vector<PatternItem> take_items() noexcept { return std::move(items_); }
    [[nodiscard]] std::size_t capture_count() const noexcept { return capture_count_; }

private:
    [[nodiscard]] Result<void> read_item();
    [[nodiscard]] Result<void> read_capture_begin();
    [[nodiscard]] Result<void> read_capture_end();
    [[nodiscard]] Result<void> read_escape();
    [[nodiscard]] Result<void> read_back_reference();
    [[nodiscard]] Result<void> read_balance();
    [[nodiscard]] Result<void> read_frontier();
    [[nodiscard]] Result<void> read_bytes();
    [[nodiscard]] Result<ByteSet> read_single();
    [[nodiscard]] Result<ByteSet> read_set();
    void read_repetition(PatternItem& item);

    [[nodiscard]] bool has(std::size_t at) const noexcept { return at < text_.size(); }
    [[nodiscard]] bool is(std::size_t at, char byte) const noexcept {
        return has(at) && text_[at] == byte;
    }
    [[nodiscard]] Error malformed(std::string what) const {
        return Error{Kind::invalid, "bad-pattern", std::move(what),
                     "read the pattern '" + excerpt(text_, pattern_bytes_shown) + "'", nullptr};
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<PatternItem> items_;
    std::size_t capture_count_ = 0;
    std::bitset<captures_max> closed_;
};

Result<void> PatternReader::read(std::size_t at) {
    at_ = at;
    items_.reserve(text_.size());
    while (has(at_)) {
        KTM_CHECK(read_item());
    }
    if (closed_.count() < capture_count_) {
        return malformed("unfinished capture");
    }
    return {};
}

Result<void> PatternReader::read_item() {
    switch (text_[at_]) {
        case '(': return read_capture_begin();
        case ')': return read_capture_end();
        case '%': return read_escape();
        case '$':
            if (has(at_ + 1)) {
                return read_bytes();
            }
            items_.push_back({.kind = ItemKind::subject_end});
            ++at_;
            return {};
        default: return read_bytes();
    }
}

Result<void> PatternReader::read_capture_begin() {
    if (capture_count_ == captures_max) {
        return malformed("too many captures (more than " + std::to_string(captures_max) + ")");
    }
    const bool is_position = is(at_ + 1, ')');
    items_.push_back({.kind = is_position ? ItemKind::position : ItemKind::capture_begin,
                      .number = static_cast<std::uint8_t>(capture_count_)});
    closed_.set(capture_count_, is_position);
    ++capture_count_;
    at_ += is_position ? 2 : 1;
    return {};
}

Result<void> PatternReader::read_capture_end() {
    for (std::size_t number = capture_count_; number-- > 0;) {
        if (!closed_.test(number)) {
            items_.push_back(
                {.kind = ItemKind::capture_end, .number = static_cast<std::uint8_t>(number)});
            closed_.set(number);
            ++at_;
            return {};
        }
    }
    return malformed("invalid pattern capture (a ')' without its '(')");
}

Result<void> PatternReader::read_escape() {
    if (!has(at_ + 1)) {
        return malformed("malformed pattern (ends with '%')");
    }
    const char letter = text_[at_ + 1];
    if (letter == 'b') {
        return read_balance();
    }
    if (letter == 'f') {
        return read_frontier();
    }
    return letter >= '0' && letter <= '9' ? read_back_reference() : read_bytes();
}

Result<void> PatternReader::read_back_reference() {
    const char digit = text_[at_ + 1];
    // A capture is known here as closed or not for every path, because all paths come by in order.
    const std::size_t number = static_cast<std::size_t>(digit - '0') - 1;
    if (digit == '0' || number >= capture_count_ || !closed_.test(number)) {
        return malformed("invalid capture index (%" + std::string{digit} + ")");
    }
    items_.push_back(
        {.kind = ItemKind::back_reference, .number = static_cast<std::uint8_t>(number)});
    at_ += 2;
    return {};
}

Result<void> PatternReader::read_balance() {
    if (!has(at_ + 3)) {
        return malformed("malformed pattern (missing arguments to '%b')");
    }
    items_.push_back({.kind = ItemKind::balance, .open = text_[at_ + 2], .close = text_[at_ + 3]});
    at_ += 4;
    return {};
}

Result<void> PatternReader::read_frontier() {
    at_ += 2;
    if (!is(at_, '[')) {
        return malformed("missing '[' after '%f' in pattern");
    }
    Result<ByteSet> set = read_set();
    KTM_CHECK(set);
    items_.push_back({.kind = ItemKind::frontier, .set = *set});
    return {};
}

Result<void> PatternReader::read_bytes() {
    Result<ByteSet> set = read_single();
    KTM_CHECK(set);
    PatternItem& item = items_.emplace_back(PatternItem{.set = *set});
    read_repetition(item);
    return {};
}

void PatternReader::read_repetition(PatternItem& item) {
    const char sign = has(at_) ? text_[at_] : '\0';
    item.least = sign == '*' || sign == '-' || sign == '?' ? 0 : 1;
    item.is_repeated = sign == '*' || sign == '-' || sign == '+';
    item.is_lazy = sign == '-';
    at_ += item.least == 0 || item.is_repeated ? 1 : 0;
}

Result<ByteSet> PatternReader::read_single() {
    const char first = text_[at_];
    if (first == '[') {
        return read_set();
    }
    at_ += first == '%' ? 2 : 1;
    if (first == '.') {
        return ~ByteSet{};
    }
    return first == '%' ? escaped(text_[at_ - 1]) : only(first);
}

Result<ByteSet> PatternReader::read_set() {
    const bool is_negated = is(at_ + 1, '^');
    const std::size_t begin = at_ + (is_negated ? 2 : 1);
    std::size_t end = begin;
    do {  // What stands first is a member, a ']' too.
        end += is(end, '%') ? 2 : 1;
    } while (has(end) && text_[end] != ']');
    if (!has(end)) {
        return malformed("malformed pattern (missing ']')");
    }
    ByteSet set;
    for (std::size_t at = begin; at < end;) {
        if (text_[at] == '%') {  // If a range took it as its end, what follows may be the ']'.
            set |= escaped(text_[at + 1]);
            at += 2;
        } else if (text_[at + 1] == '-' && at + 2 < end) {
            add_range(set, text_[at], text_[at + 2]);
            at += 3;
        } else {
            set |= only(text_[at]);
            ++at;
        }
    }
    at_ = end + 1;
    return is_negated ? ~set : set;
}

// --- Matching ---------------------------------------------------------------------------------

/// What a repeated item can still try: to take less, down to `limit`, or, when lazy, a byte more.
struct Frame {
    std::size_t item;
    std::size_t at;
    std::size_t limit;
};

class Matcher {
public:
    Matcher(const std::vector<PatternItem>& items, std::string_view subject, StepBudget& budget)
        : items_(items), subject_(subject), budget_(budget) {}

    /// Whether the items match from subject[begin] on; no answer when the budget is exhausted.
    [[nodiscard]] bool run(std::size_t begin);

    [[nodiscard]] std::size_t end() const noexcept { return at_; }
    [[nodiscard]] const std::array<Capture, captures_max>& captures() const noexcept {
        return captures_;
    }

private:
    [[nodiscard]] bool advance();
    [[nodiscard]] bool pass(const PatternItem& item);
    [[nodiscard]] bool pass_bytes(const PatternItem& item);
    [[nodiscard]] bool pass_back_reference(const Capture& capture);
    [[nodiscard]] bool pass_balance(const PatternItem& item);
    [[nodiscard]] bool retreat();

    [[nodiscard]] bool holds(const ByteSet& set, std::size_t at) const noexcept {
        return at < subject_.size() && set[static_cast<std::uint8_t>(subject_[at])];
    }
    [[nodiscard]] bool is_frontier(const ByteSet& set) const noexcept {
        // Before and behind the subject, the manual says, stands a zero byte.
        const char before = at_ > 0 ? subject_[at_ - 1] : '\0';
        const char here = at_ < subject_.size() ? subject_[at_] : '\0';
        return !set[static_cast<std::uint8_t>(before)] && set[static_cast<std::uint8_t>(here)];
    }

    const std::vector<PatternItem>& items_;
    std::string_view subject_;
    StepBudget& budget_;
    std::size_t item_ = 0;
    std::size_t at_ = 0;
    std::vector<Frame> frames_;
    /// Not restored on retreat: what was noted behind the frame's item is noted again on the way.
    std::array<Capture, captures_max> captures_{};
};

bool Matcher::run(std::size_t begin) {
    frames_.clear();
    item_ = 0;
    at_ = begin;
    while (item_ < items_.size()) {
        if (!advance() && !retreat()) {
            return false;
        }
    }
    return true;
}

bool Matcher::advance() {
    if (!budget_.spend() || !pass(items_[item_])) {
        return false;
    }
    ++item_;
    return true;
}

bool Matcher::pass(const PatternItem& item) {
    switch (item.kind) {
        case ItemKind::bytes: return pass_bytes(item);
        case ItemKind::capture_begin:
            captures_[item.number] = {.begin = at_, .end = at_, .is_position = false};
            return true;
        case ItemKind::capture_end: captures_[item.number].end = at_; return true;
        case ItemKind::position:
            captures_[item.number] = {.begin = at_, .end = at_, .is_position = true};
            return true;
        case ItemKind::back_reference: return pass_back_reference(captures_[item.number]);
        case ItemKind::balance: return pass_balance(item);
        case ItemKind::frontier: return is_frontier(item.set);
        case ItemKind::subject_end: return at_ == subject_.size();
    }
    KTM_ASSERT(false);
    return false;
}

bool Matcher::pass_bytes(const PatternItem& item) {
    if (item.is_lazy) {
        frames_.push_back({.item = item_, .at = at_, .limit = subject_.size()});
        return true;
    }
    const std::size_t most = item.is_repeated ? std::numeric_limits<std::size_t>::max() : 1;
    std::size_t taken = 0;
    while (taken < most && holds(item.set, at_ + taken)) {
        if (!budget_.spend()) {
            return false;
        }
        ++taken;
    }
    if (taken < item.least) {
        return false;
    }
    const std::size_t limit = at_ + item.least;
    at_ += taken;
    if (at_ > limit) {
        frames_.push_back({.item = item_, .at = at_, .limit = limit});
    }
    return true;
}

bool Matcher::pass_back_reference(const Capture& capture) {
    const std::size_t size = capture.end - capture.begin;
    // As in Lua a place has no text, and what has none matches nowhere.
    if (capture.is_position || size > subject_.size() - at_ || !budget_.spend(size) ||
        subject_.substr(capture.begin, size) != subject_.substr(at_, size)) {
        return false;
    }
    at_ += size;
    return true;
}

bool Matcher::pass_balance(const PatternItem& item) {
    if (at_ >= subject_.size() || subject_[at_] != item.open) {
        return false;
    }
    std::size_t depth = 1;
    for (std::size_t at = at_ + 1; at < subject_.size() && budget_.spend(); ++at) {
        if (subject_[at] == item.close) {  // Asked first: %b"" ends at the second quote.
            --depth;
        } else if (subject_[at] == item.open) {
            ++depth;
        }
        if (depth == 0) {
            at_ = at + 1;
            return true;
        }
    }
    return false;
}

bool Matcher::retreat() {
    while (!frames_.empty() && budget_.spend()) {
        Frame& frame = frames_.back();
        const PatternItem& item = items_[frame.item];
        if (item.is_lazy ? holds(item.set, frame.at) : frame.at > frame.limit) {
            frame.at = item.is_lazy ? frame.at + 1 : frame.at - 1;
            at_ = frame.at;
            item_ = frame.item + 1;
            return true;
        }
        frames_.pop_back();
    }
    return false;
}

Error over_budget(const StepBudget& budget, std::string_view subject) {
    return Error{Kind::invalid, "pattern-budget",
                 "the pattern took more than " + std::to_string(budget.total()) +
                     " steps on a text of " + std::to_string(subject.size()) +
                     " bytes; simplify it",
                 "", nullptr};
}

/// Where `text` stands first, or npos. Not by subject.find(), whose time grows with the product of
/// both sizes.
std::size_t place_of(std::string_view subject, std::string_view text) {
    if (subject.empty() || text.empty()) {
        return text.empty() ? 0 : std::string_view::npos;
    }
    const void* found = memmem(subject.data(), subject.size(), text.data(), text.size());
    return found == nullptr
               ? std::string_view::npos
               : static_cast<std::size_t>(static_cast<const char*>(found) - subject.data());
}

}  // namespace

Result<Pattern> Pattern::compile(std::string_view text, Caret caret) {
    if (text.size() > pattern_bytes_max) {
        return Error{Kind::invalid, "pattern-too-complex",
                     "the pattern has " + std::to_string(text.size()) + " bytes, " +
                         std::to_string(pattern_bytes_max) + " are the most",
                     "read the pattern '" + excerpt(text, pattern_bytes_shown) + "'", nullptr};
    }
    Pattern pattern;
    pattern.is_anchored_ = caret == Caret::anchors && text.starts_with('^');
    PatternReader reader{text};
    KTM_CHECK(reader.read(pattern.is_anchored_ ? 1 : 0));
    pattern.items_ = reader.take_items();
    pattern.capture_count_ = reader.capture_count();
    return pattern;
}

Result<std::optional<Match>> Pattern::search(std::string_view subject, std::size_t first,
                                             std::size_t last, StepBudget& budget) const {
    Matcher matcher{items_, subject, budget};
    for (std::size_t begin = first; begin <= last; ++begin) {
        const bool matched = matcher.run(begin);
        if (budget.exhausted()) {
            return over_budget(budget, subject);
        }
        if (matched) {
            Match match{.begin = begin,
                        .end = matcher.end(),
                        .capture_count = capture_count_,
                        .capture_slots = matcher.captures()};
            if (capture_count_ == 0) {
                match.capture_slots[0] = {.begin = begin, .end = match.end};
            }
            return std::optional{match};
        }
    }
    return std::optional<Match>{};
}

Result<std::optional<Match>> Pattern::match_at(std::string_view subject, std::size_t at,
                                               StepBudget& budget) const {
    if (at > subject.size()) {
        return std::optional<Match>{};
    }
    return search(subject, at, at, budget);
}

Result<std::optional<Match>> Pattern::find(std::string_view subject, std::size_t init,
                                           StepBudget& budget) const {
    if (init > subject.size() || is_anchored_) {
        return match_at(subject, init, budget);
    }
    return search(subject, init, subject.size(), budget);
}

bool is_plain(std::string_view pattern) noexcept {
    return pattern.find_first_of("^$*+?.([%-") == std::string_view::npos;
}

Result<std::optional<Match>> find_plain(std::string_view subject, std::string_view text,
                                        std::size_t init, StepBudget& budget) {
    if (init > subject.size()) {
        return std::optional<Match>{};
    }
    const std::size_t place = place_of(subject.substr(init), text);
    const bool found = place != std::string_view::npos;
    if (!budget.spend(1 + (found ? place : subject.size() - init))) {
        return over_budget(budget, subject);
    }
    if (!found) {
        return std::optional<Match>{};
    }
    Match match{.begin = init + place, .end = init + place + text.size()};
    match.capture_slots[0] = {.begin = match.begin, .end = match.end};
    return std::optional{match};
}

// --- Replacing --------------------------------------------------------------------------------

namespace {

/// What stands for '%' and this letter.
Result<std::string> filled_in(char letter, std::string_view subject, const Match& match) {
    if (letter == '%') {
        return std::string{"%"};
    }
    if (letter < '0' || letter > '9') {
        return Error{Kind::invalid, "bad-replacement",
                     "invalid use of '%' in replacement string; write %% for a plain one", "",
                     nullptr};
    }
    if (letter == '0') {
        return std::string{subject.substr(match.begin, match.end - match.begin)};
    }
    const auto number = static_cast<std::size_t>(letter - '1');
    if (number >= match.values().size()) {
        return Error{Kind::invalid, "bad-replacement",
                     "invalid capture index %" + std::string{letter} + " in replacement string", "",
                     nullptr};
    }
    const Capture& capture = match.values()[number];
    return capture.is_position
               ? std::to_string(capture.begin + 1)
               : std::string{subject.substr(capture.begin, capture.end - capture.begin)};
}

}  // namespace

Result<std::string> expand(std::string_view replacement, std::string_view subject,
                           const Match& match, StepBudget& budget) {
    std::string text;
    while (!replacement.empty()) {
        const std::size_t plain = std::min(replacement.find('%'), replacement.size());
        if (!budget.spend(plain)) {
            return over_budget(budget, subject);
        }
        text += replacement.substr(0, plain);
        replacement.remove_prefix(plain);
        if (replacement.empty()) {
            break;
        }
        const char letter = replacement.size() > 1 ? replacement[1] : '\0';
        Result<std::string> part = filled_in(letter, subject, match);
        KTM_CHECK(part);
        if (!budget.spend(part->size() + 1)) {
            return over_budget(budget, subject);
        }
        text += *part;
        replacement.remove_prefix(std::min<std::size_t>(2, replacement.size()));
    }
    return text;
}

}  // namespace ktm::script
