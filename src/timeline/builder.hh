// SPDX-License-Identifier: Apache-2.0
// timeline/builder.hh: a timeline from the records of one run, or of both of its sides.
//
// Theory of operation. Each source is one recording. Its records go in one by one and nothing of
// them is kept but what will be drawn, so that a recording may be of any length. What no word is
// known for is passed over, or kept as a minor mark. Times that go backwards are taken as the time
// before, and a note says so; so is all that a reader must know before he believes the rest.
//
// A source is called by the role of its plan; without a plan by what its QEMU did: who migrates is
// the source, who waits for a guest the destination. If there is a QEMU of either kind, they have
// one guest in common; any other QEMU has its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "timeline/timeline.hh"
#include "trace/record.hh"

namespace ktm::timeline {

class SourceStory;

class Builder {
public:
    Builder();
    ~Builder();
    Builder(Builder&&) noexcept;
    Builder& operator=(Builder&&) noexcept;

    /// Begins a source; what follows is its. The offset is added to all of its times; the name is
    /// for one that does not say what it is.
    void begin_source(std::string name, Duration offset = {});
    void take(const trace::Record& record);
    /// Something that a reader must know.
    void note(std::string text) { notes_.push_back(std::move(text)); }
    /// What it is called if no plan has a name for it.
    void call(std::string title) { title_ = std::move(title); }
    /// The civil time of the zero, in the form of a trace's header.
    void began(std::string time) { began_ = std::move(time); }

    [[nodiscard]] Timeline finish() &&;

private:
    std::vector<std::unique_ptr<SourceStory>> sources_;
    std::vector<std::string> notes_;
    std::optional<std::string> began_;
    std::string title_;
};

/// All records of one side of a run.
struct Source {
    std::string name;  ///< "source", "dest".
    std::vector<trace::Record> records;
    Duration offset{};  ///< Added to all times.
};

[[nodiscard]] Timeline build(const std::vector<Source>& sources);

}  // namespace ktm::timeline
