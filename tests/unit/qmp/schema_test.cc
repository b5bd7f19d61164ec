// SPDX-License-Identifier: Apache-2.0
// tests/unit/qmp/schema_test.cc: the schema of a real QEMU 7.2, and arguments typed by it.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "json/parser.hh"
#include "json/writer.hh"
#include "qmp/arguments.hh"
#include "qmp/schema.hh"

namespace json = ktm::json;
using ktm::Result;
using ktm::qmp::Schema;

namespace {

const Schema& real_schema() {
    static const Schema schema = [] {
        std::ifstream file{std::string(std::getenv("KTM_DATA")) + "/query-qmp-schema.json"};
        std::stringstream text;
        text << file.rdbuf();
        const Result<json::Document> reply = json::parse(text.str());
        return *Schema::read(json::Document::extract(*reply->root().find("return")));
    }();
    return schema;
}

/// The arguments of a command from words, or the error's text.
std::string built(std::string_view command, const std::vector<std::string>& words) {
    std::vector<ktm::qmp::WrittenArgument> arguments;
    for (const std::string& word : words) {
        const auto argument = ktm::qmp::parse_argument(word);
        if (!argument) {
            return argument.error().what;
        }
        arguments.push_back(*argument);
    }
    const Result<std::string> json = ktm::qmp::build_arguments(real_schema(), command, arguments);
    return json ? *json : json.error().what;
}

std::string checked(std::string_view command, std::string_view text) {
    const Result<json::Document> document = json::parse(text);
    const Result<void> verdict =
        ktm::qmp::check_arguments(real_schema(), command, document->root());
    return verdict ? "fits" : verdict.error().what;
}

bool has(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string refused(std::string_view text) {
    Result<json::Document> document = json::parse(text);
    const Result<Schema> schema = Schema::read(std::move(*document));
    return schema ? "read" : schema.error().code;
}

}  // namespace

TEST_CASE("qmp/schema: commands, arguments, events and capabilities of a real QEMU are known") {
    const Schema& schema = real_schema();
    CHECK(schema.commands().size() > 200);
    CHECK(schema.has_command("blockdev-mirror"));
    CHECK(schema.has_command("block-job-cancel"));
    CHECK_FALSE(schema.has_command("STOP"));
    CHECK_FALSE(schema.has_command("block-job-cancle"));
    CHECK(schema.has_event("BLOCK_JOB_READY"));
    CHECK_FALSE(schema.has_event("stop"));
    CHECK(schema.has_argument("blockdev-mirror", "copy-mode"));
    CHECK_FALSE(schema.has_argument("blockdev-mirror", "copy_mode"));
    CHECK(has(schema.capabilities(), "pause-before-switchover"));
    CHECK(has(schema.capabilities(), "multifd"));
    CHECK(schema.arguments("query-status").empty());
}

TEST_CASE("qmp/schema: it can be written down and read again") {
    const Result<json::Document> again = json::parse(real_schema().text());
    REQUIRE(again);
    const Result<Schema> schema = Schema::read(again->copy());
    REQUIRE(schema);
    CHECK(schema->commands() == real_schema().commands());
}

TEST_CASE("qmp/schema: unknown names get the nearest ones of this QEMU") {
    CHECK(real_schema().unknown_command("query-staus").what ==
          "this QEMU has no command 'query-staus'; did you mean 'query-stats' or 'query-status'?");
    CHECK(real_schema().unknown_event("BLOCK_JOB_REDY").what.find("'BLOCK_JOB_READY'") !=
          std::string::npos);
}

TEST_CASE("qmp/schema: a schema that is not complete is refused, never walked") {
    for (const char* text :
         {"{}", "[]", "[1]", R"([{"name":"a"}])", R"([{"name":"a","meta-type":"command"}])",
          R"([{"name":"a","meta-type":"object"}])", R"([{"name":"a","meta-type":"array"}])",
          R"([{"name":"a","meta-type":"strange"}])",
          R"([{"name":"a","meta-type":"command","arg-type":"none"}])",
          R"([{"name":"a","meta-type":"object","members":[{"name":"b","type":"c"}]}])",
          R"([{"name":"a","meta-type":"object","members":[],"tag":"t"}])"}) {
        INFO(text);
        CHECK(refused(text) == "bad-schema");
    }
    CHECK(refused(R"([{"name":"0","meta-type":"object","members":[]}])") == "read");
}

TEST_CASE("qmp/arguments: words become JSON of the schema's types") {
    CHECK(built("migrate-set-parameters", {"downtime-limit=25", "tls-creds=tls0"}) ==
          R"({"downtime-limit":25,"tls-creds":"tls0"})");
    CHECK(built("block-job-cancel", {"device=25", "force=true"}) ==
          R"({"device":"25","force":true})");
    CHECK(built("migrate-set-parameters", {"max-bandwidth=18446744073709551615"}) ==
          R"({"max-bandwidth":18446744073709551615})");
    CHECK(built("query-status", {}) == "{}");
}

TEST_CASE("qmp/arguments: a number is sent as JSON writes it, however it was typed") {
    CHECK(built("migrate-set-parameters", {"downtime-limit=007"}) == R"({"downtime-limit":7})");
    CHECK(built("migrate-set-parameters", {"downtime-limit=-07"}) == R"({"downtime-limit":-7})");
    CHECK(built("migrate-set-parameters", {"downtime-limit=+7"}).find("whole number") !=
          std::string::npos);
}

TEST_CASE("qmp/arguments: device_add takes the properties of every device") {
    CHECK(built("device_add", {"driver=virtio-net-pci", "netdev=n0", "rombar=0", "mq=true"}) ==
          R"({"driver":"virtio-net-pci","netdev":"n0","rombar":0,"mq":true})");
    CHECK(checked("device_add", R"({"driver":"virtio-net-pci","netdev":"n0"})") == "fits");
    CHECK(built("device_add", {"netdev=n0"}) == "the argument 'driver' is missing");
}

TEST_CASE("qmp/arguments: dots reach into objects, lists and unions") {
    CHECK(built("migrate-set-capabilities",
                {"capabilities.0.capability=events", "capabilities.0.state=on",
                 "capabilities.1.capability=multifd", "capabilities.1.state=off"}) ==
          R"({"capabilities":[{"capability":"events","state":true},)"
          R"({"capability":"multifd","state":false}]})");
    CHECK(built("blockdev-add", {"driver=nbd", "node-name=nbd0", "server.type=inet",
                                 "server.host=192.0.2.1", "server.port=10809", "export=disk0"}) ==
          R"({"driver":"nbd","node-name":"nbd0","server":{"type":"inet","host":"192.0.2.1",)"
          R"("port":"10809"},"export":"disk0"})");
    CHECK(built("nbd-server-start", {"addr.type=inet", "addr.data.host=::", "addr.data.port=1"}) ==
          R"({"addr":{"type":"inet","data":{"host":"::","port":"1"}}})");
}

TEST_CASE("qmp/arguments: JSON may stand for an object or a list, and is checked") {
    CHECK(built("migrate-set-capabilities",
                {R"(capabilities=[{"capability":"events","state":true}])"}) ==
          R"({"capabilities":[{"capability":"events","state":true}]})");
    CHECK(built("migrate-set-capabilities",
                {R"(capabilities=[{"capability":"event","state":true}])"}) ==
          "'event' does not fit capabilities.0.capability; did you mean 'events'?");
    CHECK(built("migrate-set-capabilities", {"capabilities=[1"}).find("is not JSON") !=
          std::string::npos);
}

TEST_CASE("qmp/arguments: every mistake is named, with what was expected") {
    CHECK(built("migrate-set-parameters", {"downtime-limt=1"}) ==
          "this command takes no argument 'downtime-limt'; did you mean 'downtime-limit'?");
    CHECK(built("migrate-set-parameters", {"downtime-limit=25ms"}) ==
          "'25ms' does not fit downtime-limit; expected a whole number of 64 bits");
    CHECK(built("block-job-cancel", {"device=a", "force=maybe"}) ==
          "'maybe' does not fit force; expected true or false");
    CHECK(built("block-job-cancel", {}) == "the argument 'device' is missing");
    CHECK(built("query-status", {"a=1"}) == "this command takes no argument 'a'; it takes none");
    CHECK(built("block-job-cancel", {"device=a", "device=b"}) ==
          "the argument 'device' is given twice, or both as a whole and in parts");
    CHECK(built("block-job-cancel", {"device.x=a"}).find("does not fit device") !=
          std::string::npos);
    CHECK(built("blockdev-add", {"driver=nbdd", "node-name=x"}).find("'nbd'") != std::string::npos);
    CHECK(built("blockdev-add", {"driver=nbd", "server.type=inet", "server.host=a"}) ==
          "the argument 'server.port' is missing");
    CHECK(built("migrate-set-capabilities", {"capabilities.1.state=on"}).find("capabilities.0") !=
          std::string::npos);
    CHECK(built("migrate-set-capabilities", {"capabilities=events"}).find("expected a list") !=
          std::string::npos);
    CHECK(built("stopp", {"a=1"}).find("did you mean 'stop'") != std::string::npos);
    CHECK(built("stop", {"novalue"}).find("expected KEY=VALUE") != std::string::npos);
    CHECK(built("stop", {"=1"}).find("expected KEY=VALUE") != std::string::npos);
    CHECK(built("block-job-cancel", {"device=\xff"}) ==
          "the argument 'device=\\xff' is not UTF-8, and QMP carries nothing else");
}

TEST_CASE("qmp/arguments: an alternate takes each of its forms") {
    CHECK(built("blockdev-add", {"driver=qcow2", "file=node0"}) ==
          R"({"driver":"qcow2","file":"node0"})");
    CHECK(built("blockdev-add", {"driver=raw", "file.driver=file", "file.filename=/a"}) ==
          R"({"driver":"raw","file":{"driver":"file","filename":"/a"}})");
}

TEST_CASE("qmp/arguments: a whole JSON object is held against the schema") {
    CHECK(checked("migrate-set-parameters", R"({"downtime-limit":25})") == "fits");
    CHECK(checked("migrate-set-parameters", R"({"downtime-limit":"25"})") ==
          "'\"25\"' does not fit downtime-limit; expected JSON of type int");
    CHECK(checked("migrate-set-parameters", R"({"downtime-limit":2.5})") != "fits");
    CHECK(checked("migrate-set-parameters", "[]") != "fits");
    CHECK(checked("block-job-cancel", "{}") == "the argument 'device' is missing");
    CHECK(checked("blockdev-add",
                  R"({"driver":"nbd","server":{"type":"unix","path":"/a"},"node-name":"n"})") ==
          "fits");
    CHECK(checked("blockdev-add", R"({"driver":"nbd","server":{"type":"unix","host":"a"}})") !=
          "fits");
    CHECK(checked("qom-set", R"({"path":"/a","property":"b","value":[1,{"x":null}]})") == "fits");
}

TEST_CASE("qmp/arguments: data that is nested without end is refused") {
    std::string deep = "node0";
    std::vector<std::string> words{"driver=raw"};
    std::string key = "file";
    for (int i = 0; i < 60; ++i) {
        words.push_back(key + ".driver=raw");
        key += ".file";
    }
    words.push_back(key + "=" + deep);
    CHECK(built("blockdev-add", words).find("{") == std::string::npos);
}
