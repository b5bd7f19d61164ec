// SPDX-License-Identifier: Apache-2.0
// disk/standard_streams.cc: file descriptors 0, 1 and 2.
#include "disk/standard_streams.hh"

#include <fcntl.h>
#include <unistd.h>

namespace ktm::disk {

void open_missing_standard_streams() noexcept {
    int descriptor = 0;
    do {
        descriptor = ::open("/dev/null", O_RDWR);
    } while (descriptor >= 0 && descriptor <= 2);
    if (descriptor > 2) {
        (void)::close(descriptor);
    }
}

}  // namespace ktm::disk
