#include "fixture.hpp"

#include <support/proxy.hpp>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// The connection is cut after any byte of any request or answer: nothing is lost, and nothing is done twice.
namespace {

using namespace test::faults;
using namespace taskflux;
using direction = test::proxy::direction;

const std::vector<std::string> queues{"q"};

struct with_proxy {
    test::redis_server server;
    test::proxy proxy{server.port()};
};

/// A broker whose connections can be cut.
struct fixture : with_proxy, observer {
    fixture() : observer("redis://127.0.0.1:" + std::to_string(proxy.port())) {
        run(broker->join("w", queues, 1h));
        submit();  // the scripts are there, and the lanes are known
        settle(fetch());
    }

    submitted submit() {
        std::vector<new_task> tasks(1);
        tasks[0].spec = std::make_shared<const task_spec>(task_spec{"work", 0, {}, {}});
        tasks[0].payload = "{}";
        return run(broker->submit("q", std::move(tasks))).at(0);
    }

    /// One task, though a fetch may have to be repeated: it is not, by itself, when its answer is lost.
    delivery fetch() {
        for (int tries = 0; tries < 10; ++tries) {
            fetch_request request;
            request.consumer = "w";
            request.queues = queues;
            try {
                const auto found = run(broker->fetch(request));
                if (!found.empty()) return found[0];
            } catch (const error& e) {
                if (e.code() != errc::unavailable) throw;
            }
        }
        throw std::runtime_error("the task does not come back");
    }

    effect settle(const delivery& which) {
        settlement end;
        end.key = which.key;
        end.token = which.token;
        end.data = "done";
        const std::vector<settlement> ends{end};
        return run(broker->settle("q", "w", ends)).at(0);
    }

    queue_counts counts() { return run(broker->counts("q")); }  // of another queue than the others look at
};

/// Does something while the connection is cut after each number of bytes, until it is not cut any more; every
/// `step` bytes, or each one where the environment variable TASKFLUX_LONG is set (for nights).
template <class Action>
void with_cuts(fixture& on, direction where, std::size_t step, Action action) {
    if (std::getenv("TASKFLUX_LONG")) step = 1;
    for (std::size_t bytes = 0; bytes < 5000; bytes += step) {
        const auto before = on.proxy.cuts();
        on.proxy.cut_after(where, bytes);
        BOOST_TEST_CONTEXT("cut after " << bytes << " bytes") action();
        if (on.proxy.cuts() == before) {  // it was over before that byte: the next cut would hit another call
            on.proxy.cut();
            return;
        }
    }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(faults_lost_answers, fixture)

BOOST_AUTO_TEST_CASE(a_submission_is_stored_once_whatever_byte_is_lost) {
    std::size_t stored = 0;
    const auto submit_one = [&] {
        BOOST_TEST(!submit().duplicate);
        BOOST_TEST(counts().waiting == ++stored);
    };
    with_cuts(*this, direction::to_client, 3, submit_one);
    with_cuts(*this, direction::to_server, 151, submit_one);
    BOOST_TEST(stored > 8U);
}

BOOST_AUTO_TEST_CASE(a_fetched_task_comes_back_without_waiting_for_the_lease) {
    const auto fetch_one = [&] {
        const auto key = submit().key;
        const auto found = fetch();
        BOOST_TEST((found.key == key));
        BOOST_TEST(found.attempt == 1U);
        BOOST_TEST(run(broker->get({"q", key}))->crashes == 0U);
        settle(found);
        BOOST_TEST(counts().running == 0U);
    };
    with_cuts(*this, direction::to_client, 61, fetch_one);
    with_cuts(*this, direction::to_server, 307, fetch_one);
}

BOOST_AUTO_TEST_CASE(an_end_takes_effect_once) {
    std::size_t ended = 1;
    const auto settle_one = [&] {
        submit();
        const auto found = fetch();
        const auto answer = settle(found);
        BOOST_TEST((answer == effect::done || answer == effect::lease_lost));  // the second time, if the first was heard
        BOOST_TEST(counts().succeeded == ++ended);
        BOOST_TEST(counts().running == 0U);
    };
    with_cuts(*this, direction::to_client, 61, settle_one);
    with_cuts(*this, direction::to_server, 307, settle_one);
}

BOOST_AUTO_TEST_SUITE_END()
