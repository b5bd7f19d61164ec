// SPDX-License-Identifier: Apache-2.0
// ports/files.hh: whole small files, and the spool for what must not be lost.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "base/unique_function.hh"
#include "ports/pinned.hh"

namespace ktm::ports {

/// Appends to a file without ever making the caller wait for a disk, and without losing what was
/// appended when the caller is killed.
class Spool : public Pinned {
public:
    /// Closes; an error at this point is lost, so call close() first.
    ~Spool() override = default;

    virtual void append(std::string_view bytes) = 0;

    /// Waits until the file is complete and says whether it is; calls `slow`, if there is one, when
    /// that takes long. A second call does nothing.
    [[nodiscard]] virtual Result<void> close(UniqueFunction<void()> slow) = 0;
};

/// Turns what is appended into what is stored, for instance compressed; `last` ends the stream.
using Filter = UniqueFunction<std::string(std::string_view bytes, bool last)>;

class Files : public Pinned {
public:
    /// The whole file; an error when it is larger than `size_max`.
    [[nodiscard]] virtual Result<std::string> read(const std::string& path, Bytes size_max) = 0;

    /// The names in a folder, in alphabetical order, without "." and "..".
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;

    /// The file in pieces, in order, until its end or until `piece` answers false.
    [[nodiscard]] virtual Result<void> read_pieces(
        const std::string& path, UniqueFunction<bool(std::string_view)> piece) = 0;

    /// Readers see the old content or the new one, never a part; missing folders are made.
    [[nodiscard]] virtual Result<void> replace(const std::string& path,
                                               std::string_view content) = 0;

    /// A new file to append to; a regular file that exists already is refused, not overwritten.
    [[nodiscard]] virtual Result<std::unique_ptr<Spool>> spool(const std::string& path,
                                                               Filter filter) = 0;
};

}  // namespace ktm::ports
