// SPDX-License-Identifier: Apache-2.0
// os/namespaces.hh: a network namespace, to be entered for a moment.
#pragma once

#include <string>

#include "base/result.hh"
#include "base/unique_function.hh"
#include "disk/descriptor.hh"

namespace ktm::os {

/// What is opened inside of a namespace stays there: sockets belong to where they were made. So
/// nothing of ours runs inside for longer than it takes to make them.
class NetworkNamespace {
public:
    /// By a path, by a name as `ip netns` gives them, or our own: "".
    [[nodiscard]] static Result<NetworkNamespace> open(const std::string& place);

    /// A later namespace has another one, also when it gets this one's inode. That is so since
    /// Linux 5.14; before, it is "DEVICE:INODE" of the namespace's file.
    [[nodiscard]] const std::string& identity() const noexcept { return identity_; }

    /// Runs `work` in there. This thread alone is moved, and it is back when this returns; where
    /// there would be no way back it does not go.
    [[nodiscard]] Result<void> inside(UniqueFunction<void()> work) const;

private:
    NetworkNamespace(disk::Descriptor file, std::string number, std::string place)
        : file_(std::move(file)), number_(std::move(number)), place_(std::move(place)) {}

    disk::Descriptor file_;
    std::string number_;
    std::string identity_;
    std::string place_;
};

/// A setting below /proc/sys/net of that namespace; its name is checked.
[[nodiscard]] Result<std::string> read_setting(const NetworkNamespace& space,
                                               const std::string& name);
[[nodiscard]] Result<void> write_setting(const NetworkNamespace& space, const std::string& name,
                                         const std::string& value);
/// The setting's file, to be written later, from anywhere.
[[nodiscard]] Result<disk::Descriptor> open_setting(const NetworkNamespace& space,
                                                    const std::string& name, int flags);

}  // namespace ktm::os
