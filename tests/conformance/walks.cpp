#include <conformance/model.hpp>

#include <boost/test/unit_test.hpp>

#include <random>

namespace taskflux::conformance {

namespace conformance_walks {

/// Random calls on a broker, each answer compared with the model's.
class walk {
public:
    walk(std::unique_ptr<backend> with, std::uint32_t seed) : on_(std::move(with)), random_(seed) {
        for (const auto* who : {"a", "b"}) join(who);
        if (roll(3) == 0) {
            model_.limit = 3;
            on_.run(on_.broker().set_limit(q, limit_kind::declared, limit().running(3), ""));
        }
        if (roll(3) == 0) {
            model_.limit_of_each_key = 1;
            on_.run(on_.broker().set_key_limit(q, "", limit_kind::declared, limit().running(1), ""));
        }
    }

    void go(int steps) {
        for (int i = 0; i < steps; ++i) {
            step();
            compare_counts();
        }
        compare_records();
    }

private:
    std::size_t roll(std::size_t sides) { return random_() % sides; }
    std::string someone() { return roll(2) ? "a" : "b"; }

    task_key some_key() {
        if (keys_.empty() || roll(20) == 0) return {1 + roll(5), 1};
        return keys_[roll(keys_.size())];
    }

    void step() {
        switch (roll(16)) {
            case 0:
            case 1: return submit();
            case 14: return submit_together();
            case 15: return report();
            case 2:
            case 3:
            case 4: return fetch();
            case 5:
            case 6:
            case 7: return settle();
            case 8: return advance();
            case 9: return consumers();
            case 10: return steer("cancel", &fixture::cancel, &model::cancel);
            case 11: return steer("start", &fixture::start_held, &model::start);
            case 12: return steer("requeue", &fixture::requeue, &model::requeue);
            case 13:
                if (roll(2)) return steer("promote", &fixture::promote, &model::promote);
                return steer("remove", &fixture::remove, &model::remove);
        }
    }

    void submit() {
        run_policy policy;
        if (roll(3) == 0) policy.deadline = 20s;
        if (roll(3) == 0) policy.expires_in = 8s;
        if (roll(2) == 0) policy.retention = policy.failed_retention = retention();
        policy.crash_limit = unsigned(roll(3));
        auto task = on_.task(policy);
        if (roll(3) == 0) task.delay = 5s;
        task.hold = roll(5) == 0;
        if (roll(3) == 0) task.unique_key = "k";
        if (roll(3) == 0) task.key = roll(2) ? "one" : "other";
        if (!task.unique_key.empty() && !task.hold) task.on_duplicate = static_cast<duplicate>(roll(3));
        task.payload = std::to_string(said_.size());
        say("submit as " + std::to_string(int(task.on_duplicate)));
        const auto there = model_.place_of(task);
        const auto answer = on_.submit(task);
        BOOST_TEST(answer.duplicate == there.has_value());
        if (!there) {
            keys_.push_back(answer.key);
            model_.submit(answer.key, task);
        } else {
            BOOST_TEST(answer.key == *there);
            if (task.on_duplicate != duplicate::join) model_.replace(*there, task);
        }
        if (task.on_duplicate == duplicate::restart) model_.restart(task.unique_key);
    }

    duration retention() {
        constexpr duration all[] = {0s, 3s, 12s, 25s};
        return all[roll(4)];
    }

    /// Tasks that differ in nothing but their payloads, which a broker may store as one.
    void submit_together() {
        run_policy policy;
        if (roll(2)) policy.retention = policy.failed_retention = retention();
        std::vector<new_task> tasks(4 + roll(3), on_.task(policy));
        for (auto& one : tasks) one.payload = std::to_string(said_.size());
        say("submit together");
        for (const auto& one : on_.run(on_.broker().submit(q, tasks))) {
            BOOST_TEST(!one.duplicate);
            keys_.push_back(one.key);
            model_.submit(one.key, tasks[0]);
        }
    }

    void report() {
        if (given_.empty()) return;
        const auto& which = given_[roll(given_.size())];
        const auto holder = model_.tasks.find(which.key);
        const auto who = holder != model_.tasks.end() && roll(4) ? holder->second.holder : someone();
        say("report");
        if (who.empty()) return;
        const auto progress = std::to_string(said_.size());
        BOOST_TEST(on_.report_progress(which, progress, who) == model_.report(which, progress, who));
    }

    void fetch() {
        const auto who = someone();
        const auto max = 1 + roll(roll(4) ? 2 : 8);
        say("fetch " + who);
        if (!model_.leases.contains(who)) {
            BOOST_TEST(on_.error_of(on_.broker().fetch(on_.request(who, max))) == errc::lease_lost);
            return;
        }
        const auto expected = (std::min)(max, model_.startable());
        const auto found = on_.fetch(who, max);
        BOOST_TEST(found.size() == expected);
        for (const auto& one : found) {
            BOOST_TEST(model_.deliver(one.key, who));
            BOOST_TEST(one.token == model_.tasks[one.key].deliveries);
            BOOST_TEST(one.attempt == model_.tasks[one.key].attempts());
            given_.push_back(one);
        }
    }

    void settle() {
        if (given_.empty()) return;
        constexpr kind all[] = {kind::complete, kind::fail, kind::retry, kind::release, kind::cancel, kind::throttle};
        const auto newest = given_.size() - 1;
        auto end = on_.settled(given_[roll(3) ? newest : roll(given_.size())], all[roll(roll(4) ? 5 : 6)]);
        if (roll(2) || end.how == kind::throttle) end.delay = 5s;
        end.counts = roll(3) > 0;
        const auto holder = model_.tasks.find(end.key);
        const auto who = holder != model_.tasks.end() && roll(4) ? holder->second.holder : someone();
        say("settle as " + std::to_string(int(end.how)));
        BOOST_TEST(on_.settle(end, who) == model_.settle(end, who));
        model_.settle_time();
    }

    void advance() {
        constexpr duration all[] = {1s, 5s, 15s, fixture::lease};
        const auto by = all[roll(4)];
        say("advance");
        on_.advance(by);
        model_.now += by;
        model_.settle_time();
    }

    void consumers() {
        const auto who = someone();
        say("consumer " + who);
        switch (roll(4)) {
            case 0: return join(who);
            case 1:
                on_.run(on_.broker().leave(who, {q}));
                return model_.leave(who);
            default:
                BOOST_TEST(on_.renew(who).lost == !model_.leases.contains(who));
                if (model_.leases.contains(who)) model_.leases[who] = model_.now + fixture::lease;
        }
    }

    void join(const std::string& who) {
        on_.join(who);
        model_.leases[who] = model_.now + fixture::lease;
    }

    void steer(const char* name, effect (fixture::*real)(task_key), effect (model::*ideal)(task_key)) {
        const auto key = some_key();
        say(name);
        BOOST_TEST((on_.*real)(key) == (model_.*ideal)(key));
        model_.settle_time();
    }

    void compare_counts() {
        using enum task_state;
        const auto counts = on_.counts();
        const std::pair<task_state, std::size_t> all[] = {
            {held, counts.held},           {scheduled, counts.scheduled}, {waiting, counts.waiting},
            {running, counts.running},     {succeeded, counts.succeeded}, {failed, counts.failed},
            {cancelled, counts.cancelled}, {expired, counts.expired},
        };
        for (const auto& [state, count] : all) {
            if (count == model_.count(state)) continue;
            BOOST_TEST_CONTEXT(said_ << boost::describe::enum_to_string(state, "")) BOOST_TEST(count == model_.count(state));
        }
    }

    void compare_records() {
        BOOST_TEST_INFO_SCOPE(said_);
        const auto records = on_.list();
        BOOST_REQUIRE(records.size() == model_.tasks.size());
        for (const auto& record : records) {
            const auto& ideal = model_.tasks[record.id.key];
            BOOST_TEST(record.state == ideal.state);
            BOOST_TEST(record.payload == ideal.payload);
            if (!ideal.progress.empty()) BOOST_TEST(on_.record(record.id.key).progress == ideal.progress);
            BOOST_TEST(record.attempts == ideal.attempts());
            BOOST_TEST(record.crashes == ideal.crashes);
            BOOST_TEST(record.deliveries == ideal.deliveries);
            BOOST_TEST(record.consumer == ideal.holder);
            BOOST_TEST(record.cancel_requested == ideal.cancel_requested);
        }
    }

    void say(const std::string& what) { said_ += what + ", "; }

    fixture on_;
    model model_;
    std::mt19937 random_;
    std::vector<task_key> keys_;
    std::vector<delivery> given_;
    std::string said_;
};

}  // namespace conformance_walks

BOOST_AUTO_TEST_SUITE(conformance_walks)

BOOST_AUTO_TEST_CASE_TEMPLATE(random_walks_follow_the_model, Backend, backends) {
    for (std::uint32_t seed = 1; seed <= number_of_walks(); ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed) walk(std::make_unique<Backend>(), seed).go(20);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(long_random_walks_follow_the_model, Backend, backends) {
    for (std::uint32_t seed = 2'000'001; seed <= 2'000'000 + number_of_walks() / 500; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed) walk(std::make_unique<Backend>(), seed).go(1000);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
