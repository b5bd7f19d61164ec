// SPDX-License-Identifier: Apache-2.0
// script/run.hh: one run of a plan: the machine, its Lua bodies, and the world.
//
// Theory of operation. The machine decides, this carries out. Whatever happens (a QMP event, a
// timer, a signal, the end of a body) is posted as an Input and goes through the machine in order;
// its Actions are carried out at once. A body is a Lua thread; a primitive that waits suspends it
// and leaves an operation behind, which resumes it later, once: an operation that was cancelled or
// has already answered is known by its number, and nobody listens to it any more.
//
//     connecting ──ready──> running ──Ended──> asking ──answered or late──> over
//
// Connecting: the VM of the var `qmp` and the other node must greet before anything is begun.
// Asking: at the end each VM is asked where its guest stands. One that has not greeted yet has
// status_within for that, and any has as long for its answer; what is not learned is unknown. The
// other node is told how it ended, bounded by farewell_within.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/shared_key.hh"
#include "engine/machine.hh"
#include "host/hold.hh"
#include "host/host.hh"
#include "monitor/client.hh"
#include "monitor/guest_undo.hh"
#include "net/account.hh"
#include "peer/session.hh"
#include "plan/settings.hh"
#include "ports/loop.hh"
#include "script/finding.hh"
#include "script/loaded_plan.hh"

namespace ktm::script {

/// LIMIT: how long the greeting of a VM may take.
inline constexpr Duration connect_within{std::chrono::seconds{10}};
/// LIMIT: how long all looks of a run may take, and one question to a VM in them.
inline constexpr Duration looks_within{std::chrono::seconds{10}};
inline constexpr Duration question_within{std::chrono::seconds{2}};
/// LIMIT: how long the other node is waited for once it is there and we have looked: until it has
/// looked as well. That is how long its VM may take to greet, and its looks.
inline constexpr Duration their_looks_within{std::chrono::seconds{25}};
/// LIMIT: findings of one run; a plan that finds something without an end would fill the screen.
inline constexpr std::size_t findings_max = 500;
/// LIMIT: how long the last question to a VM may take.
inline constexpr Duration status_within{std::chrono::seconds{2}};
/// LIMIT: how long the end waits for programs that were killed.
inline constexpr Duration reap_within{std::chrono::seconds{2}};

/// LIMIT: how long the end waits for what was begun in the kernel, and for giving it back.
inline constexpr Duration settle_within{std::chrono::seconds{12}};

/// LIMIT: holds and undos of one run; an undo that registers an undo would never end.
inline constexpr std::uint64_t entries_max = 1000;

/// LIMIT: events that a plan emits in a row while nothing from outside happens, deadlines and
/// signals included. One that answers each of its events with another would never end.
inline constexpr unsigned emits_max = 1000;

/// The code of the reason with which a person interrupts a run.
inline constexpr std::string_view interrupted_code = "interrupted";

/// What was learned of a VM at the end.
struct GuestStatus {
    std::string vm;  ///< Its name; empty for the default one.
    std::string socket;
    std::string status;  ///< QEMU's word: "running", "paused", "postmigrate"; empty: unknown.
    std::string why;     ///< Why it is unknown.
    /// What its last event MIGRATION said of a copy; empty: there was none.
    std::string copy = "";
    /// Its answer to query-migrate behind a copy that is complete, as JSON; empty where the
    /// observer does not want it, or there was none.
    std::string migration = "";
};

/// What both nodes have counted of the guest's packets, and what follows from it.
struct PacketLedger {
    net::Account ours;
    std::optional<net::Account> theirs;
    net::Proof proof;
};

struct Outcome {
    engine::Ended ended;
    bool interrupted = false;  ///< And that is why it ended, not something that came before.
    std::vector<GuestStatus> guests;
    std::vector<std::string> losses;  ///< Packets that a hold lost, in words.
    PacketLedger ledger;
    std::string journal;  ///< What could not be undone is written there; or empty.
    Duration elapsed{};
};

/// Sees a run from outside: a command line, a log, a test.
class Observer {
public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;

    virtual void on_input(const engine::Input&) {}
    virtual void on_action(const engine::Action&) {}
    /// The run has not begun: it waits "for the other node at …"; at most so long.
    virtual void on_waiting(std::string_view /*for_what*/, Duration /*left*/) {}
    /// Something was looked at before the run begins.
    virtual void on_finding(const Finding&) {}
    /// A plan's own words: level is "debug", "info", "warn", "error" or "progress".
    virtual void on_words(std::string_view /*level*/, std::string_view /*text*/) {}
    /// Whether each VM is asked at the end, if that is `done`, what became of its migration.
    [[nodiscard]] virtual bool wants_migrations() const { return false; }
    /// Last, once.
    virtual void on_over(const Outcome&) = 0;
};

class NetSide;
class PeerSide;

/// Where the katamaran at the other node is found, or is waited for.
struct PeerPlace {
    bool connects = false;
    IpAddress address;
    std::uint16_t port = 0;

    [[nodiscard]] Endpoint endpoint() const { return TcpEndpoint{address, port}; }
    [[nodiscard]] std::string text() const { return endpoint().text(); }
};
/// Of the role of a run; nothing when it has no other node.
[[nodiscard]] std::optional<PeerPlace> peer_place_of(const plan::Plan& plan,
                                                     const plan::Settings& settings);

struct PeerOptions {
    /// LIMIT: how long the other node is waited for before the run begins.
    Duration wait = std::chrono::minutes{5};
    peer::Limits limits;
    /// With it what the two say is under TLS.
    std::optional<SharedKey> key;
    /// Whether nobody else can hear what the two say: under TLS, or within one host.
    bool is_private = true;
};

class Run {
public:
    /// `settings` has passed plan::resolve. LIFETIME: all arguments outlive the run; `recorder` may
    /// be null.
    Run(const ports::World& world, LoadedPlan& plan, const plan::Settings& settings,
        host::Settings host, monitor::Recorder* recorder, Observer& observer,
        PeerOptions peer_options = {});
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    void start();
    /// Before start(): it ends behind the looks. The other node is not looked for, and a VM that
    /// cannot be reached is a finding.
    void look_only() { looks_.are_all = true; }
    /// Ends it in order; `reason` is what it will say of itself.
    void interrupt(Error reason);

    [[nodiscard]] const std::string& state() const { return machine_.state(); }
    /// Whether a state of the plan waits for this event, whichever runs.
    [[nodiscard]] bool hears(std::string_view event) const;

    // --- For the primitives. ------------------------------------------------------------------

    using Token = std::uint64_t;
    /// Pushes the results of an operation and returns their number.
    using Push = UniqueFunction<int(lua_State*)>;

    /// Suspends the running body; `abandon` is called when the operation is cancelled.
    [[nodiscard]] Token suspend(UniqueFunction<void()> abandon);
    /// Ends the operation: the body goes on with what `push` pushes. Nothing when it is over.
    void resume(Token token, Push push);
    void resume_with_error(Token token, Error error);
    /// For an operation that failed before it began: not from inside the call that suspends.
    void resume_later(Token token, Error error);
    void pause(Token token, Duration duration);
    /// The operation fails with this error unless it has answered by then.
    void bound(Token token, Duration within, Error late);
    /// Whether a body still waits for this operation.
    [[nodiscard]] bool waits_for(Token token) const noexcept {
        return token != 0 && token == body_.token;
    }
    /// Whether one runs, or is suspended: events wait in the queue then.
    [[nodiscard]] bool is_in_body() const noexcept { return body_.thread != nullptr; }
    /// Why the running body must not wait any more.
    [[nodiscard]] const std::optional<Error>& cancelled() const noexcept { return body_.cancelled; }

    void post(engine::Input input) { inputs_.push_back(std::move(input)); }
    /// Makes an event happen; false when the plan has done so emits_max times in a row.
    [[nodiscard]] bool emit(engine::Event event);
    /// Lets the machine work on what was posted; called at the end of each callback.
    void drain();
    void wait_for(Token token, engine::Pattern pattern, std::optional<Duration> within);

    [[nodiscard]] engine::EntryId register_entry(engine::Registered::Kind kind, std::string what,
                                                 Duration within, int function,
                                                 bool in_kernel = false);
    void forget_entry(engine::EntryId entry, bool is_undo = false);
    /// How many were registered so far.
    [[nodiscard]] std::uint64_t entries() const noexcept { return entry_ids_.last(); }

    /// The connection of that name; null when there is none, or none any more.
    [[nodiscard]] monitor::Client* client(const std::string& vm) noexcept;
    [[nodiscard]] bool has_vm(const std::string& vm) const { return vms_.contains(vm); }
    /// Connects another VM under a name that is not taken; the body that asked is resumed.
    void connect(const std::string& vm, const Endpoint& endpoint, Token token);
    void disconnect(const std::string& vm);
    /// Its connection was lost, and a body wants it again.
    [[nodiscard]] bool is_lost(const std::string& vm) const;
    void reconnect(const std::string& vm, Token token);

    /// Takes a migration back at the guest of the default VM; the operation answers.
    void undo_guest(monitor::GuestTask task, Token token);
    void forget_guest_undo() { guest_undo_.reset(); }
    /// Writes down that it is to be done, for who comes after us; nothing behind the commit.
    [[nodiscard]] Result<std::optional<host::UndoId>> write_guest_undo(
        const monitor::GuestTask& task);

    /// Keeps what a look has found, and tells it. False when there were too many already.
    [[nodiscard]] bool find(Finding finding);
    /// Keeps what must be the same at the other node.
    [[nodiscard]] bool share(const std::string& what, Shared thing);
    /// What the other node has found.
    void hear_report(const json::View& data);

    /// The other node; null in a role without one.
    [[nodiscard]] PeerSide* peer() noexcept { return peer_.get(); }
    /// Somebody for whom the start waits has greeted.
    void begin_when_ready();

    /// The kernel's side, made when it is needed first.
    [[nodiscard]] NetSide& net();
    /// Says it aloud, and at the end, when a hold has lost packets.
    void report_losses(const host::Hold& hold);

    void arm_timer(const std::string& name, Duration period, bool again);
    void cancel_timer(const std::string& name) { timers_.erase(name); }

    /// A program that nobody waits for any more; kept until it is gone.
    void bury(std::unique_ptr<ports::Process> process, std::shared_ptr<bool> gone);

    /// Keeps what crossed a port other than a VM's, where the run is recorded.
    void keep(std::string_view port, trace::Direction direction, std::string_view text);

    [[nodiscard]] Duration elapsed() const { return world_.clock.now() - began_; }
    /// Whether the guest of the default VM has ever stopped.
    [[nodiscard]] bool has_stopped() const noexcept { return stopped_ != Duration{}; }
    [[nodiscard]] const ports::World& world() const noexcept { return world_; }
    [[nodiscard]] Observer& observer() noexcept { return observer_; }
    [[nodiscard]] Interpreter& interpreter() noexcept { return plan_.interpreter(); }

private:
    enum class Phase { idle, connecting, running, asking, over };

    struct Body {
        engine::BodyId id;
        Context context = Context::action;
        lua_State* thread = nullptr;
        int kept = 0;
        bool waited = false;
        Token token = 0;  ///< Of the operation that it waits for; 0: it runs, or there is none.
        UniqueFunction<void()> abandon;
        std::optional<Error> cancelled;
    };
    struct Vm {
        std::optional<Endpoint> endpoint;
        std::string socket;
        std::unique_ptr<monitor::Client> client;
        Token connecting = 0;
        bool ready = false;
        bool known = false;  ///< It has greeted once.
        std::string lost;    ///< Why the connection is gone; empty while it stands.
        std::string copy;    ///< What the last event MIGRATION said.
    };
    struct Buried {
        std::unique_ptr<ports::Process> process;
        std::shared_ptr<bool> gone;
    };

    void feed(engine::Input input);
    void perform(engine::Action& action);
    void start_body(engine::RunBody& wanted);
    void prepare_body(Context context);
    void go_on(int arguments);
    void end_body(std::optional<Error> error);
    void cancel_body(const engine::CancelBody& cancel);
    void deliver(const engine::Deliver& delivery);
    void push_function(const engine::RunBody& wanted);
    void arm(const engine::Arm& arm);

    void open(const std::string& vm, const Endpoint& endpoint);
    void on_ready(std::string vm);
    void on_event(std::string vm, const qmp::Event& event);
    void on_closed(std::string vm, std::optional<Error> error);
    void watch_signals();
    void make_peer();
    void begin();
    void begin_looks();
    void next_look();
    void end_look(std::optional<Error> error);
    void abandon_look();
    void note_finding(Finding finding);
    void look_at_peer_place();
    void settle_looks();
    void refuse_to_begin();
    void miss_vm(Error error);
    void give_up(Error error);

    void finish(engine::Ended ended);
    void ask_guests();
    void await_greeting(const std::string& vm);
    void ask_status(const std::string& vm);
    void on_status(const std::string& vm, Result<qmp::Reply> reply);
    [[nodiscard]] GuestStatus* status_of(const std::string& vm);
    void ask_migration(const std::string& vm);
    void count_answer();
    void on_migration(const std::string& vm, const json::View& result);
    void end_when_answered();
    /// Tells the other node how it ended, once the kernel has nothing more to say.
    void say_goodbye();
    [[nodiscard]] bool net_is_busy() const;
    [[nodiscard]] net::Account account() const;
    void balance();
    engine::CommitWritten write_commit();
    void lose_patience();
    void close_net();

    const ports::World& world_;
    LoadedPlan& plan_;
    const plan::Settings& settings_;
    host::Settings host_settings_;
    monitor::Recorder* recorder_;
    Observer& observer_;
    PeerOptions peer_options_;
    const plan::Role& role_;
    engine::Machine machine_;
    Phase phase_ = Phase::idle;
    Instant began_;

    std::vector<engine::Input> inputs_;
    engine::Actions actions_;
    bool draining_ = false;
    unsigned emits_ = 0;  ///< Since something from outside happened.

    Body body_;
    Token last_token_ = 0;
    int m_ = 0;     ///< The kept `m` of all actions.
    int note_ = 0;  ///< The kept m.note.
    std::unique_ptr<ports::Timer> wait_timer_;

    IdCounter<engine::EntryTag> entry_ids_;
    std::map<engine::EntryId, int> entries_;  ///< What undoes or releases, as kept functions.
    std::map<engine::DeadlineId, std::unique_ptr<ports::Timer>> deadlines_;
    std::map<std::string, std::unique_ptr<ports::Timer>> timers_;
    std::map<std::string, Vm> vms_;
    std::unique_ptr<monitor::GuestUndo> guest_undo_;
    std::vector<std::unique_ptr<ports::Watch>> watches_;
    std::vector<Buried> buried_;
    std::unique_ptr<NetSide> net_;
    std::unique_ptr<PeerSide> peer_;
    bool said_goodbye_ = false;
    bool looked_back_ = false;
    Duration stopped_{};  ///< When the guest of the default VM last did; zero: never.
    Duration resumed_{};

    /// What is looked at before the run begins.
    struct Looks {
        bool are_all = false;  ///< Nothing else is to be done.
        bool have_begun = false;
        bool are_over = false;  ///< Of this node.
        bool are_told = false;  ///< To the other node.
        std::size_t next = 0;   ///< Of the role's functions.
        Findings findings;
        SharedThings shared;
        std::optional<Report> theirs;
        std::unique_ptr<ports::Timer> deadline;
    };
    Looks looks_;

    Outcome outcome_;
    std::size_t unanswered_ = 0;
    std::unique_ptr<ports::Timer> patience_;
    std::map<std::string, std::unique_ptr<ports::Timer>> asked_again_;  ///< Of their migrations.
    std::map<std::string, std::unique_ptr<ports::Timer>> greetings_;    ///< That the end waits for.
    bool settling_ = false;       ///< The end waits for the kernel alone.
    bool lost_patience_ = false;  ///< With the kernel, too.
};

}  // namespace ktm::script
