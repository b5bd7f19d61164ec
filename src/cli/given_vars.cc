// SPDX-License-Identifier: Apache-2.0
// cli/given_vars.cc: what --var and --vars give, before the plan has judged it.
#include "cli/given_vars.hh"

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

/// The text as QEMU writes it in JSON: ASCII alone.
std::string ascii_json(std::string_view quoted) {
    std::string ascii;
    for (std::size_t at = 0; at < quoted.size();) {
        const auto byte = static_cast<unsigned char>(quoted[at]);
        const std::size_t size = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
        if (size == 1) {
            ascii += quoted[at++];
            continue;
        }
        std::uint32_t code = byte & (0xFFU >> (size + 1));
        for (std::size_t index = 1; index < size && at + index < quoted.size(); ++index) {
            code = code << 6U | (static_cast<unsigned char>(quoted[at + index]) & 0x3FU);
        }
        at += size;
        std::array<char, 16> unit{};
        if (code > 0xFFFF) {
            code -= 0x10000;
            (void)std::snprintf(unit.data(), unit.size(), "\\u%04X\\u%04X", 0xD800 + (code >> 10U),
                                0xDC00 + (code & 0x3FFU));
        } else {
            (void)std::snprintf(unit.data(), unit.size(), "\\u%04X", code);
        }
        ascii += unit.data();
    }
    return ascii;
}

std::string without_quotes(const std::string& quoted) {
    return quoted.substr(1, quoted.size() - 2);
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
            const std::string quoted = without_quotes(json::quoted(value.as_text()));
            secrets.add(value.as_text());
            secrets.add(quoted);
            secrets.add(ascii_json(quoted));
        }
    }
    return secrets;
}

}  // namespace ktm::cli
