// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/pattern_test.cc: Lua's patterns, and what a match may cost.
#include <catch2/catch.hpp>

#include <clocale>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "script/pattern.hh"

using ktm::Error;
using ktm::Kind;
using ktm::Result;
using ktm::script::Capture;
using ktm::script::expand;
using ktm::script::find_plain;
using ktm::script::Match;
using ktm::script::Pattern;
using ktm::script::StepBudget;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

constexpr std::size_t plenty = 1'000'000;

/// As Lua counts, from 1: "3 5", then each capture in quotes, or a position as "@4".
std::string shown(std::string_view subject, const std::optional<Match>& match) {
    if (!match) {
        return "nil";
    }
    std::string text = std::to_string(match->begin + 1) + " " + std::to_string(match->end);
    for (const Capture& capture : match->captures()) {
        text += capture.is_position
                    ? " @" + std::to_string(capture.begin + 1)
                    : " '" +
                          std::string{subject.substr(capture.begin, capture.end - capture.begin)} +
                          "'";
    }
    return text;
}

std::string found(std::string_view subject, std::string_view text, std::size_t init = 0) {
    const Result<Pattern> pattern = Pattern::compile(text);
    if (!pattern) {
        return pattern.error().what;
    }
    StepBudget budget{plenty};
    const Result<std::optional<Match>> match = pattern->find(subject, init, budget);
    return match ? shown(subject, *match) : match.error().code;
}

/// All matches as gmatch gives them, with a bar behind each.
std::string all(std::string_view subject, std::string_view text) {
    const Result<Pattern> pattern = Pattern::compile(text, Pattern::Caret::is_plain);
    REQUIRE(pattern);
    StepBudget budget{plenty};
    std::string matches;
    std::size_t init = 0;
    while (true) {
        const Result<std::optional<Match>> match = pattern->find(subject, init, budget);
        REQUIRE(match);
        if (!*match) {
            return matches;
        }
        matches += std::string{subject.substr((*match)->begin, (*match)->end - (*match)->begin)};
        matches += "|";
        init = (*match)->next_init();
    }
}

std::string replaced(std::string_view subject, std::string_view text,
                     std::string_view replacement) {
    const Result<Pattern> pattern = Pattern::compile(text);
    REQUIRE(pattern);
    StepBudget budget{plenty};
    const Result<std::optional<Match>> match = pattern->find(subject, 0, budget);
    REQUIRE(match);
    REQUIRE(*match);
    const Result<std::string> part = expand(replacement, subject, **match, budget);
    return part ? *part : part.error().what;
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string whole;
    for (std::size_t i = 0; i < times; ++i) {
        whole += text;
    }
    return whole;
}

struct Case {
    std::string_view subject;
    std::string_view pattern;
    std::string_view expected;
};

void check(const std::vector<Case>& cases) {
    for (const Case& one : cases) {
        INFO("'" << one.subject << "' with '" << one.pattern << "'");
        CHECK(found(one.subject, one.pattern) == one.expected);
    }
}

/// The bytes that the pattern of one item matches, as ranges: "09 AF".
std::string members(std::string_view pattern) {
    std::string ranges;
    char last = '\0';
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string subject{static_cast<char>(byte)};
        if (found(subject, pattern) != "1 1") {
            continue;
        }
        const char here = static_cast<char>(byte);
        if (ranges.empty() || static_cast<unsigned char>(last) + 1U != byte) {
            ranges += {here, here};
        }
        ranges.back() = here;
        last = here;
    }
    return ranges;
}

std::size_t steps_of(std::string_view subject, std::string_view text) {
    const Result<Pattern> pattern = Pattern::compile(text);
    REQUIRE(pattern);
    StepBudget budget{100'000'000};
    REQUIRE(pattern->find(subject, 0, budget));
    return budget.spent();
}

}  // namespace

TEST_CASE("script/pattern: plain bytes stand for themselves, and the first place counts") {
    check({{"hello", "l", "3 3"},
           {"hello", "lo", "4 5"},
           {"hello", "", "1 0"},
           {"", "", "1 0"},
           {"", "a", "nil"},
           {"hello", "hellos", "nil"},
           {"aXb", "x", "nil"},
           {"a\0b"sv, "\0b"sv, "2 3"},
           {"a\0b"sv, "a.b", "1 3"},
           {"caf\xC3\xA9", "\xA9", "5 5"}});
}

TEST_CASE("script/pattern: each class has the bytes of the C locale, its capital all others") {
    CHECK(members("%a") == "AZaz");
    CHECK(members("%c") == "\0\x1F\x7F\x7F"s);
    CHECK(members("%d") == "09");
    CHECK(members("%g") == "!~");
    CHECK(members("%l") == "az");
    CHECK(members("%p") == "!/:@[`{~");
    CHECK(members("%s") == "\t\r  ");
    CHECK(members("%u") == "AZ");
    CHECK(members("%w") == "09AZaz");
    CHECK(members("%x") == "09AFaf");
    CHECK(members("%z") == "\0\0"s);
    CHECK(members("%D") == "\0/:\xFF"s);
    CHECK(members("%W") == "\0/:@[`{\xFF"s);
    CHECK(members("%Z") == "\x01\xFF");
    CHECK(members(".") == "\0\xFF"s);
}

TEST_CASE("script/pattern: the process's locale changes no class") {
    const std::string before = std::setlocale(LC_ALL, nullptr);
    for (const char* locale : {"de_DE.ISO-8859-1", "en_US.ISO-8859-1", "C.UTF-8"}) {
        std::setlocale(LC_ALL, locale);  // Where it is not installed, nothing changes.
        CHECK(members("%a") == "AZaz");
        CHECK(members("%u") == "AZ");
    }
    std::setlocale(LC_ALL, before.c_str());
}

TEST_CASE("script/pattern: '%' takes the magic from any other byte") {
    for (const char magic : "^$()%.[]*+-?!_,"sv) {
        const std::string subject = "a"s + magic;
        INFO(magic);
        CHECK(found(subject, "%"s + magic) == "2 2");
    }
    check({{"q", "%q", "1 1"}, {"Q", "%Q", "1 1"}, {"\xE9", "%\xE9", "1 1"}});
}

TEST_CASE("script/pattern: a set has bytes, ranges and classes, and '^' turns it round") {
    CHECK(members("[abx]") == "abxx");
    CHECK(members("[a-cx-z]") == "acxz");
    CHECK(members("[%d_]") == "09__");
    CHECK(members("[%a%d]") == "09AZaz");
    CHECK(members("[^a-z]") == "\0`{\xFF"s);
    CHECK(members("[^%d]") == members("%D"));
    CHECK(members("[^%D]") == "09");
    CHECK(members("[\x80-\xFF]") == "\x80\xFF");
    CHECK(members("[z-a]").empty());
    CHECK(members("[\0-\x05]"sv) == "\0\x05"s);
}

TEST_CASE("script/pattern: in a set ']' in front, '-' at an end and '^' behind it are plain") {
    CHECK(members("[]]") == "]]");
    CHECK(members("[^]]") == "\0\\^\xFF"s);
    CHECK(members("[]a]") == "]]aa");
    CHECK(members("[%]a]") == "]]aa");
    CHECK(members("[a-]") == "--aa");
    CHECK(members("[-a]") == "--aa");
    CHECK(members("[^-]") == "\0,.\xFF"s);
    CHECK(members("[a^]") == "^^aa");
    CHECK(members("[%a-z]") == "--AZaz");
    CHECK(members("[.*+?$(]") == "$$((*+..??");
    CHECK(members("[a-%%]") == "]]");  // Undefined by the manual; this is what LuaJIT does.
}

TEST_CASE("script/pattern: '*' and '+' take as much as they can, '-' as little, '?' one or none") {
    check({{"aaab", "a*", "1 3"},
           {"baa", "a*", "1 0"},
           {"baa", "a+", "2 3"},
           {"b", "a+", "nil"},
           {"aaab", "a-b", "1 4"},
           {"aaa", "a-", "1 0"},
           {"aaab", "a?b", "3 4"},
           {"aaab", "a?", "1 1"},
           {"xb", "a?b", "2 2"},
           {"aaa", "a*a", "1 3"},
           {"aaa", "a+a", "1 3"},
           {"aaa", "a?a?a?a", "1 3"},
           {"a", "a+a", "nil"},
           {"[[x]] [[y]]", "%[%[.*%]%]", "1 11"},
           {"[[x]] [[y]]", "%[%[.-%]%]", "1 5"},
           {"ab12", "[%a]+%d+", "1 4"}});
}

TEST_CASE("script/pattern: a sign of repetition that follows nothing repeatable is a plain byte") {
    check({{"a*", "^*", "nil"},
           {"*a", "^*", "1 1"},
           {"**", "**", "1 2"},
           {"x+", "()+", "2 2 @2"},
           {"aa*", "(a)%1*", "1 3 'a'"},
           {"(x)*", "%b()*", "1 4"},
           {"THE*", "%f[%w]*", "nil"},
           {"a**", "a**", "1 2"},
           {"-", "-", "1 1"}});
}

TEST_CASE("script/pattern: '^' and '$' tie to the ends, and elsewhere they are plain") {
    check({{"hello", "^h", "1 1"},
           {"hello", "^e", "nil"},
           {"hello", "o$", "5 5"},
           {"hello", "l$", "nil"},
           {"", "^$", "1 0"},
           {"a", "^$", "nil"},
           {"a", "$", "2 1"},
           {"a^b", "a^b", "1 3"},
           {"a$b", "a$b", "1 3"},
           {"a$", "(a$)", "1 2 'a$'"},
           {"$$", "$$", "2 2"},
           {"^^", "^^", "1 1"},
           {"a$", "a%$", "1 2"},
           {"a\n", "a$", "nil"},
           {"$$$", "$*", "1 3"}});
    CHECK(found("aab", "^a", 1) == "2 2");
    CHECK(found("aab", "^a", 2) == "nil");
}

TEST_CASE("script/pattern: captures are numbered by their '(' and may lie in one another") {
    check({{"key = value", "(%w+)%s*=%s*(%w+)", "1 11 'key' 'value'"},
           {"hello", "((h)(e))l", "1 3 'he' 'h' 'e'"},
           {"hello", "()ll()", "3 4 @3 @5"},
           {"  trim me ", "^%s*(.-)%s*$", "1 10 'trim me'"},
           {"ab", "(a*(.)%w(%s*))", "1 2 'ab' 'a' ''"},
           {"x", "()()", "1 0 @1 @1"},
           {"abc", "(())", "1 0 '' @1"},
           {"aaab", "(a-)(a-)b", "1 4 '' 'aaa'"},
           {"aaab", "(a?)(a*)b", "1 4 'a' 'aa'"}});
}

TEST_CASE("script/pattern: 32 captures are possible") {
    const std::string subject(32, 'x');
    const Result<Pattern> pattern = Pattern::compile(repeated("(x)", 32));
    REQUIRE(pattern);
    StepBudget budget{plenty};
    const Result<std::optional<Match>> match = pattern->find(subject, 0, budget);
    REQUIRE(match);
    REQUIRE(*match);
    REQUIRE((*match)->captures().size() == 32);
    CHECK((*match)->captures()[31] == Capture{31, 32, false});
}

TEST_CASE("script/pattern: a back reference is the captured text again, a place has none") {
    check({{"say 'it' or \"it\"", "(['\"])(.-)%1", "5 8 ''' 'it'"},
           {"abcabd abab", "(a(b))%1%2", "nil"},
           {"xyxyy", "(x(y))%1%2", "1 5 'xy' 'y'"},
           {"abba", "(a)(b)%2%1", "1 4 'a' 'b'"},
           {"aa", "()%1", "nil"},
           {"aab", "(a*)%1b", "1 3 'a'"},
           {"ab", "(x*)%1", "1 0 ''"}});
}

TEST_CASE("script/pattern: %b goes to the byte that balances, over those in between") {
    check({{"THE (quick (brown)) fox)", "%b()", "5 19"},
           {"f(a", "%b()", "nil"},
           {"((a)", "%b()", "2 4"},
           {"\"a\" b", "%b\"\"", "1 3"},
           {"begin x end", "%bbn", "1 5"},
           {"%a%", "%b%%", "1 3"},
           {"x\0y\1"sv, "%b\0\1"sv, "2 4"},
           {")(", "%b()", "nil"}});
}

TEST_CASE("script/pattern: %f is where a set begins, with a zero byte around the subject") {
    check({{"THE (quick) fox", "%f[%a]%a+%f[%A]", "1 3"},
           {"THE (quick) fox", "%f[%l]%l+", "6 10"},
           {"abc", "%f[%z]", "4 3"},
           {"abc", "%f[^%w]", "4 3"},
           {"", "%f[%z]", "nil"},
           {"aab", "%f[a]a", "1 1"}});
    // What lies before init is seen.
    CHECK(found("aab", "%f[a]a", 1) == "nil");
}

TEST_CASE("script/pattern: a search begins at init, and beyond the end there is nothing") {
    CHECK(found("hello", "l", 3) == "4 4");
    CHECK(found("hello", "l", 4) == "nil");
    CHECK(found("hello", "", 5) == "6 5");
    CHECK(found("hello", "", 6) == "nil");
    CHECK(found("hello", "^", 6) == "nil");
    CHECK(found("", "", static_cast<std::size_t>(-1)) == "nil");
}

TEST_CASE("script/pattern: match_at looks at its place alone") {
    const Result<Pattern> pattern = Pattern::compile("l+");
    REQUIRE(pattern);
    StepBudget budget{plenty};
    const auto at = [&](std::size_t place) {
        return shown("hello", *pattern->match_at("hello", place, budget));
    };
    CHECK(at(1) == "nil");
    CHECK(at(2) == "3 4");
    CHECK(at(3) == "4 4");
    CHECK(at(5) == "nil");
    CHECK(at(6) == "nil");
}

TEST_CASE("script/pattern: one match follows the other as in gmatch, empty ones too") {
    CHECK(all("one two  three", "%a+") == "one|two|three|");
    CHECK(all("abc", "") == "||||");
    CHECK(all("axxb", "x*") == "|xx|||");
    CHECK(all("a,b,,c", "([^,]*)") == "a||b|||c||");
    CHECK(all("", "x*") == "|");
    CHECK(all("", "x").empty());
}

TEST_CASE("script/pattern: in gmatch a '^' in front is a plain byte") {
    CHECK(all("^a^a", "^a") == "^a|^a|");
    CHECK(all("aa", "^a").empty());
    CHECK(Pattern::compile("^a")->is_anchored());
    CHECK_FALSE(Pattern::compile("^a", Pattern::Caret::is_plain)->is_anchored());
    CHECK_FALSE(Pattern::compile("a^")->is_anchored());
}

TEST_CASE("script/pattern: every malformed pattern is refused, with the words of Lua") {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"%", "malformed pattern (ends with '%')"},
        {"abc%", "malformed pattern (ends with '%')"},
        {"(%", "malformed pattern (ends with '%')"},
        {"[", "malformed pattern (missing ']')"},
        {"[a", "malformed pattern (missing ']')"},
        {"[]", "malformed pattern (missing ']')"},
        {"[^]", "malformed pattern (missing ']')"},
        {"[^", "malformed pattern (missing ']')"},
        {"[%", "malformed pattern (missing ']')"},
        {"[%]", "malformed pattern (missing ']')"},
        {"[a-%]", "malformed pattern (missing ']')"},
        {"%1", "invalid capture index (%1)"},
        {"%0", "invalid capture index (%0)"},
        {"(a)%2", "invalid capture index (%2)"},
        {"(a%1)", "invalid capture index (%1)"},
        {"(()%1", "invalid capture index (%1)"},
        {"(", "unfinished capture"},
        {"(a", "unfinished capture"},
        {"((a)", "unfinished capture"},
        {"a)", "invalid pattern capture (a ')' without its '(')"},
        {"())", "invalid pattern capture (a ')' without its '(')"},
        {"%f", "missing '[' after '%f' in pattern"},
        {"%fa", "missing '[' after '%f' in pattern"},
        {"%f[a", "malformed pattern (missing ']')"},
        {"%b", "malformed pattern (missing arguments to '%b')"},
        {"%bx", "malformed pattern (missing arguments to '%b')"},
        {repeated("()", 33), "too many captures (more than 32)"},
    };
    for (const auto& [text, what] : cases) {
        INFO(text);
        const Result<Pattern> pattern = Pattern::compile(text);
        REQUIRE_FALSE(pattern);
        CHECK(pattern.error().kind == Kind::invalid);
        CHECK(pattern.error().code == "bad-pattern");
        CHECK(pattern.error().what == what);
        CHECK(pattern.error().during.starts_with("read the pattern '"));
        CHECK_FALSE(Pattern::compile("^" + text));
    }
}

TEST_CASE("script/pattern: a malformed pattern is refused before a subject comes that far") {
    CHECK(found("a", "x%") == "malformed pattern (ends with '%')");
    CHECK(found("", "abc[") == "malformed pattern (missing ']')");
}

TEST_CASE("script/pattern: the error shows the beginning of the pattern, made safe") {
    const Error error = Pattern::compile("\x1b[" + std::string(1000, 'a')).error();
    CHECK(error.during.starts_with("read the pattern '\\x1b[aaa"));
    CHECK(error.during.size() < 100);
}

TEST_CASE("script/pattern: a pattern beyond the limit is too complex, one of the limit is not") {
    const std::string subject(ktm::script::pattern_bytes_max, 'a');
    CHECK(found(subject, subject) == "1 32768");
    const Result<Pattern> longer = Pattern::compile(subject + "a");
    REQUIRE_FALSE(longer);
    CHECK(longer.error().code == "pattern-too-complex");
    CHECK(longer.error().what == "the pattern has 32769 bytes, 32768 are the most");
}

TEST_CASE("script/pattern: a pattern that would take ages ends within its budget") {
    const std::vector<std::pair<std::string, std::string>> cases{
        {std::string(100, 'a'), repeated("a-", 30) + "b"},
        {std::string(100, 'a'), repeated("a*", 30) + "b"},
        {std::string(100, 'a'), repeated("a?", 100) + repeated("a", 100) + "b"},
        {std::string(100, 'a'), repeated(".-", 50) + "$b"},
        {std::string(100, 'a'), repeated("(.-)", 32) + "b"},
        {std::string(100'000, 'a'), ".-b"},
        {std::string(100'000, 'a'), "a*b"},
        {std::string(100'000, '('), "%b()"},
        {std::string(100'000, 'a'), "(.*)%1b"},
        {std::string(100'000, ' '), "^(.-)%s*x$"},
    };
    for (const auto& [subject, text] : cases) {
        INFO(text);
        const Result<Pattern> pattern = Pattern::compile(text);
        REQUIRE(pattern);
        StepBudget budget{100'000};
        const Result<std::optional<Match>> match = pattern->find(subject, 0, budget);
        REQUIRE_FALSE(match);
        CHECK(match.error().kind == Kind::invalid);
        CHECK(match.error().code == "pattern-budget");
        CHECK(match.error().what == "the pattern took more than 100000 steps on a text of " +
                                        std::to_string(subject.size()) + " bytes; simplify it");
        CHECK(budget.exhausted());
        CHECK(budget.spent() == 100'000);
    }
}

TEST_CASE("script/pattern: everyday patterns cost a few steps for each byte") {
    const std::string line = "listen_ip = 2001:db8::1   # where the destination waits";
    CHECK(steps_of(line, "^%s*([%w_]+)%s*=%s*(.-)%s*#") < 2 * line.size());
    CHECK(steps_of(line, "%x+:%x+::%d") < 4 * line.size());
    CHECK(steps_of(std::string(1000, 'x') + "y", "y") < 1100);
    CHECK(steps_of(std::string(1000, 'x'), ".*") < 1100);
}

TEST_CASE("script/pattern: the answer needs exactly what it spent, one step less is an error") {
    const std::string subject = "key = value";
    const std::string text = "(%w+)%s*=%s*(%w-)$";
    const Result<Pattern> pattern = Pattern::compile(text);
    REQUIRE(pattern);
    const std::size_t needed = steps_of(subject, text);
    for (std::size_t steps = 0; steps < needed; ++steps) {
        StepBudget budget{steps};
        CHECK_FALSE(pattern->find(subject, 0, budget));
    }
    StepBudget budget{needed};
    CHECK(pattern->find(subject, 0, budget));
    CHECK_FALSE(budget.exhausted());
}

TEST_CASE("script/pattern: calls share a budget, and an exhausted one refuses the next call") {
    const Result<Pattern> pattern = Pattern::compile("a");
    REQUIRE(pattern);
    StepBudget budget{10};
    std::size_t rounds = 0;
    while (pattern->find("a", 0, budget)) {
        ++rounds;
    }
    CHECK(rounds == 5);
    CHECK_FALSE(pattern->find("a", 0, budget));
    CHECK_FALSE(find_plain("a", "a", 0, budget));
    CHECK_FALSE(Pattern::compile("")->find("a", 0, budget));
}

TEST_CASE("script/pattern: neither a long subject nor a long pattern needs the stack") {
    const std::string subject(1'000'000, 'a');
    StepBudget budget{100'000'000};
    for (const char* text : {".*$", ".-$", "(a-)$", "%b()", "a+a+a+$"}) {
        INFO(text);
        const Result<Pattern> pattern = Pattern::compile(text);
        REQUIRE(pattern);
        CHECK(pattern->find(subject, 0, budget));
    }
    CHECK(found(std::string(100, 'a'), repeated("a?", 16'000)) == "1 100");
    CHECK(found(std::string(100, 'a'), repeated("a-", 16'000) + "$") == "1 100");
    CHECK(found("a", repeated("a*", 16'000)) == "1 1");
}

TEST_CASE("script/pattern: a plain search finds bytes, not patterns, and pays for its way") {
    const auto plain = [](std::string_view subject, std::string_view text, std::size_t init) {
        StepBudget budget{plenty};
        return shown(subject, *find_plain(subject, text, init, budget));
    };
    CHECK(plain("a.b%a", "%a", 0) == "4 5");
    CHECK(plain("a.b.", ".", 2) == "4 4");
    CHECK(plain("abc", "", 3) == "4 3");
    CHECK(plain("abc", "", 4) == "nil");
    CHECK(plain({}, {}, 0) == "1 0");
    CHECK(plain({}, "a", 0) == "nil");
    CHECK(plain("ab", "abc", 0) == "nil");
    CHECK(plain("a\0b"sv, "\0b"sv, 0) == "2 3");

    const std::string subject(1'000'000, 'a');
    StepBudget budget{plenty};
    CHECK_FALSE(find_plain(subject, std::string(500'000, 'a') + "b", 0, budget));
    CHECK(budget.exhausted());
}

TEST_CASE("script/pattern: a pattern without magic is known as plain, as in Lua also a ')'") {
    for (const std::string_view text : {""sv, "abc"sv, "a)b]"sv, "a\0b"sv, "{,!}"sv}) {
        CHECK(ktm::script::is_plain(text));
    }
    for (const char magic : "^$*+?.([%-"sv) {
        CHECK_FALSE(ktm::script::is_plain("a"s + magic));
    }
}

TEST_CASE("script/pattern: a replacement is filled in with the match and its captures") {
    CHECK(replaced("hello world", "(o) (w)", "<%2-%1>") == "<w-o>");
    CHECK(replaced("hello", "l+", "[%0]") == "[ll]");
    CHECK(replaced("hello", "l+", "[%1]") == "[ll]");
    CHECK(replaced("hello", "()ll", "%1") == "3");
    CHECK(replaced("hello", "l+", "100%%") == "100%");
    CHECK(replaced("hello", "l+", "").empty());
    CHECK(replaced("hello", "l+", "%%0%0%%") == "%0ll%");
    CHECK(replaced("hello", "l+", "a\0b"sv) == "a\0b"s);
    CHECK(replaced("123456789", repeated("(.)", 9), "%9%1") == "91");
}

TEST_CASE("script/pattern: a replacement with another '%', or a capture too many, is refused") {
    const std::string misuse = "invalid use of '%' in replacement string; write %% for a plain one";
    CHECK(replaced("hello", "l", "%") == misuse);
    CHECK(replaced("hello", "l", "50% more") == misuse);
    CHECK(replaced("hello", "l", "%x") == misuse);
    CHECK(replaced("hello", "l", "%\0"sv) == misuse);
    CHECK(replaced("hello", "l", "%2") == "invalid capture index %2 in replacement string");
    CHECK(replaced("hello", "(l)()", "%3") == "invalid capture index %3 in replacement string");
}

TEST_CASE("script/pattern: a replacement that multiplies its text ends with the budget") {
    const std::string subject(10'000, 'a');
    const Match match{.begin = 0, .end = subject.size()};
    StepBudget budget{plenty};
    const Result<std::string> text = expand(repeated("%0", 10'000), subject, match, budget);
    REQUIRE_FALSE(text);
    CHECK(text.error().code == "pattern-budget");
    StepBudget small{5};
    CHECK(*expand("12345", subject, match, small) == "12345");
    CHECK_FALSE(expand("1", subject, match, small));
}
