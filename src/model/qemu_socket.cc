// SPDX-License-Identifier: Apache-2.0
// model/qemu_socket.cc: the protocol's manners, and what a judge does to them.
#include "model/qemu_socket.hh"

#include <algorithm>
#include <utility>

#include "json/parser.hh"
#include "json/writer.hh"

namespace ktm::model {

namespace {

constexpr std::string_view greeting =
    R"({"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},"package":"simulated"},)"
    R"("capabilities":["oob"]}})";

std::string error_line(std::string_view id, std::string_view error_class, std::string_view desc) {
    json::ObjectWriter error;
    error.text("class", error_class).text("desc", desc);
    json::ObjectWriter line;
    if (!id.empty()) {
        line.json("id", id);
    }
    line.json("error", std::move(error).finish());
    return std::move(line).finish();
}

std::string reply_line(std::string_view id, const Reply& reply) {
    if (reply.is_refused()) {
        return error_line(id, reply.error_class, reply.desc);
    }
    json::ObjectWriter line;
    line.json("return", reply.value);
    if (!id.empty()) {
        line.json("id", id);
    }
    return std::move(line).finish();
}

std::string event_line(WallTime now, std::string_view name, std::string_view data) {
    const auto since =
        std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
    constexpr std::int64_t million = 1'000'000;
    json::ObjectWriter stamp;
    stamp.integer("seconds", since.count() / million);
    stamp.integer("microseconds", since.count() % million);
    json::ObjectWriter line;
    line.json("timestamp", std::move(stamp).finish()).text("event", name);
    if (!data.empty()) {
        line.json("data", data);
    }
    return std::move(line).finish();
}

}  // namespace

Result<std::unique_ptr<QemuSocket>> QemuSocket::open(sim::VirtualClock& clock,
                                                     ports::Transport& transport,
                                                     const Endpoint& endpoint, Qemu& qemu) {
    std::unique_ptr<QemuSocket> socket{new QemuSocket{clock, qemu}};
    QemuSocket* self = socket.get();
    Result<std::unique_ptr<sim::QmpServer>> server =
        sim::QmpServer::open(transport, endpoint,
                             {[self] { self->greet(); },
                              [self](sim::QmpCommand command) { self->take(std::move(command)); },
                              [self](std::string_view line) { self->refuse_garbage(line); },
                              [self] { self->forget_client(); }});
    if (!server) {
        return std::move(server).error();
    }
    socket->server_ = std::move(*server);
    socket->take_hooks();
    return socket;
}

QemuSocket::~QemuSocket() {
    qemu_.hooks() = std::move(others_);
}

void QemuSocket::take_hooks() {
    others_ = std::move(qemu_.hooks());
    QemuHooks& hooks = qemu_.hooks();
    hooks.on_event = [this](std::string_view name, std::string_view data) {
        tell_event(name, data);
        if (others_.on_event) {
            others_.on_event(name, data);
        }
    };
    hooks.on_program = [this](std::string_view command) {
        return others_.on_program ? others_.on_program(command) : Program{};
    };
    hooks.on_program_end = [this] {
        if (others_.on_program_end) {
            others_.on_program_end();
        }
    };
    hooks.has_file = [this](std::string_view path) {
        return others_.has_file && others_.has_file(path);
    };
    hooks.on_late_reply = [this](Reply reply) {
        if (const std::optional<Asked> asked = std::exchange(asked_, std::nullopt)) {
            answer(*asked, std::move(reply));
        }
    };
    hooks.on_idle = [this] {
        work();
        if (others_.on_idle) {
            others_.on_idle();
        }
    };
    hooks.on_guest = [this](bool runs) {
        if (others_.on_guest) {
            others_.on_guest(runs);
        }
    };
    hooks.on_exit = [this](int code) {
        close();
        if (others_.on_exit) {
            others_.on_exit(code);
        }
    };
}

void QemuSocket::greet() {
    ++connection_;
    negotiated_ = false;
    server_->send(std::string(greeting));
}

/// What it had sent is executed all the same; nobody hears the answers.
void QemuSocket::forget_client() {
    negotiated_ = false;
    held_back_.clear();
    kept_.clear();
    on_the_way_.clear();
    ++connection_;
}

void QemuSocket::hang_up() {
    server_->hang_up();
    forget_client();
    // Not from inside a call of the server's own.
    next_served_ = clock_.arm(Duration::zero(), [this] { server_->serve_next(); });
}

void QemuSocket::close() {
    late_timer_.reset();
    next_served_.reset();
    late_until_.reset();
    waiting_.clear();
    asked_.reset();
    forget_client();
    server_->close();
}

void QemuSocket::refuse_garbage(std::string_view line) {
    const Result<json::Document> parsed = json::parse(line);
    const bool is_object = parsed && parsed->root().is_object();
    server_->send(error_line(
        "", "GenericError",
        is_object ? "QMP input lacks member 'execute'" : "JSON parse error, expecting value"));
}

QemuSocket::Verdict QemuSocket::judge(Kind kind, std::string_view name, std::string_view data) {
    const std::uint64_t number = ++last_number_;
    return judge_ ? judge_({kind, number, name, data}) : Verdict{};
}

void QemuSocket::take(sim::QmpCommand command) {
    const Verdict verdict = judge(Kind::command, command.name);
    switch (verdict.fate) {
        case Fate::is_lost: return;
        case Fate::ends_the_line: hang_up(); return;
        case Fate::is_refused: send(error_line(command.id, "GenericError", verdict.desc)); return;
        case Fate::is_late:
            late_until_ =
                std::max(late_until_.value_or(clock_.now()), clock_.now() + verdict.delay);
            break;
        case Fate::comes_twice:
            waiting_.push_back({command.name, command.message.copy(), command.id});
            break;
        case Fate::passes:
        case Fate::is_kept:
        case Fate::waits_for_next: break;
    }
    waiting_.push_back(std::move(command));
    work();
}

/// Executes what waits, as far as QEMU and a late command let it.
void QemuSocket::work() {
    if (working_) {
        return;
    }
    if (late_until_ && *late_until_ > clock_.now()) {
        late_timer_ = clock_.arm(*late_until_ - clock_.now(), [this] { work(); });
        return;
    }
    late_until_.reset();
    working_ = true;
    while (!waiting_.empty() && !asked_ && qemu_.is_alive() && !qemu_.is_busy()) {
        const sim::QmpCommand command = std::move(waiting_.front());
        waiting_.pop_front();
        execute(command);
    }
    working_ = false;
}

std::optional<Reply> QemuSocket::fault_of(const sim::QmpCommand& command) const {
    for (const json::View::Field field : command.message.root().fields()) {
        if (field.key == "arguments" && !field.value.is_object()) {
            return refused("QMP input member 'arguments' must be an object");
        }
        if (field.key != "execute" && field.key != "arguments" && field.key != "id") {
            return refused("QMP input member '" + std::string(field.key) + "' is unexpected");
        }
    }
    const bool negotiates = command.name == "qmp_capabilities";
    if (!negotiated_ && !negotiates) {
        return refused("Expecting capabilities negotiation with 'qmp_capabilities'",
                       "CommandNotFound");
    }
    if (negotiated_ && negotiates) {
        return refused("Capabilities negotiation is already complete, command ignored",
                       "CommandNotFound");
    }
    return std::nullopt;
}

void QemuSocket::execute(const sim::QmpCommand& command) {
    const Asked asked{command.name, command.id, connection_};
    if (std::optional<Reply> fault = fault_of(command)) {
        answer(asked, *std::move(fault));
        return;
    }
    if (command.name == "qmp_capabilities") {
        answer(asked, done());
        negotiated_ = true;
        return;
    }
    const std::optional<json::View> arguments = command.message.root().find("arguments");
    const json::Document none;
    std::optional<Reply> reply = qemu_.execute(command.name, arguments ? *arguments : none.root());
    if (reply) {
        answer(asked, *std::move(reply));
    } else {
        asked_ = asked;
    }
}

void QemuSocket::answer(const Asked& asked, Reply reply) {
    if (asked.connection != connection_) {
        return;
    }
    const Verdict verdict = judge(Kind::reply, asked.name);
    if (verdict.fate == Fate::is_refused) {
        reply = refused(verdict.desc);
    }
    dispatch(verdict, reply_line(asked.id, reply));
}

void QemuSocket::tell_event(std::string_view name, std::string_view data) {
    if (!negotiated_ || !server_->has_client()) {
        return;
    }
    dispatch(judge(Kind::event, name, data), event_line(clock_.wall_now(), name, data));
}

void QemuSocket::dispatch(const Verdict& verdict, std::string line) {
    switch (verdict.fate) {
        case Fate::is_lost: return;
        case Fate::ends_the_line: hang_up(); return;
        case Fate::is_late: send_late(verdict.delay, std::move(line)); return;
        case Fate::is_kept: kept_.push_back(std::move(line)); return;
        case Fate::waits_for_next: held_back_ = std::move(line); return;
        case Fate::comes_twice: send(line); break;
        case Fate::passes:
        case Fate::is_refused: break;
    }
    send(std::move(line));
    if (!held_back_.empty()) {
        send(std::exchange(held_back_, {}));
    }
}

void QemuSocket::send(std::string line) {
    server_->send(std::move(line));
}

void QemuSocket::let_through() {
    for (std::string& line : std::exchange(kept_, {})) {
        send(std::move(line));
    }
}

void QemuSocket::send_late(Duration delay, std::string line) {
    on_the_way_.push_back(clock_.arm(delay, [this, late = std::move(line)] { send(late); }));
}

}  // namespace ktm::model
