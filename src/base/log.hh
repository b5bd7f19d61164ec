// SPDX-License-Identifier: Apache-2.0
// base/log.hh: the one door through which rooms below cli say something.
#pragma once

#include <string>

#include "base/unique_function.hh"

namespace ktm::log {

/// A level is defined by its reader: info for operators, debug for developers.
enum class Level { debug, info, warning, error };

using Sink = UniqueFunction<void(Level, const std::string&)>;

/// Installs where lines go. Before the first call every line is dropped.
void send_to(Sink sink);

void debug(const std::string& line);
void info(const std::string& line);
void warning(const std::string& line);
void error(const std::string& line);

}  // namespace ktm::log
