// SPDX-License-Identifier: Apache-2.0
// host/found_journals.cc: the journals of a folder, and whose owner lives.
#include <algorithm>
#include <utility>

#include "host/recovery.hh"

namespace ktm::host {

namespace {

/// Who has it open says whether its owner lives.
Result<bool> is_alive(ports::Files& files, const std::string& path) {
    const Result<std::unique_ptr<ports::OwnedFile>> file = files.take_over(path);
    if (!file && file.error().code != "busy") {
        return Error{file.error()};
    }
    return !file;
}

}  // namespace

Result<std::vector<Found>> find_journals(ports::Files& files, const std::string& folder) {
    Result<std::vector<std::string>> names = files.list(folder);
    if (!names && names.error().code == "ENOENT") {
        return std::vector<Found>{};
    }
    if (!names) {
        return std::move(names).error();
    }
    std::vector<Found> all;
    for (const std::string& name : *names) {
        if (!name.ends_with(journal_ending)) {
            continue;
        }
        Found found;
        found.path = folder + "/" + name;
        const Result<bool> alive = is_alive(files, found.path);
        if (!alive && alive.error().code == "ENOENT") {
            continue;  // Its owner has just removed it.
        }
        found.alive = alive.has_value() && *alive;
        const Result<std::string> bytes = files.read(found.path, journal_max);
        Result<Remains> remains = bytes ? read_journal(*bytes) : Error{bytes.error()};
        if (!remains && remains.error().code == "ENOENT") {
            continue;
        }
        if (!alive || !remains) {
            found.unreadable = alive ? remains.error().sentence() : alive.error().sentence();
        } else {
            found.remains = std::move(*remains);
        }
        all.push_back(std::move(found));
    }
    return all;
}

std::vector<Found> of_vm(std::vector<Found> found, const std::string& vm) {
    std::erase_if(found, [&](const Found& one) { return one.remains.header.vm != vm; });
    return found;
}

}  // namespace ktm::host
