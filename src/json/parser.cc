// SPDX-License-Identifier: Apache-2.0
// json/parser.cc: simdjson's tape, taken over as a Document.
//
// Theory of operation. simdjson reads and checks the whole text and leaves its tape, which a
// Document takes over: nothing is copied, and the memory is used again when the Document is gone.
// Where duplicate keys are refused, which simdjson does not mind, one walk looks for them. What
// simdjson refuses is read again by the slow reader of grammar.hh: that knows the place and the
// reason, and takes what simdjson cannot hold, numbers beyond 64 bits.
//
// Not its on-demand reader: it checks only what is asked for, and in version 3.0 it reads doubles
// of 19 digits as zero and accepts "nullx".
#include "json/parser.hh"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.hh"
#include "json/grammar.hh"

namespace ktm::json {

static_assert(padding_bytes >= simdjson::SIMDJSON_PADDING);

namespace {

/// Room for a message of the usual size; the parser grows when a larger one comes.
constexpr std::size_t first_capacity = 4096;

/// The keys of one object; few of them are compared each with each, which needs no memory.
bool has_key_twice(const View& object) {
    constexpr std::size_t few = 8;
    if (object.size() <= few) {
        std::array<std::string_view, few> keys;
        auto end = keys.begin();
        for (const View::Field field : object.fields()) {
            if (std::find(keys.begin(), end, field.key) != end) {
                return true;
            }
            *end++ = field.key;
        }
        return false;
    }
    std::vector<std::string_view> keys;
    for (const View::Field field : object.fields()) {
        keys.push_back(field.key);
    }
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

/// Whether no object in the value has a key twice.
bool has_unique_keys(const View& value) {
    bool unique = !value.is_object() || !has_key_twice(value);
    for (const View::Field field : value.fields()) {
        unique = unique && has_unique_keys(field.value);
    }
    for (const View item : value.items()) {
        unique = unique && has_unique_keys(item);
    }
    return unique;
}

/// Whether memory is used again; with the address sanitizer it is not, so that a view which
/// outlives its document is seen.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool uses_again = false;
#elif defined(__has_feature)
constexpr bool uses_again = !__has_feature(address_sanitizer);
#else
constexpr bool uses_again = true;
#endif

/// LIMIT: documents of a thread that wait to be used again, and the largest of them: a schema is
/// not.
constexpr std::size_t store_max = 16;
constexpr std::size_t stored_bytes_max = 16384;

/// Tapes that nobody looks at any more. A message lives for a moment; without the store most of the
/// time of a small one would go into malloc.
class Store {
public:
    std::unique_ptr<simdjson::dom::document> take() {
        if (waiting_.empty()) {
            return std::make_unique<simdjson::dom::document>();
        }
        std::unique_ptr<simdjson::dom::document> tape = std::move(waiting_.back());
        waiting_.pop_back();
        return tape;
    }

    void give_back(std::unique_ptr<simdjson::dom::document> tape) {
        if (uses_again && waiting_.size() < store_max && tape->capacity() <= stored_bytes_max) {
            waiting_.push_back(std::move(tape));
        }
    }

private:
    std::vector<std::unique_ptr<simdjson::dom::document>> waiting_;
};

/// Never destroyed: a static document may be given back after everything else of the thread is
/// gone.
Store& store() {
    static thread_local Store& leaked = *new Store;
    return leaked;
}

Keeper kept(std::unique_ptr<simdjson::dom::document> tape) {
    return Keeper{tape.release(), [](void* memory) noexcept {
                      store().give_back(std::unique_ptr<simdjson::dom::document>{
                          static_cast<simdjson::dom::document*>(memory)});
                  }};
}

}  // namespace

struct Parser::Engine {
    simdjson::dom::parser parser;
    Rules rules;
    std::string padded;
};

Parser::Parser(Rules rules) : engine_(std::make_unique<Engine>()) {
    engine_->rules = rules;
    const auto fault = engine_->parser.allocate(first_capacity, rules.levels_max);
    KTM_ASSERT(fault == simdjson::SUCCESS);
}
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;
Parser::~Parser() = default;

Result<Document> Parser::parse(std::string_view text) {
    engine_->padded.assign(text);
    engine_->padded.append(padding_bytes, '\0');
    return parse_in_place(std::string_view{engine_->padded}.substr(0, text.size()));
}

Result<Document> Parser::parse_in_place(std::string_view padded_text) {
    std::unique_ptr<simdjson::dom::document> tape = store().take();
    const auto fault =
        engine_->parser.parse_into_document(*tape, padded_text.data(), padded_text.size(), false)
            .error();
    const std::uint64_t* words = tape->tape.get();
    const void* strings = tape->string_buf.get();
    Document document{words, static_cast<const char*>(strings), kept(std::move(tape))};
    const bool refused = fault != simdjson::SUCCESS ||
                         (engine_->rules.keys == Keys::unique && !has_unique_keys(document.root()));
    return refused ? read_slowly(padded_text, engine_->rules) : std::move(document);
}

Result<Document> parse(std::string_view text) {
    if (!uses_again || text.size() > stored_bytes_max) {
        return Parser{}.parse(text);
    }
    // Never destroyed, as the store.
    static thread_local Parser& kept_parser = *new Parser;
    return kept_parser.parse(text);
}

}  // namespace ktm::json
