// SPDX-License-Identifier: Apache-2.0
// main_sim.cc: the command line without a world: it reads and writes files, and nothing else.
#include "cli/app.hh"
#include "disk/files.hh"
#include "disk/standard_streams.hh"
#include "disk/steady_time.hh"

int main(int argc, char** argv) {
    ktm::disk::open_missing_standard_streams();
    ktm::disk::PlainFiles files;
    return ktm::cli::run_simulator({files, ktm::disk::steady_time}, argc, argv);
}
