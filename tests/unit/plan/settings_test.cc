// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/settings_test.cc: which role runs, and with which values.
#include "plan/settings.hh"

#include <catch2/catch.hpp>

#include "json/parser.hh"

using namespace ktm;
using namespace ktm::plan;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

using Lines = std::vector<std::string>;

Var var_of_role(std::string name, Type type, std::string role = "") {
    Var var_of_role;
    var_of_role.name = std::move(name);
    var_of_role.type = type;
    var_of_role.doc = "What it is for.";
    var_of_role.role = std::move(role);
    return var_of_role;
}

Var optional(std::string name, Type type) {
    Var made = var_of_role(std::move(name), type);
    made.optional = true;
    return made;
}

Role role(std::string name) {
    State state;
    state.name = "prepare";
    state.within = Within{std::nullopt, "patience"};
    Role role;
    role.name = std::move(name);
    role.states = {state};
    return role;
}

/// A plan with both roles: the source needs dest_ip, the destination has listen_ip with a default.
Plan example() {
    Plan plan;
    plan.name = "move";
    plan.vars = {var_of_role("qmp", Type::path), var_of_role("dest_ip", Type::ip, "source"),
                 var_of_role("listen_ip", Type::ip, "dest"),
                 var_of_role("patience", Type::duration)};
    plan.vars[1].doc = "Address of the destination node.";
    plan.vars[2].preset = Value{Type::ip, "::"s};
    plan.vars[3].preset = Value{Type::duration, Duration(1h).count()};
    plan.roles = {role("source"), role("dest")};
    return plan;
}

Given given(std::string name, std::string text) {
    return {std::move(name), std::move(text), nullptr, "--var"};
}

Lines sentences(const Faults& faults) {
    Lines lines;
    for (const Fault& fault : faults) {
        lines.push_back(fault.sentence());
    }
    return lines;
}

/// The role that was decided, or the sentence of the fault.
std::string decided(const Plan& plan, const std::string& asked, const std::vector<Given>& given) {
    Faults faults;
    const std::string role = decide_role(plan, asked, given, faults);
    CHECK(faults.size() == (role.empty() ? 1 : 0));
    return faults.empty() ? role : faults[0].sentence();
}

/// "dest_ip=192.0.2.1 patience=1h", or the sentences of the faults.
Lines resolved(const Plan& plan, const std::string& role, const std::vector<Given>& given) {
    Faults faults;
    const Settings settings = resolve(plan, role, given, faults);
    CHECK(settings.role == role);
    if (!faults.empty()) {
        return sentences(faults);
    }
    Lines lines;
    for (const auto& [name, value] : settings.values) {
        lines.push_back(name + "=" + value.text());
    }
    return lines;
}

}  // namespace

// --- The role ----------------------------------------------------------------------------------

TEST_CASE("plan/settings: the role that was asked for, whatever is given") {
    CHECK(decided(example(), "dest", {given("dest_ip", "::1")}) == "dest");
    CHECK(decided(example(), "source", {}) == "source");
    CHECK(decided(example(), "sorce", {}) ==
          "no role 'sorce'; expected source or dest; did you mean 'source'?");
}

TEST_CASE("plan/settings: the only role needs not be asked for") {
    Plan plan = example();
    plan.roles.pop_back();
    CHECK(decided(plan, "", {given("nonsense", "")}) == "source");
    CHECK(decided(plan, "dest", {}) == "no role 'dest'; expected source");
}

TEST_CASE("plan/settings: the only role that can take the given vars") {
    CHECK(decided(example(), "", {given("dest_ip", "::1")}) == "source");
    CHECK(decided(example(), "", {given("listen_ip", "::1")}) == "dest");
    CHECK(decided(example(), "", {given("listen_ip", "::1"), given("unknown", "")}) == "dest");
}

TEST_CASE("plan/settings: among several roles the only one whose required vars are given") {
    CHECK(decided(example(), "", {given("qmp", "/run/x")}) == "dest");
}

TEST_CASE("plan/settings: an unclear role is a fault that says what would decide") {
    CHECK(decided(example(), "", {}) ==
          "the role is not clear: --var dest_ip belongs to source; expected --role source or "
          "--role dest");
    CHECK(decided(example(), "", {given("dest_ip", "::1"), given("listen_ip", "::1")}) ==
          "the role is not clear: --var dest_ip belongs to source, --var listen_ip belongs to "
          "dest; expected --role source or --role dest");
    Plan plan = example();
    plan.vars[1].role.clear();
    plan.vars[1].optional = true;
    CHECK(decided(plan, "", {given("qmp", "/run/x"), given("dest_ip", "::1")}) ==
          "the role is not clear: --var listen_ip belongs to dest; expected --role source or "
          "--role dest");
    plan.vars[2].role.clear();
    CHECK(decided(plan, "", {given("qmp", "/run/x")}) ==
          "the role is not clear; expected --role source or --role dest");
}

TEST_CASE("plan/settings: the fault of an unclear role has no place") {
    Faults faults;
    CHECK(decide_role(example(), "", {}, faults).empty());
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].place.file.empty());
    CHECK(faults[0].where.empty());
}

// --- Values ------------------------------------------------------------------------------------

TEST_CASE("plan/settings: values are what is given, and the defaults of this role") {
    CHECK(resolved(example(), "source", {given("qmp", "/run/x"), given("dest_ip", "::1")}) ==
          Lines{"dest_ip=::1", "patience=1h", "qmp=/run/x"});
    CHECK(resolved(example(), "dest", {given("qmp", "/run/x"), given("patience", "5s")}) ==
          Lines{"listen_ip=::", "patience=5s", "qmp=/run/x"});
}

TEST_CASE("plan/settings: an optional var without a value is absent") {
    Plan plan = example();
    plan.vars = {optional("netns", Type::path)};
    CHECK(resolved(plan, "dest", {}).empty());
    CHECK(resolved(plan, "dest", {given("netns", "/x")}) == Lines{"netns=/x"});
}

TEST_CASE("plan/settings: values come from JSON too") {
    Plan plan = example();
    plan.vars = {optional("ports", Type::list)};
    plan.vars[0].element = Type::integer;
    const Result<json::Document> good = json::parse("[1, 2]");
    const Result<json::Document> bad = json::parse("[1, true]");
    REQUIRE((good && bad));
    CHECK(resolved(plan, "dest", {{"ports", "", &*good, "vars.json"}}) == Lines{"ports=1,2"});
    CHECK(resolved(plan, "dest", {{"ports", "", &*bad, "vars.json"}}) ==
          Lines{"vars.json: vars.ports: item 2: true is not a value of type int; expected a whole "
                "number"});
}

TEST_CASE("plan/settings: an unknown var is a fault with the nearest name of this role") {
    const auto unknown = [](const char* role, const char* name) {
        Plan plan = example();
        plan.vars[1].preset = Value{Type::ip, "::1"s};
        return resolved(plan, role, {given("qmp", "/x"), given(name, "::1")});
    };
    CHECK(unknown("source", "dst_ip") ==
          Lines{"vars.dst_ip: no var 'dst_ip'; expected qmp, dest_ip or patience; did you mean "
                "'dest_ip'?"});
    CHECK(unknown("dest", "lisen_ip") ==
          Lines{"vars.lisen_ip: no var 'lisen_ip'; expected qmp, listen_ip or patience; did you "
                "mean 'listen_ip'?"});
    CHECK(unknown("dest", "xyzzy") ==
          Lines{"vars.xyzzy: no var 'xyzzy'; expected qmp, listen_ip or patience"});
}

TEST_CASE("plan/settings: a var of another role is a fault") {
    CHECK(resolved(example(), "dest", {given("qmp", "/x"), given("dest_ip", "::1")}) ==
          Lines{"vars.dest_ip: 'dest_ip' belongs to role 'source', this is 'dest'"});
}

TEST_CASE("plan/settings: a var that is given twice is a fault, wherever it comes from") {
    const Result<json::Document> path = json::parse("\"/y\"");
    REQUIRE(path);
    CHECK(resolved(example(), "dest", {given("qmp", "/x"), {"qmp", "", &*path, "vars.json"}}) ==
          Lines{"vars.json: vars.qmp: 'qmp' is given twice, first by --var; expected one value"});
    CHECK(resolved(example(), "dest", {given("qmp", ""), given("qmp", "/x")}) ==
          Lines{"vars.qmp: a path cannot be empty; expected a path",
                "vars.qmp: 'qmp' is given twice, first by --var; expected one value"});
}

TEST_CASE("plan/settings: a value that its var does not allow is a fault, and not missing too") {
    CHECK(resolved(example(), "source",
                   {given("qmp", "/x"), given("dest_ip", "nowhere"), given("patience", "5")}) ==
          Lines{"vars.dest_ip: 'nowhere' is not an IP address; expected 192.0.2.1 or 2001:db8::1",
                "vars.patience: '5' has no unit; expected a duration with a unit, such as 25ms"});
}

TEST_CASE("plan/settings: a required var that is missing is named with its doc and an example") {
    CHECK(resolved(example(), "source", {given("qmp", "/x")}) ==
          Lines{"vars.dest_ip: no value for 'dest_ip' (ip): Address of the destination node; "
                "expected --var dest_ip=ADDRESS"});
    const std::vector<std::pair<Type, std::string>> examples = {
        {Type::ip, "ADDRESS"},   {Type::ifname, "NAME"},   {Type::duration, "25ms"},
        {Type::size, "16MiB"},   {Type::rate, "10GB/s"},   {Type::integer, "NUMBER"},
        {Type::boolean, "yes"},  {Type::path, "PATH"},     {Type::text, "TEXT"},
        {Type::secret, "@FILE"}, {Type::enumeration, "a"}, {Type::list, "ADDRESS,…"},
    };
    for (const auto& [type, example_text] : examples) {
        Plan plan = example();
        plan.vars = {var_of_role("x", type)};
        plan.vars[0].element = Type::ip;
        plan.vars[0].choices = {"a", "b"};
        Faults faults;
        (void)resolve(plan, "dest", {}, faults);
        REQUIRE(faults.size() == 1);
        CHECK(faults[0].what ==
              "no value for 'x' (" + describe_type(plan.vars[0]) + "): What it is for");
        CHECK(faults[0].expected == "--var x=" + example_text);
        CHECK(faults[0].place.file.empty());
    }
}

TEST_CASE("plan/settings: a value that is a deadline must be one") {
    const auto patient = [](std::string text) {
        return resolved(example(), "dest", {given("qmp", "/x"), given("patience", text)});
    };
    CHECK(patient("0s") == Lines{"vars.patience: 0s cannot be the deadline of 'prepare'; expected "
                                 "more than 0s and at most 30d"});
    CHECK(patient("31d").size() == 1);
    CHECK(patient("31d")[0].starts_with("vars.patience: 31d cannot be the deadline"));
    CHECK(patient("30d") == Lines{"listen_ip=::", "patience=30d", "qmp=/x"});
}

TEST_CASE("plan/settings: a fault never shows a secret") {
    Plan plan = example();
    plan.vars = {optional("key", Type::secret), optional("other", Type::secret)};
    plan.relations = {{Relation::Kind::different, {"key", "other"}, {}}};
    const std::string secret = "S3CRET-S3CRET";
    const Result<json::Document> number = json::parse("[\"S3CRET-S3CRET\"]");
    REQUIRE(number);
    for (const std::vector<Given>& all : {
             std::vector<Given>{given("key", "S3CRET")},
             std::vector<Given>{given("key", secret), given("other", secret)},
             std::vector<Given>{given("key", secret), given("key", secret)},
             std::vector<Given>{{"key", "", &*number, "vars.json"}},
             std::vector<Given>{given("keyy", secret)},
         }) {
        const Lines faults = resolved(plan, "dest", all);
        REQUIRE(faults.size() == 1);
        INFO(faults[0]);
        CHECK(faults[0].starts_with("vars"));
        CHECK(faults[0].find("S3CRET") == std::string::npos);
    }
}

// --- Relations ---------------------------------------------------------------------------------

namespace {

/// A plan of optional vars a, b, c of one type with one relation between them.
Plan related(Relation::Kind kind, Type type, Lines names = {"a", "b", "c"}) {
    Plan plan = example();
    plan.vars.clear();
    for (const std::string& name : names) {
        plan.vars.push_back(optional(name, type));
        plan.vars.back().element = Type::ip;
    }
    plan.relations = {{kind, std::move(names), {}}};
    return plan;
}

/// The faults alone.
Lines broken(const Plan& plan, const std::vector<Given>& given) {
    Faults faults;
    (void)resolve(plan, "dest", given, faults);
    return sentences(faults);
}

}  // namespace

TEST_CASE("plan/settings: addresses of one family, where :: goes with both") {
    const Plan plan = related(Relation::Kind::same_family, Type::ip);
    CHECK(broken(plan, {given("a", "192.0.2.1"), given("b", "2001:db8::1")}) ==
          Lines{"vars: 'a' (192.0.2.1) and 'b' (2001:db8::1) are of two families; expected "
                "addresses that are all IPv4 or all IPv6"});
    CHECK(broken(plan, {given("a", "::"), given("b", "192.0.2.1")}).empty());
    CHECK(broken(plan, {given("a", "::"), given("b", "2001:db8::1")}).empty());
    CHECK(broken(plan, {given("a", "0.0.0.0"), given("b", "192.0.2.1")}).empty());
    CHECK(broken(plan, {given("a", "0.0.0.0"), given("b", "2001:db8::1")}).size() == 1);
    CHECK(broken(plan, {given("a", "192.0.2.1"), given("b", "::"), given("c", "::1")}).size() == 1);
    CHECK(broken(plan, {given("c", "::1")}).empty());
    CHECK(broken(plan, {}).empty());
}

TEST_CASE("plan/settings: a list of addresses takes part with each of its items") {
    const Plan one = related(Relation::Kind::same_family, Type::list, {"a"});
    CHECK(broken(one, {given("a", "192.0.2.1,192.0.2.2")}).empty());
    CHECK(broken(one, {given("a", "192.0.2.1,::,::1")}) ==
          Lines{"vars: 'a' (192.0.2.1) and 'a' (::1) are of two families; expected addresses "
                "that are all IPv4 or all IPv6"});
    CHECK(broken(one, {given("a", "")}).empty());
    Plan mixed = related(Relation::Kind::same_family, Type::list, {"a", "b"});
    mixed.vars[1].type = Type::ip;
    CHECK(broken(mixed, {given("a", "::1,::2"), given("b", "192.0.2.1")}).size() == 1);
}

TEST_CASE("plan/settings: ascending amounts, over those that are given") {
    const Plan plan = related(Relation::Kind::ascending, Type::duration);
    CHECK(broken(plan, {given("a", "1s"), given("b", "1s"), given("c", "2s")}).empty());
    CHECK(broken(plan, {given("a", "5s"), given("b", "1s")}) ==
          Lines{"vars: 'a' (5s) is more than 'b' (1s); expected each of a and b at most the next"});
    CHECK(broken(plan, {given("a", "5s"), given("c", "1s")}).size() == 1);
    CHECK(broken(plan, {given("a", "3s"), given("b", "2s"), given("c", "1s")}).size() == 2);
    CHECK(broken(plan, {given("b", "3s")}).empty());
}

TEST_CASE("plan/settings: all together or none") {
    const Plan plan = related(Relation::Kind::together, Type::text);
    CHECK(broken(plan, {}).empty());
    CHECK(broken(plan, {given("a", ""), given("b", ""), given("c", "")}).empty());
    CHECK(broken(plan, {given("b", "")}) ==
          Lines{"vars: b is given without a and c; expected all of them or none"});
    CHECK(broken(plan, {given("c", ""), given("a", "")}) ==
          Lines{"vars: a and c are given without b; expected all of them or none"});
}

TEST_CASE("plan/settings: exactly one of several") {
    const Plan plan = related(Relation::Kind::one_of, Type::text);
    CHECK(broken(plan, {given("b", "")}).empty());
    CHECK(broken(plan, {}) == Lines{"vars: none is given of a, b and c; expected exactly one of "
                                    "them"});
    CHECK(broken(plan, {given("c", ""), given("a", "")}) ==
          Lines{"vars: a and c are given together; expected exactly one of a, b and c"});
}

TEST_CASE("plan/settings: a badly given var counts as given") {
    Plan plan = related(Relation::Kind::one_of, Type::integer);
    CHECK(broken(plan, {given("b", "x")}).size() == 1);
    plan.relations[0].kind = Relation::Kind::together;
    CHECK(broken(plan, {given("a", "1"), given("b", "x"), given("c", "1")}).size() == 1);
}

TEST_CASE("plan/settings: no two are equal") {
    const Plan plan = related(Relation::Kind::different, Type::ifname);
    CHECK(broken(plan, {given("a", "tap0"), given("b", "tap1"), given("c", "tap2")}).empty());
    CHECK(broken(plan, {given("a", "tap0"), given("c", "tap0")}) ==
          Lines{"vars: 'a' (tap0) and 'c' (tap0) are the same; expected values that differ"});
    CHECK(broken(plan, {given("a", "x"), given("b", "x"), given("c", "x")}).size() == 3);
    const Plan sizes = related(Relation::Kind::different, Type::size);
    CHECK(broken(sizes, {given("a", "1KiB"), given("b", "1024B")}).size() == 1);
}

TEST_CASE("plan/settings: defaults take part in relations of values") {
    Plan plan = related(Relation::Kind::ascending, Type::size);
    plan.vars[1].preset = Value{Type::size, 1024};
    plan.vars[1].optional = false;
    CHECK(broken(plan, {given("a", "2KiB")}).size() == 1);
    CHECK(broken(plan, {given("a", "1KiB")}).empty());
}

TEST_CASE("plan/settings: a relation is between those vars that the role has") {
    Plan plan = related(Relation::Kind::one_of, Type::text, {"a", "b"});
    plan.vars[0].role = "source";
    CHECK(broken(plan, {}).empty());
    CHECK(broken(plan, {given("b", "")}).empty());
    plan.relations[0].kind = Relation::Kind::together;
    CHECK(broken(plan, {given("b", "")}).empty());
}
