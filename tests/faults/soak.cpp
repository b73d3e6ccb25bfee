#include "fixture.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// Fault 13: hours of steady work of all kinds, in the server's time. It takes no more memory after that than after
// the first minutes, has no key that docs/wire-format.md does not name, and leaves nothing behind.
namespace faults_soak {

// `c` holds what is in no history yet: up to a thousand counters, where the server's clock runs ahead of its clients'.
const std::vector<std::string> of_statistics{"tf:{q}:M", "tf:{q}:c", "tf:{q}:m"};

using namespace test::faults;
using namespace taskflux;
using kind = settlement::kind;

constexpr auto retention = 60s;
constexpr auto turn_time = 5s;
constexpr auto lease = 30s;
// In which tasks are at the end of a turn: what is handed out is settled, or forgotten by its consumer.
constexpr task_state states[] = {task_state::held, task_state::scheduled, task_state::waiting, task_state::running,
                                 task_state::succeeded, task_state::failed, task_state::cancelled, task_state::expired};
std::chrono::minutes in_all() { return std::getenv("TASKFLUX_LONG") ? 24h : 30min; }

/// The keys of a queue as the tables of docs/wire-format.md name them, with the type of each.
class documented_keys {
public:
    documented_keys() {
        const std::filesystem::path root = TASKFLUX_ROOT;  // not __FILE__, which ccache makes a relative path
        std::ifstream file(root / "docs/wire-format.md");
        const std::regex row("\\| `([^`]+)` \\| ([A-Z]+) \\|.*");
        const std::regex part("<[^>]+>");
        for (std::string line; std::getline(file, line);) {
            std::smatch found;
            if (!std::regex_match(line, found, row)) continue;
            auto type = found[2].str();
            for (auto& c : type) c = static_cast<char>(std::tolower(c));
            patterns_.emplace_back(std::regex("tf:\\{q\\}:" + std::regex_replace(found[1].str(), part, ".+")), type);
        }
        if (patterns_.empty()) throw std::runtime_error("docs/wire-format.md names no keys");
    }

    bool has(const std::string& key, const std::string& type) const {
        if (key == "tf:{queues}") return type == "set";
        return std::ranges::any_of(patterns_, [&](const auto& one) {
            return one.second == type && std::regex_match(key, one.first);
        });
    }

private:
    std::vector<std::pair<std::regex, std::string>> patterns_;
};

class life {
public:
    life() : on_(server_.url()) {}

    /// Some work of every kind, and then `turn_time` passes.
    void go_on() {
        if (++turn_ % 20 == 1) move_on();
        submit_all_kinds();
        const auto found = fetch();
        for (const auto& one : found) settle(one);
        server_.advance(turn_time);
        on_.run(on_.broker->renew(consumer_, queues_, lease));
    }

    /// Bytes of all keys, as the server accounts for them.
    /// Of all but the statistics, whose history fills for two weeks.
    std::size_t bytes() {
        auto all = keys();
        std::erase_if(all, [&](const std::string& key) { return std::ranges::count(of_statistics, key) > 0; });
        return bytes_of(all);
    }
    std::size_t bytes_of(const std::vector<std::string>& all) {
        std::size_t sum = 0;
        for (const auto& key : all) {
            const auto used = eye_.command({"MEMORY", "USAGE", key, "SAMPLES", "0"});
            if (!used.is_nil()) sum += std::size_t(used.integer());
        }
        return sum;
    }

    std::string type_of(const std::string& key) { return eye_.command({"TYPE", key}).text; }
    std::vector<std::string> keys() { return eye_.command({"KEYS", "*"}).texts(); }

    /// Ends everything that lives, and waits until it is forgotten.
    void come_to_an_end() {
        on_.run(on_.broker->leave(consumer_, queues_));
        server_.advance(lease + 1s);  // of the one that is just not there any more
        move_on();
        for (auto found = fetch(); !found.empty(); found = fetch()) {
            for (const auto& one : found) settle(one, kind::complete);
        }
        on_.run(on_.broker->clear("q", task_state::waiting, 100));  // what nobody knows
        on_.run(on_.broker->clear("q", task_state::held, 10'000));
        on_.run(on_.broker->leave(consumer_, queues_));
        server_.advance(11min);  // a producer's last answer is kept for ten
    }

    queue_counts counts() { return on_.run(on_.broker->counts("q")); }

    /// How often each step had the effect that it was to have.
    const std::map<std::string, std::size_t>& steps() const { return steps_; }

private:
    /// A new consumer takes over. The one before leaves, or every other time just is not there any more.
    void move_on() {
        if (!consumer_.empty() && turn_ % 40 == 1) on_.run(on_.broker->leave(consumer_, queues_));
        consumer_ = "w" + std::to_string(turn_);
        on_.run(on_.broker->join(consumer_, queues_, lease));
    }

    static new_task task(int priority = 0) {
        run_policy policy;
        policy.retention = retention;
        policy.failed_retention = retention;
        new_task made;
        made.spec = std::make_shared<const task_spec>(task_spec{"work", priority, policy, {}});
        made.payload = std::string(64, '1');
        return made;
    }

    void submit_all_kinds() {
        std::vector<new_task> tasks;
        for (int priority : {0, 0, 5, -5}) tasks.push_back(task(priority));
        tasks.push_back(task());
        tasks.back().own_id = "id " + std::to_string(turn_);
        tasks.push_back(task());
        tasks.back().unique_key = "key " + std::to_string(turn_);
        tasks.push_back(task());
        tasks.back().unique_key = "window " + std::to_string(turn_);
        tasks.back().unique_window = 2s;
        tasks.push_back(task());
        tasks.back().delay = 7s;
        for (int i = 0; i < 3; ++i) {
            tasks.push_back(task());
            tasks.back().hold = true;
        }
        auto short_lived = task();
        auto spec = *short_lived.spec;
        spec.policy.expires_in = 3s;
        short_lived.spec = std::make_shared<const task_spec>(std::move(spec));
        short_lived.delay = 4s;
        tasks.push_back(std::move(short_lived));
        auto strange = task();
        auto unknown = *strange.spec;
        unknown.name = "nobody knows this";
        strange.spec = std::make_shared<const task_spec>(std::move(unknown));
        tasks.push_back(std::move(strange));

        const auto made = on_.run(on_.broker->submit("q", std::move(tasks)));
        count("start", on_.run(on_.broker->start("q", {made[8].key})).at(0));
        count("cancel a waiting one", on_.run(on_.broker->cancel("q", {made[0].key})).at(0));
        count("cancel a held one", on_.run(on_.broker->cancel("q", {made[9].key})).at(0));
        count("remove", on_.run(on_.broker->remove("q", {made[2].key})).at(0));
        count("update", on_.run(on_.broker->update({"q", made[1].key}, std::string(100, '2'))));
        on_.run(on_.broker->wait({"q", made[1].key}, 1ms));  // nobody hears the message
        cancel_in_the_end(strangers_, made.back().key, "cancel what nobody knows");
        cancel_in_the_end(held_, made[10].key, "cancel what was held for long");
    }

    /// Once ten others of its kind have been submitted.
    void cancel_in_the_end(std::vector<task_key>& all, task_key key, const std::string& step) {
        all.push_back(key);
        if (all.size() <= 10) return;
        count(step, on_.run(on_.broker->cancel("q", {all.front()})).at(0));
        all.erase(all.begin());
    }

    std::vector<delivery> fetch() {
        fetch_request request;
        request.consumer = consumer_;
        request.queues = queues_;
        request.names = names_;
        request.max = 100;
        request.wait = 1ms;  // when there is nothing, it is known to sleep for so long
        return on_.run(on_.broker->fetch(std::move(request)));
    }

    void settle(const delivery& which) {
        const auto luck = ++settled_ % 8;
        attempt_report news;
        news.key = which.key;
        news.token = which.token;
        news.progress = "50";
        news.log.resize(1);
        if (luck < 3) count("report", on_.run(on_.broker->report("q", consumer_, {news})).at(0));
        if (luck == 1) count("cancel a running one", on_.run(on_.broker->cancel("q", {which.key})).at(0), effect::requested);
        if (luck == 7) return;  // its consumer forgets it
        settle(which, luck == 2 ? kind::fail : luck == 3 ? kind::retry : luck == 4 ? kind::release : kind::complete);
    }

    void settle(const delivery& which, kind how) {
        settlement end;
        end.key = which.key;
        end.token = which.token;
        end.how = how;
        end.data = std::string(50, '3');
        end.delay = how == kind::retry ? 3s : 0s;
        count("settle " + std::to_string(int(how)), on_.run(on_.broker->settle("q", consumer_, {end})).at(0));
    }

    void count(const std::string& step, effect had, effect wanted = effect::done) { steps_[step] += had == wanted; }

    test::redis_server server_{test::redis_server_options().frozen_clock()};
    test::redis_client eye_ = server_.connect();
    observer on_;
    const std::vector<std::string> queues_{"q"};
    const std::shared_ptr<const name_set> names_ = std::make_shared<const name_set>(name_set{"work"});
    std::string consumer_;
    std::vector<task_key> strangers_, held_;
    std::map<std::string, std::size_t> steps_;
    std::size_t turn_ = 0, settled_ = 0;
};

}  // namespace faults_soak

BOOST_AUTO_TEST_SUITE(faults_soak)

BOOST_AUTO_TEST_CASE(hours_of_work_leave_nothing_behind) {
    life one;
    const documented_keys schema;
    const std::size_t some = 5min / turn_time;
    std::set<std::string> undocumented;
    queue_counts most_of;
    const auto go_on = [&](std::size_t steps) {  // how many bytes there were in it at most
        std::size_t most = 0;
        for (std::size_t i = 0; i < steps; ++i) {
            one.go_on();
            if (i % 10 != 0) continue;
            most = std::max(most, one.bytes());
            const auto now = one.counts();
            for (const auto state : states) most_of[state] = std::max(most_of[state], now[state]);
            most_of.unclaimed = std::max(most_of.unclaimed, now.unclaimed);
            for (const auto& key : one.keys()) {
                const auto type = one.type_of(key);
                if (type != "none" && !schema.has(key, type)) undocumented.insert(type + ' ' + key);
            }
        }
        return most;
    };
    const auto tell_sizes = [&] {
        for (const auto& key : one.keys()) BOOST_TEST_MESSAGE(key << ": " << one.bytes_of({key}) << " bytes");
    };
    go_on(some);
    const auto warm = go_on(some);
    tell_sizes();
    go_on(std::size_t(in_all() / turn_time) - 3 * some);
    const auto later = go_on(some);
    tell_sizes();
    BOOST_TEST_MESSAGE("at most " << warm << " bytes after ten minutes, " << later << " at the end");
    BOOST_TEST(later <= warm + warm / 20);
    BOOST_TEST(undocumented == std::set<std::string>(), boost::test_tools::per_element());
    for (const auto& [step, times] : one.steps()) {
        BOOST_TEST_MESSAGE(times << " times: " << step);
        BOOST_TEST(times >= std::size_t(in_all() / turn_time) / 4, "only " << times << " times: " << step);
    }
    for (const auto state : states) BOOST_TEST(most_of[state] > 0U, "no task was ever in state " << int(state));
    BOOST_TEST(most_of.unclaimed > 0U);

    one.come_to_an_end();
    const auto counts = one.counts();
    BOOST_TEST(counts.waiting + counts.scheduled + counts.running + counts.held + counts.unclaimed == 0U);
    BOOST_TEST(counts.succeeded + counts.failed + counts.cancelled + counts.expired == 0U);
    auto keys = one.keys();
    std::ranges::sort(keys);
    std::string left;
    for (const auto& key : keys) left += ' ' + key;
    // The name of the queue, statistics, the names that workers knew, counters.
    BOOST_TEST(left == " tf:{queues} tf:{q}:M tf:{q}:N tf:{q}:c tf:{q}:m");
    constexpr std::size_t periods = 3144, names = 3, totals = 200 * 1024;  // as docs/statistics.md bounds them
    BOOST_TEST(one.bytes_of(of_statistics) <= totals + (1 + names) * periods * 614);
}

BOOST_AUTO_TEST_SUITE_END()
