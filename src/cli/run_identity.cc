// SPDX-License-Identifier: Apache-2.0
// cli/run_identity.cc: the name of a run, its journal's folder, and what earlier runs left.
#include "cli/run_identity.hh"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/migration_id.hh"
#include "host/recovery.hh"
#include "net/tag.hh"
#include "version.hh"

namespace ktm::cli {

namespace {

constexpr const char* boot_file = "/proc/sys/kernel/random/boot_id";
constexpr Bytes boot_max{4096};

std::string name_of(const host::Found& found) {
    const host::Header& header = found.remains.header;
    return "run " + header.run + " (plan " + header.plan + ", role " + header.role + ", begun " +
           header.began + ")";
}

}  // namespace

std::string state_folder(const std::string& given) {
    if (!given.empty()) {
        return given;
    }
    if (const char* folder = std::getenv("KATAMARAN_STATE"); folder != nullptr && *folder != '\0') {
        return folder;
    }
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    if (geteuid() != 0 && runtime != nullptr && *runtime == '/') {
        return std::string{runtime} + "/katamaran";
    }
    return host::state_folder_default;
}

std::string boot_id(ports::Files& files) {
    Result<std::string> text = files.read(boot_file, boot_max);
    return text ? text->substr(0, text->find('\n')) : "";
}

std::string vm_of(const plan::Settings& settings) {
    const auto socket = settings.values.find("qmp");
    const bool has_vm =
        socket != settings.values.end() && socket->second.type() == plan::Type::path;
    if (!has_vm) {
        return "";
    }
    // One socket has many names: "./vm.qmp", or a link to it.
    std::error_code fault;
    const std::filesystem::path path =
        std::filesystem::weakly_canonical(socket->second.as_text(), fault);
    return fault ? socket->second.as_text() : path.string();
}

Result<host::Settings> identify_run(const ports::World& world, const std::string& folder,
                                    const std::string& plan, const plan::Settings& settings) {
    host::Settings host;
    host.folder = folder;
    host.header.version = version;
    host.header.vm = vm_of(settings);
    host.header.plan = plan;
    host.header.role = settings.role;
    host.header.boot = boot_id(world.files);
    host.header.began = format_wall_time(world.clock.wall_now());
    Result<std::string> given = migration_id();
    if (!given) {
        return std::move(given).error();
    }
    if (given->empty()) {
        const auto now = world.clock.wall_now().time_since_epoch().count();
        host.header.run = net::digest_of(std::to_string(now) + " " + host.header.vm);
    } else {
        host.header.run = *std::move(given);
    }
    return host;
}

Result<void> refuse_remains(ports::Files& files, const std::string& folder, const std::string& vm) {
    if (vm.empty()) {
        return {};
    }
    Result<std::vector<host::Found>> all = host::find_journals(files, folder);
    if (!all) {
        return std::move(all).error().while_trying("look for what earlier runs left");
    }
    for (const host::Found& one : *all) {
        if (!one.alive && !one.unreadable.empty()) {
            return Error{Kind::refused, "remains",
                         "the journal " + one.path + " cannot be read (" + one.unreadable +
                             "), and may be of this VM; see with 'katamaran recover --by-mark "
                             "--dry-run' what its run left, then remove it",
                         "begin", nullptr};
        }
    }
    const std::vector<host::Found> found = host::of_vm(std::move(*all), vm);
    if (found.empty()) {
        return {};
    }
    const host::Found& first = found.front();
    if (first.alive) {
        return Error{Kind::refused, "busy", name_of(first) + " works on this VM", "begin", nullptr};
    }
    return Error{Kind::refused, "remains",
                 name_of(first) +
                     " ended without taking back what it changed on this host; run 'katamaran "
                     "recover' first",
                 "begin", nullptr};
}

}  // namespace ktm::cli
