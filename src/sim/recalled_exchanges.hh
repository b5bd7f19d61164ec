// SPDX-License-Identifier: Apache-2.0
// sim/recalled_exchanges.hh: what a recorded kernel, program or file can still honestly say.
//
// Theory of operation
//
// Purpose: to answer a request with what was said to the same request when it was recorded, as far
// as that is what would be said again, and to refuse where nobody knows.
//
// An answer depends on the changes that were made before. Two requests have to do with each other
// when they are of one place and share a name (an interface, a prefix, a setting), or when one of
// them names nothing, such as a list of all. A recorded answer is honest now when of all changes
// that have to do with it exactly those have been made that had been made then.
//
// A change is answered once for each time that it was recorded. A question takes the first honest
// answer that was not given yet, or else gives the latest once more.
//
// What a watch heard belongs to the change before it, or to the beginning of the watch, with its
// distance to that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "base/time.hh"
#include "trace/record.hh"

namespace ktm::sim {

/// Those of one port. Without ports and without a clock.
class RecalledExchanges {
public:
    /// Something that a watch heard.
    struct Heard {
        std::uint64_t watch = 0;  ///< The number of the request that began it.
        Duration after{};         ///< Since what it belongs to.
        json::Document message;   ///< "change", "overrun" or "end".
    };
    struct Answer {
        std::uint64_t id = 0;  ///< The number of the recorded request.
        /// After how long it came; nothing: it never did, within `silent_for`.
        std::optional<Duration> after;
        Duration silent_for{};
        const json::Document* message =
            nullptr;                      ///< With "answer" or "error"; null: it never came.
        std::vector<const Heard*> heard;  ///< What belongs to it.
        bool was_killed = false;          ///< A program that we killed.
    };
    enum class Again : std::uint8_t { never, as_before };

    /// `records` are those of one port, `end` is when the recording ended.
    RecalledExchanges(std::vector<trace::Record> records, Duration end);

    /// `request` is JSON, as it would be recorded; `words` say it for people. An error of the code
    /// "not-recorded": nobody knows. `again`: whether a question may have the same answer twice.
    /// LIFETIME: what is pointed to lives as long as this.
    [[nodiscard]] Result<Answer> answer(std::string_view place, std::string_view request,
                                        std::string_view words, Again again = Again::as_before);

    /// The first change or program that did not happen again, for people; nothing at the end.
    [[nodiscard]] std::optional<std::string> untold() const;

private:
    struct Item {
        std::uint64_t id = 0;
        std::string place;
        std::string what;
        std::string request;  ///< As JSON, without spaces.
        json::Document parsed;
        std::string words;
        std::vector<std::string> names;  ///< Sorted; none: it has to do with everything.
        bool is_change = false;
        bool had_effect = true;
        bool used = false;
        bool was_killed = false;
        Duration at{};
        std::optional<Duration> after;
        std::optional<json::Document> message;
        std::vector<Heard> heard;
        std::size_t line = 0;
    };

    void read_request(trace::Record& record, std::uint64_t id);
    void read_answer(trace::Record& record, std::uint64_t id);
    void read_heard(trace::Record& record, std::uint64_t watch);
    [[nodiscard]] Item* find(std::uint64_t id);
    [[nodiscard]] static bool is_related(const Item& one, const Item& other);
    /// The change because of which the item's answer would be no honest one now; null: none.
    [[nodiscard]] const Item* obstacle(const Item& item) const;
    [[nodiscard]] Answer answer_of(Item& item) const;
    [[nodiscard]] std::string why_not(std::string_view place, std::string_view request) const;

    std::vector<Item> items_;  ///< In the order of the recording.
    Duration end_{};
};

}  // namespace ktm::sim
