// SPDX-License-Identifier: Apache-2.0
// cli/given_vars.hh: what --var and --vars give, before the plan has judged it.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/result.hh"
#include "base/secrets.hh"
#include "json/document.hh"
#include "plan/settings.hh"
#include "ports/files.hh"

namespace ktm::cli {

class GivenVars {
public:
    /// Reads KEY=VALUE words and a file of vars; `file` may be empty. A secret is given as
    /// KEY=@FILE, or in the file of vars: on the command line every user of the machine reads it.
    void read(ports::Files& files, const plan::Plan& plan, const std::vector<std::string>& words,
              const std::string& file, plan::Faults& faults);

    [[nodiscard]] const std::vector<plan::Given>& all() const noexcept { return given_; }

private:
    void read_word(ports::Files& files, const plan::Plan& plan, const std::string& word,
                   plan::Faults& faults);
    void read_file(ports::Files& files, const std::string& file, plan::Faults& faults);

    std::vector<plan::Given> given_;
    std::deque<json::Document> documents_;  ///< LIFETIME: given_ points into it.
};

/// The secrets among the values, in every form in which they may be written.
[[nodiscard]] Secrets secrets_of(const plan::Values& values);

}  // namespace ktm::cli
