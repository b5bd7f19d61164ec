// SPDX-License-Identifier: Apache-2.0
// cli/plan_show.cc: `katamaran plan show` and `graph`: what a plan takes and does.
#include <algorithm>
#include <utility>

#include "cli/columns.hh"
#include "cli/faults.hh"
#include "cli/plan_command.hh"
#include "cli/plan_example.hh"
#include "cli/plan_json.hh"
#include "cli/state_facts.hh"
#include "draw/text_width.hh"
#include "plan/drawing.hh"
#include "plan/wording.hh"

namespace ktm::cli {

namespace {

/// LIMIT: of a mention that is longer, its line says the rest.
constexpr std::size_t mention_letters_max = 60;

Colour colour_of(std::string_view target) {
    return target == plan::end_done       ? Colour::green
           : target == plan::end_abort    ? Colour::red
           : target == plan::end_stranded ? Colour::yellow
                                          : Colour::plain;
}

/// Writes a loaded plan for a person.
class Page {
public:
    Page(const Console& console, const plan::Plan& plan) : console_(console), plan_(plan) {}

    void add_head(const std::string& digest);
    void add_vars();
    void add_relations();
    void add_roles();
    void add_examples(const std::string& called);
    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

private:
    void add(const Columns& columns, std::size_t indent) {
        const std::vector<std::string> added = columns.lines(console_, indent);
        lines_.insert(lines_.end(), added.begin(), added.end());
    }
    void add_title(std::string_view title) {
        lines_.emplace_back();
        lines_.push_back(console_.paint(Colour::bold, title));
    }
    [[nodiscard]] Cell place(const plan::Place& first, int last_line) const;
    void add_state(Columns& table, const plan::Role& role, const plan::State& state) const;
    void add_handler(Columns& table, const plan::Handler& handler) const;

    const Console& console_;
    const plan::Plan& plan_;
    std::vector<std::string> lines_;
};

void Page::add_head(const std::string& digest) {
    lines_.push_back(console_.paint(Colour::bold, plan_.name) + ": " + one_line(plan_.summary));
    Columns facts;
    facts.add({{"file", Colour::dim}, {plan_.file}});
    if (!plan_.parent.empty()) {
        facts.add({{"parent", Colour::dim}, {plan_.parent}});
    }
    facts.add({{"digest", Colour::dim}, {digest}});
    add(facts, 2);
}

std::string default_text(const plan::Var& var) {
    if (var.required()) {
        return "required";
    }
    if (!var.preset) {
        return "optional";
    }
    const std::string text = var.preset->text();
    return text.empty() ? "\"\"" : text;
}

void Page::add_vars() {
    if (plan_.vars.empty()) {
        return;
    }
    add_title("Vars");
    const bool has_roles = std::any_of(plan_.vars.begin(), plan_.vars.end(),
                                       [](const plan::Var& var) { return !var.role.empty(); });
    Columns table;
    const auto add_row = [&](std::vector<Cell> row) {
        if (!has_roles) {
            row.erase(row.begin() + 3);
        }
        table.add(std::move(row));
    };
    const Colour dim = Colour::dim;
    add_row({{"name", dim}, {"type", dim}, {"default", dim}, {"role", dim}, {"meaning", dim}});
    for (const plan::Var& var : plan_.vars) {
        add_row({{var.name, Colour::cyan},
                 {plan::describe_type(var) + (var.agree ? ", agreed" : "")},
                 {default_text(var), var.required() ? Colour::yellow : Colour::plain},
                 {var.role.empty() ? "all" : var.role},
                 {var.doc}});
    }
    add(table, 2);
}

void Page::add_relations() {
    if (plan_.relations.empty()) {
        return;
    }
    add_title("Relations");
    for (const plan::Relation& relation : plan_.relations) {
        lines_.push_back("  " + words_of(relation));
    }
}

/// "line 19", "lines 19 to 24", with the file in front where it is not the plan's own.
Cell Page::place(const plan::Place& first, int last_line) const {
    const bool is_own = first.file == plan_.file;
    std::string text = is_own ? "line " + std::to_string(first.line) : first.text();
    if (last_line > first.line) {
        text = (is_own ? "lines " + std::to_string(first.line) + " to " : text + "-") +
               std::to_string(last_line);
    }
    return {text, Colour::dim};
}

/// "connects to the other node at dest_ip, port 4445".
std::string peer_text(const plan::PeerKeys& peer) {
    const std::string port =
        peer.port.empty() ? std::to_string(plan::peer_port_default) : peer.port;
    return (peer.to.empty() ? "the other node connects to " + peer.from
                            : "connects to the other node at " + peer.to) +
           ", port " + port;
}

void Page::add_roles() {
    for (const plan::Role& role : plan_.roles) {
        add_title("Role " + role.name);
        if (role.peer.given()) {
            lines_.push_back("  " + peer_text(role.peer));
        }
        for (const plan::FunctionRef& looks : role.looks) {
            lines_.push_back("  looks first  " +
                             console_.paint(Colour::dim, place(looks.place, looks.last_line).text));
        }
        Columns table;
        std::vector<std::size_t> sizes;
        for (const plan::State& state : role.states) {
            add_state(table, role, state);
            sizes.push_back(table.size());
        }
        // One table for all states, so that their parts stand below each other; the heads between.
        const std::vector<std::string> rows = table.lines(console_, 4);
        std::size_t at = 0;
        for (std::size_t i = 0; i < role.states.size(); ++i) {
            const plan::State& state = role.states[i];
            lines_.push_back("  " + console_.paint(Colour::cyan, state.name) +
                             (state.commits ? console_.paint(Colour::yellow, "  commits") : ""));
            for (; at < sizes[i]; ++at) {
                lines_.push_back(rows[at]);
            }
        }
    }
}

void Page::add_state(Columns& table, const plan::Role& role, const plan::State& state) const {
    constexpr std::string_view head = "within ";
    std::string deadline = plan::deadline_text(plan_, state);
    deadline.erase(0, deadline.starts_with(head) ? head.size() : 0);
    table.add({{"within"}, {deadline + ", then " + late_of(role, state)}});
    if (state.enter) {
        table.add({{"enter"}, {"function"}, place(state.enter->place, state.enter->last_line)});
    }
    for (const plan::Mention& mention : mentions_of(state)) {
        const bool is_hold = mention.kind == plan::Mention::Kind::hold;
        table.add({{is_hold ? "hold" : "undo"},
                   {draw::shortened(mention.text, mention_letters_max)},
                   place(mention.place, 0)});
    }
    if (!state.next.empty()) {
        table.add({{"next"}, {"→ " + state.next, colour_of(state.next)}});
    }
    for (const plan::Handler& handler : state.handlers) {
        add_handler(table, handler);
    }
}

void Page::add_handler(Columns& table, const plan::Handler& handler) const {
    std::vector<Cell> row{{"on"}, {handler.label(), colour_of(handler.go)}};
    if (handler.run) {
        row[1].text += ", function";
        row.push_back(place(handler.run->place, handler.run->last_line));
    }
    row[1].text += handler.go.empty() ? ", stays" : " → " + handler.go;
    table.add(std::move(row));
}

void Page::add_examples(const std::string& called) {
    add_title("Run it");
    for (const std::vector<std::string>& words : example_runs(plan_, called)) {
        for (const std::string& line : broken(words)) {
            lines_.push_back("  " + line);
        }
    }
}

std::string plan_json(const script::LoadedPlan& loaded, const std::string& called) {
    const plan::Plan& plan = loaded.plan();
    json::ObjectWriter object;
    object.text("name", plan.name).text("summary", plan.summary).text("file", plan.file);
    if (!plan.parent.empty()) {
        object.text("parent", plan.parent);
    }
    object.text("digest", loaded.digest());
    add_parts(object, plan);
    std::vector<std::string> examples;
    for (const std::vector<std::string>& words : example_runs(plan, called)) {
        examples.push_back(line_of(words));
    }
    object.json("examples", json_texts(examples));
    return std::move(object).finish();
}

using Draw = std::string (*)(const plan::Plan&);

/// How to draw in a format; nothing, and a fault, for one that is not known.
Draw drawing_of(const std::string& format, plan::Faults& faults) {
    const std::vector<std::string> formats{"mermaid", "dot", "svg"};
    if (format == formats[0]) {
        return plan::draw_mermaid;
    }
    if (format == formats[1]) {
        return plan::draw_dot;
    }
    if (format == formats[2]) {
        return plan::draw_svg;
    }
    faults.push_back({{},
                      "--format",
                      "no format " + plan::shown(format),
                      plan::listed(formats),
                      plan::meant(format, formats)});
    return nullptr;
}

}  // namespace

int run_plan_show(ports::Files& files, const PlanOptions& options) {
    Console console{options.json};
    const script::Loading loading = script::load_plan(files, options.path, options.plans.front());
    if (!loading.plan) {
        return report(console, loading.faults);
    }
    const plan::Plan& plan = loading.plan->plan();
    const std::string called = call_of(files, options.path, plan.name, loading.file);
    if (console.json()) {
        return print(console, {plan_json(*loading.plan, called)});
    }
    Page page{console, plan};
    page.add_head(loading.plan->digest());
    page.add_vars();
    page.add_relations();
    page.add_roles();
    page.add_examples(called);
    return print(console, page.lines());
}

int run_plan_graph(ports::Files& files, const PlanOptions& options) {
    Console console{options.json};
    const std::string format = options.format.empty() ? "mermaid" : options.format;
    plan::Faults faults;
    const Draw draw = drawing_of(format, faults);
    const script::Loading loading = script::load_plan(files, options.path, options.plans.front());
    faults.insert(faults.end(), loading.faults.begin(), loading.faults.end());
    if (!faults.empty()) {
        return report(console, faults);
    }
    const plan::Plan& plan = loading.plan->plan();
    std::string drawing = draw(plan);
    if (!console.json()) {
        // The line brings its own end.
        drawing.erase(drawing.find_last_not_of('\n') + 1);
        return print(console, {drawing});
    }
    json::ObjectWriter object;
    object.text("name", plan.name)
        .text("file", plan.file)
        .text("format", format)
        .text("drawing", drawing)
        .json("roles", graph_json(plan));
    return print(console, {std::move(object).finish()});
}

}  // namespace ktm::cli
