// SPDX-License-Identifier: Apache-2.0
// monitor/guest_undo.hh: what takes back a migration at one of its ends, as commands to its QEMU.
//
// Theory of operation. The guest is woken: a copy of it that is under way is cancelled, its end is
// waited for, for a second, and the guest is let run if it does not. QEMU refuses that as long as
// the copy is not over or somebody else has the disks, so it is tried again until whoever asked
// loses patience.
//
//     looking at the copy ──under way──> cancelling ─┐
//           ^   └──over──> looking at the guest      │
//           └────────────── after a while <──────────┘
//     looking at the guest ──runs──> done
//           ^   └──stands──> cont ──done──> done
//           └──── after a while <──refused──┘
//
// Or the QEMU is ended: one that waited for a guest which stays where it was. Or it is only seen
// whether the guest runs, by who may not touch it; that it stands is an error, unless it was moved
// on.
//
// Or what was changed in QEMU is put back: a job that was begun is ended, a node that was added is
// removed, capabilities and parameters of the migration are what they were, and an object that was
// added is removed. Each is looked at first.
//
//     looking at the jobs ──there──> cancelling ─┐   (one that was cancelled is only waited for)
//           ^   └──not there──> looking at the nodes ──there──> removing ─┐
//           └─────────────────────── after a while <──────────────────────┘
//     ──> looking at the capabilities ──> looking at the parameters ──> looking at the objects
//     ──> done
//
// All can be carried out when nothing is to be taken back, and more than once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hh"
#include "base/unique_function.hh"
#include "json/document.hh"
#include "monitor/client.hh"
#include "ports/clock.hh"

namespace ktm::monitor {

enum class GuestWish : std::uint8_t { wake, end, see, restore };

/// "wake", "end", "see", "restore".
[[nodiscard]] std::string_view name_of(GuestWish wish) noexcept;
/// The one of that name.
[[nodiscard]] GuestWish wish_named(std::string_view name) noexcept;

/// A wish, and for `restore` what is to be as it was, as JSON, each of it or not:
/// {"job":"…","node":"…","capabilities":{"events":false},"parameters":{"downtime-limit":300},
/// "object":"…"}
struct GuestTask {
    GuestTask(GuestWish wished, std::string as_it_was = "")
        : wish(wished), before(std::move(as_it_was)) {}
    GuestWish wish;
    std::string before;
};

/// Checks what stands in `before`, where a plan has written it.
[[nodiscard]] Result<void> check_before(const json::View& before);

/// LIFETIME: the clock and the client outlive it. Destroying it ends it without a word.
class GuestUndo {
public:
    /// Whether anything had to be done. That the connection was lost is an error for each wish: who
    /// is ended may be faster than its answer, but only who connects again knows that it was so.
    using Done = UniqueFunction<void(Result<bool>)>;

    /// `done` is called once, never from inside of start(). There is no deadline here beyond that
    /// of each command: that is the caller's Clock.
    GuestUndo(ports::Clock& clock, Client& client, GuestTask task, Done done);
    GuestUndo(const GuestUndo&) = delete;
    GuestUndo& operator=(const GuestUndo&) = delete;
    ~GuestUndo() = default;

    void start();
    /// Why it is not over yet: "QEMU says: Failed to get …"; empty when nothing was refused.
    [[nodiscard]] const std::string& obstacle() const noexcept { return obstacle_; }

private:
    using Next = void (GuestUndo::*)(const json::View& result);

    void ask(std::string_view command, Next next, std::string_view arguments = "",
             Next when_refused = nullptr);
    void begin();
    [[nodiscard]] bool is_believed(const Error& refusal);
    void again(void (GuestUndo::*what)());
    void fail_later(Error error);
    void look_at_copy();
    void on_copy(const json::View& result);
    void on_cancelled(const json::View& result);
    void look_at_guest();
    void on_guest(const json::View& result);
    void on_end(const json::View& result);
    void sever();
    void on_severed(const json::View& result);
    void look_at_job();
    void on_jobs(const json::View& result);
    void on_job_cancelled(const json::View& result);
    void on_nodes(const json::View& result);
    void on_node_removed(const json::View& result);
    void look_at_capabilities();
    void on_capabilities(const json::View& result);
    void look_at_parameters();
    void on_parameters(const json::View& result);
    void on_parameters_put_back(const json::View& result);
    void look_at_object();
    void on_objects(const json::View& result);
    void on_capabilities_put_back(const json::View& result);
    void finish(Result<bool> result);

    ports::Clock& clock_;
    Client& client_;
    GuestTask task_;
    json::Document before_;
    Done done_;
    std::string obstacle_;
    bool changed_ = false;
    bool job_cancelled_ = false;
    unsigned lingered_ = 0;
    unsigned disbelieved_ = 0;
    std::unique_ptr<ports::Timer> pause_;
    /// LIFETIME: an answer that comes behind our end finds false.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ktm::monitor
