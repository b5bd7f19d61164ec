// SPDX-License-Identifier: Apache-2.0
// tests/harness/reporter.hh: Catch2 results as TAP, one line a test case.
#pragma once

#include <catch2/catch.hpp>

#include <string>
#include <vector>

/// Catch2's own TAP reporter prints a line for every assertion; a claim is a test case.
class CaseTapReporter : public Catch::StreamingReporterBase<CaseTapReporter> {
public:
    using StreamingReporterBase::StreamingReporterBase;

    static std::string getDescription() { return "TAP, one line a test case"; }

    void assertionStarting(const Catch::AssertionInfo&) override {}

    bool assertionEnded(const Catch::AssertionStats& stats) override {
        const Catch::AssertionResult& result = stats.assertionResult;
        if (result.getResultType() == Catch::ResultWas::Warning) {
            // WARN("skipped: …") is how a test says that it cannot be carried out here.
            const std::string said{result.getMessage()};
            const bool is_skip = said.rfind("skipped: ", 0) == 0;
            skip_ = is_skip ? " # SKIP " + said.substr(9) : skip_;
            note(said);
        }
        if (!result.isOk()) {
            note(std::string(result.getSourceInfo().file) + ":" +
                 std::to_string(result.getSourceInfo().line) + ": " + result.getExpression());
            note("    with " + result.getExpandedExpression());
            note("    " + std::string(result.getMessage()));
            for (const Catch::MessageInfo& info : stats.infoMessages) {
                note("    " + info.message);
            }
        }
        return true;
    }

    void testCaseEnded(const Catch::TestCaseStats& stats) override {
        StreamingReporterBase::testCaseEnded(stats);
        for (const std::string& line : notes_) {
            stream << "# " << line << '\n';
        }
        notes_.clear();
        const bool passed = stats.totals.assertions.allOk();
        stream << (passed ? "ok " : "not ok ") << ++count_ << ' ' << stats.testInfo.name
               << (passed ? skip_ : "") << std::endl;
        skip_.clear();
    }

    void testRunEnded(const Catch::TestRunStats& stats) override {
        StreamingReporterBase::testRunEnded(stats);
        stream << "1.." << count_ << std::endl;
    }

private:
    void note(const std::string& text) {
        std::size_t begin = 0;
        while (begin <= text.size()) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            notes_.push_back(text.substr(begin, end - begin));
            begin = end + 1;
        }
    }

    std::vector<std::string> notes_;
    std::string skip_;
    std::size_t count_ = 0;
};
