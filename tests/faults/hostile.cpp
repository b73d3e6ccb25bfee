#include "fixture.hpp"

#include <taskflux/flow/client.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <random>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Somebody writes into the keys of a queue while workers, clients, lists and a schedule are at work on it: junk where it finds
// room, foreign types for a while, records and states of some tasks, its victims. Nothing crashes or hangs, no other task is
// lost, and each damage is said once. What is done is drawn from a seed (TASKFLUX_STORM_SEED); TASKFLUX_LONG makes it long.
namespace faults_hostile {

using namespace test::faults;
using namespace taskflux;

std::size_t rounds() { return std::getenv("TASKFLUX_LONG") ? 3'000 : 60; }

const auto in_queue = task_options().queue("q").crash_limit(0);
const task<int(int)> leaf{"leaf", in_queue};
const task<int(int)> parent{"parent", in_queue};
const task<int(int)> victim{"victim", in_queue};
const task<void()> tick{"tick", in_queue};

asio::awaitable<int> run_leaf(int value) {
    co_await pause(std::chrono::milliseconds(value % 5));
    co_return value;
}

asio::awaitable<int> run_parent(context& ctx, int value) {
    const auto made = co_await ctx.map(leaf, std::views::iota(0, 3));
    co_return value + co_await ctx.call(leaf, value) + int(made.size());
}

int made_of_parent(int value) { return 2 * value + 3; }

class storm {
public:
    storm(test::redis_server& server, unsigned seed) : server_(server), eye_(server.connect()), random_(seed) {
        for (auto& worker : workers_) {
            worker.on(leaf, run_leaf);
            worker.on(parent, run_parent);
            worker.on(victim, [](int value) { return value; });
            worker.on(tick, [this] { ++ticks_; });
            start(worker.run(), open_calls_);
        }
        start(every_second(scheduler_), open_calls_);
        BOOST_REQUIRE(run_until(io_, [&] { return ticks_ > 0; }));
    }

    ~storm() {
        for (auto& worker : workers_) worker.stop();
        scheduler_.stop();
        BOOST_CHECK(run_until(io_, [&] { return open_calls_ + at_work_ == 0; }));
        for (const auto& broker : {broker_, other_}) broker->close();
        io_.restart();
        io_.run();
    }

    void rage() {
        for (std::size_t round = 0; round < rounds(); ++round) {
            start(work(), at_work_);
            for (unsigned i = 0; i < 3; ++i) write_something();
            if (draw(4) == 0) change_a_type();
            if (draw(3) == 0) damage_a_victim();
            io_.restart();
            io_.run_for(std::chrono::milliseconds(draw(30)));
            if (draw(2) == 0) take_back();
        }
        take_back();
    }

    /// All but victims succeed, once, and a schedule goes on.
    void check() {
        BOOST_REQUIRE(run_until(io_, [&] { return at_work_ == 0; }));
        BOOST_TEST_MESSAGE(jobs_.size() << " tasks beside " << writes_ << " foreign writes, " << types_changed_ << " changed types, "
                                        << victims_damaged_ << " damaged victims; " << refused_ << " calls refused, " << said_.size()
                                        << " damages said");
        BOOST_TEST(jobs_.size() > rounds() / 4);
        BOOST_TEST(writes_ > rounds());
        BOOST_TEST(types_changed_ >= rounds() / 60);
        BOOST_TEST(victims_damaged_ >= rounds() / 60);
        for (const auto& [job, result] : jobs_) {
            const auto is_over = std::make_shared<bool>(false);
            start(wait_for(job, result, is_over), open_calls_);
            BOOST_REQUIRE_MESSAGE(run_until(io_, [&] { return *is_over; }), "task " << to_string(job.id()) << " does not end");
        }
        const auto before = ticks_;
        BOOST_TEST(run_until(io_, [&] { return ticks_ > before; }), "the schedule has stopped");
        BOOST_TEST(!said_.empty());
        for (const auto& [line, times] : said_) BOOST_TEST(times == 1U, line << " is said " << times << " times");
    }

private:
    unsigned draw(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(random_); }
    template <class Range>
    const auto& one_of(const Range& all) { return all[draw(unsigned(std::size(all)))]; }

    /// Counts the call in `open` while it is under way.
    void start(asio::awaitable<void> call, std::size_t& open) {
        ++open;
        asio::co_spawn(io_, std::move(call), [this, &open](const std::exception_ptr& error) {
            --open;
            if (!error) return;
            try {
                std::rethrow_exception(error);
            } catch (const boost::system::system_error& e) {  // a foreign type or number is in the way
                ++refused_;
                const bool is_expected = e.code() == errc::protocol || e.code() == errc::unavailable;
                BOOST_TEST(is_expected, "a call ends with " << e.what());
            }
        });
    }

    static asio::awaitable<void> every_second(scheduler& on) {
        co_await on.every("* * * * * *", "UTC", tick);
        co_await on.run();
    }

    /// What a program may do, as it does it.
    asio::awaitable<void> work() {
        const auto value = int(draw(1'000));
        switch (draw(8)) {
            case 0: note(co_await client_.submit(parent, value), made_of_parent(value)); break;
            case 1: {
                const auto own = submit_options().id("own " + std::to_string(++numbered_));
                note(co_await client_.submit(leaf, own, value), value);
                break;
            }
            case 2: {
                const auto unique = submit_options().unique("key " + std::to_string(++numbered_));
                note(co_await client_.submit(leaf, unique, value), value);
                break;
            }
            case 3: {
                const auto later = submit_options().delay(50ms);
                note(co_await client_.submit(leaf, later, value), value);
                break;
            }
            case 4: {
                list_query query;
                query.queue = "q";
                query.limit = 20;
                co_await broker_->list(query);
                co_await broker_->counts("q");
                break;
            }
            case 5: co_await other_->clear("q", task_state::cancelled, 10); break;
            case 6: note(co_await client_.submit(leaf, value), value); break;
            default: {
                const auto all = co_await client_.submit_all(leaf, std::views::iota(value, value + 5));
                for (int i = 0; i < 5; ++i) note(all[std::size_t(i)], value + i);
            }
        }
    }

    void note(job<int> job, int result) { jobs_.emplace_back(std::move(job), result); }

    asio::awaitable<void> wait_for(job<int> job, int result, std::shared_ptr<bool> is_over) {
        const auto ended = co_await job.outcome();
        *is_over = true;
        const auto why = ended->failure ? ended->failure->message : "state " + std::to_string(int(ended->state));
        BOOST_TEST((ended->state == task_state::succeeded), "task " << to_string(job.id()) << " has not succeeded: " << why);
        if (ended->value) BOOST_TEST(*ended->value == result);
    }

    static std::string key(std::string_view letter) { return "tf:{q}:" + std::string(letter); }

    std::string junk() {
        static const std::string huge = "99999999999999999999";
        const std::vector<std::string> texts{
            "", "junk", "nan", "-inf", "1e300", "-5", "0.5", huge, "1-" + huge, "@" + huge + ":5", "@5:" + huge, "D" + huge,
            "X1", "{\"a\":", "ghost " + std::to_string(draw(5)), {"\0\xff\n", 3}, std::string(40, '\xff'),
            std::string(40, '\x09'), std::string(100'000, 'x')};
        return one_of(texts);
    }

    /// Whether the server has done it.
    bool write(const std::vector<std::string>& words) {
        const bool is_done = !eye_.try_command(words).is_error();
        writes_ += is_done;
        return is_done;
    }

    /// Adds what does not belong there, beside what does.
    void write_something() {
        const std::string hashes = "sbhkywgxNoqSrD", sorted = "deCfuiB";
        const std::array scores{"0", "-inf", "inf", "1e300", "5"};
        switch (draw(6)) {
            case 0: {
                const auto letter = std::string(1, one_of(hashes));
                const auto field = letter == "D" ? junk() : "junk" + junk();
                write({"HSETNX", key(letter), field, junk()});
                break;
            }
            case 1: write({"ZADD", key(std::string(1, one_of(sorted))), "NX", one_of(scores), junk()}); break;
            case 2: write({draw(2) ? "LPUSH" : "RPUSH", key("l:0"), junk(), junk()}); break;
            case 3: {
                const auto ghost = "ghost " + std::to_string(draw(5));
                write({"SADD", key("a:" + ghost), junk(), junk(), std::to_string(draw(2'000))});
                write({"ZADD", key("C"), "0", ghost});
                break;
            }
            case 4: disturb_a_process(); break;
            default: {
                const std::array fields{"n2", "nu", "watching", "watcher", "gaps", "foreign"};
                write({"HSET", key("c"), one_of(fields), junk()});
            }
        }
    }

    /// What the queue knows of a consumer or a producer that is there.
    void disturb_a_process() {
        const auto consumers = eye_.try_command({"HKEYS", key("h")}).texts();
        const auto producers = eye_.try_command({"KEYS", key("p:*")}).texts();
        const auto what = draw(3);
        if (what == 0 && !producers.empty()) write({"SET", one_of(producers), junk(), "KEEPTTL"});
        if (consumers.empty()) return;
        if (what == 1) write({"ZADD", key("C"), "XX", "0", one_of(consumers)});
        if (what == 2) write({"HSET", key("h"), one_of(consumers), junk()});
    }

    /// A key is of another type for a while, and what was there comes back.
    void change_a_type() {
        const std::string keys = "crsdeChfkywxuiNbBoSg";
        if (!foreign_.empty()) return;
        foreign_ = key(std::string(1, one_of(keys)));
        eye_.try_command({"EVAL", "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end "
                                  "redis.call('SET', KEYS[1], 'foreign')", "2", foreign_, foreign_ + " aside"});
        ++types_changed_;
    }

    void take_back() {
        if (foreign_.empty()) return;
        const auto name = std::exchange(foreign_, {});
        eye_.try_command({"EVAL", "redis.call('DEL', KEYS[1]) "
                                  "if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[1]) end",
                          "2", name, name + " aside"});
    }

    /// Records and states of tasks that are there only for that.
    void damage_a_victim() {
        start(submit_victims(), open_calls_);
        if (victims_.empty()) return;
        const auto number = std::to_string(one_of(victims_));
        const std::array hashes{"r", "s", "b"};
        const auto hash = key(one_of(hashes));
        auto text = eye_.try_command({"HGET", hash, number}).text;
        if (text.empty() || draw(3) == 0) text = junk();
        else if (draw(2) == 0) text.resize(draw(unsigned(text.size())));
        else text[draw(unsigned(text.size()))] = char(draw(256));
        const bool is_there = eye_.try_command({"HEXISTS", hash, number}).text == "1";
        if (is_there || hash == key("s")) victims_damaged_ += write({"HSET", hash, number, text});
        write({"HSET", key("j:" + number), "junk", junk()});
    }

    asio::awaitable<void> submit_victims() {
        if (draw(2) == 0) {
            const auto job = co_await client_.submit(victim, 1);
            victims_.push_back(job.id().key.sequence);
        } else {
            const auto all = co_await client_.submit_all(victim, std::views::iota(0, 4));
            for (const auto& job : all) victims_.push_back(job.id().key.sequence);
        }
    }

    redis_options options(const char* name) {
        return redis_options().timeout(2s).log([this, name](std::string_view line) {
            if (line.find("is set aside") != line.npos) ++said_[name + std::string(": ") + std::string(line)];
        });
    }

    test::redis_server& server_;
    test::redis_client eye_;
    std::mt19937 random_;
    std::map<std::string, unsigned> said_;
    asio::io_context io_;
    broker_ptr broker_ = make_redis_broker(io_.get_executor(), server_.url(), options("one"));
    broker_ptr other_ = make_redis_broker(io_.get_executor(), server_.url(), options("other"));
    client client_{broker_};
    static worker_options settings() { return worker_options().queues({"q"}).concurrency(20).lease(lease).log(nullptr); }
    worker workers_[2]{worker(broker_, settings()), worker(other_, settings())};
    scheduler scheduler_{broker_, scheduler_options().look_every(100ms).log(nullptr)};
    std::deque<std::pair<job<int>, int>> jobs_;
    std::vector<std::uint64_t> victims_;
    std::string foreign_;  // the key that is of another type now
    std::size_t open_calls_ = 0, at_work_ = 0, refused_ = 0, numbered_ = 0, ticks_ = 0;
    std::size_t writes_ = 0, types_changed_ = 0, victims_damaged_ = 0;
};

}  // namespace faults_hostile

BOOST_AUTO_TEST_SUITE(faults_hostile)

BOOST_AUTO_TEST_CASE(whatever_others_write_while_all_are_at_work_no_other_task_is_lost) {
    const char* const given = std::getenv("TASKFLUX_STORM_SEED");
    const auto seed = given ? unsigned(std::stoul(given)) : std::random_device{}() % 1'000'000;
    BOOST_TEST_MESSAGE("TASKFLUX_STORM_SEED=" << seed);
    BOOST_TEST_CONTEXT("TASKFLUX_STORM_SEED=" << seed) {
        test::redis_server server;
        storm one(server, seed);
        one.rage();
        one.check();
    }
}

BOOST_AUTO_TEST_SUITE_END()
