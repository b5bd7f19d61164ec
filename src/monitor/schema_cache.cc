// SPDX-License-Identifier: Apache-2.0
// monitor/schema_cache.cc: each QEMU's schema, asked for once.
#include "monitor/schema_cache.hh"

#include <utility>

#include "base/log.hh"
#include "json/writer.hh"

namespace ktm::monitor {

namespace {

constexpr Duration schema_within = std::chrono::seconds{10};
/// LIMIT: a schema has about 0.2 MiB; a larger file is not one.
constexpr Bytes file_max{16U << 20U};

Result<SharedSchema> read_schema(const Result<qmp::Reply>& reply) {
    if (!reply) {
        return reply.error();
    }
    Result<qmp::Schema> schema = qmp::Schema::read(json::Document::extract(reply->result()));
    if (!schema) {
        return std::move(schema).error();
    }
    return SharedSchema{std::make_shared<const qmp::Schema>(std::move(*schema))};
}

/// A version as a part of a file name.
std::string plain(std::string_view text) {
    std::string name;
    for (const char c : text) {
        const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '+';
        name += kept ? c : '_';
    }
    return name.substr(0, 120);
}

}  // namespace

SchemaCache::SchemaCache(ports::Files& files, std::string folder)
    : files_(files), folder_(std::move(folder)) {}

void SchemaCache::find(Client& client, Want want, Found found) {
    KTM_ASSERT(client.greeting().has_value());
    auto shared = std::make_shared<Found>(std::move(found));
    const std::string version = client.greeting()->version();
    const Result<qmp::CommandId> sent = client.run(
        "query-target", "", schema_within,
        [this, &client, want, version, shared](Result<qmp::Reply> reply) {
            const bool told = reply && reply->result().find_string("arch");
            const Key key{version, told ? std::string(*reply->result().find_string("arch")) : ""};
            find_for(client, key, want, std::move(*shared));
        });
    if (!sent) {
        (*shared)(sent.error());
    }
}

void SchemaCache::find_for(Client& client, const Key& key, Want want, Found found) {
    if (want == Want::any) {
        SharedSchema known = known_[key.text()];
        if (!known) {
            known = load(key);
        }
        if (known) {
            known_[key.text()] = known;
            found(FoundSchema{std::move(known), false});
            return;
        }
    }
    ask(client, key, std::move(found));
}

void SchemaCache::ask(Client& client, const Key& key, Found found) {
    auto shared = std::make_shared<Found>(std::move(found));
    // LIFETIME: `shared` dies with the client's command, and with it whatever waits for the answer.
    const Result<qmp::CommandId> sent = client.run(
        "query-qmp-schema", "", schema_within, [this, key, shared](Result<qmp::Reply> reply) {
            Result<SharedSchema> schema = read_schema(reply);
            if (!schema) {
                (*shared)(std::move(schema).error());
                return;
            }
            known_[key.text()] = *schema;
            store(key, **schema);
            (*shared)(FoundSchema{std::move(*schema), true});
        });
    if (!sent) {
        (*shared)(sent.error());
    }
}

std::string SchemaCache::path_for(const Key& key) const {
    return folder_ + "/qmp-schema-" + plain(key.version) + "-" + plain(key.architecture) + ".json";
}

SharedSchema SchemaCache::load(const Key& key) {
    const Result<std::string> text =
        folder_.empty() ? Result<std::string>{std::string()} : files_.read(path_for(key), file_max);
    const Result<json::Document> document = text ? json::parse(*text) : text.error();
    if (!document) {
        return nullptr;
    }
    const json::View root = document->root();
    const std::optional<json::View> types = root.find("types");
    // The name of the file is a shortened key; the key inside decides.
    if (!types || root.find_string("key") != key.text()) {
        return nullptr;
    }
    Result<qmp::Schema> schema = qmp::Schema::read(json::Document::extract(*types));
    return schema ? std::make_shared<const qmp::Schema>(std::move(*schema)) : nullptr;
}

void SchemaCache::store(const Key& key, const qmp::Schema& schema) {
    if (folder_.empty()) {
        return;
    }
    json::ObjectWriter file;
    file.text("key", key.text()).json("types", schema.text());
    const Result<void> stored = files_.replace(path_for(key), std::move(file).finish() + "\n");
    if (!stored) {
        log::debug("ignoring that the schema is not kept: " + stored.error().sentence());
    }
}

}  // namespace ktm::monitor
