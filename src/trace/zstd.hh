// SPDX-License-Identifier: Apache-2.0
// trace/zstd.hh: the compressed form of a trace.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace ktm::trace {

/// True for a stream that begins like a zstd frame.
[[nodiscard]] bool looks_compressed(std::string_view first_bytes) noexcept;

/// Whether a file of that name is to be compressed: it ends in ".zst".
[[nodiscard]] bool wants_compression(std::string_view path) noexcept;

/// Each piece is flushed, so that a reader gets everything up to the last piece that was stored.
class Compressor {
public:
    Compressor();
    Compressor(Compressor&&) noexcept;
    ~Compressor();

    /// The compressed form of one more piece; `last` ends the frame.
    [[nodiscard]] std::string compress(std::string_view bytes, bool last);

private:
    struct Free {
        void operator()(ZSTD_CCtx_s* context) const noexcept;
    };
    std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

class Decompressor {
public:
    Decompressor();
    Decompressor(Decompressor&&) noexcept;
    ~Decompressor();

    /// Appends what can be decompressed so far to `out`; after an error nothing more comes.
    [[nodiscard]] Result<void> decompress(std::string_view bytes, std::string& out);

    /// True when the stream may end here: at the end of a frame.
    [[nodiscard]] bool at_end() const noexcept { return at_end_; }

private:
    struct Free {
        void operator()(ZSTD_DCtx_s* context) const noexcept;
    };
    std::unique_ptr<ZSTD_DCtx_s, Free> context_;
    bool at_end_ = true;
    std::size_t wanted_ = 5;
};

}  // namespace ktm::trace
