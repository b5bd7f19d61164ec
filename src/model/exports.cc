// SPDX-License-Identifier: Apache-2.0
// model/exports.cc: exports come and go, and their clients with them.
#include "model/exports.hh"

#include <algorithm>
#include <utility>

#include "json/writer.hh"

namespace ktm::model {

namespace {

std::string deleted(std::string_view id) {
    json::ObjectWriter data;
    data.text("id", id);
    return std::move(data).finish();
}

}  // namespace

Reply Exports::start(std::string_view host, std::string_view port, Credentials wanted) {
    if (runs_) {
        return refused("NBD server already running");
    }
    if (auto fault = process_.board().listen(process_.settings().node, host, port,
                                             Switchboard::Listener{nullptr, this})) {
        return refused(*std::move(fault));
    }
    wanted_ = std::move(wanted);
    runs_ = true;
    return done();
}

void Exports::leave() {
    if (std::exchange(runs_, false)) {
        process_.board().leave({nullptr, this});
    }
}

Reply Exports::stop() {
    if (!runs_) {
        return refused("NBD server not running");
    }
    leave();
    for (Export& gone : exports_) {
        drop_clients(gone);
        process_.say("BLOCK_EXPORT_DELETED", deleted(gone.id));
    }
    exports_.clear();
    return done();
}

Reply Exports::add(std::string id, std::string name, const Drive& drive, bool writable) {
    if (std::ranges::find(exports_, id, &Export::id) != exports_.end()) {
        return refused("Block export id '" + id + "' is already in use");
    }
    if (!runs_) {
        return refused("NBD server not running");
    }
    if (std::ranges::find(exports_, name, &Export::name) != exports_.end()) {
        return refused("NBD server already has export named '" + name + "'");
    }
    if (writable && machine_.state() != RunState::inmigrate) {
        return refused("Permission conflict on node '" + drive.node +
                       "': permissions 'write' are both required by an unnamed block device (uses "
                       "node '" +
                       drive.node +
                       "' as 'root' child) and unshared by block device "
                       "'/machine/peripheral/vblk0/virtio-backend' (uses node '" +
                       drive.node + "' as 'root' child).");
    }
    exports_.push_back({std::move(id), std::move(name), drive, {}});
    return done();
}

Reply Exports::remove(std::string_view id, bool hard) {
    const auto gone = std::ranges::find(exports_, id, &Export::id);
    if (gone == exports_.end()) {
        return refused("Export '" + std::string(id) + "' is not found");
    }
    const bool used =
        std::ranges::any_of(gone->clients, [](const auto& client) { return !client.expired(); });
    if (used && !hard) {
        return refused("export '" + std::string(id) + "' still in use");
    }
    drop_clients(*gone);
    // The last reference is dropped from the main loop, behind the answer.
    said_later_.push_back(process_.after(process_.timings().thread, [this, data = deleted(id)] {
        process_.say("BLOCK_EXPORT_DELETED", data);
    }));
    exports_.erase(gone);
    return done();
}

std::string Exports::json() const {
    std::string list = "[";
    for (const Export& shown : exports_) {
        json::ObjectWriter entry;
        entry.text("node-name", shown.drive.node).boolean("shutting-down", false);
        entry.text("type", "nbd").text("id", shown.id);
        list += (list.size() == 1 ? "" : ",") + std::move(entry).finish();
    }
    return list + "]";
}

void Exports::list(std::vector<std::string>& things) const {
    if (runs_) {
        things.emplace_back("the NBD server");
    }
    for (const Export& shown : exports_) {
        things.push_back("the export " + shown.id);
    }
}

Exports::Connected Exports::connect(std::string_view name, const Credentials& shown) {
    if (shown != wanted_) {
        return {nullptr, "TLS handshake failed: The TLS connection was non-properly terminated."};
    }
    const auto found = std::ranges::find(exports_, name, &Export::name);
    if (found == exports_.end()) {
        return {nullptr, "Requested export not available"};
    }
    auto link = std::make_shared<NbdLink>();
    link->export_name = name;
    link->disk = found->drive.disk;
    found->clients.push_back(link);
    return {link, ""};
}

void Exports::drop_clients(Export& of) {
    for (const std::weak_ptr<NbdLink>& client : std::exchange(of.clients, {})) {
        const std::shared_ptr<NbdLink> link = client.lock();
        if (link && !link->lost) {
            if (link->before_loss) {
                link->before_loss();
            }
            link->lost = true;
            if (link->after_loss) {
                link->after_loss();
            }
        }
    }
}

void Exports::vanish() {
    leave();
    for (Export& gone : exports_) {
        drop_clients(gone);
    }
    exports_.clear();
    said_later_.clear();
}

}  // namespace ktm::model
