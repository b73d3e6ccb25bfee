#include "fixture.hpp"

#include <taskflux/admin/directory.hpp>
#include <taskflux/admin/node.hpp>
#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/calls/service_instance.hpp>
#include <taskflux/version.hpp>

using namespace test::flow;
using taskflux::detail::board_of;

namespace flow_directory_faults {

/// An embedded broker whose boards can't be read or written while the test says so.
class faulty_broker : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<std::vector<taskflux::announcement>> announced(std::string board) override {
        if (board == unread) throw taskflux::error(why, "not now");
        return memory_broker::announced(std::move(board));
    }

    awaitable<void> announce(std::string board, std::string id, std::string text, taskflux::duration lease) override {
        if (board == unwritten) throw taskflux::error(errc::unavailable, "no connection");
        return memory_broker::announce(std::move(board), std::move(id), std::move(text), lease);
    }

    std::string unread, unwritten;
    errc why = errc::unavailable;
};

struct directory_fixture : fixture {
    directory_fixture() { broker = faulty; }

    void announce(const std::string& service) {
        taskflux::service_instance row;
        row.service = service;
        row.id = "of-" + service;
        now(broker->announce(taskflux::detail::services_board, service, "", 1h));
        now(broker->announce(board_of(service), row.id, taskflux::encode(row), 1h));
    }

    std::shared_ptr<faulty_broker> faulty =
        std::make_shared<faulty_broker>(io.get_executor(), taskflux::memory_options(), time);
    taskflux::directory who{faulty};
    worker w{faulty, options()};
    std::vector<std::string> lines;
    taskflux::node_options shown = taskflux::node_options().name("early").lease(3s).log([this](std::string_view line) {
        lines.emplace_back(line);
    });
};

}  // namespace flow_directory_faults

BOOST_FIXTURE_TEST_SUITE(flow_directory_faults, directory_fixture)

BOOST_AUTO_TEST_CASE(a_board_that_is_damaged_hides_no_other_and_a_server_that_is_away_hides_nothing) {
    announce("a");
    announce("b");
    for (const auto* const service : {"a", "b"}) {
        faulty->unread = board_of(service);
        for (const auto why : {errc::protocol, errc::invalid_argument}) {
            faulty->why = why;
            const auto all = now(who.services());
            BOOST_REQUIRE_EQUAL(all.size(), 1U);
            BOOST_TEST(all[0].service != service);
        }
        faulty->why = errc::unavailable;
        BOOST_TEST((start(who.services())->code() == errc::unavailable));
    }
    now(broker->withdraw(board_of("a"), "of-a"));
    faulty->why = errc::protocol;  // of all that there is nothing can be read
    BOOST_TEST((start(who.services())->code() == errc::protocol));
}

BOOST_AUTO_TEST_CASE(a_change_is_another_node_or_instance_though_their_number_is_the_same) {
    const auto put = [&](const std::string& id) {
        taskflux::node_info row;
        row.id = id;
        now(broker->announce("taskflux/nodes", id, taskflux::encode(row), 1h));
    };
    put("one");
    announce("a");
    const auto before = now(who.view());
    auto change = start(who.next_change(before, 1min));
    now(broker->withdraw("taskflux/nodes", "one"));
    put("two");
    advance(1s);
    BOOST_REQUIRE(change->done);
    BOOST_TEST(change->value->nodes.at(0).id == "two");
    change = start(who.next_change(*change->value, 1min));
    now(broker->withdraw(board_of("a"), "of-a"));
    announce("b");
    advance(999ms);
    BOOST_TEST(!change->done);
    advance(1ms);
    BOOST_REQUIRE(change->done);
    BOOST_TEST(change->value->services.at(0).id == "of-b");
    change = start(who.next_change(*change->value, 1500ms));
    advance(1s);
    advance(499ms);
    BOOST_TEST(!change->done);
    advance(1ms);
    BOOST_TEST(change->done);
    BOOST_TEST(start(who.next_change(before, 0s))->done);
}

BOOST_AUTO_TEST_CASE(a_nodes_heartbeat_that_fails_is_told_of_and_the_next_one_counts) {
    w.on(note, [](int) {});
    taskflux::node node(broker, w, shown);
    const auto life = start(node.run());
    BOOST_TEST(now(who.nodes()).size() == 1U);
    faulty->unwritten = "taskflux/nodes";
    advance(1s);
    BOOST_REQUIRE_EQUAL(lines.size(), 1U);
    BOOST_TEST(lines[0] == "node " + node.info().id + ": its heartbeat failed: no connection");
    faulty->unwritten.clear();
    pass(10s, 1s);
    BOOST_TEST(now(who.nodes()).size() == 1U);
    BOOST_TEST(lines.size() == 1U);
    node.stop();
    settle();
    BOOST_TEST((life->done && !life->error));
}

BOOST_AUTO_TEST_CASE(a_node_that_cannot_start_yet_says_so_and_can_be_stopped) {
    w.on(note, [](int) {});
    taskflux::node node(broker, w, shown);
    faulty->unread = "taskflux/settings";
    const auto life = start(node.run());
    pass(3s, 1s);
    BOOST_TEST(!life->done);
    BOOST_REQUIRE(!lines.empty());
    BOOST_TEST(lines.front() == "node early: it can't start yet, and tries again: not now");
    node.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(what_a_node_shows_is_of_its_process_and_worker) {
    w.on(note, [](int) {});
    time.advance(5s);
    const taskflux::node node(broker, w, shown);
    time.advance(5s);
    const auto info = node.info();
    BOOST_TEST(info.version == taskflux::version);
    BOOST_TEST((info.started_at == time.wall() - 5s));
    BOOST_TEST(info.running == 0U);
    w.pause();
    BOOST_TEST(node.info().paused);
}

BOOST_AUTO_TEST_SUITE_END()
