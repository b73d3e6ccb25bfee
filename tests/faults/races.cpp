#include "fixture.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Fault 14: cancelling races fetching, settling and recovery. Each has a connection of its own to one server, so
// that the server sees their calls in any order; what is called when is drawn from a seed.
namespace faults_races {

using namespace test::faults;
using namespace taskflux;
using kind = settlement::kind;

constexpr std::size_t per_round = 100;
std::size_t rounds() { return std::getenv("TASKFLUX_LONG") ? 1'000 : 20; }

/// What was answered about one task.
struct answers {
    unsigned cancelled = 0;  ///< cancels that ended it
    unsigned requested = 0;  ///< cancels of it while it ran
    unsigned refused = 0;    ///< cancels of it when it had ended
    unsigned ended = 0;      ///< settlements that ended it, or would have but for a cancel
    unsigned put_back = 0;   ///< settlements after which it may run again
    std::set<task_state> ends;  ///< that a waiter or a look at it has seen
    unsigned crashes = 0;       ///< how often it was taken from a worker whose lease was lost

    answers& operator+=(const answers& other) {
        cancelled += other.cancelled;
        requested += other.requested;
        refused += other.refused;
        ended += other.ended;
        put_back += other.put_back;
        crashes += other.crashes;
        return *this;
    }
};

std::ostream& operator<<(std::ostream& out, const answers& of) {
    return out << of.cancelled << " cancelled, " << of.requested << " requested, " << of.refused << " refused, " << of.ended
               << " ended, " << of.put_back << " put back, " << of.crashes << " crashed";
}

class race {
public:
    race(test::redis_server& server, unsigned seed) : server_(server), seed_(seed), random_(seed) {
        for (auto& broker : brokers_) broker = make_redis_broker(io_.get_executor(), server.url(), test::patient());
    }
    ~race() {
        is_racing_ = false;
        ended_ = per_round;
        for (auto& broker : brokers_) broker->close();
        io_.restart();
        io_.run();
    }

    void run() {
        for (std::size_t round = 0; round < rounds(); ++round) {
            BOOST_TEST_CONTEXT("seed " << seed_ << ", round " << round) run_round();
        }
        BOOST_TEST_MESSAGE(rounds() * per_round << " tasks: " << all_);
        for (const auto count : {all_.cancelled, all_.requested, all_.refused, all_.ended, all_.put_back, all_.crashes}) {
            BOOST_TEST(count >= rounds() / 4);  // each of these races has taken place
        }
    }

private:
    using awaitable_void = asio::awaitable<void>;

    void run_round() {
        tasks_.clear();
        ended_ = 0;
        std::vector<awaitable_void> first, racing, last;
        first.push_back(submit());
        together(std::move(first));
        is_racing_ = true;
        racing.push_back(work(0));
        racing.push_back(work(1));
        racing.push_back(cancel_some());
        racing.push_back(pass_time());
        for (auto& keys : keys_in_parts()) racing.push_back(wait_for_ends(std::move(keys)));
        together(std::move(racing));
        for (auto& keys : keys_in_parts()) last.push_back(look_at(std::move(keys)));
        together(std::move(last));
        check();
    }

    void together(std::vector<awaitable_void> all) {
        struct ends {  // what goes on when one has failed notes its end later
            std::size_t left;
            std::exception_ptr failure;
        };
        const auto noted = std::make_shared<ends>(ends{all.size(), nullptr});
        for (auto& one : all) {
            asio::co_spawn(io_, std::move(one), [noted](std::exception_ptr error) {
                if (error) noted->failure = error;
                --noted->left;
            });
        }
        const bool is_over = run_until(io_, [&] { return noted->left == 0 || noted->failure; }, [&] { return ended_; });
        if (!is_over) throw std::runtime_error("a race does not end");
        if (noted->failure) std::rethrow_exception(noted->failure);
    }

    unsigned draw(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(random_); }

    awaitable_void submit() {
        run_policy policy;
        policy.crash_limit = 0;  // no end but those that are counted
        const auto spec = std::make_shared<const task_spec>(task_spec{"work", 0, policy, {}});
        std::vector<new_task> tasks(per_round);
        for (auto& task : tasks) {
            task.spec = spec;
            if (draw(4) == 0) task.delay = duration(draw(3000));
        }
        const auto stored = co_await brokers_[2]->submit("q", std::move(tasks));
        for (const auto& one : stored) tasks_[one.key];
    }

    /// Runs tasks until all have ended. A lost lease is followed by a new life, and so is the race: who leaves gives
    /// back what it has forgotten.
    awaitable_void work(std::size_t number) {
        auto& on = *brokers_[number];
        const std::vector<std::string> queues{"q"};
        while (ended_ < per_round) {
            const auto consumer = std::to_string(number) + '-' + std::to_string(++lives_);
            co_await on.join(consumer, queues, lease);
            const bool is_race = is_racing_;
            bool is_alive = true;
            while (is_alive && is_race == is_racing_ && ended_ < per_round) is_alive = co_await work_a_bit(on, consumer);
            co_await on.leave(consumer, queues);
        }
    }

    /// False when this life is over.
    asio::awaitable<bool> work_a_bit(broker& on, std::string consumer) {
        const bool is_race = is_racing_;
        fetch_request request;
        request.consumer = consumer;
        request.queues = {"q"};
        request.max = 1 + draw(10);
        std::vector<delivery> found;
        bool is_lost = false;
        try {
            found = co_await on.fetch(request);
        } catch (const error& e) {
            if (e.code() != errc::lease_lost) throw;
            is_lost = true;
        }
        if (is_lost) co_return false;
        if (found.empty()) co_await pause(1ms);
        if (is_race && draw(8) == 0) co_return draw(2) == 0;  // forgets them; or leaves, and gives them back
        co_await dawdle();
        std::vector<settlement> ends(found.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            ends[i].key = found[i].key;
            ends[i].token = found[i].token;
            ends[i].how = is_race ? kinds[draw(5)] : draw(2) == 0 ? kind::complete : kind::fail;
            ends[i].data = "1";
            ends[i].delay = duration(draw(200));
        }
        const auto effects = co_await on.settle("q", consumer, ends);
        for (std::size_t i = 0; i < ends.size(); ++i) {
            if (effects[i] != effect::done) continue;
            auto& of = tasks_.at(ends[i].key);
            ++(ends[i].how == kind::retry || ends[i].how == kind::release ? of.put_back : of.ended);
        }
        if (is_race) co_return true;
        server_.advance(lease / 4);  // until what is put off is due
        const auto answer = co_await on.renew(consumer, request.queues, lease);
        co_return !answer.lost;
    }

    awaitable_void cancel_some() {
        std::vector<task_key> keys;
        for (const auto& [key, of] : tasks_) {
            for (auto times = draw(3); times > 0; --times) keys.push_back(key);
        }
        std::ranges::shuffle(keys, random_);
        for (std::size_t from = 0; from < keys.size();) {
            const auto till = std::min<std::size_t>(from + 1 + draw(8), keys.size());
            const std::vector<task_key> some(keys.begin() + std::ptrdiff_t(from), keys.begin() + std::ptrdiff_t(till));
            const auto effects = co_await brokers_[2]->cancel("q", some);
            for (std::size_t i = 0; i < some.size(); ++i) {
                auto& of = tasks_.at(some[i]);
                ++(effects[i] == effect::done ? of.cancelled : effects[i] == effect::requested ? of.requested : of.refused);
                BOOST_TEST((effects[i] != effect::not_found));
            }
            from = till;
            co_await dawdle();
        }
        is_racing_ = false;
    }

    /// Now and then past everybody's lease.
    awaitable_void pass_time() {
        while (is_racing_) {
            co_await dawdle();
            server_.advance(draw(5) == 0 ? lease + 1ms : duration(draw(300)));
        }
    }

    /// Of some before they end, of some after.
    awaitable_void wait_for_ends(std::vector<task_key> keys) {
        for (const auto& key : keys) {
            const task_id id{"q", key};
            const auto outcome = co_await brokers_[3]->wait(id, test::no_timeout);
            if (!outcome) throw std::runtime_error("a task does not end");
            tasks_.at(key).ends.insert(outcome->state);
            ++ended_;
        }
    }

    /// Lets some time pass, or none.
    awaitable_void dawdle() {
        if (const auto us = draw(2000); us > 500) {
            asio::steady_timer timer(io_, std::chrono::microseconds(us));
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    /// The keys of all tasks, in parts that somebody goes through one after the other.
    std::vector<std::vector<task_key>> keys_in_parts() const {
        std::vector<std::vector<task_key>> parts(per_round / 10);
        std::size_t i = 0;
        for (const auto& [key, of] : tasks_) parts[i++ % parts.size()].push_back(key);
        return parts;
    }

    awaitable_void look_at(std::vector<task_key> keys) {
        for (const auto& key : keys) {
            const task_id id{"q", key};
            const auto record = co_await brokers_[3]->get(id);
            tasks_.at(key).ends.insert(record.value().state);
            tasks_.at(key).crashes = record.value().crashes;
        }
    }

    void check() {
        for (const auto& [key, of] : tasks_) {
            all_ += of;
            BOOST_TEST_CONTEXT("task " << key.sequence << ": " << of) {
                BOOST_REQUIRE(of.ends.size() == 1U);  // a waiter and a later look at it agree
                const auto state = *of.ends.begin();
                BOOST_TEST(is_terminal(state));
                BOOST_TEST(of.cancelled + of.ended <= 1);
                if (of.cancelled > 0 || of.requested > 0) BOOST_TEST((state == task_state::cancelled));
                else BOOST_TEST((state == task_state::succeeded || state == task_state::failed));
                if (state != task_state::cancelled) BOOST_TEST(of.ended == 1);
            }
        }
        for (const char* key : {"x", "w", "d", "e", "y"}) {
            BOOST_TEST(server_.command({"EXISTS", std::string("tf:{q}:") + key}).integer() == 0, key << " is left");
        }
    }

    static constexpr duration lease = 2s;
    static constexpr kind kinds[] = {kind::complete, kind::fail, kind::retry, kind::release, kind::cancel};

    test::redis_server& server_;
    const unsigned seed_;
    std::mt19937 random_;
    asio::io_context io_;
    broker_ptr brokers_[4];  // two workers', the canceller's, and the observer's
    std::map<task_key, answers> tasks_;
    answers all_;
    std::size_t ended_ = 0;
    bool is_racing_ = false;
    unsigned lives_ = 0;
};

}  // namespace faults_races

BOOST_AUTO_TEST_SUITE(faults_races)

BOOST_AUTO_TEST_CASE(a_task_that_is_cancelled_while_others_fetch_settle_and_recover_it_ends_once) {
    test::redis_server server(test::redis_server_options().frozen_clock());
    race(server, 20260714).run();
}

BOOST_AUTO_TEST_SUITE_END()
