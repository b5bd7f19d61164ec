// SPDX-License-Identifier: Apache-2.0
// script/net_query_natives.cc: what plans ask of the kernel, hear of it, and announce.
#include <lua.hpp>

#include <string>
#include <utility>
#include <variant>

#include "base/text.hh"
#include "net/frames.hh"
#include "script/awaiting.hh"
#include "script/convert.hh"
#include "script/natives.hh"
#include "script/net_side.hh"
#include "script/options.hh"

namespace ktm::script {

namespace {

using PushAnswer = UniqueFunction<int(lua_State*, const net::Answer&)>;

host::Namespace& space_at(lua_State* lua, Run& run, const Options& options) {
    Result<host::Namespace*> space = run.net().host().enter(options.text("netns").value_or(""));
    if (!space) {
        raise(lua, std::move(space).error());
    }
    return **space;
}

/// The run, for a word that does not wait.
Run& net_run_of(lua_State* lua, const char* word) {
    require_context(lua, in_actions, word);
    Interpreter::of(lua).charge(net_word_instructions);
    return *Interpreter::of(lua).run();
}

/// Asks one thing. That there is no way somewhere is an answer.
int ask(lua_State* lua, Run& run, host::Namespace& space, net::Request request, PushAnswer push) {
    const bool is_way = std::holds_alternative<net::RouteTo>(request);
    return await(lua, run, [&](const Answer& answer) {
        space.send({std::move(request)}, [answer, is_way,
                                          push = std::make_shared<PushAnswer>(std::move(push))](
                                             ports::Network::Outcome outcome) {
            if (is_way && !outcome.front() && host::is_absence(outcome.front().error())) {
                outcome.front() = net::Answer{};
            }
            if (!outcome.front()) {
                answer.give(std::move(outcome.front()).error());
                return;
            }
            answer.give(
                Run::Push{[facts = std::make_shared<net::Answer>(std::move(*outcome.front())),
                           push](lua_State* to) { return (*push)(to, *facts); }});
        });
    });
}

void set_number(lua_State* lua, const char* field, std::uint64_t number) {
    lua_pushnumber(lua, static_cast<double>(number));
    lua_setfield(lua, -2, field);
}

void set_boolean(lua_State* lua, const char* field, bool value) {
    lua_pushboolean(lua, value ? 1 : 0);
    lua_setfield(lua, -2, field);
}

void push_counters(lua_State* lua, const net::Counters& counters) {
    lua_createtable(lua, 0, 8);
    set_number(lua, "rx_packets", counters.rx_packets);
    set_number(lua, "rx_bytes", counters.rx_bytes);
    set_number(lua, "rx_dropped", counters.rx_dropped);
    set_number(lua, "rx_errors", counters.rx_errors);
    set_number(lua, "tx_packets", counters.tx_packets);
    set_number(lua, "tx_bytes", counters.tx_bytes);
    set_number(lua, "tx_dropped", counters.tx_dropped);
    set_number(lua, "tx_errors", counters.tx_errors);
}

void push_link(lua_State* lua, const net::LinkFacts& link) {
    lua_createtable(lua, 0, 10);
    set_text(lua, "name", link.name);
    set_text(lua, "kind", link.kind);
    set_text(lua, "tag", link.tag);
    if (link.mac) {
        set_text(lua, "mac", link.mac->text());
    }
    set_boolean(lua, "tap", link.is_tap);
    set_boolean(lua, "up", link.up);
    set_boolean(lua, "carrier", link.carrier);
    set_number(lua, "mtu", link.mtu);
    set_number(lua, "queue_length", link.queue_length);
    push_counters(lua, link.counters);
    lua_setfield(lua, -2, "counters");
}

/// Pushes a list; `push` pushes one item, or says no.
template <class Items, class Push>
int push_list(lua_State* lua, const Items& items, Push push) {
    lua_newtable(lua);
    mark_as_list(lua);
    int count = 0;
    for (const auto& item : items) {
        if (push(item)) {
            lua_rawseti(lua, -2, ++count);
        }
    }
    return 1;
}

/// net_link(options): one device with its counters
int link(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.link", in_all_bodies);
    const Options options{lua, 1, "net.link", {"netns"}, Options::Items::one};
    const std::string name = options.needed("1", options.first_link());
    return ask(lua, run, space_at(lua, run, options), net::FindLink{name},
               [](lua_State* to, const net::Answer& answer) {
                   if (answer.links.empty()) {
                       lua_pushnil(to);
                   } else {
                       push_link(to, answer.links.front());
                   }
                   return 1;
               });
}

/// net_links(options, taps_only)
int links(lua_State* lua) {
    const bool taps_only = lua_toboolean(lua, 2) != 0;
    const char* word = taps_only ? "net.taps" : "net.links";
    Run& run = waiting_net_run_of(lua, word, in_all_bodies);
    const Options options{lua, 1, word, {"netns"}};
    return ask(lua, run, space_at(lua, run, options), net::ListLinks{},
               [taps_only](lua_State* to, const net::Answer& answer) {
                   return push_list(to, answer.links, [&](const net::LinkFacts& facts) {
                       if (taps_only && !facts.is_tap) {
                           return false;
                       }
                       push_link(to, facts);
                       return true;
                   });
               });
}

/// net_addresses(options)
int addresses(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.addresses", in_all_bodies);
    const Options options{lua, 1, "net.addresses", {"on", "netns"}};
    return ask(lua, run, space_at(lua, run, options),
               net::ListAddresses{options.link("on").value_or("")},
               [](lua_State* to, const net::Answer& answer) {
                   return push_list(to, answer.addresses, [&](const net::AddressFacts& facts) {
                       lua_createtable(to, 0, 2);
                       set_text(to, "address", facts.address.text());
                       set_text(to, "on", facts.link);
                       return true;
                   });
               });
}

/// net_way(options): the route to an address
int way(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.way", in_all_bodies);
    const Options options{lua, 1, "net.way", {"to", "netns"}};
    const IpAddress to_address = options.needed("to", options.ip("to"));
    return ask(lua, run, space_at(lua, run, options), net::RouteTo{to_address},
               [](lua_State* to, const net::Answer& answer) {
                   if (answer.routes.empty()) {
                       lua_pushnil(to);
                       return 1;
                   }
                   const net::RouteFacts& route = answer.routes.front();
                   lua_createtable(to, 0, 4);
                   set_text(to, "on", route.link);
                   if (route.via) {
                       set_text(to, "via", route.via->text());
                   }
                   if (route.source) {
                       set_text(to, "from", route.source->text());
                   }
                   if (route.mtu != 0) {
                       set_number(to, "mtu", route.mtu);
                   }
                   return 1;
               });
}

/// net_setting(options): a setting of this namespace
int setting(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.setting", in_all_bodies);
    const Options options{lua, 1, "net.setting", {"netns"}, Options::Items::one};
    const std::string name = options.needed("1", options.first_text());
    return ask(lua, run, space_at(lua, run, options), net::ReadSetting{name},
               [](lua_State* to, const net::Answer& answer) {
                   lua_pushlstring(to, answer.text.data(), answer.text.size());
                   return 1;
               });
}

/// net_queues(options): the qdiscs of a device
int queues(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.queues", in_all_bodies);
    const Options options{lua, 1, "net.queues", {"netns"}, Options::Items::one};
    const std::string name = options.needed("1", options.first_link());
    return ask(lua, run, space_at(lua, run, options), net::ListQdiscs{name},
               [](lua_State* to, const net::Answer& answer) {
                   return push_list(to, answer.qdiscs, [&](const net::QdiscFacts& facts) {
                       lua_createtable(to, 0, 3);
                       set_text(to, "kind", facts.kind);
                       set_boolean(to, "root", facts.parent == net::root_parent);
                       set_boolean(to, "ours",
                                   facts.handle == net::our_plug_handle ||
                                       facts.handle == net::our_pacer_handle);
                       return true;
                   });
               });
}

/// net_knows(options): whether the kernel has a kind of tunnel or of qdisc
int knows(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.knows", in_all_bodies);
    const Options options{lua, 1, "net.knows", {"netns"}, Options::Items::one};
    const std::string kind = options.needed("1", options.first_text());
    const bool queues = kind == "plug" || kind == "tbf";
    if (!queues && !net::is_tunnel_kind(kind)) {
        options.refuse("'" + printable(kind) +
                       "' is none of ipip, gre, gretap, ip6tnl, ip6gre, ip6gretap, vxlan, plug and "
                       "tbf");
    }
    return ask(lua, run, space_at(lua, run, options), net::FindKind{kind, queues},
               [](lua_State* to, const net::Answer& answer) {
                   lua_pushlstring(to, answer.text.data(), answer.text.size());
                   return 1;
               });
}

// --- Saying and hearing
// -----------------------------------------------------------------------------

/// net_announce(options): one frame for each address, and one for bridges
int announce(lua_State* lua) {
    Run& run = net_run_of(lua, "net.announce");
    const Options options{lua, 1, "net.announce", {"mac", "on", "netns"}, Options::Items::many};
    const net::MacAddress mac = options.needed("mac", options.mac("mac"));
    const std::string link = options.needed("on", options.link("on"));
    std::vector<std::string> frames{net::reverse_arp(mac)};
    for (const IpAddress& address : options.addresses()) {
        frames.push_back(net::announcement(address, mac));
    }
    host::Namespace& space = space_at(lua, run, options);
    for (const std::string& frame : frames) {
        if (Result<void> sent = space.network().send_frame(link, frame); !sent) {
            raise(lua, std::move(sent).error().while_trying("announce " + mac.text()));
        }
    }
    return 0;
}

/// net_watch(options): id
int watch(lua_State* lua) {
    Run& run = net_run_of(lua, "net.watch");
    const Options options{lua, 1, "net.watch", {"on", "netns"}};
    const std::string link = options.link("on").value_or("");
    Result<std::uint64_t> id = run.net().watch(space_at(lua, run, options), link);
    if (!id) {
        raise(lua, std::move(id).error().while_trying("watch " + link));
    }
    lua_pushnumber(lua, static_cast<double>(*id));
    return 1;
}

/// net_unwatch(id)
int unwatch(lua_State* lua) {
    require_context(lua, in_actions, "release");
    Interpreter::of(lua).run()->net().unwatch(static_cast<std::uint64_t>(lua_tonumber(lua, 1)));
    return 0;
}

/// net_what(noun, options): what it is, for people.
int what(lua_State* lua) {
    require_context(lua, in_actions, "net");
    const char* noun = lua_tostring(lua, 1);
    std::string text = std::string{"the "} + noun;
    if (lua_type(lua, 2) != LUA_TTABLE) {
        refuse(lua, std::string{"expected a table of options, got "} + luaL_typename(lua, 2),
               "net");
    }
    for (const auto& [field, before] : {std::pair{"to", " to "}, {"tap", " to "}, {"on", " on "}}) {
        lua_getfield(lua, 2, field);
        if (lua_type(lua, -1) == LUA_TSTRING) {
            text += before + printable(lua_tostring(lua, -1));
        }
        lua_pop(lua, 1);
    }
    lua_rawgeti(lua, 2, 1);
    if (lua_type(lua, -1) == LUA_TTABLE) {
        lua_rawgeti(lua, -1, 1);
    }
    if (lua_type(lua, -1) == LUA_TSTRING) {
        const bool is_place = std::string_view{noun} == "hold";
        text += (is_place ? " on " : " of ") + printable(lua_tostring(lua, -1));
    }
    lua_pushlstring(lua, text.data(), text.size());
    return 1;
}

constexpr Native net_query_natives[] = {
    {"net_link", link},       {"net_links", links},       {"net_addresses", addresses},
    {"net_setting", setting}, {"net_queues", queues},     {"net_knows", knows},
    {"net_way", way},         {"net_announce", announce}, {"net_watch", watch},
    {"net_unwatch", unwatch}, {"net_what", what},
};

}  // namespace

void add_net_query_natives(lua_State* native) {
    add_natives(native, std::begin(net_query_natives), std::end(net_query_natives));
}

}  // namespace ktm::script
