// SPDX-License-Identifier: Apache-2.0
// tests/lab/guest.cc: the first and only program of a guest that is migrated: it works, and checks.
//
// Theory of operation. The guest has no file but this program and its modules. From the kernel's
// command line it takes its addresses and how much work there is to do:
//
//     ktm.v4=A ktm.v6=A     its addresses; ktm.gateway4 and ktm.gateway6 are the way to all others
//     ktm.lladdr=M          the Ethernet address of both gateways
//     ktm.dirty=N ktm.working=MIB    pages that are written to in a second, and among how many
//     ktm.writes=N          blocks that are written to the disk in a second
//
// It echoes UDP with numbers, swallows a bulk flow of TCP and checks it, writes to memory, and
// writes blocks of 4 KiB to the disk, past all caches, each followed by a flush. What was
// acknowledged is kept in memory, so that it moves with the guest and the disk can be held against
// it: at the destination a block that is older than its acknowledgement is a loss. All of it is
// asked for by UDP, in words: `report`, `missing STREAM SENT`, `verify`.
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "traffic.hh"

namespace {

constexpr size_t kPage = 4096, kBatch = 64;
constexpr int kReceiveBytes = 48 << 20;
constexpr uint64_t kBlockMagic = 0x6b61746b61746b61;

std::string g_words;  // the kernel's command line

void say(const char* what) {
    std::printf("guest: %s\n", what);
    std::fflush(stdout);
}

[[noreturn]] void give_up(const char* what) {
    std::printf("guest: %s: %s\n", what, std::strerror(errno));
    std::fflush(stdout);
    for (;;) {
        pause();
    }
}

std::string word(const std::string& name, const char* otherwise = "") {
    const std::string key = " ktm." + name + "=";
    const size_t found = g_words.find(key);
    if (found == std::string::npos) {
        return otherwise;
    }
    const size_t begin = found + key.size();
    return g_words.substr(begin, g_words.find_first_of(" \n", begin) - begin);
}

uint64_t number(const std::string& name) {
    return std::strtoull(word(name, "0").c_str(), nullptr, 10);
}

void pause_ns(int64_t ns) {
    timespec time{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    nanosleep(&time, nullptr);
}

// --- The system -------------------------------------------------------------------------------

void load_modules() {
    for (int at = 0;; ++at) {
        const std::string path = "/modules/" + std::to_string(at) + ".ko";
        const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) {
            return;
        }
        if (syscall(SYS_finit_module, file, "", 0) != 0 && errno != EEXIST) {
            give_up(path.c_str());
        }
        close(file);
    }
}

void begin_system() {
    mkdir("/proc", 0755);
    mkdir("/dev", 0755);
    mount("proc", "/proc", "proc", 0, nullptr);
    mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
    for (int end = 0; end < 3; ++end) {
        const int console = open("/dev/console", O_RDWR);
        if (console > 2) {
            close(console);
        }
    }
    if (FILE* file = std::fopen("/proc/cmdline", "r")) {
        std::array<char, 4096> line{};
        g_words = " ";
        g_words += std::fgets(line.data(), line.size(), file) != nullptr ? line.data() : "";
        std::fclose(file);
    }
}

/// One request to the kernel's routing, with its attributes.
class Request {
public:
    Request(uint16_t type, uint16_t flags, const void* body, size_t size) {
        head()->nlmsg_type = type;
        head()->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
        std::memcpy(bytes_.data() + NLMSG_HDRLEN, body, size);
        head()->nlmsg_len = static_cast<uint32_t>(NLMSG_LENGTH(size));
    }

    void add(uint16_t type, const void* data, size_t size) {
        const size_t at = NLMSG_ALIGN(head()->nlmsg_len);
        const rtattr attribute{.rta_len = static_cast<uint16_t>(RTA_LENGTH(size)),
                               .rta_type = type};
        std::memcpy(bytes_.data() + at, &attribute, sizeof attribute);
        std::memcpy(bytes_.data() + at + RTA_LENGTH(0), data, size);
        head()->nlmsg_len = static_cast<uint32_t>(at + RTA_LENGTH(size));
    }

    void send(const char* what) {
        const int one = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        ::send(one, bytes_.data(), head()->nlmsg_len, 0);
        alignas(nlmsghdr) std::array<char, 4096> reply{};
        const ssize_t got = recv(one, reply.data(), reply.size(), 0);
        close(one);
        const auto* told = reinterpret_cast<const nlmsghdr*>(reply.data());
        const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(told));
        if (got < 0 || told->nlmsg_type != NLMSG_ERROR || error->error != 0) {
            errno = got < 0 ? errno : -error->error;
            give_up(what);
        }
    }

private:
    nlmsghdr* head() { return reinterpret_cast<nlmsghdr*>(bytes_.data()); }

    alignas(nlmsghdr) std::array<char, 512> bytes_{};
};

/// An address of ours, and the way to everybody: by a gateway that needs not be looked for.
void set_address(int family, const std::string& address, const std::string& gateway, int device) {
    if (address.empty()) {
        return;
    }
    std::array<uint8_t, 16> own{}, next{};
    const size_t size = family == AF_INET ? 4 : 16;
    inet_pton(family, address.c_str(), own.data());
    inet_pton(family, gateway.c_str(), next.data());
    const ifaddrmsg place{.ifa_family = static_cast<uint8_t>(family),
                          .ifa_prefixlen = static_cast<uint8_t>(size * 8),
                          .ifa_flags = IFA_F_NODAD | IFA_F_PERMANENT,
                          .ifa_scope = 0,
                          .ifa_index = static_cast<uint32_t>(device)};
    Request mine(RTM_NEWADDR, NLM_F_CREATE, &place, sizeof place);
    mine.add(IFA_LOCAL, own.data(), size);
    mine.add(IFA_ADDRESS, own.data(), size);
    mine.send("the address");

    const ether_addr* there = ether_aton(word("lladdr").c_str());
    ndmsg neighbour{};
    neighbour.ndm_family = static_cast<uint8_t>(family);
    neighbour.ndm_ifindex = device;
    neighbour.ndm_state = NUD_PERMANENT;
    Request known(RTM_NEWNEIGH, NLM_F_CREATE, &neighbour, sizeof neighbour);
    known.add(NDA_DST, next.data(), size);
    known.add(NDA_LLADDR, there, ETH_ALEN);
    known.send("the gateway's Ethernet address");

    rtmsg way{};
    way.rtm_family = static_cast<uint8_t>(family);
    way.rtm_table = RT_TABLE_MAIN;
    way.rtm_protocol = RTPROT_BOOT;
    way.rtm_type = RTN_UNICAST;
    way.rtm_flags = RTNH_F_ONLINK;
    Request route(RTM_NEWROUTE, NLM_F_CREATE, &way, sizeof way);
    route.add(RTA_GATEWAY, next.data(), size);
    route.add(RTA_OIF, &device, sizeof device);
    route.send("the route");
}

void begin_network() {
    // In pages: a guest of this size would keep less of what it has no time to read.
    if (FILE* file = std::fopen("/proc/sys/net/ipv4/udp_mem", "w")) {
        std::fputs("16384 20480 24576", file);
        std::fclose(file);
    }
    const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (const char* name : {"lo", "eth0"}) {
        ifreq request{};
        std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
        request.ifr_flags = IFF_UP;
        if (ioctl(any, SIOCSIFFLAGS, &request) != 0) {
            give_up(name);
        }
    }
    close(any);
    const auto device = static_cast<int>(if_nametoindex("eth0"));
    set_address(AF_INET, word("v4"), word("gateway4"), device);
    set_address(AF_INET6, word("v6"), word("gateway6"), device);
}

int bound(int kind, uint16_t port) {
    const int one = socket(AF_INET6, kind | SOCK_CLOEXEC, 0);
    const int size = kReceiveBytes, yes = 1;
    if (kind == SOCK_DGRAM) {
        setsockopt(one, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    }
    setsockopt(one, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    if (bind(one, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        give_up("bind");
    }
    return one;
}

// --- Memory and disk --------------------------------------------------------------------------

/// Runs an action so often in a second, as well as it can; what is late is not made up for.
template <typename Action>
void at_rate(uint64_t a_second, Action action) {
    constexpr int64_t kTickNs = 10'000'000;
    uint64_t owed = 0;
    for (;;) {
        owed += a_second;
        for (; owed >= 100; owed -= 100) {
            action();
        }
        pause_ns(kTickNs);
    }
}

void write_memory() {
    const uint64_t pages = std::max<uint64_t>(number("working") << 8, 1);
    auto* memory = static_cast<volatile uint8_t*>(
        mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    uint64_t at = 0;
    at_rate(number("dirty"), [&] {
        memory[(at % pages) * kPage] = static_cast<uint8_t>(memory[(at % pages) * kPage] + 1);
        ++at;
    });
}

struct Block {
    uint64_t magic, number, slot, sum;
    std::array<uint64_t, kPage / 8 - 4> filler;
};
static_assert(sizeof(Block) == kPage);

uint64_t sum_of(const Block& block) {
    uint64_t sum = 1469598103934665603ULL;
    for (uint64_t each : {block.magic, block.number, block.slot}) {
        sum = (sum ^ each) * 1099511628211ULL;
    }
    for (uint64_t each : block.filler) {
        sum = (sum ^ each) * 1099511628211ULL;
    }
    return sum;
}

/// The disk, and what of it was acknowledged.
class Disk {
public:
    Disk() : file_(open("/dev/vda", O_RDWR | O_DIRECT | O_CLOEXEC)) {
        const off_t bytes = file_ < 0 ? 0 : lseek(file_, 0, SEEK_END);
        acknowledged_.resize(static_cast<size_t>(bytes) / kPage);
        block_ = static_cast<Block*>(std::aligned_alloc(kPage, kPage));
    }

    [[nodiscard]] bool is_there() const { return !acknowledged_.empty(); }

    void write() {
        const std::lock_guard lock(mutex_);
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        const uint64_t slot = (state_ >> 33) % acknowledged_.size();
        *block_ = {
            .magic = kBlockMagic, .number = written_ + 1, .slot = slot, .sum = 0, .filler = {}};
        block_->filler.fill(state_);
        block_->sum = sum_of(*block_);
        const bool ok = pwrite(file_, block_, kPage, static_cast<off_t>(slot * kPage)) == kPage &&
                        fdatasync(file_) == 0;
        if (!ok) {
            ++failed_;
            return;
        }
        acknowledged_[slot] = ++written_;
    }

    /// Reads all that was written, and says how it is, as JSON.
    std::string verify() {
        const std::lock_guard lock(mutex_);
        uint64_t checked = 0, strange = 0, stale = 0, newer = 0, unread = 0;
        for (uint64_t slot = 0; slot < acknowledged_.size(); ++slot) {
            if (acknowledged_[slot] == 0) {
                continue;
            }
            ++checked;
            if (pread(file_, block_, kPage, static_cast<off_t>(slot * kPage)) != kPage) {
                ++unread;
            } else if (block_->magic != kBlockMagic || block_->slot != slot ||
                       block_->sum != sum_of(*block_)) {
                ++strange;
            } else if (block_->number != acknowledged_[slot]) {
                ++(block_->number < acknowledged_[slot] ? stale : newer);
            }
        }
        return "{\"written\":" + std::to_string(written_) +
               ",\"checked\":" + std::to_string(checked) +
               ",\"strange\":" + std::to_string(strange) + ",\"stale\":" + std::to_string(stale) +
               ",\"newer\":" + std::to_string(newer) + ",\"unread\":" + std::to_string(unread) +
               ",\"failed\":" + std::to_string(failed_) + "}";
    }

    [[nodiscard]] uint64_t written() const { return written_; }

private:
    int file_;
    Block* block_;
    std::vector<uint64_t> acknowledged_;
    std::atomic<uint64_t> written_ = 0;
    uint64_t failed_ = 0, state_ = 88172645463325252ULL;
    std::mutex mutex_;
};

// --- Packets ----------------------------------------------------------------------------------

std::mutex g_streams_mutex;
std::vector<std::unique_ptr<traffic::Stream>> g_streams;
std::atomic<uint64_t> g_bulk_bytes = 0, g_bulk_wrong = 0;

traffic::Stream& stream_of(uint32_t id) {
    constexpr size_t kStreamsMax = 32;  // LIMIT: a quarter of a megabyte each
    for (const auto& each : g_streams) {
        if (each->id() == id) {
            return *each;
        }
    }
    if (g_streams.size() == kStreamsMax) {
        g_streams.erase(g_streams.begin());  // Of a move that is long over.
    }
    return *g_streams.emplace_back(std::make_unique<traffic::Stream>(id));
}

void count_packet(const uint8_t* data, size_t size) {
    traffic::Head head{};
    if (size < sizeof head) {
        return;
    }
    std::memcpy(&head, data, sizeof head);
    if (ntohl(head.magic) != traffic::kMagic || ntohl(head.size) != size) {
        return;
    }
    stream_of(ntohl(head.stream)).count(ntohl(head.number));
}

/// A guest that is short of time takes its packets first: what is late is sent again or made up
/// for, and what does not fit into a socket is lost.
void go_first() {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), -15);
}

void echo(int one) {
    go_first();
    static std::array<std::array<uint8_t, traffic::kPacketMax>, kBatch> data;
    static std::array<sockaddr_in6, kBatch> senders;
    std::array<iovec, kBatch> pieces{};
    std::array<mmsghdr, kBatch> messages{};
    for (;;) {
        for (size_t at = 0; at < kBatch; ++at) {
            pieces[at] = {.iov_base = data[at].data(), .iov_len = data[at].size()};
            messages[at].msg_hdr = {};
            messages[at].msg_hdr.msg_name = &senders[at];
            messages[at].msg_hdr.msg_namelen = sizeof senders[at];
            messages[at].msg_hdr.msg_iov = &pieces[at];
            messages[at].msg_hdr.msg_iovlen = 1;
        }
        const int got = recvmmsg(one, messages.data(), kBatch, MSG_WAITFORONE, nullptr);
        if (got <= 0) {
            continue;
        }
        {
            const std::lock_guard lock(g_streams_mutex);
            for (size_t at = 0; at < static_cast<size_t>(got); ++at) {
                count_packet(data[at].data(), messages[at].msg_len);
                pieces[at].iov_len = messages[at].msg_len;
            }
        }
        for (int sent = 0; sent < got;) {
            const int done = sendmmsg(one, &messages[static_cast<size_t>(sent)],
                                      static_cast<unsigned>(got - sent), 0);
            sent += done > 0 ? done : 1;
        }
    }
}

/// Takes the bulk flows, one after the other, and says to each how much of it came.
void swallow(int door) {
    const std::vector<uint8_t> pattern = traffic::bulk_pattern();
    std::vector<uint8_t> data(traffic::kPatternBytes);
    for (;;) {
        const int one = accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
        uint64_t at = 0;
        for (;;) {
            const ssize_t got = recv(one, data.data(), data.size(), 0);
            if (got <= 0) {
                break;
            }
            const auto size = static_cast<size_t>(got);
            if (std::memcmp(data.data(), &pattern[at % traffic::kPatternBytes], size) != 0) {
                ++g_bulk_wrong;
            }
            at += size;
            g_bulk_bytes += size;
        }
        const uint64_t told = htobe64(at);
        send(one, &told, sizeof told, MSG_NOSIGNAL);
        // A client whose connection is closed does not hear any more what came here twice.
        pause_ns(traffic::kBulkLingers);
        close(one);
    }
}

// --- Questions --------------------------------------------------------------------------------

/// What came for a socket and did not fit, or was wrong.
uint64_t overflowed() {
    uint64_t sum = 0;
    for (const char* path : {"/proc/net/snmp6", "/proc/net/snmp"}) {
        FILE* file = std::fopen(path, "r");
        std::array<char, 1024> line{};
        while (file != nullptr && std::fgets(line.data(), line.size(), file) != nullptr) {
            unsigned long long count = 0;
            if (std::sscanf(line.data(), "Udp6InErrors %llu", &count) == 1 ||
                std::sscanf(line.data(), "Udp: %*u %*u %llu", &count) == 1) {
                sum += count;
            }
        }
        if (file != nullptr) {
            std::fclose(file);
        }
    }
    return sum;
}

/// What the guest's TCP has counted that is not zero, as members of an object.
std::string tcp_counted() {
    std::string text;
    FILE* file = std::fopen("/proc/net/netstat", "r");
    std::array<char, 8192> names{}, counts{};
    while (file != nullptr && std::fgets(names.data(), names.size(), file) != nullptr &&
           std::fgets(counts.data(), counts.size(), file) != nullptr) {
        char *name_at = nullptr, *count_at = nullptr;
        const char* name = strtok_r(names.data(), " \n", &name_at);
        const char* count = strtok_r(counts.data(), " \n", &count_at);
        const bool is_tcp = name != nullptr && std::strcmp(name, "TcpExt:") == 0;
        while (is_tcp && (name = strtok_r(nullptr, " \n", &name_at)) != nullptr &&
               (count = strtok_r(nullptr, " \n", &count_at)) != nullptr) {
            if (std::strcmp(count, "0") != 0) {
                text += (text.empty() ? "\"" : ",\"") + std::string(name) + "\":" + count;
            }
        }
    }
    if (file != nullptr) {
        std::fclose(file);
    }
    return text;
}

std::string report(const Disk& disk) {
    const std::lock_guard lock(g_streams_mutex);
    std::string text = "{\"overflowed\":" + std::to_string(overflowed()) +
                       ",\"written\":" + std::to_string(disk.written()) +
                       ",\"bulk_bytes\":" + std::to_string(g_bulk_bytes) +
                       ",\"bulk_wrong\":" + std::to_string(g_bulk_wrong) + ",\"tcp\":{" +
                       tcp_counted() + "},\"streams\":[";
    for (const auto& each : g_streams) {
        text += (text.back() == '[' ? "" : ",");
        text += "{\"id\":" + std::to_string(each->id()) +
                ",\"received\":" + std::to_string(each->received()) +
                ",\"duplicated\":" + std::to_string(each->duplicated()) +
                ",\"reordered\":" + std::to_string(each->reordered()) + "}";
    }
    return text + "]}";
}

std::string missing(const char* words) {
    unsigned id = 0, sent = 0;
    std::sscanf(words, "%u %u", &id, &sent);
    const std::lock_guard lock(g_streams_mutex);
    return "\"" + stream_of(id).missing(sent) + "\"";
}

/// Answers questions; a question begins with a word that its answer repeats.
void answer(int one, Disk& disk) {
    for (;;) {
        std::array<char, 512> data{};
        sockaddr_in6 asker{};
        socklen_t size = sizeof asker;
        const ssize_t got = recvfrom(one, data.data(), data.size() - 1, 0,
                                     reinterpret_cast<sockaddr*>(&asker), &size);
        const char* rest = got > 0 ? std::strchr(data.data(), ' ') : nullptr;
        if (rest == nullptr) {
            continue;
        }
        std::string text(data.data(), static_cast<size_t>(rest + 1 - data.data()));
        const std::string question = rest + 1;
        if (question == "report") {
            text += report(disk);
        } else if (question == "verify") {
            text += disk.verify();
        } else if (question.starts_with("missing ")) {
            text += missing(question.c_str() + 8);
        } else {
            text += "\"no such question\"";
        }
        sendto(one, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&asker), size);
    }
}

}  // namespace

int main() {
    begin_system();
    load_modules();
    begin_network();
    static Disk disk;
    const int packets = bound(SOCK_DGRAM, traffic::kUdpPort);
    const int questions = bound(SOCK_DGRAM, traffic::kAskPort);
    const int door = bound(SOCK_STREAM, traffic::kTcpPort);
    listen(door, 4);
    std::thread(echo, packets).detach();
    std::thread(swallow, door).detach();
    std::thread(write_memory).detach();
    if (disk.is_there()) {
        std::thread([] { at_rate(number("writes"), [] { disk.write(); }); }).detach();
    }
    say("ready");
    answer(questions, disk);
}
