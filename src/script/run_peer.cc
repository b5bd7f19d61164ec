// SPDX-License-Identifier: Apache-2.0
// script/run_peer.cc: the other node of a run: where it is, what both must agree on, its words.
#include <lua.hpp>

#include <optional>
#include <string>
#include <utility>

#include "base/digest.hh"
#include "script/convert.hh"
#include "script/natives.hh"
#include "script/peer_side.hh"
#include "script/run.hh"

namespace ktm::script {

namespace {

/// Two secrets are told apart, and whoever listens learns next to nothing: 16 bits of a digest.
std::string mark_of_secret(const std::string& secret) {
    std::uint64_t digest = digest_begin;
    for (const char c : secret) {
        digest = digest_with(digest, static_cast<unsigned char>(c));
    }
    const std::uint64_t folded = (digest ^ digest >> 16U ^ digest >> 32U ^ digest >> 48U) & 0xffffU;
    return "(secret, mark " + std::to_string(folded) + ")";
}

std::string agreed_text(const plan::Values& values, const std::string& name) {
    const auto value = values.find(name);
    if (value == values.end()) {
        return "(none)";
    }
    return value->second.type() == plan::Type::secret ? mark_of_secret(value->second.as_text())
                                                      : value->second.text();
}

}  // namespace

std::optional<PeerPlace> peer_place_of(const plan::Plan& plan, const plan::Settings& settings) {
    const plan::Role* role = plan.find(settings.role);
    if (role == nullptr || !role->peer.given()) {
        return std::nullopt;
    }
    const plan::PeerKeys& keys = role->peer;
    const bool connects = !keys.to.empty();
    const auto address = settings.values.find(connects ? keys.to : keys.from);
    const auto port = settings.values.find(keys.port);
    KTM_ASSERT(address != settings.values.end());
    Result<IpAddress> ip = IpAddress::parse(address->second.as_text());
    KTM_ASSERT(ip.has_value());
    const auto number = port == settings.values.end()
                            ? plan::peer_port_default
                            : static_cast<std::uint16_t>(port->second.as_int());
    return PeerPlace{connects, *ip, number};
}

void Run::make_peer() {
    const std::optional<PeerPlace> place = peer_place_of(plan_.plan(), settings_);
    if (!place) {
        return;
    }
    const host::Header& header = host_settings_.header;
    peer::Hello hello;
    hello.tool = header.version;
    hello.plan = plan_.plan().name;
    hello.digest = plan_.digest();
    hello.role = settings_.role;
    // Somebody may give two runs, one after the other, the same name.
    hello.run = header.run + " of " + header.began;
    for (const plan::Var& var : plan_.plan().vars) {
        if (var.agree) {
            hello.agreed[var.name] = agreed_text(settings_.values, var.name);
        }
    }
    if (!place->connects && peer_options_.is_private) {
        if (Result<SharedKey> key = world_.ciphers.make_key()) {
            hello.key = *key;
        }
    }
    peer_ = std::make_unique<PeerSide>(*this, world_, recorder_, *place, std::move(hello),
                                       peer_options_);
}

// --- The words --------------------------------------------------------------------------------

namespace {

/// LIMIT: of what a word carries.
constexpr std::size_t data_bytes_max = 64U << 10U;
constexpr std::string_view asked_field = "asked";

PeerSide& side_of(lua_State* lua, Run& run, const char* word) {
    if (run.peer() == nullptr) {
        raise(lua,
              Error{Kind::invalid, "no-peer",
                    "this role has no other node; give it peer_to or peer_from", word, nullptr});
    }
    return *run.peer();
}

std::string word_at(lua_State* lua, int index, const char* word) {
    if (lua_type(lua, index) != LUA_TSTRING) {
        refuse(lua, std::string{"expected a word as a text, got "} + luaL_typename(lua, index),
               word);
    }
    std::string name = lua_tostring(lua, index);
    if (name.size() != lua_objlen(lua, index) || !plan::is_own_event("peer:" + name)) {
        refuse(lua, "that is no word; expected small letters, digits, '-', '_' and '.'", word);
    }
    if (name == "lost" || name == "ended" || name == looks_word) {
        refuse(lua, "'" + name + "' is said by katamaran itself; expected another word", word);
    }
    return name;
}

std::string json_at(lua_State* lua, int index, const char* word) {
    if (lua_isnoneornil(lua, index)) {
        return "null";
    }
    Result<std::string> text = read_json_at(lua, index, "data");
    if (!text) {
        raise(lua, std::move(text).error().while_trying(word));
    }
    Interpreter::of(lua).charge(static_cast<std::int64_t>(text->size()));
    if (text->size() > data_bytes_max) {
        raise(lua, Error{Kind::invalid, "too-large",
                         "the data has " + std::to_string(text->size()) + " bytes; at most " +
                             std::to_string(data_bytes_max) + " can be said at once",
                         word, nullptr});
    }
    return std::move(*text);
}

/// The data of the event at the other node: a table with names as it is, else in `value`.
std::string fields_at(lua_State* lua, int index, bool asks, const char* word) {
    std::string data = json_at(lua, index, word);
    if (data == "null") {
        data = "{}";
    } else if (data.front() != '{') {
        data = "{\"value\":" + data + "}";
    } else {
        lua_pushlstring(lua, asked_field.data(), asked_field.size());
        lua_rawget(lua, index);
        if (!lua_isnil(lua, -1)) {
            refuse(lua, "the field 'asked' says whether an answer is wanted; expected another name",
                   word);
        }
        lua_pop(lua, 1);
    }
    if (asks) {
        data.insert(1, data == "{}" ? "\"asked\":true" : "\"asked\":true,");
    }
    return data;
}

int push_told(lua_State* lua, Result<bool> told, const char* word) {
    if (!told) {
        raise(lua, std::move(told).error().while_trying(word));
    }
    lua_pushboolean(lua, *told ? 1 : 0);
    return 1;
}

/// peer.send(word, data)
int send(lua_State* lua) {
    Run& run = acting_run_of(lua, "peer.send");
    const std::string word = word_at(lua, 1, "peer.send");
    const std::string data = fields_at(lua, 2, false, "peer.send");
    return push_told(lua, side_of(lua, run, "peer.send").say(word, data), "peer.send");
}

/// peer.reply(word, data)
int reply(lua_State* lua) {
    Run& run = acting_run_of(lua, "peer.reply");
    const std::string word = word_at(lua, 1, "peer.reply");
    const std::string data = json_at(lua, 2, "peer.reply");
    return push_told(lua, side_of(lua, run, "peer.reply").reply(word, data), "peer.reply");
}

/// peer_ask(word, data, options)
int ask(lua_State* lua) {
    Run& run = waiting_run_of(lua, "peer.ask");
    const std::string word = word_at(lua, 1, "peer.ask");
    const std::string data = fields_at(lua, 2, true, "peer.ask");
    const std::optional<Duration> within = duration_field(lua, 3, "within", "peer.ask");
    PeerSide& side = side_of(lua, run, "peer.ask");
    const std::string during = "ask the other node for " + word;
    const Run::Token token = run.suspend(nullptr);
    if (Result<void> asked = side.ask(word, data, token); !asked) {
        Error error = std::move(asked).error();
        error.during = during;
        run.resume_later(token, std::move(error));
    } else if (within) {
        run.bound(token, *within,
                  Error{Kind::timeout, "no-answer", "no answer within " + format_duration(*within),
                        during, nullptr});
    }
    return lua_yield(lua, 0);
}

int push_end(lua_State* lua, const std::string& address) {
    if (address.empty()) {
        lua_pushnil(lua);
    } else {
        lua_pushlstring(lua, address.data(), address.size());
    }
    return 1;
}

int address(lua_State* lua) {
    return push_end(lua,
                    side_of(lua, acting_run_of(lua, "peer.address"), "peer.address").ends().other);
}

int own_address(lua_State* lua) {
    return push_end(
        lua, side_of(lua, acting_run_of(lua, "peer.own_address"), "peer.own_address").ends().own);
}

/// The file, as QEMU's tls-creds-psk reads it.
constexpr const char* keys_file = "keys.psk";
constexpr std::string_view keys_user = "katamaran";

/// peer.keys()
int keys(lua_State* lua) {
    Run& run = acting_run_of(lua, "peer.keys");
    const std::optional<SharedKey>& key = side_of(lua, run, "peer.keys").key();
    if (!key) {
        raise(lua, Error{Kind::refused, "not-private",
                         "others could hear a key on the way to the other node; expected "
                         "--peer-key at both",
                         "keep a key for both nodes", nullptr});
    }
    Result<std::string> folder =
        run.net().host().keep_secret(keys_file, std::string{keys_user} + ":" + key->hex() + "\n");
    if (!folder) {
        raise(lua, std::move(folder).error().while_trying("keep a key for both nodes"));
    }
    lua_pushlstring(lua, folder->data(), folder->size());
    return 1;
}

void push_milliseconds(lua_State* lua, Duration duration) {
    lua_pushnumber(lua, static_cast<double>(duration.count()) / 1e6);
}

int round_trip(lua_State* lua) {
    const auto& clock =
        side_of(lua, acting_run_of(lua, "peer.round_trip"), "peer.round_trip").their_clock();
    if (!clock) {
        return 0;
    }
    push_milliseconds(lua, clock->round_trip);
    return 1;
}

int clock_offset(lua_State* lua) {
    const auto& clock =
        side_of(lua, acting_run_of(lua, "peer.clock_offset"), "peer.clock_offset").their_clock();
    if (!clock) {
        return 0;
    }
    push_milliseconds(lua, clock->offset);
    push_milliseconds(lua, clock->round_trip / 2);
    return 2;
}

int silence(lua_State* lua) {
    const std::optional<Duration> silent =
        side_of(lua, acting_run_of(lua, "peer.silence"), "peer.silence").silence();
    if (!silent) {
        return 0;
    }
    push_milliseconds(lua, *silent);
    return 1;
}

constexpr Native peer_natives[] = {
    {"peer_send", send},
    {"peer_ask", ask},
    {"peer_reply", reply},
    {"peer_address", address},
    {"peer_own_address", own_address},
    {"peer_keys", keys},
    {"peer_round_trip", round_trip},
    {"peer_clock_offset", clock_offset},
    {"peer_silence", silence},
};

}  // namespace

void add_peer_natives(lua_State* native) {
    add_natives(native, std::begin(peer_natives), std::end(peer_natives));
}

}  // namespace ktm::script
