// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/net_world.cc: the kernels of a scenario, as its net.json says.
#include "scenarios/net_world.hh"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>
#include <utility>
#include <variant>

#include "harness/expectation.hh"
#include "json/parser.hh"

namespace ktm::testing {

namespace {

/// In the order of net::Request.
constexpr std::array<std::string_view, 32> request_names{
    "AddTunnel",     "DeleteLink",  "AddAddress",   "SetQueueLength",  "SetInput",
    "AddRoute",      "DeleteRoute", "SetNeighbour", "DeleteNeighbour", "AddPacer",
    "SetPace",       "AddPlug",     "BlockPlug",    "OpenPlug",        "DeleteRootQdisc",
    "PutRootQdisc",  "AddClsact",   "DeleteClsact", "AddRedirect",     "DeleteRedirect",
    "WriteSetting",  "FindLink",    "ListLinks",    "FindRoutes",      "RouteTo",
    "ListOurRoutes", "ListQdiscs",  "ListFilters",  "ListNeighbours",  "ListAddresses",
    "ReadSetting",   "FindKind",
};
static_assert(request_names.size() == std::variant_size_v<net::Request>);

constexpr int signals_max = 32;
constexpr int errors_max = 134;

Error wrong(std::string what) {
    return Error{Kind::invalid, "bad-scenario", std::move(what), "", nullptr};
}

int error_of(std::string_view name) {
    for (int error = 1; error < errors_max; ++error) {
        const char* known = ::strerrorname_np(error);
        if (known != nullptr && name == known) {
            return error;
        }
    }
    return 0;
}

int signal_of(std::string_view name) {
    for (int signal = 1; signal < signals_max; ++signal) {
        const char* known = ::sigabbrev_np(signal);
        if (known != nullptr && name == known) {
            return signal;
        }
    }
    return 0;
}

std::vector<std::string> words_of(std::string_view text) {
    std::istringstream stream{std::string{text}};
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}

bool is_true(const json::View& object, std::string_view key, bool otherwise) {
    const std::optional<json::View> value = object.find(key);
    return value ? value->as_bool().value_or(otherwise) : otherwise;
}

Duration duration_in(const json::View& object, std::string_view key) {
    const Result<Duration> duration = parse_duration(object.find_string(key).value_or("0s"));
    return duration ? *duration : Duration::zero();
}

void add_link(sim::VirtualKernel& kernel, const std::string& name, const json::View& says) {
    const std::string kind{says.find_string("kind").value_or("")};
    sim::VirtualLink& link = kind == "tap" ? kernel.add_tap(name) : kernel.add_link(name, kind);
    link.facts.queue_length =
        static_cast<std::uint32_t>(says.find_int("ring").value_or(link.facts.queue_length));
    link.facts.joins = is_true(says, "joins", false);
    link.facts.joined_max = link.facts.joins ? 65535 : 0;
    link.facts.mtu = static_cast<std::uint32_t>(says.find_int("mtu").value_or(link.facts.mtu));
    link.facts.carrier = is_true(says, "open", true);
    link.facts.up = is_true(says, "up", true);
    link.filter_room = says.find_string("filters").value_or("");
    const std::vector<std::string> qdisc = words_of(says.find_string("qdisc").value_or(""));
    if (qdisc.size() == 2) {
        link.root.kind = qdisc[0];
        link.root.handle = static_cast<std::uint32_t>(std::stoul(qdisc[1])) << 16U;
        if (is_true(says, "parts", false)) {
            net::QdiscFacts part;
            part.kind = "fq_codel";
            part.handle = link.root.handle + 0x10000;
            part.parent = link.root.handle + 1;
            link.root.parts.push_back(part);
        }
    }
}

/// Counters go on by what is given.
void change_link(sim::VirtualKernel& kernel, const std::string& name, const json::View& says) {
    if (is_true(says, "gone", false)) {
        (void)kernel.apply(net::DeleteLink{name});
        return;
    }
    sim::VirtualLink* link = kernel.link(name);
    if (link == nullptr) {
        return;
    }
    const auto count = [&](std::string_view key) {
        return static_cast<std::uint32_t>(says.find_int(key).value_or(0));
    };
    link->facts.counters.tx_packets += count("tx_packets");
    link->facts.counters.tx_dropped += count("tx_dropped");
    if (link->root.plug) {
        link->root.plug->queued_packets += count("queued");
        link->root.plug->dropped += count("plug_dropped");
    }
}

/// The lines of one that the other does not have.
std::string without(const std::string& text, const std::string& other, const char* mark) {
    std::vector<std::string> known = lines_of(other);
    std::string rest;
    for (const std::string& line : lines_of(text)) {
        const auto found = std::find(known.begin(), known.end(), line);
        if (found == known.end()) {
            rest += mark + line + "\n";
        } else {
            known.erase(found);
        }
    }
    return rest;
}

}  // namespace

Result<std::unique_ptr<NetWorld>> NetWorld::open(const std::filesystem::path& file,
                                                 sim::VirtualWorld& world) {
    const Result<json::Document> document = json::parse(read_disk(file));
    if (!document) {
        return Error{document.error()}.wrapped(Kind::invalid, "bad-scenario", "it is no JSON",
                                               "read " + file.string());
    }
    std::unique_ptr<NetWorld> net{new NetWorld{world}};
    if (Result<void> read = net->read(document->root()); !read) {
        return std::move(read).error().while_trying("read " + file.string());
    }
    return net;
}

Result<void> NetWorld::read(const json::View& root) {
    for (const json::View::Field& field : root.fields()) {
        if (field.key == "namespaces") {
            for (const json::View::Field& space : field.value.fields()) {
                KTM_CHECK(furnish(std::string{space.key}, space.value));
            }
        } else if (field.key == "faults" || field.key == "later") {
            for (const json::View& item : field.value.items()) {
                KTM_CHECK(field.key == "faults" ? add_fault(item) : add_later(item));
            }
        } else {
            return wrong("the key '" + std::string{field.key} +
                         "'; expected namespaces, faults or later");
        }
    }
    (void)world_.networks().tell_changes();
    before_ = world_.networks().dump();
    return {};
}

Result<void> NetWorld::furnish(const std::string& place, const json::View& space) {
    sim::VirtualKernel& kernel =
        place.empty() ? world_.networks().kernel() : world_.networks().add(place);
    for (const json::View::Field& field : space.fields()) {
        if (field.key == "links") {
            for (const json::View::Field& link : field.value.fields()) {
                add_link(kernel, std::string{link.key}, link.value);
            }
        } else if (field.key == "settings") {
            for (const json::View::Field& setting : field.value.fields()) {
                kernel.set(std::string{setting.key},
                           std::string{setting.value.as_string().value_or("")});
            }
        } else if (field.key == "addresses" || field.key == "routes" || field.key == "lacks") {
            for (const json::View& item : field.value.items()) {
                const std::vector<std::string> words = words_of(item.as_string().value_or(""));
                if (field.key == "lacks") {
                    kernel.lack(words.at(0));
                } else if (field.key == "addresses") {
                    kernel.add_address(words.at(1), words.at(0));
                } else {
                    const unsigned long metric = words.size() > 2 ? std::stoul(words[2]) : 0;
                    kernel.add_route(words.at(0), words.at(1), static_cast<std::uint32_t>(metric));
                }
            }
        } else {
            return wrong("the key '" + std::string{field.key} + "' of a namespace");
        }
    }
    return {};
}

Result<void> NetWorld::add_fault(const json::View& fault) {
    using Effect = sim::NetworkFault::Effect;
    constexpr std::array<std::pair<std::string_view, Effect>, 4> effects{
        {{"fail", Effect::refuse},
         {"lost", Effect::lose_request},
         {"never", Effect::lose_answer},
         {"late", Effect::delay_answer}}};
    for (const auto& [key, effect] : effects) {
        const std::optional<std::string_view> name = fault.find_string(key);
        if (!name) {
            continue;
        }
        const auto type = std::find(request_names.begin(), request_names.end(), *name);
        const int error = error_of(fault.find_string("errno").value_or("EPERM"));
        if (type == request_names.end() || error == 0) {
            return wrong("a fault of " + std::string{*name});
        }
        const auto index = static_cast<std::size_t>(type - request_names.begin());
        world_.networks().next(
            [index, left = fault.find_int("nth").value_or(1)](const net::Request& request) mutable {
                return request.index() == index && --left == 0;
            },
            {effect, error, duration_in(fault, "by")});
        return {};
    }
    return wrong("a fault without fail, lost, never or late");
}

Result<void> NetWorld::add_later(const json::View& later) {
    auto says = std::make_shared<const json::Document>(json::Document::extract(later));
    const auto act = [this, says] {
        const json::View root = says->root();
        const std::string place{root.find_string("in").value_or("")};
        sim::VirtualNetworks& networks = world_.networks();
        if (const auto link = root.find_string("link")) {
            change_link(networks.kernel(place), std::string{*link}, root);
        }
        if (is_true(root, "overrun", false)) {
            networks.overrun(place);
        }
        if (is_true(root, "end", false)) {
            networks.end_watches(place, system_error(EIO, "watch the network namespace"));
        }
        const std::int64_t routes = root.find_int("routes").value_or(0);
        for (std::int64_t number = 0; number < routes; ++number) {
            networks.kernel(place).add_route("10.77." + std::to_string(number / 256) + "." +
                                                 std::to_string(number % 256) + "/32",
                                             "lo");
        }
        if (const auto signal = root.find_string("signal")) {
            (void)world_.signals().deliver(signal_of(*signal));
        }
        networks.tell_changes();
    };
    later_.push_back(world_.virtual_clock().arm(duration_in(later, "at"), act));
    return {};
}

std::string NetWorld::difference() const {
    const std::string now = world_.networks().dump();
    std::string text = without(before_, now, "- ") + without(now, before_, "+ ");
    if (const std::size_t left = world_.networks().faults_left(); left > 0) {
        text += std::to_string(left) + " faults had no turn\n";
    }
    return text;
}

}  // namespace ktm::testing
