// SPDX-License-Identifier: Apache-2.0
// cli/recover_command.cc: `katamaran recover`: what killed runs left on this host, taken back.
#include "cli/recover_command.hh"

#include <map>
#include <optional>
#include <utility>

#include "cli/console.hh"
#include "cli/run_identity.hh"
#include "host/recovery.hh"
#include "json/writer.hh"
#include "monitor/guest_visit.hh"

namespace ktm::cli {

namespace {

/// Where `ip netns` keeps the names of namespaces.
constexpr const char* names_folder = "/run/netns";

using End = host::Recovered::End;

struct Words {
    std::string_view done;
    std::string_view dry;
    Colour colour;
};

const Words& end_words(End end) {
    static const std::map<End, Words> words{
        {End::undone, {"undone", "would undo", Colour::green}},
        {End::nothing_left, {"nothing left", "nothing left", Colour::dim}},
        {End::namespace_gone, {"namespace gone", "namespace gone", Colour::dim}},
        {End::skipped, {"left alone", "left alone", Colour::dim}},
        {End::marked, {"left alone", "left alone", Colour::yellow}},
        {End::failed, {"failed", "would fail", Colour::red}},
    };
    return words.at(end);
}

class Report {
public:
    Report(Console& console, const RecoverOptions& options, bool has_folder)
        : console_(console), dry_(options.dry), folder_(options.folder), has_folder_(has_folder) {}

    void tell(const host::Recovered& recovered) {
        ++counts_[recovered.end];
        const Words& words = end_words(recovered.end);
        const std::string_view verb = dry_ ? words.dry : words.done;
        if (console_.json()) {
            json::ObjectWriter line;
            line.text("run", recovered.run).text("what", recovered.what);
            line.text("netns", recovered.place).text("end", verb).text("why", recovered.why);
            write(std::move(line).finish());
            return;
        }
        std::string line = console_.paint(words.colour, verb) + ": " + recovered.what;
        line += recovered.place.empty() ? "" : ", in " + recovered.place;
        line += recovered.run.empty() ? "" : " (run " + recovered.run + ")";
        write(line + (recovered.why.empty() ? "" : ": " + recovered.why));
    }

    void end() {
        const int nothing_left = count(End::nothing_left) + count(End::namespace_gone);
        const int left_alone = count(End::skipped) + count(End::marked);
        if (console_.json()) {
            json::ObjectWriter line;
            line.integer(dry_ ? "to_undo" : "undone", count(End::undone));
            line.integer("nothing_left", nothing_left).integer("left_alone", left_alone);
            line.integer("failed", count(End::failed));
            line.text("folder", folder_).boolean("folder_exists", has_folder_);
            write(std::move(line).finish());
            return;
        }
        if (counts_.empty()) {
            write(has_folder_ ? "nothing to recover; looked in " + folder_
                              : "nothing to recover; there is no folder " + folder_);
            return;
        }
        write(std::to_string(count(End::undone)) + (dry_ ? " to undo, " : " undone, ") +
              std::to_string(nothing_left) + " had nothing left, " + std::to_string(left_alone) +
              " left alone, " + std::to_string(count(End::failed)) + " failed");
    }

    [[nodiscard]] bool is_written() const noexcept { return written_; }
    /// Whether the host is not as it should be.
    [[nodiscard]] bool something_stays() const {
        return count(End::failed) + count(End::marked) + (dry_ ? count(End::undone) : 0) > 0;
    }

private:
    [[nodiscard]] int count(End end) const {
        const auto found = counts_.find(end);
        return found == counts_.end() ? 0 : found->second;
    }
    void write(const std::string& line) { written_ = console_.line(line) && written_; }

    Console& console_;
    bool dry_;
    std::string folder_;
    bool has_folder_;
    bool written_ = true;
    std::map<End, int> counts_;
};

/// LIMIT: how long a QEMU may take to let a guest go on; behind that somebody must look.
constexpr std::chrono::seconds guest_patience{15};

/// Goes to the guests, one after the other.
class Visitor {
public:
    using Done = UniqueFunction<void(Result<bool>)>;

    explicit Visitor(const ports::World& world) : world_(world) {}

    void undo(const host::GuestUndo& undo, Done done) {
        visit_ = std::make_unique<monitor::GuestVisit>(
            world_.clock, world_.transport, undo.vm,
            monitor::GuestTask{monitor::wish_named(undo.wish), undo.before}, guest_patience,
            std::move(done));
        visit_->start();
    }

private:
    const ports::World& world_;
    std::unique_ptr<monitor::GuestVisit> visit_;
};

host::RecoverySettings settings_of(const ports::World& world, const RecoverOptions& options) {
    host::RecoverySettings settings;
    settings.folder = options.folder;
    settings.boot = boot_id(world.files);
    settings.dry = options.dry;
    settings.by_mark = options.by_mark;
    settings.given = options.places;
    settings.places = {""};
    if (Result<std::vector<std::string>> names = world.files.list(names_folder)) {
        settings.places.insert(settings.places.end(), names->begin(), names->end());
    }
    settings.places.insert(settings.places.end(), options.places.begin(), options.places.end());
    return settings;
}

}  // namespace

int run_recover(const ports::World& world, const RecoverOptions& options) {
    Console console{options.json};
    Report report{console, options, world.files.list(options.folder).has_value()};
    std::optional<Result<int>> outcome;
    Visitor guests{world};
    host::Recovery recovery{world, settings_of(world, options),
                            [&](const host::GuestUndo& undo, Visitor::Done done) {
                                guests.undo(undo, std::move(done));
                            },
                            [&](const host::Recovered& recovered) { report.tell(recovered); },
                            [&](Result<int> failed) {
                                outcome.emplace(std::move(failed));
                                world.loop.stop();
                            }};
    recovery.start();
    if (!outcome) {
        world.loop.run();
    }
    if (!outcome || !*outcome) {
        console.error(
            outcome ? outcome->error()
                    : Error{Kind::lost, "", "the kernel does not answer", "recover", nullptr});
        return exit_failed;
    }
    report.end();
    if (!report.is_written()) {
        return console.explain_loss();
    }
    return **outcome > 0 || report.something_stays() ? exit_failed : exit_done;
}

}  // namespace ktm::cli
