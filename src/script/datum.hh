// SPDX-License-Identifier: Apache-2.0
// script/datum.hh: what a plan file returned, taken out of Lua as a tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.hh"

struct lua_State;

namespace ktm::script {

class Interpreter;
class SourceTexts;

/// A Lua value of a declaration. Tables have items (1 to n) and fields (in alphabetical order); a
/// node is a table that a constructor made: `state "precopy" {…}` has kind "state" and name
/// "precopy".
struct Datum {
    struct Field;
    enum class Type { nil, boolean, number, text, function, table, node, unfinished, other };

    Type type = Type::nil;
    bool truth = false;
    double number = 0;
    std::string text;  ///< Of a text; of `other`: Lua's name for its type.
    std::string kind;  ///< Of a node.
    std::string name;  ///< Of a node; empty when it has none.
    /// Where it stands: a node and a function; another datum: where its node stands. LIFETIME: the
    /// name is that of the sources.
    const std::string* file = nullptr;
    int line = 0;
    plan::FunctionRef function;
    std::vector<Datum> items;
    std::vector<Field> fields;

    [[nodiscard]] plan::Place place() const {
        return {file != nullptr ? *file : std::string{}, line};
    }
    [[nodiscard]] bool is(std::string_view node_kind) const noexcept {
        return type == Type::node && kind == node_kind;
    }
    [[nodiscard]] const Datum* find(std::string_view field) const noexcept;
    /// Gives it a place, and all in it that have none.
    void put_at(const std::string* its_file, int its_line);
    /// "the text "x"", "the number 5", "state \"precopy\"", for errors.
    [[nodiscard]] std::string described() const;
};

// No pair: clang would have to know Datum before it is complete.
struct Datum::Field {
    std::string name;
    Datum value;
};

/// Takes the value at the top of the stack and pops it. Functions are kept in the interpreter.
/// LIMIT: tables within tables to a depth of 32, 10,000 values; what is beyond is `other`.
[[nodiscard]] Datum take_datum(Interpreter& interpreter, const std::string& file,
                               const SourceTexts& sources);

}  // namespace ktm::script
