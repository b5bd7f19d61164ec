// SPDX-License-Identifier: Apache-2.0
// script/datum.cc: what a plan file returned, taken out of Lua as a tree.
#include "script/datum.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <lua.hpp>
#include <optional>

#include "script/convert.hh"
#include "script/interpreter.hh"
#include "script/natives.hh"
#include "script/source_text.hh"

namespace ktm::script {

namespace {

std::string number_source(double number) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    return {digits.data(), end.ptr};
}

constexpr int depth_max = 32;
constexpr int values_max = 10'000;

class Taker {
public:
    Taker(Interpreter& interpreter, const SourceTexts& sources)
        : interpreter_(interpreter), lua_(interpreter.lua()), sources_(sources) {}

    /// The value at the top of the stack, which stays there.
    Datum take(const std::string* file, int line, int depth) {
        Datum datum;
        datum.file = file;
        datum.line = line;
        const int type = lua_type(lua_, -1);
        if (depth > depth_max || ++count_ > values_max || lua_checkstack(lua_, 8) == 0) {
            datum.type = Datum::Type::other;
            datum.text = "value in too large a table";
            return datum;
        }
        switch (type) {
            case LUA_TNIL: break;
            case LUA_TBOOLEAN:
                datum.type = Datum::Type::boolean;
                datum.truth = lua_toboolean(lua_, -1) != 0;
                break;
            case LUA_TNUMBER:
                datum.type = Datum::Type::number;
                datum.number = lua_tonumber(lua_, -1);
                break;
            case LUA_TSTRING:
                datum.type = Datum::Type::text;
                datum.text = top_text();
                break;
            case LUA_TFUNCTION: take_function(datum); break;
            case LUA_TTABLE: take_table(datum, depth); break;
            default: datum.type = Datum::Type::other; datum.text = lua_typename(lua_, type);
        }
        return datum;
    }

private:
    std::string top_text() {
        std::size_t size = 0;
        const char* text = lua_tolstring(lua_, -1, &size);
        return {text, size};
    }

    void take_function(Datum& datum) {
        lua_Debug facts{};
        lua_pushvalue(lua_, -1);
        lua_getinfo(lua_, ">S", &facts);
        if (facts.source[0] != '@') {
            datum.type = Datum::Type::other;
            datum.text = "word of the language";
            return;
        }
        datum.type = Datum::Type::function;
        datum.file = sources_.name_of(facts.source + 1);
        datum.line = facts.linedefined;
        datum.function.place = datum.place();
        if (const SourceText* source = sources_.find(datum.function.place.file.text())) {
            datum.function.digest = source->digest(facts.linedefined, facts.lastlinedefined);
            datum.function.mentions = mentions_in(*source, datum.function.place.file,
                                                  facts.linedefined, facts.lastlinedefined);
        }
        datum.function.last_line = facts.lastlinedefined;
        lua_pushvalue(lua_, -1);
        datum.function.id = interpreter_.keep(lua_);
    }

    [[nodiscard]] bool has_mark(const char* mark) {
        if (lua_getmetatable(lua_, -1) == 0) {
            return false;
        }
        luaL_getmetatable(lua_, mark);
        const bool same = lua_rawequal(lua_, -1, -2) != 0;
        lua_pop(lua_, 2);
        return same;
    }

    void take_table(Datum& datum, int depth) {
        const bool is_node = has_mark(node_mark);
        if (!is_node && !has_mark(unfinished_mark)) {
            datum.type = Datum::Type::table;
            take_content(datum, depth);
            return;
        }
        datum.type = is_node ? Datum::Type::node : Datum::Type::unfinished;
        const auto field = [this](int place) {
            lua_rawgeti(lua_, -1, place);
            std::string text = lua_isstring(lua_, -1) != 0 ? top_text() : std::string{};
            lua_pop(lua_, 1);
            return text;
        };
        datum.kind = field(node_kind);
        datum.name = field(node_name);
        lua_rawgeti(lua_, -1, node_file);
        datum.file = sources_.name_of(lua_tostring(lua_, -1));
        lua_pop(lua_, 1);
        lua_rawgeti(lua_, -1, node_line);
        datum.line = static_cast<int>(lua_tointeger(lua_, -1));
        lua_pop(lua_, 1);
        lua_rawgeti(lua_, -1, node_body);
        if (lua_istable(lua_, -1) && !has_mark(node_mark) && !has_mark(unfinished_mark)) {
            take_content(datum, depth);
        } else if (!lua_isnil(lua_, -1)) {
            datum.items.push_back(take(datum.file, datum.line, depth + 1));
        }
        lua_pop(lua_, 1);
    }

    void take_content(Datum& datum, int depth) {
        const int items = static_cast<int>(lua_objlen(lua_, -1));
        datum.items.reserve(static_cast<std::size_t>(items));
        for (int position = 1; position <= items; ++position) {
            lua_rawgeti(lua_, -1, position);
            datum.items.push_back(take(datum.file, datum.line, depth + 1));
            lua_pop(lua_, 1);
        }
        lua_pushnil(lua_);
        while (lua_next(lua_, -2) != 0) {
            const bool is_name = lua_type(lua_, -2) == LUA_TSTRING;
            const double key = is_name ? 0 : lua_tonumber(lua_, -2);
            const bool is_item = key >= 1 && key <= items;
            if (is_name) {
                std::size_t size = 0;
                const char* name = lua_tolstring(lua_, -2, &size);
                datum.fields.push_back(
                    {std::string{name, size}, take(datum.file, datum.line, depth + 1)});
            } else if (!is_item) {
                Datum stray;
                stray.file = datum.file;
                stray.line = datum.line;
                stray.type = Datum::Type::other;
                stray.text = "stray key";
                datum.items.push_back(std::move(stray));
            }
            lua_pop(lua_, 1);
        }
        std::sort(datum.fields.begin(), datum.fields.end(),
                  [](const auto& a, const auto& b) { return a.name < b.name; });
    }

    Interpreter& interpreter_;
    lua_State* lua_;
    const SourceTexts& sources_;
    int count_ = 0;
};

}  // namespace

const Datum* Datum::find(std::string_view field) const noexcept {
    for (const auto& [name_of_field, value] : fields) {
        if (name_of_field == field) {
            return &value;
        }
    }
    return nullptr;
}

std::string Datum::described() const {
    switch (type) {
        case Type::nil: return "nothing";
        case Type::boolean: return truth ? "true" : "false";
        case Type::number: return "the number " + number_source(number);
        case Type::text: return "the text \"" + text + "\"";
        case Type::function: return "a function";
        case Type::table: return "a table";
        case Type::node:
            if (kind == "unknown") {
                return "the unknown word '" + name + "'";
            }
            if (kind == "var") {
                return "var." + name + " {…}";
            }
            return kind + (name.empty() ? " {…}" : " \"" + name + "\"");
        case Type::unfinished:
            return kind + (name.empty() ? " without a name" : " \"" + name + "\" without its { }");
        case Type::other: return "a " + text;
    }
    return "";
}

void Datum::put_at(const std::string* its_file, int its_line) {
    file = its_file;
    line = its_line;
    const auto put = [&](Datum& inner) {
        if (inner.line == 0) {
            inner.put_at(its_file, its_line);
        }
    };
    std::for_each(items.begin(), items.end(), put);
    std::for_each(fields.begin(), fields.end(), [&](auto& field) { put(field.value); });
}

Datum take_datum(Interpreter& interpreter, const std::string& file, const SourceTexts& sources) {
    Datum datum = Taker{interpreter, sources}.take(sources.name_of(file), 1, 0);
    lua_pop(interpreter.lua(), 1);
    return datum;
}

}  // namespace ktm::script
