// SPDX-License-Identifier: Apache-2.0
// sim/virtual_files.cc: the Files port in memory.
#include "sim/virtual_files.hh"

#include <cerrno>
#include <set>
#include <utility>

namespace ktm::sim {

namespace {

/// As the real port reads.
constexpr std::size_t read_bytes = 65536;

/// What the paths of a folder's files begin with.
std::string inside_of(const std::string& folder) {
    return folder.ends_with('/') ? folder : folder + "/";
}

}  // namespace

/// LIFETIME: ends before the files that it appends to.
class VirtualFiles::VirtualSpool final : public ports::Spool {
public:
    VirtualSpool(std::string& content, ports::Filter filter)
        : content_(content), filter_(std::move(filter)) {}
    ~VirtualSpool() override { (void)close(nullptr); }

    void append(std::string_view bytes) override {
        if (filter_) {
            content_ += filter_(bytes, false);
        }
    }

    Result<void> close(UniqueFunction<void()>) override {
        if (filter_) {
            content_ += filter_("", true);
            filter_ = nullptr;
        }
        return {};
    }

private:
    std::string& content_;
    ports::Filter filter_;
};

/// LIFETIME: ends before the files that it belongs to.
class VirtualFiles::VirtualOwned final : public ports::OwnedFile {
public:
    VirtualOwned(VirtualFiles& files, std::string path, std::uint64_t number)
        : files_(files), path_(std::move(path)), number_(number) {}
    ~VirtualOwned() override {
        const auto owner = files_.owners_.find(path_);
        if (owner != files_.owners_.end() && owner->second == number_) {
            files_.owners_.erase(owner);
        }
    }

    Result<void> append(std::string_view bytes) override {
        // What was removed is still ours to write to, and nobody's to read.
        return removed_ ? Result<void>{} : files_.append_to(path_, bytes);
    }

    Result<std::string> read(Bytes size_max) override { return files_.read(path_, size_max); }

    Result<void> remove() override {
        if (files_.life_ != nullptr && !files_.life_->act()) {
            return system_error(EIO, "remove " + path_);
        }
        removed_ = true;
        if (files_.files_.erase(path_) == 0) {
            return system_error(ENOENT, "remove " + path_);
        }
        return {};
    }

private:
    VirtualFiles& files_;
    std::string path_;
    std::uint64_t number_;
    bool removed_ = false;
};

bool VirtualFiles::is_folder(const std::string& path) const {
    const std::string inside = inside_of(path);
    const auto next = files_.lower_bound(inside);
    return next != files_.end() && next->first.starts_with(inside);
}

Result<std::vector<std::string>> VirtualFiles::list(const std::string& folder) {
    if (!is_folder(folder)) {
        const int fault = files_.contains(folder) ? ENOTDIR : ENOENT;
        return system_error(fault, "read the folder " + folder);
    }
    const std::string inside = inside_of(folder);
    std::set<std::string> names;
    for (auto file = files_.lower_bound(inside);
         file != files_.end() && file->first.starts_with(inside); ++file) {
        const std::string below = file->first.substr(inside.size());
        names.insert(below.substr(0, below.find('/')));
    }
    return std::vector<std::string>{names.begin(), names.end()};
}

Result<void> VirtualFiles::read_pieces(const std::string& path,
                                       UniqueFunction<bool(std::string_view)> piece) {
    const auto found = files_.find(path);
    if (found == files_.end()) {
        return is_folder(path) ? system_error(EISDIR, "read " + path)
                               : system_error(ENOENT, "open " + path);
    }
    // A copy: the reader may write the file meanwhile.
    const std::string content = found->second;
    for (std::size_t at = 0; at < content.size(); at += read_bytes) {
        if (!piece(std::string_view{content}.substr(at, read_bytes))) {
            break;
        }
    }
    return {};
}

Result<std::string> VirtualFiles::read(const std::string& path, Bytes size_max) {
    std::string content;
    KTM_CHECK(read_pieces(path, [&](std::string_view piece) {
        content += piece;
        return true;
    }));
    if (content.size() > size_max.count) {
        return Error{Kind::invalid, "too-large",
                     "it is larger than " + format_bytes(size_max) + ", the most that is read",
                     "read " + path, nullptr};
    }
    return content;
}

Result<void> VirtualFiles::replace(const std::string& path, std::string_view content) {
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
        const std::string folder = path.substr(0, slash);
        if (files_.contains(folder)) {
            return system_error(ENOTDIR, "make the folder " + path.substr(0, path.rfind('/')));
        }
    }
    if (is_folder(path)) {
        return system_error(EISDIR, "write " + path);
    }
    files_[path] = content;
    return {};
}

Result<std::unique_ptr<ports::Spool>> VirtualFiles::spool(const std::string& path,
                                                          ports::Filter filter) {
    if (files_.contains(path)) {
        return Error{Kind::usage, "EEXIST",
                     "the file exists, and a recording never overwrites; choose another name or "
                     "remove it",
                     "create " + path, nullptr};
    }
    KTM_CHECK(replace(path, ""));
    return std::unique_ptr<ports::Spool>{
        std::make_unique<VirtualSpool>(files_[path], std::move(filter))};
}

// --- Owned files --------------------------------------------------------------------------------

std::unique_ptr<ports::OwnedFile> VirtualFiles::own(const std::string& path) {
    owners_[path] = ++last_owner_;
    return std::make_unique<VirtualOwned>(*this, path, last_owner_);
}

Result<std::unique_ptr<ports::OwnedFile>> VirtualFiles::make_owned(const std::string& path) {
    if (files_.contains(path)) {
        return system_error(EEXIST, "create " + path);
    }
    if (life_ != nullptr && life_->is_over()) {
        return system_error(EIO, "create " + path);
    }
    KTM_CHECK(refusal_of(path, ""));
    if (life_ != nullptr && !life_->act()) {
        return system_error(EIO, "create " + path);
    }
    KTM_CHECK(replace(path, ""));
    return own(path);
}

Result<void> VirtualFiles::keep_secret(const std::string& path, std::string_view content) {
    Result<std::unique_ptr<ports::OwnedFile>> file = make_owned(path);
    if (!file) {
        return std::move(file).error();
    }
    Result<void> written = (*file)->append(content);
    if (!written) {
        (void)(*file)->remove();
    }
    return written;
}

Result<bool> VirtualFiles::forget_secret(const std::string& path) {
    if (!files_.contains(path)) {
        return false;
    }
    if (life_ != nullptr && !life_->act()) {
        return system_error(EIO, "remove " + path);
    }
    files_.erase(path);
    return true;
}

Result<std::unique_ptr<ports::OwnedFile>> VirtualFiles::take_over(const std::string& path) {
    if (!files_.contains(path)) {
        return system_error(ENOENT, "take over " + path);
    }
    if (owners_.contains(path)) {
        return Error{Kind::refused, "busy", "its owner lives", "take over " + path, nullptr};
    }
    return own(path);
}

Result<void> VirtualFiles::refusal_of(const std::string& path, std::string_view bytes) {
    const std::string intent = (bytes.empty() ? "create " : "write to ") + path;
    if (const int error = judge_ ? judge_(path, bytes) : 0; error != 0) {
        return system_error(error, intent);
    }
    if (refusal_ && refusal_->after <= 1) {
        return system_error(refusal_->error, intent);
    }
    if (refusal_) {
        --refusal_->after;
    }
    return {};
}

Result<void> VirtualFiles::append_to(const std::string& path, std::string_view bytes) {
    if (life_ != nullptr && life_->is_over()) {
        return system_error(EIO, "write to " + path);
    }
    KTM_CHECK(refusal_of(path, bytes));
    // Whoever judges may have ended this life.
    if (life_ != nullptr && !life_->act()) {
        return system_error(EIO, "write to " + path);
    }
    const bool last = life_ != nullptr && life_->is_over();
    files_[path] += torn_ && last ? bytes.substr(0, bytes.size() / 2) : bytes;
    return {};
}

Result<bool> VirtualFiles::is_in_memory(const std::string& folder) {
    for (const std::string& disk : disks_) {
        if (folder == disk || folder.starts_with(inside_of(disk))) {
            return false;
        }
    }
    return true;
}

void VirtualFiles::disown() {
    owners_.clear();
}

}  // namespace ktm::sim
