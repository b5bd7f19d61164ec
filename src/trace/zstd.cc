// SPDX-License-Identifier: Apache-2.0
// trace/zstd.cc: the compressed form of a trace.
#include "trace/zstd.hh"

#include <zstd.h>

#include <algorithm>
#include <array>

#include "base/assert.hh"

namespace ktm::trace {

namespace {

constexpr std::size_t piece_bytes = 65536;
constexpr std::size_t frame_start_bytes = 5;  ///< What zstd wants of a frame first.
constexpr std::size_t block_header_bytes = 3;

}  // namespace

bool looks_compressed(std::string_view first_bytes) noexcept {
    return first_bytes.starts_with("\x28\xB5\x2F\xFD");
}

bool wants_compression(std::string_view path) noexcept {
    return path.ends_with(".zst");
}

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const noexcept {
    (void)ZSTD_freeCCtx(context);
}

Compressor::Compressor() : context_(ZSTD_createCCtx()) {
    KTM_ASSERT(context_ != nullptr);
    (void)ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
}
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor::~Compressor() = default;

std::string Compressor::compress(std::string_view bytes, bool last) {
    std::string out;
    std::array<char, piece_bytes> piece;
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    while (true) {
        ZSTD_outBuffer output{piece.data(), piece.size(), 0};
        const std::size_t left =
            ZSTD_compressStream2(context_.get(), &output, &input, last ? ZSTD_e_end : ZSTD_e_flush);
        KTM_ASSERT(ZSTD_isError(left) == 0);
        out.append(piece.data(), output.pos);
        if (left == 0) {
            return out;
        }
    }
}

void Decompressor::Free::operator()(ZSTD_DCtx_s* context) const noexcept {
    (void)ZSTD_freeDCtx(context);
}

Decompressor::Decompressor() : context_(ZSTD_createDCtx()) {
    KTM_ASSERT(context_ != nullptr);
    // LIMIT: a window of 8 MiB; a larger one is no trace of ours and would take the memory.
    (void)ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, 23);
}
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;

Result<void> Decompressor::decompress(std::string_view bytes, std::string& out) {
    std::array<char, piece_bytes> piece;
    ZSTD_inBuffer input{bytes.data(), 0, 0};
    bool filled = false;
    // A full output may hide more that is ready inside, even when all input was taken.
    while (input.pos < bytes.size() || filled) {
        // On a damage zstd forgets what it made in the same call: one block at a time loses none.
        input.size = input.pos + std::min(bytes.size() - input.pos, wanted_);
        ZSTD_outBuffer output{piece.data(), piece.size(), 0};
        const std::size_t hint = ZSTD_decompressStream(context_.get(), &output, &input);
        out.append(piece.data(), output.pos);
        if (ZSTD_isError(hint) != 0) {
            return Error{Kind::invalid, "bad-compression",
                         std::string("the compressed data is damaged: ") + ZSTD_getErrorName(hint),
                         "", nullptr};
        }
        filled = output.pos == output.size && hint != 0;
        at_end_ = hint == 0;
        // The hint asks for the next block's header too; a fault in it would cost this block.
        wanted_ = at_end_                     ? frame_start_bytes
                  : hint > block_header_bytes ? hint - block_header_bytes
                                              : hint;
    }
    return {};
}

}  // namespace ktm::trace
