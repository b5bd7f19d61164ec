// SPDX-License-Identifier: Apache-2.0
// script/api.cc: every word of the plan language, described once.
#include "script/api.hh"

#include <algorithm>
#include <map>

#include "script/api_topics.hh"

namespace ktm::script {

std::span<const Word> all_words() {
    static const std::vector<Word> words = [] {
        std::vector<Word> all;
        for (const Topic& topic : all_topics()) {
            all.insert(all.end(), topic.words.begin(), topic.words.end());
        }
        return all;
    }();
    return words;
}

const std::vector<std::string>& global_words() {
    static const std::vector<std::string> words = [] {
        std::vector<std::string> roots;
        for (const Topic& topic : all_topics()) {
            for (const Word& word : topic.words) {
                std::string root{root_of(word.name)};
                if (topic.is_global && std::find(roots.begin(), roots.end(), root) == roots.end()) {
                    roots.push_back(std::move(root));
                }
            }
        }
        return roots;
    }();
    return words;
}

const std::vector<std::string>& fields_of(std::string_view word) {
    using Fields = std::map<std::string_view, std::vector<std::string>>;
    static const Fields all = [] {
        Fields fields;
        for (const Topic& topic : all_topics()) {
            for (const Word& each : topic.words) {
                if (topic.is_global && root_of(each.name) != each.name) {
                    fields[root_of(each.name)].emplace_back(field_of(each.name));
                }
            }
        }
        return fields;
    }();
    static const std::vector<std::string> none;
    const auto found = all.find(word);
    return found == all.end() ? none : found->second;
}

}  // namespace ktm::script
