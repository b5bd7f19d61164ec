// SPDX-License-Identifier: Apache-2.0
// model/objects.cc: object-add and object-del, for credentials.
#include "model/objects.hh"

#include <utility>

#include "json/writer.hh"

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
    Result<std::string> key = key_in(std::string(text_of(arguments, "dir")));
    if (!key) {
        return refused(key.error().what);
    }
    credentials_.emplace(id, Credentials{type, std::move(*key)});
    return done();
}

/// What stands in its file, the names of users included: who differs in either is not let in.
Result<std::string> Objects::key_in(const std::string& folder) const {
    const QemuSettings& settings = process_.settings();
    if (settings.files == nullptr) {
        const auto key = settings.psk_keys.find(folder);
        return key == settings.psk_keys.end() ? "" : key->second;
    }
    const std::string path = folder + "/keys.psk";
    const auto file = settings.files->all().find(path);
    if (file == settings.files->all().end()) {
        return Error{Kind::io, "ENOENT",
                     "Unable to access credentials " + path + ": No such file or directory", "",
                     nullptr};
    }
    return file->second;
}

Reply Objects::names(const json::View& arguments) const {
    if (text_of(arguments, "path") != "/objects") {
        return refused("Path '" + std::string(text_of(arguments, "path")) + "' not found");
    }
    std::string list = R"({"name":"type","type":"string"})";
    for (const auto& [id, credentials] : credentials_) {
        json::ObjectWriter one;
        one.text("name", id).text("type", "child<" + credentials.kind + ">");
        list += "," + std::move(one).finish();
    }
    return answered("[" + list + "]");
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
