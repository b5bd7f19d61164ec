// SPDX-License-Identifier: Apache-2.0
// model/migration_settings.cc: names, ranges and refusals of capabilities and parameters.
#include "model/migration_settings.hh"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/assert.hh"
#include "json/writer.hh"

namespace ktm::model {

namespace {

constexpr std::array<std::string_view, 21> capability_names{
    "xbzrle",          "rdma-pin-all",  "auto-converge",       "zero-blocks",
    "compress",        "events",        "postcopy-ram",        "x-colo",
    "release-ram",     "block",         "return-path",         "pause-before-switchover",
    "multifd",         "dirty-bitmaps", "postcopy-blocktime",  "late-block-activate",
    "x-ignore-shared", "validate-uuid", "background-snapshot", "zero-copy-send",
    "postcopy-preempt"};

struct Number {
    std::string_view name;
    std::uint64_t otherwise;
    std::uint64_t least = 0;
    std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    std::string_view expects = {};
};

constexpr std::string_view one_to_99 = "an integer in the range of 1 to 99";
constexpr std::string_view one_to_255 = "a value between 1 and 255";
constexpr std::string_view level = "a value between 0 and 9";

constexpr std::array<Number, 19> numbers{{
    {"xbzrle-cache-size", 67'108'864},
    {"cpu-throttle-initial", 20, 1, 99, one_to_99},
    {"announce-max", 550, 0, 100'000, "a value between 0 and 100000"},
    {"decompress-threads", 2, 1, 255, one_to_255},
    {"compress-threads", 8, 1, 255, one_to_255},
    {"compress-level", 1, 0, 9, level},
    {"multifd-channels", 2, 1, 255, one_to_255},
    {"multifd-zstd-level", 1, 0, 20, "a value between 0 and 20"},
    {"announce-initial", 50, 0, 100'000, "a value between 0 and 100000"},
    {"downtime-limit", 300, 0, 2'000'000, "an integer in the range of 0 to (2000 * 1000) ms"},
    {"announce-rounds", 5, 0, 1000, "a value between 0 and 1000"},
    {"announce-step", 100, 0, 10'000, "a value between 0 and 10000"},
    {"multifd-zlib-level", 1, 0, 9, level},
    {"max-cpu-throttle", 99, 1, 99, "an integer in the range of cpu_throttle_initial to 99"},
    {"max-postcopy-bandwidth", 0},
    {"throttle-trigger-threshold", 50, 1, 100, "an integer in the range of 1 to 100"},
    {"max-bandwidth", 134'217'728},
    {"x-checkpoint-delay", 20'000},
    {"cpu-throttle-increment", 10, 1, 99, one_to_99},
}};
constexpr std::array<std::string_view, 3> flag_names{"cpu-throttle-tailslow", "block-incremental",
                                                     "compress-wait-thread"};
constexpr std::array<std::string_view, 4> text_names{"tls-authz", "multifd-compression",
                                                     "tls-creds", "tls-hostname"};

template <class Names>
std::optional<std::size_t> place_of(const Names& names, std::string_view name) {
    const auto* const found = std::ranges::find(names, name);
    return found == names.end() ? std::nullopt
                                : std::optional{static_cast<std::size_t>(found - names.begin())};
}

std::optional<std::size_t> number_place(std::string_view name) {
    for (std::size_t place = 0; place < numbers.size(); ++place) {
        if (numbers[place].name == name) {
            return place;
        }
    }
    return std::nullopt;
}

std::string worded_change(std::string_view name, std::string_view now, std::string_view before) {
    const auto shown = [](std::string_view value) {
        return value.empty() ? std::string{"empty"} : std::string{value};
    };
    return std::string{name} + " is " + shown(now) + ", was " + shown(before);
}

std::string out_of_range(const Number& number) {
    std::string name{number.name};
    std::ranges::replace(name, '-', '_');
    return "Parameter '" + name + "' expects " + std::string(number.expects);
}

/// A negative number is taken for a large one where there is no range, as QEMU takes it.
std::optional<std::uint64_t> number_in(const json::View& value) {
    if (const std::optional<std::uint64_t> natural = value.as_uint()) {
        return natural;
    }
    const std::optional<std::int64_t> integer = value.as_int();
    return integer ? std::optional{static_cast<std::uint64_t>(*integer)} : std::nullopt;
}

}  // namespace

std::array<std::uint64_t, MigrationSettings::number_count> MigrationSettings::default_numbers() {
    std::array<std::uint64_t, number_count> values{};
    std::ranges::transform(numbers, values.begin(), &Number::otherwise);
    return values;
}

std::uint64_t MigrationSettings::number(std::string_view parameter) const {
    const std::optional<std::size_t> place = number_place(parameter);
    KTM_ASSERT(place);
    return numbers_[*place];
}

std::string_view MigrationSettings::text(std::string_view parameter) const {
    const std::optional<std::size_t> place = place_of(text_names, parameter);
    KTM_ASSERT(place);
    return texts_[*place];
}

void MigrationSettings::apply_to(RamCopy::Terms& terms) const {
    terms.max_bandwidth = number("max-bandwidth");
    terms.downtime_limit_ms = number("downtime-limit");
    terms.auto_converge = has(Capability::auto_converge);
    terms.throttle_initial = number("cpu-throttle-initial");
    terms.throttle_increment = number("cpu-throttle-increment");
    terms.throttle_max = number("max-cpu-throttle");
    terms.throttle_trigger = number("throttle-trigger-threshold");
}

Reply MigrationSettings::set_capabilities(const json::View& arguments) {
    std::array<bool, capability_count> changed = capabilities_;
    std::size_t index = 0;
    for (const json::View entry : arguments.find("capabilities")->items()) {
        const std::string where = "capabilities[" + std::to_string(index++) + "]";
        const std::optional<json::View> name = entry.find("capability");
        const std::optional<json::View> state = entry.find("state");
        if (!name || !state) {
            return refused("Parameter '" + where + (name ? ".state" : ".capability") +
                           "' is missing");
        }
        const std::optional<std::size_t> place =
            place_of(capability_names, name->as_string().value_or(""));
        if (!place) {
            return refused("Parameter 'capability' does not accept value '" +
                           std::string(name->as_string().value_or("")) + "'");
        }
        if (!state->as_bool()) {
            return refused("Invalid parameter type for '" + where + ".state', expected: boolean");
        }
        changed[*place] = *state->as_bool();
    }
    capabilities_ = changed;
    return done();
}

Reply MigrationSettings::set_parameters(const json::View& arguments) {
    MigrationSettings changed = *this;
    for (const json::View::Field field : arguments.fields()) {
        const std::string name{field.key};
        if (const auto place = number_place(field.key)) {
            const std::optional<std::uint64_t> value = number_in(field.value);
            if (!value) {
                return refused("Parameter '" + name + "' expects uint64");
            }
            if (*value < numbers[*place].least || *value > numbers[*place].most) {
                return refused(out_of_range(numbers[*place]));
            }
            changed.numbers_[*place] = *value;
        } else if (const auto flag = place_of(flag_names, field.key)) {
            if (!field.value.as_bool()) {
                return refused("Invalid parameter type for '" + name + "', expected: boolean");
            }
            changed.flags_[*flag] = *field.value.as_bool();
        } else if (const auto text = place_of(text_names, field.key)) {
            if (!field.value.is_string()) {
                return refused("Invalid parameter type for '" + name + "', expected: string");
            }
            changed.texts_[*text] = *field.value.as_string();
        } else {
            return refused("Parameter '" + name + "' is unexpected");
        }
    }
    if (changed.number("max-cpu-throttle") < changed.number("cpu-throttle-initial")) {
        return refused(out_of_range(numbers[*number_place("max-cpu-throttle")]));
    }
    *this = changed;
    return done();
}

std::string MigrationSettings::capabilities_json() const {
    std::string list;
    for (std::size_t place = 0; place < capability_count; ++place) {
        json::ObjectWriter entry;
        entry.boolean("state", capabilities_[place]);
        entry.text("capability", capability_names[place]);
        list += (list.empty() ? "[" : ",") + std::move(entry).finish();
    }
    return list + "]";
}

std::string MigrationSettings::parameters_json() const {
    json::ObjectWriter out;
    for (std::size_t place = 0; place < number_count; ++place) {
        out.json(numbers[place].name, std::to_string(numbers_[place]));
    }
    for (std::size_t place = 0; place < flag_count; ++place) {
        out.boolean(flag_names[place], flags_[place]);
    }
    for (std::size_t place = 0; place < text_count; ++place) {
        out.text(text_names[place], texts_[place]);
    }
    return std::move(out).finish();
}

std::vector<std::string> MigrationSettings::changes_since(const MigrationSettings& before) const {
    std::vector<std::string> found;
    const auto compare = [&found](std::string_view kind, const auto& names, const auto& now,
                                  const auto& then, const auto& text_of) {
        for (std::size_t place = 0; place < now.size(); ++place) {
            if (now[place] != then[place]) {
                found.push_back(
                    std::string{kind} + " " +
                    worded_change(names(place), text_of(now[place]), text_of(then[place])));
            }
        }
    };
    const auto on_or_off = [](bool is_on) { return std::string{is_on ? "on" : "off"}; };
    compare(
        "capability", [](std::size_t place) { return capability_names[place]; }, capabilities_,
        before.capabilities_, on_or_off);
    compare(
        "parameter", [](std::size_t place) { return numbers[place].name; }, numbers_,
        before.numbers_, [](std::uint64_t number) { return std::to_string(number); });
    compare(
        "parameter", [](std::size_t place) { return flag_names[place]; }, flags_, before.flags_,
        on_or_off);
    compare(
        "parameter", [](std::size_t place) { return text_names[place]; }, texts_, before.texts_,
        [](const std::string& text) { return text; });
    return found;
}

}  // namespace ktm::model
