// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/check_vars_test.cc: every way in which vars and relations can be wrong.
#include <catch2/catch.hpp>

#include "unit/plan/good_plan.hh"

using namespace ktm;
using namespace ktm::plan;
using namespace ktm::plan::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE("plan/check: a var's name has small letters, digits and '_', and is no word of m") {
    const auto called = [](std::string name) {
        return after([&](Plan& plan, States&) { plan.vars[1].name = name; });
    };
    const std::string rest =
        "expected a small letter, then small letters, digits and '_', at most 63 of them";
    CHECK(called("dest-ip") ==
          Lines{"move.lua:3: vars.dest-ip: 'dest-ip' cannot be the name of a var; " + rest});
    CHECK(called("") == Lines{"move.lua:3: vars.: the var has no name; " + rest});
    for (const std::string word : {"note", "hold", "undo"}) {
        CHECK(called(word) == Lines{"move.lua:3: vars." + word + ": '" + word +
                                    "' cannot be the name of a var: m." + word +
                                    " is something else; expected another name"});
    }
    CHECK(called("v4_2").empty());
}

TEST_CASE("plan/check: a var has a doc and a role that exists") {
    CHECK(after([](Plan& plan, States&) { plan.vars[1].doc.clear(); }) ==
          Lines{"move.lua:3: vars.dest_ip: the var has no doc; expected doc = \"what it is "
                "for\""});
    CHECK(after([](Plan& plan, States&) { plan.vars[1].role = "sorce"; }) ==
          Lines{"move.lua:3: vars.dest_ip: no role 'sorce'; expected source or dest; did you mean "
                "'source'?"});
}

TEST_CASE("plan/check: a var is optional or has a default") {
    CHECK(after([](Plan& plan, States&) {
              plan.vars[1].optional = true;
              plan.vars[1].preset = Value{Type::ip, "::1"s};
          }) == Lines{"move.lua:3: vars.dest_ip: the var is optional and has a default; expected "
                      "one of the two"});
}

TEST_CASE("plan/check: a family is for addresses, and a default is of it") {
    const auto of_family = [](Type type, Value preset) {
        return after([&](Plan& plan, States&) {
            plan.vars.push_back(var("x", type, 5));
            plan.vars[3].family = Family::v6;
            plan.vars[3].preset = preset;
        });
    };
    CHECK(of_family(Type::ip, Value{Type::ip, "2001:db8::1"s}).empty());
    CHECK(of_family(Type::ip, Value{Type::ip, "192.0.2.1"s}) ==
          Lines{"move.lua:5: vars.x: its own var does not allow the default: '192.0.2.1' is an "
                "address of IPv4; expected an address of IPv6, such as 2001:db8::1"});
    CHECK(of_family(Type::text, Value{Type::text, "x"s}) ==
          Lines{"move.lua:5: vars.x: a family, and it holds no address; expected a var of type ip, "
                "ips or list of ip"});
}

TEST_CASE("plan/check: a default is one that its own var allows") {
    const auto preset = [](Type type, Value value, std::optional<std::int64_t> max = {}) {
        return after([&](Plan& plan, States&) {
            plan.vars.push_back(var("x", type, 5));
            plan.vars[3].preset = value;
            plan.vars[3].max = max;
        });
    };
    const std::string what = "move.lua:5: vars.x: its own var does not allow the default: ";
    CHECK(preset(Type::integer, Value{Type::integer, 6}, 5) ==
          Lines{what + "'6' is out of range; expected a whole number of at most 5"});
    CHECK(preset(Type::integer, Value{Type::size, 6}) ==
          Lines{what + "a value of type size; expected a whole number"});
    CHECK(preset(Type::secret, Value{Type::secret, "S3CRET!"s}) ==
          Lines{what + "the secret has 7 bytes; expected a text of at least 8 bytes"});
    CHECK(preset(Type::integer, Value{Type::integer, 5}, 5).empty());
    CHECK(after([](Plan& plan, States&) {
              plan.vars[2].preset = Value{Type::enumeration, "gree"s};
          }) == Lines{"move.lua:4: vars.tunnel: its own var does not allow the default: 'gree' is "
                      "not one of the choices; expected ipip or gre; did you mean 'gre'?"});
}

TEST_CASE("plan/check: an enum has choices, also as the type of a list") {
    const std::string fault =
        "move.lua:4: vars.tunnel: an enum without choices; expected the words that it can be";
    CHECK(after([](Plan& plan, States&) { plan.vars[2].choices.clear(); }) == Lines{fault});
    CHECK(after([](Plan& plan, States&) {
              plan.vars[2].choices.clear();
              plan.vars[2].preset = Value{Type::enumeration, "gre"s};
          }) == Lines{fault});
    CHECK(after([](Plan& plan, States&) {
              plan.vars[2].choices.clear();
              plan.vars[2].type = Type::list;
              plan.vars[2].element = Type::enumeration;
          }) == Lines{fault});
}

TEST_CASE("plan/check: a list is not one of lists") {
    CHECK(
        after([](Plan& plan, States&) { plan.vars[1].type = plan.vars[1].element = Type::list; }) ==
        Lines{"move.lua:3: vars.dest_ip: a list of lists; expected a list of another type"});
}

TEST_CASE("plan/check: min is at most max, for types that have them") {
    const auto bounded = [](Type type, std::int64_t min, std::int64_t max) {
        return after([&](Plan& plan, States&) {
            plan.vars.push_back(var("x", type, 5));
            plan.vars[3].min = min;
            plan.vars[3].max = max;
        });
    };
    constexpr std::int64_t ms = 1'000'000;
    CHECK(bounded(Type::duration, 2 * ms, ms) ==
          Lines{"move.lua:5: vars.x: min 2ms is above max 1ms; expected min at most max"});
    CHECK(bounded(Type::text, 2, 1) ==
          Lines{"move.lua:5: vars.x: min 2 is above max 1; expected min at most max"});
    CHECK(bounded(Type::integer, 1, 1).empty());
    CHECK(bounded(Type::list, 1, 2).empty());
    CHECK(after([](Plan& plan, States&) { plan.vars[1].min = 1; }) ==
          Lines{"move.lua:3: vars.dest_ip: a var of type ip has no min and no max; expected "
                "neither of them"});
    for (const Type type : {Type::ip, Type::ifname, Type::boolean}) {
        CHECK(bounded(type, 1, 2) ==
              Lines{"move.lua:5: vars.x: a var of type " + std::string(name_of(type)) +
                    " has no min and no max; expected neither of them"});
    }
}

// --- Relations ---------------------------------------------------------------------------------

namespace {

/// A plan whose vars are a0, a1, …: optional ones of these types, and one relation between them.
Lines related(Relation::Kind kind, const std::vector<Type>& types, Lines extra = {}) {
    return after([&](Plan& plan, States&) {
        Relation relation;
        relation.kind = kind;
        relation.place = at(7);
        for (const Type type : types) {
            Var added = var("a" + std::to_string(relation.vars.size()), type, 6);
            added.optional = true;
            added.element = Type::ip;
            added.choices = type == Type::enumeration ? Lines{"a", "b"} : Lines{};
            relation.vars.push_back(added.name);
            plan.vars.push_back(added);
        }
        relation.vars.insert(relation.vars.end(), extra.begin(), extra.end());
        plan.relations = {relation};
    });
}

}  // namespace

TEST_CASE("plan/check: a relation is between vars of the plan, each of them once") {
    CHECK(related(Relation::Kind::different, {Type::ip}, {"dest_pi"}) ==
          Lines{"move.lua:7: relations.different: no var 'dest_pi'; expected vars of this plan; "
                "did you mean 'dest_ip'?"});
    CHECK(related(Relation::Kind::different, {Type::ip}, {"a0"}) ==
          Lines{"move.lua:7: relations.different: the var 'a0' is there twice; expected each var "
                "once"});
}

TEST_CASE("plan/check: a relation has two vars, but for one list of addresses") {
    CHECK(related(Relation::Kind::together, {Type::ip}) ==
          Lines{"move.lua:7: relations.together: a relation of fewer than two vars; expected at "
                "least two vars"});
    CHECK(related(Relation::Kind::ascending, {}) ==
          Lines{"move.lua:7: relations.ascending: a relation of fewer than two vars; expected at "
                "least two vars"});
    CHECK(related(Relation::Kind::same_family, {Type::ip}) ==
          Lines{"move.lua:7: relations.same_family: a relation of fewer than two vars; expected "
                "two vars, or one list of ip"});
    CHECK(related(Relation::Kind::same_family, {Type::list}).empty());
    CHECK(related(Relation::Kind::different, {Type::list}).size() == 1);
}

TEST_CASE("plan/check: same_family is for addresses, ascending for amounts of one type") {
    CHECK(related(Relation::Kind::same_family, {Type::ip, Type::list, Type::ip}).empty());
    CHECK(related(Relation::Kind::same_family, {Type::ip, Type::ifname}) ==
          Lines{"move.lua:7: relations.same_family: 'a1' is of type ifname; expected vars of type "
                "ip or list of ip"});
    for (const Type type : {Type::duration, Type::size, Type::rate, Type::integer}) {
        CHECK(related(Relation::Kind::ascending, {type, type, type}).empty());
    }
    CHECK(related(Relation::Kind::ascending, {Type::text, Type::text}).size() == 2);
    CHECK(related(Relation::Kind::ascending, {Type::size, Type::ip}) ==
          Lines{"move.lua:7: relations.ascending: 'a1' is of type ip; expected vars of type "
                "duration, size, rate or int"});
    CHECK(related(Relation::Kind::ascending, {Type::size, Type::rate}) ==
          Lines{"move.lua:7: relations.ascending: 'a1' is of type rate, 'a0' of type size; "
                "expected vars of one type"});
    CHECK(related(Relation::Kind::different, {Type::text, Type::integer}).empty());
}

TEST_CASE("plan/check: together and one_of are between vars that may be absent") {
    for (const Relation::Kind kind : {Relation::Kind::together, Relation::Kind::one_of}) {
        CHECK(related(kind, {Type::ip, Type::path}).empty());
        CHECK(related(kind, {Type::ip}, {"patience"}) ==
              Lines{"move.lua:7: relations." + std::string(name_of(kind)) +
                    ": 'patience' always has a value; expected vars with optional = true"});
        CHECK(related(kind, {Type::ip}, {"dest_ip"}).size() == 1);
    }
    CHECK(related(Relation::Kind::different, {Type::ip}, {"dest_ip"}).empty());
}
