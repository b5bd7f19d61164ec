// SPDX-License-Identifier: Apache-2.0
// tests/lab/client.cc: talks to the guest of guest.cc while that is migrated, and counts.
//
//     client RATE SECONDS EPOCH BULK ADDRESS...
//
// To each address goes a stream of UDP packets, RATE packets a second in all, of 64 to 1,500 bytes,
// none of which may be fragmented; the guest sends each of them back. To the first address goes a
// bulk flow of TCP besides, BULK bytes a second, and an ICMP echo each 20 ms. Every 100 ms a line
// of JSON says what was counted so far. After SECONDS, or once stdin ends, nothing is sent any
// more; when nothing comes any more either, the last line has all counts, by stream.
//
// EPOCH makes the streams of each client other ones for the guest. A client that could not send for
// a while does not send all of that at once: then there are fewer packets, and `late_ms` says so.
#include <linux/tcp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "traffic.hh"

namespace {

constexpr int64_t kSecond = 1'000'000'000, kTick = 1'000'000, kTellEvery = 100'000'000;
constexpr int64_t kPingEvery = 20'000'000, kQuiet = 1'500'000'000, kLateMax = 20'000'000;
constexpr int64_t kBulkQuiet = 10 * kQuiet;
constexpr std::array<uint32_t, 8> kSizes = {64, 1500, 512, 1500, 128, 1024, 1500, 256};
constexpr int kBufferBytes = 16 << 20;

int64_t now_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * kSecond + time.tv_nsec;
}

struct Address {
    sockaddr_storage place{};
    socklen_t size = 0;
    int family = 0;

    Address(const char* text, uint16_t port) {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&place);
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&place);
        if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
            family = v4->sin_family = AF_INET;
            v4->sin_port = htons(port);
            size = sizeof *v4;
        } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
            family = v6->sin6_family = AF_INET6;
            v6->sin6_port = htons(port);
            size = sizeof *v6;
        } else {
            std::fprintf(stderr, "client: '%s' is no address\n", text);
            std::exit(2);
        }
    }

    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&place); }
    /// Bytes of the headers of IP and UDP.
    [[nodiscard]] uint32_t headers() const { return family == AF_INET ? 28 : 48; }
};

int opened(const Address& to, int kind, int protocol = 0) {
    const int one = socket(to.family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    const int buffer = kBufferBytes, never = IP_PMTUDISC_DO;
    if (kind != SOCK_STREAM) {
        setsockopt(one, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
        setsockopt(one, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
        if (to.family == AF_INET) {
            setsockopt(one, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof never);
        } else {
            setsockopt(one, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &never, sizeof never);
        }
    }
    return one;
}

/// One stream of numbered packets, there and back.
class Numbered {
public:
    Numbered(const char* to, uint32_t id)
        : to_(to, traffic::kUdpPort), socket_(opened(to_, SOCK_DGRAM)), back_(id) {
        if (connect(socket_, to_.get(), to_.size) != 0) {
            std::perror("client: connect");
            std::exit(1);
        }
    }

    void send() {
        const uint32_t size = kSizes[sent_ % kSizes.size()] - to_.headers();
        const traffic::Head head{.magic = htonl(traffic::kMagic),
                                 .stream = htonl(back_.id()),
                                 .number = htonl(sent_),
                                 .size = htonl(size)};
        std::array<uint8_t, traffic::kPacketMax> data{};
        std::memset(data.data(), static_cast<int>(sent_ % 251), size);
        std::memcpy(data.data(), &head, sizeof head);
        // What this host could not send was never on its way.
        if (::send(socket_, data.data(), size, 0) == static_cast<ssize_t>(size)) {
            ++sent_;
        } else {
            refused_ = errno;
            ++refusals_;
        }
    }

    void receive(int64_t now) {
        std::array<uint8_t, traffic::kPacketMax> data{};
        for (;;) {
            const ssize_t got = recv(socket_, data.data(), data.size(), 0);
            if (got < 0 && errno != EAGAIN && errno != EINTR) {
                refused_ = errno;
                ++refusals_;
                continue;
            }
            traffic::Head head{};
            if (got < static_cast<ssize_t>(sizeof head)) {
                return;
            }
            std::memcpy(&head, data.data(), sizeof head);
            if (ntohl(head.magic) == traffic::kMagic && ntohl(head.stream) == back_.id()) {
                back_.count(ntohl(head.number));
                gap_ = came_ == 0 ? 0 : std::max(gap_, now - came_);
                came_ = now;
            }
        }
    }

    [[nodiscard]] std::string told() const {
        std::array<char, 400> text{};
        std::snprintf(text.data(), text.size(),
                      "{\"id\":%u,\"family\":%d,\"sent\":%u,\"back\":%u,\"duplicated\":%u,"
                      "\"reordered\":%u,\"refusals\":%u,\"refused\":\"%s\",\"gap_ms\":%.1f}",
                      back_.id(), to_.family == AF_INET ? 4 : 6, sent_, back_.received(),
                      back_.duplicated(), back_.reordered(), refusals_,
                      refusals_ != 0 ? std::strerror(refused_) : "",
                      static_cast<double>(gap_) / 1e6);
        return text.data();
    }

    [[nodiscard]] int64_t came() const { return came_; }
    [[nodiscard]] bool is_whole() const { return back_.received() == sent_; }

private:
    Address to_;
    int socket_;
    traffic::Stream back_;
    uint32_t sent_ = 0, refusals_ = 0;
    int refused_ = 0;
    int64_t came_ = 0, gap_ = 0;
};

/// The bulk flow.
class Bulk {
public:
    Bulk(const char* to, uint32_t a_second) : pattern_(traffic::bulk_pattern()) {
        if (a_second == 0) {
            return;
        }
        const Address there(to, traffic::kTcpPort);
        socket_ = opened(there, SOCK_STREAM);
        setsockopt(socket_, SOL_SOCKET, SO_MAX_PACING_RATE, &a_second, sizeof a_second);
        connect(socket_, there.get(), there.size);
    }

    void send() {
        while (socket_ >= 0 && !is_closing_) {
            const ssize_t done = ::send(socket_, &pattern_[sent_ % traffic::kPatternBytes],
                                        traffic::kPatternBytes, MSG_NOSIGNAL);
            if (done <= 0) {
                is_broken_ = is_broken_ || (errno != EAGAIN && errno != EINPROGRESS &&
                                            errno != ENOTCONN && errno != EINTR);
                return;
            }
            sent_ += static_cast<uint64_t>(done);
        }
    }

    /// Sends no more; the guest then says how much has come.
    void close() {
        if (socket_ >= 0 && !is_closing_) {
            is_closing_ = true;
            shutdown(socket_, SHUT_WR);
        }
    }

    void receive() {
        uint64_t told = 0;
        if (socket_ >= 0 && is_closing_ && told_ == 0 &&
            recv(socket_, &told, sizeof told, 0) == sizeof told) {
            arrived_ = be64toh(told);
            told_ = now_ns();
        }
    }

    /// What was sent twice may be on its way when the guest has all, and so is its word that it was
    /// not needed: until that is heard there is a moment to wait.
    [[nodiscard]] bool is_over() const {
        if (socket_ < 0 || is_broken_) {
            return true;
        }
        const tcp_info info = counted();
        return told_ != 0 && (info.tcpi_total_retrans <= info.tcpi_dsack_dups ||
                              now_ns() - told_ > traffic::kBulkLingers / 2);
    }

    [[nodiscard]] std::string told() const {
        const tcp_info info = counted();
        std::array<char, 320> text{};
        std::snprintf(
            text.data(), text.size(),
            "{\"sent\":%llu,\"arrived\":%llu,\"acknowledged\":%llu,\"retransmitted\":%u,"
            "\"unneeded\":%u,\"rtt_ms\":%.1f,\"broken\":%s}",
            static_cast<unsigned long long>(sent_), static_cast<unsigned long long>(arrived_),
            static_cast<unsigned long long>(info.tcpi_bytes_acked), info.tcpi_total_retrans,
            info.tcpi_dsack_dups, info.tcpi_rtt / 1e3, is_broken_ ? "true" : "false");
        return text.data();
    }

private:
    [[nodiscard]] tcp_info counted() const {
        tcp_info info{};
        socklen_t size = sizeof info;
        if (socket_ >= 0) {
            getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size);
        }
        return info;
    }

    std::vector<uint8_t> pattern_;
    int socket_ = -1;
    uint64_t sent_ = 0, arrived_ = 0;
    int64_t told_ = 0;
    bool is_closing_ = false, is_broken_ = false;
};

/// ICMP echo.
class Ping {
public:
    explicit Ping(const char* to)
        : to_(to, 0),
          socket_(opened(to_, SOCK_RAW,
                         to_.family == AF_INET ? static_cast<int>(IPPROTO_ICMP)
                                               : static_cast<int>(IPPROTO_ICMPV6))),
          id_(static_cast<uint16_t>(getpid())),
          back_(0) {
        connect(socket_, to_.get(), to_.size);
    }

    void send() {
        icmphdr head{};
        head.type = to_.family == AF_INET ? static_cast<uint8_t>(ICMP_ECHO)
                                          : static_cast<uint8_t>(ICMP6_ECHO_REQUEST);
        head.un.echo.id = htons(id_);
        head.un.echo.sequence = htons(static_cast<uint16_t>(sent_));
        const uint32_t sum =
            head.type + static_cast<uint32_t>(head.un.echo.id) + head.un.echo.sequence;
        head.checksum = static_cast<uint16_t>(~((sum & 0xffff) + (sum >> 16)));
        if (::send(socket_, &head, sizeof head, 0) == sizeof head) {
            ++sent_;
        }
    }

    void receive() {
        std::array<uint8_t, 1024> data{};
        for (;;) {
            const ssize_t got = recv(socket_, data.data(), data.size(), 0);
            const size_t skipped = to_.family == AF_INET ? sizeof(iphdr) : 0;
            icmphdr head{};
            if (got < 0) {
                return;
            }
            if (static_cast<size_t>(got) < skipped + sizeof head) {
                continue;
            }
            std::memcpy(&head, &data[skipped], sizeof head);
            const bool is_reply =
                head.type == (to_.family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY);
            if (is_reply && ntohs(head.un.echo.id) == id_) {
                back_.count(ntohs(head.un.echo.sequence));
            }
        }
    }

    [[nodiscard]] std::string told() const {
        return "{\"sent\":" + std::to_string(sent_) +
               ",\"back\":" + std::to_string(back_.received()) +
               ",\"duplicated\":" + std::to_string(back_.duplicated()) + "}";
    }

    [[nodiscard]] bool is_whole() const { return back_.received() == sent_; }

private:
    Address to_;
    int socket_;
    uint16_t id_;
    uint32_t sent_ = 0;
    traffic::Stream back_;
};

class Client {
public:
    explicit Client(char** words)
        : rate_(std::strtoll(words[1], nullptr, 10)),
          ends_(now_ns() + std::strtoll(words[2], nullptr, 10) * kSecond),
          bulk_(words[5], static_cast<uint32_t>(std::strtoul(words[4], nullptr, 10))),
          ping_(words[5]) {
        const auto epoch = static_cast<uint32_t>(std::strtoul(words[3], nullptr, 10));
        for (char** word = words + 5; *word != nullptr; ++word) {
            const auto at = static_cast<uint32_t>(streams_.size());
            streams_.emplace_back(*word, epoch * 8 + at);
        }
    }

    void run() {
        began_ = pinged_ = told_ = now_ns();
        while (!is_over()) {
            wait();
            const int64_t now = now_ns();
            for (Numbered& each : streams_) {
                each.receive(now);
            }
            ping_.receive();
            bulk_.receive();
            if (is_sending_) {
                send(now);
            }
            if (now - told_ >= kTellEvery) {
                told_ = now;
                tell(false);
            }
        }
        tell(true);
    }

private:
    /// Packets that come wake nobody: once a tick is enough, and costs less.
    void wait() {
        const timespec tick{.tv_sec = 0, .tv_nsec = kTick};
        nanosleep(&tick, nullptr);
        pollfd word{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
        std::array<char, 64> data{};
        const bool is_told = is_sending_ && poll(&word, 1, 0) == 1 &&
                             read(STDIN_FILENO, data.data(), data.size()) == 0;
        if (is_sending_ && (is_told || now_ns() >= ends_)) {
            is_sending_ = false;
            stopped_ = now_ns();
            bulk_.close();
        }
    }

    void send(int64_t now) {
        int64_t due = (now - began_) * rate_ / kSecond;
        const int64_t most = std::max<int64_t>(rate_ * kLateMax / kSecond, 1);
        if (due - sent_ > most) {
            const int64_t late = (due - sent_ - most) * kSecond / rate_;
            began_ += late;
            late_ += late;
            due = (now - began_) * rate_ / kSecond;
        }
        for (; sent_ < due; ++sent_) {
            streams_[static_cast<size_t>(sent_) % streams_.size()].send();
        }
        bulk_.send();
        if (now - pinged_ >= kPingEvery) {
            pinged_ = now;
            ping_.send();
        }
    }

    /// All is back, or nothing has come for a while.
    [[nodiscard]] bool is_over() const {
        if (is_sending_) {
            return false;
        }
        int64_t last = stopped_;
        bool is_whole = bulk_.is_over() && ping_.is_whole();
        for (const Numbered& each : streams_) {
            last = std::max(last, each.came());
            is_whole = is_whole && each.is_whole();
        }
        // What a slow guest has not yet taken of the bulk flow lies in the socket, and is sent
        // again for as long as it is not acknowledged.
        return is_whole || now_ns() - last > (bulk_.is_over() ? kQuiet : kBulkQuiet);
    }

    void tell(bool is_last) const {
        std::string text = "{\"t\":" + std::to_string(now_ns()) + ",\"last\":";
        text += is_last ? "true" : "false";
        text += ",\"late_ms\":" + std::to_string(late_ / 1'000'000) + ",\"bulk\":" + bulk_.told() +
                ",\"ping\":" + ping_.told() + ",\"streams\":[";
        for (const Numbered& each : streams_) {
            text += (&each == &streams_.front() ? "" : ",") + each.told();
        }
        std::printf("%s]}\n", text.c_str());
        std::fflush(stdout);
    }

    int64_t rate_, ends_, began_ = 0, pinged_ = 0, told_ = 0, stopped_ = 0, late_ = 0, sent_ = 0;
    bool is_sending_ = true;
    std::vector<Numbered> streams_;
    Bulk bulk_;
    Ping ping_;
};

}  // namespace

int main(int count, char** words) {
    if (count < 6) {
        std::fprintf(stderr, "usage: client RATE SECONDS EPOCH BULK ADDRESS...\n");
        return 2;
    }
    Client(words).run();
}
