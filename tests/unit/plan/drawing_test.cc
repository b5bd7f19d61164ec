// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/drawing_test.cc: the graph of a plan as mermaid, dot and SVG.
#include "plan/drawing.hh"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>

#include "harness/xml_reader.hh"
#include "unit/plan/good_plan.hh"

using namespace ktm;
using namespace ktm::plan;
using namespace ktm::plan::testing;
using ktm::testing::xml_fault;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t times = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++times;
    }
    return times;
}

/// A plan of one role with as many states as wished, and jumps that look random.
Plan large_plan(std::size_t states, std::uint32_t seed) {
    const auto roll = [&](std::size_t sides) {
        seed = seed * 1664525U + 1013904223U;
        return (seed >> 8) % sides;
    };
    const auto name = [&](std::size_t i) { return "state-" + std::to_string(i); };
    const std::vector<std::string> ends{"done", "abort", "stranded"};
    Plan plan;
    plan.name = "large";
    plan.summary = "Many states.";
    Role role;
    role.name = "source";
    for (std::size_t i = 0; i < states; ++i) {
        State each = state(name(i), 10, {});
        each.handlers.push_back(on("go:on", i + 1 < states ? name(i + 1) : "done", 11));
        for (std::size_t k = roll(4); k > 0; --k) {
            const std::size_t target = roll(states + ends.size());
            each.handlers.push_back(
                on("event:" + std::to_string(k) + "x" + std::to_string(roll(99)),
                   target < states ? name(target) : ends[target - states], 12));
        }
        each.late = roll(5) == 0 ? "abort" : "";
        role.states.push_back(each);
    }
    plan.roles.push_back(role);
    return plan;
}

/// Each state and each edge stands in a tooltip, and so in what draws it.
void check_complete(const Plan& plan) {
    const std::string svg = draw_svg(plan);
    CHECK(xml_fault(svg) == "");
    for (const Role& role : plan.roles) {
        for (const State& each : role.states) {
            CHECK(has(svg, "<title>" + each.name + ", " + deadline_text(plan, each) + "</title>"));
        }
        for (const Edge& edge : drawn_edges(role)) {
            const std::string title = "<title>" + edge.from + " → " + edge.to + ": ";
            const std::size_t at = svg.find(title);
            REQUIRE(at != std::string::npos);
            const std::string told = svg.substr(at, svg.find("</title>", at) - at);
            CHECK(has(told, edge.label.empty() ? "next" : edge.label));
            CHECK(has(svg, edge.label + "</text>"));
        }
    }
}

constexpr const char* hostile = "a\"b<c>&d'e\\f:g;h#i%%j{k}\n\x1B[2J\xFF\xEF\xBF\xBE-->";

Plan hostile_plan() {
    Plan plan = good_plan();
    plan.name = plan.summary = plan.parent = hostile;
    plan.roles[0].name = hostile;
    std::vector<State>& states = plan.roles[0].states;
    states[0].name = hostile;
    states[0].handlers[0].event = hostile;
    states[1].handlers[1].matches = {{hostile, std::string(hostile)}};
    states[2].handlers[0].go = hostile;
    return plan;
}

}  // namespace

// --- What all drawings show ----------------------------------------------------------------------

TEST_CASE("plan/drawing: a late edge is drawn only when somebody wrote it") {
    Plan plan = good_plan();
    const auto late = [&] {
        Lines lines;
        for (const Edge& edge : drawn_edges(plan.roles[0])) {
            if (edge.kind == Edge::Kind::late) {
                lines.push_back(edge.from + " > " + edge.to);
            }
        }
        return lines;
    };
    CHECK(late().empty());
    plan.roles[0].states[1].late = "handover";
    CHECK(late() == Lines{"precopy > handover"});
    for (const std::string& text : {draw_mermaid(plan), draw_dot(plan), draw_svg(plan)}) {
        CHECK(has(text, "after patience"));
        CHECK_FALSE(has(text, "after 10 s"));
        CHECK(has(text, "state that is late goes to abort, after the commit to stranded"));
    }
}

TEST_CASE("plan/drawing: ends that no drawn edge leads to are not drawn") {
    const Plan plan = good_plan();
    CHECK(drawn_ends(plan.roles[0]) == Lines{"done", "abort"});
    CHECK(drawn_ends(plan.roles[1]) == Lines{"done"});
}

TEST_CASE("plan/drawing: a deadline is shown, that of a var with the var's default") {
    Plan plan = good_plan();
    std::vector<State>& states = plan.roles[0].states;
    CHECK(deadline_text(plan, states[0]) == "within 10 s");
    CHECK(deadline_text(plan, states[1]) == "within patience (1 h)");
    plan.vars[0].preset.reset();
    CHECK(deadline_text(plan, states[1]) == "within patience");
    states[1].within->var = "nothing";
    CHECK(deadline_text(plan, states[1]) == "within nothing");
    states[1].within.reset();
    CHECK(deadline_text(plan, states[1]) == "");
}

TEST_CASE("plan/drawing: a derived plan names its parent") {
    Plan plan = good_plan();
    plan.parent = "first";
    CHECK(has(draw_svg(plan), "Moves a VM. (derived from first)"));
    CHECK(has(draw_dot(plan), "Moves a VM. (derived from first)"));
}

TEST_CASE("plan/drawing: the same plan has the same drawings") {
    CHECK(draw_mermaid(good_plan()) == draw_mermaid(good_plan()));
    CHECK(draw_dot(good_plan()) == draw_dot(good_plan()));
    CHECK(draw_svg(good_plan()) == draw_svg(good_plan()));
}

TEST_CASE("plan/drawing: a wrong plan is drawn as far as it goes") {
    const auto drawn = [](const Plan& plan) {
        CHECK_FALSE(draw_mermaid(plan).empty());
        CHECK_FALSE(draw_dot(plan).empty());
        CHECK(xml_fault(draw_svg(plan)) == "");
        return draw_mermaid(plan) + draw_dot(plan) + draw_svg(plan);
    };
    Plan plan;
    drawn(plan);
    plan.roles.resize(2);
    drawn(plan);
    plan.roles[1].states.resize(2);
    drawn(plan);
    plan = good_plan();
    plan.roles[0].states[0].handlers[0].go = "nowhere";
    plan.roles[0].states[1].name = "handover";
    plan.roles[0].states[1].within.reset();
    CHECK(count(drawn(plan), "nowhere") > 5);
    plan = good_plan();
    plan.roles[0].states[1].name = "done";
    plan.roles[0].states[2].name = "abort";
    drawn(plan);
}

// --- mermaid -------------------------------------------------------------------------------------

TEST_CASE("plan/drawing: mermaid of a plan") {
    Plan plan = good_plan();
    plan.roles[0].states[1].handlers[0].go = "";
    plan.roles[0].states[1].next = "handover";
    CHECK(draw_mermaid(plan) == R"(```mermaid
---
title: "move, source"
---
stateDiagram-v2
    state "prepare" as s_prepare
    s_prepare : within 10 s
    state "precopy" as s_precopy
    s_precopy : within patience (1 h)
    state "handover" as s_handover
    s_handover : within 10 s
    note right of s_handover : commits
    state "done" as s_done
    state "abort" as s_abort
    [*] --> s_prepare
    s_prepare --> s_precopy : node#58;ready
    s_precopy --> s_handover
    s_precopy --> s_abort : MIGRATION status=failed
    s_handover --> s_done : node#58;resumed
    s_done --> [*]
    s_abort --> [*]
    classDef commits stroke:#8250df,stroke-width:4px
    class s_handover commits
    classDef good stroke:#1a7f37,stroke-width:2px
    class s_done good
    classDef undone stroke:#cf222e,stroke-width:2px
    class s_abort undone
```

```mermaid
---
title: "move, dest"
---
stateDiagram-v2
    state "wait" as s_wait
    s_wait : within 10 s
    state "done" as s_done
    [*] --> s_wait
    s_wait --> s_done : RESUME
    s_done --> [*]
    classDef good stroke:#1a7f37,stroke-width:2px
    class s_done good
```

A state that is late goes to abort, after the commit to stranded.
)");
}

TEST_CASE("plan/drawing: mermaid's ids are safe, and different where only a hyphen differs") {
    Plan plan = good_plan();
    std::vector<State>& states = plan.roles[0].states;
    states = {state("pre-copy", 1, {on("A", "pre_copy", 2)}),
              state("pre_copy", 3, {on("B", "pre-copy-2", 4)}),
              state("pre-copy-2", 5, {on("C", "end", 6)}), state("end", 7, {on("D", "done", 8)})};
    const std::string text = draw_mermaid(plan);
    CHECK(has(text, "state \"pre-copy\" as s_pre_copy\n"));
    CHECK(has(text, "state \"pre_copy\" as s_pre_copy_2\n"));
    CHECK(has(text, "state \"pre-copy-2\" as s_pre_copy_2_2\n"));
    CHECK(has(text, "s_pre_copy --> s_pre_copy_2 : A\n"));
    CHECK(has(text, "s_pre_copy_2 --> s_pre_copy_2_2 : B\n"));
    CHECK(has(text, "s_pre_copy_2_2 --> s_end : C\n"));
}

TEST_CASE("plan/drawing: what mermaid could take for its own is written as a number") {
    const std::string text = draw_mermaid(hostile_plan());
    const std::string safe =
        "a#34;b#60;c#62;#38;d#39;e#92;f#58;g#59;h#35;i#37;#37;j#123;k#125;#92;x0a#92;x1b#91;2J";
    CHECK(count(text, safe) == 3);  // a state, an event and a field
    for (const char c : {'\x1B', '\xFF', '\r'}) {
        CHECK(text.find(c) == std::string::npos);
    }
    CHECK(count(text, "```") == 4);
}

TEST_CASE("plan/drawing: mermaid marks what lies behind the commit") {
    Plan plan = good_plan();
    plan.roles[0].states[2].handlers[0].go = "drain";
    plan.roles[0].states.push_back(state("drain", 40, {on("net:quiet", "done", 41)}));
    plan.roles[0].states[3].late = "stranded";
    const std::string text = draw_mermaid(plan);
    CHECK(has(text, "class s_handover commits\n"));
    CHECK(has(text, "class s_drain committed\n"));
    CHECK(has(text, "class s_stranded stuck\n"));
    CHECK(has(text, "s_drain --> s_stranded : after 10 s\n"));
}

// --- dot -----------------------------------------------------------------------------------------

TEST_CASE("plan/drawing: dot of a plan") {
    Plan plan = good_plan();
    plan.roles[0].states[1].late = "precopy";
    const std::string text = draw_dot(plan);
    for (const char* line :
         {"digraph \"move\" {\n", "  subgraph \"cluster_0\" {\n    label=\"source\";",
          "  subgraph \"cluster_1\" {\n    label=\"dest\";",
          "    \"source.\" -> \"source.prepare\";\n",
          "    \"source.prepare\" [label=\"prepare\\nwithin 10 s\", group=spine, "
          "style=\"rounded\"];\n",
          "    \"source.handover\" [label=\"handover\\nwithin 10 s\\ncommits\", group=spine, "
          "style=\"rounded,filled,bold\"",
          "    \"source.abort\" [label=\"abort\", shape=doublecircle,",
          "    \"source.prepare\" -> \"source.precopy\" [label=\" node:ready \", weight=8];\n",
          "    \"source.precopy\" -> \"source.precopy\" [label=\" after patience \", "
          "style=dashed];\n",
          "    \"source.precopy\" -> \"source.abort\" [label=\" MIGRATION status=failed \", "
          "color=\"#cf222e\"];\n"}) {
        INFO(line);
        CHECK(has(text, line));
    }
}

TEST_CASE("plan/drawing: in dot quotes, backslashes and entities mean themselves") {
    const std::string text = draw_dot(hostile_plan());
    CHECK(has(text, R"(a\"b<c>&amp;d'e\\f:g;h#i%%j{k}\\x0a\\x1b[2J\\xff)"));
    CHECK(count(text, "{") - count(text, "j{k}") == count(text, "}") - count(text, "j{k}"));
    for (const char c : {'\x1B', '\xFF'}) {
        CHECK(text.find(c) == std::string::npos);
    }
}

// --- SVG -----------------------------------------------------------------------------------------

TEST_CASE("plan/drawing: the reader of these tests knows XML from what is none") {
    CHECK(xml_fault("<a b=\"c\" d=\"e\">f &amp; g<h/></a>\n") == "");
    for (const char* bad :
         {"<a>", "<a></b>", "</a>", "<a/><b/>", "<a>&</a>", "<a>&nbsp;</a>", "<a b=c/>",
          "<a b=\"c\" b=\"d\"/>", "<a b=\"c/>", "<a b=\"<\"/>", "<a b=\"&\"/>", "<a>\x01</a>",
          "< a/>", "<a>\xEF\xBF\xBF</a>", "<a", "<1/>"}) {
        INFO(bad);
        CHECK(xml_fault(bad) != "");
    }
}

TEST_CASE("plan/drawing: the picture has each state and each edge") {
    check_complete(good_plan());
}

TEST_CASE("plan/drawing: the picture of forty states has each state and each edge") {
    check_complete(large_plan(40, 7));
}

TEST_CASE("plan/drawing: so have the pictures of a hundred other plans") {
    for (std::uint32_t seed = 0; seed < 100; ++seed) {
        check_complete(large_plan(1 + seed % 12, seed));
    }
}

TEST_CASE("plan/drawing: names and labels cannot break out of the picture") {
    const std::string svg = draw_svg(hostile_plan());
    CHECK(xml_fault(svg) == "");
    CHECK(has(svg,
              "<title>a&quot;b&lt;c&gt;&amp;d&#39;e\\f:g;h#i%%j{k}\\x0a\\x1b[2J\\xff\xEF\xBF\xBD--"
              "&gt;</title>"));
}

TEST_CASE("plan/drawing: a long label is cut off, and its tooltip has all of it") {
    Plan plan = good_plan();
    const std::string event(200, 'E');
    plan.roles[0].states[0].handlers[0].event = event;
    const std::string svg = draw_svg(plan);
    CHECK(has(svg, ">" + std::string(47, 'E') + "…</text>"));
    CHECK(has(svg, "<title>prepare → precopy: " + event + "</title>"));
}

TEST_CASE("plan/drawing: edges between the same two states are one line with several labels") {
    Plan plan = good_plan();
    plan.roles[0].states[0].handlers.push_back(on("node:hurry", "precopy", 13));
    plan.roles[0].states[0].next = "precopy";
    const std::string svg = draw_svg(plan);
    CHECK(count(svg, "<title>prepare → precopy: next, node:ready, node:hurry</title>") == 1);
    for (const char* label : {">next</text>", ">node:ready</text>", ">node:hurry</text>"}) {
        CHECK(count(svg, label) == 1);
    }
}

TEST_CASE("plan/drawing: a line is dashed when nothing but lateness leads along it") {
    Plan plan = good_plan();
    CHECK(count(draw_svg(plan), " late\"") == 0);
    CHECK_FALSE(has(draw_svg(plan), "when the state is late"));
    plan.roles[0].states[1].late = "handover";
    CHECK(count(draw_svg(plan), " late\"") == 0);
    plan.roles[0].states[1].late = "prepare";
    CHECK(count(draw_svg(plan), " late\"") == 2);  // the edge, and its sample in the legend
    CHECK(has(draw_svg(plan), "when the state is late"));
}

TEST_CASE("plan/drawing: the picture shows the commit and what lies behind it") {
    Plan plan = good_plan();
    const std::string svg = draw_svg(plan);
    CHECK(count(svg, "class=\"committed commits\"") == 1);
    CHECK(count(svg, ">commits</text>") == 1);
    CHECK(count(svg, "class=\"committed\"") == 1);  // the legend's
    plan.roles[0].states[2].commits = false;
    CHECK_FALSE(has(draw_svg(plan), "class=\"committed"));
}

TEST_CASE("plan/drawing: the picture says in words what it shows") {
    const std::string svg = draw_svg(good_plan());
    CHECK(has(svg,
              "role=\"img\">\n<title>move</title>\n<desc>Moves a VM. Role source. prepare, "
              "within 10 s: node:ready to precopy. precopy, within patience (1 h): MIGRATION "
              "status=completed to handover; MIGRATION status=failed to abort. handover, "
              "within 10 s, commits: node:resumed to done. Role dest. wait, within 10 s: "
              "RESUME to done.</desc>"));
}

TEST_CASE("plan/drawing: each colour has one for dark paper") {
    const std::string svg = draw_svg(good_plan());
    const std::size_t begin = svg.find("<style>");
    const std::size_t dark = svg.find("@media (prefers-color-scheme:dark){");
    const std::size_t end = svg.find("</style>");
    REQUIRE(begin < dark);
    REQUIRE(dark < end);
    const auto rules = [&](std::size_t from, std::size_t to) {
        std::set<std::string> found;
        const std::string text = svg.substr(from, to - from);
        for (std::size_t at = text.find("\n.ktm "); at != std::string::npos;
             at = text.find("\n.ktm ", at + 1)) {
            const std::string rule = text.substr(at + 1, text.find(":#", at) - at - 1);
            if (rule.find('\n') == std::string::npos && rule.find("font") == std::string::npos) {
                found.insert(rule);
            }
        }
        return found;
    };
    CHECK(rules(begin, dark) == rules(dark, end));
    CHECK(rules(dark, end).size() > 20);
}

TEST_CASE("plan/drawing: the picture needs nothing from elsewhere") {
    const std::string svg = draw_svg(good_plan());
    for (const char* foreign : {"href", "url(", "@import", "<script", "<image", "<foreignObject"}) {
        CHECK_FALSE(has(svg, foreign));
    }
    CHECK(count(svg, "http") == 1);  // the name of the SVG language
}
