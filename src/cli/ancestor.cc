// SPDX-License-Identifier: Apache-2.0
// cli/ancestor.cc: command lines of the first katamaran, as runs of plans.
#include "cli/ancestor.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/nearest.hh"
#include "base/text.hh"
#include "base/time.hh"
#include "cli/console.hh"

namespace ktm::cli {

namespace {

enum class ForMode : std::uint8_t { both, source, dest };

struct AncestorFlag {
    std::string_view name;
    bool is_switch = false;
    ForMode side = ForMode::both;
    std::string_view refusal = "";  ///< Why it cannot be carried out; empty: it can.
};

constexpr std::string_view no_cluster =
    "no cluster is asked here; give what the pod stands for: --qmp, --vm-ip, and --tap and "
    "--tap-netns at the destination";
constexpr std::string_view no_start =
    "no QEMU is started here; start the one at the destination with the command line of the "
    "source and -incoming defer -S, then give its socket as --qmp";

constexpr std::array<AncestorFlag, 25> ancestor_flags{{
    {"mode"},
    {"qmp"},
    {"drive-id"},
    {"shared-storage", true},
    {"multifd-channels"},
    {"log-format"},
    {"log-level"},
    {"dest-ip"},
    {"vm-ip"},
    {"tunnel-mode"},
    {"downtime", false, ForMode::source},
    {"auto-downtime", true, ForMode::source},
    {"auto-downtime-floor-ms", false, ForMode::source},
    {"cni-convergence-delay", false, ForMode::source},
    {"tap", false, ForMode::dest},
    {"tap-netns", false, ForMode::dest},
    {"pod-name", false, ForMode::both, no_cluster},
    {"pod-namespace", false, ForMode::both, no_cluster},
    {"dest-pod-name", false, ForMode::both, no_cluster},
    {"dest-pod-namespace", false, ForMode::both, no_cluster},
    {"emit-cmdline-to", false, ForMode::both, no_start},
    {"replay-cmdline", false, ForMode::both, no_start},
    {"replay-cmdline-from-pod", false, ForMode::both, no_start},
    {"v", true},
    {"h", true},
}};

/// Of `katamaran run`; whoever adds to an old line need not rewrite it first.
constexpr std::array<AncestorFlag, 11> run_flags{{
    {"insecure", true},
    {"markers", true},
    {"json", true},
    {"require-zero-loss", true},
    {"vars"},
    {"record"},
    {"timeline"},
    {"var"},
    {"state"},
    {"peer-key"},
    {"peer-wait"},
}};

template <std::size_t Count>
const AncestorFlag* find_flag(const std::array<AncestorFlag, Count>& flags, std::string_view name) {
    const auto* const found = std::find_if(
        flags.begin(), flags.end(), [&](const AncestorFlag& flag) { return flag.name == name; });
    return found == flags.end() ? nullptr : found;
}

Error misread(std::string what) {
    return Error{Kind::usage, "bad-option", std::move(what),
                 "read a command line of the first katamaran", nullptr};
}

/// "--downtime=25" as its name and its value, if that is there.
struct Spelled {
    std::string name;
    std::optional<std::string> value;
};

std::optional<Spelled> spelled_of(const std::string& word) {
    const std::size_t begin = word.starts_with("--") ? 2 : 1;
    if (!word.starts_with('-') || word.size() <= begin) {
        return std::nullopt;
    }
    const std::size_t equals = word.find('=', begin);
    if (equals == std::string::npos) {
        return Spelled{word.substr(begin), std::nullopt};
    }
    return Spelled{word.substr(begin, equals - begin), word.substr(equals + 1)};
}

/// As Go reads it.
std::optional<bool> truth_of(std::string_view text) {
    constexpr std::array<std::string_view, 6> yes{"1", "t", "T", "true", "TRUE", "True"};
    constexpr std::array<std::string_view, 6> no{"0", "f", "F", "false", "FALSE", "False"};
    if (std::find(yes.begin(), yes.end(), text) != yes.end()) {
        return true;
    }
    return std::find(no.begin(), no.end(), text) != no.end() ? std::optional{false} : std::nullopt;
}

std::optional<long> number_of(std::string_view text) {
    long number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = fault == std::errc{} && end == text.data() + text.size();
    return whole && number >= 0 ? std::optional{number} : std::nullopt;
}

class Translator {
public:
    [[nodiscard]] Result<void> read(const std::vector<std::string>& words);
    [[nodiscard]] Result<AncestorRun> translate(const std::string& peer_key);

private:
    [[nodiscard]] Result<void> take(const AncestorFlag& flag, std::string value, bool is_ours);
    [[nodiscard]] Result<void> judge_given();
    [[nodiscard]] Result<void> add_source();
    [[nodiscard]] Result<void> add_dest();
    [[nodiscard]] Result<void> add_downtime();
    [[nodiscard]] Result<void> add_delay();
    [[nodiscard]] Result<void> add_channels();
    [[nodiscard]] Result<void> add_log();
    [[nodiscard]] Result<void> need(std::string_view name, std::string_view why) const;

    [[nodiscard]] std::string given(std::string_view name, std::string_view otherwise = "") const {
        const auto found = given_.find(name);
        return found == given_.end() || found->second.empty() ? std::string{otherwise}
                                                              : found->second;
    }
    /// Whether an option of the run is given.
    [[nodiscard]] bool has(std::string_view option) const {
        return std::find(ours_.begin(), ours_.end(), option) != ours_.end();
    }
    [[nodiscard]] bool is_on(std::string_view name) const { return given(name) == "true"; }
    /// One that is given as a var of the run counts.
    void add_var(std::string_view name, std::string_view value) {
        const std::string begin = std::string{name} + "=";
        if (std::any_of(ours_.begin(), ours_.end(),
                        [&](const std::string& word) { return word.starts_with(begin); })) {
            return;
        }
        run_.words.emplace_back("--var");
        run_.words.push_back(begin + std::string{value});
    }

    std::map<std::string, std::string, std::less<>> given_;
    std::vector<std::string> ours_;
    AncestorRun run_;
};

Result<void> Translator::take(const AncestorFlag& flag, std::string value, bool is_ours) {
    if (flag.is_switch) {
        const std::optional<bool> truth = truth_of(value);
        if (!truth) {
            return misread("'--" + std::string{flag.name} + "' is '" + printable(value) +
                           "'; expected true or false");
        }
        value = *truth ? "true" : "false";
    }
    if (!is_ours) {
        given_[std::string{flag.name}] = std::move(value);
    } else if (!flag.is_switch || value == "true") {
        ours_.push_back("--" + std::string{flag.name});
        if (!flag.is_switch) {
            ours_.push_back(std::move(value));
        }
    }
    return {};
}

Result<void> Translator::read(const std::vector<std::string>& words) {
    for (auto word = words.begin(); word != words.end(); ++word) {
        std::optional<Spelled> spelled = spelled_of(*word);
        if (!spelled) {
            return misread("'" + printable(*word) + "' is one word too many");
        }
        const AncestorFlag* const ours = find_flag(run_flags, spelled->name);
        const AncestorFlag* const flag =
            ours != nullptr ? ours : find_flag(ancestor_flags, spelled->name);
        if (flag == nullptr) {
            std::vector<std::string> names;
            for (const AncestorFlag& one : ancestor_flags) {
                names.push_back("--" + std::string{one.name});
            }
            return misread("'" + printable(*word) + "' is no flag that it had" +
                           did_you_mean("--" + spelled->name, names));
        }
        if (!spelled->value && flag->is_switch) {
            spelled->value = "true";
        } else if (!spelled->value && std::next(word) == words.end()) {
            return misread("'" + *word + "' needs a value");
        } else if (!spelled->value) {
            spelled->value = *++word;
        }
        if (Result<void> taken = take(*flag, *std::move(spelled->value), ours != nullptr); !taken) {
            return taken;
        }
    }
    return {};
}

Result<void> Translator::need(std::string_view name, std::string_view why) const {
    if (!given(name).empty()) {
        return {};
    }
    return misread("'--" + std::string{name} + "' is missing: " + std::string{why});
}

/// What cannot be carried out, and what means nothing for this role.
Result<void> Translator::judge_given() {
    const std::string mode = given("mode");
    if (mode != "source" && mode != "dest") {
        return misread("'--mode' is '" + printable(mode) + "'; expected source or dest");
    }
    const ForMode other = mode == "source" ? ForMode::dest : ForMode::source;
    for (const auto& [name, value] : given_) {
        const AncestorFlag& flag = *find_flag(ancestor_flags, name);
        const bool is_asked = !value.empty() && value != "false";
        if (!flag.refusal.empty() && is_asked) {
            return misread("'--" + name +
                           "' is not possible any more: " + std::string{flag.refusal});
        }
        if (flag.side == other && is_asked) {
            run_.remarks.push_back("'--" + name + "' means nothing for --mode " + mode +
                                   ", and is left out");
        }
    }
    const std::string tunnel = given("tunnel-mode", "ipip");
    if (tunnel != "ipip" && tunnel != "gre") {
        return misread("'--tunnel-mode' is '" + printable(tunnel) +
                       "'; expected ipip or gre: without a tunnel the packets that come while the "
                       "guest moves are lost, and no plan that is shipped does that");
    }
    return {};
}

Result<void> Translator::add_downtime() {
    const bool is_automatic = is_on("auto-downtime");
    const std::string floor = given("auto-downtime-floor-ms", "0");
    const std::string_view flag =
        is_automatic && floor != "0" ? "auto-downtime-floor-ms" : "downtime";
    const std::string text = given(flag, "25");
    const std::optional<long> limit_ms = number_of(text);
    if (!limit_ms || *limit_ms == 0) {
        return misread("'--" + std::string{flag} + "' is '" + printable(text) +
                       "'; expected milliseconds, a whole number above 0");
    }
    constexpr long second_limit_ms = 300;  // The plans' own downtime_max.
    add_var("downtime", std::to_string(*limit_ms) + "ms");
    if (*limit_ms > second_limit_ms) {
        add_var("downtime_max", std::to_string(*limit_ms) + "ms");
    }
    if (is_automatic) {
        add_var("auto_downtime", "yes");
        run_.remarks.push_back(
            "'--auto-downtime' adds twice the time to the destination and back "
            "to what '--" +
            std::string{flag} + "' says, " + text + " ms");
    } else if (floor != "0") {
        run_.remarks.emplace_back(
            "'--auto-downtime-floor-ms' means nothing without --auto-downtime, and is left out");
    }
    return {};
}

/// One connection where nothing is said: several help where one is slower than the link.
Result<void> Translator::add_channels() {
    const std::string text = given("multifd-channels", "0");
    const std::optional<long> channels = number_of(text);
    constexpr long channels_max = 255;
    if (!channels || *channels > channels_max) {
        return misread("'--multifd-channels' is '" + printable(text) +
                       "'; expected a whole number, at most 255, the same at both nodes");
    }
    if (*channels > 1) {
        add_var("channels", text);
    }
    return {};
}

Result<void> Translator::add_delay() {
    const std::string text = given("cni-convergence-delay", "0");
    const std::optional<long> seconds = number_of(text);
    const Result<Duration> delay =
        seconds ? Result<Duration>{std::chrono::seconds{*seconds}} : parse_duration(text);
    if (!delay || *delay < Duration::zero()) {
        return misread("'--cni-convergence-delay' is '" + printable(text) +
                       "'; expected seconds, or a duration such as 5s");
    }
    if (*delay > Duration::zero()) {
        // The guest is looked at for so long in any case.
        constexpr Duration shortest = std::chrono::seconds{3};
        add_var("drained", *delay < shortest ? "3s" : seconds ? text + "s" : text);
        run_.remarks.emplace_back(
            "'--cni-convergence-delay' is how long the tunnel is kept at most, and 3 s at least: "
            "it "
            "goes as soon as nothing passes through it any more");
    }
    return {};
}

Result<void> Translator::add_source() {
    if (Result<void> there = need("dest-ip", "the address of the destination"); !there) {
        return there;
    }
    if (Result<void> there = need("vm-ip", "the guest's addresses, whose packets go along");
        !there) {
        return there;
    }
    add_var("dest_ip", given("dest-ip"));
    if (Result<void> added = add_downtime(); !added) {
        return added;
    }
    return add_delay();
}

Result<void> Translator::add_dest() {
    if (Result<void> there =
            need("dest-ip",
                 "the two nodes talk to each other now, so the destination must know at "
                 "which of its addresses it waits: the --dest-ip of the source");
        !there) {
        return there;
    }
    if (Result<void> there =
            need("vm-ip",
                 "the destination prepares the way of the guest's packets now; give the "
                 "--vm-ip of the source");
        !there) {
        return there;
    }
    add_var("listen_ip", given("dest-ip"));
    add_var("tap", given("tap", "tap0_kata"));
    if (!given("tap-netns").empty()) {
        add_var("netns", given("tap-netns"));
    }
    return {};
}

Result<void> Translator::add_log() {
    const std::string format = given("log-format", "text");
    if (format != "text" && format != "json") {
        return misread("'--log-format' is '" + printable(format) + "'; expected text or json");
    }
    if (format == "json" && !has("--json")) {
        run_.words.emplace_back("--json");
    }
    constexpr std::array<std::string_view, 4> levels{"debug", "info", "warn", "error"};
    const std::string level = given("log-level", "info");
    if (std::find(levels.begin(), levels.end(), level) == levels.end()) {
        return misread("'--log-level' is '" + printable(level) +
                       "'; expected debug, info, warn or error");
    }
    if (level != "info") {
        run_.remarks.push_back("'--log-level " + level +
                               "' changes nothing: what is told of a run is always the same, and "
                               "--record FILE keeps everything");
    }
    return {};
}

Result<AncestorRun> Translator::translate(const std::string& peer_key) {
    if (Result<void> judged = judge_given(); !judged) {
        return std::move(judged).error();
    }
    const bool is_source = given("mode") == "source";
    const bool shares = is_on("shared-storage");
    run_.words = {"run", shares ? "shared-storage" : "local-storage", "--role", given("mode")};
    add_var("qmp", given("qmp", "/run/vc/vm/extra-monitor.sock"));
    if (Result<void> added = is_source ? add_source() : add_dest(); !added) {
        return std::move(added).error();
    }
    add_var("vm_ip", given("vm-ip"));
    add_var("tunnel", given("tunnel-mode", "ipip"));
    if (Result<void> added = add_channels(); !added) {
        return std::move(added).error();
    }
    if (!shares) {
        add_var("drives", given("drive-id", "drive-virtio-disk0"));
    } else if (!given("drive-id").empty()) {
        run_.remarks.emplace_back(
            "'--drive-id' means nothing with --shared-storage, and is left out");
    }
    if (has("--insecure")) {
        add_var("encrypt", "no");  // As of old; a key could be read by whoever reads the rest.
    }
    if (Result<void> added = add_log(); !added) {
        return std::move(added).error();
    }
    // The first katamaran told them at the source alone.
    if (is_source && !has("--markers")) {
        run_.words.emplace_back("--markers");
    }
    if (!peer_key.empty() && !has("--peer-key") && !has("--insecure")) {
        run_.words.insert(run_.words.end(), {"--peer-key", peer_key});
    }
    run_.words.insert(run_.words.end(), ours_.begin(), ours_.end());
    return std::move(run_);
}

}  // namespace

bool is_ancestor_line(const std::vector<std::string>& words) {
    const std::optional<Spelled> first = words.empty() ? std::nullopt : spelled_of(words.front());
    return first && first->name != "h" && first->name != "v" &&
           find_flag(ancestor_flags, first->name) != nullptr;
}

bool asks_ancestor_for(const std::vector<std::string>& words,
                       const std::vector<std::string>& names) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
        const std::optional<Spelled> spelled = spelled_of(word);
        return spelled && !spelled->value &&
               std::find(names.begin(), names.end(), spelled->name) != names.end();
    });
}

Result<AncestorRun> translate_ancestor(const std::vector<std::string>& words,
                                       const std::string& peer_key) {
    Translator translator;
    if (Result<void> read = translator.read(words); !read) {
        return std::move(read).error();
    }
    return translator.translate(peer_key);
}

std::string shell_line(const std::vector<std::string>& words) {
    const auto is_plain = [](char character) {
        constexpr std::string_view marks{"_./:@=,+%-"};
        return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
               (character >= '0' && character <= '9') ||
               marks.find(character) != std::string_view::npos;
    };
    std::string line = "katamaran";
    for (const std::string& word : words) {
        line += ' ';
        if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) {
            line += word;
            continue;
        }
        line += '\'';
        for (const char character : word) {
            line += character == '\'' ? std::string{"'\\''"} : std::string{character};
        }
        line += '\'';
    }
    return line;
}

int ancestor_exit_code(int code) noexcept {
    return code == exit_stranded ? exit_failed : code;
}

}  // namespace ktm::cli
