// SPDX-License-Identifier: Apache-2.0
// trial/world_settings.cc: the text of what a simulated migration has to deal with.
#include "trial/world_settings.hh"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "base/nearest.hh"
#include "base/quantity.hh"
#include "base/text.hh"

namespace ktm::trial {

namespace {

constexpr std::int64_t kilo = 1000;
constexpr std::int64_t kibi = 1024;

constexpr std::array<Unit, 11> size_units{{
    {"B", 1},
    {"K", kibi},
    {"KiB", kibi},
    {"M", kibi* kibi},
    {"MiB", kibi* kibi},
    {"G", kibi* kibi* kibi},
    {"GiB", kibi* kibi* kibi},
    {"T", kibi* kibi* kibi* kibi},
    {"TiB", kibi* kibi* kibi* kibi},
    {"MB", kilo* kilo},
    {"GB", kilo* kilo* kilo},
}};
constexpr std::array<Unit, 7> rate_units{{
    {"B/s", 1},
    {"k/s", kilo},
    {"kB/s", kilo},
    {"M/s", kilo* kilo},
    {"MB/s", kilo* kilo},
    {"G/s", kilo* kilo* kilo},
    {"GB/s", kilo* kilo* kilo},
}};
/// In bits a second, as networks are sold.
constexpr std::array<Unit, 4> link_units{{
    {"M", kilo* kilo},
    {"Mbit/s", kilo* kilo},
    {"G", kilo* kilo* kilo},
    {"Gbit/s", kilo* kilo* kilo},
}};
constexpr std::array<Unit, 4> count_units{{{"", 1}, {"k", kilo}, {"M", kilo* kilo}, {"/s", 1}}};
constexpr std::int64_t bits_a_byte = 8;

enum class Kind { size, rate, link, count, duration, storage, flag };

struct Key {
    std::string_view name;
    Kind kind;
    std::string_view example;
    std::string_view preset;  ///< What it is when nobody says so.
    std::string_view words;
};

constexpr std::array<Key, 16> keys{{
    {"ram", Kind::size, "8G", "1G", "memory of the guest"},
    {"dirty", Kind::rate, "300M/s", "50M/s", "how much of it the guest writes to, in a second"},
    {"working", Kind::size, "512M", "256M", "how much of it the guest writes to, in all"},
    {"disk", Kind::size, "20G", "1G", "the guest's disk"},
    {"writes", Kind::count, "1k", "200", "writes to it in a second"},
    {"survives", Kind::flag, "yes", "yes", "the move; with no it resets itself when it has come"},
    {"storage", Kind::storage, "local", "",
     "shared or local disks; else local if the plan has drives"},
    {"link", Kind::link, "25G", "10G", "bits a second between the nodes"},
    {"tls", Kind::rate, "1G/s", "140M/s",
     "what one connection of QEMU carries of RAM when it is encrypted"},
    {"latency", Kind::duration, "1ms", "100us", "one way between them"},
    {"rtt", Kind::duration, "2ms", "200us", "there and back; twice the latency"},
    {"pps", Kind::count, "100k", "20k", "packets for the guest in a second"},
    {"packet", Kind::count, "1400", "1000", "bytes of each"},
    {"reads", Kind::count, "1M", "200k", "packets that the guest takes in a second"},
    {"plug", Kind::flag, "no", "yes", "whether the kernels have sch_plug"},
    {"fabric", Kind::duration, "10s", "1500ms", "until the network knows where the guest has gone"},
}};

std::string padded(std::string_view text, std::size_t columns) {
    return std::string{text} + std::string(columns - std::min(columns, text.size()), ' ');
}

Error bad_world(std::string what) {
    return Error{ktm::Kind::usage, "bad-model", std::move(what), "", nullptr};
}

Result<std::int64_t> amount(const Key& key, std::string_view text) {
    const auto parse = [&](auto& units, std::string_view noun) {
        return parse_quantity(text, units, noun, key.example);
    };
    switch (key.kind) {
        case Kind::size: return parse(size_units, "an amount of memory");
        case Kind::rate:
            return text == "0" ? Result<std::int64_t>{0}
                               : parse(rate_units, "an amount in a second");
        case Kind::link: return parse(link_units, "the speed of a network");
        case Kind::count: return parse(count_units, "a number");
        case Kind::duration: {
            const Result<Duration> duration = parse_duration(text);
            return duration ? Result<std::int64_t>{duration->count()} : Error{duration.error()};
        }
        case Kind::storage:
        case Kind::flag: break;
    }
    return std::int64_t{0};
}

Result<bool> choice(std::string_view text, std::string_view yes, std::string_view no) {
    if (text == yes || text == no) {
        return text == yes;
    }
    return bad_world("'" + std::string{text} + "' is neither " + std::string{yes} + " nor " +
                     std::string{no});
}

Result<void> set(const Key& key, std::string_view text, WorldSettings& settings) {
    if (key.kind == Kind::storage || key.kind == Kind::flag) {
        const bool is_storage = key.kind == Kind::storage;
        const Result<bool> chosen =
            is_storage ? choice(text, "shared", "local") : choice(text, "yes", "no");
        if (!chosen) {
            return Error{chosen.error()};
        }
        if (is_storage) {
            settings.shared_disks = *chosen;
        } else if (key.name == "survives") {
            settings.survives = *chosen;
        } else {
            settings.has_plug = *chosen;
        }
        return {};
    }
    const Result<std::int64_t> number = amount(key, text);
    if (!number) {
        return Error{number.error()};
    }
    const auto value = static_cast<std::uint64_t>(*number);
    if (key.name == "ram") {
        settings.ram_bytes = value;
    } else if (key.name == "dirty") {
        settings.dirty_bytes_per_second = value;
    } else if (key.name == "working") {
        settings.working_set_bytes = value;
    } else if (key.name == "disk") {
        settings.disk_bytes = value;
    } else if (key.name == "writes") {
        settings.disk_writes_per_second = value;
    } else if (key.name == "link") {
        settings.link_bytes_per_second = value / bits_a_byte;
    } else if (key.name == "tls") {
        settings.encrypted_bytes_per_second = value;
    } else if (key.name == "latency") {
        settings.latency = Duration{*number};
    } else if (key.name == "fabric") {
        settings.fabric_moves_after = Duration{*number};
    } else if (key.name == "rtt") {
        settings.latency = Duration{*number / 2};
    } else if (key.name == "pps") {
        settings.packets_per_second = value;
    } else if (key.name == "packet") {
        settings.packet_bytes = static_cast<std::uint32_t>(value);
    } else {
        settings.guest_packets_per_second = value;
    }
    return {};
}

/// What no guest and no network can be.
Result<void> check(const WorldSettings& settings) {
    constexpr std::uint64_t ram_min = 1U << 20U;
    constexpr std::uint32_t packet_min = 28;
    constexpr std::uint32_t packet_max = 65535;
    if (settings.ram_bytes < ram_min) {
        return bad_world("ram is less than 1 MiB");
    }
    if (settings.link_bytes_per_second == 0 || settings.encrypted_bytes_per_second == 0 ||
        settings.guest_packets_per_second == 0) {
        return bad_world("link, tls and reads are more than nothing");
    }
    if (settings.working_set_bytes > settings.ram_bytes) {
        return bad_world("working is more than ram");
    }
    if (settings.packets_per_second > settings.guest_packets_per_second) {
        return bad_world("pps is more than reads: the guest would lose packets where it stands");
    }
    if (settings.packet_bytes < packet_min || settings.packet_bytes > packet_max) {
        return bad_world("packet is 28 to 65535 bytes");
    }
    return {};
}

}  // namespace

Result<void> read_world(std::string_view text, WorldSettings& settings) {
    std::vector<std::string_view> given;
    const auto is_given = [&given](std::string_view name) {
        return std::find(given.begin(), given.end(), name) != given.end();
    };
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), item.size() + 1));
        const std::size_t equals = item.find('=');
        const std::string_view name = item.substr(0, equals);
        const auto key = std::find_if(keys.begin(), keys.end(),
                                      [&](const Key& known) { return known.name == name; });
        if (key != keys.end() && equals == std::string_view::npos) {
            return bad_world("'" + std::string{name} + "' has no value; expected " +
                             std::string{name} + "=" + std::string{key->example});
        }
        if (key == keys.end()) {
            std::vector<std::string> names;
            for (const Key& known : keys) {
                names.emplace_back(known.name);
            }
            return bad_world("'" + std::string{name} + "' is no key of a model; expected " +
                             joined(names, ", ") + did_you_mean(std::string{name}, names));
        }
        if (Result<void> done = set(*key, item.substr(equals + 1), settings); !done) {
            return std::move(done).error().while_trying("read " + std::string{name} +
                                                        " of the model");
        }
        if (is_given(name)) {
            return bad_world(std::string{name} + " is given twice");
        }
        given.push_back(key->name);
    }
    if (is_given("latency") && is_given("rtt")) {
        return bad_world("latency and rtt are one thing, and both are given");
    }
    // A small guest has no larger a working set, unless somebody says so.
    if (!is_given("working")) {
        settings.working_set_bytes = std::min(settings.working_set_bytes, settings.ram_bytes);
    }
    return check(settings);
}

std::string describe_world_keys() {
    const auto units = [](const auto& list) {
        std::string names;
        for (const Unit& unit : list) {
            names += (names.empty() || unit.name.empty() ? "" : ", ") + std::string{unit.name};
        }
        return names;
    };
    std::string text = "  key      such as  without it\n";
    for (const Key& key : keys) {
        const std::string line = padded(key.name, 9) + padded(key.example, 9) +
                                 padded(key.preset, 8) + std::string{key.words};
        text += "  " + line + "\n";
    }
    return text + "  Units of memory and disks: " + units(size_units) +
           ";\n  of dirty: " + units(rate_units) + "; of link: " + units(link_units) +
           "; of counts: " + units(count_units) + ".\n";
}

std::vector<std::pair<std::string, std::string>> world_presets() {
    std::vector<std::pair<std::string, std::string>> presets;
    for (const Key& key : keys) {
        if (!key.preset.empty()) {
            presets.emplace_back(key.name, key.preset);
        }
    }
    return presets;
}

}  // namespace ktm::trial
