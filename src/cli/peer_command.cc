// SPDX-License-Identifier: Apache-2.0
// cli/peer_command.cc: `katamaran peer`: what two nodes need to talk to each other.
#include "cli/peer_command.hh"

#include <utility>

#include "cli/console.hh"

namespace ktm::cli {

namespace {

/// A new file for us alone, with the whole key in it, or none.
Result<void> keep_key(ports::Files& files, const std::string& path, const SharedKey& key) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const auto listed = files.list(folder);
    if (!listed && (listed.error().code == "ENOENT" || listed.error().code == "ENOTDIR")) {
        return Error{Kind::io, listed.error().code,
                     "there is no folder " + folder + "; expected one to keep the key in",
                     "write " + path, nullptr};
    }
    Result<void> kept = files.keep_secret(path, key.hex() + "\n");
    if (!kept && kept.error().code == "EEXIST") {
        Error error = std::move(kept).error();
        error.what = "it exists, and is not overwritten; expected the name of a new file";
        return error;
    }
    return kept;
}

}  // namespace

int make_peer_key(const ports::World& world, const PeerKeyOptions& options) {
    Console console{false};
    const Result<SharedKey> key = world.ciphers.make_key();
    if (!key) {
        console.error(key.error());
        return exit_failed;
    }
    if (options.file.empty()) {
        return console.line(key->hex()) ? exit_done : console.explain_loss();
    }
    if (const Result<void> kept = keep_key(world.files, options.file, *key); !kept) {
        console.error(kept.error());
        return exit_failed;
    }
    console.note(options.file + " holds a new key; the other node needs the same file");
    return exit_done;
}

}  // namespace ktm::cli
