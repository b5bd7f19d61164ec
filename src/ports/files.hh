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

/// A small file that one process at a time owns, and only grows: what was appended is there for
/// whoever comes later, however we end.
class OwnedFile : public Pinned {
public:
    /// In one write, and complete or an error. It does not wait for a disk to be safe from a power
    /// cut: what it is for does not survive one either.
    [[nodiscard]] virtual Result<void> append(std::string_view bytes) = 0;
    [[nodiscard]] virtual Result<std::string> read(Bytes size_max) = 0;
    /// Removes the file; it is ours until this object is gone.
    [[nodiscard]] virtual Result<void> remove() = 0;
};

/// Turns what is appended into what is stored, for instance compressed; `last` ends the stream.
using Filter = UniqueFunction<std::string(std::string_view bytes, bool last)>;

class Files : public Pinned {
public:
    /// The whole file; an error when it is larger than `size_max`.
    [[nodiscard]] virtual Result<std::string> read(const std::string& path, Bytes size_max) = 0;

    /// The same of a file that holds a secret: one that others may read or change, by its mode, is
    /// refused, and so is what is no file.
    [[nodiscard]] virtual Result<std::string> read_private(const std::string& path,
                                                           Bytes size_max) = 0;

    /// The names in a folder, in alphabetical order, without "." and "..".
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;

    /// The file in pieces, in order, until its end or until `piece` answers false.
    [[nodiscard]] virtual Result<void> read_pieces(
        const std::string& path, UniqueFunction<bool(std::string_view)> piece) = 0;

    /// Readers see the old content or the new one, never a part; missing folders are made.
    [[nodiscard]] virtual Result<void> replace(const std::string& path,
                                               std::string_view content) = 0;

    /// A new file that only its owner can read, complete or not there; its folder is made for us
    /// alone. One that exists is an error, EEXIST. What it holds is in no recording.
    [[nodiscard]] virtual Result<void> keep_secret(const std::string& path,
                                                   std::string_view content) = 0;
    /// Removes it, and its folder when nothing else is in it: whether there was anything.
    [[nodiscard]] virtual Result<bool> forget_secret(const std::string& path) = 0;

    /// A new file that is ours until its object, or our process, is gone; its folder is made, and
    /// neither is for others to read. One that exists is an error, EEXIST.
    [[nodiscard]] virtual Result<std::unique_ptr<OwnedFile>> make_owned(
        const std::string& path) = 0;

    /// Takes a file over whose owner is gone. While the owner lives: an error of the code "busy".
    [[nodiscard]] virtual Result<std::unique_ptr<OwnedFile>> take_over(const std::string& path) = 0;

    /// Whether what is in this folder, or will be, lies in memory and not on a disk.
    [[nodiscard]] virtual Result<bool> is_in_memory(const std::string& folder) = 0;

    /// A new file to append to; a regular file that exists already is refused, not overwritten.
    [[nodiscard]] virtual Result<std::unique_ptr<Spool>> spool(const std::string& path,
                                                               Filter filter) = 0;
};

}  // namespace ktm::ports
