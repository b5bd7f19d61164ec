// SPDX-License-Identifier: Apache-2.0
// net/tag.cc: the names of what a run makes.
#include "net/tag.hh"

#include <array>
#include <charconv>

#include "base/digest.hh"

namespace ktm::net {

namespace {

constexpr std::string_view tag_prefix = "katamaran/";
constexpr std::string_view link_prefix = "ktm";
/// Of the run's name that go into the name of a device: IFNAMSIZ leaves 15 bytes.
constexpr std::size_t run_bytes_in_link = 10;

bool is_word(std::string_view text) noexcept {
    return !text.empty() && text.find('/') == std::string_view::npos;
}

}  // namespace

std::string Tag::text() const {
    return std::string{tag_prefix} + run + "/" + vm;
}

std::optional<Tag> Tag::parse(std::string_view alias) {
    if (!alias.starts_with(tag_prefix)) {
        return std::nullopt;
    }
    alias.remove_prefix(tag_prefix.size());
    const std::size_t slash = alias.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view run = alias.substr(0, slash);
    const std::string_view vm = alias.substr(slash + 1);
    if (!is_word(run) || !is_word(vm)) {
        return std::nullopt;
    }
    return Tag{std::string{run}, std::string{vm}};
}

std::string link_name(const Tag& tag, unsigned nth) {
    return std::string{link_prefix} +
           digest_of(tag.run + " " + tag.vm).substr(0, run_bytes_in_link) +
           std::to_string(nth % 100);
}

std::string digest_of(std::string_view text) {
    std::uint64_t hash = digest_begin;
    for (const char character : text) {
        hash = digest_with(hash, static_cast<unsigned char>(character));
    }
    constexpr std::size_t digits = 16;
    std::array<char, digits> out{};
    out.fill('0');
    std::array<char, digits> raw{};
    const auto written = std::to_chars(raw.data(), raw.data() + raw.size(), hash, 16);
    const auto count = static_cast<std::size_t>(written.ptr - raw.data());
    for (std::size_t at = 0; at < count; ++at) {
        out[digits - count + at] = raw[at];
    }
    return {out.data(), out.size()};
}

}  // namespace ktm::net
