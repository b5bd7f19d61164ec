// SPDX-License-Identifier: Apache-2.0
// os/netlink_message.hh: messages to the kernel as they are built, and as they are read.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/address.hh"
#include "base/assert.hh"

namespace ktm::os {

/// One message under construction; its sequence number is left to who sends it.
class Message {
public:
    /// LIMIT: room for the attributes; no message of ours needs half of it.
    static constexpr std::size_t room_usual = 2048;

    template <class Head>
    Message(int type, int flags, const Head& head, std::size_t room = room_usual)
        : message_(nlmsg_alloc_size(room)) {
        static_assert(std::is_trivially_copyable_v<Head>);
        KTM_ASSERT(message_ != nullptr &&
                   nlmsg_put(message_.get(), 0, 0, type, sizeof head, NLM_F_REQUEST | flags));
        std::memcpy(nlmsg_data(nlmsg_hdr(message_.get())), &head, sizeof head);
    }

    void bytes(int attribute, std::string_view value) {
        KTM_ASSERT(
            nla_put(message_.get(), attribute, static_cast<int>(value.size()), value.data()) == 0);
    }
    void text(int attribute, const std::string& value) {
        bytes(attribute, {value.c_str(), value.size() + 1});
    }
    /// A number in the machine's order, or a struct of the kernel.
    template <class T>
    void value(int attribute, const T& number) {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes(attribute, {reinterpret_cast<const char*>(&number), sizeof number});
    }
    void u8(int attribute, std::uint8_t number) { value(attribute, number); }
    void u16(int attribute, std::uint16_t number) { value(attribute, number); }
    void u32(int attribute, std::uint32_t number) { value(attribute, number); }
    void u64(int attribute, std::uint64_t number) { value(attribute, number); }
    void flag(int attribute) { bytes(attribute, {}); }
    void address(int attribute, const IpAddress& address) {
        bytes(attribute,
              {reinterpret_cast<const char*>(address.bytes().data()), address.bits() / 8});
    }
    /// Puts what `fill` puts inside of an attribute.
    template <class Fill>
    void nest(int attribute, Fill fill) {
        nlattr* begin = nla_nest_start(message_.get(), attribute);
        KTM_ASSERT(begin != nullptr);
        fill();
        KTM_ASSERT(nla_nest_end(message_.get(), begin) == 0);
    }

    [[nodiscard]] std::string_view whole() const {
        const nlmsghdr* head = nlmsg_hdr(message_.get());
        return {reinterpret_cast<const char*>(head), NLMSG_ALIGN(head->nlmsg_len)};
    }

private:
    struct Free {
        void operator()(nl_msg* message) const noexcept { nlmsg_free(message); }
    };
    std::unique_ptr<nl_msg, Free> message_;
};

/// The attributes of a message, or inside of one, up to number Max; what is missing or too short
/// reads as 0, as an empty text, or as no address.
template <int Max>
class Attributes {
public:
    /// Those behind the message's own head of this many bytes.
    Attributes(const nlmsghdr* message, std::size_t head_bytes) {
        if (nlmsg_datalen(message) >= static_cast<int>(head_bytes)) {
            const int head = static_cast<int>(head_bytes);
            (void)nla_parse(table_.data(), Max, nlmsg_attrdata(message, head),
                            nlmsg_attrlen(message, head), nullptr);
        }
    }
    explicit Attributes(const nlattr* nest) {
        if (nest != nullptr) {
            (void)nla_parse(table_.data(), Max, static_cast<nlattr*>(nla_data(nest)), nla_len(nest),
                            nullptr);
        }
    }

    [[nodiscard]] const nlattr* operator[](int attribute) const {
        return table_.at(static_cast<std::size_t>(attribute));
    }
    [[nodiscard]] std::string_view bytes(int attribute) const {
        const nlattr* found = (*this)[attribute];
        return found == nullptr ? std::string_view{}
                                : std::string_view{static_cast<const char*>(nla_data(found)),
                                                   static_cast<std::size_t>(nla_len(found))};
    }
    [[nodiscard]] std::string text(int attribute) const {
        const std::string_view all = bytes(attribute);
        return std::string{all.substr(0, all.find('\0'))};
    }
    /// A number in the machine's order, or a struct of the kernel, which may be longer than ours.
    template <class T>
    [[nodiscard]] T value(int attribute) const {
        T number{};
        const std::string_view all = bytes(attribute);
        if (all.size() >= sizeof number) {
            std::memcpy(&number, all.data(), sizeof number);
        }
        return number;
    }
    [[nodiscard]] std::uint8_t u8(int attribute) const { return value<std::uint8_t>(attribute); }
    [[nodiscard]] std::uint32_t u32(int attribute) const { return value<std::uint32_t>(attribute); }

private:
    std::array<nlattr*, static_cast<std::size_t>(Max) + 1> table_{};
};

/// The message's own head; all zero when the message is too short for it.
template <class Head>
[[nodiscard]] Head head_of(const nlmsghdr* message) {
    Head head{};
    if (nlmsg_datalen(message) >= static_cast<int>(sizeof head)) {
        std::memcpy(&head, nlmsg_data(message), sizeof head);
    }
    return head;
}

}  // namespace ktm::os
