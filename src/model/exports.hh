// SPDX-License-Identifier: Apache-2.0
// model/exports.hh: a QEMU's NBD server and what it gives out.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/machine.hh"
#include "model/mirror_job.hh"
#include "model/objects.hh"

namespace ktm::model {

class Exports {
public:
    Exports(Process& process, Machine& machine) : process_(process), machine_(machine) {}
    Exports(const Exports&) = delete;
    Exports& operator=(const Exports&) = delete;
    ~Exports() { leave(); }

    [[nodiscard]] Reply start(std::string_view host, std::string_view port, Credentials wanted);
    [[nodiscard]] Reply stop();
    [[nodiscard]] Reply add(std::string id, std::string name, const Drive& drive, bool writable);
    [[nodiscard]] Reply remove(std::string_view id, bool hard);
    [[nodiscard]] bool runs() const noexcept { return runs_; }
    [[nodiscard]] std::string json() const;
    /// The server and its exports, as a person would call them.
    void list(std::vector<std::string>& things) const;

    /// A client's side of a connection, or what its QEMU says.
    struct Connected {
        std::shared_ptr<NbdLink> link;
        std::string fault;
    };
    [[nodiscard]] Connected connect(std::string_view name, const Credentials& shown);
    /// The process is gone: each client is told by TCP.
    void vanish();

private:
    struct Export {
        std::string id;
        std::string name;
        Drive drive;
        std::vector<std::weak_ptr<NbdLink>> clients;
    };

    void drop_clients(Export& of);
    void leave();

    Process& process_;
    Machine& machine_;
    bool runs_ = false;
    Credentials wanted_;
    std::vector<Export> exports_;
    std::vector<std::unique_ptr<ports::Timer>> said_later_;
};

}  // namespace ktm::model
