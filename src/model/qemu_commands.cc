// SPDX-License-Identifier: Apache-2.0
// model/qemu_commands.cc: the commands that the model knows, their arguments, and who answers.
#include <algorithm>
#include <array>
#include <utility>

#include "json/writer.hh"
#include "model/qemu.hh"

namespace ktm::model {

namespace {

using View = json::View;
using Later = std::optional<Reply>;

constexpr std::string_view version =
    R"({"qemu":{"micro":22,"minor":2,"major":7},"package":"simulated"})";
constexpr std::string_view machines =
    R"([{"hotpluggable-cpus":true,"name":"pc-q35-7.2","numa-mem-supported":false,)"
    R"("default-cpu-type":"qemu64-x86_64-cpu","cpu-max":288,"deprecated":false,)"
    R"("default-ram-id":"pc.ram","alias":"q35"}])";

constexpr std::string_view processors =
    R"([{"thread-id":1001,"props":{"core-id":0,"thread-id":0,"socket-id":0},)"
    R"("qom-path":"/machine/unattached/device[0]","cpu-index":0,"target":"x86_64"}])";
constexpr std::string_view devices =
    R"([{"bus":0,"devices":[{"bus":0,"qdev_id":"","slot":0,"function":0,)"
    R"("class_info":{"class":1536,"desc":"Host bridge"},)"
    R"("id":{"device":10688,"subsystem-vendor":6900,"vendor":32902,"subsystem":4352},)"
    R"("regions":[]},{"bus":0,"qdev_id":"net0","slot":2,"function":0,)"
    R"("class_info":{"class":512,"desc":"Ethernet controller"},)"
    R"("id":{"device":4096,"subsystem-vendor":6900,"vendor":6900,"subsystem":1},)"
    R"("regions":[]}]}])";

Reply constant(std::string_view text) {
    return answered(std::string(text));
}

Reply name_of(const QemuSettings& settings) {
    json::ObjectWriter out;
    out.text("name", settings.name);
    return answered(std::move(out).finish());
}

Reply type_of(const QemuSettings& settings, const View& arguments) {
    const bool is_type =
        text_of(arguments, "path") == "/machine" && text_of(arguments, "property") == "type";
    return is_type ? answered("\"" + settings.machine + "-machine\"")
                   : refused("the simulation knows no property but the type of /machine");
}

Reply memory_of(const QemuSettings& settings) {
    json::ObjectWriter out;
    out.integer("base-memory", static_cast<std::int64_t>(settings.load.ram_bytes));
    out.integer("plugged-memory", 0);
    return answered(std::move(out).finish());
}

/// Of the first network device, what plans look at.
Reply rx_filter_of(const QemuSettings& settings) {
    json::ObjectWriter out;
    out.text("name", "net0").text("main-mac", settings.mac).boolean("promiscuous", false);
    return answered("[" + std::move(out).finish() + "]");
}

}  // namespace

std::span<const Qemu::Command> Qemu::machine_commands() {
    static constexpr std::array<Command, 22> commands{{
        {"query-status", "",
         [](Qemu& q, const View&) -> Later { return answered(q.status_json()); }},
        {"stop", "", [](Qemu& q, const View&) { return q.stop(); }},
        {"cont", "", [](Qemu& q, const View&) -> Later { return q.cont(); }},
        {"quit", "", [](Qemu& q, const View&) -> Later { return q.quit(); }},
        {"system_reset", "", [](Qemu& q, const View&) -> Later { return q.system_reset(); }},
        {"object-add", "qom-type:s! id:s! ...",
         [](Qemu& q, const View& a) -> Later { return q.objects_.add(a); }},
        {"object-del", "id:s!",
         [](Qemu& q, const View& a) -> Later { return q.objects_.remove(a); }},
        {"qom-list", "path:s!",
         [](Qemu& q, const View& a) -> Later { return q.objects_.names(a); }},
        {"calc-dirty-rate", "calc-time:i! sample-pages:i mode:s",
         [](Qemu& q, const View& a) -> Later { return q.calc_dirty_rate(a); }},
        {"query-dirty-rate", "",
         [](Qemu& q, const View&) -> Later { return answered(q.dirty_rate_json()); }},
        {"query-rx-filter", "name:s",
         [](Qemu& q, const View&) -> Later { return rx_filter_of(q.settings()); }},
        {"qom-get", "path:s! property:s!",
         [](Qemu& q, const View& a) -> Later { return type_of(q.settings(), a); }},
        {"query-memory-size-summary", "",
         [](Qemu& q, const View&) -> Later { return memory_of(q.settings()); }},
        {"query-cpus-fast", "", [](Qemu&, const View&) -> Later { return constant(processors); }},
        {"query-pci", "", [](Qemu&, const View&) -> Later { return constant(devices); }},
        {"query-version", "", [](Qemu&, const View&) -> Later { return constant(version); }},
        {"query-name", "", [](Qemu& q, const View&) -> Later { return name_of(q.settings()); }},
        {"query-target", "",
         [](Qemu&, const View&) -> Later { return constant(R"({"arch":"x86_64"})"); }},
        {"query-kvm", "",
         [](Qemu&, const View&) -> Later {
             return constant(R"({"enabled":true,"present":true})");
         }},
        {"query-machines", "", [](Qemu&, const View&) -> Later { return constant(machines); }},
        {"query-commands", "",
         [](Qemu&, const View&) -> Later { return answered(commands_json()); }},
        {"query-qmp-schema", "",
         [](Qemu& q, const View&) -> Later {
             return q.settings().schema.empty()
                        ? refused("The command query-qmp-schema has not been found",
                                  "CommandNotFound")
                        : constant(q.settings().schema);
         }},
    }};
    return commands;
}

std::span<const Qemu::Command> Qemu::migration_commands() {
    static constexpr std::array<Command, 11> commands{{
        {"query-migrate", "",
         [](Qemu& q, const View&) -> Later { return answered(q.migrate_json()); }},
        {"migrate", "uri:s! blk:b inc:b detach:b resume:b",
         [](Qemu& q, const View& a) -> Later { return q.outgoing_.migrate(a); }},
        {"migrate-continue", "state:s!",
         [](Qemu& q, const View& a) -> Later { return q.outgoing_.migrate_continue(a); }},
        {"migrate_cancel", "",
         [](Qemu& q, const View&) -> Later { return q.outgoing_.migrate_cancel(); }},
        {"migrate-start-postcopy", "",
         [](Qemu& q, const View&) -> Later { return q.outgoing_.migrate_start_postcopy(); }},
        {"migrate-incoming", "uri:s!",
         [](Qemu& q, const View& a) -> Later { return q.incoming_.migrate_incoming(a); }},
        {"migrate-set-capabilities", "capabilities:a!",
         [](Qemu& q, const View& a) -> Later { return q.set_capabilities(a); }},
        {"query-migrate-capabilities", "",
         [](Qemu& q, const View&) -> Later {
             return answered(q.migration_settings_.capabilities_json());
         }},
        {"migrate-set-parameters", "...",
         [](Qemu& q, const View& a) -> Later { return q.set_parameters(a); }},
        {"query-migrate-parameters", "",
         [](Qemu& q, const View&) -> Later {
             return answered(q.migration_settings_.parameters_json());
         }},
        {"announce-self", "initial:i! max:i! rounds:i! step:i! interfaces:a id:s",
         [](Qemu&, const View&) -> Later { return done(); }},
    }};
    return commands;
}

std::span<const Qemu::Command> Qemu::block_commands() {
    static constexpr std::array<Command, 19> commands{{
        {"query-block-jobs", "",
         [](Qemu& q, const View&) -> Later { return answered(q.blocks_.block_jobs_json()); }},
        {"query-jobs", "",
         [](Qemu& q, const View&) -> Later { return answered(q.blocks_.jobs_json()); }},
        {"query-block", "",
         [](Qemu& q, const View&) -> Later { return answered(q.blocks_.block_json()); }},
        {"query-named-block-nodes", "flat:b",
         [](Qemu& q, const View&) -> Later { return answered(q.blocks_.nodes_json()); }},
        {"query-block-exports", "",
         [](Qemu& q, const View&) -> Later { return answered(q.blocks_.exports().json()); }},
        {"blockdev-add", "...", [](Qemu& q, const View& a) { return q.blocks_.blockdev_add(a); }},
        {"blockdev-del", "node-name:s!",
         [](Qemu& q, const View& a) {
             return q.blocks_.blockdev_del(std::string{text_of(a, "node-name")});
         }},
        {"yank", "instances:a!", [](Qemu& q, const View& a) -> Later { return q.blocks_.yank(a); }},
        {"blockdev-mirror",
         "job-id:s device:s! target:s! sync:s! speed:i granularity:i on-target-error:s copy-mode:s",
         [](Qemu& q, const View& a) -> Later { return q.blocks_.blockdev_mirror(a); }},
        {"drive-mirror",
         "job-id:s device:s! target:s! format:s sync:s! mode:s speed:i granularity:i copy-mode:s",
         [](Qemu& q, const View& a) { return q.blocks_.drive_mirror(a); }},
        {"block-job-cancel", "device:s! force:b",
         [](Qemu& q, const View& a) {
             return q.blocks_.block_job_cancel(std::string{text_of(a, "device")},
                                               flag_of(a, "force", false));
         }},
        {"block-job-complete", "device:s!",
         [](Qemu& q, const View& a) -> Later { return q.blocks_.block_job_complete(a); }},
        {"job-cancel", "id:s!",
         [](Qemu& q, const View& a) -> Later { return q.blocks_.job_cancel(a); }},
        {"job-complete", "id:s!",
         [](Qemu& q, const View& a) -> Later { return q.blocks_.job_complete(a); }},
        {"nbd-server-start", "addr:o! tls-creds:s max-connections:i",
         [](Qemu& q, const View& a) -> Later { return q.blocks_.nbd_server_start(a); }},
        {"nbd-server-stop", "",
         [](Qemu& q, const View&) -> Later { return q.blocks_.exports().stop(); }},
        {"nbd-server-add", "device:s! name:s writable:b",
         [](Qemu& q, const View& a) -> Later { return q.blocks_.nbd_server_add(a); }},
        {"block-export-add", "type:s! id:s! node-name:s! name:s writable:b",
         [](Qemu& q, const View& a) -> Later { return q.blocks_.block_export_add(a); }},
        {"block-export-del", "id:s! mode:s",
         [](Qemu& q, const View& a) -> Later {
             return q.blocks_.exports().remove(text_of(a, "id"), text_of(a, "mode") == "hard");
         }},
    }};
    return commands;
}

const Qemu::Command* Qemu::find(std::string_view name) {
    for (const std::span<const Command> group :
         {migration_commands(), machine_commands(), block_commands()}) {
        const auto found = std::ranges::find(group, name, &Command::name);
        if (found != group.end()) {
            return &*found;
        }
    }
    return nullptr;
}

std::string Qemu::commands_json() {
    std::string list = "[";
    for (const std::span<const Command> group :
         {migration_commands(), machine_commands(), block_commands()}) {
        for (const Command& command : group) {
            json::ObjectWriter entry;
            entry.text("name", command.name);
            list += (list.size() == 1 ? "" : ",") + std::move(entry).finish();
        }
    }
    return list + "]";
}

}  // namespace ktm::model
