#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/memory/admission.hpp>
#include <taskflux/broker/memory/event_log.hpp>
#include <taskflux/broker/memory/family.hpp>
#include <taskflux/broker/memory/keyed.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::memory {

/// What is set for a queue: its pause, its throttle, its limits and those of its keys; asked whenever tasks are to start. Not
/// thread-safe.
class queue_rules {
public:
    /// `store`: whose tasks they are for; it must outlive this.
    explicit queue_rules(family_store& store) : store_(store) {}
    queue_rules(const queue_rules&) = delete;
    queue_rules& operator=(const queue_rules&) = delete;

    void pause(bool on) { gate_.pause(on); }
    void throttle(duration time, time_point now) { gate_.hold_back(time, now); }
    void end_throttle() { gate_.throttle({}); }

    /// See `broker::set_limit`, and `set_key_limit` where there is a `key`.
    void set_limit(const std::string* key, limit_kind kind, const std::optional<limit>& what, std::string reason, time_point now) {
        pass(now);
        std::optional<stated_limit> stated;
        if (what) stated.emplace(*what, std::move(reason), shifted(now, store_.wall().ahead()));
        has_had_limits_ = has_had_limits_ || stated;
        const bool is_live = kind == limit_kind::live;
        if (key) return keyed().state(*key, is_live, std::move(stated));
        if (gate_.state(is_live, std::move(stated))) store_.events().tell(event_kind::limit_changed, 0, 0, {}, {}, now);
    }
    queue_limits limits() const { return gate_.limits(store_.ready().keyed().limits(), store_.wall().ahead()); }
    bool has_had_limits() const { return has_had_limits_; }
    std::optional<std::size_t> max_waiting() const { return gate_.max_waiting(); }

    const admission& gate() const { return gate_; }
    std::size_t may_start(std::size_t most) const { return gate_.admit(most, store_.count(task_state::running)).count; }

    /// It is about to be handed out.
    void started(const entry& task) {
        keyed().take_turn(task);
        gate_.started(1);
    }

    /// It is now so late.
    void pass(time_point now) {
        gate_.pass(now);
        keyed().pass(now);
    }

    /// When time alone lets a task start that waits for nothing else, at the earliest.
    time_point next() const {
        const auto opens = gate_.opens(store_.count(task_state::running));
        return (std::min)(opens < never && store_.ready().has_work(nullptr) ? opens : never, keyed().next_time());
    }

private:
    keyed_tasks& keyed() const { return store_.ready().keyed(); }

    family_store& store_;
    admission gate_;
    bool has_had_limits_ = false;
};

}  // namespace taskflux::memory
