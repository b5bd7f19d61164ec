// SPDX-License-Identifier: Apache-2.0
// host/journal.hh: what a run has yet to undo, on a file that outlives it.
//
// Theory of operation. One file for each run, in a folder of its own; the process owns it as long
// as it lives, which others can see. Each line is a JSON object:
//
//     {"katamaran":"0.1.0","run":"…","vm":"…","plan":"…","role":"…","boot":"…","began":"…"}
//     {"do":1,"kind":"hold","in":"/proc/42/ns/net","space":"4:4026532","undo":{…}}
//     {"do":2,"kind":"undo","guest":"wake","vm":"/run/vm.qmp"}
//     {"do":3,"kind":"undo","guest":"restore","vm":"…","before":{"parameters":{…}}}
//     {"do":4,"kind":"hold","secret":"/run/katamaran/….keys/keys.psk"}
//     {"done":1}
//     {"done":2,"dropped":true}
//     {"committed":true}
//
// A `do` is written before the change that it undoes. What is dropped needs no undo any more,
// and was not undone. A line that is not complete was never acted
// upon: it is the last one, and is ignored. Who goes on with such a journal first ends that line
// with {"cut":true}, by which it is known from then on. When nothing is left to do, the file is
// removed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.hh"
#include "base/result.hh"
#include "net/tag.hh"
#include "net/undo.hh"
#include "ports/files.hh"

namespace ktm::host {

/// LIMIT: a journal that is larger is not one of ours.
inline constexpr Bytes journal_max{16U << 20U};

using UndoId = Id<struct UndoTag>;

/// A hold is given back at the end of a run in any case but one; an undo only before the commit.
enum class UndoKind : std::uint8_t { hold, undo };

/// Which run wrote it.
struct Header {
    std::string version;
    std::string run;  ///< 16 hexadecimal digits, or what KATAMARAN_MIGRATION_ID says.
    std::string vm;   ///< Its monitor's path.
    std::string plan;
    std::string role;
    std::string boot;  ///< Of the kernel: after another boot nothing of it is left.
    std::string began;
    friend bool operator==(const Header&, const Header&) = default;
};

/// What the devices of this run carry.
[[nodiscard]] net::Tag tag_of(const Header& header);

/// How the name of a journal ends.
inline constexpr std::string_view journal_ending = ".journal";

/// The journal's path: the folder, the run, ".journal". Two runs can have one name, when both ends
/// of a migration are on one host, or when one is tried again: from the second on it is numbered.
[[nodiscard]] std::string journal_path(const std::string& folder, const Header& header,
                                       unsigned nth = 1);

/// What takes back a migration at this end of it, as monitor::GuestWish names it, and where.
struct GuestUndo {
    std::string wish;
    std::string vm;  ///< The monitor's path.
    /// Of `restore`: what is to be as it was, as monitor::GuestTask has it.
    std::string before{};
    friend bool operator==(const GuestUndo&, const GuestUndo&) = default;
};

/// "wake the guest of /run/vm.qmp", "end the job mirror-disk0 of /run/vm.qmp".
[[nodiscard]] std::string describe(const GuestUndo& undo);

/// One thing to undo: in the kernel, at a guest, or a file that holds a secret.
struct Entry {
    UndoId id;
    UndoKind kind = UndoKind::hold;
    std::string place;  ///< The namespace, as it was named.
    std::string space;  ///< Its identity.
    net::Undo undo;
    std::optional<GuestUndo> guest;  ///< Then there is no place, space or undo.
    std::string secret{};            ///< The path of the file; else empty.
    friend bool operator==(const Entry&, const Entry&) = default;
};

/// Each kind of it, in words.
[[nodiscard]] std::string describe(const Entry& entry);

/// What a journal says, read.
struct Remains {
    Header header;  ///< Empty when its owner was gone before it was written.
    bool committed = false;
    /// The monitor of a QEMU that waited for a guest until that could be the only one; or empty.
    std::string handed_over;
    std::vector<Entry> entries;  ///< Not yet undone, in the order in which they were written.
    std::uint64_t last = 0;      ///< The highest number that was given out.
    bool cut = false;            ///< Its last line is not complete.
};

/// An error names the line. LIMIT: journal_max bytes, which the reader of the file sees to.
[[nodiscard]] Result<Remains> read_journal(std::string_view bytes);

class Journal {
public:
    /// Makes the file and writes the header. When that fails there is no file.
    [[nodiscard]] static Result<std::unique_ptr<Journal>> begin(ports::Files& files,
                                                                const std::string& path,
                                                                const Header& header);
    /// Goes on with one that was read and is ours now.
    Journal(std::unique_ptr<ports::OwnedFile> file, const Remains& remains);
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    ~Journal() = default;

    /// Written in one piece: all of them, or none.
    [[nodiscard]] Result<std::vector<UndoId>> will_undo(UndoKind kind, const std::string& place,
                                                        const std::string& space,
                                                        const std::vector<net::Undo>& undos);
    /// Before anything is done to the guest.
    [[nodiscard]] Result<UndoId> will_undo(const GuestUndo& undo);
    /// Before the file is made.
    [[nodiscard]] Result<UndoId> will_forget(const std::string& secret);
    /// They are not open any more, even when that cannot be written: to undo them once more does
    /// nothing.
    [[nodiscard]] Result<void> undone(const std::vector<UndoId>& ids);
    /// It must not be undone any more: an error means that it would be, by whoever recovers.
    [[nodiscard]] Result<void> dropped(UndoId id);
    /// From here on entries of the kind `undo` are void; not when it cannot be written.
    [[nodiscard]] Result<void> commit();
    /// Nothing is left to do.
    [[nodiscard]] bool is_empty() const noexcept { return open_.empty(); }
    [[nodiscard]] Result<void> remove();

private:
    struct Open {
        UndoId id;
        UndoKind kind;
    };
    [[nodiscard]] Result<void> append(std::string lines);
    [[nodiscard]] Result<UndoId> write(Entry entry);

    std::unique_ptr<ports::OwnedFile> file_;
    std::vector<Open> open_;
    std::uint64_t last_ = 0;
    bool cut_ = false;
};

}  // namespace ktm::host
