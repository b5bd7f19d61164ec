// SPDX-License-Identifier: Apache-2.0
// trace/record.cc: the names of the directions.
#include "trace/record.hh"

namespace ktm::trace {

std::string_view name_of(Direction direction) noexcept {
    switch (direction) {
        case Direction::in: return "in";
        case Direction::out: return "out";
        case Direction::open: return "open";
        case Direction::eof: return "eof";
        case Direction::note: return "note";
    }
    return "unknown";
}

std::optional<Direction> direction_of(std::string_view name) noexcept {
    for (const Direction direction :
         {Direction::in, Direction::out, Direction::open, Direction::eof, Direction::note}) {
        if (name_of(direction) == name) {
            return direction;
        }
    }
    return std::nullopt;
}

}  // namespace ktm::trace
