// SPDX-License-Identifier: Apache-2.0
// main.cc: the real ports, and the command line on them.
#include "cli/app.hh"
#include "disk/standard_streams.hh"
#include "os/loop.hh"

int main(int argc, char** argv) {
    ktm::disk::open_missing_standard_streams();
    ktm::os::RealWorld world;
    return ktm::cli::run_app(world.ports(), argc, argv);
}
