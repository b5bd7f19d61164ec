// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/qemu_test.cc: claims about one migration of a modelled QEMU.
#include "unit/model/pair.hh"

using namespace ktm;
using namespace ktm::model;
using namespace ktm::model::testing;

TEST_CASE("model/qemu: a migration tells its events in the order that was measured") {
    Pair pair;
    pair.prepare();
    pair.migrate();
    CHECK(pair.run_until(pair.dest, "MIGRATION completed"));
    CHECK(joined(pair.source.told, true) ==
          "MIGRATION setup, MIGRATION_PASS 1, MIGRATION active, MIGRATION_PASS 2, guest stands, "
          "STOP, MIGRATION_PASS 3, MIGRATION completed");
    CHECK(joined(pair.dest.told, true) ==
          "MIGRATION setup, MIGRATION active, guest runs, RESUME, MIGRATION completed");
    CHECK(pair.field(pair.source, "query-status", "status") == "postmigrate");
    CHECK(pair.field(pair.dest, "query-status", "status") == "running");
}
