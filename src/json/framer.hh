// SPDX-License-Identifier: Apache-2.0
// json/framer.hh: bytes to lines.
#pragma once

#include <cstddef>
#include <new>
#include <optional>
#include <string_view>
#include <vector>

namespace ktm::json {

/// Memory that begins with a cache line. A message mostly begins where the buffer does, and is read
/// in steps of a line: from another place each step would touch two.
template <class T>
struct LineAligned {
    using value_type = T;
    static constexpr std::align_val_t alignment{64};

    LineAligned() = default;
    template <class U>
    LineAligned(const LineAligned<U>&) {}

    T* allocate(std::size_t count) {
        return static_cast<T*>(::operator new(count * sizeof(T), alignment));
    }
    void deallocate(T* memory, std::size_t) noexcept { ::operator delete(memory, alignment); }

    template <class U>
    bool operator==(const LineAligned<U>&) const {
        return true;
    }
};

/// Cuts a byte stream into lines, whatever the sizes of the pieces in which it arrives. QEMU ends
/// each message with "\r\n" and has no other newline in it.
class Framer {
public:
    explicit Framer(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

    /// Takes the next bytes of the stream.
    void receive(std::string_view bytes);

    /// The next complete line without its end, blank lines skipped. LIFETIME: valid until the next
    /// receive(); at least padding_bytes bytes behind it are readable.
    [[nodiscard]] std::optional<std::string_view> next();

    /// LIMIT: true once a line is longer than the limit; nothing more comes out of this framer.
    [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

    /// The bytes of a line that has begun and not ended; of an overlong one its beginning.
    [[nodiscard]] std::string_view unfinished() const noexcept;

private:
    std::size_t line_bytes_max_;
    std::vector<char, LineAligned<char>> buffer_;
    std::size_t begin_ = 0;    ///< Start of the first line not yet given out.
    std::size_t scanned_ = 0;  ///< No newline before this place.
    std::size_t end_ = 0;      ///< End of what was received.
    bool overflowed_ = false;
};

}  // namespace ktm::json
