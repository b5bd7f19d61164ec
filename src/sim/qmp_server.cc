// SPDX-License-Identifier: Apache-2.0
// sim/qmp_server.cc: the server's end of a QMP socket.
#include "sim/qmp_server.hh"

#include <optional>
#include <utility>

#include "json/parser.hh"
#include "json/writer.hh"
#include "sim/scenario_records.hh"

namespace ktm::sim {

std::string id_of(const json::View& message) {
    const std::optional<json::View> id = message.find("id");
    return id ? json::compact(*id) : "";
}

std::string with_id(const json::View& reply, const std::string& id) {
    json::ObjectWriter line;
    for (const json::View::Field field : reply.fields()) {
        if (field.key != "id") {
            line.json(field.key, json::compact(field.value));
        }
    }
    if (!id.empty()) {
        line.json("id", id);
    }
    return std::move(line).finish();
}

bool is_reply(const json::View& message) {
    return message.find("return") || message.find("error");
}

bool is_greeting(const json::View& message) {
    return message.find("QMP").has_value();
}

std::string_view made_up_greeting() {
    return R"({"QMP":{"version":{"qemu":{"micro":0,"minor":2,"major":7},"package":"simulated"},)"
           R"("capabilities":["oob"]}})";
}

std::string generic_error(std::string_view text) {
    json::ObjectWriter error;
    error.text("class", "GenericError").text("desc", text);
    return std::move(error).finish();
}

Result<std::unique_ptr<QmpServer>> QmpServer::open(ports::Transport& transport,
                                                   const Endpoint& endpoint, Handlers handlers) {
    std::unique_ptr<QmpServer> server{new QmpServer{std::move(handlers)}};
    Result<std::unique_ptr<ports::Listener>> listener =
        transport.listen(endpoint, [raw = server.get()](std::unique_ptr<ports::Stream> stream) {
            raw->accept(std::move(stream));
        });
    if (!listener) {
        return std::move(listener).error();
    }
    server->listener_ = std::move(*listener);
    return server;
}

void QmpServer::accept(std::unique_ptr<ports::Stream> stream) {
    if (stream_) {
        waiting_.push_back(std::move(stream));
    } else {
        serve(std::move(stream));
    }
}

void QmpServer::serve(std::unique_ptr<ports::Stream> stream) {
    stream_ = std::move(stream);
    stream_->start({[this](std::string_view bytes) { receive(bytes); },
                    [this](std::optional<Error>) { lose_client(); }});
    handlers_.on_client();
}

void QmpServer::lose_client() {
    hang_up();
    handlers_.on_left();
    serve_next();
}

void QmpServer::serve_next() {
    if (stream_ || waiting_.empty()) {
        return;
    }
    std::unique_ptr<ports::Stream> next = std::move(waiting_.front());
    waiting_.pop_front();
    serve(std::move(next));
}

void QmpServer::hang_up() {
    stream_.reset();
    received_.clear();
}

void QmpServer::close() {
    hang_up();
    waiting_.clear();
    listener_.reset();
}

void QmpServer::send(std::string line) {
    if (stream_) {
        line += "\r\n";
        stream_->write(std::move(line));
    }
}

void QmpServer::answer(const QmpCommand& command, std::string_view field, std::string_view value) {
    json::ObjectWriter line;
    line.json(field, value);
    if (!command.id.empty()) {
        line.json("id", command.id);
    }
    send(std::move(line).finish());
}

void QmpServer::receive(std::string_view bytes) {
    received_ += bytes;
    std::size_t end = 0;
    // A line may end the connection, and takes what was received behind it along.
    while (stream_ && (end = received_.find('\n')) != std::string::npos) {
        std::string line = std::move(received_);
        received_.assign(line, end + 1);
        line.resize(end);
        read_line(line);
    }
}

void QmpServer::read_line(std::string_view line) {
    Result<json::Document> message = json::parse(line);
    const std::optional<std::string_view> name =
        message ? command_in(message->root()) : std::nullopt;
    if (!name) {
        handlers_.on_garbage(line);
        return;
    }
    std::string id = id_of(message->root());
    handlers_.on_command(QmpCommand{std::string(*name), std::move(*message), std::move(id)});
}

}  // namespace ktm::sim
