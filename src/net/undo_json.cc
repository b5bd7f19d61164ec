// SPDX-License-Identifier: Apache-2.0
// net/undo_json.cc: undos as JSON, and back.
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "json/writer.hh"
#include "net/hexadecimal.hh"
#include "net/undo.hh"

namespace ktm::net {

namespace {

// --- Writing ------------------------------------------------------------------------------------

using json::ObjectWriter;

ObjectWriter begin(std::string_view what) {
    ObjectWriter writer;
    writer.text("undo", what);
    return writer;
}

std::string route_json(const Route& route) {
    ObjectWriter writer;
    writer.text("to", route.to.text()).text("link", route.link);
    if (route.via) {
        writer.text("via", route.via->text());
    }
    writer.integer("table", route.table).integer("metric", route.metric);
    writer.integer("protocol", route.protocol);
    if (route.encapsulation) {
        ObjectWriter inner;
        inner.text("local", route.encapsulation->local.text());
        inner.text("remote", route.encapsulation->remote.text());
        inner.integer("ttl", route.encapsulation->ttl);
        writer.json("encapsulation", std::move(inner).finish());
    }
    return std::move(writer).finish();
}

std::string redirect_json(const Redirect& redirect) {
    ObjectWriter writer;
    writer.text("link", redirect.link).text("direction", name_of(redirect.direction));
    if (redirect.mac) {
        writer.text("mac", redirect.mac->text());
    }
    writer.text("to", redirect.to).boolean("to_ingress", redirect.to_ingress);
    writer.integer("priority", redirect.priority);
    return std::move(writer).finish();
}

struct Writer {
    std::string operator()(const UndoTunnel& undo) const {
        ObjectWriter writer = begin("tunnel");
        writer.text("link", undo.link).text("tag", undo.tag);
        return std::move(writer).finish();
    }
    std::string operator()(const UndoRoute& undo) const {
        ObjectWriter writer = begin("route");
        writer.json("route", route_json(undo.route));
        return std::move(writer).finish();
    }
    std::string operator()(const UndoNeighbour& undo) const {
        ObjectWriter writer = begin("neighbour");
        writer.text("address", undo.ours.address.text()).text("mac", undo.ours.mac.text());
        writer.text("link", undo.ours.link).integer("protocol", undo.ours.protocol);
        if (undo.former) {
            writer.text("former", undo.former->text());
            writer.integer("former_protocol", undo.former_protocol);
        }
        return std::move(writer).finish();
    }
    std::string operator()(const UndoQueueLength& undo) const {
        ObjectWriter writer = begin("queue-length");
        writer.text("link", undo.link).integer("ours", undo.ours).integer("former", undo.former);
        if (undo.former_joined_max != 0) {
            writer.integer("former_joined_max", undo.former_joined_max);
        }
        return std::move(writer).finish();
    }
    std::string operator()(const UndoRootQdisc& undo) const {
        ObjectWriter writer = begin("root-qdisc");
        writer.text("link", undo.link);
        if (undo.former) {
            ObjectWriter former;
            former.text("kind", undo.former->kind).integer("handle", undo.former->handle);
            former.text("options", hexadecimal(undo.former->options));
            writer.json("former", std::move(former).finish());
        }
        return std::move(writer).finish();
    }
    std::string operator()(const UndoRedirect& undo) const {
        ObjectWriter writer = begin("redirect");
        writer.json("redirect", redirect_json(undo.redirect));
        writer.boolean("made_clsact", undo.made_clsact);
        return std::move(writer).finish();
    }
    std::string operator()(const UndoSetting& undo) const {
        ObjectWriter writer = begin("setting");
        writer.text("name", undo.name).text("ours", undo.ours).text("former", undo.former);
        return std::move(writer).finish();
    }
};

// --- Reading ------------------------------------------------------------------------------------

/// Reads the fields of one object, and remembers the first that does not fit. What is read after
/// that is worth nothing, and is not used.
class Reader {
public:
    explicit Reader(const json::View& object) : object_(object) {}

    std::string text(std::string_view field) {
        const auto found = object_.find_string(field);
        if (!found) {
            miss(field, "a text");
        }
        return std::string{found.value_or("")};
    }
    template <class Number>
    Number number(std::string_view field) {
        const auto found = object_.find_int(field);
        if (!found || *found < 0 ||
            static_cast<std::uint64_t>(*found) > std::numeric_limits<Number>::max()) {
            miss(field, "a whole number");
            return 0;
        }
        return static_cast<Number>(*found);
    }
    bool boolean(std::string_view field) {
        const auto found = object_.find(field);
        if (!found || !found->as_bool()) {
            miss(field, "true or false");
            return false;
        }
        return *found->as_bool();
    }
    /// Something with a parse() of its own.
    template <class T>
    T parsed(std::string_view field) {
        Result<T> result = T::parse(text(field));
        if (!result) {
            miss(field, "what it says: " + result.error().what);
            return T{};
        }
        return *result;
    }
    std::string bytes(std::string_view field) {
        std::optional<std::string> read = from_hexadecimal(text(field));
        if (!read) {
            miss(field, "hexadecimal digits");
        }
        return std::move(read).value_or("");
    }
    std::string link(std::string_view field) {
        std::string name = text(field);
        if (!is_link_name(name)) {
            miss(field, "the name of an interface");
        }
        return name;
    }
    [[nodiscard]] bool has(std::string_view field) const { return object_.find(field).has_value(); }
    /// Reads an object inside of this one.
    template <class Function>
    auto inside(std::string_view field, Function read) {
        const auto found = object_.find(field);
        if (!found || !found->is_object()) {
            miss(field, "an object");
        }
        Reader inner{found.value_or(object_)};
        auto result = read(inner);
        if (!fault_ && inner.fault_) {
            fault_ = std::move(inner.fault_);
        }
        return result;
    }
    void miss(std::string_view field, std::string_view expected) {
        if (!fault_) {
            fault_ = Error{Kind::invalid, "bad-undo",
                           "the field " + std::string{field} + " is not " + std::string{expected},
                           "", nullptr};
        }
    }
    [[nodiscard]] std::optional<Error>& fault() noexcept { return fault_; }

private:
    json::View object_;
    std::optional<Error> fault_;
};

Route read_route(Reader& reader) {
    Route route;
    route.to = reader.parsed<IpPrefix>("to");
    route.link = reader.link("link");
    if (reader.has("via")) {
        route.via = reader.parsed<IpAddress>("via");
    }
    route.table = reader.number<std::uint32_t>("table");
    route.metric = reader.number<std::uint32_t>("metric");
    route.protocol = reader.number<std::uint8_t>("protocol");
    if (reader.has("encapsulation")) {
        route.encapsulation = reader.inside("encapsulation", [](Reader& inner) {
            Encapsulation encapsulation;
            encapsulation.local = inner.parsed<IpAddress>("local");
            encapsulation.remote = inner.parsed<IpAddress>("remote");
            encapsulation.ttl = inner.number<std::uint8_t>("ttl");
            return encapsulation;
        });
    }
    return route;
}

Redirect read_redirect(Reader& reader) {
    Redirect redirect;
    redirect.link = reader.link("link");
    const std::string direction = reader.text("direction");
    if (direction != name_of(Direction::ingress) && direction != name_of(Direction::egress)) {
        reader.miss("direction", "ingress or egress");
    }
    redirect.direction =
        direction == name_of(Direction::ingress) ? Direction::ingress : Direction::egress;
    if (reader.has("mac")) {
        redirect.mac = reader.parsed<MacAddress>("mac");
    }
    redirect.to = reader.link("to");
    redirect.to_ingress = reader.boolean("to_ingress");
    redirect.priority = reader.number<std::uint16_t>("priority");
    return redirect;
}

SavedQdisc read_qdisc(Reader& reader) {
    SavedQdisc saved;
    saved.kind = reader.text("kind");
    saved.handle = reader.number<std::uint32_t>("handle");
    saved.options = reader.bytes("options");
    return saved;
}

UndoNeighbour read_neighbour(Reader& reader) {
    UndoNeighbour undo;
    undo.ours.address = reader.parsed<IpAddress>("address");
    undo.ours.mac = reader.parsed<MacAddress>("mac");
    undo.ours.link = reader.link("link");
    undo.ours.protocol = reader.number<std::uint8_t>("protocol");
    if (reader.has("former")) {
        undo.former = reader.parsed<MacAddress>("former");
        undo.former_protocol = reader.number<std::uint8_t>("former_protocol");
    }
    return undo;
}

UndoSetting read_setting(Reader& reader) {
    UndoSetting undo{reader.text("name"), reader.text("ours"), reader.text("former")};
    if (undo.name.empty() || undo.name.front() == '/' ||
        undo.name.find("..") != std::string::npos) {
        reader.miss("name", "a setting below /proc/sys/net");
    }
    return undo;
}

Undo read_undo(Reader& reader) {
    const std::string what = reader.text("undo");
    if (what == "tunnel") {
        return UndoTunnel{reader.link("link"), reader.text("tag")};
    }
    if (what == "route") {
        return UndoRoute{reader.inside("route", read_route)};
    }
    if (what == "neighbour") {
        return read_neighbour(reader);
    }
    if (what == "queue-length") {
        UndoQueueLength undo{reader.link("link"), reader.number<std::uint32_t>("ours"),
                             reader.number<std::uint32_t>("former")};
        if (reader.has("former_joined_max")) {
            undo.former_joined_max = reader.number<std::uint32_t>("former_joined_max");
        }
        return undo;
    }
    if (what == "root-qdisc") {
        UndoRootQdisc undo{reader.link("link"), std::nullopt};
        if (reader.has("former")) {
            undo.former = reader.inside("former", read_qdisc);
        }
        return undo;
    }
    if (what == "redirect") {
        Redirect redirect = reader.inside("redirect", read_redirect);
        return UndoRedirect{std::move(redirect), reader.boolean("made_clsact")};
    }
    if (what == "setting") {
        return read_setting(reader);
    }
    reader.miss("undo", "the name of an undo that this version knows");
    return UndoTunnel{};
}

}  // namespace

std::string to_json(const Undo& undo) {
    return std::visit(Writer{}, undo);
}

Result<Undo> undo_from_json(const json::View& view) {
    Reader reader{view};
    if (!view.is_object()) {
        return Error{Kind::invalid, "bad-undo", "an undo is not an object", "", nullptr};
    }
    Undo undo = read_undo(reader);
    if (reader.fault()) {
        return std::move(*reader.fault());
    }
    return undo;
}

}  // namespace ktm::net
