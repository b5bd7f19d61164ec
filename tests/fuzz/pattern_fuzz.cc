// SPDX-License-Identifier: Apache-2.0
// tests/fuzz/pattern_fuzz.cc: our patterns against LuaJIT's own find, match, gmatch and gsub.
//
// An input is where to begin, as one byte, then the pattern, a zero byte, and the subject. Both are
// short, so that LuaJIT's matcher ends. A zero byte in a pattern is not compared: LuaJIT, other
// than we, sees the pattern's end in some of them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "script/lua_state.hh"
#include "script/pattern.hh"

namespace {

using namespace ktm;
using script::Capture;
using script::Match;
using script::Pattern;
using script::StepBudget;

constexpr std::size_t pattern_size_max = 12;
constexpr std::size_t subject_size_max = 24;
/// What costs more than this is not compared: the fuzzer would find nothing but slow inputs.
constexpr std::size_t cheap_steps_max = 5'000;
/// More than twelve bytes can cost on twenty-four.
constexpr std::size_t steps_max = 1U << 26U;
constexpr std::string_view replacement = "<%0|%1>";

/// Four lines: find, all of gmatch, gsub, and gsub once; "bad" for one that raised an error.
constexpr const char* lua_side = R"(
    jit.off()
    local function shown(...)
        local line = ""
        for i = 1, select("#", ...) do
            local value = select(i, ...)
            line = line .. (type(value) == "number" and "@" or "=") .. tostring(value) .. ","
        end
        return line
    end
    local function outcome(ok, ...)
        return (ok and shown(...) or "bad") .. "\n"
    end
    local function all(subject, pattern)
        local lines = ""
        for a, b, c in subject:gmatch(pattern) do
            lines = lines .. shown(a, b, c)
        end
        return lines
    end
    return function(subject, pattern, init, replacement)
        return outcome(pcall(string.find, subject, pattern, init))
            .. outcome(pcall(all, subject, pattern))
            .. outcome(pcall(string.gsub, subject, pattern, replacement))
            .. outcome(pcall(string.gsub, subject, pattern, replacement, 1))
    end
)";

struct Input {
    std::size_t init;
    std::string_view pattern;
    std::string_view subject;
};

// --- LuaJIT's side ----------------------------------------------------------------------------

script::LuaState opened() {
    script::LuaState lua{luaL_newstate()};
    KTM_ASSERT(lua != nullptr);
    luaL_openlibs(lua.get());
    KTM_ASSERT(luaL_dostring(lua.get(), lua_side) == 0);
    return lua;
}

std::string by_luajit(const Input& input) {
    static const script::LuaState state = opened();
    lua_State* lua = state.get();
    lua_pushvalue(lua, -1);
    lua_pushlstring(lua, input.subject.data(), input.subject.size());
    lua_pushlstring(lua, input.pattern.data(), input.pattern.size());
    lua_pushinteger(lua, static_cast<lua_Integer>(input.init + 1));
    lua_pushlstring(lua, replacement.data(), replacement.size());
    lua_call(lua, 4, 1);
    std::size_t size = 0;
    const char* text = lua_tolstring(lua, -1, &size);
    std::string outcome{text, size};
    lua_pop(lua, 1);
    return outcome;
}

// --- Our side ---------------------------------------------------------------------------------

std::string number(std::size_t place) {
    return "@" + std::to_string(place) + ",";
}

std::string shown(std::string_view subject, const Capture& capture) {
    if (capture.is_position) {
        return number(capture.begin + 1);
    }
    return "=" + std::string{subject.substr(capture.begin, capture.end - capture.begin)} + ",";
}

std::optional<Match> found(const Pattern& pattern, std::string_view subject, std::size_t init) {
    StepBudget budget{steps_max};
    Result<std::optional<Match>> match = pattern.find(subject, init, budget);
    KTM_ASSERT(match);
    if (*match) {
        const Match& it = **match;
        KTM_ASSERT(init <= it.begin && it.begin <= it.end && it.end <= subject.size());
        StepBudget again{steps_max};
        const Result<std::optional<Match>> same = pattern.match_at(subject, it.begin, again);
        KTM_ASSERT(same && *same && (*same)->end == it.end && again.spent() <= budget.spent());
    }
    return *match;
}

std::optional<Match> found_plain(const Input& input) {
    StepBudget budget{input.subject.size() + 1};
    const auto match = script::find_plain(input.subject, input.pattern, input.init, budget);
    KTM_ASSERT(match);
    return *match;
}

std::string find_line(const Input& input, const std::optional<Match>& match) {
    if (!match) {
        return "=nil,\n";
    }
    std::string line = number(match->begin + 1) + number(match->end);
    for (const Capture& capture : match->captures()) {
        line += shown(input.subject, capture);
    }
    return line + "\n";
}

std::string gmatch_line(const Input& input) {
    const Result<Pattern> pattern = Pattern::compile(input.pattern, Pattern::Caret::is_plain);
    KTM_ASSERT(pattern);
    std::string line;
    std::optional<Match> match = found(*pattern, input.subject, 0);
    for (; match; match = found(*pattern, input.subject, match->next_init())) {
        for (std::size_t i = 0; i < 3; ++i) {
            line += i < match->values().size() ? shown(input.subject, match->values()[i]) : "=nil,";
        }
    }
    return "=" + line + ",\n";
}

std::string gsub_line(const Pattern& pattern, std::string_view subject, std::size_t rounds) {
    std::string text;
    std::size_t copied = 0;
    std::size_t count = 0;
    std::optional<Match> match = found(pattern, subject, 0);
    while (match && count < rounds) {
        StepBudget budget{steps_max};
        const Result<std::string> part = script::expand(replacement, subject, *match, budget);
        KTM_ASSERT(part);
        text += subject.substr(copied, match->begin - copied);
        text += *part;
        copied = match->end;
        ++count;
        const bool over = pattern.is_anchored();
        match = over ? std::nullopt : found(pattern, subject, match->next_init());
    }
    text += subject.substr(copied);
    return "=" + text + "," + number(count) + "\n";
}

std::string by_us(const Pattern& pattern, const Input& input) {
    const std::optional<Match> first = found(pattern, input.subject, input.init);
    KTM_ASSERT(!script::is_plain(input.pattern) || found_plain(input) == first);
    return find_line(input, first) + gmatch_line(input) +
           gsub_line(pattern, input.subject, subject_size_max + 1) +
           gsub_line(pattern, input.subject, 1);
}

/// Whether one attempt at each place is cheap; a gsub makes no more.
bool is_cheap(const Pattern& pattern, std::string_view subject) {
    StepBudget budget{cheap_steps_max};
    for (std::size_t at = 0; at <= subject.size(); ++at) {
        if (!pattern.match_at(subject, at, budget)) {
            return false;
        }
    }
    return true;
}

// --- Both -------------------------------------------------------------------------------------

/// What LuaJIT's find and gmatch may make of a pattern that we refuse: an error, or, because they
/// did not come to the bad place, no match. Its gsub lets pass what the replacement does not ask
/// for.
bool is_nothing(const Input& input, std::string_view outcome) {
    const bool plain = script::is_plain(input.pattern);
    const std::string first = plain ? find_line(input, found_plain(input)) : "=nil,\n";
    const bool is_error = !plain && outcome.starts_with("bad\n");
    if (!is_error && !outcome.starts_with(first)) {
        return false;
    }
    outcome.remove_prefix(is_error ? 4 : first.size());
    return outcome.starts_with("bad\n") || outcome.starts_with("=,\n");
}

void check_together(const Input& input) {
    const Result<Pattern> pattern = Pattern::compile(input.pattern);
    if (pattern && !is_cheap(*pattern, input.subject)) {
        return;
    }
    const std::string theirs = by_luajit(input);
    const std::string ours = pattern ? by_us(*pattern, input) : "an error\n";
    const bool agreed = pattern ? ours == theirs : is_nothing(input, theirs);
    if (!agreed) {
        std::fprintf(stderr, "ours:\n%sLuaJIT's:\n%s", ours.c_str(), theirs.c_str());
    }
    KTM_ASSERT(agreed);
    KTM_ASSERT(pattern || pattern.error().code == "bad-pattern");
}

/// Whatever the texts, a small budget is kept, and the same search gives the same answer.
void check_budget(std::string_view text, std::string_view subject) {
    const Result<Pattern> pattern = Pattern::compile(text);
    if (!pattern) {
        return;
    }
    StepBudget budget{200};
    const Result<std::optional<Match>> match = pattern->find(subject, 0, budget);
    KTM_ASSERT(match.has_value() != budget.exhausted() && budget.spent() <= budget.total());
    KTM_ASSERT(match || match.error().code == "pattern-budget");
    StepBudget again{200};
    const Result<std::optional<Match>> same = pattern->find(subject, 0, again);
    KTM_ASSERT(same.has_value() == match.has_value() && again.spent() == budget.spent());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    const std::size_t end = std::min(text.find('\0'), text.size());
    const std::string_view subject = text.substr(std::min(end + 1, text.size()));
    check_budget(text, subject);
    if (end <= pattern_size_max) {
        const std::string_view cut = subject.substr(0, subject_size_max);
        check_together({data[0] % (cut.size() + 1), text.substr(0, end), cut});
    }
    return 0;
}
