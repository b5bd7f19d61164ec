// SPDX-License-Identifier: Apache-2.0
// plan/fault.hh: what is wrong with a plan or its vars, and where.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ktm::plan {

/// The name of a source file. Each of a plan's hundreds of places has one, so equal names are kept
/// once, for the life of the process.
class FileName {
public:
    FileName() = default;
    FileName(std::string_view name);
    FileName(const std::string& name) : FileName(std::string_view{name}) {}
    FileName(const char* name) : FileName(std::string_view{name}) {}

    [[nodiscard]] const std::string& text() const noexcept { return *name_; }
    operator const std::string&() const noexcept { return *name_; }
    [[nodiscard]] bool empty() const noexcept { return name_->empty(); }
    [[nodiscard]] bool operator==(const FileName&) const = default;

private:
    [[nodiscard]] static const std::string* none();

    const std::string* name_ = none();
};

/// A place in a plan's source.
struct Place {
    FileName file;
    int line = 0;

    /// "plans/move.lua:41", or the file alone when there is no line.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool operator==(const Place&) const = default;
};

/// One thing that is wrong. All faults of a plan are collected; the first does not hide the rest.
struct Fault {
    Place place;
    std::string where;     ///< "source.precopy", "vars.downtime"; empty for the plan as a whole.
    std::string what;      ///< "no state 'swichover'".
    std::string expected;  ///< "a state of this role, or done, abort, stranded"; may be empty.
    std::string hint;      ///< The nearest name, "switchover"; may be empty.

    /// "plans/move.lua:41: source.precopy: no state 'swichover'; expected a state of this role, or
    /// done, abort, stranded; did you mean 'switchover'?"
    [[nodiscard]] std::string sentence() const;
};

using Faults = std::vector<Fault>;

/// In the order of the source; of equal ones one stays.
void sort_faults(Faults& faults);

}  // namespace ktm::plan
