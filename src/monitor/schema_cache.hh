// SPDX-License-Identifier: Apache-2.0
// monitor/schema_cache.hh: each QEMU's schema, asked for once.
//
// Theory of operation. query-qmp-schema holds QEMU's main loop for some 60 ms, longer than a good
// migration keeps a guest dark, so it is asked only when somebody wants it, and then remembered: in
// memory, and in a file for the next process. The key is all that tells two QEMUs apart from
// outside: version, package and target architecture. Two builds can still share a key and differ,
// so a caller who is about to refuse something because of a remembered schema asks again for a
// fresh one.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "monitor/client.hh"
#include "qmp/schema.hh"

namespace ktm::monitor {

using SharedSchema = std::shared_ptr<const qmp::Schema>;

struct FoundSchema {
    SharedSchema schema;
    bool fresh = false;  ///< It came from this QEMU just now, not from the memory or the file.
};

class SchemaCache {
public:
    using Found = UniqueFunction<void(Result<FoundSchema>)>;
    enum class Want { any, fresh };

    /// `folder` may be empty: then nothing is kept beyond this process.
    SchemaCache(ports::Files& files, std::string folder);

    /// Finds the schema of the QEMU behind `client`, which must be ready. `found` is called once,
    /// at once only when nothing could be asked, and never after the client is destroyed. LIFETIME:
    /// the cache must outlive the client's commands.
    void find(Client& client, Want want, Found found);

private:
    struct Key {
        std::string version;
        std::string architecture;
        [[nodiscard]] std::string text() const { return version + " " + architecture; }
    };

    void find_for(Client& client, const Key& key, Want want, Found found);
    void ask(Client& client, const Key& key, Found found);
    [[nodiscard]] SharedSchema load(const Key& key);
    void store(const Key& key, const qmp::Schema& schema);
    [[nodiscard]] std::string path_for(const Key& key) const;

    ports::Files& files_;
    std::string folder_;
    std::map<std::string, SharedSchema> known_;
};

}  // namespace ktm::monitor
