#pragma once

#include <conformance/backend.hpp>
#include <conformance/print.hpp>
#include <support/coroutine_end.hpp>
#include <support/hang_limit.hpp>
#include <taskflux/broker/broker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::conformance {

using namespace std::chrono_literals;
using kind = settlement::kind;

/// The queue and the consumer that most tests use.
inline const std::string q = "q";
inline const std::string w = "w";

inline const boost::system::error_code aborted = asio::error::operation_aborted;

class fixture;

/// A call that has been started and may still wait.
template <class T>
class started {
public:
    bool done() const { return end_->done; }
    void cancel() { end_->cancel(); }

    /// Runs until the call is over; gives what it returned, or throws what it threw.
    T get();

private:
    friend class fixture;

    started(fixture& on, std::shared_ptr<test::coroutine_end<T>> end) : on_(&on), end_(std::move(end)) {}

    fixture* on_;
    std::shared_ptr<test::coroutine_end<T>> end_;
};

/// A broker, and short names for what tests do to it. Time in the broker moves by `advance` only; real time
/// only ends a test that would hang.
class fixture {
public:
    explicit fixture(std::unique_ptr<backend> on) : backend_(std::move(on)) {}
    fixture(const fixture&) = delete;
    fixture& operator=(const fixture&) = delete;

    taskflux::broker& broker() { return backend_->broker(); }
    void advance(duration by) { backend_->advance(by); }

    /// For what keeps its broker; the fixture must outlive it.
    broker_ptr shared() { return {broker_ptr(), &broker()}; }

    // --- running calls -------------------------------------------------------------------------------

    template <class T>
    T run(asio::awaitable<T> call) {
        return spawn(std::move(call)).get();
    }

    /// Starts a call and lets it come to where it waits.
    template <class T>
    started<T> start(asio::awaitable<T> call) {
        auto handle = spawn(std::move(call));
        still_waiting(handle);
        return handle;
    }

    /// Starts a call, and no more.
    template <class T>
    started<T> begin(asio::awaitable<T> call) {
        return spawn(std::move(call));
    }

    /// Whether the call is not over, though the broker has had the time to answer.
    template <class T>
    bool still_waiting(const started<T>& handle) {
        poll();
        run(broker().counts(q));
        poll();
        return !handle.done();
    }

    /// What the call fails with; no error when it doesn't.
    template <class T>
    boost::system::error_code error_of(asio::awaitable<T> call) {
        return error_of(spawn(std::move(call)));
    }

    template <class T>
    boost::system::error_code error_of(started<T> handle) {
        try {
            handle.get();
        } catch (const boost::system::system_error& e) {
            return e.code();
        }
        return {};
    }

    /// Whether nothing keeps the context running, once the broker is closed.
    bool runs_empty() {
        backend_->context().restart();
        backend_->context().run_for(test::hang_limit);
        return backend_->context().stopped();
    }

    /// Lets what runs by itself do what it can before time goes on: a call's answer comes after those of calls before it,
    /// and a message after those before it.
    void let_work() {
        for (int i = 0; i < 10; ++i) {
            for (int j = 0; j < 4; ++j) run(broker().counts(q));
            let_hear();
        }
    }

    /// Returns when mailboxes of this process hear: what is sent without an `otherwise` before that is heard by nobody.
    void let_hear() {
        bool is_heard = false;
        const auto box = broker().open([&](std::string_view) { is_heard = true; });
        bounce otherwise(box->address(), "");
        if (run(broker().send(box->address(), "hear this", std::move(otherwise)))) drive(is_heard);
    }

    void pass(duration time) {
        advance(time);
        let_work();
    }

    void drive(const bool& done) {
        const auto watchdog = std::chrono::steady_clock::now() + test::hang_limit;
        while (!done) {
            backend_->context().restart();
            if (backend_->context().run_one_until(watchdog) == 0) throw std::runtime_error("a call hangs");
        }
    }

    // --- submitting ----------------------------------------------------------------------------------

    /// A task as most tests need it.
    static new_task task(std::string name = "work", int priority = 0, run_policy policy = {}) {
        new_task made;
        made.spec = std::make_shared<const task_spec>(task_spec{std::move(name), priority, policy, {}});
        return made;
    }

    static new_task task(run_policy policy) { return task("work", 0, policy); }

    submitted submit(new_task one, const std::string& queue = q) {
        std::vector<new_task> tasks;
        tasks.push_back(std::move(one));
        return run(broker().submit(queue, std::move(tasks))).at(0);
    }

    /// The key of a task that was not there before.
    task_key add(new_task one = task(), const std::string& queue = q) {
        const auto answer = submit(std::move(one), queue);
        BOOST_REQUIRE(!answer.duplicate);
        return answer.key;
    }

    std::vector<task_key> add_many(std::size_t count, const std::string& queue = q) {
        std::vector<task_key> keys;
        for (const auto& one : run(broker().submit(queue, std::vector<new_task>(count, task())))) {
            keys.push_back(one.key);
        }
        return keys;
    }

    // --- consumers -----------------------------------------------------------------------------------

    static constexpr duration lease = 30s;

    void join(const std::string& consumer = w, std::vector<std::string> queues = {q}) {
        run(broker().join(consumer, std::move(queues), lease));
    }

    static fetch_request request(const std::string& consumer = w, std::size_t max = 1, duration wait = {}) {
        fetch_request made;
        made.consumer = consumer;
        made.queues = {q};
        made.max = max;
        made.wait = wait;
        return made;
    }

    std::vector<delivery> fetch(const std::string& consumer = w, std::size_t max = 1) {
        return run(broker().fetch(request(consumer, max)));
    }

    delivery fetch_one(const std::string& consumer = w) {
        auto found = fetch(consumer);
        BOOST_REQUIRE_EQUAL(found.size(), 1U);
        return found[0];
    }

    renewal renew(const std::string& consumer = w, const std::string& queue = q) {
        return run(broker().renew(consumer, {queue}, lease));
    }

    // --- settling ------------------------------------------------------------------------------------

    static settlement settled(const delivery& which, kind how, std::string data = {}, duration delay = {}) {
        settlement made;
        made.key = which.key;
        made.token = which.token;
        made.how = how;
        made.data = std::move(data);
        made.delay = delay;
        return made;
    }

    effect settle(const settlement& one, const std::string& consumer = w) {
        return run(broker().settle(q, consumer, {one})).at(0);
    }

    effect settle(const delivery& which, kind how, const std::string& consumer = w) {
        return settle(settled(which, how), consumer);
    }

    effect report_progress(const delivery& which, std::string progress, const std::string& consumer = w) {
        attempt_report news;
        news.key = which.key;
        news.token = which.token;
        news.progress = std::move(progress);
        return run(broker().report(q, consumer, {news})).at(0);
    }

    // --- steering, one task at a time ----------------------------------------------------------------

    effect cancel(task_key key) { return run(broker().cancel(q, {key})).at(0); }
    effect start_held(task_key key) { return run(broker().start(q, {key})).at(0); }
    effect promote(task_key key) { return run(broker().promote(q, {key})).at(0); }
    effect requeue(task_key key) { return run(broker().requeue(q, {key})).at(0); }
    effect remove(task_key key) { return run(broker().remove(q, {key})).at(0); }
    effect update(task_key key, std::string payload) { return run(broker().update({q, key}, std::move(payload))); }

    // --- looking -------------------------------------------------------------------------------------

    std::optional<task_record> get(task_key key) { return run(broker().get({q, key})); }
    bool exists(task_key key) { return get(key).has_value(); }

    task_record record(task_key key) {
        auto found = get(key);
        BOOST_REQUIRE(found.has_value());
        return *found;
    }

    task_state state(task_key key) { return record(key).state; }
    queue_counts counts(const std::string& queue = q) { return run(broker().counts(queue)); }

    /// How the task has ended by now.
    std::optional<task_outcome> outcome(task_key key) { return run(broker().wait({q, key}, 0ms)); }

    /// All pages of a query in one.
    std::vector<task_record> list(list_query query = {}) {
        std::vector<task_record> all;
        do {
            auto page = run(broker().list(query));
            for (auto& record : page.tasks) all.push_back(std::move(record));
            query.cursor = page.cursor;
        } while (!query.cursor.empty());
        return all;
    }

private:
    template <class T>
    started<T> spawn(asio::awaitable<T> call) {
        return started<T>(*this, test::start_on(backend_->context().get_executor(), std::move(call)));
    }

    void poll() {
        backend_->context().restart();
        backend_->context().poll();
    }

    std::unique_ptr<backend> backend_;
};

template <class T>
T started<T>::get() {
    on_->drive(end_->done);
    return end_->get();
}

/// The keys of some deliveries or records, in their order.
inline std::vector<task_key> keys_of(const std::vector<delivery>& found) {
    std::vector<task_key> keys;
    for (const auto& one : found) keys.push_back(one.key);
    return keys;
}

inline std::vector<task_key> keys_of(const std::vector<task_record>& found) {
    std::vector<task_key> keys;
    for (const auto& one : found) keys.push_back(one.id.key);
    return keys;
}

}  // namespace taskflux::conformance
