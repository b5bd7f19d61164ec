// SPDX-License-Identifier: Apache-2.0
// model/objects.cc: object-add and object-del, for credentials.
#include "model/objects.hh"

#include <utility>

namespace ktm::model {

Reply Objects::add(const json::View& arguments) {
    const std::string type{text_of(arguments, "qom-type")};
    const std::string id{text_of(arguments, "id")};
    if (type != "tls-creds-psk" && type != "tls-creds-x509") {
        return refused("Parameter 'qom-type' does not accept value '" + type + "'");
    }
    if (credentials_.contains(id)) {
        return refused("attempt to add duplicate property '" + id +
                       "' to object (type 'container')");
    }
    const auto& keys = process_.settings().psk_keys;
    const auto key = keys.find(std::string(text_of(arguments, "dir")));
    credentials_.emplace(id, Credentials{type, key == keys.end() ? "" : key->second});
    return done();
}

Reply Objects::remove(const json::View& arguments) {
    const std::string_view id = text_of(arguments, "id");
    const auto found = credentials_.find(id);
    if (found == credentials_.end()) {
        return refused("object '" + std::string(id) + "' not found");
    }
    credentials_.erase(found);
    return done();
}

std::optional<Credentials> Objects::find(std::string_view id) const {
    if (id.empty()) {
        return Credentials{};
    }
    const auto found = credentials_.find(id);
    return found == credentials_.end() ? std::nullopt : std::optional{found->second};
}

void Objects::list(std::vector<std::string>& things) const {
    for (const auto& [id, credentials] : credentials_) {
        things.push_back("the object " + id);
    }
}

}  // namespace ktm::model
