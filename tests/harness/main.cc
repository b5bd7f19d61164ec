// SPDX-License-Identifier: Apache-2.0
// tests/harness/main.cc: the main of every unit test program.
#define CATCH_CONFIG_MAIN
#include "harness/reporter.hh"

CATCH_REGISTER_REPORTER("cases", CaseTapReporter)
