// SPDX-License-Identifier: Apache-2.0
// host/stepping.cc: the steps to something that is wanted, carried out in order.
#include "host/stepping.hh"

#include <utility>

#include "host/turns.hh"

namespace ktm::host {

namespace {

struct Course {
    Namespace& space;
    std::shared_ptr<const net::Steps> steps;
    UniqueFunction<bool()> go_on;
    UniqueFunction<void(Stepped)> done;
    std::size_t sent = 0;
    std::vector<bool> touched;  ///< By step: it was carried out, or may have been.
    std::optional<Error> error;
};

/// The requests of the next message.
net::Requests next_message(const net::Steps& steps, std::size_t from) {
    net::Requests requests;
    for (std::size_t at = from; at < steps.size(); ++at) {
        requests.push_back(steps[at].request);
        if (!steps[at].with_next) {
            break;
        }
    }
    return requests;
}

/// A step without an undo is taken back by that of an earlier one.
Stepped stepped(Course& course) {
    const net::Steps& steps = *course.steps;
    Stepped result;
    result.error = std::move(course.error);
    std::size_t place = 0;
    for (std::size_t at = 0; at < steps.size(); ++at) {
        if (!steps[at].undo) {
            continue;
        }
        bool touched = false;
        for (std::size_t of = at; of < steps.size() && (of == at || !steps[of].undo); ++of) {
            touched = touched || (of < course.touched.size() && course.touched[of]);
        }
        if (touched) {
            result.undos.push_back(*steps[at].undo);
            result.places.push_back(place);
        }
        ++place;
    }
    return result;
}

void note(Course& course, ports::Network::Outcome outcome) {
    for (Result<net::Answer>& one : outcome) {
        course.touched.push_back(one.has_value() || is_unknown(one.error()));
        if (!one && !course.error) {
            course.error = std::move(one).error();
        }
    }
}

}  // namespace

std::vector<net::Undo> undos_of(const net::Steps& steps) {
    std::vector<net::Undo> undos;
    for (const net::Step& step : steps) {
        if (step.undo) {
            undos.push_back(*step.undo);
        }
    }
    return undos;
}

void carry_out(Namespace& space, std::shared_ptr<const net::Steps> steps,
               UniqueFunction<bool()> go_on, UniqueFunction<void(Stepped)> done) {
    auto course = std::make_shared<Course>(
        Course{space, std::move(steps), std::move(go_on), std::move(done), 0, {}, {}});
    Turns::take([course](Turns::Next next) {
        const bool is_over = course->error || course->sent == course->steps->size();
        if (!is_over && !course->go_on()) {
            course->error = Error{Kind::cancelled, "given-back",
                                  "it was given back while it was being made", "", nullptr};
        }
        if (is_over || course->error) {
            course->done(stepped(*course));
            return;
        }
        net::Requests message = next_message(*course->steps, course->sent);
        course->sent += message.size();
        course->space.send(std::move(message), [course, next = std::move(next)](
                                                   ports::Network::Outcome outcome) mutable {
            note(*course, std::move(outcome));
            next();
        });
    });
}

}  // namespace ktm::host
