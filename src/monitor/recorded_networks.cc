// SPDX-License-Identifier: Apache-2.0
// monitor/recorded_networks.cc: what is asked of the kernel, kept with its answers.
#include <utility>

#include "json/writer.hh"
#include "monitor/recorded_world.hh"
#include "net/exchange_json.hh"
#include "net/hexadecimal.hh"
#include "trace/exchange.hh"

namespace ktm::monitor {

namespace {

using trace::net_port;
using SharedExchanges = std::shared_ptr<Exchanges>;

json::ObjectWriter begin(std::string_view what) {
    json::ObjectWriter request;
    request.text("what", what);
    return request;
}

std::string array_of(const net::Requests& requests) {
    std::string array = "[";
    for (const net::Request& request : requests) {
        array += (array.size() == 1 ? "" : ",") + net::to_json(request);
    }
    return array + "]";
}

/// What belongs to one namespace.
struct Side {
    SharedExchanges exchanges;
    std::string place;

    std::uint64_t ask(std::string_view request, std::string_view words) const {
        return exchanges->ask(net_port, place, request, words);
    }
};

/// {"watch":7,…}: something that a watch hears, by the number of the exchange that began it.
void keep_heard(Exchanges& exchanges, std::uint64_t watch, std::string_view field,
                std::string_view value) {
    json::ObjectWriter message;
    message.integer("watch", static_cast<std::int64_t>(watch)).json(field, value);
    exchanges.recorder().message(net_port, trace::Direction::in, std::move(message).finish());
}

class RecordedGuard final : public ports::Guard {
public:
    RecordedGuard(std::unique_ptr<ports::Guard> guard, Side side, std::string requests)
        : guard_(std::move(guard)), side_(std::move(side)), requests_(std::move(requests)) {}

    [[nodiscard]] Result<void> arm(Duration within) override {
        json::ObjectWriter request = begin("arm-guard");
        request.text("within", format_duration(within)).json("requests", requests_);
        const std::uint64_t id = side_.ask(std::move(request).finish(), "arm the guard");
        Result<void> armed = guard_->arm(within);
        side_.exchanges->settle(net_port, id, armed);
        return armed;
    }

    [[nodiscard]] bool disarm() override {
        json::ObjectWriter request = begin("disarm-guard");
        request.json("requests", requests_);
        const std::uint64_t id = side_.ask(std::move(request).finish(), "disarm the guard");
        const bool in_time = guard_->disarm();
        json::ObjectWriter answer;
        answer.boolean("in_time", in_time);
        side_.exchanges->answer(net_port, id, std::move(answer).finish());
        return in_time;
    }

private:
    std::unique_ptr<ports::Guard> guard_;
    Side side_;
    std::string requests_;
};

class RecordedNetwork final : public ports::Network {
public:
    RecordedNetwork(std::shared_ptr<ports::Network> network, Side side)
        : network_(std::move(network)), side_(std::move(side)) {}

    [[nodiscard]] const std::string& identity() const noexcept override {
        return network_->identity();
    }

    void send(net::Requests requests, Answered answered) override {
        std::uint64_t last = 0;
        for (const net::Request& request : requests) {
            last = side_.ask(net::to_json(request), net::describe(request));
        }
        const std::uint64_t first = last + 1 - requests.size();
        network_->send(std::move(requests),
                       [exchanges = side_.exchanges, first,
                        answered = std::move(answered)](Outcome outcome) mutable {
                           std::uint64_t id = first;
                           for (const Result<net::Answer>& one : outcome) {
                               if (one) {
                                   exchanges->answer(net_port, id, net::to_json(*one));
                               } else {
                                   exchanges->fail(net_port, id, one.error());
                               }
                               ++id;
                           }
                           answered(std::move(outcome));
                       });
    }

    void give_up() override { network_->give_up(); }

    [[nodiscard]] Result<std::unique_ptr<ports::Pinned>> watch(Handlers handlers) override {
        const std::uint64_t id = side_.ask(begin("watch").finish(), "watch for changes");
        Result<std::unique_ptr<ports::Pinned>> watch =
            network_->watch(recorded(std::move(handlers), id));
        side_.exchanges->settle(net_port, id, watch ? Result<void>{} : Result<void>{watch.error()});
        return watch;
    }

    [[nodiscard]] Result<void> send_frame(const std::string& link,
                                          std::string_view frame) override {
        json::ObjectWriter request = begin("send-frame");
        request.text("link", link).text("frame", net::hexadecimal(frame));
        const std::uint64_t id =
            side_.ask(std::move(request).finish(), "send a frame out of " + link);
        Result<void> sent = network_->send_frame(link, frame);
        side_.exchanges->settle(net_port, id, sent);
        return sent;
    }

    [[nodiscard]] Result<std::unique_ptr<ports::Guard>> guard(
        const net::Requests& requests) override {
        std::string array = array_of(requests);
        json::ObjectWriter request = begin("guard");
        request.json("requests", array);
        const std::uint64_t id = side_.ask(std::move(request).finish(), "set up a guard");
        Result<std::unique_ptr<ports::Guard>> guard = network_->guard(requests);
        if (!guard) {
            side_.exchanges->fail(net_port, id, guard.error());
            return guard;
        }
        side_.exchanges->settle(net_port, id, {});
        return std::unique_ptr<ports::Guard>{
            std::make_unique<RecordedGuard>(std::move(*guard), side_, std::move(array))};
    }

private:
    [[nodiscard]] Handlers recorded(Handlers handlers, std::uint64_t id) const {
        // Who is told may end the watch, and with it the handlers: each is called last.
        const auto shared = std::make_shared<Handlers>(std::move(handlers));
        const SharedExchanges exchanges = side_.exchanges;
        return {[exchanges, id, shared](const net::Change& change) {
                    auto kept = shared;
                    keep_heard(*exchanges, id, "change", net::to_json(change));
                    kept->on_change(change);
                    kept.reset();
                },
                [exchanges, id, shared] {
                    auto kept = shared;
                    keep_heard(*exchanges, id, "overrun", "true");
                    kept->on_overrun();
                    kept.reset();
                },
                [exchanges, id, shared](Error error) {
                    auto kept = shared;
                    keep_heard(*exchanges, id, "end", json::quoted(error.sentence()));
                    kept->on_end(std::move(error));
                    kept.reset();
                }};
    }

    std::shared_ptr<ports::Network> network_;
    Side side_;
};

class RecordedNetworks final : public ports::Networks {
public:
    RecordedNetworks(ports::Networks& networks, SharedExchanges exchanges)
        : networks_(networks), exchanges_(std::move(exchanges)) {}

    [[nodiscard]] Result<std::shared_ptr<ports::Network>> open(const std::string& place) override {
        const Side side{exchanges_, place};
        const std::uint64_t id = side.ask(begin("enter").finish(), "enter the namespace");
        Result<std::shared_ptr<ports::Network>> network = networks_.open(place);
        if (!network) {
            exchanges_->fail(net_port, id, network.error());
            return network;
        }
        json::ObjectWriter answer;
        answer.text("identity", (*network)->identity());
        exchanges_->answer(net_port, id, std::move(answer).finish());
        return std::shared_ptr<ports::Network>{
            std::make_shared<RecordedNetwork>(std::move(*network), side)};
    }

private:
    ports::Networks& networks_;
    SharedExchanges exchanges_;
};

}  // namespace

std::unique_ptr<ports::Networks> recorded_networks(ports::Networks& networks,
                                                   std::shared_ptr<Exchanges> exchanges) {
    return std::make_unique<RecordedNetworks>(networks, std::move(exchanges));
}

}  // namespace ktm::monitor
