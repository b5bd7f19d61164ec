// SPDX-License-Identifier: Apache-2.0
// trial/node.cc: one node of a trial: its kernel, its files, its QEMU, and who acts on it.
#include "trial/node.hh"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/assert.hh"
#include "base/text.hh"
#include "host/namespace.hh"

namespace ktm::trial {

namespace {

constexpr const char* state_folder = "/run/katamaran";
constexpr const char* underlay = "eth0";
/// A guest that does not survive: from when it runs at the destination.
constexpr Duration resets_after{std::chrono::milliseconds{200}};
/// LIMIT: as `katamaran recover` has it.
constexpr Duration guest_patience{std::chrono::seconds{15}};
/// What stands in the journal when the guest is given away.
constexpr std::string_view committed_line = "{\"committed\":true}";
/// Protocols in the kernel's state that are there on purpose: a guest that has arrived.
constexpr std::string_view arrival_mark = " protocol 108";

constexpr std::size_t slot_of(Node::About about) noexcept {
    return static_cast<std::size_t>(about);
}

/// Who has a tap open is no change of the host: its QEMU comes and goes.
std::string without_carriers(std::string_view text) {
    constexpr std::string_view mark = "carrier ";
    std::string rest;
    rest.reserve(text.size());
    // Not with the space in front: to look for one is to stop at each word.
    for (std::size_t at = 0; (at = text.find(mark, 1)) != std::string_view::npos;) {
        const std::string_view word = text.substr(at + mark.size());
        const std::size_t word_bytes = word.starts_with("yes") ? 3 : word.starts_with("no") ? 2 : 0;
        rest += text.substr(0, word_bytes > 0 ? at - 1 : at + mark.size());
        text.remove_prefix(at + mark.size() + word_bytes);
    }
    return rest.append(text);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// Without the length of the taps' queues and what queues there: a hold that was finished behind
/// the commit stays on its tap, open.
std::string without_holds(std::string_view text) {
    constexpr std::string_view mark = " queue ";
    std::string rest;
    bool is_tap = false;
    for (std::string_view line : lines_of(text)) {
        if (is_tap && line.starts_with("  root ")) {
            continue;
        }
        is_tap = line.starts_with("link ") && line.find(" tap yes ") != std::string_view::npos;
        if (const std::size_t at = line.find(mark); is_tap && at != std::string_view::npos) {
            const std::size_t behind = line.find(' ', at + mark.size());
            append(rest, {line.substr(0, at)});
            line = behind == std::string_view::npos ? "" : line.substr(behind);
        }
        append(rest, {line, "\n"});
    }
    return rest;
}

/// The lines of one that the other does not have, but for those that hold a mark.
std::string lines_beyond(std::string_view text, std::string_view known, char sign,
                         std::string_view mark) {
    std::vector<std::string_view> lines = lines_of(known);
    std::string beyond;
    for (const std::string_view line : lines_of(text)) {
        const auto found = std::find(lines.begin(), lines.end(), line);
        if (found != lines.end()) {
            lines.erase(found);
        } else if (mark.empty() || line.find(mark) == std::string_view::npos) {
            append(beyond, {beyond.empty() ? "" : "; ", {&sign, 1}, " ", line});
        }
    }
    return beyond;
}

/// Of a command for a shell, without its quotes: the file that it is all about.
std::string last_word_of(std::string_view command) {
    std::string word;
    bool quoted = false;
    for (const char character : command) {
        quoted = quoted != (character == '\'');
        if (character == ' ' && !quoted) {
            word.clear();
        } else if (character != '\'') {
            word += character;
        }
    }
    return word;
}

/// Of a node: those that it always has, and at the destination those that the plan names first.
std::vector<IpAddress> addresses_of(const Stage& stage, Side side) {
    std::vector<IpAddress> addresses;
    if (side == Side::dest) {
        addresses = stage.dest_addresses;
    }
    for (const char* text : side == Side::source
                                ? std::array<const char*, 2>{"192.0.2.1", "2001:db8:77::1"}
                                : std::array<const char*, 2>{"192.0.2.2", "2001:db8:77::2"}) {
        addresses.push_back(*IpAddress::parse(text));
    }
    return addresses;
}

}  // namespace

Node::Node(const Ground& ground, const Stage& stage, Side side, model::Disk* disk)
    : ground_(ground),
      stage_(stage),
      side_(side),
      disk_(disk),
      netns_(stage.part(side)->netns),
      socket_(stage.part(side)->socket),
      networks_(ground.clock, life_),
      processes_(
          ground.clock, ground.crossings, side, stage.programs,
          [this](std::string_view line) { return start_qemu_anew(line); },
          [this](std::string_view line) { tell_guess(line); }),
      signals_(ground.clock),
      transport_(ground.clock, ground.wire, addresses_of(stage, side)),
      lines_(transport_, ground.clock, ground.crossings, side, life_,
             {addresses_of(stage, side), addresses_of(stage, model::other(side))}),
      world_{ground_.loop, ground_.clock, lines_,    processes_,
             files_,       signals_,      networks_, ciphers_} {
    furnish(stage);
    judge();
    if (!socket_.empty()) {
        start_qemu();
    }
}

Node::~Node() = default;

/// As a node is before a migration: the guest's tap, and at the source the way to it.
void Node::furnish(const Stage& stage) {
    if (!netns_.empty()) {
        (void)networks_.add(netns_);
    }
    sim::VirtualKernel& here = kernel();
    const bool is_source = side_ == Side::source;
    const std::string& tap = stage.part(side_)->tap;
    here.add_link(underlay, "");
    here.add_tap(tap);
    here.set(std::string{"ipv4/conf/"} + underlay + "/forwarding", "1");
    here.set("ipv6/conf/all/forwarding", "1");
    here.set("ipv4/ip_forward", "1");
    (void)files_.replace("/proc/meminfo", "MemTotal: 67108864 kB\nMemAvailable: 33554432 kB\n");
    (void)files_.replace("/proc/net/tcp", "  sl  local_address rem_address   st\n");
    std::vector<IpAddress> added;
    for (const IpAddress& address : addresses_of(stage, side_)) {
        if (std::find(added.begin(), added.end(), address) == added.end()) {
            here.add_address(underlay,
                             address.text() + (address.family() == Family::v4 ? "/24" : "/64"));
            added.push_back(address);
        }
    }
    if (!stage.world.has_plug) {
        here.lack("plug");
    }
    if (is_source) {
        for (const IpAddress& address : stage.guest) {
            here.add_route(address.text() + (address.family() == Family::v4 ? "/32" : "/128"), tap);
        }
    }
    (void)here.take_changes();
}

void Node::start_qemu() {
    model::QemuSettings settings;
    settings.node = static_cast<int>(side_);
    settings.number = 1 + static_cast<std::uint64_t>(side_);
    settings.incoming = side_ == Side::dest;
    settings.paused = side_ == Side::dest;
    for (const std::string& drive :
         stage_.drives.empty() ? std::vector<std::string>{"disk0"} : stage_.drives) {
        settings.drives.push_back({drive, disk_});
    }
    const WorldSettings& world = stage_.world;
    settings.load.ram_bytes = world.ram_bytes;
    settings.load.zero_bytes = 0;
    settings.encrypted_bytes_per_second = static_cast<double>(world.encrypted_bytes_per_second);
    settings.load.dirty_bytes_per_second = world.dirty_bytes_per_second;
    settings.load.working_set_bytes = world.working_set_bytes;
    settings.load.disk_writes_per_second = world.disk_writes_per_second;
    settings.copy_bytes_per_second = 4e9;
    settings.files = &files_;
    model::QemuHooks hooks;
    hooks.on_guest = [this](bool runs) {
        // What mirrors owe is known when they are brought up to date.
        ground_.referee.on_guest(side_, runs, !runs || qemu_ == nullptr || qemu_->disk_fits_guest(),
                                 ground_.clock.now());
        if (on_guest) {
            on_guest(runs);
        }
        if (runs && side_ == Side::dest && !stage_.world.survives) {
            resets_ = ground_.clock.arm(resets_after, [this] { qemu_->guest_resets(); });
        }
    };
    hooks.on_exit = [this](int code) {
        ground_.referee.on_exit(side_, code == 137, ground_.clock.now());
        if (on_qemu_exit) {
            on_qemu_exit();
        }
    };
    hooks.on_program = [this](std::string_view command) { return judge_program(command); };
    hooks.on_program_end = [this] {
        file_whole_ = !program_fails_;
        file_there_ = file_there_ || file_whole_;
    };
    hooks.has_file = [this](std::string_view path) { return file_there_ && path == program_file_; };
    qemu_ = std::make_unique<model::Qemu>(ground_.clock, ground_.board, std::move(settings),
                                          std::move(hooks));
    auto socket =
        model::QemuSocket::open(ground_.clock, transport_, Endpoint{UnixEndpoint{socket_}}, *qemu_);
    KTM_ASSERT(socket.has_value());
    socket_of_qemu_ = std::move(*socket);
    socket_of_qemu_->judge_by(
        [this](const model::QemuSocket::Message& message) { return judge_message(message); });
    if (qemu_->guest_runs()) {
        ground_.referee.on_guest(side_, true, true, ground_.clock.now());
    }
}

/// Its program starts QEMU where none is; beside one that lives it is refused the socket.
bool Node::start_qemu_anew(std::string_view line) {
    const std::string& starter = stage_.part(side_)->starter;
    if (starter.empty() || line != starter || has_qemu()) {
        return !starter.empty() && line == starter;
    }
    // Not in the midst of what the former one does last.
    ground_.clock.soon([this] {
        resets_.reset();
        socket_of_qemu_.reset();
        qemu_.reset();
        start_qemu();
        if (on_qemu_start) {
            on_qemu_start();
        }
    });
    return true;
}

// --- Faults -------------------------------------------------------------------------------------

void Node::judge() {
    networks_.judge_by([this](const net::Request& request) { return judge_request(request); });
    files_.judge_by(
        [this](const std::string&, std::string_view bytes) { return judge_write(bytes); });
}

std::optional<sim::NetworkFault> Node::judge_request(const net::Request& request) {
    const bool is_query = request.index() >= net::Request{net::FindLink{}}.index();
    const Harm harm = ground_.crossings.pass(side_, Channel::request, is_query,
                                             [&] { return net::describe(request); });
    using Effect = sim::NetworkFault::Effect;
    if (harm == Harm::lost || harm == Harm::unheard) {
        return sim::NetworkFault{
            harm == Harm::lost ? Effect::lose_request : Effect::lose_answer, 0, {}};
    }
    if (harm == Harm::late || harm == Harm::too_late) {
        // Nobody waits for the kernel any more by then.
        const Duration given_up = harm == Harm::late ? Duration::zero() : host::answer_within;
        return sim::NetworkFault{Effect::delay_answer, 0, given_up + late_by};
    }
    const int error = error_of(harm);
    return error == 0 ? std::nullopt : std::optional{sim::NetworkFault{Effect::refuse, error, {}}};
}

model::QemuSocket::Verdict Node::judge_message(const model::QemuSocket::Message& message) {
    using Kind = model::QemuSocket::Kind;
    using Fate = model::QemuSocket::Fate;
    if (katamaran_ == nullptr || katamaran_->is_over() || katamaran_->was_killed()) {
        return {};
    }
    const Channel channel = message.kind == Kind::command ? Channel::command
                            : message.kind == Kind::reply ? Channel::reply
                                                          : Channel::event;
    const Harm harm = ground_.crossings.pass(side_, channel, false, [&] {
        return std::string{message.name} + (message.data.empty() ? "" : " ") +
               std::string{message.data};
    });
    constexpr std::array<std::pair<Harm, Fate>, 8> fates{{
        {Harm::refused, Fate::is_refused},
        {Harm::lost, Fate::is_lost},
        {Harm::unheard, Fate::is_lost},
        {Harm::late, Fate::is_late},
        {Harm::too_late, Fate::is_kept},
        {Harm::twice, Fate::comes_twice},
        {Harm::swapped, Fate::waits_for_next},
        {Harm::closed, Fate::ends_the_line},
    }};
    for (const auto& [one, fate] : fates) {
        if (one == harm) {
            return {fate, late_by, "refused by the simulation"};
        }
    }
    return {};
}

int Node::judge_write(std::string_view bytes) {
    const Harm harm = ground_.crossings.pass(side_, Channel::journal, false, [&] {
        return bytes.empty() ? std::string{"begin"}
                             : std::string{bytes.substr(0, bytes.find('\n'))};
    });
    const bool survives = !life_.is_over() && error_of(harm) == 0;
    if (survives && bytes.starts_with(committed_line)) {
        ground_.referee.on_commit(side_, ground_.clock.now());
    }
    return error_of(harm);
}

/// `cat > FILE` has its file from the beginning, `cat > PART && mv PART FILE` when it is whole.
model::Program Node::judge_program(std::string_view command) {
    const Harm harm = ground_.crossings.pass(side_, Channel::program, false,
                                             [&] { return std::string{command}; });
    model::Program program;
    if (harm == Harm::ends_early) {
        program.does = model::Program::Does::ends_early;
    } else if (harm == Harm::stops_reading) {
        program.does = model::Program::Does::stops_reading;
    }
    // What stands behind is done when it has failed.
    program_file_ = last_word_of(command.substr(0, command.find(" || ")));
    program_fails_ = harm != Harm::none;
    file_whole_ = false;
    file_there_ = command.find("&& mv ") == std::string_view::npos;
    return program;
}

/// Nobody shall take a forecast for more than it knows.
void Node::tell_guess(std::string_view line) {
    if (katamaran_ != nullptr) {
        katamaran_->on_words("warn", "what '" + std::string{line} +
                                         "' does is not known here: taken to end well, at once and "
                                         "without a word");
    }
}

// --- Who acts -----------------------------------------------------------------------------------

void Node::begin(Part& part, Katamaran::Told told,
                 UniqueFunction<std::vector<model::FlowAccount>()> packets) {
    before_ = without_carriers(networks_.dump());
    if (qemu_ != nullptr) {
        qemu_before_ = qemu_->inventory();
    }
    host::Settings host;
    host.folder = state_folder;
    host.header = {
        "simulated",           side_ == Side::source ? "00000000000000aa" : "00000000000000bb",
        part.socket,           part.plan.plan().name,
        part.settings.role,    "boot",
        "2026-01-01T00:00:00Z"};
    if (ground_.recorded) {
        recorder_ = monitor::Recorder::without_file(ground_.clock, "simulated");
        recorder_->tell([this](std::string_view line) { ground_.recorded(side_, line); });
        recorded_.emplace(world_, *recorder_);
    }
    seen_.emplace(recorded_ ? recorded_->ports() : world_);
    katamaran_ = std::make_unique<Katamaran>(*seen_, life_, part.plan, part.settings, host,
                                             recorder_.get(), std::move(told));
    katamaran_->packets = std::move(packets);
    katamaran_->guest_status = [this] {
        return qemu_ != nullptr && qemu_->is_alive() ? model::name_of(qemu_->run_state())
                                                     : std::string_view{};
    };
    if (ground_.crossings.has(Harm::too_late)) {
        katamaran_->moved_on = [this] { ground_.clock.soon([this] { move_on(); }); };
    }
    katamaran_->crossed = [this] { return ground_.crossings.count(); };
    katamaran_->start();
}

void Node::move_on() {
    if (socket_of_qemu_ != nullptr) {
        socket_of_qemu_->let_through();
    }
    if (on_moved_on) {
        on_moved_on();
    }
}

void Node::interrupt() {
    // From the loop, as a signal comes.
    ground_.clock.soon([this] {
        if (katamaran_ != nullptr && !killed_) {
            katamaran_->interrupt();
        }
    });
}

/// Whoever dies in the midst of an act does nothing more; its memory goes when the stack is empty.
void Node::kill_katamaran() {
    if (katamaran_ == nullptr || killed_ || katamaran_->is_over()) {
        return;
    }
    killed_ = true;
    life_.end_after(0);
    ground_.clock.soon([this] {
        katamaran_->drop();
        networks_.bury();
        files_.disown();
        life_.begin_again();
    });
}

void Node::kill_qemu() {
    // Not in the midst of one of its own acts.
    ground_.clock.soon([this] {
        if (qemu_ != nullptr && qemu_->is_alive()) {
            qemu_->kill();
        }
    });
}

bool Node::is_over() const noexcept {
    return katamaran_ == nullptr || katamaran_->is_over() || katamaran_->was_killed();
}

void Node::recover() {
    if (!killed_) {
        return;
    }
    host::RecoverySettings settings;
    settings.folder = state_folder;
    settings.boot = "boot";
    settings.places = {netns_};
    recovery_ = std::make_unique<host::Recovery>(
        world_, std::move(settings),
        [this](const host::GuestUndo& undo, UniqueFunction<void(Result<bool>)> done) {
            const monitor::GuestWish wish = monitor::wish_named(undo.wish);
            visit_ = std::make_unique<monitor::GuestVisit>(
                world_.clock, world_.transport, undo.vm, monitor::GuestTask{wish, undo.before},
                guest_patience, [this, wish, done = std::move(done)](Result<bool> ended) mutable {
                    saw_guest_run_ = saw_guest_run_ || (wish == monitor::GuestWish::see && ended);
                    done(std::move(ended));
                });
            visit_->start();
        },
        [this](const host::Recovered& recovered) {
            if (recovered.end == host::Recovered::End::failed) {
                left_.push_back(recovered.what + ": " + recovered.why);
                left_about_[slot_of(recovered.at_guest ? About::vm : About::host)] = true;
            }
        },
        [this](const Result<int>& failed) {
            if (!failed) {
                left_.push_back(failed.error().sentence());
                left_about_ = {true, true};
            }
            ground_.clock.soon([this] { recovery_.reset(); });
        });
    recovery_->start();
}

// --- What is found ------------------------------------------------------------------------------

std::string Node::difference() {
    for (const auto& [path, text] : files_.all()) {
        if (path.ends_with("/keys.psk")) {
            return "+" + path;
        }
    }
    std::string now = without_carriers(networks_.dump());
    if (now == before_) {
        return "";
    }
    const bool came = katamaran_ != nullptr && katamaran_->has_committed();
    std::string before = before_;
    if (came) {
        now = without_holds(now);
        before = without_holds(before);
    }
    const std::string more = lines_beyond(now, before, '+', came ? arrival_mark : "");
    const std::string less = lines_beyond(before, now, '-', "");
    return less + (less.empty() || more.empty() ? "" : "; ") + more;
}

std::string Node::qemu_difference() const {
    return qemu_ == nullptr || !qemu_->is_alive() || !qemu_before_
               ? ""
               : model::difference(*qemu_before_, qemu_->inventory());
}

/// A journal that was named says what is still to be taken back.
bool Node::is_open_in_journal(const std::string& path, About about) const {
    const auto file = files_.all().find(path);
    const Result<host::Remains> remains =
        host::read_journal(file == files_.all().end() ? "" : file->second);
    return !remains || std::any_of(remains->entries.begin(), remains->entries.end(),
                                   [&](const host::Entry& entry) {
                                       return entry.guest.has_value() == (about == About::vm);
                                   });
}

bool Node::says_left(About about) const {
    if (left_about_[slot_of(about)]) {
        return true;
    }
    if (katamaran_ == nullptr || !katamaran_->outcome()) {
        return false;
    }
    const script::Outcome& said = *katamaran_->outcome();
    return std::any_of(said.ended.left.begin(), said.ended.left.end(),
                       [&](const engine::Left& left) {
                           return left.in_kernel == (about == About::host);
                       }) ||
           (!said.journal.empty() && is_open_in_journal(said.journal, about));
}

std::optional<model::RamCopy::Course> Node::copy_course() const {
    return qemu_ == nullptr ? std::nullopt : qemu_->copy_course();
}

bool Node::holds_packets() {
    const sim::VirtualKernelState& state = kernel().state();
    return std::any_of(state.links.begin(), state.links.end(), [](const sim::VirtualLink& link) {
        return link.root.plug && link.root.plug->blocked;
    });
}

std::vector<std::string> Node::journals() const {
    std::vector<std::string> found;
    for (const auto& [path, text] : files_.all()) {
        if (path.ends_with(".journal")) {
            found.push_back(path);
        }
    }
    return found;
}

Ending Node::ending(const std::string& role) const {
    Ending ending;
    ending.side = side_;
    ending.role = role;
    ending.killed = killed_;
    ending.left = left_;
    if (katamaran_ != nullptr) {
        ending.outcome = katamaran_->outcome();
        ending.states = katamaran_->states();
    }
    return ending;
}

}  // namespace ktm::trial
