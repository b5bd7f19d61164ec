// SPDX-License-Identifier: Apache-2.0
// model/blocks.hh: a QEMU's block layer: its nodes, its jobs, and what waits for a cut wire.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/exports.hh"
#include "model/machine.hh"
#include "model/mirror_job.hh"
#include "model/objects.hh"

namespace ktm::model {

/// What takes the main loop's time, an answer of nothing, is told later by `on_late_reply`: until
/// then QEMU executes no other command.
class Blocks {
public:
    using Later = std::optional<Reply>;

    Blocks(Process& process, Machine& machine, Objects& objects);
    Blocks(const Blocks&) = delete;
    Blocks& operator=(const Blocks&) = delete;

    [[nodiscard]] Later blockdev_add(const json::View& arguments);
    [[nodiscard]] Later blockdev_del(std::string name);
    [[nodiscard]] Reply yank(const json::View& arguments);
    [[nodiscard]] Reply blockdev_mirror(const json::View& arguments);
    [[nodiscard]] Later drive_mirror(const json::View& arguments);
    [[nodiscard]] Later block_job_cancel(std::string id, bool force);
    [[nodiscard]] Reply block_job_complete(const json::View& arguments);
    [[nodiscard]] Reply job_cancel(const json::View& arguments);
    [[nodiscard]] Reply job_complete(const json::View& arguments);

    [[nodiscard]] Reply nbd_server_start(const json::View& arguments);
    [[nodiscard]] Reply nbd_server_add(const json::View& arguments);
    [[nodiscard]] Reply block_export_add(const json::View& arguments);
    [[nodiscard]] Exports& exports() noexcept { return exports_; }

    [[nodiscard]] std::string block_jobs_json();
    [[nodiscard]] std::string jobs_json();
    [[nodiscard]] std::string block_json() const;
    [[nodiscard]] std::string nodes_json() const;
    /// Jobs, nodes and exports, as a person would call them.
    void list(std::vector<std::string>& things) const;

    /// A stop of the machine waits for what is under way; nothing when that is for ever.
    [[nodiscard]] Later drain();
    [[nodiscard]] bool has_jobs() const noexcept { return !jobs_.empty(); }
    [[nodiscard]] Duration drain_time();
    void say_drained();
    /// What the mirrors would take of the wire, in bytes a second.
    [[nodiscard]] double wire_need() const;
    /// A mirror would write to an image that is not ours any more.
    [[nodiscard]] bool has_dirty_mirror();

    [[nodiscard]] bool is_busy() const noexcept { return waiting_ != nullptr; }
    void machine_changed();
    void quit();
    void settle();
    void vanish();

private:
    struct NbdNode {
        std::string name;
        std::shared_ptr<NbdLink> link;
    };
    struct FileNode {
        std::string name;
        std::string path;
    };
    struct Target {
        std::string host;
        std::string port;
        std::string export_name;
        std::string credentials;
    };
    struct Waiting {
        UniqueFunction<Later()> again;
        std::unique_ptr<ports::Timer> timer;
        std::unique_ptr<ports::Pinned> watch;
    };

    struct Connected {
        std::shared_ptr<NbdLink> link;
        std::string fault;
        bool silent = false;
    };

    [[nodiscard]] Connected connect(const Target& target);
    [[nodiscard]] Later wait_for_wire(UniqueFunction<Later()> again, std::string when_too_late);
    void answer_late(Reply reply);
    [[nodiscard]] Later add_node(const std::string& name, const Target& target);
    [[nodiscard]] Reply add_file(const std::string& name, const std::string& path);
    [[nodiscard]] bool is_file(const std::string& name) const;
    [[nodiscard]] Later mirror_to(const MirrorJob::Settings& settings, const Target& target);
    [[nodiscard]] const Drive* drive_of(std::string_view node) const;
    [[nodiscard]] NbdNode* node_of(std::string_view name);
    [[nodiscard]] bool is_mirrored(std::string_view node) const;
    [[nodiscard]] std::optional<Reply> job_fault(const MirrorJob::Settings& settings) const;
    void begin(MirrorJob::Settings settings, std::shared_ptr<NbdLink> link);
    void end(const std::string& id, Disk* pivot);
    [[nodiscard]] MirrorJob* job_of(std::string_view id);

    Process& process_;
    Machine& machine_;
    Objects& objects_;
    Exports exports_;
    std::vector<NbdNode> nodes_;
    std::vector<FileNode> files_;  ///< Of the driver `file`; nobody uses them.
    std::vector<std::unique_ptr<MirrorJob>> jobs_;
    std::unique_ptr<Waiting> waiting_;
};

}  // namespace ktm::model
