// SPDX-License-Identifier: Apache-2.0
// sim/virtual_network.hh: the Networks port over simulated kernels, with faults on demand.
//
// Theory of operation. Each namespace is a VirtualKernel. A request is carried out inside of
// send(), and by default answered there too, as the real kernel does; answers_after() moves all
// answers to a later instant of the clock. A fault waits for a request that it fits and then has
// its effect, once; the one that was given first is looked at first. When the process's life is
// over, nothing is carried out, answered or told any more, and bury() does what the kernel does
// for the dead: the armed guards act.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/network.hh"
#include "sim/life.hh"
#include "sim/virtual_clock.hh"
#include "sim/virtual_kernel.hh"

namespace ktm::sim {

/// What happens to one request.
struct NetworkFault {
    enum class Effect : std::uint8_t {
        refuse,        ///< It is not carried out, and answered by the errno.
        lose_request,  ///< It is not carried out, and never answered.
        lose_answer,   ///< It is carried out, and never answered.
        delay_answer,  ///< It is carried out, and answered after `delay`.
    };
    Effect effect = Effect::refuse;
    int error = 0;
    Duration delay{};
};

/// LIFETIME: outlives the networks that it opened.
class VirtualNetworks final : public ports::Networks {
public:
    using Fits = UniqueFunction<bool(const net::Request&)>;

    /// Our own namespace, "", is there from the beginning.
    VirtualNetworks(VirtualClock& clock, Life& life);
    ~VirtualNetworks() override;

    [[nodiscard]] Result<std::shared_ptr<ports::Network>> open(const std::string& place) override;

    // --- Namespaces ----------------------------------------------------------------------------

    /// A new namespace at this place, in front of what was there: whoever has that open keeps it.
    VirtualKernel& add(const std::string& place);
    /// The namespace at `place` has this other name as well.
    void also(const std::string& place, const std::string& other);
    /// The name is gone; the namespace too when nobody has it open.
    void remove(const std::string& place);
    /// The one that must be there.
    [[nodiscard]] VirtualKernel& kernel(const std::string& place = "");
    [[nodiscard]] const std::string& identity(const std::string& place) const;
    /// The text of all namespaces that have a name.
    [[nodiscard]] std::string dump() const;

    // --- Faults --------------------------------------------------------------------------------

    /// The next request that fits.
    void next(Fits fits, NetworkFault fault);
    /// The nth request from now on, whatever it is: 1 is the next one.
    void nth(std::uint64_t number, NetworkFault fault);
    void fail_next(Fits fits, int error) { next(std::move(fits), {.error = error}); }
    void fail_nth(std::uint64_t number, int error) { nth(number, {.error = error}); }
    /// Somebody who sees each request before it is carried out, and decides what becomes of it,
    /// when no fault waits for it. What kernels heard is then not kept: he knows it.
    using Judge = UniqueFunction<std::optional<NetworkFault>(const net::Request&)>;
    void judge_by(Judge judge) { judge_ = std::move(judge); }
    /// Faults that have not fitted yet.
    [[nodiscard]] std::size_t faults_left() const noexcept { return faults_.size(); }
    /// All answers come that much later, and never from inside of send(); nothing: at once.
    void answers_after(std::optional<Duration> delay) { delay_ = delay; }
    /// Opening a place fails from now on; 0: no longer.
    void refuse_place(const std::string& place, int error);

    /// Every request that reached a kernel or a fault, as describe() words it, in order.
    [[nodiscard]] const std::vector<std::string>& heard() const noexcept { return heard_; }

    // --- What only a kernel can tell -----------------------------------------------------------

    /// Tells the watchers what tests changed in kernels by their own hands.
    void tell_changes();
    /// The watchers of a namespace have lost changes.
    void overrun(const std::string& place);
    /// They can watch no longer.
    void end_watches(const std::string& place, const Error& error);
    /// What is left of a process that died: its armed guards act. To be called before its life
    /// begins again.
    void bury();

private:
    class VirtualNetwork;
    class VirtualWatch;
    class VirtualGuard;
    struct Space;
    struct Ear;
    struct Guarded;
    struct Waiting {
        Fits fits;                 ///< None: any request.
        std::uint64_t number = 1;  ///< The how manieth request from now on.
        NetworkFault fault;
    };

    [[nodiscard]] std::optional<NetworkFault> judgement_on(const net::Request& request);
    [[nodiscard]] std::optional<NetworkFault> fault_for(const net::Request& request);
    void tell(Space& space);
    void put_for(const std::shared_ptr<Space>& space, UniqueFunction<void(Ear&)> what);
    void act(Guarded& guarded);

    VirtualClock& clock_;
    Life& life_;
    std::uint32_t last_space_ = 0;
    std::map<std::string, std::shared_ptr<Space>> spaces_;
    std::map<std::string, int> refused_places_;
    std::vector<Waiting> faults_;
    Judge judge_;
    std::optional<Duration> delay_;
    std::vector<std::string> heard_;
    std::vector<std::shared_ptr<Guarded>> guards_;
};

}  // namespace ktm::sim
