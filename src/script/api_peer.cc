// SPDX-License-Identifier: Apache-2.0
// script/api_peer.cc: the words of the other node, described.
#include "script/api_topics.hh"

namespace ktm::script {

namespace {

constexpr Parameter word_parameter{
    "word", "string",
    "Small letters, digits, '-', '_' and '.'; not \"lost\", \"ended\" and \"looks\", which "
    "katamaran says."};
constexpr Parameter data_parameter{
    "data", "any",
    "What JSON can hold, at most 64 KiB. The fields of a table with names are those of the event's "
    "data, and none of them is called `asked`; anything else stands in the field `value`."};

constexpr Parameter send_parameters[] = {word_parameter, data_parameter};
constexpr Parameter ask_parameters[] = {
    word_parameter,
    data_parameter,
    {"options", "table?", "How long."},
    {".within", "ktm.Duration?",
     "How long the answer may take; without it as long as the action may run."},
};
constexpr Parameter reply_parameters[] = {
    {"word", "string", "The one that was asked."},
    {"data", "any", "The answer: what JSON can hold, at most 64 KiB."},
};

constexpr std::string_view data_errors =
    "`invalid` `bad-argument`: the word is none, or a field is called `asked`.\n"
    "`invalid` `no-json`: JSON cannot hold the data.\n"
    "`invalid` `too-large`: the data is larger than 64 KiB.\n"
    "`refused` `peer-busy`: 256 words wait to be heard, or 64 asks for their answer.\n"
    "`invalid` `no-peer`: this role has no other node.";

constexpr Word peer_words[] = {
    {.name = "peer.send",
     .parameters = send_parameters,
     .returns = "boolean sent: false when the other node is lost, or its run is over",
     .errors = data_errors,
     .contexts = in_actions,
     .waits = false,
     .since = 1,
     .doc = "Says a word to the plan at the other node, where it becomes the event "
            "`\"peer:WORD\"`. It does not wait. It comes once, in the order in which it was said, "
            "also when the connection breaks and is had again; when the other node is lost, it is "
            "not known whether it came.",
     .example = R"(peer.send("resumed", { at = now() }))"},
    {.name = "peer.ask",
     .parameters = ask_parameters,
     .returns = "any answer: what the other plan replied",
     .errors = "`timeout` `no-answer`: it did not come in that time.\n"
               "`lost` `peer-lost`: the other node is lost, or its run is over.\n"
               "`invalid` `bad-argument`: the word is none, or a field is called `asked`.\n"
               "`invalid` `no-json`: JSON cannot hold the data.\n"
               "`invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration, or "
               "the data is larger than 64 KiB.\n"
               "`refused` `peer-busy`: 256 words wait to be heard, or 64 asks for their answer.\n"
               "`invalid` `no-peer`: this role has no other node.",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Says a word and waits for the answer, which the other plan gives by `peer.reply`. "
            "There it is the event `\"peer:WORD\"` with `asked = true` in its data.",
     .example = R"(local ready = peer.ask("prepare", { ram = 8 }, { within = "5s" })
log.info("the other node listens on port %d", ready.port))"},
    {.name = "peer.reply",
     .parameters = reply_parameters,
     .returns = "boolean sent: false when the other node is lost, or its run is over",
     .errors = "`invalid` `no-ask`: the other node waits for no answer to this word.\n"
               "`invalid` `bad-argument`: the word is none, or a field is called `asked`.\n"
               "`invalid` `no-json`: JSON cannot hold the data.\n"
               "`invalid` `too-large`: the data is larger than 64 KiB.\n"
               "`refused` `peer-busy`: 256 words wait to be heard.\n"
               "`invalid` `no-peer`: this role has no other node.",
     .contexts = in_actions,
     .waits = false,
     .since = 1,
     .doc =
         "Answers the oldest `peer.ask` of that word that has no answer yet, in whichever action "
         "and state.",
     .example = R"(peer.reply("prepare", { port = 4444 }))"},
    {.name = "peer.address",
     .returns = "string? address: the IP address of the other node, as this one sees it",
     .errors = "`invalid` `no-peer`: this role has no other node.",
     .contexts = in_actions,
     .waits = false,
     .since = 1,
     .doc = "The other end of the connection, or of the last one there was.",
     .example = R"(log.info("the other node is %s", peer.address()))"},
    {.name = "peer.own_address",
     .returns = "string? address: the IP address of this node, on the connection",
     .errors = "`invalid` `no-peer`: this role has no other node.",
     .contexts = in_actions,
     .waits = false,
     .since = 1,
     .doc = "This end of the connection, or of the last one there was.",
     .example = R"(log.info("this node is %s", peer.own_address()))"},
    {.name = "peer.keys",
     .returns = "string folder: where the file keys.psk is, as QEMU's tls-creds-psk reads it, for "
                "the user \"katamaran\"",
     .errors = "`refused` `not-private`: others could hear the key on the way to the other node, "
               "because the run was begun with --insecure.\n"
               "`refused` `no-memory`: there is no tmpfs for it.\n"
               "`io`, with the code of the system: it could not be written.\n"
               "`invalid` `no-peer`: this role has no other node.",
     .contexts = in_actions,
     .waits = false,
     .since = 1,
     .doc = "Writes the key of this run, which the other node has as well and no other run, into a "
            "file that only our user can read, in memory. It is removed at the end of the run, and "
            "by `katamaran recover` behind one that was killed. The plan does not see the key, and "
            "it is in no recording.",
     .example = R"(qmp("object-add", { ["qom-type"] = "tls-creds-psk", id = "tls",
  dir = peer.keys(), endpoint = "client", username = "katamaran" }))"},
    {.name = "peer.round_trip",
     .returns = "number? milliseconds: nil as long as it is not known",
     .errors = "`invalid` `no-peer`: this role has no other node.",
     .contexts = in_actions,
     .waits = false,
     .since = 1,
     .doc =
         "How long a line takes there and back: the shortest of the last 16 measurements, one of "
         "which is made twice a second.",
     .example = R"(local there_and_back = peer.round_trip()
if there_and_back then log.info("%.3f ms", there_and_back) end)"},
    {.name = "peer.silence",
     .returns = "number? milliseconds: since anything was heard of the other node",
     .errors = "`invalid` `no-peer`: this role has no other node.",
     .contexts = in_actions,
     .waits = false,
     .since = 1,
     .doc = "How long the other node is silent by now. It says something twice a second, and is "
            "lost when it was not heard for five; who must act before looks here.",
     .example = R"(if (peer.silence() or 0) > 2000 then emit("peer:mute") end)"},
    {.name = "peer.clock_offset",
     .returns = "number? milliseconds: what `now` says there minus what it says here\n"
                "number? error: the true offset is no further away than this",
     .errors = "`invalid` `no-peer`: this role has no other node.",
     .contexts = in_actions,
     .waits = false,
     .since = 1,
     .doc = "How far the clock of the run at the other node is ahead of this one's, and how sure "
            "that is: half the round trip. Both are nil as long as they are not known.",
     .example = R"(local ahead, unsure = peer.clock_offset()
if ahead then log.info("%.3f ms, give or take %.3f ms", ahead, unsure) end)"},
};

}  // namespace

Topic peer_topic() {
    return {"peer",
            "The other node",
            "What is said to the run at the other node, in a role that has `peer_to` or "
            "`peer_from`. What it says comes as the event `\"peer:WORD\"`. Katamaran itself says "
            "`\"peer:lost\"` (`why`: \"silent\", \"closed\" or \"refused\"; `text`) and "
            "`\"peer:ended\"` (`how`: \"done\", \"aborted\" or \"stranded\"). Where no state waits "
            "for them, the other node being lost, or its run having ended otherwise than done, is "
            "trouble.",
            true,
            peer_words,
            {}};
}

}  // namespace ktm::script
