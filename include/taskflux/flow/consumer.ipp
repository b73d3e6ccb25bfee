#pragma once

#include <taskflux/broker/broker/background.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/broker/claim_checks.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/courtesy.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/consumer.hpp>
#include <taskflux/flow/consumer/claimer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux {

consumer_options& consumer_options::max(std::size_t tasks) {
    constexpr std::size_t most = 100;
    if (tasks == 0 || tasks > most) {
        throw error(errc::invalid_argument, "consumer_options: max " + std::to_string(tasks) + " is out of range: use 1 to " + std::to_string(most));
    }
    return max_ = tasks, *this;
}

consumer_options& consumer_options::promise(duration within) {
    if (within < std::chrono::milliseconds(1)) {
        throw error(errc::invalid_argument, "consumer_options: promise must be at least 1 ms; a task that is not replied to within it is "
                                            "handed out again");
    }
    return promise_ = within, *this;
}

consumer_options& consumer_options::name(std::string_view text) { return name_ = detail::checked_name(text), *this; }
consumer_options& consumer_options::queue(std::string_view name) { return queue_ = detail::checked_name(name, "queue"), *this; }

namespace detail {

class claimed_batch {
public:
    claimed_batch(broker_ptr broker, std::string queue, std::string name, duration length)
        : promise(length), broker_(std::move(broker)), queue_(std::move(queue)), name_(std::move(name)) {}
    claimed_batch(const claimed_batch&) = delete;
    claimed_batch& operator=(const claimed_batch&) = delete;

    /// Where this fails, the promise ends.
    ~claimed_batch() {
        as_courtesy([this] { spawn_in_background(broker_, broker_->leave(name_, std::vector<std::string>(1, queue_))); });
    }

    const broker_ptr& broker() const { return broker_; }
    const std::string& queue() const { return queue_; }
    const std::string& name() const { return name_; }

    const duration promise;

private:
    const broker_ptr broker_;
    const std::string queue_, name_;
};

claimed_item::claimed_item(std::shared_ptr<claimed_batch> in, delivery what)
    : in_(std::move(in)), what_(std::move(what)), id_{in_->queue(), what_.key} {}

claimed_item::~claimed_item() {
    if (is_settled_ || in_.use_count() == 1) return;  // the last one leaves for all
    // Without the batch, whose end would begin another call where the context takes this one down.
    const auto release = [](broker_ptr on, std::string queue, std::string name, settlement how) -> asio::awaitable<void> {
        const std::vector<settlement> ends(1, std::move(how));
        co_await on->settle(std::move(queue), std::move(name), ends);
    };
    as_courtesy([&] {
        spawn_in_background(in_->broker(), release(in_->broker(), in_->queue(), in_->name(), end(settlement::kind::release)));
    });
}

time_point claimed_item::until() const { return later(what_.started_at, in_->promise); }

const std::string& claimed_item::payload() const {
    if (what_.unreadable) std::rethrow_exception(what_.unreadable);
    return what_.payload;
}

settlement claimed_item::end(settlement::kind how) const {
    settlement made;
    made.key = what_.key;
    made.token = what_.token;
    made.how = how;
    made.mark.spec = what_.spec;
    made.mark.ran = (std::max)(in_->broker()->clock().now() - what_.started_at, duration::zero());
    if (is_first_attempt(what_)) made.mark.waited = (std::max)(what_.started_at - what_.due_at, duration::zero());
    return made;
}

void claimed_item::check_unsettled(const self& held) {
    if (required(held, "accepted_task")->is_settled_) {
        throw error(errc::wrong_state, "task " + to_string(held->id_) + " can't be settled again: reply, fail or give_back has settled it");
    }
}

asio::awaitable<effect> claimed_item::settle(self held, settlement how) {
    check_unsettled(held);
    const std::vector<settlement> ends(1, std::move(how));
    const auto in = held->in_;
    const auto effects = co_await in->broker()->settle(in->queue(), in->name(), ends);
    held->is_settled_ = true;
    co_return effects.front();
}

asio::awaitable<effect> claimed_item::complete(self held, std::string result) {
    check_unsettled(held);
    check_result_size(result);
    auto how = held->end(settlement::kind::complete);
    how.data = std::move(result);
    return settle(std::move(held), std::move(how));
}

asio::awaitable<effect> claimed_item::forward(self held, std::string result, std::string to, new_task next) {
    check_unsettled(held);
    task_reply what;
    what.task.key = held->what_.key;
    what.scope = reply_scope::attempt;
    what.token = held->what_.token;
    what.result = std::move(result);
    what.forward_to = std::move(to);
    what.forwarded = std::move(next);
    const auto in = held->in_;
    const auto done = co_await in->broker()->reply(in->queue(), std::move(what));
    held->is_settled_ = true;
    co_return done;
}

asio::awaitable<effect> claimed_item::fail(self held, std::string why) {
    check_unsettled(held);
    failure told;
    told.code = "task_failed";
    told.message = as_utf8(why);
    auto how = held->end(settlement::kind::fail);
    how.data = encode(told);
    return settle(std::move(held), std::move(how));
}

asio::awaitable<effect> claimed_item::give_back(self held, duration delay) {
    check_unsettled(held);
    auto how = held->end(delay > duration::zero() ? settlement::kind::retry : settlement::kind::release);
    how.delay = delay;
    how.counts = false;
    return settle(std::move(held), std::move(how));
}

class claimer {
public:
    broker_ptr broker;
    std::string queue;
    std::shared_ptr<const name_set> names;
    std::string name;
    std::size_t max = 1;
    duration promise{};
    std::function<bool(const offer&)> wants;

    std::string cursor;               // behind what it has seen
    std::optional<time_point> begin_again;  // with the first task, for those that it did not get before; none: the end is still to come
    bool has_met_full_key = false;    // since it began
    name_set full_keys;               // whose limits it has met: it asks for none of their tasks for a moment
    time_point full_since{};
    std::uint64_t looked_at = 0;      // tasks since it began
    std::size_t page_size = 1;        // tasks that it looks at together: about as many as have `max` wanted ones among them

    static constexpr duration look_again = std::chrono::seconds(30), try_again = std::chrono::seconds(1);

    void begin() {
        cursor.clear();
        begin_again.reset();
        has_met_full_key = false;
        looked_at = 0;
    }

    /// For so long it does not look at all again: where keys were full, the less often the more there is to look at.
    duration rest() const {
        constexpr std::uint64_t in_a_second = 1000;
        if (!has_met_full_key) return look_again;
        return std::clamp(duration(try_again) * std::int64_t((std::min)(looked_at / in_a_second, in_a_second)), try_again, look_again);
    }

    void met_full(const std::string& key) {
        full_keys.insert(key);
        has_met_full_key = true;
    }

    void look_at_more() { page_size = (std::min)(2 * page_size, most_claimed::peeked); }
    std::uint64_t batches = 0;
    std::string life = uuid_generator().text();

    std::string next_name() {
        const auto own = name.empty() ? life : name + ':' + life.substr(life.size() - 12);
        return own + '/' + std::to_string(++batches);
    }
};

std::shared_ptr<claimer> make_claimer(broker_ptr broker, std::string queue, std::string task, std::string name, std::size_t max,
                                      duration promise) {
    check_queue_name(queue);
    auto made = std::make_shared<claimer>();
    made->broker = checked_broker(std::move(broker), "a consumer");
    made->queue = std::move(queue);
    name_set names;
    names.insert(std::move(task));
    made->names = std::make_shared<const name_set>(std::move(names));
    made->name = std::move(name);
    made->max = made->page_size = max;
    made->promise = promise;
    return made;
}

void accept(claimer& by, std::function<bool(const offer&)> wants) { by.wants = std::move(wants); }

/// Takes those tasks of a page that are wanted, up to `max`, and moves the cursor behind those that it need not see again soon.
/// True where the queue lets no more start now: the cursor is in front of what is to be tried again.
inline asio::awaitable<bool> take_from(std::shared_ptr<claimer> by, const peek_page& page,
                                       std::vector<std::shared_ptr<claimed_item>>& items) {
    acquire_request request;
    request.queue = by->queue;
    request.consumer = by->next_name();
    request.lease = by->promise;
    std::vector<const peeked_task*> named;
    std::vector<std::string> before;  // each of them, the cursor
    auto behind = by->cursor;
    std::size_t looked_at = 0;
    for (const auto& one : page.tasks) {
        if (named.size() == by->max) break;
        ++looked_at;
        const bool may_start = one.key_name.empty() || !by->full_keys.contains(one.key_name);
        if (may_start && (!by->wants || by->wants(offer(one)))) {
            task_reference wanted;
            wanted.key = one.key;
            request.tasks.push_back(std::move(wanted));
            named.push_back(&one);
            before.push_back(behind);
        }
        behind = one.cursor;
    }
    const bool is_full = looked_at < page.tasks.size();
    auto next = is_full ? behind : page.cursor;
    by->looked_at += looked_at;
    bool is_closed = false;
    if (!named.empty()) {
        auto batch = std::make_shared<claimed_batch>(by->broker, by->queue, request.consumer, by->promise);
        auto taken = co_await by->broker->acquire(std::move(request));
        for (std::size_t n = 0; n < taken.size(); ++n) {
            auto& one = taken[n];
            if (one.task) items.push_back(std::make_shared<claimed_item>(batch, std::move(*one.task)));
            if (one.what != acquire_outcome::limited || is_closed) continue;
            if (one.is_by_key) {
                by->met_full(named[n]->key_name);
            } else {
                is_closed = true;
                next = before[n];
            }
        }
    }
    by->cursor = std::move(next);
    const bool is_in_vain = items.empty() || named.size() < by->max;
    if (is_full && !items.empty()) by->page_size = (std::max)(by->max, looked_at);
    else if (is_in_vain && !is_closed && !page.tasks.empty()) by->look_at_more();
    co_return is_closed;
}

asio::awaitable<std::vector<std::shared_ptr<claimed_item>>> take(std::shared_ptr<claimer> by, duration wait) {
    auto& clock = by->broker->clock();
    std::vector<std::shared_ptr<claimed_item>> items;
    std::optional<time_point> deadline;
    std::size_t looked_at = 0;
    for (;;) {
        if (by->begin_again && *by->begin_again <= clock.now()) by->begin();
        if (later(by->full_since, claimer::try_again) <= clock.now()) {
            by->full_keys.clear();
            by->full_since = clock.now();
        }
        peek_query query;
        query.cursor = by->cursor;
        query.limit = by->page_size;
        query.names = by->names;
        if (deadline && by->begin_again) {
            query.wait = std::clamp((std::min)(*deadline, *by->begin_again) - clock.now(), duration::zero(), claimer::look_again);
        }
        auto peeking = by->broker->peek(by->queue, std::move(query));
        const auto page = co_await std::move(peeking);
        if (!deadline) deadline = later(clock.now(), wait);  // a server's clock is known once it has answered
        auto taking = take_from(by, page, items);
        const bool is_closed = co_await std::move(taking);
        const auto now = clock.now();
        looked_at += page.tasks.size();
        const bool is_enough = is_closed || page.tasks.empty() || looked_at >= most_claimed::peeked;
        if (!is_closed && (page.tasks.empty() || by->begin_again)) {  // it has come to the end
            const auto next = later(now, by->rest());
            by->begin_again = by->begin_again ? (std::min)(*by->begin_again, next) : next;
        }
        if (!items.empty() || (is_enough && now >= *deadline)) co_return items;
        if (is_closed) co_await sleep_until(clock, (std::min)(*deadline, later(now, claimer::try_again)));
    }
}

}  // namespace detail

}  // namespace taskflux
