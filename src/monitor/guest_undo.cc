// SPDX-License-Identifier: Apache-2.0
// monitor/guest_undo.cc: what takes back a migration at one of its ends, as commands to its QEMU.
#include "monitor/guest_undo.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "json/parser.hh"
#include "json/writer.hh"

namespace ktm::monitor {

namespace {

/// LIMIT: how long QEMU may take for one command.
constexpr Duration answer_within{std::chrono::seconds{2}};
constexpr Duration pause{std::chrono::milliseconds{20}};

/// LIMIT: looks at a copy that does not come to its end, a second in all. A program that QEMU
/// writes to and that does not read holds that up for ever; its guest can be let run all the same.
constexpr unsigned lingers_max = 50;

/// LIMIT: refusals for another reason than that there is nothing, a fifth of a second in all.
constexpr unsigned disbeliefs_max = 10;

/// Where a copy is over, or was never begun. What a later QEMU calls its states is not known: one
/// that is none of these is cancelled.
constexpr std::array<std::string_view, 5> over{"", "none", "completed", "failed", "cancelled"};

bool is_over(std::string_view status) {
    return std::find(over.begin(), over.end(), status) != over.end();
}

constexpr std::array<std::string_view, 4> wish_names{"wake", "end", "see", "restore"};

Error bad_before(std::string what) {
    return Error{Kind::invalid, "bad-argument", std::move(what), "", nullptr};
}

/// Whether one of them has this text in that field.
bool lists(const json::View& all, std::string_view field, std::string_view text) {
    for (const json::View item : all.items()) {
        if (item.find_string(field).value_or("") == text) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::string_view name_of(GuestWish wish) noexcept {
    return wish_names[static_cast<std::size_t>(wish)];
}

GuestWish wish_named(std::string_view name) noexcept {
    const auto* const found = std::find(wish_names.begin(), wish_names.end(), name);
    return found == wish_names.end() ? GuestWish::wake
                                     : static_cast<GuestWish>(found - wish_names.begin());
}

Result<void> check_before(const json::View& before) {
    if (!before.is_object() || before.size() == 0) {
        return bad_before(
            "expected a table of what is to be as it was: job, node, capabilities, "
            "parameters, object");
    }
    for (const json::View::Field field : before.fields()) {
        const std::string name{field.key};
        if (name == "job" || name == "node" || name == "object") {
            if (field.value.as_string().value_or("").empty()) {
                return bad_before("expected a name in '" + name + "'");
            }
        } else if (name == "capabilities" || name == "parameters") {
            if (!field.value.is_object()) {
                return bad_before("expected a table of names and values in '" + name + "'");
            }
            for (const json::View::Field one : field.value.fields()) {
                if (name == "capabilities" && !one.value.as_bool()) {
                    return bad_before("the capability '" + std::string{one.key} +
                                      "' was true or false");
                }
            }
        } else {
            return bad_before("'" + name +
                              "' cannot be put back; only job, node, capabilities, parameters, "
                              "object");
        }
    }
    return {};
}

GuestUndo::GuestUndo(ports::Clock& clock, Client& client, GuestTask task, Done done)
    : clock_(clock), client_(client), task_(std::move(task)), done_(std::move(done)) {}

void GuestUndo::start() {
    if (task_.wish == GuestWish::restore) {
        Result<json::Document> before = json::parse(task_.before);
        Result<void> checked = before ? check_before(before->root()) : Result<void>{before.error()};
        if (!checked) {
            fail_later(std::move(checked).error());
            return;
        }
        before_ = std::move(*before);
    }
    begin();
}

/// Also begins anew, behind an obstacle.
void GuestUndo::begin() {
    switch (task_.wish) {
        case GuestWish::wake: look_at_copy(); break;
        case GuestWish::end: ask("quit", &GuestUndo::on_end); break;
        case GuestWish::see: look_at_guest(); break;
        case GuestWish::restore: sever(); break;
    }
}

/// That there is no such thing, or no such command, is the last word; whatever else QEMU says may
/// be another the next time.
bool GuestUndo::is_believed(const Error& refusal) {
    return refusal.kind == Kind::refused &&
           (refusal.code == "DeviceNotFound" || refusal.code == "CommandNotFound" ||
            ++disbelieved_ > disbeliefs_max);
}

/// A refusal or a missing answer is an obstacle, and all is tried again, unless it is said what
/// follows upon the refusal; any other error ends it.
void GuestUndo::ask(std::string_view command, Next next, std::string_view arguments,
                    Next when_refused) {
    const auto answered = [this, next, when_refused,
                           alive = std::weak_ptr<bool>{alive_}](Result<qmp::Reply> reply) {
        if (alive.expired()) {
            return;
        }
        if (reply) {
            (this->*next)(reply->result());
        } else if (when_refused != nullptr && is_believed(reply.error())) {
            (this->*when_refused)(before_.root());
        } else if (reply.error().kind == Kind::refused || reply.error().kind == Kind::timeout) {
            obstacle_ = reply.error().sentence();
            again(&GuestUndo::begin);
        } else {
            finish(std::move(reply).error());
        }
    };
    if (Result<qmp::CommandId> sent = client_.run(command, arguments, answer_within, answered);
        !sent) {
        fail_later(std::move(sent).error());
    }
}

void GuestUndo::fail_later(Error error) {
    pause_ = clock_.arm(Duration::zero(),
                        [this, error = std::move(error)]() mutable { finish(std::move(error)); });
}

void GuestUndo::again(void (GuestUndo::*what)()) {
    pause_ = clock_.arm(pause, [this, what] { (this->*what)(); });
}

void GuestUndo::look_at_copy() {
    ask("query-migrate", &GuestUndo::on_copy);
}

void GuestUndo::on_copy(const json::View& result) {
    const std::string_view status = result.find_string("status").value_or("");
    const bool lingers = status == "cancelling" && ++lingered_ > lingers_max;
    if (is_over(status) || lingers) {
        look_at_guest();
    } else if (status == "cancelling") {
        again(&GuestUndo::look_at_copy);
    } else {
        ask("migrate_cancel", &GuestUndo::on_cancelled);
    }
}

void GuestUndo::on_cancelled(const json::View&) {
    changed_ = true;
    again(&GuestUndo::look_at_copy);
}

void GuestUndo::look_at_guest() {
    ask("query-status", &GuestUndo::on_guest);
}

void GuestUndo::on_guest(const json::View& result) {
    const std::optional<json::View> running = result.find("running");
    const std::string_view status = result.find_string("status").value_or("nothing more");
    if (running && running->as_bool().value_or(false)) {
        finish(changed_);
    } else if (task_.wish == GuestWish::see && status == "postmigrate") {
        finish(false);  // It was moved on.
    } else if (task_.wish == GuestWish::see) {
        finish(Error{Kind::refused, "stands", "it stands, QEMU says " + std::string{status}, "",
                     nullptr});
    } else {
        ask("cont", &GuestUndo::on_end);
    }
}

void GuestUndo::on_end(const json::View&) {
    finish(true);
}

// --- What was changed in QEMU -------------------------------------------------------------------

/// ORDER: before anything is asked of the node or of its job. When the other end of its connection
/// does not answer, QEMU waits for it in the midst of the command that ends the job or removes the
/// node, until TCP gives up, and the guest's writes with it. Who has no such connection refuses,
/// and so does a QEMU that is older than the command. Any other refusal is not believed at once.
void GuestUndo::sever() {
    const std::optional<std::string_view> node = before_.root().find_string("node");
    if (!node) {
        look_at_job();
        return;
    }
    json::ObjectWriter instance;
    instance.text("type", "block-node").text("node-name", *node);
    ask("yank", &GuestUndo::on_severed, R"({"instances":[)" + std::move(instance).finish() + "]}",
        &GuestUndo::on_severed);
}

void GuestUndo::on_severed(const json::View&) {
    look_at_job();
}

void GuestUndo::look_at_job() {
    if (before_.root().find("job")) {
        ask("query-block-jobs", &GuestUndo::on_jobs);
    } else {
        on_jobs(before_.root());
    }
}

void GuestUndo::on_jobs(const json::View& result) {
    const std::string_view job = before_.root().find_string("job").value_or("");
    const bool is_there = !job.empty() && lists(result, "device", job);
    if (is_there && job_cancelled_) {
        again(&GuestUndo::look_at_job);
    } else if (is_there) {
        json::ObjectWriter arguments;
        arguments.text("device", job).boolean("force", true);
        ask("block-job-cancel", &GuestUndo::on_job_cancelled, std::move(arguments).finish());
    } else if (before_.root().find("node")) {
        ask("query-named-block-nodes", &GuestUndo::on_nodes, R"({"flat":true})");
    } else {
        look_at_capabilities();
    }
}

void GuestUndo::on_job_cancelled(const json::View&) {
    changed_ = job_cancelled_ = true;
    again(&GuestUndo::look_at_job);
}

void GuestUndo::on_nodes(const json::View& result) {
    const std::string_view node = before_.root().find_string("node").value_or("");
    if (!lists(result, "node-name", node)) {
        look_at_capabilities();
        return;
    }
    json::ObjectWriter arguments;
    arguments.text("node-name", node);
    ask("blockdev-del", &GuestUndo::on_node_removed, std::move(arguments).finish());
}

void GuestUndo::on_node_removed(const json::View&) {
    changed_ = true;
    look_at_capabilities();
}

void GuestUndo::look_at_capabilities() {
    if (before_.root().find("capabilities")) {
        ask("query-migrate-capabilities", &GuestUndo::on_capabilities);
    } else {
        look_at_parameters();
    }
}

void GuestUndo::on_capabilities(const json::View& result) {
    const json::View wanted = *before_.root().find("capabilities");
    std::string list;
    for (const json::View now : result.items()) {
        const std::string_view name = now.find_string("capability").value_or("");
        const std::optional<json::View> was = wanted.find(name);
        const std::optional<json::View> is = now.find("state");
        if (was && is && was->as_bool() != is->as_bool()) {
            json::ObjectWriter one;
            one.text("capability", name).boolean("state", was->as_bool().value_or(false));
            list += (list.empty() ? "" : ",") + std::move(one).finish();
        }
    }
    if (list.empty()) {
        look_at_parameters();
    } else {
        ask("migrate-set-capabilities", &GuestUndo::on_capabilities_put_back,
            R"({"capabilities":[)" + list + "]}");
    }
}

void GuestUndo::look_at_parameters() {
    if (before_.root().find("parameters")) {
        ask("query-migrate-parameters", &GuestUndo::on_parameters);
    } else {
        look_at_object();
    }
}

void GuestUndo::on_parameters(const json::View& result) {
    json::ObjectWriter changes;
    bool differs = false;
    for (const json::View::Field was : before_.root().find("parameters")->fields()) {
        const std::optional<json::View> now = result.find(was.key);
        const std::string text = json::compact(was.value);
        if (!now || json::compact(*now) != text) {
            changes.json(was.key, text);
            differs = true;
        }
    }
    if (differs) {
        ask("migrate-set-parameters", &GuestUndo::on_parameters_put_back,
            std::move(changes).finish());
    } else {
        look_at_object();
    }
}

void GuestUndo::on_parameters_put_back(const json::View&) {
    changed_ = true;
    look_at_object();
}

void GuestUndo::look_at_object() {
    if (before_.root().find("object")) {
        ask("qom-list", &GuestUndo::on_objects, R"({"path":"/objects"})");
    } else {
        finish(changed_);
    }
}

void GuestUndo::on_objects(const json::View& result) {
    const std::string_view object = before_.root().find_string("object").value_or("");
    if (!lists(result, "name", object)) {
        finish(changed_);
        return;
    }
    json::ObjectWriter arguments;
    arguments.text("id", object);
    ask("object-del", &GuestUndo::on_end, std::move(arguments).finish());
}

void GuestUndo::on_capabilities_put_back(const json::View&) {
    changed_ = true;
    look_at_parameters();
}

void GuestUndo::finish(Result<bool> result) {
    pause_.reset();
    // LIFETIME: last, for the caller may destroy us.
    Done done = std::move(done_);
    done(std::move(result));
}

}  // namespace ktm::monitor
