// SPDX-License-Identifier: Apache-2.0
// os/network.cc: the Networks port on netlink sockets.
//
// Theory of operation. The kernel carries out what is sent to it inside of the call that sends, and
// its answers wait in the socket when that call returns. So requests are sent as many as possible
// in one message and their answers are read at once, without waiting. A batch of requests is cut
// where it must be: before and behind a list, of which the kernel makes one at a time; around a
// setting, which is a file; and where a request names a device that an earlier one of the same
// batch deletes, or a filter. One piece at a time is under way, its flight. An answer that is not
// there, because a list is long, is awaited by the loop.
//
// Deadlines: none, they are the caller's. When answers did not fit into the socket, it cannot be
// known which; all that are missing are reported as lost, and the socket is replaced.
#include "os/network.hh"

#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>

#include "base/assert.hh"
#include "os/handle.hh"
#include "os/kernel_kinds.hh"
#include "os/link_table.hh"
#include "os/netlink_answers.hh"

namespace ktm::os {

namespace {

/// LIMIT: messages that are sent at once; their answers fit into any socket.
constexpr std::uint32_t messages_max = 256;
/// LIMIT: parts of a list that are read in a row, before the loop gets its turn; 256 KiB.
constexpr int parts_max = 8;
/// LIMIT: how often a list is asked for that changed while it was made.
constexpr int list_tries_max = 5;

class Core;

/// Of a tunnel's messages, by their place: what can be done without.
bool is_no_need(std::size_t message, int fault) {
    // Where there is no clsact its filters have no parent.
    const bool has_no_filters = fault == ENOENT || fault == EOPNOTSUPP || fault == EINVAL;
    return (fault == EAFNOSUPPORT && message == tunnel_message_of_v6) ||
           (has_no_filters && is_tunnel_message_of_count(message));
}

/// The watch for answers that were not there at once.
struct AnswerState : State<uv_poll_t> {
    UniqueFunction<void(int status)> ready;
};

struct Batch {
    net::Requests requests;
    std::vector<std::optional<Error>> faults;
    net::Answers answers;
    std::size_t next = 0;
    ports::Network::Answered answered;
};

/// What was sent and is not answered yet: messages with numbers that follow each other.
struct Flight {
    std::string bytes;
    std::uint32_t first = 0;
    std::vector<std::size_t> owners;  ///< The request of each message.
    std::vector<bool> landed;
    std::size_t open = 0;
    bool list = false;
    bool torn = false;  ///< The list changed while it was made.
    int tries = 1;
    std::uint32_t link = 0;

    void add(Built built, std::size_t owner) {
        bytes += built.bytes;
        owners.insert(owners.end(), built.messages, owner);
        list = built.list;
        link = built.link;
    }
    /// Which of its request's messages this one is.
    [[nodiscard]] std::size_t place_in_request(std::size_t message) const {
        std::size_t place = 0;
        while (place < message && owners[message - place - 1] == owners[message]) {
            ++place;
        }
        return place;
    }
};

/// LIFETIME: shared by the Network and by its own calls that are under way: a callback may destroy
/// the Network.
class Core : public std::enable_shared_from_this<Core> {
public:
    Core(UvLoop& loop, std::shared_ptr<const NetworkNamespace> space, NetlinkSocket asking,
         NetlinkSocket looking)
        : loop_(loop),
          space_(std::move(space)),
          socket_(std::move(asking)),
          table_(std::move(looking), false) {}

    void send(net::Requests requests, ports::Network::Answered answered) {
        Batch batch;
        batch.faults.resize(requests.size());
        batch.answers.resize(requests.size());
        batch.requests = std::move(requests);
        batch.answered = std::move(answered);
        batches_.push_back(std::move(batch));
        go_on();
    }

    /// Answers that come late go with the old socket.
    void give_up() {
        if (flight_) {
            replace_socket(ETIMEDOUT);
            batches_.pop_front();  // What of it was not sent yet never is.
        }
    }

    void abandon() {
        abandoned_ = true;
        batches_.clear();
        waiting_.reset();
    }

    /// Does all that can be done without waiting.
    void go_on() {
        const std::shared_ptr<Core> alive = shared_from_this();
        while (!abandoned_ && !batches_.empty()) {
            if (flight_ && !read_answers()) {
                wait();
                return;
            }
            if (!flight_ && !launch()) {
                finish_batch();
            }
        }
        waiting_.reset();
    }

    LinkTable& table() { return table_; }

private:
    Batch& batch() { return batches_.front(); }

    void fail(std::size_t request, Error error) {
        std::optional<Error>& fault = batch().faults.at(request);
        if (!fault) {
            fault = std::move(error).while_trying(net::describe(batch().requests[request]));
        }
    }

    // --- Out ---

    /// Sends the next piece of the batch; false when nothing of it is left.
    bool launch() {
        Flight flight;
        bool after_deletion = false;
        while (batch().next < batch().requests.size()) {
            const net::Request& request = batch().requests[batch().next];
            const bool alone = is_list(request) || is_setting(request) ||
                               std::holds_alternative<net::DeleteRedirect>(request);
            const bool full =
                flight.owners.size() + tunnel_messages_count > messages_max || flight.list;
            const bool deletes = std::holds_alternative<net::DeleteLink>(request);
            const bool cut = alone || full || (after_deletion && !deletes);
            if (!flight.owners.empty() && cut) {
                break;
            }
            after_deletion = deletes;
            add(request, flight);
            ++batch().next;
        }
        if (flight.owners.empty()) {
            return false;
        }
        take_off(std::move(flight));
        return true;
    }

    void add(const net::Request& request, Flight& flight) {
        const std::size_t at = batch().next;
        if (is_setting(request)) {
            handle_setting(request, at);
            return;
        }
        if (const auto* kind = std::get_if<net::FindKind>(&request);
            kind != nullptr && is_module_on_disk(*kind)) {
            batch().answers[at].text = net::kind_is_loadable;
            return;
        }
        Result<Built> built = build(request, table_);
        if (built) {
            flight.add(*std::move(built), at);
        } else {
            fail(at, std::move(built).error());
        }
    }

    void handle_setting(const net::Request& request, std::size_t at) {
        if (const auto* writing = std::get_if<net::WriteSetting>(&request)) {
            if (Result<void> done = write_setting(*space_, writing->name, writing->value); !done) {
                fail(at, std::move(done).error());
            }
        } else if (const auto* reading = std::get_if<net::ReadSetting>(&request)) {
            if (Result<std::string> text = read_setting(*space_, reading->name)) {
                batch().answers[at].text = *std::move(text);
            } else {
                fail(at, std::move(text).error());
            }
        }
    }

    void take_off(Flight flight) {
        flight.first = number_ + 1;
        flight.open = flight.owners.size();
        flight.landed.assign(flight.owners.size(), false);
        flight.torn = false;
        number_ += static_cast<std::uint32_t>(flight.owners.size());
        flight_ = std::move(flight);
        const int fault = socket_.send(flight_->bytes, flight_->first);
        if (fault != 0) {
            lose_flight(system_error(fault, ""));
        }
    }

    // --- In ---

    /// True when nothing is under way any more.
    bool read_answers() {
        for (int parts = 0; flight_ && parts < parts_max; parts += flight_ && flight_->list) {
            const int fault = socket_.receive([this](const nlmsghdr* message) { take(message); });
            if (fault == EAGAIN) {
                return false;
            }
            if (fault != 0) {
                replace_socket(fault);
            } else if (flight_->open == 0) {
                land();
            }
        }
        return !flight_;
    }

    void take(const nlmsghdr* message) {
        const std::uint32_t at = message->nlmsg_seq - flight_->first;
        if (at >= flight_->owners.size() || flight_->landed[at]) {
            return;
        }
        const std::size_t owner = flight_->owners[at];
        flight_->torn = flight_->torn || (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
            flight_->landed[at] = true;
            --flight_->open;
            judge(at, verdict_of(message));
        } else {
            take_answer(
                batch().requests[owner], message, flight_->link,
                [this](std::uint32_t link) { return table_.name_of(link); },
                batch().answers[owner]);
        }
    }

    void judge(std::size_t message, const Verdict& verdict) {
        const std::size_t owner = flight_->owners[message];
        const net::Request& request = batch().requests[owner];
        if (const auto* kind = std::get_if<net::FindKind>(&request)) {
            if (const auto word = kind_verdict(*kind, verdict.fault)) {
                batch().answers[owner].text = *word;
                return;
            }
        }
        const bool is_absence =
            (verdict.fault == ENODEV && std::holds_alternative<net::FindLink>(request)) ||
            (verdict.fault == ENOENT && std::holds_alternative<net::FindRoutes>(request)) ||
            (std::holds_alternative<net::AddTunnel>(request) &&
             is_no_need(flight_->place_in_request(message), verdict.fault));
        if (verdict.fault != 0 && !is_absence) {
            fail(owner, kernel_error(verdict, ""));
        }
    }

    void land() {
        if (flight_->torn && flight_->tries < list_tries_max) {
            Flight again = *std::move(flight_);
            ++again.tries;
            batch().answers[again.owners[0]] = {};
            take_off(std::move(again));
            return;
        }
        if (flight_->torn) {
            fail(flight_->owners[0],
                 Error{Kind::io, "EINTR", "it changed each time while it was listed", "", nullptr});
        }
        remove_halves();
        flight_.reset();
        table_.forget_planned();
    }

    /// A tunnel that was made and could not be tagged or set up does not stay.
    void remove_halves() {
        for (std::size_t at = 0; at + 1 < flight_->owners.size(); ++at) {
            const std::size_t owner = flight_->owners[at];
            const auto* tunnel = std::get_if<net::AddTunnel>(&batch().requests[owner]);
            const bool is_first = flight_->place_in_request(at) == 0;
            if (tunnel != nullptr && is_first && batch().faults[owner]) {
                table_.clean_up(tunnel->link.name);
            }
        }
    }

    /// Everything that is not answered yet ends with this error.
    void lose_flight(const Error& reason) {
        for (std::size_t at = 0; at < flight_->owners.size(); ++at) {
            if (!flight_->landed[at]) {
                fail(flight_->owners[at], reason);
            }
        }
        flight_.reset();
        table_.forget_planned();
    }

    void replace_socket(int fault) {
        lose_flight(fault != ENOBUFS
                        ? system_error(fault, "")
                        : Error{Kind::lost, "ENOBUFS",
                                "the kernel's answers did not fit into the socket; it is not known "
                                "whether it was carried out",
                                "", nullptr});
        // Late answers, and a list that the kernel is still making, go with the old socket.
        waiting_.reset();
        if (Result<NetlinkSocket> fresh = NetlinkSocket::open(*space_)) {
            socket_ = *std::move(fresh);
        }
    }

    void finish_batch() {
        Batch done = std::move(batches_.front());
        batches_.pop_front();
        ports::Network::Outcome outcome;
        outcome.reserve(done.requests.size());
        for (std::size_t at = 0; at < done.requests.size(); ++at) {
            if (done.faults[at]) {
                outcome.emplace_back(*std::move(done.faults[at]));
            } else {
                outcome.emplace_back(std::move(done.answers[at]));
            }
        }
        done.answered(std::move(outcome));
    }

    void wait() {
        if (waiting_) {
            return;
        }
        auto fresh = std::make_unique<AnswerState>();
        fresh->ready = [this](int status) {
            if (status < 0) {
                // libuv has stopped: answers were lost, as the next reading tells.
                waiting_.reset();
            }
            go_on();
        };
        KTM_ASSERT(uv_poll_init(loop_.raw(), &fresh->handle, socket_.number()) == 0);
        waiting_ = own(std::move(fresh));
        KTM_ASSERT(uv_poll_start(&waiting_->handle, UV_READABLE, on_answer) == 0);
    }

    static void on_answer(uv_poll_t* handle, int status, int) noexcept {
        auto* state = static_cast<AnswerState*>(handle->data);
        if (!state->owned) {
            return;
        }
        state->ready(status);
    }

    UvLoop& loop_;
    std::shared_ptr<const NetworkNamespace> space_;
    NetlinkSocket socket_;
    LinkTable table_;
    std::deque<Batch> batches_;
    std::optional<Flight> flight_;
    std::uint32_t number_ = 0;
    bool abandoned_ = false;
    Owned<AnswerState> waiting_;
};

class NetlinkNetwork final : public ports::Network {
public:
    NetlinkNetwork(UvLoop& loop, std::shared_ptr<const NetworkNamespace> space,
                   std::shared_ptr<Core> core)
        : loop_(loop), space_(std::move(space)), core_(std::move(core)) {
        // Not everybody may have such a socket; who sends no frames needs none.
        Result<void> entered = space_->inside([this] {
            frames_ =
                disk::Descriptor{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
            frames_fault_ = errno;
        });
        if (!entered) {
            frames_fault_ = EPERM;
        }
    }
    ~NetlinkNetwork() override { core_->abandon(); }

    [[nodiscard]] const std::string& identity() const noexcept override {
        return space_->identity();
    }

    void send(net::Requests requests, Answered answered) override {
        // The callback may destroy this Network.
        const std::shared_ptr<Core> core = core_;
        core->send(std::move(requests), std::move(answered));
    }

    void give_up() override { core_->give_up(); }

    [[nodiscard]] Result<std::unique_ptr<ports::Pinned>> watch(Handlers handlers) override {
        return watch_network(loop_, *space_, std::move(handlers));
    }

    [[nodiscard]] Result<void> send_frame(const std::string& link,
                                          std::string_view frame) override {
        const std::string intent = "send a frame through " + link;
        if (!frames_.is_open()) {
            return system_error(frames_fault_, intent);
        }
        const Result<std::uint32_t> number = core_->table().link(link);
        if (!number) {
            return Error{number.error()}.while_trying(intent);
        }
        sockaddr_ll to{};
        to.sll_family = AF_PACKET;
        to.sll_ifindex = static_cast<int>(*number);
        to.sll_halen = 6;
        if (frame.size() >= 14) {
            std::memcpy(&to.sll_addr, frame.data(), 6);
            std::memcpy(&to.sll_protocol, frame.data() + 12, sizeof to.sll_protocol);
        }
        const ssize_t count = ::sendto(frames_.number(), frame.data(), frame.size(), MSG_DONTWAIT,
                                       reinterpret_cast<const sockaddr*>(&to), sizeof to);
        return count < 0 ? Result<void>{system_error(errno, intent)} : Result<void>{};
    }

    [[nodiscard]] Result<std::unique_ptr<ports::Guard>> guard(
        const net::Requests& requests) override {
        return start_guard(*space_, requests);
    }

private:
    UvLoop& loop_;
    std::shared_ptr<const NetworkNamespace> space_;
    std::shared_ptr<Core> core_;
    disk::Descriptor frames_;
    int frames_fault_ = 0;
};

}  // namespace

Result<std::shared_ptr<ports::Network>> NetlinkNetworks::open(const std::string& place) {
    Result<NetworkNamespace> opened = NetworkNamespace::open(place);
    if (!opened) {
        return std::move(opened).error();
    }
    auto space = std::make_shared<const NetworkNamespace>(*std::move(opened));
    Result<NetlinkSocket> asking = NetlinkSocket::open(*space);
    Result<NetlinkSocket> looking = NetlinkSocket::open(*space);
    if (!asking || !looking) {
        return asking ? std::move(looking).error() : std::move(asking).error();
    }
    auto core = std::make_shared<Core>(loop_, space, *std::move(asking), *std::move(looking));
    return std::shared_ptr<ports::Network>{
        std::make_shared<NetlinkNetwork>(loop_, std::move(space), std::move(core))};
}

}  // namespace ktm::os
