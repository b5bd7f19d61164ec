// SPDX-License-Identifier: Apache-2.0
// ports/loop.hh: what turns the world, and all the ports at once.
#pragma once

#include "ports/ciphers.hh"
#include "ports/clock.hh"
#include "ports/files.hh"
#include "ports/network.hh"
#include "ports/process.hh"
#include "ports/signals.hh"
#include "ports/transport.hh"

namespace ktm::ports {

class Loop : public Pinned {
public:
    /// Runs callbacks until stop() is called or nothing is left that could call back.
    virtual void run() = 0;
    virtual void stop() = 0;
};

/// Everything outside the program; a command gets this and nothing else.
struct World {
    Loop& loop;
    Clock& clock;
    Transport& transport;
    Processes& processes;
    Files& files;
    Signals& signals;
    Networks& networks;
    Ciphers& ciphers;
};

}  // namespace ktm::ports
