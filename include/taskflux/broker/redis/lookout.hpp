#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// Which of its queues a sleeper asks for tasks, kept from one fetch to the next: its index of wake-ups. Where it sleeps,
/// the server sends a message when there is something to do, and nothing is asked but what may have been missed: the queue
/// for whose time it watches when that comes, and each queue once in a polling interval. Thread-safe.
class lookout {
public:
    /// So many queues are looked at together.
    static constexpr std::size_t most_at_once = 250;

    /// `names`: the signature of the names of tasks that are wanted.
    lookout(std::vector<std::string> queues, std::string names)
        : queues_(std::move(queues)), names_(std::move(names)), spots_(queues_.size()) {
        for (std::size_t i = 0; i < queues_.size(); ++i) {
            places_.emplace(queues_[i], i);
            unknown_.insert(i);
        }
    }

    bool is_for(const std::vector<std::string>& queues, const std::string& names) const {
        return names_ == names && queues_ == queues;
    }

    const std::string& names() const { return names_; }
    const std::string& queue(std::size_t i) const { return queues_[i]; }
    std::optional<std::size_t> place_of(const std::string& queue) const {
        const auto found = places_.find(queue);
        return found == places_.end() ? std::nullopt : std::optional(found->second);
    }

    /// Where it sleeps and should yet be asked whether it missed a message: some at a time, and each queue once in `poll`. What
    /// was watched for until now is unknown from here on.
    std::vector<std::size_t> next(time_point now, duration poll) {
        const std::lock_guard lock(mutex_);
        while (!due_.empty() && due_.begin()->first <= now) {
            const auto i = due_.begin()->second;
            if (!put_off_.contains(i)) unanswered_.insert(i);
            move_to(i, unknown_);
        }
        return now >= sweep_at_ ? sweep(now, poll) : std::vector<std::size_t>();
    }

    /// Where it is not known whether there is something, in the order of the request.
    std::vector<std::size_t> unknown() const {
        const std::lock_guard lock(mutex_);
        return {unknown_.begin(), unknown_.end()};
    }

    /// Where there is, or was, something.
    std::vector<std::size_t> called() const {
        const std::lock_guard lock(mutex_);
        return {called_.begin(), called_.end()};
    }

    /// When `next` should be called though no message comes.
    time_point soonest() const {
        const std::lock_guard lock(mutex_);
        return due_.empty() ? sweep_at_ : (std::min)(sweep_at_, due_.begin()->first);
    }

    /// There is a message about a queue; false where it is none of these. `to_look`: others were not told, and rely on this
    /// sleeper's asking.
    bool call(const std::string& queue, bool to_look) {
        const auto i = place_of(queue);
        if (!i) return false;
        const std::lock_guard lock(mutex_);
        note_call(*i);
        if (to_look) unanswered_.insert(*i);
        return true;
    }

    void call(std::size_t i) {
        const std::lock_guard lock(mutex_);
        note_call(i);
    }

    /// The server is asked now. Gives how many messages there have been until then.
    std::uint64_t ask(std::size_t i) {
        const std::lock_guard lock(mutex_);
        unanswered_.erase(i);
        return spots_[i].calls;
    }

    /// The queues in which it was told to look, or whose time has come for which it watched, and that it has not asked since: from
    /// here on that is for others to do.
    std::vector<std::string> take_unanswered() {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> names;
        for (const auto i : std::exchange(unanswered_, {})) names.push_back(queues_[i]);
        return names;
    }

    /// The server has answered that it sleeps in this queue, and watches for that time; unless there was a message since.
    void fell_asleep(std::size_t i, std::uint64_t calls_before, time_point watches_for) {
        const std::lock_guard lock(mutex_);
        if (spots_[i].calls != calls_before) return move_to(i, called_);
        wait_until(i, watches_for);
    }

    /// It may not have been told of what there is in this queue.
    void forget(std::size_t i) {
        const std::lock_guard lock(mutex_);
        if (!called_.contains(i)) move_to(i, unknown_);
    }

    /// It may not have been told of what there is in any queue; answers that are on their way say nothing of that.
    void forget_all() {
        const std::lock_guard lock(mutex_);
        put_off_.clear();
        for (std::size_t i = 0; i < spots_.size(); ++i) {
            ++spots_[i].calls;
            if (!called_.contains(i)) move_to(i, unknown_);
        }
    }

    /// Something is wrong with this queue: it is asked again at that time.
    void put_off(std::size_t i, time_point until) {
        const std::lock_guard lock(mutex_);
        wait_until(i, until);
        put_off_.insert(i);
    }

    bool are_all_put_off() const {
        const std::lock_guard lock(mutex_);
        return put_off_.size() == spots_.size();
    }

    const std::vector<std::string>& queues() const { return queues_; }

    /// A fetch goes on with what is known here; its number.
    std::uint64_t begin() { return ++fetches_; }
    bool is_last(std::uint64_t fetch) const { return fetches_ == fetch; }

    /// For its fetch: `consumers::departures` when the consumer had joined all queues; 0: not asked yet.
    std::uint64_t joined_at = 0;

private:
    struct spot {
        std::uint64_t calls = 0;
        time_point due = never;
    };

    void note_call(std::size_t i) {
        ++spots_[i].calls;
        move_to(i, called_);
    }

    void leave(std::size_t i) {
        due_.erase({spots_[i].due, i});
        spots_[i].due = never;
        unknown_.erase(i);
        called_.erase(i);
        put_off_.erase(i);
    }

    void move_to(std::size_t i, std::set<std::size_t>& where) {
        leave(i);
        where.insert(i);
    }

    void wait_until(std::size_t i, time_point when) {
        leave(i);
        spots_[i].due = when;
        if (when != never) due_.emplace(when, i);
    }

    /// The next queues, so that it comes to all of them within `poll`.
    std::vector<std::size_t> sweep(time_point now, duration poll) {
        std::vector<std::size_t> found;
        const auto many = (std::min)(queues_.size(), most_at_once);
        for (std::size_t n = 0; n < many; ++n, ++swept_) {
            const auto i = swept_ % queues_.size();
            if (!called_.contains(i) && !unknown_.contains(i) && !put_off_.contains(i)) found.push_back(i);
        }
        const auto share = double(many) / double((std::max)(queues_.size(), std::size_t(1)));
        sweep_at_ = queues_.empty() ? never : later(now, duration(static_cast<duration::rep>(double(poll.count()) * share)));
        return found;
    }

    const std::vector<std::string> queues_;
    const std::string names_;
    std::unordered_map<std::string, std::size_t> places_;

    mutable std::mutex mutex_;  // guards all below
    std::vector<spot> spots_;
    std::set<std::size_t> unknown_, called_, put_off_;  // in none of them: it sleeps there
    std::set<std::size_t> unanswered_;
    std::set<std::pair<time_point, std::size_t>> due_;
    time_point sweep_at_ = (time_point::min)();
    std::size_t swept_ = 0;
    std::uint64_t fetches_ = 0;  // guarded by the inbox
};

}  // namespace taskflux::redis
