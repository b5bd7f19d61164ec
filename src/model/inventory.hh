// SPDX-License-Identifier: Apache-2.0
// model/inventory.hh: what a QEMU has at an instant, beside its guest, for who compares two.
#pragma once

#include <string>
#include <vector>

#include "model/migration_settings.hh"

namespace ktm::model {

struct Inventory {
    MigrationSettings settings;
    /// What it was not started with, each as a person would call it: "the block node ktm-disk0".
    std::vector<std::string> things;
};

/// What of the one is not as in the other: "capability events is on, was off; the block node
/// ktm-disk0 is there". Empty: nothing.
[[nodiscard]] std::string difference(const Inventory& before, const Inventory& now);

}  // namespace ktm::model
