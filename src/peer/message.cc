// SPDX-License-Identifier: Apache-2.0
// peer/message.cc: the lines of the conversation with the other node.
#include "peer/message.hh"

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::peer {

namespace {

using Form = Message::Form;

constexpr std::size_t excerpt_bytes = 120;
/// LIMIT: of instants that somebody else names: ten years, so that no sum of them overflows.
constexpr std::int64_t instant_max = std::int64_t{315'360'000} * 1'000'000'000;

enum Key : std::size_t {
    key_katamaran,
    key_word,
    key_ask,
    key_answer,
    key_bye,
    key_beat,
    key_refused,
    key_n,
    key_data,
    key_heard,
    key_of,
    key_came,
    key_at,
    key_tool,
    key_plan,
    key_digest,
    key_role,
    key_run,
    key_with,
    key_agree,
    key_key,
    keys,
};
constexpr std::array<std::string_view, keys> names{
    "katamaran", "word",   "ask",   "answer", "bye",  "beat",  "refused",
    "n",         "data",   "heard", "of",     "came", "at",    "tool",
    "plan",      "digest", "role",  "run",    "with", "agree", "key"};

/// The known fields of a line, found in one look.
struct Envelope {
    std::array<std::optional<json::View>, keys> found;
    bool twice = false;  ///< One of them stands there twice.

    explicit Envelope(const json::View& line) {
        for (const json::View::Field field : line.fields()) {
            for (std::size_t key = 0; key < keys; ++key) {
                if (names[key] == field.key) {
                    twice = twice || found[key].has_value();
                    found[key] = field.value;
                    break;
                }
            }
        }
    }

    [[nodiscard]] std::optional<Form> form() const {
        // ORDER: as the keys stand.
        constexpr std::array<Form, 7> forms{Form::hello, Form::word, Form::ask,    Form::answer,
                                            Form::bye,   Form::beat, Form::refused};
        std::optional<Form> only;
        for (std::size_t key = 0; key < forms.size(); ++key) {
            if (found[key] && only) {
                return std::nullopt;
            }
            if (found[key]) {
                only = forms[key];
            }
        }
        return only || !found[key_heard] ? only : std::optional{Form::heard};
    }
};

/// Reads the fields; the first that is not what it must be makes the whole line wrong.
class LineReader {
public:
    explicit LineReader(const Envelope& envelope) : envelope_(envelope) {}

    [[nodiscard]] bool good() const noexcept { return wrong_.empty(); }
    [[nodiscard]] std::string_view wrong() const noexcept { return wrong_; }

    [[nodiscard]] bool has(Key key) const { return value_of(key).has_value(); }
    std::string text(Key key) {
        const auto value = value_of(key);
        const auto text = value ? value->as_string() : std::nullopt;
        note(text.has_value(), key);
        return std::string{text.value_or("")};
    }
    std::uint64_t number(Key key, std::uint64_t least) {
        const auto value = value_of(key);
        const auto number = value ? value->as_uint() : std::nullopt;
        note(number && *number >= least, key);
        return number.value_or(0);
    }
    Instant instant(Key key) {
        const auto value = value_of(key);
        const auto count = value ? value->as_int() : std::nullopt;
        const bool sane = count && *count >= 0 && *count <= instant_max;
        note(sane, key);
        return Instant{Duration{sane ? *count : 0}};
    }
    Beat beat(Key at) {
        Beat beat;
        beat.at = instant(at);
        beat.heard = number(key_heard, 0);
        if (value_of(key_of)) {
            beat.of = instant(key_of);
            beat.came = instant(key_came);
        }
        return beat;
    }
    std::optional<json::Document> data(bool object) {
        const auto value = value_of(key_data);
        note(value && (!object || value->is_object()), key_data);
        return good() ? std::optional{json::Document::extract(*value)} : std::nullopt;
    }
    Hello hello() {
        Hello hello;
        hello.version =
            static_cast<int>(std::min<std::uint64_t>(number(key_katamaran, 0), INT_MAX));
        if (hello.version != protocol_version) {
            return hello;  // What else stands in it is for those who know that version.
        }
        hello.tool = text(key_tool);
        hello.plan = text(key_plan);
        hello.digest = text(key_digest);
        hello.role = text(key_role);
        hello.run = text(key_run);
        note(!hello.run.empty(), key_run);
        const auto agree = value_of(key_agree);
        note(agree && agree->is_object(), key_agree);
        if (good()) {
            for (const json::View::Field field : agree->fields()) {
                const auto value = field.value.as_string();
                note(value && hello.agreed.emplace(field.key, *value).second, key_agree);
            }
        }
        if (value_of(key_key)) {
            Result<SharedKey> key = SharedKey::parse(text(key_key));
            note(key.has_value(), key_key);
            hello.key = key ? std::optional{*key} : std::nullopt;
        }
        return hello;
    }

private:
    [[nodiscard]] const std::optional<json::View>& value_of(Key key) const {
        return envelope_.found[key];
    }
    void note(bool fine, Key key) {
        if (!fine && wrong_.empty()) {
            wrong_ = names[key];
        }
    }

    const Envelope& envelope_;
    std::string_view wrong_;
};

constexpr char tls_alert = 0x15;
constexpr char tls_handshake = 0x16;
constexpr char tls_version = 0x03;

Error violation(std::string code, std::string what, std::string_view line) {
    return Error{Kind::protocol, std::move(code),
                 std::move(what) + ": " + excerpt(line, excerpt_bytes),
                 "read what the other node says", nullptr};
}

void read_into(Message& message, LineReader& reader) {
    switch (message.form) {
        case Form::hello:
            message.hello = reader.hello();
            if (message.hello.version != protocol_version) {
                break;
            }
            message.with = reader.text(key_with);
            message.beat = reader.beat(key_at);
            break;
        case Form::word:
        case Form::ask:
            message.number = reader.number(key_n, 1);
            message.name = reader.text(message.form == Form::ask ? key_ask : key_word);
            message.data = reader.data(true);
            break;
        case Form::answer:
            message.number = reader.number(key_n, 1);
            message.answers = reader.number(key_answer, 1);
            message.data = reader.data(false);
            break;
        case Form::bye:
            message.number = reader.number(key_n, 1);
            message.name = reader.text(key_bye);
            if (reader.has(key_data)) {
                message.data = reader.data(true);
            }
            break;
        case Form::heard: message.beat.heard = reader.number(key_heard, 0); break;
        case Form::beat: message.beat = reader.beat(key_beat); break;
        case Form::refused: message.name = reader.text(key_refused); break;
    }
}

std::int64_t count_of(Instant instant) {
    return instant.time_since_epoch().count();
}

void add_echo(json::ObjectWriter& line, const Beat& beat) {
    if (beat.of) {
        line.integer("of", count_of(*beat.of)).integer("came", count_of(beat.came));
    }
    line.integer("heard", static_cast<std::int64_t>(beat.heard));
}

std::string finished(json::ObjectWriter&& line) {
    return std::move(line).finish() + "\n";
}

/// {"n":7,"KEY": — what words are made of, thousands of times.
std::string numbered(std::uint64_t number, std::string_view key, std::size_t room) {
    std::string line;
    line.reserve(room + key.size() + 40);
    return line.append("{\"n\":")
        .append(std::to_string(number))
        .append(",\"")
        .append(key)
        .append("\":");
}

}  // namespace

bool is_tls(std::string_view first) noexcept {
    return first.size() > 1 && (first[0] == tls_alert || first[0] == tls_handshake) &&
           first[1] == tls_version;
}

Result<Message> decode(json::Parser& parser, std::string_view padded_line) {
    Result<json::Document> body = parser.parse_in_place(padded_line);
    if (!body) {
        Error error = std::move(body).error();
        error.kind = Kind::protocol;
        return std::move(error).while_trying("read what the other node says");
    }
    const Envelope envelope{body->root()};
    const std::optional<Form> form = envelope.form();
    if (envelope.twice) {
        return violation("duplicate-key", "a key stands twice", padded_line);
    }
    if (!form) {
        return violation("protocol-violation", "no line of a katamaran", padded_line);
    }
    LineReader reader{envelope};
    Message message;
    message.form = *form;
    read_into(message, reader);
    if (!reader.good()) {
        return violation("protocol-violation",
                         "'" + std::string{reader.wrong()} + "' is not what it must be",
                         padded_line);
    }
    return message;
}

std::string encode_hello(const Hello& hello, std::string_view with, const Beat& beat) {
    json::ObjectWriter agreed;
    for (const auto& [name, value] : hello.agreed) {
        agreed.text(name, value);
    }
    json::ObjectWriter line;
    line.integer("katamaran", hello.version)
        .text("tool", hello.tool)
        .text("plan", hello.plan)
        .text("digest", hello.digest)
        .text("role", hello.role)
        .text("run", hello.run)
        .text("with", with)
        .json("agree", std::move(agreed).finish())
        .integer("at", count_of(beat.at));
    add_echo(line, beat);
    if (hello.key) {
        line.text("key", hello.key->hex());
    }
    return finished(std::move(line));
}

std::string encode_word(std::uint64_t number, std::string_view word, bool asks,
                        std::string_view data) {
    return numbered(number, asks ? "ask" : "word", word.size() + data.size())
        .append(json::quoted(word))
        .append(",\"data\":")
        .append(data)
        .append("}\n");
}

std::string encode_answer(std::uint64_t number, std::uint64_t ask, std::string_view data) {
    return numbered(number, "answer", data.size())
        .append(std::to_string(ask))
        .append(",\"data\":")
        .append(data)
        .append("}\n");
}

std::string encode_bye(std::uint64_t number, std::string_view how, std::string_view data) {
    std::string line = numbered(number, "bye", how.size() + data.size()).append(json::quoted(how));
    if (!data.empty()) {
        line.append(",\"data\":").append(data);
    }
    return line.append("}\n");
}

std::string encode_heard(std::uint64_t heard) {
    return "{\"heard\":" + std::to_string(heard) + "}\n";
}

std::string encode_beat(const Beat& beat) {
    json::ObjectWriter line;
    line.integer("beat", count_of(beat.at));
    add_echo(line, beat);
    return finished(std::move(line));
}

std::string encode_refused(std::string_view why) {
    json::ObjectWriter line;
    line.text("refused", why);
    return finished(std::move(line));
}

}  // namespace ktm::peer
