// SPDX-License-Identifier: Apache-2.0
// model/reply.hh: what a QEMU answers, and the check of a command's arguments with QEMU's words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/document.hh"

namespace ktm::model {

struct Reply {
    std::string value;        ///< The JSON of "return"; empty where it is refused.
    std::string error_class;  ///< "GenericError", "CommandNotFound", …
    std::string desc;

    [[nodiscard]] bool is_refused() const noexcept { return !error_class.empty(); }
    friend bool operator==(const Reply&, const Reply&) = default;
};

/// The empty object, which most commands return.
[[nodiscard]] Reply done();
[[nodiscard]] Reply answered(std::string value);
[[nodiscard]] Reply refused(std::string desc, std::string error_class = "GenericError");

/// Holds arguments against a list "uri:s! blk:b": the name, then s(tring), b(oolean), i(nteger),
/// o(bject), a(rray) or any (*), then ! where it must be there. Returns what QEMU says of the first
/// fault. A list that ends in "..." takes more.
[[nodiscard]] std::optional<std::string> argument_fault(std::string_view list,
                                                        const json::View& arguments);

[[nodiscard]] std::string_view text_of(const json::View& arguments, std::string_view key);
[[nodiscard]] bool flag_of(const json::View& arguments, std::string_view key, bool otherwise);

}  // namespace ktm::model
