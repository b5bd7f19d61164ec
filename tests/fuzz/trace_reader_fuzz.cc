// SPDX-License-Identifier: Apache-2.0
// tests/fuzz/trace_reader_fuzz.cc: damaged and hostile traces, read in pieces of every size.
//
// Theory of operation. The input is a trace file, unless it begins with the byte 1: then four bytes
// (piece size, two for a place, a flip) describe a damage, and the rest is a plain trace that is
// compressed as the recorder does it and then damaged. Without that, nearly every mutation of a
// compressed file would die in the first block's header.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hh"
#include "json/writer.hh"
#include "trace/reader.hh"
#include "trace/zstd.hh"

namespace {

using namespace ktm;

constexpr char compress_mark = 1;
constexpr std::size_t damage_bytes = 5;

std::string rendered(const trace::Record& record) {
    return std::to_string(record.line) + " " + std::to_string(record.time.count()) + " " +
           record.port + " " + std::string(name_of(record.direction)) + " " +
           (record.message ? json::compact(record.message->root()) : "-") + " " + record.text +
           "\n";
}

/// What a reader makes of the bytes when they come in pieces of that size.
std::string told(std::string_view bytes, std::size_t piece) {
    trace::Reader reader;
    std::vector<trace::Record> records;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        const std::size_t known = records.size();
        const bool damaged = reader.damage().has_value();
        reader.receive(bytes.substr(at, piece), records);
        KTM_ASSERT(!damaged || records.size() == known);
    }
    reader.finish(records);
    std::string story;
    for (const trace::Record& record : records) {
        KTM_ASSERT(record.time.count() >= 0 && record.line > 0);
        story += rendered(record);
    }
    if (reader.header()) {
        story += "header " + reader.header()->tool + " " + reader.header()->started + "\n";
    }
    return story + (reader.damage() ? reader.damage()->sentence() : "intact");
}

void check_cuts(std::string_view bytes) {
    const std::string whole = told(bytes, std::max<std::size_t>(bytes.size(), 1));
    KTM_ASSERT(whole == told(bytes, 1));
    KTM_ASSERT(whole == told(bytes, 7));
    KTM_ASSERT(whole == told(bytes, 1000));
}

std::string compressed(std::string_view text, std::size_t piece) {
    trace::Compressor compressor;
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        out += compressor.compress(text.substr(at, piece), false);
    }
    return out + compressor.compress({}, true);
}

void check_compressed(std::string_view input) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(input[i]); };
    const std::size_t piece = 16 + std::size_t{byte(1)} * 4;
    const std::size_t place = byte(2) * std::size_t{256} + byte(3);
    const std::uint8_t flip = byte(4);
    const std::string_view text = input.substr(damage_bytes);
    std::string file = compressed(text, piece);
    if (!text.starts_with("\x28\xB5\x2F\xFD") && text.size() >= 4) {
        KTM_ASSERT(told(file, file.size()) == told(text, text.size()));
    }
    if (flip == 0) {
        file.resize(place % (file.size() + 1));
    } else {
        file[place % file.size()] = static_cast<char>(file[place % file.size()] ^ flip);
    }
    check_cuts(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    if (input.size() >= damage_bytes && input[0] == compress_mark) {
        check_compressed(input);
    } else {
        check_cuts(input);
    }
    return 0;
}
