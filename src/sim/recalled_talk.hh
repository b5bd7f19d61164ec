// SPDX-License-Identifier: Apache-2.0
// sim/recalled_talk.hh: what the other node of a recording can still honestly say, and when.
//
// Theory of operation
//
// Purpose: to say again what the katamaran at the other node said, to a plan that does not speak
// exactly as it did when it was recorded, and to refuse where nobody knows.
//
// The lines of the conversation are steps in the order in which they were recorded: what the other
// node said, and what it heard of us; also where its connection broke, came back, or fell silent.
// The talk goes from one step to the next: where the other node acted, after the recorded time, and
// where it heard something, when the plan has said that. What the plan says earlier than it did is
// still on its way: the other node first says what it said before it heard that.
//
// Refused is what the recording does not have, and what comes while something else is missing that
// the other node had answered to. Our goodbye is always heard: how our run ends does not depend on
// what follows it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "base/time.hh"
#include "peer/message.hh"
#include "ports/transport.hh"
#include "trace/record.hh"

namespace ktm::sim {

/// Without ports and without a clock: instants are arguments.
class RecalledTalk {
public:
    using Form = peer::Message::Form;

    enum class Deed : std::uint8_t {
        heard,
        said,
        broke,
        returned,
        fell_silent,
    };
    struct Step {
        Deed deed = Deed::said;
        Form form = Form::word;  ///< Of what was heard or said: word, ask, answer, or bye.
        std::string name;        ///< The word; of an answer the word that it answers; how it ended.
        json::Document data;
        Duration at{};  ///< Since the beginning of the recording.
        std::size_t line = 0;
        bool happened = false;
    };

    /// `records` are those of the port of the peer, `end` is when the recording ended.
    RecalledTalk(std::vector<trace::Record> records, Duration end);

    /// Theirs; nothing: nobody was there, or it was refused.
    [[nodiscard]] const std::optional<peer::Hello>& hello() const noexcept { return theirs_; }
    /// Whether both had one plan. Then they have one now, too, whatever became of ours.
    [[nodiscard]] bool is_one_plan() const noexcept;
    /// Why they would not speak to us; nothing: they did, or nobody was there.
    [[nodiscard]] const std::optional<std::string>& refusal() const noexcept { return refusal_; }
    /// The addresses of the two ends, as we saw them.
    [[nodiscard]] const ports::Stream::Ends& ends() const noexcept { return ends_; }

    /// They have greeted each other.
    void begin(Instant now);
    /// What we say. An error of the code "not-recorded": nobody knows what comes of it.
    [[nodiscard]] Result<void> hear(Form form, std::string_view name, const json::View& data,
                                    Instant now);
    /// When the other node acts next; nothing as long as it waits for us.
    [[nodiscard]] std::optional<Instant> next_due() const;
    /// The next thing that it does; only when one is due.
    [[nodiscard]] const Step& take_next(Instant now);

    /// The first thing that did not happen again, for people; nothing at the end.
    [[nodiscard]] std::optional<std::string> untold() const;

private:
    /// By its number: what was asked.
    using Asks = std::map<std::uint64_t, std::string>;
    struct Reading;

    void read(trace::Record& record, Reading& reading);
    void read_line(const trace::Record& record, peer::Message& message, Reading& reading);
    void add(const trace::Record& record, Deed deed);
    void pass_heard(Instant now);
    [[nodiscard]] std::string why_not(Form form, std::string_view name,
                                      const json::View& data) const;

    std::optional<peer::Hello> ours_;
    std::optional<peer::Hello> theirs_;
    std::optional<std::string> refusal_;
    ports::Stream::Ends ends_;
    std::vector<Step> steps_;
    std::size_t next_ = 0;
    std::optional<Instant> began_;  ///< When the step before the next one happened,
    Duration began_at_{};           ///< and when it did in the recording.
};

}  // namespace ktm::sim
