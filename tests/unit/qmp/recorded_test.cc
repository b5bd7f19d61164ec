// SPDX-License-Identifier: Apache-2.0
// tests/unit/qmp/recorded_test.cc: every recorded conversation plays through the session.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "json/parser.hh"
#include "unit/qmp/conversation.hh"

using namespace ktm::qmp;
using namespace ktm::qmp::testing;
namespace json = ktm::json;

namespace {

std::vector<std::filesystem::path> recordings() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(std::getenv("KTM_DATA")) + "/traces")) {
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// What a recording holds, counted from its lines, without the session.
struct Counts {
    std::size_t events = 0;
    std::size_t results = 0;
    std::size_t errors = 0;

    bool operator==(const Counts&) const = default;
};

/// Plays one recording: our side's commands are asked where they stand, QEMU's lines are heard with
/// the number that the session gave to the command which they answer.
class Player {
public:
    void play(const std::filesystem::path& file) {
        std::ifstream input{file};
        std::string line;
        while (std::getline(input, line)) {
            const ktm::Result<json::Document> record = json::parse(line);
            REQUIRE(record);
            play(record->root());
        }
        told = talk.happened();
    }

    Conversation talk;
    Lines told;
    Counts recorded;

private:
    void play(const json::View& record) {
        const std::string_view direction = *record.find_string("dir");
        if (direction == "eof") {
            talk.session.hang_up(std::nullopt);
        } else if (direction == "out") {
            ask(*record.find("msg"));
        } else {
            hear(*record.find("msg"));
        }
    }

    void ask(const json::View& command) {
        const std::string id = json::compact(*command.find("id"));
        const std::string_view name = *command.find_string("execute");
        if (name == "qmp_capabilities") {
            numbers_[id] = 1;
            return;
        }
        numbers_[id] = talk.ask(name).value;
    }

    void hear(const json::View& message) {
        recorded.events += message.find("event") ? 1 : 0;
        std::string line = json::compact(message);
        if (const auto id = message.find("id")) {
            const std::string old_id = json::compact(*id);
            recorded.results += message.find("return") && numbers_.at(old_id) != 1 ? 1 : 0;
            recorded.errors += message.find("error") ? 1 : 0;
            const std::string field = "\"id\":" + old_id;
            line.replace(line.rfind(field), field.size(),
                         "\"id\":" + std::to_string(numbers_.at(old_id)));
        }
        talk.hear(line + "\r\n");
    }

    std::map<std::string, std::uint64_t> numbers_;
};

Counts count(const Lines& told) {
    Counts counts;
    for (const std::string& line : told) {
        counts.events += line.starts_with("event ") ? 1 : 0;
        counts.results += line.starts_with("reply ") ? 1 : 0;
        const bool lost = line.ends_with(" connection-lost");
        counts.errors += line.starts_with("error ") && !lost ? 1 : 0;
    }
    return counts;
}

}  // namespace

TEST_CASE("qmp/recorded: every event, reply and error of every recording is recognised") {
    const std::vector<std::filesystem::path> files = recordings();
    REQUIRE(files.size() >= 40);
    Counts total;
    for (const std::filesystem::path& file : files) {
        INFO(file.filename().string());
        Player player;
        player.play(file);
        CHECK(count(player.told) == player.recorded);
        CHECK(std::count(player.told.begin(), player.told.end(),
                         "ready 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)") == 1);
        for (const std::string& line : player.told) {
            CHECK_FALSE(line.starts_with("warned"));
            const bool orderly = !line.starts_with("closed") || line == "closed connection-lost";
            CHECK(orderly);
        }
        total.events += player.recorded.events;
        total.errors += player.recorded.errors;
    }
    CHECK(total.events > 300);
    CHECK(total.errors > 0);
}

TEST_CASE("qmp/recorded: a killed QEMU tells the commands that were in flight") {
    Player player;
    player.play(std::string(std::getenv("KTM_DATA")) +
                "/traces/ancestor-source-abort-source.jsonl");
    CHECK(player.told.back() == "closed connection-lost");
    CHECK(player.talk.session.state() == Session::State::closed);
}
