// SPDX-License-Identifier: Apache-2.0
// model/objects.hh: the TLS credentials that a QEMU was given.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/process.hh"

namespace ktm::model {

/// How two ends prove themselves to each other; without a kind there is no TLS.
struct Credentials {
    std::string kind;
    std::string key;
    friend bool operator==(const Credentials&, const Credentials&) = default;
};

class Objects {
public:
    explicit Objects(Process& process) : process_(process) {}

    [[nodiscard]] Reply add(const json::View& arguments);
    [[nodiscard]] Reply remove(const json::View& arguments);
    /// Those without TLS for an empty id; nothing when there are none of that id.
    [[nodiscard]] std::optional<Credentials> find(std::string_view id) const;

    /// qom-list of the path "/objects".
    [[nodiscard]] Reply names(const json::View& arguments) const;

    /// As a person would call them.
    void list(std::vector<std::string>& things) const;

private:
    [[nodiscard]] Result<std::string> key_in(const std::string& folder) const;

    Process& process_;
    std::map<std::string, Credentials, std::less<>> credentials_;
};

}  // namespace ktm::model
