#include <taskflux/flow/worker/monitor.hpp>

#include <taskflux/clock.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace flow_worker_monitor {

using namespace std::chrono_literals;
using namespace taskflux;

struct line_said {
    log_level level;
    std::string text;
    time_point at;
    std::optional<task_id> task;
};

class observer final : public worker_observer {
public:
    void on_blocked(const std::vector<running_handler>& among, duration time) override {
        seen += "blocked " + std::to_string(among.size()) + ' ' + std::to_string(time / 1ms) + ' ';
        if (throws) throw std::runtime_error("no luck");
    }
    void on_unclaimed(const std::string& queue, const std::string& name) override { seen += queue + '/' + name + ' '; }
    void on_abandoned() override { seen += "abandoned "; }

    std::string seen;
    bool throws = false;
};

struct fixture {
    std::vector<running_handler> handlers(std::size_t count) {
        std::vector<running_handler> made;
        for (std::size_t i = 1; i <= count; ++i) made.push_back({task_id{"q", task_key{i, 1}}, "t" + std::to_string(i)});
        return made;
    }

    line_said only() {
        BOOST_REQUIRE_EQUAL(lines.size(), 1U);
        return std::exchange(lines, {}).front();
    }

    manual_clock time;
    std::vector<line_said> lines;
    std::shared_ptr<observer> sees = std::make_shared<observer>();
    detail::worker_monitor says{worker_options().observer(sees).log([this](const log_line& line, const task_id* task) {
        lines.push_back({line.level, line.text, line.at, task ? std::optional(*task) : std::nullopt});
    }), "node", time};
};

}  // namespace flow_worker_monitor

BOOST_FIXTURE_TEST_SUITE(flow_worker_monitor, fixture)

BOOST_AUTO_TEST_CASE(a_line_has_the_workers_name_its_level_its_time_and_its_task) {
    time.advance(5s);
    says.log(log_level::info, "all is \xff well");
    auto line = only();
    BOOST_TEST((line.level == log_level::info && line.at == time.wall() && !line.task));
    BOOST_TEST(line.text == "worker node: all is \xef\xbf\xbd well");
    const task_id id{"q", task_key{7, 1}};
    says.log(log_level::error, "no luck", &id);
    BOOST_TEST((only().task == id));
}

BOOST_AUTO_TEST_CASE(a_blocked_thread_is_told_of_with_the_handlers_that_may_be_the_cause) {
    const std::string text = "worker node: the I/O thread has run nothing for 1999 ms: a handler, or other code on this thread, blocks "
                             "it; a handler that takes long should be a plain function, which runs on the CPU pool. Running: ";
    for (const auto& [count, names] : std::vector<std::pair<std::size_t, std::string>>{
             {1, "t1"}, {2, "t1, t2"}, {5, "t1, t2, t3, t4, t5"}, {6, "t1, t2, t3, t4, t5 or another"}}) {
        says.blocked(handlers(count), 1999ms);
        const auto line = only();
        BOOST_TEST((line.level == log_level::warning));
        BOOST_TEST(line.text == text + names);
        BOOST_TEST(line.task.has_value() == (count == 1));
    }
    BOOST_TEST(sees->seen == "blocked 1 1999 blocked 2 1999 blocked 5 1999 blocked 6 1999 ");
    sees->throws = true;
    says.blocked(handlers(1), 1s);
    BOOST_TEST((only().task == task_id{"q", task_key{1, 1}}));
}

BOOST_AUTO_TEST_CASE(a_task_that_nobody_takes_is_told_of_with_the_remedy) {
    says.unclaimed("q", "theirs", 10999ms);
    const auto line = only();
    BOOST_TEST((line.level == log_level::warning));
    BOOST_TEST(line.text == "worker node: task theirs has waited in queue q for 10 s or longer: this worker has no handler for it, and "
                            "the workers that have one are busy, or there is none; register one with on(), start a worker that has "
                            "one, or cancel the tasks");
    BOOST_TEST(sees->seen == "q/theirs ");
}

BOOST_AUTO_TEST_CASE(a_worker_that_was_destroyed_is_an_error) {
    says.abandoned("it was destroyed");
    const auto line = only();
    BOOST_TEST((line.level == log_level::error));
    BOOST_TEST(line.text == "worker node: it was destroyed");
    BOOST_TEST(sees->seen == "abandoned ");
    const detail::worker_monitor unseen(worker_options().log(nullptr), "node", time);
    unseen.abandoned("nobody hears this");
    unseen.unclaimed("q", "theirs", 1s);
    unseen.blocked(handlers(1), 1s);
}

BOOST_AUTO_TEST_SUITE_END()
