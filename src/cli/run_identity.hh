// SPDX-License-Identifier: Apache-2.0
// cli/run_identity.hh: how a run is named, and where it writes down what it must undo.
#pragma once

#include <string>

#include "host/host.hh"
#include "plan/settings.hh"
#include "ports/loop.hh"

namespace ktm::cli {

/// The folder of journals: what was given, KATAMARAN_STATE, or the default of this user.
[[nodiscard]] std::string state_folder(const std::string& given);

/// What the kernel calls the time since it was started; empty when it cannot be read.
[[nodiscard]] std::string boot_id(ports::Files& files);

/// The VM of a run: the path in its var `qmp`; empty when it has none.
[[nodiscard]] std::string vm_of(const plan::Settings& settings);

/// Named by KATAMARAN_MIGRATION_ID, or by the time and the VM.
[[nodiscard]] Result<host::Settings> identify_run(const ports::World& world,
                                                  const std::string& folder,
                                                  const std::string& plan,
                                                  const plan::Settings& settings);

/// An error when another run works on this VM, or has left something of it behind.
[[nodiscard]] Result<void> refuse_remains(ports::Files& files, const std::string& folder,
                                          const std::string& vm);

}  // namespace ktm::cli
