// SPDX-License-Identifier: Apache-2.0
// sim/recalled_networks.cc: a kernel that answers from a recording.
#include "sim/recalled_networks.hh"

#include <algorithm>
#include <utility>

#include "json/writer.hh"
#include "net/exchange_json.hh"
#include "net/hexadecimal.hh"
#include "trace/exchange.hh"

namespace ktm::sim {

namespace {

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

/// The recorded answer, or the recorded error.
Result<json::View> outcome_of(const json::Document& message) {
    const json::View root = message.root();
    if (const std::optional<json::View> error = root.find("error")) {
        return trace::error_in(*error);
    }
    return root.find("answer").value_or(root);
}

Result<net::Answer> answer_of(const json::Document& message) {
    const Result<json::View> outcome = outcome_of(message);
    return outcome ? net::answer_from_json(*outcome) : Result<net::Answer>{outcome.error()};
}

Result<void> done(const Result<json::View>& outcome) {
    return outcome ? Result<void>{} : Result<void>{outcome.error()};
}

}  // namespace

class RecalledNetworks::RecalledWatch final : public ports::Pinned {
public:
    explicit RecalledWatch(SharedHandlers handlers) : handlers_(std::move(handlers)) {}

private:
    SharedHandlers handlers_;
};

class RecalledNetworks::RecalledGuard final : public ports::Guard {
public:
    RecalledGuard(RecalledNetworks& all, std::string place, std::string requests)
        : all_(all), place_(std::move(place)), requests_(std::move(requests)) {}

    [[nodiscard]] Result<void> arm(Duration within) override {
        json::ObjectWriter request = begin("arm-guard");
        request.text("within", format_duration(within)).json("requests", requests_);
        return done(all_.recall_now(place_, std::move(request).finish(), "arm the guard"));
    }
    [[nodiscard]] bool disarm() override {
        json::ObjectWriter request = begin("disarm-guard");
        request.json("requests", requests_);
        const Result<json::View> outcome =
            all_.recall_now(place_, std::move(request).finish(), "disarm the guard");
        const auto in_time = outcome ? outcome->find("in_time") : std::nullopt;
        return in_time && in_time->as_bool().value_or(false);
    }

private:
    RecalledNetworks& all_;
    std::string place_;
    std::string requests_;
};

class RecalledNetworks::RecalledNetwork final : public ports::Network {
public:
    RecalledNetwork(RecalledNetworks& all, std::string place, std::string identity)
        : all_(all), place_(std::move(place)), identity_(std::move(identity)) {}

    [[nodiscard]] const std::string& identity() const noexcept override { return identity_; }

    void send(net::Requests requests, Answered answered) override {
        Outcome outcome;
        Duration after{};
        std::optional<Duration> silent_for;
        std::vector<RecalledExchanges::Answer> all;
        for (const net::Request& request : requests) {
            const Result<RecalledExchanges::Answer> recalled =
                all_.recall(place_, net::to_json(request), net::describe(request));
            if (!recalled) {
                return;
            }
            all.push_back(*recalled);
            if (recalled->message == nullptr) {
                silent_for = recalled->silent_for;
                continue;
            }
            after = std::max(after, *recalled->after);
            outcome.push_back(answer_of(*recalled->message));
        }
        if (silent_for) {
            wait(*silent_for, [this, words = net::describe(requests.back())] {
                (void)all_.not_answered(words);
            });
        } else {
            wait(after, [outcome = std::move(outcome), answered = std::move(answered)]() mutable {
                answered(std::move(outcome));
            });
        }
        // Behind the answer, where both are due at one instant.
        for (const RecalledExchanges::Answer& one : all) {
            all_.will_tell(one);
        }
    }

    void give_up() override { waiting_.clear(); }

    [[nodiscard]] Result<std::unique_ptr<ports::Pinned>> watch(Handlers handlers) override {
        const std::string words = "watch for changes";
        const Result<RecalledExchanges::Answer> recalled =
            all_.recall(place_, begin("watch").finish(), words);
        if (!recalled) {
            return recalled.error();
        }
        if (recalled->message == nullptr) {
            return all_.not_answered(words);
        }
        KTM_CHECK(done(outcome_of(*recalled->message)));
        auto shared = std::make_shared<Handlers>(std::move(handlers));
        all_.watches_[recalled->id] = shared;
        all_.will_tell(*recalled);
        return std::unique_ptr<ports::Pinned>{std::make_unique<RecalledWatch>(std::move(shared))};
    }

    [[nodiscard]] Result<void> send_frame(const std::string& link,
                                          std::string_view frame) override {
        json::ObjectWriter request = begin("send-frame");
        request.text("link", link).text("frame", net::hexadecimal(frame));
        return done(
            all_.recall_now(place_, std::move(request).finish(), "send a frame out of " + link));
    }

    [[nodiscard]] Result<std::unique_ptr<ports::Guard>> guard(
        const net::Requests& requests) override {
        std::string array = array_of(requests);
        json::ObjectWriter request = begin("guard");
        request.json("requests", array);
        KTM_CHECK(done(all_.recall_now(place_, std::move(request).finish(), "set up a guard")));
        return std::unique_ptr<ports::Guard>{
            std::make_unique<RecalledGuard>(all_, place_, std::move(array))};
    }

private:
    void wait(Duration after, UniqueFunction<void()> what) {
        const std::uint64_t number = ++last_;
        waiting_[number] = all_.clock_.arm(after, [this, number, what = std::move(what)]() mutable {
            // LIFETIME: what is called may destroy the network, and with it this function.
            UniqueFunction<void()> due = std::move(what);
            waiting_.erase(number);
            due();
        });
    }

    RecalledNetworks& all_;
    std::string place_;
    std::string identity_;
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, std::unique_ptr<ports::Timer>> waiting_;
};

Result<std::shared_ptr<ports::Network>> RecalledNetworks::open(const std::string& place) {
    const Result<json::View> outcome =
        recall_now(place, begin("enter").finish(), "enter the namespace");
    if (!outcome) {
        return outcome.error();
    }
    return std::shared_ptr<ports::Network>{std::make_shared<RecalledNetwork>(
        *this, place, std::string{outcome->find_string("identity").value_or("")})};
}

Result<RecalledExchanges::Answer> RecalledNetworks::recall(const std::string& place,
                                                           const std::string& request,
                                                           const std::string& words) {
    Result<RecalledExchanges::Answer> answer = exchanges_.answer(place, request, words);
    if (!answer) {
        on_unknown_(Error{answer.error()});
    }
    return answer;
}

Result<json::View> RecalledNetworks::recall_now(const std::string& place,
                                                const std::string& request,
                                                const std::string& words) {
    const Result<RecalledExchanges::Answer> answer = recall(place, request, words);
    if (!answer) {
        return answer.error();
    }
    return answer->message == nullptr ? Result<json::View>{not_answered(words)}
                                      : outcome_of(*answer->message);
}

Error RecalledNetworks::not_answered(const std::string& words) {
    Error error{Kind::protocol, "not-recorded",
                "the plan wants to " + words +
                    ", and the recording ends before the kernel has answered that",
                "", nullptr};
    on_unknown_(Error{error});
    return error;
}

void RecalledNetworks::will_tell(const RecalledExchanges::Answer& answer) {
    for (const RecalledExchanges::Heard* heard : answer.heard) {
        told_.push_back(clock_.arm(heard->after, [this, heard] { tell(*heard); }));
    }
}

void RecalledNetworks::tell(const RecalledExchanges::Heard& heard) {
    const auto found = watches_.find(heard.watch);
    const SharedHandlers handlers = found == watches_.end() ? nullptr : found->second.lock();
    if (!handlers) {
        return;
    }
    const json::View message = heard.message.root();
    if (const std::optional<json::View> json = message.find("change")) {
        if (const Result<net::Change> change = net::change_from_json(*json)) {
            handlers->on_change(*change);
        }
    } else if (message.find("overrun")) {
        handlers->on_overrun();
    } else {
        handlers->on_end(Error{Kind::lost, "watch-ended",
                               std::string{message.find_string("end").value_or("")}, "", nullptr});
    }
}

}  // namespace ktm::sim
