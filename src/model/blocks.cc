// SPDX-License-Identifier: Apache-2.0
// model/blocks.cc: nodes, connections to NBD servers, and answers that wait for a wire.
#include "model/blocks.hh"

#include <algorithm>
#include <utility>

#include "json/writer.hh"

namespace ktm::model {

namespace {

/// Six tries of TCP to connect.
constexpr Duration nbd_connect_timeout = std::chrono::seconds{127};

std::string quoted_place(std::string_view host, std::string_view port) {
    return "'" + std::string(host) + ":" + std::string(port) + "'";
}

Reply no_device(std::string_view node) {
    const std::string name{node};
    return refused("Cannot find device='" + name + "' nor node-name='" + name + "'");
}

std::string image_json(const Drive& drive) {
    const auto bytes = static_cast<std::int64_t>(drive.disk->settings().bytes);
    json::ObjectWriter image;
    image.integer("virtual-size", bytes).text("filename", drive.disk->settings().file);
    image.text("format", "raw").integer("actual-size", bytes).boolean("dirty-flag", false);
    return std::move(image).finish();
}

std::string node_json(std::string_view name, std::string_view driver, std::string_view file,
                      std::string_view image) {
    json::ObjectWriter node;
    node.integer("iops_rd", 0).text("detect_zeroes", "off").json("image", image);
    node.integer("iops_wr", 0).boolean("ro", false).text("node-name", name);
    node.integer("backing_file_depth", 0).text("drv", driver).integer("iops", 0);
    node.integer("bps_wr", 0).integer("write_threshold", 0).boolean("encrypted", false);
    node.integer("bps", 0).integer("bps_rd", 0);
    node.json("cache", R"({"no-flush":false,"direct":false,"writeback":true})").text("file", file);
    return std::move(node).finish();
}

}  // namespace

Blocks::Blocks(Process& process, Machine& machine, Objects& objects)
    : process_(process), machine_(machine), objects_(objects), exports_(process, machine) {}

const Drive* Blocks::drive_of(std::string_view node) const {
    const std::vector<Drive>& drives = process_.settings().drives;
    const auto found = std::ranges::find(drives, node, &Drive::node);
    return found == drives.end() ? nullptr : &*found;
}

Blocks::NbdNode* Blocks::node_of(std::string_view name) {
    const auto found = std::ranges::find(nodes_, name, &NbdNode::name);
    return found == nodes_.end() ? nullptr : &*found;
}

Blocks::Connected Blocks::connect(const Target& target) {
    const std::optional<Credentials> shown = objects_.find(target.credentials);
    if (!shown) {
        return {nullptr, "No TLS credentials with id '" + target.credentials + "'"};
    }
    const Switchboard::Found found =
        process_.board().find(process_.settings().node, target.host, target.port);
    const std::string failed = "Failed to connect to " + quoted_place(target.host, target.port);
    if (found.reach == Switchboard::Reach::silent) {
        return {nullptr, failed + ": Connection timed out", true};
    }
    if (found.reach == Switchboard::Reach::unknown) {
        return {nullptr, failed + ": No route to host"};
    }
    if (found.listener.exports == nullptr) {
        return {nullptr, failed + ": Connection refused"};
    }
    Exports::Connected connected = found.listener.exports->connect(target.export_name, *shown);
    if (!connected.link) {
        return {nullptr, std::move(connected.fault)};
    }
    connected.link->host = target.host;
    connected.link->port = target.port;
    connected.link->over_wire = found.over_wire;
    return {std::move(connected.link), ""};
}

/// The main loop stands until the wire heals or TCP gives up.
Blocks::Later Blocks::wait_for_wire(UniqueFunction<Later()> again, std::string when_too_late) {
    waiting_ = std::make_unique<Waiting>();
    waiting_->again = std::move(again);
    waiting_->watch = process_.wire().watch([this](bool cut) {
        if (!cut) {
            waiting_->timer = process_.after(process_.wire().settings().latency * 2, [this] {
                const std::unique_ptr<Waiting> waited = std::move(waiting_);
                if (Later reply = waited->again()) {
                    answer_late(*std::move(reply));
                }
            });
        }
    });
    if (!when_too_late.empty()) {
        waiting_->timer =
            process_.after(nbd_connect_timeout, [this, desc = std::move(when_too_late)] {
                waiting_.reset();
                answer_late(refused(desc));
            });
    }
    return std::nullopt;
}

void Blocks::answer_late(Reply reply) {
    if (process_.is_alive() && process_.hooks().on_late_reply) {
        process_.hooks().on_late_reply(std::move(reply));
    }
    process_.say_idle();
}

Blocks::Later Blocks::blockdev_add(const json::View& arguments) {
    if (!arguments.find("driver")) {
        return refused("Parameter 'driver' is missing");
    }
    const std::string name{text_of(arguments, "node-name")};
    if (name.empty()) {
        return refused("'node-name' must be specified for the root node");
    }
    if (node_of(name) != nullptr || drive_of(name) != nullptr || is_file(name)) {
        return refused("Duplicate nodes with node-name='" + name + "'");
    }
    const std::optional<json::View> server = arguments.find("server");
    if (text_of(arguments, "driver") == "file") {
        return add_file(name, std::string{text_of(arguments, "filename")});
    }
    if (text_of(arguments, "driver") != "nbd") {
        return refused("this model of QEMU knows the block drivers 'nbd' and 'file' alone");
    }
    if (!server) {
        return refused("Parameter 'server' is missing");
    }
    return add_node(
        name,
        {std::string(text_of(*server, "host")), std::string(text_of(*server, "port")),
         std::string(text_of(arguments, "export")), std::string(text_of(arguments, "tls-creds"))});
}

Reply Blocks::add_file(const std::string& name, const std::string& path) {
    auto& has_file = process_.hooks().has_file;
    if (!has_file || !has_file(path)) {
        return refused("Could not open '" + path + "': No such file or directory");
    }
    files_.push_back({name, path});
    return done();
}

bool Blocks::is_file(const std::string& name) const {
    return std::ranges::find(files_, name, &FileNode::name) != files_.end();
}

Blocks::Later Blocks::add_node(const std::string& name, const Target& target) {
    Connected connected = connect(target);
    if (connected.silent) {
        return wait_for_wire([this, name, target] { return add_node(name, target); },
                             std::move(connected.fault));
    }
    if (!connected.link) {
        return refused(std::move(connected.fault));
    }
    nodes_.push_back({name, std::move(connected.link)});
    return done();
}

/// It says goodbye to its server, and waits until that is sent.
Blocks::Later Blocks::blockdev_del(std::string name) {
    if (const NbdNode* node = node_of(name); node != nullptr && !is_mirrored(name) &&
                                             node->link->over_wire && !node->link->severed &&
                                             process_.wire().is_cut()) {
        return wait_for_wire([this, name] { return blockdev_del(name); }, "");
    }
    if (drive_of(name) != nullptr || is_mirrored(name)) {
        return refused("Node " + name + " is in use");
    }
    if (std::erase_if(files_, [&](const FileNode& file) { return file.name == name; }) +
            std::erase_if(nodes_, [&](const NbdNode& node) { return node.name == name; }) ==
        0) {
        return refused("Failed to find node with node-name='" + name + "'");
    }
    return done();
}

/// Closes the connections of nodes under their users, which see that the server is gone.
Reply Blocks::yank(const json::View& arguments) {
    std::vector<NbdLink*> links;
    for (const json::View instance : arguments.find("instances")->items()) {
        NbdNode* node = node_of(text_of(instance, "node-name"));
        if (text_of(instance, "type") != "block-node" || node == nullptr) {
            return refused("Instance not found", "DeviceNotFound");
        }
        links.push_back(node->link.get());
    }
    for (NbdLink* link : links) {
        if (link->before_loss) {
            link->before_loss();
        }
        link->severed = link->lost = true;
        if (link->after_loss) {
            link->after_loss();
        }
    }
    return done();
}

Reply Blocks::nbd_server_start(const json::View& arguments) {
    const json::View address = *arguments.find("addr");
    const std::optional<json::View> data = address.find("data");
    if (text_of(address, "type") != "inet" || !data) {
        return refused("this model of QEMU has NBD servers at inet addresses alone");
    }
    const std::optional<Credentials> wanted = objects_.find(text_of(arguments, "tls-creds"));
    if (!wanted) {
        return refused("No TLS credentials with id '" +
                       std::string(text_of(arguments, "tls-creds")) + "'");
    }
    return exports_.start(text_of(*data, "host"), text_of(*data, "port"), *wanted);
}

Reply Blocks::nbd_server_add(const json::View& arguments) {
    const std::string device{text_of(arguments, "device")};
    const std::string_view name = text_of(arguments, "name");
    const Drive* drive = drive_of(device);
    if (!exports_.runs()) {
        return refused("NBD server not running");
    }
    if (drive == nullptr) {
        return no_device(device);
    }
    const std::string shown = name.empty() ? device : std::string(name);
    return exports_.add(shown, shown, *drive, flag_of(arguments, "writable", false));
}

Reply Blocks::block_export_add(const json::View& arguments) {
    const std::string node{text_of(arguments, "node-name")};
    const std::string_view name = text_of(arguments, "name");
    const Drive* drive = drive_of(node);
    if (text_of(arguments, "type") != "nbd") {
        return refused("this model of QEMU has exports of type 'nbd' alone");
    }
    if (drive == nullptr) {
        return refused("Cannot find device='' nor node-name='" + node + "'");
    }
    return exports_.add(std::string(text_of(arguments, "id")),
                        name.empty() ? node : std::string(name), *drive,
                        flag_of(arguments, "writable", false));
}

std::string Blocks::block_json() const {
    std::string list = "[";
    for (const Drive& drive : process_.settings().drives) {
        json::ObjectWriter entry;
        entry.text("io-status", "ok").text("device", "").boolean("locked", false);
        entry.boolean("removable", false);
        entry.json("inserted",
                   node_json(drive.node, "raw", drive.disk->settings().file, image_json(drive)));
        entry.text("qdev", "/machine/peripheral/v" + drive.node + "/virtio-backend");
        entry.text("type", "unknown");
        list += (list.size() == 1 ? "" : ",") + std::move(entry).finish();
    }
    return list + "]";
}

std::string Blocks::nodes_json() const {
    std::string list = "[";
    for (const NbdNode& node : nodes_) {
        const std::string file =
            "nbd://" + node.link->host + ":" + node.link->port + "/" + node.link->export_name;
        json::ObjectWriter image;
        image.integer("virtual-size", static_cast<std::int64_t>(node.link->disk->settings().bytes));
        image.text("filename", file).text("format", "nbd");
        list += (list.size() == 1 ? "" : ",") +
                node_json(node.name, "nbd", file, std::move(image).finish());
    }
    for (const FileNode& file : files_) {
        json::ObjectWriter image;
        image.integer("virtual-size", 0).text("filename", file.path).text("format", "file");
        list += (list.size() == 1 ? "" : ",") +
                node_json(file.name, "file", file.path, std::move(image).finish());
    }
    for (const Drive& drive : process_.settings().drives) {
        list += (list.size() == 1 ? "" : ",") +
                node_json(drive.node, "raw", drive.disk->settings().file, image_json(drive));
    }
    return list + "]";
}

void Blocks::list(std::vector<std::string>& things) const {
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        things.push_back("the block job " + job->id());
    }
    for (const NbdNode& node : nodes_) {
        things.push_back("the block node " + node.name);
    }
    for (const FileNode& file : files_) {
        things.push_back("the block node " + file.name);
    }
    exports_.list(things);
}

void Blocks::vanish() {
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        job->vanish();
    }
    jobs_.clear();
    nodes_.clear();
    waiting_.reset();
    exports_.vanish();
}

}  // namespace ktm::model
