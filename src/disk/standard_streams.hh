// SPDX-License-Identifier: Apache-2.0
// disk/standard_streams.hh: file descriptors 0, 1 and 2.
#pragma once

namespace ktm::disk {

/// A program may be started with some of them closed; then the next file that is opened would
/// become "stderr", and a warning would be written into it. Fills the gaps with /dev/null.
void open_missing_standard_streams() noexcept;

}  // namespace ktm::disk
