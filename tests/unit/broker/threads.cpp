#include <taskflux/broker/memory.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <set>

namespace broker_threads {

using namespace taskflux;
using namespace std::chrono_literals;
using kind = settlement::kind;

/// Everything that was submitted, and how it was heard to end.
class ledger {
public:
    void submitted(task_key key) {
        const std::lock_guard lock(mutex_);
        submitted_.insert(key);
    }

    void ended(task_key key, task_state state) {
        const std::lock_guard lock(mutex_);
        if (!is_terminal(state) || !ended_.emplace(key, state).second) ++mistakes_;
    }

    void acknowledged(task_key key) {
        const std::lock_guard lock(mutex_);
        if (!acknowledged_.insert(key).second) ++mistakes_;  // one task done twice
    }

    bool is_complete(std::size_t total) {
        const std::lock_guard lock(mutex_);
        return submitted_.size() == total && ended_.size() == total;
    }

    void check() {
        const std::lock_guard lock(mutex_);
        BOOST_TEST(mistakes_ == 0U);
        BOOST_TEST(submitted_.size() == ended_.size());
        std::size_t unlike = 0;
        for (const auto& [key, state] : ended_) {
            unlike += !submitted_.contains(key) || (state == task_state::succeeded) != acknowledged_.contains(key);
        }
        BOOST_TEST(unlike == 0U);
    }

private:
    std::mutex mutex_;
    std::set<task_key> submitted_, acknowledged_;
    std::map<task_key, task_state> ended_;
    std::size_t mistakes_ = 0;
};

constexpr std::size_t batches = 40, per_batch = 25;

asio::awaitable<void> wait_for(broker_ptr tasks, ledger& book, task_key key) {
    const task_id id{"q", key};
    const auto end = co_await tasks->wait(id, 10min);
    if (end) book.ended(key, end->state);
}

asio::awaitable<void> produce(broker_ptr tasks, ledger& book, unsigned seed) {
    std::mt19937 random(seed);
    for (std::size_t i = 0; i < batches; ++i) {
        std::vector<new_task> batch(per_batch);
        for (auto& task : batch) {
            task.spec = std::make_shared<const task_spec>(task_spec{"work", int(random() % 3), {}, {}});
            if (random() % 8 == 0) task.delay = 1ms;
        }
        const auto answers = co_await tasks->submit("q", std::move(batch));
        std::vector<task_key> unwanted;
        for (const auto& one : answers) {
            book.submitted(one.key);
            asio::co_spawn(tasks->get_executor(), wait_for(tasks, book, one.key), [](std::exception_ptr e) {
                if (e) std::rethrow_exception(e);
            });
            if (random() % 10 == 0) unwanted.push_back(one.key);
        }
        co_await tasks->cancel("q", unwanted);
    }
}

asio::awaitable<void> consume(broker_ptr tasks, ledger& book, std::string who, unsigned seed, std::size_t total) {
    std::mt19937 random(seed);
    const std::vector<std::string> queues{"q"};
    co_await tasks->join(who, queues, 10min);
    while (!book.is_complete(total)) {
        fetch_request request;
        request.consumer = who;
        request.queues = queues;
        request.max = 1 + random() % 20;
        request.wait = duration(1 + random() % 20);
        const auto found = co_await tasks->fetch(request);
        std::vector<settlement> ends;
        for (const auto& one : found) {
            settlement end;
            end.key = one.key;
            end.token = one.token;
            const auto dice = random() % 10;
            end.how = dice == 0 ? kind::release : dice == 1 ? kind::retry : dice == 2 ? kind::fail : kind::complete;
            end.delay = duration(random() % 3);
            ends.push_back(std::move(end));
        }
        // What was cancelled meanwhile ends as that, so only the record tells whether it has succeeded.
        const auto effects = co_await tasks->settle("q", who, ends);
        for (std::size_t i = 0; i < ends.size(); ++i) {
            if (effects[i] != effect::done || ends[i].how != kind::complete) continue;
            const task_id id{"q", ends[i].key};
            const auto record = co_await tasks->get(id);
            if (record && record->state == task_state::succeeded) book.acknowledged(ends[i].key);
        }
        if (random() % 5 == 0) co_await tasks->renew(who, queues, 10min);
        if (random() % 20 == 0) {
            co_await tasks->leave(who, queues);
            co_await tasks->join(who, queues, 10min);
        }
    }
}

asio::awaitable<void> look(broker_ptr tasks, ledger& book, std::size_t total) {
    list_query query;
    query.limit = 50;
    while (!book.is_complete(total)) {
        const auto page = co_await tasks->list(query);
        query.cursor = page.cursor;
        co_await tasks->counts("q");
        co_await tasks->watch("nobody", 1ms);
    }
}

/// Catches on the thread that threw: TSan does not see into libstdc++'s exception_ptr.
asio::awaitable<void> fetch_until_closed(broker_ptr tasks, fetch_request request, std::atomic<std::size_t>& ended) {
    try {
        co_await tasks->fetch(std::move(request));
    } catch (const boost::system::system_error& e) {
        ended += e.code() == errc::shut_down;
    }
}

}  // namespace broker_threads

BOOST_AUTO_TEST_SUITE(broker_threads)

BOOST_AUTO_TEST_CASE(nothing_is_lost_or_doubled_among_several_threads) {
    constexpr std::size_t producers = 4;
    constexpr auto total = producers * batches * per_batch;
    ledger book;
    asio::thread_pool threads(4);
    const broker_ptr tasks = make_memory_broker(threads.get_executor());
    std::vector<std::future<void>> all;
    for (unsigned i = 0; i < producers; ++i) all.push_back(co_spawn(threads, produce(tasks, book, i), asio::use_future));
    for (unsigned i = 0; i < 4; ++i) {
        auto work = consume(tasks, book, "w" + std::to_string(i), 100 + i, total);
        all.push_back(co_spawn(threads, std::move(work), asio::use_future));
    }
    all.push_back(co_spawn(threads, look(tasks, book, total), asio::use_future));
    for (auto& one : all) one.get();
    threads.join();
    book.check();
}

BOOST_AUTO_TEST_CASE(close_on_another_thread_ends_every_wait) {
    asio::thread_pool threads(3);
    const broker_ptr tasks = make_memory_broker(threads.get_executor());
    const std::vector<std::string> queues{"q"};
    co_spawn(threads, tasks->join("w", queues, 10min), asio::use_future).get();
    constexpr std::size_t total = 50;
    std::atomic<std::size_t> ended = 0;
    for (std::size_t i = 0; i < total; ++i) {
        fetch_request request;
        request.consumer = "w";
        request.queues = queues;
        request.wait = 10min;
        co_spawn(threads, fetch_until_closed(tasks, std::move(request), ended), asio::detached);
    }
    tasks->close();
    threads.join();
    BOOST_TEST(ended == total);
}

BOOST_AUTO_TEST_SUITE_END()
