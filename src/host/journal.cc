// SPDX-License-Identifier: Apache-2.0
// host/journal.cc: the lines of a journal, written and read.
#include "host/journal.hh"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "json/parser.hh"
#include "json/writer.hh"

namespace ktm::host {

namespace {

/// No whole line ends so: the last braces of a `do` are two.
constexpr std::string_view cut_mark = "{\"cut\":true}";
constexpr std::size_t name_bytes_max = 64;

// --- Writing ------------------------------------------------------------------------------------

std::string_view name_of(UndoKind kind) noexcept {
    return kind == UndoKind::hold ? "hold" : "undo";
}

std::string line_of(json::ObjectWriter&& object) {
    return std::move(object).finish() + "\n";
}

std::string header_line(const Header& header) {
    json::ObjectWriter object;
    object.text("katamaran", header.version)
        .text("run", header.run)
        .text("vm", header.vm)
        .text("plan", header.plan)
        .text("role", header.role)
        .text("boot", header.boot)
        .text("began", header.began);
    return line_of(std::move(object));
}

std::string do_line(const Entry& entry) {
    json::ObjectWriter object;
    object.integer("do", static_cast<std::int64_t>(entry.id.value))
        .text("kind", name_of(entry.kind));
    if (entry.guest) {
        object.text("guest", entry.guest->wish).text("vm", entry.guest->vm);
        if (!entry.guest->before.empty()) {
            object.json("before", entry.guest->before);
        }
    } else if (!entry.secret.empty()) {
        object.text("secret", entry.secret);
    } else {
        object.text("in", entry.place)
            .text("space", entry.space)
            .json("undo", net::to_json(entry.undo));
    }
    return line_of(std::move(object));
}

std::string done_line(UndoId id, bool dropped = false) {
    json::ObjectWriter object;
    object.integer("done", static_cast<std::int64_t>(id.value));
    if (dropped) {
        object.boolean("dropped", true);
    }
    return line_of(std::move(object));
}

// --- Reading ------------------------------------------------------------------------------------

Error misread(std::size_t line, std::string what) {
    return Error{Kind::invalid, "bad-journal", "line " + std::to_string(line) + ": " + what,
                 "read a journal", nullptr};
}

struct Line {
    std::size_t number = 0;
    json::Document document;
};

/// The lines that are whole; `cut` says whether there is one more that is not.
Result<std::vector<Line>> whole_lines_of(std::string_view bytes, bool& cut) {
    std::vector<Line> lines;
    json::Parser parser;
    for (std::size_t number = 1; !bytes.empty(); ++number) {
        const std::size_t end = bytes.find('\n');
        const std::string_view text = bytes.substr(0, end);
        if (end == std::string_view::npos) {
            cut = true;
            break;
        }
        bytes.remove_prefix(end + 1);
        if (text.ends_with(cut_mark)) {
            continue;
        }
        Result<json::Document> document = parser.parse(text);
        if (!document || !document->root().is_object()) {
            return misread(number, document ? "expected an object" : document.error().what);
        }
        lines.push_back(Line{number, std::move(*document)});
    }
    return lines;
}

Result<std::string> text_of(const json::View& object, std::string_view key, std::size_t line) {
    const std::optional<std::string_view> text = object.find_string(key);
    if (!text) {
        return misread(line, "expected a text '" + std::string{key} + "'");
    }
    return std::string{*text};
}

Result<Header> header_of(const Line& line) {
    const json::View object = line.document.root();
    Header header;
    const std::array<std::pair<std::string_view, std::string*>, 7> fields{{
        {"katamaran", &header.version},
        {"run", &header.run},
        {"vm", &header.vm},
        {"plan", &header.plan},
        {"role", &header.role},
        {"boot", &header.boot},
        {"began", &header.began},
    }};
    for (const auto& [key, value] : fields) {
        Result<std::string> text = text_of(object, key, line.number);
        if (!text) {
            return std::move(text).error();
        }
        *value = std::move(*text);
    }
    return header;
}

Result<UndoId> id_of(const json::View& value, std::size_t line) {
    const std::optional<std::uint64_t> number = value.as_uint();
    if (!number || *number == 0) {
        return misread(line, "expected the number of an undo");
    }
    return UndoId{*number};
}

Result<Entry> guest_entry_of(const json::View& object, Entry entry, std::size_t line) {
    Result<std::string> wish = text_of(object, "guest", line);
    Result<std::string> vm = text_of(object, "vm", line);
    if (!wish || !vm) {
        return Error{wish ? vm.error() : wish.error()};
    }
    // What is not known must not be taken for something else.
    constexpr std::array<std::string_view, 4> known{"wake", "end", "see", "restore"};
    if (std::find(known.begin(), known.end(), *wish) == known.end()) {
        return misread(line, "'" + *wish + "' is no undo of a guest; a newer katamaran wrote it");
    }
    const std::optional<json::View> before = object.find("before");
    entry.guest = GuestUndo{std::move(*wish), std::move(*vm), before ? json::compact(*before) : ""};
    return entry;
}

Result<Entry> kernel_entry_of(const json::View& object, Entry entry, std::size_t line) {
    Result<std::string> place = text_of(object, "in", line);
    Result<std::string> space = text_of(object, "space", line);
    if (!place || !space) {
        return Error{place ? space.error() : place.error()};
    }
    entry.place = std::move(*place);
    entry.space = std::move(*space);
    const std::optional<json::View> undo = object.find("undo");
    if (!undo) {
        return misread(line, "expected an 'undo'");
    }
    Result<net::Undo> read = net::undo_from_json(*undo);
    if (!read) {
        return misread(line, read.error().sentence());
    }
    entry.undo = std::move(*read);
    return entry;
}

Result<Entry> entry_of(const json::View& object, UndoId id, std::size_t line) {
    const Result<std::string> kind = text_of(object, "kind", line);
    if (!kind) {
        return Error{kind.error()};
    }
    if (*kind != "hold" && *kind != "undo") {
        return misread(line, "'" + *kind + "' is no kind of undo; expected hold or undo");
    }
    Entry entry;
    entry.id = id;
    entry.kind = *kind == "hold" ? UndoKind::hold : UndoKind::undo;
    if (object.find("secret")) {
        Result<std::string> path = text_of(object, "secret", line);
        if (!path) {
            return std::move(path).error();
        }
        entry.secret = std::move(*path);
        return entry;
    }
    return object.find("guest") ? guest_entry_of(object, std::move(entry), line)
                                : kernel_entry_of(object, std::move(entry), line);
}

bool ends_qemu(const Entry& entry) {
    return entry.guest && entry.guest->wish == "end";
}

/// A QEMU that must not be ended any more may have the guest.
void hand_over(const Entry& entry, Remains& remains) {
    if (ends_qemu(entry)) {
        remains.handed_over = entry.guest->vm;
    }
}

/// One that is to be ended again has not got it: that was said by who had it. Behind the commit
/// nobody ends it any more.
void take_back(const Entry& entry, Remains& remains) {
    if (!remains.committed && ends_qemu(entry) && remains.handed_over == entry.guest->vm) {
        remains.handed_over.clear();
    }
}

Result<void> take(const Line& line, Remains& remains) {
    const json::View object = line.document.root();
    if (const std::optional<json::View> done = object.find("done")) {
        Result<UndoId> id = id_of(*done, line.number);
        if (!id || id->value > remains.last) {
            return id ? misread(line.number, "what was done was never to be done") : id.error();
        }
        const auto there = std::find_if(remains.entries.rbegin(), remains.entries.rend(),
                                        [&](const Entry& entry) { return entry.id == *id; });
        if (there != remains.entries.rend()) {
            if (object.find("dropped")) {
                hand_over(*there, remains);
            }
            remains.entries.erase(std::next(there).base());
        }
        return {};
    }
    if (object.find("committed")) {
        remains.committed = true;
        for (const Entry& entry : remains.entries) {
            hand_over(entry, remains);
        }
        return {};
    }
    const std::optional<json::View> number = object.find("do");
    if (!number) {
        return misread(line.number,
                       "neither 'do' nor 'done' nor 'committed'; a newer katamaran "
                       "has written it");
    }
    Result<UndoId> id = id_of(*number, line.number);
    if (!id || id->value <= remains.last) {
        return id ? misread(line.number, "the numbers do not grow") : id.error();
    }
    Result<Entry> entry = entry_of(object, *id, line.number);
    if (!entry) {
        return std::move(entry).error();
    }
    take_back(*entry, remains);
    remains.last = id->value;
    remains.entries.push_back(std::move(*entry));
    return {};
}

bool is_plain(char character) noexcept {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '-' || character == '_' ||
           character == '.';
}

/// A run's name as it goes into paths and aliases: what does not fit there is replaced by a digest.
std::string run_name(const std::string& run) {
    const bool fits = !run.empty() && run.size() <= name_bytes_max && run.front() != '.' &&
                      std::all_of(run.begin(), run.end(), is_plain);
    return fits ? run : net::digest_of(run);
}

/// "put back the parameters downtime-limit, max-bandwidth".
std::string describe_before(const std::string& before) {
    const Result<json::Document> read = json::parse(before);
    std::string text;
    for (const auto& [key, words] : std::array<std::pair<const char*, const char*>, 5>{{
             {"job", "end the job"},
             {"node", "remove the block node"},
             {"capabilities", "put back the capabilities"},
             {"parameters", "put back the parameters"},
             {"object", "remove the object"},
         }}) {
        const std::optional<json::View> part =
            read ? read->root().find(key) : std::optional<json::View>{};
        if (!part) {
            continue;
        }
        text += (text.empty() ? "" : " and ") + std::string{words};
        text += part->is_string() ? " " + std::string{*part->as_string()} : "";
        const char* between = " ";
        for (const json::View::Field field : part->fields()) {
            text += std::exchange(between, ", ") + std::string{field.key};
        }
    }
    return text.empty() ? "put back what was changed" : text;
}

}  // namespace

std::string describe(const GuestUndo& undo) {
    const std::string what = undo.wish == "wake"  ? "wake the guest"
                             : undo.wish == "end" ? "end the QEMU that waits"
                             : undo.wish == "see" ? "look after the guest"
                                                  : describe_before(undo.before);
    return undo.vm.empty() ? what : what + " of " + undo.vm;
}

std::string describe(const Entry& entry) {
    return entry.guest            ? describe(*entry.guest)
           : entry.secret.empty() ? net::describe(entry.undo)
                                  : "remove the key in " + entry.secret;
}

net::Tag tag_of(const Header& header) {
    return net::Tag{run_name(header.run), net::digest_of(header.vm)};
}

std::string journal_path(const std::string& folder, const Header& header, unsigned nth) {
    return folder + "/" + run_name(header.run) + (nth > 1 ? "." + std::to_string(nth) : "") +
           std::string{journal_ending};
}

Result<Remains> read_journal(std::string_view bytes) {
    Remains remains;
    const Result<std::vector<Line>> lines = whole_lines_of(bytes, remains.cut);
    if (!lines) {
        return Error{lines.error()};
    }
    if (lines->empty()) {
        return remains;
    }
    Result<Header> header = header_of(lines->front());
    if (!header) {
        return std::move(header).error();
    }
    remains.header = std::move(*header);
    for (auto line = lines->begin() + 1; line != lines->end(); ++line) {
        KTM_CHECK(take(*line, remains));
    }
    return remains;
}

// --- The journal --------------------------------------------------------------------------------

Result<std::unique_ptr<Journal>> Journal::begin(ports::Files& files, const std::string& path,
                                                const Header& header) {
    Result<std::unique_ptr<ports::OwnedFile>> file = files.make_owned(path);
    if (!file) {
        return std::move(file).error();
    }
    if (Result<void> written = (*file)->append(header_line(header)); !written) {
        (void)(*file)->remove();
        return std::move(written).error();
    }
    return std::make_unique<Journal>(std::move(*file), Remains{});
}

Journal::Journal(std::unique_ptr<ports::OwnedFile> file, const Remains& remains)
    : file_(std::move(file)), last_(remains.last), cut_(remains.cut) {
    for (const Entry& entry : remains.entries) {
        if (!remains.committed || entry.kind == UndoKind::hold) {
            open_.push_back(Open{entry.id, entry.kind});
        }
    }
}

Result<void> Journal::append(std::string lines) {
    if (cut_) {
        lines = std::string{cut_mark} + "\n" + lines;
    }
    KTM_CHECK(file_->append(lines));
    cut_ = false;
    return {};
}

Result<std::vector<UndoId>> Journal::will_undo(UndoKind kind, const std::string& place,
                                               const std::string& space,
                                               const std::vector<net::Undo>& undos) {
    std::vector<UndoId> ids;
    std::string lines;
    for (const net::Undo& undo : undos) {
        ids.push_back(UndoId{last_ + ids.size() + 1});
        lines += do_line(Entry{ids.back(), kind, place, space, undo});
    }
    if (ids.empty()) {
        return ids;
    }
    KTM_CHECK(append(std::move(lines)));
    last_ = ids.back().value;
    for (const UndoId id : ids) {
        open_.push_back(Open{id, kind});
    }
    return ids;
}

Result<UndoId> Journal::will_undo(const GuestUndo& undo) {
    Entry entry;
    entry.kind = UndoKind::undo;
    entry.guest = undo;
    return write(std::move(entry));
}

Result<UndoId> Journal::will_forget(const std::string& secret) {
    Entry entry;
    entry.secret = secret;
    return write(std::move(entry));
}

Result<UndoId> Journal::write(Entry entry) {
    entry.id = UndoId{last_ + 1};
    KTM_CHECK(append(do_line(entry)));
    last_ = entry.id.value;
    open_.push_back(Open{entry.id, entry.kind});
    return entry.id;
}

Result<void> Journal::undone(const std::vector<UndoId>& ids) {
    std::string lines;
    for (const UndoId id : ids) {
        // The newest are undone first.
        const auto there = std::find_if(open_.rbegin(), open_.rend(),
                                        [&](const Open& open) { return open.id == id; });
        if (there != open_.rend()) {
            open_.erase(std::next(there).base());
            lines += done_line(id);
        }
    }
    return lines.empty() ? Result<void>{} : append(std::move(lines));
}

Result<void> Journal::dropped(UndoId id) {
    const auto there =
        std::find_if(open_.begin(), open_.end(), [&](const Open& open) { return open.id == id; });
    if (there != open_.end()) {
        KTM_CHECK(append(done_line(id, true)));
        open_.erase(there);
    }
    return {};
}

Result<void> Journal::commit() {
    KTM_CHECK(append("{\"committed\":true}\n"));
    std::erase_if(open_, [](const Open& open) { return open.kind == UndoKind::undo; });
    return {};
}

Result<void> Journal::remove() {
    return file_->remove();
}

}  // namespace ktm::host
