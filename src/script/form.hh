// SPDX-License-Identifier: Apache-2.0
// script/form.hh: asks a tree for what it must have, and notes what it has not.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/document.hh"
#include "plan/fault.hh"
#include "script/datum.hh"
#include "script/source_text.hh"

namespace ktm::script {

/// Every question answers with something to go on with, so that one fault does not hide the next.
class Form {
public:
    Form(const SourceTexts& sources, plan::Faults& faults) : sources_(sources), faults_(faults) {}

    void add(plan::Fault fault) { faults_.push_back(std::move(fault)); }
    void fault(const Datum& at, std::string where, std::string what, std::string expected);
    void fault_at(plan::Place place, std::string where, std::string what, std::string expected);

    /// An item that does not belong here.
    void stray(const Datum& item, const std::string& where, const std::string& expected);
    /// Names every key of a node that is not among `keys`.
    void allow(const Datum& node, const std::string& where,
               const std::vector<std::string_view>& keys);

    [[nodiscard]] std::string text(const Datum& node, const std::string& where,
                                   std::string_view key);
    [[nodiscard]] std::optional<double> number(const Datum& node, const std::string& where,
                                               std::string_view key);
    [[nodiscard]] std::optional<bool> boolean(const Datum& node, const std::string& where,
                                              std::string_view key);
    [[nodiscard]] std::optional<plan::FunctionRef> function(const Datum& node,
                                                            const std::string& where,
                                                            std::string_view key);
    /// The items of a node, all of which must be texts.
    [[nodiscard]] std::vector<std::string> texts(const Datum& node, const std::string& where);
    /// A plain value as JSON; a node or a function in it is a fault of the subject.
    [[nodiscard]] std::optional<json::Document> json(const Datum& value, const std::string& where,
                                                     const std::string& subject);

    /// Where a key of a node stands.
    [[nodiscard]] plan::Place place_of(const Datum& node, std::string_view key) const {
        return place_of(node.place(), key);
    }
    [[nodiscard]] plan::Place place_of(const plan::Place& node, std::string_view key) const;

private:
    const SourceTexts& sources_;
    plan::Faults& faults_;
};

}  // namespace ktm::script
