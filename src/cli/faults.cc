// SPDX-License-Identifier: Apache-2.0
// cli/faults.cc: everything that is wrong with a plan or its vars, shown at once.
#include "cli/faults.hh"

#include <utility>

#include "base/error.hh"
#include "json/writer.hh"

namespace ktm::cli {

int report(const Console& console, const plan::Faults& faults) {
    if (console.json()) {
        console.raw_error("{\"faults\":" + faults_json(faults) + "}");
        return exit_usage;
    }
    for (const plan::Fault& fault : faults) {
        console.error(Error{Kind::usage, "", fault.sentence(), "", nullptr});
    }
    return exit_usage;
}

std::string faults_json(const plan::Faults& faults) {
    std::string list = "[";
    for (const plan::Fault& fault : faults) {
        json::ObjectWriter object;
        object.text("file", fault.place.file.text())
            .integer("line", fault.place.line)
            .text("where", fault.where)
            .text("what", fault.what)
            .text("expected", fault.expected)
            .text("hint", fault.hint);
        list += (list.size() > 1 ? "," : "") + std::move(object).finish();
    }
    return list + "]";
}

}  // namespace ktm::cli
