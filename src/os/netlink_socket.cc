// SPDX-License-Identifier: Apache-2.0
// os/netlink_socket.cc: a socket to the kernel's routing and traffic control.
#include "os/netlink_socket.hh"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "os/netlink_message.hh"

namespace ktm::os {

namespace {

/// One datagram; the kernel makes its lists in pieces of at most 32 KiB, and no single answer about
/// a device comes near that.
constexpr std::size_t buffer_bytes = 65536;
/// LIMIT: answers that wait for us, by the kernel's own reckoning; thousands of them.
constexpr int waiting_bytes = 4 << 20;

void prepare(int socket) {
    const auto set = [socket](int level, int option, int value) {
        return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
    };
    // The long words of an error, and each request not repeated in it. A kernel that does not know
    // one of these does without.
    (void)set(SOL_NETLINK, NETLINK_EXT_ACK, 1);
    (void)set(SOL_NETLINK, NETLINK_CAP_ACK, 1);
    (void)set(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
    if (!set(SOL_SOCKET, SO_RCVBUFFORCE, waiting_bytes)) {
        (void)set(SOL_SOCKET, SO_RCVBUF, waiting_bytes);
    }
}

}  // namespace

Verdict verdict_of(const nlmsghdr* message) {
    const char* body = static_cast<const char*>(nlmsg_data(message));
    const int length = nlmsg_datalen(message);
    Verdict verdict;
    if (length < static_cast<int>(sizeof(int))) {
        verdict.fault = EBADMSG;
        return verdict;
    }
    int fault = 0;
    std::memcpy(&fault, body, sizeof fault);
    // The end of a list may bear a positive length there, which is no fault.
    verdict.fault = fault < 0 ? -fault : 0;
    std::size_t head = sizeof(int);
    if (message->nlmsg_type == NLMSG_ERROR) {
        const auto error = head_of<nlmsgerr>(message);
        const bool repeated = (message->nlmsg_flags & NLM_F_CAPPED) == 0;
        head = sizeof error + (repeated ? NLMSG_ALIGN(error.msg.nlmsg_len) - NLMSG_HDRLEN : 0);
    }
    if ((message->nlmsg_flags & NLM_F_ACK_TLVS) != 0) {
        verdict.text = Attributes<NLMSGERR_ATTR_MAX>(message, head).text(NLMSGERR_ATTR_MSG);
    }
    return verdict;
}

Error kernel_error(const Verdict& verdict, std::string during) {
    Error error = system_error(verdict.fault, std::move(during));
    std::string text = verdict.text;
    if (text.empty()) {
        return error;
    }
    // Inside of our sentence: without a capital at the beginning, but for names.
    const auto is_capital = [&text](std::size_t at) {
        return text.size() > at && text[at] >= 'A' && text[at] <= 'Z';
    };
    if (is_capital(0) && !is_capital(1)) {
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    }
    while (text.ends_with('.') || text.ends_with('\n')) {
        text.pop_back();
    }
    error.what = text + ": " + error.what;
    return error;
}

Result<NetlinkSocket> NetlinkSocket::open(const NetworkNamespace& space) {
    int number = -1;
    int fault = 0;
    KTM_CHECK(space.inside([&] {
        number = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        fault = errno;
    }));
    if (number < 0) {
        return system_error(fault, "open a socket to the kernel");
    }
    disk::Descriptor socket{number};
    sockaddr_nl ours{};
    ours.nl_family = AF_NETLINK;
    if (::bind(number, reinterpret_cast<const sockaddr*>(&ours), sizeof ours) != 0) {
        return system_error(errno, "open a socket to the kernel");
    }
    prepare(number);
    return NetlinkSocket{std::move(socket)};
}

int NetlinkSocket::send(std::string& messages, std::uint32_t first) const noexcept {
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= messages.size();) {
        nlmsghdr head{};
        std::memcpy(&head, messages.data() + at, sizeof head);
        head.nlmsg_seq = first++;
        std::memcpy(messages.data() + at, &head, sizeof head);
        at += NLMSG_ALIGN(head.nlmsg_len);
    }
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    ssize_t count = -1;
    do {
        count = ::sendto(number(), messages.data(), messages.size(), MSG_DONTWAIT,
                         reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? errno : 0;
}

int NetlinkSocket::receive(const OnMessage& on_message) {
    buffer_.resize(buffer_bytes);
    sockaddr_nl sender{};
    iovec room{buffer_.data(), buffer_.size()};
    msghdr datagram{};
    datagram.msg_name = &sender;
    datagram.msg_namelen = sizeof sender;
    datagram.msg_iov = &room;
    datagram.msg_iovlen = 1;
    ssize_t count = -1;
    do {
        count = ::recvmsg(number(), &datagram, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return errno;
    }
    if ((datagram.msg_flags & MSG_TRUNC) != 0) {
        return ENOBUFS;
    }
    // LIFETIME: a callback may send and receive again, with another buffer then.
    std::vector<char> content = std::move(buffer_);
    const auto* message = reinterpret_cast<const nlmsghdr*>(content.data());
    int left = static_cast<int>(sender.nl_pid == 0 ? count : 0);
    while (nlmsg_ok(message, left) != 0) {
        on_message(message);
        message = nlmsg_next(const_cast<nlmsghdr*>(message), &left);
    }
    buffer_ = std::move(content);
    return 0;
}

Verdict NetlinkSocket::ask(std::string message, const OnMessage& on_message) {
    const std::uint32_t number = ++asked_;
    Verdict verdict;
    verdict.fault = send(message, number);
    bool over = verdict.fault != 0;
    while (!over) {
        const int fault = receive([&](const nlmsghdr* answer) {
            if (answer->nlmsg_seq != number) {
                return;
            }
            if (answer->nlmsg_type == NLMSG_ERROR || answer->nlmsg_type == NLMSG_DONE) {
                verdict = verdict_of(answer);
                over = true;
            } else {
                on_message(answer);
            }
        });
        if (fault != 0) {
            verdict.fault = fault;
            over = true;
        }
    }
    return verdict;
}

int NetlinkSocket::join(int group) const noexcept {
    return ::setsockopt(number(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0
               ? 0
               : errno;
}

}  // namespace ktm::os
