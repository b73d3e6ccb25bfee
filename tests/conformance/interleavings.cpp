#include <conformance/fixture.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace taskflux::conformance {

namespace conformance_interleavings {

/// One broker, what its consumers have in their hands, and what must not be undone.
struct world {
    fixture& on;
    std::vector<task_key> keys{};
    std::map<std::string, std::vector<delivery>> hands{};
    std::map<task_key, task_state> ended{};
    std::set<task_key> acknowledged{};

    void fetch(const std::string& who) {
        try {
            for (const auto& one : on.fetch(who)) hands[who].push_back(one);
        } catch (const boost::system::system_error& e) {
            BOOST_TEST(e.code() == errc::lease_lost);
        }
    }

    void end(const std::string& who, kind how) {
        for (const auto& one : std::exchange(hands[who], {})) {
            const auto before = on.get(one.key);
            const auto answer = on.settle(one, how, who);
            if (answer != effect::done) continue;
            BOOST_REQUIRE(before.has_value());
            BOOST_TEST(before->state == task_state::running);
            BOOST_TEST(before->consumer == who);
            if (how == kind::complete && !before->cancel_requested) acknowledged.insert(one.key);
        }
    }
};

struct action {
    const char* name;
    void (*perform)(world&);
};

using program = std::vector<std::vector<action>>;  // what each actor does, one thing after the other

constexpr auto fetch_a = action{"a fetches", [](world& in) { in.fetch("a"); }};
constexpr auto fetch_b = action{"b fetches", [](world& in) { in.fetch("b"); }};
constexpr auto join_b = action{"b joins", [](world& in) { in.on.join("b"); }};
constexpr auto complete_a = action{"a completes", [](world& in) { in.end("a", kind::complete); }};
constexpr auto complete_b = action{"b completes", [](world& in) { in.end("b", kind::complete); }};
constexpr auto fail_a = action{"a fails", [](world& in) { in.end("a", kind::fail); }};
constexpr auto retry_a = action{"a retries", [](world& in) { in.end("a", kind::retry); }};
constexpr auto release_b = action{"b releases", [](world& in) { in.end("b", kind::release); }};
constexpr auto renew_b = action{"b renews", [](world& in) { in.on.renew("b"); }};
constexpr auto leave_a = action{"a leaves", [](world& in) { in.on.run(in.on.broker().leave("a", {q})); }};
constexpr auto lapse = action{"leases lapse", [](world& in) { in.on.advance(in.on.lease); }};
constexpr auto half = action{"half a lease passes", [](world& in) { in.on.advance(in.on.lease / 2); }};
constexpr auto cancel = action{"cancel", [](world& in) { in.on.cancel(in.keys[0]); }};
constexpr auto remove = action{"remove", [](world& in) {
                                   if (in.on.remove(in.keys[0]) == effect::done) in.acknowledged.erase(in.keys[0]);
                               }};
constexpr auto requeue = action{"requeue", [](world& in) {
                                    if (in.on.requeue(in.keys[0]) == effect::done) in.ended.erase(in.keys[0]);
                                }};
constexpr auto submit = action{"submit again", [](world& in) {
                                   auto task = in.on.task();
                                   task.unique_key = "k";
                                   const auto answer = in.on.submit(task);
                                   if (!answer.duplicate) in.keys.push_back(answer.key);
                               }};

const std::map<std::string, program> programs{
    {"two workers and a cancel", {{fetch_a, complete_a}, {fetch_b, complete_b}, {cancel}}},
    {"a lost lease", {{fetch_a, complete_a}, {lapse}, {join_b, fetch_b, complete_b}, {cancel}}},
    {"a renewed lease", {{fetch_a, retry_a}, {half, half}, {fetch_b, renew_b, complete_b}}},
    {"a dead letter", {{fetch_a, fail_a}, {requeue, remove}, {fetch_b, complete_b}}},
    {"back and forth", {{fetch_a, retry_a, leave_a}, {fetch_b, release_b, fetch_b, complete_b}, {cancel}}},
    {"one key", {{submit, submit}, {fetch_a, fail_a}, {cancel, requeue}, {fetch_b}}},
    {"everything ends it", {{fetch_a, complete_a}, {cancel}, {remove}, {lapse}, {submit}}},
};

/// What holds after every step: an ended task has ended for good, and one live task holds the key.
void check(world& in) {
    const auto records = in.on.list();
    std::size_t live = 0;
    for (const auto& record : records) {
        const auto key = record.id.key;
        if (!is_terminal(record.state)) ++live;
        if (const auto before = in.ended.find(key); before != in.ended.end()) BOOST_TEST(record.state == before->second);
        if (is_terminal(record.state)) in.ended[key] = record.state;
    }
    BOOST_TEST(live <= 1U);
    for (const auto key : in.acknowledged) {
        const bool is_kept = std::ranges::any_of(records, [key](const task_record& record) {
            return record.id.key == key && record.state == task_state::succeeded;
        });
        BOOST_TEST(is_kept);
    }
    const auto counts = in.on.counts();
    BOOST_TEST(counts.waiting + counts.scheduled + counts.running == live);
    BOOST_TEST(counts.succeeded + counts.failed + counts.cancelled + counts.expired + live == records.size());
}

/// Whoever is left is run to its end by one more worker, and who waited has heard of it.
void finish(world& in, started<std::optional<task_outcome>>& waiting) {
    in.on.join("z");
    for (int i = 0; i < 2; ++i) {
        in.on.advance(in.on.lease / 2);  // the others' leases end
        in.on.renew("z");
    }
    in.fetch("z");
    in.end("z", kind::complete);
    check(in);
    const auto counts = in.on.counts();
    BOOST_TEST(counts.waiting + counts.scheduled + counts.running == 0U);
    const auto told = waiting.get();
    BOOST_REQUIRE(told.has_value());
    BOOST_TEST(is_terminal(told->state));
}

void play(std::unique_ptr<backend> with, const program& all, const std::vector<std::size_t>& order) {
    fixture on(std::move(with));
    on.join("a");
    on.join("b");
    world in{on};
    submit.perform(in);
    auto waiting = on.start(on.broker().wait({q, in.keys[0]}, 24h));
    std::vector<std::size_t> next(all.size(), 0);
    std::string so_far;
    for (const auto actor : order) {
        const auto& step = all[actor][next[actor]++];
        so_far += std::string(step.name) + ", ";
        BOOST_TEST_CONTEXT(so_far) {
            step.perform(in);
            check(in);
        }
    }
    BOOST_TEST_CONTEXT(so_far << "the end") { finish(in, waiting); }
}

}  // namespace conformance_interleavings

BOOST_AUTO_TEST_SUITE(conformance_interleavings)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_order_of_a_small_program_ends_each_task_once, Backend, backends) {
    // Each order needs a broker of its own; where that is a server, some of them must do on an ordinary day.
    const std::size_t stride = number_of_walks() < 10'000 ? 5 : 1;
    std::size_t orders = 0;
    for (const auto& [name, all] : programs) {
        std::vector<std::size_t> order;  // the actors' numbers, each as often as it has steps
        for (std::size_t actor = 0; actor < all.size(); ++actor) order.insert(order.end(), all[actor].size(), actor);
        BOOST_TEST_CONTEXT(name) {
            do {
                if (orders++ % stride == 0) play(std::make_unique<Backend>(), all, order);
            } while (std::ranges::next_permutation(order).found);
        }
    }
    BOOST_TEST(orders == 2020U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
