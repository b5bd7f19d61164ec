// SPDX-License-Identifier: Apache-2.0
// sim/virtual_network.cc: the Networks port over simulated kernels, with faults on demand.
#include "sim/virtual_network.hh"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

#include "base/assert.hh"

namespace ktm::sim {

namespace {

/// As the real port: what a guard can send in one message.
constexpr std::size_t guard_requests_max = 16;
/// As inode numbers of namespaces look.
constexpr std::uint32_t first_space = 4026531840;

}  // namespace

/// Who hears changes. LIFETIME: owned by its watch; what is on its way to it holds it weakly.
struct VirtualNetworks::Ear {
    ports::Network::Handlers handlers;
};

struct VirtualNetworks::Space {
    std::string identity;
    VirtualKernel kernel;
    std::vector<std::weak_ptr<Ear>> ears;
};

/// What a guard stands ready for. It outlives the guard when the process is dead.
struct VirtualNetworks::Guarded {
    std::shared_ptr<Space> space;
    net::Requests requests;
    bool armed = false;
    bool has_acted = false;
    std::unique_ptr<ports::Timer> timer;
};

class VirtualNetworks::VirtualWatch final : public Pinned {
public:
    explicit VirtualWatch(std::shared_ptr<Ear> ear) : ear_(std::move(ear)) {}

private:
    std::shared_ptr<Ear> ear_;
};

class VirtualNetworks::VirtualGuard final : public ports::Guard {
public:
    VirtualGuard(VirtualNetworks& networks, std::shared_ptr<Guarded> guarded)
        : networks_(networks), guarded_(std::move(guarded)) {}
    /// The dead send nobody home.
    ~VirtualGuard() override {
        if (!networks_.life_.is_over()) {
            try {
                networks_.act(*guarded_);
            } catch (const std::bad_variant_access&) {
                KTM_ASSERT(false);  // a request is always one of its kinds
            }
            guarded_->armed = false;
            guarded_->timer = nullptr;
            std::erase(networks_.guards_, guarded_);
        }
    }

    Result<void> arm(Duration within) override {
        if (networks_.life_.is_over()) {
            return system_error(EPIPE, "arm the guard");
        }
        if (guarded_->has_acted) {
            return Error{Kind::refused, "acted", "the guard has acted already", "arm the guard",
                         nullptr};
        }
        guarded_->armed = true;
        guarded_->timer = networks_.clock_.arm(
            within, [&networks = networks_, guarded = std::weak_ptr<Guarded>{guarded_}] {
                if (const std::shared_ptr<Guarded> there = guarded.lock()) {
                    networks.act(*there);
                }
            });
        return {};
    }

    bool disarm() override {
        if (networks_.life_.is_over()) {
            return !guarded_->has_acted;
        }
        guarded_->armed = false;
        guarded_->timer = nullptr;
        return !guarded_->has_acted;
    }

private:
    VirtualNetworks& networks_;
    std::shared_ptr<Guarded> guarded_;
};

class VirtualNetworks::VirtualNetwork final : public ports::Network {
public:
    VirtualNetwork(VirtualNetworks& networks, std::shared_ptr<Space> space)
        : networks_(networks), space_(std::move(space)) {}

    const std::string& identity() const noexcept override { return space_->identity; }
    void send(net::Requests requests, Answered answered) override;
    Result<std::unique_ptr<Pinned>> watch(Handlers handlers) override;
    Result<void> send_frame(const std::string& link, std::string_view frame) override;
    Result<std::unique_ptr<ports::Guard>> guard(const net::Requests& requests) override;

private:
    struct Awaited {
        Answered answered;
        Outcome outcome;
        std::unique_ptr<ports::Timer> timer;  ///< None: it is never answered.
    };

    VirtualNetworks& networks_;
    std::shared_ptr<Space> space_;
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, Awaited> awaited_;
};

void VirtualNetworks::VirtualNetwork::send(net::Requests requests, Answered answered) {
    Awaited awaited;
    std::optional<Duration> delay = networks_.delay_;
    bool lost = false;
    for (const net::Request& request : requests) {
        using Effect = NetworkFault::Effect;
        // ORDER: before the act, for whoever judges may end this life.
        const std::optional<NetworkFault> judged = networks_.judgement_on(request);
        if (!networks_.life_.act()) {
            lost = true;
            break;
        }
        const NetworkFault fault = judged.value_or(
            NetworkFault{Effect::delay_answer, 0, delay.value_or(Duration::zero())});
        lost = lost || fault.effect == Effect::lose_request || fault.effect == Effect::lose_answer;
        if (fault.effect == Effect::refuse) {
            awaited.outcome.emplace_back(system_error(fault.error, net::describe(request)));
        } else if (fault.effect != Effect::lose_request) {
            awaited.outcome.push_back(space_->kernel.apply(request));
        }
        if (fault.effect == Effect::delay_answer && fault.delay > Duration::zero()) {
            delay = std::max(delay.value_or(Duration::zero()), fault.delay);
        }
    }
    networks_.tell(*space_);
    // Whoever died in the middle of it does not hear how it went.
    lost = lost || networks_.life_.is_over();
    if (!lost && !delay) {
        answered(std::move(awaited.outcome));
        return;  // LIFETIME: the network may be gone now.
    }
    const std::uint64_t number = ++last_;
    awaited.answered = std::move(answered);
    if (!lost) {
        awaited.timer = networks_.clock_.arm(*delay, [this, number] {
            if (networks_.life_.is_over()) {
                return;
            }
            auto due = awaited_.extract(number);
            due.mapped().answered(std::move(due.mapped().outcome));
        });
    }
    awaited_.emplace(number, std::move(awaited));
}

Result<std::unique_ptr<ports::Pinned>> VirtualNetworks::VirtualNetwork::watch(Handlers handlers) {
    auto ear = std::make_shared<Ear>(Ear{std::move(handlers)});
    std::erase_if(space_->ears, [](const std::weak_ptr<Ear>& old) { return old.expired(); });
    // What changed before is not told to it.
    networks_.tell(*space_);
    space_->ears.push_back(ear);
    return std::unique_ptr<Pinned>{std::make_unique<VirtualWatch>(std::move(ear))};
}

Result<void> VirtualNetworks::VirtualNetwork::send_frame(const std::string& link,
                                                         std::string_view frame) {
    if (!networks_.life_.act()) {
        return system_error(EIO, "send a frame out of " + link);
    }
    return space_->kernel.send_frame(link, frame);
}

Result<std::unique_ptr<ports::Guard>> VirtualNetworks::VirtualNetwork::guard(
    const net::Requests& requests) {
    if (requests.empty() || requests.size() > guard_requests_max) {
        return Error{Kind::usage, "bad-guard",
                     "a guard takes 1 to " + std::to_string(guard_requests_max) + " requests",
                     "set up a guard", nullptr};
    }
    auto guarded = std::make_shared<Guarded>();
    guarded->space = space_;
    guarded->requests = requests;
    networks_.guards_.push_back(guarded);
    return std::unique_ptr<ports::Guard>{
        std::make_unique<VirtualGuard>(networks_, std::move(guarded))};
}

// --- Namespaces ---------------------------------------------------------------------------------

VirtualNetworks::VirtualNetworks(VirtualClock& clock, Life& life) : clock_(clock), life_(life) {
    (void)add("");
}

VirtualNetworks::~VirtualNetworks() = default;

Result<std::shared_ptr<ports::Network>> VirtualNetworks::open(const std::string& place) {
    const std::string intent = "enter the network namespace " + (place.empty() ? "\"\"" : place);
    if (const auto refused = refused_places_.find(place); refused != refused_places_.end()) {
        return system_error(refused->second, intent);
    }
    const auto space = spaces_.find(place);
    if (space == spaces_.end()) {
        return system_error(ENOENT, intent);
    }
    return std::shared_ptr<ports::Network>{std::make_shared<VirtualNetwork>(*this, space->second)};
}

VirtualKernel& VirtualNetworks::add(const std::string& place) {
    auto space = std::make_shared<Space>();
    space->identity = "4:" + std::to_string(first_space + last_space_++);
    spaces_[place] = space;
    return space->kernel;
}

void VirtualNetworks::also(const std::string& place, const std::string& other) {
    KTM_ASSERT(spaces_.contains(place));
    spaces_[other] = spaces_[place];
}

void VirtualNetworks::remove(const std::string& place) {
    spaces_.erase(place);
}

VirtualKernel& VirtualNetworks::kernel(const std::string& place) {
    KTM_ASSERT(spaces_.contains(place));
    return spaces_[place]->kernel;
}

const std::string& VirtualNetworks::identity(const std::string& place) const {
    const auto space = spaces_.find(place);
    KTM_ASSERT(space != spaces_.end());
    return space->second->identity;
}

std::string VirtualNetworks::dump() const {
    std::string text;
    for (const auto& [place, space] : spaces_) {
        text += "namespace '" + place + "' " + space->identity + "\n" + space->kernel.dump();
    }
    return text;
}

// --- Faults -------------------------------------------------------------------------------------

void VirtualNetworks::next(Fits fits, NetworkFault fault) {
    faults_.push_back(Waiting{std::move(fits), 1, fault});
}

void VirtualNetworks::nth(std::uint64_t number, NetworkFault fault) {
    faults_.push_back(Waiting{nullptr, number, fault});
}

void VirtualNetworks::refuse_place(const std::string& place, int error) {
    if (error == 0) {
        refused_places_.erase(place);
    } else {
        refused_places_[place] = error;
    }
}

/// A dead process asks for nothing.
std::optional<NetworkFault> VirtualNetworks::judgement_on(const net::Request& request) {
    if (life_.is_over()) {
        return std::nullopt;
    }
    if (judge_) {
        return judge_(request);
    }
    heard_.push_back(net::describe(request));
    return fault_for(request);
}

std::optional<NetworkFault> VirtualNetworks::fault_for(const net::Request& request) {
    std::optional<NetworkFault> found;
    std::erase_if(faults_, [&](Waiting& waiting) {
        if (waiting.number > 1) {
            --waiting.number;
            return false;
        }
        if (found || (waiting.fits && !waiting.fits(request))) {
            return false;
        }
        found = waiting.fault;
        return true;
    });
    return found;
}

// --- What only a kernel can tell ----------------------------------------------------------------

/// LIFETIME: who is told may destroy its watch, and the networks outlive all of them.
void VirtualNetworks::tell(Space& space) {
    const std::vector<net::Change> changes = space.kernel.take_changes();
    for (const net::Change& change : changes) {
        for (const std::weak_ptr<Ear>& ear : space.ears) {
            clock_.soon([this, ear, change] {
                const std::shared_ptr<Ear> there = ear.lock();
                if (there && !life_.is_over() && there->handlers.on_change) {
                    there->handlers.on_change(change);
                }
            });
        }
    }
}

void VirtualNetworks::tell_changes() {
    for (const auto& [place, space] : spaces_) {
        tell(*space);
    }
}

void VirtualNetworks::overrun(const std::string& place) {
    KTM_ASSERT(spaces_.contains(place));
    for (const std::weak_ptr<Ear>& ear : spaces_[place]->ears) {
        clock_.soon([ear] {
            const std::shared_ptr<Ear> there = ear.lock();
            if (there && there->handlers.on_overrun) {
                there->handlers.on_overrun();
            }
        });
    }
}

void VirtualNetworks::end_watches(const std::string& place, const Error& error) {
    KTM_ASSERT(spaces_.contains(place));
    for (const std::weak_ptr<Ear>& ear : std::exchange(spaces_[place]->ears, {})) {
        clock_.soon([ear, error] {
            const std::shared_ptr<Ear> there = ear.lock();
            if (there && there->handlers.on_end) {
                there->handlers.on_end(error);
            }
        });
    }
}

/// A guard is no act of the process that it watches.
void VirtualNetworks::act(Guarded& guarded) {
    if (!std::exchange(guarded.armed, false)) {
        return;
    }
    guarded.has_acted = true;
    for (const net::Request& request : guarded.requests) {
        heard_.push_back("guard: " + net::describe(request));
        (void)guarded.space->kernel.apply(request);
    }
    tell(*guarded.space);
}

void VirtualNetworks::bury() {
    for (const std::shared_ptr<Guarded>& guarded : std::exchange(guards_, {})) {
        act(*guarded);
        guarded->timer = nullptr;
    }
}

}  // namespace ktm::sim
