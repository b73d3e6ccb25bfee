#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/detail/event.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// The ends of tasks that callers of this process wait for. The server tells of them by messages; for each queue one
/// coroutine, the asker, asks for all its callers: see `wait`. Thread-safe.
class awaited_ends {
public:
    /// What is known for one caller.
    struct news {
        std::unique_ptr<task_outcome> outcome;
        std::exception_ptr failure;  ///< asking failed
        bool is_told = false;        ///< the server tells of that end unasked
        bool is_open = false;        ///< the server was asked, and the task had not ended
        bool is_gone = false;        ///< the server was asked, and there is no such task
    };

private:
    struct place {
        detail::event wake;
        // Guarded by the mutex:
        news known;
        bool must_ask = false;
        bool wants_answer = false;
    };
    using places = std::multimap<task_key, std::shared_ptr<place>>;

    struct queue_waits {
        places waiting;
        std::deque<task_key> questions;
        const std::shared_ptr<detail::event> asker = std::make_shared<detail::event>();
        bool has_asker = false;
        bool is_hurried = false;
    };
    using queues = std::map<std::string, queue_waits>;

public:
    /// A caller that waits; leaves when it is destroyed. Asks for the end, unless that has been told of, or will be.
    class ticket {
    public:
        ticket(awaited_ends& in, const task_id& id) : in_(in), mine_(std::make_shared<place>()) {
            const std::lock_guard lock(in_.mutex_);
            at_ = in_.queues_.try_emplace(id.queue).first;
            where_ = at_->second.waiting.emplace(id.key, mine_);
            in_.take_told(id, *mine_);
            if (!mine_->known.outcome && (!mine_->known.is_told || mine_->must_ask)) add_question();
        }
        ticket(const ticket&) = delete;
        ticket& operator=(const ticket&) = delete;
        ~ticket() {
            const std::lock_guard lock(in_.mutex_);
            at_->second.waiting.erase(where_);
            if (at_->second.waiting.empty() && !at_->second.has_asker) in_.queues_.erase(at_);
        }

        /// Wakes the caller; keeps its place alive.
        std::shared_ptr<detail::event> wake() { return {mine_, &mine_->wake}; }

        /// Takes the outcome, if there is one.
        news look() {
            const std::lock_guard lock(in_.mutex_);
            auto& known = mine_->known;
            return {std::move(known.outcome), known.failure, known.is_told, known.is_open, known.is_gone};
        }

        /// Asks once more, and wakes the caller when the answer is there, whatever it is.
        void ask_at_last() {
            const std::lock_guard lock(in_.mutex_);
            mine_->known.is_open = false;
            mine_->wants_answer = true;
            add_question();
        }

    private:
        void add_question() {
            at_->second.questions.push_back(where_->first);
            at_->second.asker->set();
        }

        awaited_ends& in_;
        const std::shared_ptr<place> mine_;
        queues::iterator at_;
        places::iterator where_;
    };

    /// While it lives, a submission is under way that may turn out to be of tasks that were there, which others await: ends
    /// that come meanwhile are kept for it as well.
    class submission {
    public:
        explicit submission(awaited_ends& of) : of_(of) {
            const std::lock_guard lock(of_.mutex_);
            ++of_.submissions_;
        }
        submission(const submission&) = delete;
        submission& operator=(const submission&) = delete;
        ~submission() {
            const std::lock_guard lock(of_.mutex_);
            if (--of_.submissions_ > 0) return;
            for (const auto& id : std::exchange(of_.kept_beside_, {})) of_.drop_unexpected(id);
        }

    private:
        awaited_ends& of_;
    };

    /// The server will tell of that task's end unasked; `must_ask`: where it is asked, as time alone may bring that end. Once for
    /// each caller that is about to come.
    void expect(const task_id& id, bool must_ask = false) {
        const std::lock_guard lock(mutex_);
        const bool is_kept = told_unasked_.contains(id);
        auto& told = told_unasked(id, expected_);
        if (told.expected == 0 && is_kept) {
            make_room(expected_);
            expected_.splice(expected_.end(), unexpected_, told.place);
        }
        ++told.expected;
        told.must_ask = told.must_ask || must_ask;
    }

    /// Takes an end that the server has told of, and nobody has waited for yet.
    std::optional<task_outcome> take(const task_id& id) {
        const std::lock_guard lock(mutex_);
        const auto told = told_unasked_.find(id);
        if (told == told_unasked_.end() || told->second.expected == 0 || !told->second.outcome) return std::nullopt;
        return take(told).outcome;
    }

    /// The server has told of an end.
    void deliver(const task_id& id, const task_outcome& outcome) {
        const std::lock_guard lock(mutex_);
        const bool is_given = give(id.queue, id.key, [&](place& to) { to.known.outcome = std::make_unique<task_outcome>(outcome); });
        const auto told = told_unasked_.find(id);
        const bool is_expected = told != told_unasked_.end() && told->second.expected > 0;
        if (is_given && !is_expected && submissions_ > 0) {
            kept_beside_.push_back(id);
            if (kept_beside_.size() > most_kept) {
                drop_unexpected(kept_beside_.front());
                kept_beside_.pop_front();
            }
        }
        if (!is_given || is_expected || submissions_ > 0) keep(id, outcome);
    }

    /// Messages may have been lost: all are asked for again, at once.
    void lost_messages() {
        const std::lock_guard lock(mutex_);
        for (auto& [id, told] : told_unasked_) told.must_ask = true;
        for (auto& [name, of] : queues_) {
            of.is_hurried = true;
            of.asker->set();
        }
    }

    /// There will be no more.
    void wake_all() {
        const std::lock_guard lock(mutex_);
        for (auto& [name, of] : queues_) {
            for (const auto& [key, to] : of.waiting) to->wake.set();
            of.asker->set();
        }
    }

    // --- for the asker ----------------------------------------------------------------------------------

    /// What wakes the asker of a queue where somebody waits, if there is none yet: then it is the caller's to begin.
    std::shared_ptr<detail::event> begin_asker(const std::string& queue) {
        const std::lock_guard lock(mutex_);
        const auto at = queues_.find(queue);
        if (at == queues_.end() || std::exchange(at->second.has_asker, true)) return nullptr;
        return at->second.asker;
    }

    /// Whether nobody waits any more, so that the asker has ended.
    bool end_asker(const std::string& queue) {
        const std::lock_guard lock(mutex_);
        const auto at = queues_.find(queue);
        if (!at->second.waiting.empty()) return false;
        queues_.erase(at);
        return true;
    }

    /// Up to `most` tasks that callers have asked for, and that nobody has answered for yet.
    std::vector<task_key> take_questions(const std::string& queue, std::size_t most) {
        const std::lock_guard lock(mutex_);
        auto& all = queues_.find(queue)->second.questions;
        std::vector<task_key> keys;
        for (; !all.empty() && keys.size() < most; all.pop_front()) keys.push_back(all.front());
        return keys;
    }

    /// Up to `most` of the tasks that are waited for, in the order of their keys, behind one of them.
    std::vector<task_key> next(const std::string& queue, const task_key& behind, std::size_t most) const {
        const std::lock_guard lock(mutex_);
        const auto& all = queues_.find(queue)->second.waiting;
        std::vector<task_key> keys;
        for (auto at = all.upper_bound(behind); at != all.end() && keys.size() < most; at = all.upper_bound(keys.back())) {
            keys.push_back(at->first);
        }
        return keys;
    }

    /// Whether messages have been lost since the last call.
    bool take_hurry(const std::string& queue) {
        const std::lock_guard lock(mutex_);
        return std::exchange(queues_.find(queue)->second.is_hurried, false);
    }

    /// The server has answered that this task has ended, or not yet (nothing).
    void answer(const std::string& queue, const task_key& key, const std::optional<task_outcome>& outcome) {
        const std::lock_guard lock(mutex_);
        give(queue, key, [&](place& to) {
            if (outcome) to.known.outcome = std::make_unique<task_outcome>(*outcome);
            to.known.is_open = true;
            return outcome || to.wants_answer;
        });
    }
    void answer_gone(const std::string& queue, const task_key& key) {
        const std::lock_guard lock(mutex_);
        give(queue, key, [](place& to) { to.known.is_gone = true; });
    }
    void fail(const std::string& queue, const std::vector<task_key>& keys, const std::exception_ptr& failure) {
        const std::lock_guard lock(mutex_);
        for (const auto& key : keys) give(queue, key, [&](place& to) { to.known.failure = failure; });
    }

private:
    // The end of a task that has just been submitted to be awaited; it may come before that is known.
    struct told_end {
        unsigned expected = 0;  // callers that are about to come
        bool must_ask = false;  // it was not kept, or may have been lost
        std::optional<task_outcome> outcome;
        std::list<task_id>::iterator place;  // in `expected_`, or in `unexpected_`

        // How many bytes more it has then.
        std::size_t size_with(const task_outcome& one) {
            const auto before = size();
            outcome = one;
            return size() - before;
        }
        // How many bytes it had.
        std::size_t drop() {
            const auto had = size();
            outcome.reset();
            must_ask = true;
            return had;
        }
        std::size_t size() const { return outcome ? outcome->result.size() + outcome->error.size() : 0; }
    };

    /// Gives something to all that wait for a task, and wakes those for which `what` does not say false. False: nobody does.
    template <class Function>
    bool give(const std::string& queue, const task_key& key, Function what) {
        const auto of = queues_.find(queue);
        if (of == queues_.end()) return false;
        const auto [begin, end] = of->second.waiting.equal_range(key);
        for (auto at = begin; at != end; ++at) {
            bool is_news = true;
            if constexpr (std::is_void_v<std::invoke_result_t<Function&, place&>>) what(*at->second);
            else is_news = what(*at->second);
            if (is_news) at->second->wake.set();
        }
        return begin != end;
    }

    void take_told(const task_id& id, place& to) {
        const auto told = told_unasked_.find(id);
        if (told == told_unasked_.end() || told->second.expected == 0) return;
        auto taken = take(told);
        to.known.is_told = true;
        to.must_ask = taken.must_ask;
        if (taken.outcome) to.known.outcome = std::make_unique<task_outcome>(std::move(*taken.outcome));
    }

    // For one of the callers that are expected.
    told_end take(std::map<task_id, told_end>::iterator told) {
        if (told->second.expected == 1) return forget(told);
        --told->second.expected;
        return told->second;
    }

    told_end forget(std::map<task_id, told_end>::iterator told) {
        told_bytes_ -= told->second.size();
        (told->second.expected > 0 ? expected_ : unexpected_).erase(told->second.place);
        auto gone = std::move(told->second);
        told_unasked_.erase(told);
        return gone;
    }

    void drop_unexpected(const task_id& id) {
        const auto told = told_unasked_.find(id);
        if (told == told_unasked_.end() || told->second.expected > 0) return;
        forget(told);
    }

    // What nobody takes is dropped with time: callers waiting for it ask the server. What nobody expects takes no room from what
    // somebody does.
    void make_room(std::list<task_id>& among) {
        if (among.size() < most_kept) return;
        if (&among == &unexpected_) drop_unexpected(among.front());
        else forget(told_unasked_.find(among.front()));
    }

    // A new one is put into that list.
    told_end& told_unasked(const task_id& id, std::list<task_id>& where) {
        if (const auto at = told_unasked_.find(id); at != told_unasked_.end()) return at->second;
        make_room(where);
        std::list<task_id> one(1, id);
        auto& made = told_unasked_[id];
        made.place = one.begin();
        where.splice(where.end(), one);
        return made;
    }

    // Of large outcomes the last ones are kept: that of a task without retention can't be had again.
    void keep(const task_id& id, const task_outcome& outcome) {
        constexpr std::size_t most_bytes = 32 * 1024 * 1024;
        auto& told = told_unasked(id, unexpected_);
        told_bytes_ += told.size_with(outcome);
        for (const auto* list : {&unexpected_, &expected_}) {
            for (auto next = list->begin(); told_bytes_ > most_bytes && next != list->end(); ++next) {
                if (*next != id) told_bytes_ -= told_unasked_.find(*next)->second.drop();
            }
        }
    }

    static constexpr std::size_t most_kept = 1024;  // of each list

    mutable std::mutex mutex_;
    queues queues_;
    std::map<task_id, told_end> told_unasked_;  // nobody waits for them yet
    std::list<task_id> expected_, unexpected_;  // all of these, oldest first
    std::size_t told_bytes_ = 0;
    unsigned submissions_ = 0;
    std::deque<task_id> kept_beside_;  // since others awaited them: of submissions under way, perhaps
};

}  // namespace taskflux::redis
