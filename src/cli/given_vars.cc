// SPDX-License-Identifier: Apache-2.0
// cli/given_vars.cc: what --var and --vars give, before the plan has judged it.
#include "cli/given_vars.hh"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/text.hh"
#include "json/parser.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

/// LIMIT: a file of vars, or of one secret.
constexpr Bytes file_max{1U << 20U};

/// LIMIT: a line of a secret that is shorter could not be told from ordinary text.
constexpr std::size_t line_bytes_min = plan::secret_bytes_min;

void append_escape(std::string& out, std::uint32_t unit) {
    std::array<char, 16> escape{};
    (void)std::snprintf(escape.data(), escape.size(), "\\u%04X", unit);
    out += escape.data();
}

/// The escape of a character that has one of two signs, or nothing.
std::string_view short_escape(char c) {
    switch (c) {
        case '"': return "\\\"";
        case '\\': return "\\\\";
        case '\b': return "\\b";
        case '\f': return "\\f";
        case '\n': return "\\n";
        case '\r': return "\\r";
        case '\t': return "\\t";
        default: return {};
    }
}

/// The text as QEMU writes it inside a string of JSON: visible ASCII alone.
std::string in_json_of_qemu(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const std::size_t size = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
        std::uint32_t code = size == 1 ? byte : byte & (0xFFU >> (size + 1));
        for (std::size_t index = 1; index < size && at + index < text.size(); ++index) {
            code = code << 6U | (static_cast<unsigned char>(text[at + index]) & 0x3FU);
        }
        if (!short_escape(text[at]).empty()) {
            out += short_escape(text[at]);
        } else if (code >= 0x20 && code < 0x7F) {
            out += text[at];
        } else if (code <= 0xFFFF) {
            append_escape(out, code);
        } else {
            append_escape(out, 0xD800 + ((code - 0x10000) >> 10U));
            append_escape(out, 0xDC00 + ((code - 0x10000) & 0x3FFU));
        }
        at += size;
    }
    return out;
}

std::string in_our_json(std::string_view text) {
    const std::string quoted = json::quoted(text);
    return quoted.substr(1, quoted.size() - 2);
}

void add_forms(Secrets& secrets, std::string_view text) {
    secrets.add(std::string{text});
    secrets.add(in_our_json(text));
    secrets.add(printable(text));
    secrets.add(in_our_json(printable(text)));
    secrets.add(in_json_of_qemu(text));
}

/// The lines of a secret that has several: who repeats it may repeat one of them alone.
void add_lines(Secrets& secrets, std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (end >= line_bytes_min) {
            add_forms(secrets, text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

}  // namespace

void GivenVars::read(ports::Files& files, const plan::Plan& plan,
                     const std::vector<std::string>& words, const std::string& file,
                     plan::Faults& faults) {
    for (const std::string& word : words) {
        read_word(files, plan, word, faults);
    }
    if (!file.empty()) {
        read_file(files, file, faults);
    }
}

void GivenVars::read_word(ports::Files& files, const plan::Plan& plan, const std::string& word,
                          plan::Faults& faults) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
        faults.push_back({{}, "--var", "'" + printable(word) + "' is no var", "NAME=VALUE", ""});
        return;
    }
    plan::Given given{word.substr(0, equals), word.substr(equals + 1), nullptr, "--var"};
    const plan::Var* var = plan.find_var(given.name);
    if (var != nullptr && var->type == plan::Type::secret) {
        if (!given.text.starts_with('@')) {
            faults.push_back(
                {{},
                 "--var " + given.name,
                 "a secret on the command line can be read by every user of the machine",
                 given.name + "=@FILE",
                 ""});
            return;
        }
        Result<std::string> content = files.read(given.text.substr(1), file_max);
        if (!content) {
            faults.push_back({{}, "--var " + given.name, content.error().sentence(), "", ""});
            return;
        }
        given.text = std::move(*content);
        while (given.text.ends_with('\n') || given.text.ends_with('\r')) {
            given.text.pop_back();
        }
    }
    given_.push_back(std::move(given));
}

void GivenVars::read_file(ports::Files& files, const std::string& file, plan::Faults& faults) {
    Result<std::string> content = files.read(file, file_max);
    if (!content) {
        faults.push_back({{file, 0}, "", content.error().sentence(), "", ""});
        return;
    }
    Result<json::Document> document = json::parse(*content);
    if (!document || !document->root().is_object()) {
        faults.push_back({{file, 0},
                          "",
                          document ? "it is no JSON object" : document.error().what,
                          "{\"NAME\": VALUE, …}",
                          ""});
        return;
    }
    for (const json::View::Field& field : document->root().fields()) {
        documents_.push_back(json::Document::extract(field.value));
        given_.push_back({std::string{field.key}, "", &documents_.back(), file});
    }
}

Secrets secrets_of(const plan::Values& values) {
    Secrets secrets;
    for (const auto& [name, value] : values) {
        if (value.type() == plan::Type::secret) {
            add_forms(secrets, value.as_text());
            add_lines(secrets, value.as_text());
        }
    }
    return secrets;
}

}  // namespace ktm::cli
