// SPDX-License-Identifier: Apache-2.0
// peer/message.hh: the lines of the conversation with the other node.
//
// Each is a JSON object on one line; keys that are not known are passed over.
//
//     {"katamaran":1,"tool":…,"plan":…,"digest":…,"role":…,"run":…,"with":…,"agree":{…},
//      "heard":N,"at":T,"of":T,"came":T,"key":HEX}      the hello; `with`: the run that it looks
//      for; `key`: of the side that listens
//     {"n":N,"word":NAME,"data":{…}}                    a word
//     {"n":N,"ask":NAME,"data":{"asked":true,…}}        a word that wants an answer
//     {"n":N,"answer":N,"data":…}                       the answer to the ask of that number
//     {"n":N,"bye":HOW,"data":{…}}                      the last word: how the run has ended, and
//                                                       what it has counted
//     {"heard":N}                                       all up to N has come
//     {"beat":T,"of":T,"came":T,"heard":N}              still here; times in ns of the own run
//     {"refused":TEXT}                                  why the connection is not wanted
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hh"
#include "json/document.hh"
#include "json/parser.hh"
#include "peer/hello.hh"

namespace ktm::peer {

/// What lines tell beside their words: the clock of who sends, and what it heard last.
struct Beat {
    Instant at;                 ///< When it was sent.
    std::optional<Instant> of;  ///< The last `at` of the other side,
    Instant came;               ///< and when it came. Each in the clock of whose instant it is.
    std::uint64_t heard = 0;    ///< The highest number that has come.
};

struct Message {
    enum class Form { hello, word, ask, answer, bye, heard, beat, refused };
    Form form = Form::heard;
    std::uint64_t number = 0;
    std::uint64_t answers = 0;           ///< Of an answer: the number of the ask.
    std::string name;                    ///< The word, how the run ended, or why it is refused.
    std::string with;                    ///< Of a hello: the run that it looks for.
    std::optional<json::Document> data;  ///< Of word, ask and answer; of bye perhaps.
    Beat beat;                           ///< Of hello, beat and heard.
    Hello hello;
};

/// The code of the error when TLS is spoken to a run that has no key.
inline constexpr std::string_view tls_code = "tls";
/// Whether these, the first bytes of a connection, are a greeting or an alert of TLS.
[[nodiscard]] bool is_tls(std::string_view first) noexcept;

/// A line as a message, or why it is none. `padded_line` as json::Parser wants it.
[[nodiscard]] Result<Message> decode(json::Parser& parser, std::string_view padded_line);

/// Each with its newline; `data` is JSON on one line.
[[nodiscard]] std::string encode_hello(const Hello& hello, std::string_view with, const Beat& beat);
[[nodiscard]] std::string encode_word(std::uint64_t number, std::string_view word, bool asks,
                                      std::string_view data);
[[nodiscard]] std::string encode_answer(std::uint64_t number, std::uint64_t ask,
                                        std::string_view data);
/// Empty data is left out.
[[nodiscard]] std::string encode_bye(std::uint64_t number, std::string_view how,
                                     std::string_view data = "");
[[nodiscard]] std::string encode_heard(std::uint64_t heard);
[[nodiscard]] std::string encode_beat(const Beat& beat);
[[nodiscard]] std::string encode_refused(std::string_view why);

}  // namespace ktm::peer
