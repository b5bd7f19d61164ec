// SPDX-License-Identifier: Apache-2.0
// script/net_natives.cc: what plans acquire of the kernel: tunnels, diversions, neighbours, holds.
//
// The prelude registers each in the ledger before it is acquired, and forgets it when that fails.
// What was acquired for a body that has been cancelled meanwhile is given back at once.
#include <lua.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "net/divert.hh"
#include "script/awaiting.hh"
#include "script/convert.hh"
#include "script/natives.hh"
#include "script/net_side.hh"
#include "script/options.hh"
#include "trace/exchange.hh"

namespace ktm::script {

namespace {

/// LIMIT: a route's table.
constexpr std::uint64_t table_max = UINT32_MAX;

/// The intent behind the requests that follow in a recording.
void note(Run& run, const std::string& intent) {
    run.keep(trace::net_port, trace::Direction::note, intent);
}

std::string place_of(const Options& options) {
    return options.text("netns").value_or("");
}

/// Acquires (or, with `only_prepare`, prepares); `push` pushes what the plan gets.
int acquire(lua_State* lua, Run& run, const std::string& place, host::UndoKind kind,
            net::Wanted wanted, bool only_prepare,
            UniqueFunction<Run::Push(host::AcquiredId)> push) {
    NetSide& side = run.net();
    Result<host::Namespace*> space = side.host().enter(place);
    if (!space) {
        raise(lua, std::move(space).error());
    }
    note(run, "acquire " + wanted.what);
    return await_deed(lua, run, [&](const Deed& deed) {
        auto done = [&side, deed, push = std::move(push)](Result<host::AcquiredId> id) mutable {
            if (!id) {
                deed.give(Result<Run::Push>{std::move(id).error()});
            } else if (deed.is_wanted()) {
                deed.give(push(*id));
            } else {
                side.host().give_back(*id, [deed](Result<void> given) { deed.give(given); });
            }
        };
        if (only_prepare) {
            side.host().prepare(**space, kind, std::move(wanted), std::move(done));
        } else {
            side.host().acquire(**space, kind, std::move(wanted), std::move(done));
        }
    });
}

Run::Push push_id(host::AcquiredId id) {
    return Run::Push{[id](lua_State* to) {
        lua_pushnumber(to, static_cast<double>(id.value));
        return 1;
    }};
}

int acquire(lua_State* lua, Run& run, const std::string& place, host::UndoKind kind,
            net::Wanted wanted) {
    return acquire(lua, run, place, kind, std::move(wanted), false, push_id);
}

/// What the options ask for, or raises.
net::Wanted checked(lua_State* lua, Result<net::Wanted> wanted, const char* word) {
    if (!wanted) {
        raise(lua, std::move(wanted).error().while_trying(word));
    }
    return std::move(*wanted);
}

/// The numbers that the prelude keeps: a plan never has them.
std::uint64_t number_at(lua_State* lua, int index) {
    return static_cast<std::uint64_t>(lua_tonumber(lua, index));
}

host::AcquiredId id_at(lua_State* lua, int index) {
    return host::AcquiredId{number_at(lua, index)};
}

UniqueFunction<void(Result<void>)> told(const Deed& deed) {
    return [deed](Result<void> done) { deed.give(std::move(done)); };
}

/// The same of a diversion that is there no more.
UniqueFunction<void(Result<void>)> told_back(Run& run, host::AcquiredId id, const Deed& deed) {
    return [&run, id, deed](Result<void> done) {
        if (done) {
            run.net().accounting().note_turned_back(id);
        }
        deed.give(std::move(done));
    };
}

// --- Tunnels
// --------------------------------------------------------------------------------------

net::TunnelWish tunnel_wish(const Options& options) {
    net::TunnelWish wish;
    const std::string mode = options.text("mode").value_or("gre");
    const std::optional<net::TunnelMode> known = net::tunnel_mode(mode);
    if (!known) {
        options.refuse("there is no mode '" + mode + "'; there are ipip, gre and vxlan");
    }
    wish.mode = *known;
    wish.remote = options.needed("to", options.ip("to"));
    wish.local = options.ip("from");
    wish.frames = options.boolean("frames").value_or(false);
    wish.wrapped = options.boolean("wrapped").value_or(true);
    wish.ttl = static_cast<std::uint8_t>(options.integer("ttl", 1, 255).value_or(wish.ttl));
    wish.mtu = static_cast<std::uint32_t>(options.integer("mtu", 1, 65535).value_or(wish.mtu));
    wish.id = static_cast<std::uint32_t>(options.integer("id", 0, 0xffffff).value_or(0));
    wish.port = static_cast<std::uint16_t>(options.integer("port", 1, 65535).value_or(wish.port));
    return wish;
}

/// Whether there is such a tunnel: what it is made of, and what it would carry.
int push_form(lua_State* lua, const net::TunnelForm& form) {
    lua_createtable(lua, 0, 4);
    lua_createtable(lua, 2, 0);
    lua_pushstring(lua, std::string{net::name_of(form.lower.carrier)}.c_str());
    lua_rawseti(lua, -2, 1);
    if (form.upper && form.upper->carrier != form.lower.carrier) {
        lua_pushstring(lua, std::string{net::name_of(form.upper->carrier)}.c_str());
        lua_rawseti(lua, -2, 2);
    }
    lua_setfield(lua, -2, "kinds");
    set_text(lua, "from", form.lower.local.text());
    lua_pushnumber(lua, form.carries.v4);
    lua_setfield(lua, -2, "v4");
    lua_pushnumber(lua, form.carries.v6);
    lua_setfield(lua, -2, "v6");
    return 1;
}

/// Of queries of which one may have nothing to say.
Result<net::Answers> answers_of(ports::Network::Outcome outcome) {
    net::Answers answers;
    for (Result<net::Answer>& one : outcome) {
        if (!one && !host::is_absence(one.error())) {
            return std::move(one).error();
        }
        answers.push_back(one ? std::move(*one) : net::Answer{});
    }
    return answers;
}

/// net_form(options): what net.tunnel would make
int form(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.form", in_all_bodies);
    const Options options{
        lua,
        1,
        "net.form",
        {"mode", "to", "from", "ttl", "mtu", "id", "port", "frames", "wrapped", "netns"}};
    Result<host::Namespace*> space = run.net().host().enter(place_of(options));
    if (!space) {
        raise(lua, std::move(space).error());
    }
    const auto decided = std::make_shared<net::TunnelForm>();
    const auto wanted =
        std::make_shared<net::Wanted>(net::want_tunnel(tunnel_wish(options), decided));
    return await(lua, run, [&](const Answer& answer) {
        (*space)->send(wanted->queries, [answer, wanted, decided](ports::Network::Outcome outcome) {
            Result<net::Answers> answers = answers_of(std::move(outcome));
            if (!answers) {
                answer.give(std::move(answers).error());
            } else if (Result<net::Steps> chosen_steps = wanted->steps(*answers); !chosen_steps) {
                answer.give(std::move(chosen_steps).error());
            } else {
                answer.give(
                    Run::Push{[decided](lua_State* to) { return push_form(to, *decided); }});
            }
        });
    });
}

int push_tunnel(lua_State* lua, host::AcquiredId id, const net::TunnelForm& form) {
    lua_pushnumber(lua, static_cast<double>(id.value));
    lua_pushstring(lua, form.entrance().name.c_str());
    lua_pushstring(lua, form.lower.local.text().c_str());
    lua_pushnumber(lua, form.carries.v4);
    lua_pushnumber(lua, form.carries.v6);
    return 5;
}

/// net_tunnel(options): id, name, local address, what it carries of IPv4 and IPv6
int tunnel(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.tunnel");
    const Options options{
        lua,
        1,
        "net.tunnel",
        {"mode", "to", "from", "ttl", "mtu", "id", "port", "frames", "wrapped", "netns"}};
    const auto form = std::make_shared<net::TunnelForm>();
    net::TunnelWish wish = tunnel_wish(options);
    wish.lower_name = run.net().host().next_link_name();
    wish.upper_name = run.net().host().next_link_name();
    wish.tag = run.net().host().tag().text();
    net::Wanted wanted = net::want_tunnel(std::move(wish), form);
    const std::string place = place_of(options);
    return acquire(
        lua, run, place, host::UndoKind::hold, std::move(wanted), false,
        [&run, form, place](host::AcquiredId id) {
            run.net().keep_tunnel(place, form);
            run.net().accounting().add_tunnel(place, id, *form);
            return Run::Push{[id, form](lua_State* to) { return push_tunnel(to, id, *form); }};
        });
}

// --- Diversions
// -----------------------------------------------------------------------------------

net::Redirect frames_wish(const Options& options) {
    for (const char* field : {"table", "mtu"}) {
        if (options.has(field)) {
            options.refuse(std::string{"'"} + field + "' is for addresses, not for frames");
        }
    }
    if (!options.addresses().empty()) {
        options.refuse("addresses, or frames with 'on' and 'mac'; not both");
    }
    net::Redirect redirect;
    redirect.link = options.needed("on", options.link("on"));
    redirect.to = options.needed("into", options.link("into"));
    redirect.mac = options.mac("mac");
    redirect.direction = options.boolean("incoming").value_or(false) ? net::Direction::ingress
                                                                     : net::Direction::egress;
    return redirect;
}

/// A tunnel that would tell the guest's peers that their packets are too big loses them.
void require_full_size(const Options& options, const net::TunnelForm& form,
                       const std::vector<IpAddress>& addresses) {
    const std::uint64_t largest = options.integer("mtu", 68, 65535).value_or(1500);
    for (const IpAddress& address : addresses) {
        const std::uint32_t carried =
            address.family() == Family::v6 ? form.carries.v6 : form.carries.v4;
        if (carried >= largest) {
            continue;
        }
        options.refuse("this tunnel carries " +
                       (carried == 0 ? std::string{"none of the packets"}
                                     : "packets of at most " + std::to_string(carried) + " bytes") +
                       " for " + address.text() + ", and they have up to " +
                       std::to_string(largest) +
                       "; take a wrapped tunnel, another mode, or say with 'mtu' that the guest's "
                       "are smaller");
    }
}

net::RouteWish route_wish(const Options& options, const NetSide& side) {
    net::RouteWish wish;
    wish.addresses = options.addresses();
    wish.link = options.needed("into", options.link("into"));
    wish.table = static_cast<std::uint32_t>(
        options.integer("table", 1, table_max).value_or(net::main_table));
    if (options.has("incoming")) {
        options.refuse("'incoming' is for frames, with 'on'");
    }
    if (const net::TunnelForm* form = side.tunnel(place_of(options), wish.link)) {
        wish.encapsulation = form->encapsulation();
        // Behind a device of frames nobody answers for the guest: its neighbour is the far end.
        wish.mac = form->far_mac();
        require_full_size(options, *form, wish.addresses);
    }
    return wish;
}

/// net_divert(options): id. Nothing is changed yet: see net_turn.
int divert(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.divert");
    const Options options{lua,
                          1,
                          "net.divert",
                          {"into", "table", "mtu", "mac", "on", "incoming", "netns"},
                          Options::Items::many};
    const bool frames = options.has("on") || options.has("mac");
    net::Wanted wanted = checked(
        lua, frames ? net::want(frames_wish(options)) : net::want(route_wish(options, run.net())),
        "net.divert");
    const std::string place = place_of(options);
    const bool is_ours = run.net().tunnel(place, options.link("into").value_or("")) != nullptr;
    return acquire(lua, run, place, host::UndoKind::hold, std::move(wanted), true,
                   [&run, place, is_ours, addresses = options.addresses()](host::AcquiredId id) {
                       if (is_ours) {
                           run.net().accounting().add_diversion(place, id, addresses);
                       }
                       return push_id(id);
                   });
}

/// net_turn(id) and net_back(id)
int turn(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "turn");
    const host::AcquiredId id = id_at(lua, 1);
    note(run, "turn " + run.net().host().what(id));
    return await_deed(lua, run, [&](const Deed& deed) {
        run.net().host().act(id, [&run, id, deed](Result<void> done) {
            if (done) {
                run.net().accounting().note_turned(id);
            }
            deed.give(std::move(done));
        });
    });
}

int back(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "back");
    const host::AcquiredId id = id_at(lua, 1);
    note(run, "turn back " + run.net().host().what(id));
    return await_deed(lua, run, [&](const Deed& deed) {
        run.net().host().take_back(id, told_back(run, id, deed));
    });
}

/// net_arrive(options): id
int arrive(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.arrive");
    const Options options{
        lua, 1, "net.arrive", {"tap", "mac", "table", "netns"}, Options::Items::many};
    net::RouteWish wish;
    wish.addresses = options.addresses();
    wish.link = options.needed("tap", options.link("tap"));
    wish.mac = options.needed("mac", options.mac("mac"));
    wish.arrives = true;
    wish.table = static_cast<std::uint32_t>(
        options.integer("table", 1, table_max).value_or(net::main_table));
    return acquire(lua, run, place_of(options), host::UndoKind::undo,
                   checked(lua, net::want(wish), "net.arrive"));
}

/// net_neighbour(options): id
int neighbour(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.neighbour");
    const Options options{lua, 1, "net.neighbour", {"mac", "on", "netns"}, Options::Items::many};
    const net::MacAddress mac = options.needed("mac", options.mac("mac"));
    return acquire(lua, run, place_of(options), host::UndoKind::hold,
                   checked(lua,
                           net::want_neighbours(options.addresses(), mac,
                                                options.needed("on", options.link("on"))),
                           "net.neighbour"));
}

/// net_give(id)
int give(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "release");
    note(run, "give back " + run.net().host().what(id_at(lua, 1)));
    const host::AcquiredId id = id_at(lua, 1);
    return await_deed(lua, run, [&](const Deed& deed) {
        run.net().accounting().close(
            id, [&run, id, deed] { run.net().host().give_back(id, told_back(run, id, deed)); });
    });
}

// --- Holds
// ----------------------------------------------------------------------------------------

net::HoldWish hold_wish(const Options& options) {
    net::HoldWish wish;
    wish.tap = options.needed("tap", options.first_link());
    const std::string mode = options.text("mode").value_or("auto");
    const std::optional<net::HoldMode> known = net::hold_mode(mode);
    if (!known) {
        options.refuse("there is no mode '" + mode + "'; there are auto, ring and plug+ring");
    }
    wish.mode = *known;
    wish.packets_per_second = options.needed("rate", options.integer("rate", 1, 1'000'000'000));
    wish.pause = options.needed("pause", options.duration("pause"));
    wish.margin = options.number("margin").value_or(wish.margin);
    wish.packet_bytes = static_cast<std::uint32_t>(
        options.integer("packet", 60, 65535).value_or(wish.packet_bytes));
    if (const auto ring = options.integer("ring", 1, net::ring_packets_max)) {
        wish.ring = static_cast<std::uint32_t>(*ring);
    }
    if (const auto limit = options.size("limit")) {
        wish.limit_bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(*limit, UINT32_MAX));
    }
    wish.pace = static_cast<std::uint32_t>(options.integer("pace", 1, UINT32_MAX).value_or(0));
    return wish;
}

int push_hold(lua_State* lua, std::uint64_t id, const host::Hold& hold) {
    const net::HoldForm& form = hold.form();
    lua_pushnumber(lua, static_cast<double>(id));
    lua_pushnumber(lua, static_cast<double>(form.capacity));
    lua_pushnumber(lua, static_cast<double>(form.needed));
    lua_pushnumber(lua, form.ring);
    lua_pushnumber(lua, form.limit_bytes);
    lua_pushboolean(lua, form.plug ? 1 : 0);
    return 6;
}

/// Why a hold that is installed is not what was wanted.
std::optional<Error> too_little(const host::Hold& hold, bool small) {
    const net::HoldForm& form = hold.form();
    if (small || form.capacity >= form.needed) {
        return std::nullopt;
    }
    return Error{Kind::refused, "too-little",
                 "it holds " + std::to_string(form.capacity) + " packets, and " +
                     std::to_string(form.needed) + " are expected in the pause",
                 "", nullptr};
}

void settle_install(Run& run, std::uint64_t id, bool small, const Deed& deed, Result<void> done) {
    host::Hold& hold = run.net().hold(id);
    std::optional<Error> wrong =
        done ? too_little(hold, small) : std::optional<Error>{std::move(done).error()};
    if (wrong || !deed.is_wanted()) {
        hold.give_back([deed, tap = hold.tap(),
                        wrong = std::move(wrong)](const Result<host::HoldCounts>&) mutable {
            deed.give(wrong ? Result<void>{std::move(*wrong).while_trying("hold packets at " + tap)}
                            : Result<void>{});
        });
        return;
    }
    if (!hold.without_plug().empty()) {
        run.observer().on_words("debug", "no plug: " + hold.without_plug());
    }
    deed.give(Run::Push{[id, &hold](lua_State* to) { return push_hold(to, id, hold); }});
}

/// net_hold(options): id, capacity, needed, ring, limit, plug
int hold(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "net.hold");
    const Options options{lua,
                          1,
                          "net.hold",
                          {"rate", "pause", "margin", "mode", "packet", "ring", "limit", "pace",
                           "at_most", "small", "netns"},
                          Options::Items::one};
    const net::HoldWish wish = hold_wish(options);
    const bool small = options.boolean("small").value_or(false);
    const Duration at_most = options.duration("at_most").value_or(host::blocked_at_most);
    if (at_most < wish.pause) {
        options.refuse("'at_most' is " + format_duration(at_most) + ", and the pause alone takes " +
                       format_duration(wish.pause) + ": the hold would be opened before its end");
    }
    NetSide& side = run.net();
    Result<host::Namespace*> space = side.host().enter(place_of(options));
    if (!space) {
        raise(lua, std::move(space).error());
    }
    if (side.has_hold(**space, wish.tap)) {
        raise(lua, Error{Kind::refused, "held", wish.tap + " has a hold of this run already",
                         "net.hold", nullptr});
    }
    note(run, "acquire the hold on " + wish.tap);
    const std::uint64_t id = side.keep_hold(
        std::make_unique<host::Hold>(side.host(), side.time(), **space, wish, at_most));
    return await_deed(lua, run, [&run, id, small](const Deed& deed) {
        run.net().hold(id).install([&run, id, small, deed](Result<void> done) {
            settle_install(run, id, small, deed, std::move(done));
        });
    });
}

host::Hold& hold_at(lua_State* lua, Run& run) {
    return run.net().hold(number_at(lua, 1));
}

int block(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "block");
    host::Hold& hold = hold_at(lua, run);
    if (!hold.is_there()) {
        raise(lua, Error{Kind::usage, "given-back", "it was given back already",
                         "hold packets at " + hold.tap(), nullptr});
    }
    note(run, "block the hold on " + hold.tap());
    run.net().accounting().note_held();
    return await_deed(lua, run, [&](const Deed& deed) { hold.block(told(deed)); });
}

int open(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "open");
    host::Hold& hold = hold_at(lua, run);
    note(run, "open the hold on " + hold.tap());
    return await_deed(lua, run, [&](const Deed& deed) {
        hold.open([&run, &hold, deed](Result<void> done) {
            // ORDER: the tap between two looks at the tunnel; packets come all the time.
            Accounting& accounting = run.net().accounting();
            const bool is_first = accounting.note_opening();
            hold.note_opening();
            if (is_first) {
                accounting.note_opened();
            }
            deed.give(std::move(done));
        });
    });
}

int push_counts(lua_State* lua, const host::HoldCounts& counts) {
    const std::pair<const char*, std::uint64_t> fields[] = {
        {"taken", counts.taken},
        {"queued", counts.queued},
        {"queued_most", counts.queued_most},
        {"dropped_plug", counts.dropped_plug},
        {"dropped_ring", counts.dropped_ring},
        {"left", counts.left},
        {"lost", counts.lost()},
    };
    lua_createtable(lua, 0, static_cast<int>(std::size(fields)) + 1);
    for (const auto& [name, value] : fields) {
        lua_pushnumber(lua, static_cast<double>(value));
        lua_setfield(lua, -2, name);
    }
    lua_pushboolean(lua, counts.guarded ? 1 : 0);
    lua_setfield(lua, -2, "guarded");
    return 1;
}

Result<Run::Push> push_of(Result<host::HoldCounts> counted) {
    if (!counted) {
        return std::move(counted).error();
    }
    return Run::Push{[counted = *counted](lua_State* to) { return push_counts(to, counted); }};
}

int counts(lua_State* lua) {
    Run& run = waiting_net_run_of(lua, "counts");
    host::Hold& hold = hold_at(lua, run);
    return await(lua, run, [&](const Answer& answer) {
        hold.count([answer](Result<host::HoldCounts> counted) {
            answer.give(push_of(std::move(counted)));
        });
    });
}

/// net_hold_give(id, stays): counts
int give_hold(lua_State* lua) {
    const bool stays = lua_toboolean(lua, 2) != 0;
    Run& run = waiting_net_run_of(lua, stays ? "finish" : "release");
    host::Hold& hold = hold_at(lua, run);
    note(run, (stays ? "finish the hold on " : "give back the hold on ") + hold.tap());
    const auto end = stays ? &host::Hold::finish : &host::Hold::give_back;
    return await_deed(lua, run, [&](const Deed& deed) {
        // Lost is lost, also where something could not be put back, and nobody waits any more.
        (hold.*end)([&run, &hold, deed](Result<host::HoldCounts> counted) {
            run.report_losses(hold);
            if (!counted) {
                Error error = std::move(counted).error();
                deed.give(
                    Result<void>{std::move(error).while_trying("take the hold off " + hold.tap())});
                return;
            }
            deed.give(push_of(std::move(counted)));
        });
    });
}

constexpr Native net_natives[] = {
    {"net_tunnel", tunnel},       {"net_divert", divert}, {"net_turn", turn},
    {"net_back", back},           {"net_arrive", arrive}, {"net_give", give},
    {"net_neighbour", neighbour}, {"net_hold", hold},     {"net_block", block},
    {"net_open", open},           {"net_counts", counts}, {"net_hold_give", give_hold},
    {"net_form", form},
};

}  // namespace

Run& waiting_net_run_of(lua_State* lua, const char* word, unsigned contexts) {
    Run& run = waiting_run_of(lua, word, contexts);
    // Each costs a system call or two.
    Interpreter::of(lua).charge(net_word_instructions);
    return run;
}

void add_net_natives(lua_State* native) {
    add_natives(native, std::begin(net_natives), std::end(net_natives));
    add_net_query_natives(native);
}

}  // namespace ktm::script
