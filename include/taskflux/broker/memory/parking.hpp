#pragma once

#include <taskflux/broker/memory/waiting.hpp>
#include <taskflux/core/time.hpp>

#include <string>
#include <utility>

namespace taskflux::memory {

/// The coroutines that wait for something in the queues of an embedded broker, each list in order of arrival. Not thread-safe.
class parking {
public:
    /// Once for each coroutine, however often it waits.
    void enter(waiting& who) {
        if (who.home) return;
        auto& home = who.request ? fetches_ : who.peeks ? peeks_ : others_;
        who.place = home.insert(home.end(), &who);
        who.home = &home;
    }

    /// False where it has never waited.
    bool leave(waiting& who) {
        auto* const home = std::exchange(who.home, nullptr);
        if (home) home->erase(who.place);
        return home != nullptr;
    }

    bool is_empty() const { return fetches_.empty() && peeks_.empty() && others_.empty(); }
    const waiting_list& fetches() const { return fetches_; }

    template <class Action>
    void for_each(Action action) const {
        for (const auto* list : {&fetches_, &peeks_, &others_}) {
            for (auto* one : *list) action(*one);
        }
    }

    /// Wakes everybody who watches for `consumer`.
    void nudge(const std::string& consumer) const {
        for (auto* one : others_) {
            if (one->consumer && *one->consumer == consumer) one->finish();
        }
    }

    /// Wakes everybody who waits to see tasks of this queue.
    void tell_peeks(const std::string& queue) const {
        for (auto* one : peeks_) {
            if (*one->peeks == queue) one->wake.set();
        }
    }

    /// Those who wait for a task of this queue look then whether somebody serves it. False: nobody does.
    bool look_at(const std::string& queue, time_point when) const {
        bool is_any = false;
        for (auto* one : others_) {
            if (!one->awaited || one->awaited->queue != queue) continue;
            one->look_at = when;
            is_any = true;
        }
        return is_any;
    }

private:
    waiting_list fetches_;
    waiting_list peeks_;
    waiting_list others_;
};

}  // namespace taskflux::memory
