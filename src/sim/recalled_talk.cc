// SPDX-License-Identifier: Apache-2.0
// sim/recalled_talk.cc: what the other node of a recording can still honestly say, and when.
#include "sim/recalled_talk.hh"

#include <algorithm>

#include "base/assert.hh"
#include "base/text.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "peer/session.hh"
#include "sim/argument_difference.hh"

namespace ktm::sim {

namespace {

/// Who has not given a sign of life for so long, while the recording went on, was silent. They come
/// twice a second, and a machine may be slow.
constexpr Duration silence_min{std::chrono::milliseconds{1500}};

/// What a plan does with a word.
std::string words_of(RecalledTalk::Form form, std::string_view name) {
    const std::string shown = "'" + printable(name) + "'";
    if (form == RecalledTalk::Form::ask) {
        return "asks the other node " + shown;
    }
    if (form == RecalledTalk::Form::answer) {
        return "answers the other node's " + shown;
    }
    return "says " + shown + " to the other node";
}

std::string at_line(std::size_t line) {
    return "line " + std::to_string(line);
}

}  // namespace

/// How far the two have come while the records are read in order.
struct RecalledTalk::Reading {
    json::Parser parser{json::Rules{json::depth_max + 2, json::Keys::first_counts}};
    Asks asked_by_us;
    Asks asked_by_them;
    std::uint64_t last_of_us = 0;  ///< The newest number: what is sent again was heard already.
    std::uint64_t last_of_them = 0;
    bool they_are_gone = false;
    std::optional<Duration> last_sign;
};

RecalledTalk::RecalledTalk(std::vector<trace::Record> records, Duration end) {
    Reading reading;
    for (trace::Record& record : records) {
        read(record, reading);
    }
    if (theirs_ && !reading.they_are_gone && reading.last_sign &&
        end - *reading.last_sign > silence_min) {
        Step silence;
        silence.deed = Deed::fell_silent;
        silence.at = *reading.last_sign;
        const auto later = std::find_if(steps_.begin(), steps_.end(),
                                        [&](const Step& step) { return step.at > silence.at; });
        steps_.insert(later, std::move(silence));
    }
}

void RecalledTalk::add(const trace::Record& record, Deed deed) {
    Step step;
    step.deed = deed;
    step.at = record.time;
    step.line = record.line;
    steps_.push_back(std::move(step));
}

void RecalledTalk::read(trace::Record& record, Reading& reading) {
    if (record.direction == trace::Direction::note && record.message) {
        const json::View message = record.message->root();
        ends_.own = message.find_string("own").value_or(ends_.own);
        ends_.other = message.find_string("other").value_or(ends_.other);
        return;
    }
    if (theirs_ && !reading.they_are_gone) {
        if (record.direction == trace::Direction::eof) {
            add(record, Deed::broke);
            reading.last_sign.reset();
        } else if (record.direction == trace::Direction::open) {
            add(record, Deed::returned);
        }
    }
    if (!record.message) {
        return;
    }
    std::string line = json::compact(record.message->root());
    line.reserve(line.size() + json::padding_bytes);
    Result<peer::Message> message = peer::decode(reading.parser, line);
    if (message) {
        read_line(record, *message, reading);
    }
}

void RecalledTalk::read_line(const trace::Record& record, peer::Message& message,
                             Reading& reading) {
    const bool by_them = record.direction == trace::Direction::in;
    if (by_them) {
        reading.last_sign = record.time;
    }
    if (message.form == Form::hello) {
        (by_them ? theirs_ : ours_) = std::move(message.hello);
        return;
    }
    if (message.form == Form::refused && by_them) {
        refusal_ = std::move(message.name);
        return;
    }
    std::uint64_t& last = by_them ? reading.last_of_them : reading.last_of_us;
    if (message.number <= last) {
        return;
    }
    last = message.number;
    if (message.form == Form::ask) {
        (by_them ? reading.asked_by_them : reading.asked_by_us)[message.number] = message.name;
    } else if (message.form == Form::answer) {
        message.name = (by_them ? reading.asked_by_us : reading.asked_by_them)[message.answers];
    }
    reading.they_are_gone = reading.they_are_gone || (by_them && message.form == Form::bye);
    add(record, by_them ? Deed::said : Deed::heard);
    steps_.back().form = message.form;
    steps_.back().name = std::move(message.name);
    // What our run had counted decides nothing at the other node.
    const bool is_our_bye = message.form == Form::bye && !by_them;
    if (message.data && !is_our_bye) {
        steps_.back().data = std::move(*message.data);
    }
}

bool RecalledTalk::is_one_plan() const noexcept {
    return ours_ && theirs_ && ours_->plan == theirs_->plan && ours_->digest == theirs_->digest;
}

// --- Telling ------------------------------------------------------------------------------------

void RecalledTalk::begin(Instant now) {
    if (began_) {
        return;
    }
    began_ = now;
    began_at_ = steps_.empty() ? Duration::zero() : steps_.front().at;
    pass_heard(now);
}

/// Over what has been heard already.
void RecalledTalk::pass_heard(Instant now) {
    while (next_ < steps_.size() && steps_[next_].deed == Deed::heard && steps_[next_].happened) {
        began_ = now;
        began_at_ = steps_[next_].at;
        ++next_;
    }
}

Result<void> RecalledTalk::hear(Form form, std::string_view name, const json::View& data,
                                Instant now) {
    const auto is_it = [&](const Step& step) {
        return step.deed == Deed::heard && !step.happened && step.form == form &&
               step.name == name && !difference(step.data.root(), data);
    };
    const auto found = std::find_if(steps_.begin(), steps_.end(), is_it);
    if (found == steps_.end()) {
        if (form == Form::bye) {
            return {};
        }
        return Error{Kind::protocol, "not-recorded",
                     "the plan " + words_of(form, name) +
                         ", and what comes of it is not known: " + why_not(form, name, data),
                     "", nullptr};
    }
    const Step* missing = nullptr;
    for (auto step = steps_.begin() + static_cast<std::ptrdiff_t>(next_); step != found; ++step) {
        if (step->deed == Deed::heard && !step->happened) {
            missing = missing == nullptr ? &*step : missing;
        } else if (step->deed == Deed::said && missing != nullptr && form != Form::bye) {
            return Error{Kind::protocol, "not-recorded",
                         "the plan " + words_of(form, name) +
                             ", and what comes of it is not known: in the recording (" +
                             at_line(found->line) + ") it " +
                             words_of(missing->form, missing->name) + " before (" +
                             at_line(missing->line) + "), and hears of it (" + at_line(step->line) +
                             ")",
                         "", nullptr};
        }
    }
    found->happened = true;
    pass_heard(now);
    return {};
}

std::optional<Instant> RecalledTalk::next_due() const {
    if (!began_ || next_ == steps_.size() || steps_[next_].deed == Deed::heard) {
        return std::nullopt;
    }
    return *began_ + std::max(steps_[next_].at - began_at_, Duration::zero());
}

const RecalledTalk::Step& RecalledTalk::take_next(Instant now) {
    KTM_ASSERT(next_due().has_value());
    Step& step = steps_[next_++];
    step.happened = true;
    began_ = now;
    began_at_ = step.at;
    pass_heard(now);
    return step;
}

/// What the recording holds instead.
std::string RecalledTalk::why_not(Form form, std::string_view name, const json::View& data) const {
    std::string often;
    for (const Step& step : steps_) {
        if (step.deed != Deed::heard || step.form != form || step.name != name) {
            continue;
        }
        if (const std::optional<std::string> where = difference(step.data.root(), data)) {
            return "the recording has it otherwise (" + at_line(step.line) + "): " + *where;
        }
        often = "the recording has it, the last time in " + at_line(step.line) +
                ", and the plan has done it as often already";
    }
    return often.empty() ? "the recording does not have it" : often;
}

std::optional<std::string> RecalledTalk::untold() const {
    const auto left = std::find_if(steps_.begin(), steps_.end(), [](const Step& step) {
        return !step.happened && step.form != Form::bye &&
               (step.deed == Deed::said || step.deed == Deed::heard);
    });
    if (left == steps_.end()) {
        return std::nullopt;
    }
    return (left->deed == Deed::said ? "what the other node says, '" : "what it hears, '") +
           printable(left->name) + "' (" + at_line(left->line) + ")";
}

}  // namespace ktm::sim
