#pragma once

#include "fixture.hpp"

#include <support/proxy.hpp>

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace test::faults {

using direction = test::proxy::direction;

struct with_proxy {
    test::redis_server server;
    test::proxy proxy{server.port()};
    std::size_t patients = 0;

    std::string url() const { return "redis://127.0.0.1:" + std::to_string(proxy.port()); }
};

/// A broker whose connections can be cut, with a consumer "w" on a queue of its own; and one whose can't.
class patient : public observer {
public:
    patient(with_proxy& on, std::string name)
        : observer(on.url()), queue(std::move(name)), doctor(on.server.url()), proxy_(on.proxy) {
        join();
        submit();  // the scripts are there, and the lane is known
        settle(fetch());
        run(broker->clear(queue, {}, 10));
    }

    /// What is done between these two may be cut off.
    void in_danger(direction where, std::size_t bytes) {
        where_ = where;
        cuts_before_ = proxy_.cuts();
        proxy_.cut_after(where, bytes);
    }
    void out_of_danger() { proxy_.cut_after(where_, std::numeric_limits<std::size_t>::max()); }
    bool was_cut() const { return proxy_.cuts() != cuts_before_; }

    void join() { run(broker->join("w", {queue}, 1h)); }

    static taskflux::new_task task() {
        taskflux::new_task made;
        made.spec = std::make_shared<const taskflux::task_spec>(taskflux::task_spec{"work", 0, {}, {}});
        made.payload = "{}";
        return made;
    }

    taskflux::submitted submit(taskflux::new_task one = task()) {
        std::vector<taskflux::new_task> tasks;
        tasks.push_back(std::move(one));
        return run(broker->submit(queue, std::move(tasks))).at(0);
    }

    taskflux::task_key add(taskflux::new_task one = task()) { return submit(std::move(one)).key; }

    taskflux::fetch_request request() const {
        taskflux::fetch_request made;
        made.consumer = "w";
        made.queues = {queue};
        return made;
    }

    /// One task, though a fetch may have to be repeated: it is not, by itself, when its answer is lost.
    taskflux::delivery fetch(taskflux::duration wait = {}) {
        auto wanted = request();
        wanted.wait = wait;
        for (int tries = 0; tries < 10; ++tries) {
            try {
                const auto found = run(broker->fetch(wanted));
                if (!found.empty()) return found[0];
            } catch (const taskflux::error& e) {
                if (e.code() != errc::unavailable) throw;
            }
        }
        throw std::runtime_error("the task does not come back");
    }

    taskflux::delivery add_and_fetch() {
        add();
        return fetch();
    }

    taskflux::effect settle(const taskflux::delivery& which,
                            taskflux::settlement::kind how = taskflux::settlement::kind::complete) {
        taskflux::settlement end;
        end.key = which.key;
        end.token = which.token;
        end.how = how;
        end.data = how == taskflux::settlement::kind::release || how == taskflux::settlement::kind::cancel ? "" : "7";
        const std::vector<taskflux::settlement> ends{end};
        return run(broker->settle(queue, "w", ends)).at(0);
    }

    taskflux::task_record record(taskflux::task_key key) {
        const auto found = run(broker->get({queue, key}));
        if (!found) throw std::runtime_error("the task is gone");
        return *found;
    }

    taskflux::queue_counts counts() { return run(broker->counts(queue)); }

    const std::string queue;
    observer doctor;

private:
    test::proxy& proxy_;
    direction where_ = direction::to_client;
    std::size_t cuts_before_ = 0;
};

/// Does something again and again, each time with a new broker whose connection is cut after a few bytes more,
/// until it is not cut any more; with TASKFLUX_LONG after each byte of the answers, and at more places in the requests,
/// of which a server heeds nothing before it has the whole.
/// `treat(patient&, danger)`: what is between `danger()` and `patient::out_of_danger()` may be cut off.
template <class Treat>
void at_many_bytes(with_proxy& on, Treat treat) {
    const bool is_long = std::getenv("TASKFLUX_LONG") != nullptr;
    for (const auto where : {direction::to_client, direction::to_server}) {
        const std::size_t step = where == direction::to_client ? (is_long ? 1 : 7) : (is_long ? 29 : 229);
        std::size_t bytes = 0, cuts = 0;
        for (bool was_cut = true; was_cut; bytes += step) {
            on.server.command({"FLUSHALL"});
            patient one(on, "q" + std::to_string(++on.patients));
            const auto danger = [&] { one.in_danger(where, bytes); };
            BOOST_TEST_CONTEXT("cut after " << bytes << " bytes to the "
                                            << (where == direction::to_client ? "client" : "server")) {
                treat(one, danger);
            }
            was_cut = one.was_cut();
            cuts += was_cut;
            if (bytes > 20'000) throw std::runtime_error("there is no end to this call");
        }
        BOOST_TEST_MESSAGE(cuts << " cuts to the " << (where == direction::to_client ? "client" : "server"));
        BOOST_TEST(cuts > 0U);
    }
}

}  // namespace test::faults
