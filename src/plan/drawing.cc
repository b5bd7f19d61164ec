// SPDX-License-Identifier: Apache-2.0
// plan/drawing.cc: the graph of a plan as mermaid and dot, and what all drawings show.
#include "plan/drawing.hh"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::plan {

namespace {

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// --- mermaid ----------------------------------------------------------------------------------

/// Text for mermaid: what its grammar or its markdown could take for something else is written as
/// a number, "#58;" for a colon.
std::string mermaid_text(std::string_view text) {
    constexpr std::string_view harmless = " =._-/,()+";
    std::string safe;
    for (const char c : printable(text)) {
        const bool is_plain = is_letter_or_digit(c) || static_cast<std::uint8_t>(c) >= 0x80 ||
                              harmless.find(c) != std::string_view::npos;
        if (is_plain) {
            safe += c;
        } else {
            safe += "#" + std::to_string(int{c}) + ";";
        }
    }
    return safe;
}

/// Writes one role.
class MermaidWriter {
public:
    MermaidWriter(const Plan& plan, const Role& role)
        : plan_(plan), role_(role), ends_(drawn_ends(role)) {
        for (const State& state : role.states) {
            add_id(state.name);
        }
        for (const std::string& end : ends_) {
            add_id(end);
        }
    }

    std::string write() && {
        out_ =
            "```mermaid\n---\ntitle: " + json::quoted(printable(plan_.name + ", " + role_.name)) +
            "\n---\nstateDiagram-v2\n";
        for (const State& state : role_.states) {
            write_state(state);
        }
        for (const std::string& end : ends_) {
            line("state \"" + mermaid_text(end) + "\" as " + id(end));
        }
        if (!role_.states.empty()) {
            line("[*] --> " + id(role_.states.front().name));
        }
        for (const Edge& edge : drawn_edges(role_)) {
            line(id(edge.from) + " --> " + id(edge.to) +
                 (edge.label.empty() ? "" : " : " + mermaid_text(edge.label)));
        }
        for (const std::string& end : ends_) {
            if (is_end(end)) {
                line(id(end) + " --> [*]");
            }
        }
        write_classes();
        return std::move(out_) + "```\n";
    }

private:
    void line(const std::string& text) { out_ += "    " + text + "\n"; }

    /// An id has a prefix, so that none is a word of mermaid's, and is told from others by a number
    /// where names differ in what an id cannot hold.
    void add_id(const std::string& name) {
        std::string base = "s_";
        for (const char c : name) {
            base += is_letter_or_digit(c) ? c : '_';
        }
        std::string free = base;
        for (int i = 2; used_.contains(free); ++i) {
            free = base + "_" + std::to_string(i);
        }
        if (ids_.try_emplace(name, free).second) {
            used_.insert(free);
        }
    }

    [[nodiscard]] std::string id(const std::string& name) const { return ids_.at(name); }

    void write_state(const State& state) {
        line("state \"" + mermaid_text(state.name) + "\" as " + id(state.name));
        const std::string deadline = deadline_text(plan_, state);
        if (!deadline.empty()) {
            line(id(state.name) + " : " + mermaid_text(deadline));
        }
        if (state.commits) {
            line("note right of " + id(state.name) + " : commits");
        }
    }

    void write_class(const std::string& name, const std::string& style,
                     const std::vector<std::string>& members) {
        std::string ids;
        for (const std::string& member : members) {
            ids += (ids.empty() ? "" : ",") + id(member);
        }
        if (!ids.empty()) {
            line("classDef " + name + " " + style);
            line("class " + ids + " " + name);
        }
    }

    /// Only borders have colours: the fill is the page's, which may be light or dark.
    void write_classes() {
        std::vector<std::string> committed = committed_states(role_);
        std::erase_if(committed,
                      [&](const std::string& name) { return role_.find(name)->commits; });
        std::vector<std::string> commits;
        for (const State& state : role_.states) {
            if (state.commits) {
                commits.push_back(state.name);
            }
        }
        write_class("commits", "stroke:#8250df,stroke-width:4px", commits);
        write_class("committed", "stroke:#8250df,stroke-width:2px", committed);
        write_end("good", "stroke:#1a7f37,stroke-width:2px", end_done);
        write_end("undone", "stroke:#cf222e,stroke-width:2px", end_abort);
        write_end("stuck", "stroke:#bf8700,stroke-width:2px", end_stranded);
    }

    void write_end(const std::string& name, const std::string& style, std::string_view end) {
        if (std::find(ends_.begin(), ends_.end(), end) != ends_.end()) {
            write_class(name, style, {std::string(end)});
        }
    }

    const Plan& plan_;
    const Role& role_;
    std::vector<std::string> ends_;
    std::map<std::string, std::string> ids_;  ///< By name of state or end.
    std::set<std::string> used_;
    std::string out_;
};

// --- dot --------------------------------------------------------------------------------------

/// A quoted text for graphviz, which knows backslashes and the entities of HTML.
std::string dot_text(std::string_view text) {
    std::string safe = "\"";
    for (const char c : printable(text)) {
        switch (c) {
            case '"': safe += "\\\""; break;
            case '\\': safe += "\\\\"; break;
            case '&': safe += "&amp;"; break;
            default: safe += c;
        }
    }
    return safe + "\"";
}

/// Several lines of text, each centred.
std::string dot_lines(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        const std::string safe = dot_text(line);
        text += (text.empty() ? "" : "\\n") + safe.substr(1, safe.size() - 2);
    }
    return "\"" + text + "\"";
}

std::string_view dot_colour(std::string_view end) {
    if (end == end_done) {
        return "#1a7f37";
    }
    return end == end_abort ? "#cf222e" : "#9a6700";
}

class DotWriter {
public:
    explicit DotWriter(const Plan& plan) : plan_(plan) {}

    std::string write() && {
        line("digraph " + dot_text(plan_.name) + " {");
        line("  graph [label=" +
             dot_lines({plan_.name, subtitle_of(plan_), std::string(late_legend)}) +
             ", labelloc=t, fontname=\"sans-serif\", fontsize=13, nodesep=0.4];");
        line("  node [fontname=\"sans-serif\", fontsize=11, shape=box, style=rounded];");
        line("  edge [fontname=\"sans-serif\", fontsize=10];");
        for (std::size_t i = 0; i < plan_.roles.size(); ++i) {
            write_role(plan_.roles[i], i);
        }
        line("}");
        return std::move(out_);
    }

private:
    void line(const std::string& text) { out_ += text + "\n"; }

    static std::string id(const Role& role, const std::string& name) {
        return dot_text(role.name + "." + name);
    }

    void write_role(const Role& role, std::size_t number) {
        line("  subgraph \"cluster_" + std::to_string(number) + "\" {");
        line("    label=" + dot_text(role.name) + "; style=rounded; color=\"#afb8c1\";");
        const std::vector<std::string> committed = committed_states(role);
        if (!role.states.empty()) {
            const std::string start = dot_text(role.name + ".");
            line("    " + start + " [shape=point, width=0.15, label=\"\"];");
            line("    " + start + " -> " + id(role, role.states.front().name) + ";");
        }
        for (const State& state : role.states) {
            const bool behind =
                std::find(committed.begin(), committed.end(), state.name) != committed.end();
            write_state(role, state, behind);
        }
        for (const std::string& end : drawn_ends(role)) {
            line("    " + id(role, end) + " [label=" + dot_text(end) +
                 (is_end(end) ? ", shape=doublecircle, style=solid, color=\"" +
                                    std::string(dot_colour(end)) + "\"];"
                              : ", style=dotted];"));
        }
        const std::vector<Edge> edges = drawn_edges(role);
        for (const Edge& edge : edges) {
            write_edge(role, edge);
        }
        line("  }");
    }

    void write_state(const Role& role, const State& state, bool behind) {
        std::vector<std::string> lines{state.name};
        if (const std::string deadline = deadline_text(plan_, state); !deadline.empty()) {
            lines.push_back(deadline);
        }
        if (state.commits) {
            lines.emplace_back("commits");
        }
        std::string style = "rounded";
        style += behind ? ",filled" : "";
        style += state.commits ? ",bold" : "";
        line("    " + id(role, state.name) + " [label=" + dot_lines(lines) +
             ", group=spine, style=\"" + style + "\"" +
             (behind ? ", color=\"#8250df\", fillcolor=\"#f3ecff\"" : "") +
             (state.commits ? ", penwidth=3" : "") + "];");
    }

    void write_edge(const Role& role, const Edge& edge) {
        std::string attributes;
        const auto add = [&](const std::string& text) {
            attributes += (attributes.empty() ? "" : ", ") + text;
        };
        if (!edge.label.empty()) {
            add("label=" + dot_text(" " + edge.label + " "));
        }
        if (edge.kind == Edge::Kind::late) {
            add("style=dashed");
        }
        if (is_end(edge.to)) {
            add("color=\"" + std::string(dot_colour(edge.to)) + "\"");
        } else if (leads_to_next(role, edge)) {
            add("weight=8");
        }
        line("    " + id(role, edge.from) + " -> " + id(role, edge.to) +
             (attributes.empty() ? "" : " [" + attributes + "]") + ";");
    }

    static bool leads_to_next(const Role& role, const Edge& edge) {
        const State* from = role.find(edge.from);
        const State* to = role.find(edge.to);
        return from != nullptr && to != nullptr && to - from == 1;
    }

    const Plan& plan_;
    std::string out_;
};

}  // namespace

std::vector<Edge> drawn_edges(const Role& role) {
    std::vector<Edge> edges = edges_of(role);
    std::erase_if(edges, [&](const Edge& edge) {
        const State* state = role.find(edge.from);
        return edge.kind == Edge::Kind::late && (state == nullptr || state->late.empty());
    });
    return edges;
}

std::vector<std::string> drawn_ends(const Role& role) {
    std::vector<std::string> others;
    std::set<std::string_view> seen;
    const std::vector<Edge> edges = drawn_edges(role);
    for (const Edge& edge : edges) {
        const bool is_new = role.find(edge.to) == nullptr && seen.insert(edge.to).second;
        if (is_new && !is_end(edge.to)) {
            others.push_back(edge.to);
        }
    }
    std::vector<std::string> ends;
    for (const std::string_view end : {end_done, end_abort, end_stranded}) {
        if (seen.contains(end)) {
            ends.emplace_back(end);
        }
    }
    ends.insert(ends.end(), others.begin(), others.end());
    return ends;
}

std::string deadline_text(const Plan& plan, const State& state) {
    if (!state.within) {
        return "";
    }
    std::string text = "within " + state.within->text();
    const Var* var = state.within->fixed ? nullptr : plan.find_var(state.within->var);
    if (var != nullptr && var->type == Type::duration && var->preset) {
        const Duration preset = var->preset->as_duration();
        text += " (" + Within{preset, ""}.text() + ")";
    }
    return text;
}

std::string subtitle_of(const Plan& plan) {
    return plan.parent.empty() ? plan.summary
                               : plan.summary + " (derived from " + plan.parent + ")";
}

std::string draw_mermaid(const Plan& plan) {
    std::string text;
    for (const Role& role : plan.roles) {
        text += MermaidWriter{plan, role}.write() + "\n";
    }
    std::string legend{late_legend};
    legend.front() = 'A';
    return text + legend + ".\n";
}

std::string draw_dot(const Plan& plan) {
    return DotWriter{plan}.write();
}

}  // namespace ktm::plan
