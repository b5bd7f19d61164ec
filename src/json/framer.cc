// SPDX-License-Identifier: Apache-2.0
// json/framer.cc: bytes to lines.
#include "json/framer.hh"

#include <algorithm>
#include <cstring>

#include "json/parser.hh"

namespace ktm::json {

void Framer::receive(std::string_view bytes) {
    if (overflowed_ || bytes.empty()) {
        return;
    }
    if (begin_ == end_) {
        begin_ = scanned_ = end_ = 0;
    } else if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        scanned_ -= begin_;
        begin_ = 0;
    }
    const std::size_t needed = end_ + bytes.size() + padding_bytes;
    if (buffer_.size() < needed) {
        buffer_.resize(std::max(needed, buffer_.size() * 2));
    }
    std::memcpy(buffer_.data() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
}

std::optional<std::string_view> Framer::next() {
    while (!overflowed_) {
        const char* from = buffer_.data() + scanned_;
        const void* found = scanned_ < end_ ? std::memchr(from, '\n', end_ - scanned_) : nullptr;
        const std::size_t stop =
            found == nullptr
                ? end_
                : static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
        overflowed_ = stop - begin_ > line_bytes_max_;
        scanned_ = stop;
        if (overflowed_ || found == nullptr) {
            return std::nullopt;
        }
        std::string_view line{buffer_.data() + begin_, stop - begin_};
        begin_ = scanned_ = stop + 1;
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (!line.empty()) {
            return line;
        }
    }
    return std::nullopt;
}

std::string_view Framer::unfinished() const noexcept {
    const std::string_view rest{buffer_.data() + begin_, end_ - begin_};
    // Of an overlong line as much as it took to see that, however much of it has come.
    return overflowed_ ? rest.substr(0, line_bytes_max_ + 1) : rest;
}

}  // namespace ktm::json
