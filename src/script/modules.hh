// SPDX-License-Identifier: Apache-2.0
// script/modules.hh: what `require` finds while a plan is loaded.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "plan/fault.hh"
#include "ports/files.hh"
#include "script/interpreter.hh"
#include "script/source_text.hh"

namespace ktm::script {

/// LIMIT: one file of Lua.
inline constexpr Bytes source_max{1U << 20U};

/// The files of one plan: its own, its parents' and its modules, each read and compiled once.
class Modules {
public:
    Modules(ports::Files& files, std::vector<std::string> library, Interpreter& interpreter)
        : files_(files), library_(std::move(library)), interpreter_(interpreter) {}

    /// Modules are also found beside the plan that is being loaded.
    void enter_folder(std::string folder) { own_folder_ = std::move(folder); }

    /// Reads and compiles a file, and leaves the chunk on the stack.
    [[nodiscard]] Result<void> compile(const std::string& file);

    /// Runs a module, the first time, and leaves its value on the stack.
    [[nodiscard]] Result<void> require(const std::string& name);

    [[nodiscard]] const SourceTexts& sources() const noexcept { return sources_; }
    /// A name for all the texts together; equal texts give equal names.
    [[nodiscard]] std::string digest() const;

    /// A word that nobody knows, used while the plan is loaded.
    void note_unknown(std::string file, int line, std::string word) {
        unknown_at_load_ = true;
        unknown_globals_.push_back({std::move(file), line, std::move(word), false});
    }

    /// What Lua said of a file of ours, with its place where it begins with one.
    [[nodiscard]] plan::Fault fault_of(const std::string& file, const Error& error) const;

    [[nodiscard]] bool unknown_at_load() const noexcept { return unknown_at_load_; }

    /// Globals that are no words.
    struct UnknownGlobal {
        std::string file;
        int line = 0;
        std::string name;
        bool is_write = false;
    };
    [[nodiscard]] const std::vector<UnknownGlobal>& unknown_globals() const noexcept {
        return unknown_globals_;
    }

private:
    [[nodiscard]] std::optional<std::size_t> end_of_source(const std::string& text) const;
    [[nodiscard]] Result<std::string> find(const std::string& name) const;

    ports::Files& files_;
    std::vector<std::string> library_;
    std::string own_folder_;
    Interpreter& interpreter_;
    SourceTexts sources_;
    std::map<std::string, int> kept_;  ///< Values by file; 0 while the module is being run.
    std::map<std::string, std::uint64_t> digests_;
    std::vector<UnknownGlobal> unknown_globals_;
    bool unknown_at_load_ = false;
};

}  // namespace ktm::script
