// SPDX-License-Identifier: Apache-2.0
// tests/unit/host/secret_test.cc: a key that a run keeps in a file is gone behind each of its ends.
#include <cerrno>

#include "unit/host/stage.hh"

using namespace ktm;
using namespace ktm::host;
using namespace ktm::host::testing;
using Lines = std::vector<std::string>;

namespace {

const std::string key_folder = folder + "/00000000000000aa.keys";
const std::string key_path = key_folder + "/keys.psk";
const std::string key_entry = R"({"do":1,"kind":"hold","secret":")" + key_path + "\"}\n";

std::string code_of_key(const Result<std::string>& result) {
    return result ? "" : result.error().code;
}

bool is_key_kept(const Stage& stage) {
    return stage.sim.files().all().contains(key_path);
}

}  // namespace

TEST_CASE("host/secret: it stands in the journal, and is gone with it at the end") {
    Stage stage;
    stage.begin();
    CHECK(stage.host->keep_secret("keys.psk", "user:key\n").value_or("") == key_folder);
    CHECK(stage.sim.files().all().at(key_path) == "user:key\n");
    CHECK(stage.journal().find(key_entry) != std::string::npos);
    CHECK(stage.journal().find("user:key") == std::string::npos);
    // Once: a second time it is the same.
    CHECK(stage.host->keep_secret("keys.psk", "another").value_or("") == key_folder);
    SECTION("before the commit") {}
    SECTION("behind it") {
        CHECK(stage.host->commit());
    }
    CHECK(stage.host->close().value_or("some").empty());
    CHECK_FALSE(is_key_kept(stage));
    CHECK(stage.journals().empty());
}

TEST_CASE("host/secret: of a run that was killed it is removed by who recovers") {
    Stage stage;
    stage.begin();
    REQUIRE(stage.host->keep_secret("keys.psk", "user:key\n"));
    const bool committed = GENERATE(false, true);
    if (committed) {
        REQUIRE(stage.host->commit());
    }
    stage.kill();
    REQUIRE(is_key_kept(stage));
    const Recovering dry = recover(stage, {}, true);
    CHECK(dry.told == Lines{"undone: remove the key in " + key_path});
    CHECK(is_key_kept(stage));
    CHECK(recover(stage).told == Lines{"undone: remove the key in " + key_path});
    CHECK_FALSE(is_key_kept(stage));
    CHECK(stage.journals().empty());
}

TEST_CASE("host/secret: killed at any instant of it nothing is left behind a recovery") {
    for (unsigned acts = 0; acts < 6; ++acts) {
        Stage stage;
        stage.begin();
        stage.sim.life().end_after(acts);
        const auto kept = stage.host->keep_secret("keys.psk", "user:key\n");
        CHECK((kept.has_value() == (acts > 4) || acts > 3));
        stage.kill();
        const Recovering recovering = recover(stage);
        REQUIRE((recovering.done && *recovering.done));
        CHECK(**recovering.done == 0);
        CHECK_FALSE(is_key_kept(stage));
        CHECK(stage.journals().empty());
    }
}

TEST_CASE("host/secret: what cannot be kept is an error, and not open any more") {
    Stage stage;
    stage.begin();
    SECTION("the file cannot be written") {
        stage.sim.files().refuse_writes(4, ENOSPC);
        CHECK(code_of_key(stage.host->keep_secret("keys.psk", "user:key\n")) == "ENOSPC");
    }
    SECTION("nothing lies in memory") {
        stage.sim.files().put_on_disk("/");
        CHECK(code_of_key(stage.host->keep_secret("keys.psk", "user:key\n")) == "no-memory");
    }
    stage.sim.files().take_writes();
    CHECK_FALSE(is_key_kept(stage));
    CHECK(stage.host->close().value_or("some").empty());
}

TEST_CASE("host/secret: where journals lie on a disk it does not") {
    Stage stage;
    stage.begin();
    stage.sim.files().put_on_disk("/run");
    auto kept = stage.host->keep_secret("keys.psk", "user:key\n");
    REQUIRE(kept);
    CHECK(*kept == "/dev/shm/katamaran/00000000000000aa.keys");
    CHECK(stage.host->close());
    CHECK(stage.sim.files().all().empty());
}
