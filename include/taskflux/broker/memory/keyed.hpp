#pragma once

#include <taskflux/broker/memory/entry.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/limit/rate_gate.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace taskflux::memory {

/// Whether `a` runs before `b`: by priority, then by age.
struct runs_before {
    bool operator()(const entry* a, const entry* b) const {
        if (a->spec->priority != b->spec->priority) return a->spec->priority > b->spec->priority;
        return a->sequence < b->sequence;
    }
};

/// The waiting tasks of a queue that have a key. Keys take turns, and the tasks without a key have one turn together; keys whose
/// limit holds them back are in nobody's way. Not thread-safe.
class keyed_tasks {
public:
    /// Of a task that has a key: it waits, or does so no longer.
    void add(entry& item) {
        auto& of = lane_of(item.extras->key);
        of.waiting.insert(&item);
        place(of);
    }
    void remove(entry& item) {
        auto& of = lane_of(item.extras->key);
        of.waiting.erase(&item);
        place(of);
    }

    /// Others have passed it over, or it is no longer one of those.
    void pass_over(entry& item) {
        auto& of = lane_of(item.extras->key);
        of.passed[item.spec->name].tasks.insert(&item);
        place(of);
    }
    void remove_passed(entry& item) {
        auto& of = lane_of(item.extras->key);
        const auto those = of.passed.find(item.spec->name);
        those->second.tasks.erase(&item);
        if (those->second.tasks.empty()) {
            show(those->first, those->second, of, false);
            of.passed.erase(those);
        }
        place(of);
    }

    /// The first task that others have passed over, whose key has room for it, whose name is among these (null: all), and which
    /// comes before that one (null: whatever it is); of each name that of the key whose turn it is, among some. Null where there
    /// is none.
    entry* next_passed(const name_set* names, const entry* before) const {
        entry* found = nullptr;
        for (const auto& [name, keys] : shown_) {
            if (names && !names->contains(name)) continue;
            auto left = most_looked_at;
            for (const auto* const of : keys) {
                if (left-- == 0) break;
                auto* const one = *of->passed.at(name).tasks.begin();
                if (before && !runs_before()(one, before)) continue;
                if (!of->waiting.empty() && runs_before()(*of->waiting.begin(), one)) continue;  // that comes in the key's turn
                if (!found || runs_before()(one, found)) found = one;
                break;
            }
        }
        return found;
    }

    /// `visit(name, task)` for up to `most` names of those.
    template <class Visitor>
    void visit_passed(std::size_t most, Visitor visit) const {
        for (const auto& [name, keys] : shown_) {
            if (most-- == 0) return;
            visit(name, **keys.front()->passed.at(name).tasks.begin());
        }
    }

    /// It runs, or does so no longer.
    void started(const entry& item) {
        auto& of = lane_of(item.extras->key);
        ++of.running;
        if (of.gate) of.gate->started(1, now_);
        place(of);
    }
    void stopped(const entry& item) {
        auto& of = lane_of(item.extras->key);
        --of.running;
        place(of);
    }

    /// Whether a task with a key may start.
    bool has_work() const { return ring_.size() > 1; }

    /// Whether the limit of its key lets a waiting task start.
    bool may_start(const entry& item) const { return lanes_.at(item.extras->key).is_in_ring; }

    /// Who has the next turn: the first task of a key that may start. Null where it is the turn of those without a key, of which
    /// there are some (`has_plain`) or no key has work. `names`: that may be one that others have passed over, of these.
    entry* next(bool has_plain, const name_set* names) const {
        if (!has_work()) return nullptr;
        auto turn = ring_.begin();
        if (!*turn) {
            if (has_plain) return nullptr;
            ++turn;
        }
        auto* found = *(*turn)->waiting.begin();
        for (const auto& [name, those] : (*turn)->passed) {
            auto* const one = *those.tasks.begin();
            if ((!names || names->contains(name)) && runs_before()(one, found)) found = one;
        }
        return found;
    }

    /// How a waiting task stands among those of its key, and what holds the key back.
    struct standing {
        std::size_t before = 0;  ///< come before it; no more than were to be counted
        std::size_t running = 0;
        std::optional<std::size_t> most_running;
        time_point opens{};      ///< when a rate lets one start; 0: now
    };
    standing standing_of(entry& item, std::size_t most_counted) const {
        const auto& of = lanes_.at(item.extras->key);
        standing made;
        for (auto at = of.waiting.begin(); at != of.waiting.end() && *at != &item && made.before < most_counted; ++at) ++made.before;
        made.running = of.running;
        made.most_running = of.most_running;
        if (of.gate && of.gate->may_start(now_) == 0) made.opens = of.gate->opens(now_);
        return made;
    }

    /// The turn is taken by that task, which is about to start: others come first now. Those that have been passed over have theirs
    /// with the tasks without a key, or with those of their key that wait.
    void take_turn(const entry& item) {
        if (!item.has_key() || (item.unclaimed && !ring_.front())) to_back(plain_);
        const auto found = item.has_key() ? lanes_.find(item.extras->key) : lanes_.end();
        if (found == lanes_.end()) return;
        auto& of = found->second;
        if (of.is_in_ring) to_back(of.turn);
        const auto those = of.passed.find(item.spec->name);
        if (those == of.passed.end() || !those->second.is_shown) return;
        auto& keys = shown_.at(those->first);
        keys.splice(keys.end(), keys, those->second.turn);
    }

    /// It is now so late: keys that waited for that may go on.
    void pass(time_point now) {
        now_ = now;
        while (!timed_.empty() && timed_.begin()->first <= now) place(*timed_.begin()->second);
    }
    /// When `pass` has something to do, at the earliest.
    time_point next_time() const { return timed_.empty() ? never : timed_.begin()->first; }

    /// What limits each key (`key` is empty), or one key, is set, or taken back.
    void state(const std::string& key, bool is_live, std::optional<stated_limit> what) {
        if (key.empty()) {
            if (!limits_.each_key.state(is_live, std::move(what))) return;
            each_ = limits_.each_key.in_force();
            for (auto at = lanes_.begin(); at != lanes_.end();) change_limit((at++)->second);
            return;
        }
        auto& own = limits_.keys[key];
        own.state(is_live, std::move(what));
        if (!own.live && !own.declared) limits_.keys.erase(key);
        if (const auto at = lanes_.find(key); at != lanes_.end()) change_limit(at->second);
    }
    const queue_limits& limits() const { return limits_; }

private:
    static constexpr std::size_t most_looked_at = 100;  // keys of a name

    struct lane;
    using ring = std::list<lane*>;

    /// What others have passed over of a key and a name.
    struct passed_over {
        std::set<entry*, runs_before> tasks;
        bool is_shown = false;
        ring::iterator turn;
    };

    struct lane {
        const std::string* key = nullptr;
        std::set<entry*, runs_before> waiting;
        std::map<std::string, passed_over> passed;  // by name
        std::size_t running = 0;
        std::optional<std::size_t> most_running;
        std::optional<detail::rate_gate> gate;
        bool is_in_ring = false;
        ring::iterator turn;
        time_point look_at = never;
    };

    lane& lane_of(const std::string& key) {
        const auto [at, is_new] = lanes_.try_emplace(key);
        if (is_new) {
            at->second.key = &at->first;
            take_limit(at->second);
        }
        return at->second;
    }

    void take_limit(lane& of) {
        const auto own = limits_.keys.find(*of.key);
        const auto value = own != limits_.keys.end() ? own->second.in_force() : each_;
        const auto known = of.gate ? std::optional(of.gate->next()) : std::nullopt;
        of.gate.reset();
        if (value.rate()) of.gate.emplace(*value.rate());
        if (of.gate && known) of.gate->next(*known);
        of.most_running = value.running();
    }

    void change_limit(lane& of) {
        take_limit(of);
        place(of);
    }

    /// Puts a key where it belongs: into the ring, among those that wait for a time, or nowhere.
    void place(lane& of) {
        const bool is_full = of.most_running && of.running >= *of.most_running;
        const bool is_early = of.gate && of.gate->may_start(now_) == 0;
        const bool has_tasks = !of.waiting.empty() || !of.passed.empty();
        const bool is_idle = !has_tasks && of.running == 0;
        put_in_ring(of, !of.waiting.empty() && !is_full && !is_early);
        for (auto& [name, those] : of.passed) show(name, those, of, !is_full && !is_early);
        auto when = never;
        if (is_idle && of.gate) when = forgotten_at(*of.gate);
        else if (is_early && !is_full && has_tasks) when = of.gate->opens(now_);
        const bool is_over = is_idle && (!of.gate || when <= now_);
        look_at(of, is_over ? never : when);
        if (is_over) lanes_.erase(lanes_.find(*of.key));
    }

    /// When it no longer matters what has started.
    static time_point forgotten_at(const detail::rate_gate& gate) {
        const auto next = (std::max)(gate.next(), 0.0);
        return time_point(duration(static_cast<duration::rep>(std::ceil(next))));
    }

    void put_in_ring(lane& of, bool should_be) {
        if (std::exchange(of.is_in_ring, should_be) == should_be) return;
        if (should_be) of.turn = ring_.insert(ring_.end(), &of);
        else ring_.erase(of.turn);
    }

    void show(const std::string& name, passed_over& those, lane& of, bool should_be) {
        if (std::exchange(those.is_shown, should_be) == should_be) return;
        auto& keys = shown_[name];
        if (should_be) those.turn = keys.insert(keys.end(), &of);
        else keys.erase(those.turn);
        if (keys.empty()) shown_.erase(name);
    }

    void look_at(lane& of, time_point when) {
        if (of.look_at == when) return;
        if (of.look_at != never) timed_.erase({of.look_at, &of});
        of.look_at = when;
        if (when != never) timed_.emplace(when, &of);
    }

    void to_back(ring::iterator turn) { ring_.splice(ring_.end(), ring_, turn); }

    std::unordered_map<std::string, lane> lanes_;
    ring ring_{nullptr};  // null: those without a key
    ring::iterator plain_ = ring_.begin();
    std::map<std::string, ring, std::less<>> shown_;  // by name: keys that may start what others have passed over, in turn
    std::set<std::pair<time_point, lane*>> timed_;
    queue_limits limits_;  // of keys
    limit each_;
    time_point now_{};
};

}  // namespace taskflux::memory
