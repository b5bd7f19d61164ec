// SPDX-License-Identifier: Apache-2.0
// tests/fuzz/session_fuzz.cc: a hostile QEMU and a hasty client against qmp::Session.
//
// Theory of operation. The input is what QEMU sends, with single control bytes between that let our
// side act (the table `Act`): they cannot stand in QMP, so a seed stays readable text. Three
// sessions live through the same input and differ only in how the text between two acts reaches
// them: as a whole, cut at the `cut` bytes, byte by byte. All three must tell the same story, and
// each story must keep the promises of session.hh, which Watch holds.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.hh"
#include "json/writer.hh"
#include "qmp/session.hh"

namespace {

using namespace ktm;
using namespace std::chrono_literals;

/// A byte of the input that is an act of ours; `literal` lets the next byte pass as text.
enum class Act : char {
    cut = 1,
    send = 2,
    send_with_deadline = 3,
    tick_short = 4,
    tick_long = 5,
    hang_up = 6,
    finish = 7,
    fail = 8,
    literal = 0x0E,
};

enum class Cutting { whole, marked, bytes };

constexpr qmp::Limits limits{1024, 8, 5s, 5s};
constexpr Duration short_time = 700ms;
constexpr Duration long_time = 6s;

/// One session and the promises it has to keep.
class Watch {
public:
    explicit Watch(Cutting cutting)
        : cutting_(cutting), session_(limits, [this](qmp::Flow flow, std::string_view line) {
              taps_ += std::to_string(static_cast<int>(flow)) + " " + std::string(line) + "\n";
          }) {
        session_.open(now_);
    }

    /// A byte of the stream from QEMU.
    void text(char byte) {
        waiting_text_ += byte;
        if (cutting_ == Cutting::bytes) {
            deliver();
        }
    }

    void act(Act what) {
        if (what == Act::cut) {
            if (cutting_ == Cutting::marked) {
                deliver();
            }
            return;
        }
        deliver();
        switch (what) {
            case Act::send: send(std::nullopt); break;
            case Act::send_with_deadline: send(1s); break;
            case Act::tick_short: tick(short_time); break;
            case Act::tick_long: tick(long_time); break;
            case Act::hang_up: session_.hang_up(std::nullopt); break;
            case Act::finish: session_.finish(); break;
            case Act::fail:
                session_.fail(Error{Kind::io, "EPIPE", "cannot write", "", nullptr});
                break;
            case Act::cut:
            case Act::literal: break;
        }
        look();
    }

    /// Ends the session and hands over the story.
    [[nodiscard]] std::string end() {
        deliver();
        session_.finish();
        look();
        KTM_ASSERT(closed_ && session_.waiting() == 0 && !session_.deadline());
        for (const auto& [id, answers] : answers_) {
            KTM_ASSERT(answers == 1);
        }
        session_.receive("{\"event\": \"STOP\"}\r\n", now_);
        session_.hang_up(std::nullopt);
        session_.finish();
        tick(long_time);
        send(std::nullopt);
        look();
        return story_ + "tapped\n" + taps_ + "written\n" + written_;
    }

private:
    void deliver() {
        if (!waiting_text_.empty()) {
            session_.receive(std::exchange(waiting_text_, {}), now_);
            look();
        }
    }

    void send(std::optional<Duration> within) {
        const bool odd = ++sends_ % 2 == 1;
        const bool was_closed = session_.state() == qmp::Session::State::closed;
        const std::size_t waited = session_.waiting();
        const Result<qmp::CommandId> id = session_.send(
            odd ? "query-status" : "a \"name\"\n", odd ? "" : R"({"x":[1,"\n"]})", within, now_);
        KTM_ASSERT(id.has_value() == (!was_closed && waited < limits.pending_commands_max));
        if (id) {
            KTM_ASSERT(answers_.emplace(id->value, 0).second);
            story_ += "sent " + std::to_string(id->value) + "\n";
        }
    }

    void tick(Duration time) {
        now_ += time;
        session_.tick(now_);
        // Otherwise the owner's timer would fire again at once, for ever.
        const std::optional<Instant> next = session_.deadline();
        KTM_ASSERT(!next || *next > now_);
    }

    /// Takes what came out and holds it against the promises.
    void look() {
        read_output(session_.take_output());
        session_.take_happenings(happenings_);
        for (qmp::Happening& happening : happenings_) {
            KTM_ASSERT(!closed_);
            std::visit([this](auto& what) { check(what); }, happening);
        }
        KTM_ASSERT(closed_ == (session_.state() == qmp::Session::State::closed));
        KTM_ASSERT(session_.waiting() <= limits.pending_commands_max);
    }

    void read_output(const std::string& output) {
        written_ += output;
        std::size_t begin = 0;
        while (begin < output.size()) {
            const std::size_t end = output.find('\n', begin);
            KTM_ASSERT(end != std::string::npos);
            const std::string_view line = std::string_view{output}.substr(begin, end - begin);
            const Result<json::Document> command = json::parse(line);
            KTM_ASSERT(command && command->root().find_string("execute"));
            const std::optional<std::int64_t> id = command->root().find_int("id");
            KTM_ASSERT(id && on_wire_.emplace(static_cast<std::uint64_t>(*id), true).second);
            KTM_ASSERT(answers_.empty() || greeted_by_us_ || line.find("qmp_cap") != line.npos);
            greeted_by_us_ = true;
            begin = end + 1;
        }
    }

    void check(const qmp::Event& event) {
        story_ += "event " + std::string(event.name()) + " " + json::compact(event.body.root());
        if (const std::optional<json::View> data = event.data()) {
            story_ += json::compact(*data);
        }
        story_ += event.time() ? format_wall_time(*event.time()) + "\n" : "\n";
    }

    void check(const qmp::Answered& answered) {
        const auto found = answers_.find(answered.id.value);
        KTM_ASSERT(found != answers_.end() && ++found->second == 1);
        story_ += "answered " + std::to_string(answered.id.value) + " ";
        if (answered.reply) {
            KTM_ASSERT(became_ && on_wire_.contains(answered.id.value));
            KTM_ASSERT(answered.reply->body.root().find("return"));
            KTM_ASSERT(answered.reply->body.root().find("id")->as_uint() == answered.id.value);
            story_ += json::compact(answered.reply->result()) + "\n";
        } else {
            story_ += answered.reply.error().sentence() + "\n";
        }
    }

    void check(const qmp::Warned& warned) { story_ += "warned " + warned.text + "\n"; }

    void check(const qmp::Became& became) {
        KTM_ASSERT(!std::exchange(became_, true));
        story_ += "became " + became.greeting.version();
        for (const std::string& capability : became.greeting.capabilities) {
            story_ += " " + capability;
        }
        story_ += "\n";
    }

    void check(const qmp::Closed& closed) {
        closed_ = true;
        story_ += "closed " + (closed.error ? closed.error->sentence() : "by us") + "\n";
    }

    Cutting cutting_;
    Instant now_{};
    /// What happened, what was tapped and what was written: each in its order. Between the three
    /// the order depends on when the owner looks, and that is his.
    std::string story_;
    std::string taps_;
    std::string written_;
    qmp::Session session_;
    std::string waiting_text_;
    std::vector<qmp::Happening> happenings_;
    std::map<std::uint64_t, int> answers_;   ///< By command, how often it was answered.
    std::map<std::uint64_t, bool> on_wire_;  ///< The commands that were written out.
    int sends_ = 0;
    bool greeted_by_us_ = false;
    bool became_ = false;
    bool closed_ = false;
};

std::string story_of(std::string_view input, Cutting cutting) {
    Watch watch{cutting};
    for (std::size_t at = 0; at < input.size(); ++at) {
        const char byte = input[at];
        if (byte == static_cast<char>(Act::literal)) {
            at += at + 1 < input.size() ? 1 : 0;
            watch.text(input[at]);
        } else if (byte >= static_cast<char>(Act::cut) && byte <= static_cast<char>(Act::fail)) {
            watch.act(static_cast<Act>(byte));
        } else {
            watch.text(byte);
        }
    }
    return watch.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    const std::string whole = story_of(input, Cutting::whole);
    KTM_ASSERT(whole == story_of(input, Cutting::marked));
    KTM_ASSERT(whole == story_of(input, Cutting::bytes));
    // Memory in proportion to what came in: excerpts and the longest of our own sentences.
    KTM_ASSERT(whole.size() <= 4096 + 2000 * (input.size() + 1));
    return 0;
}
