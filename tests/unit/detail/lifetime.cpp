#include <taskflux/detail/lifetime.hpp>
#include <taskflux/detail/run_once.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lifetime_of_a_core {

namespace asio = boost::asio;
using taskflux::detail::lifetime;

struct fixture {
    asio::io_context io;
    std::vector<std::string> said;
    lifetime life{asio::make_strand(asio::any_io_executor(io.get_executor())), "its work is lost",
                  [this](std::string text) { said.push_back(std::move(text)); }};

    void check_said(const std::string& begin) const {
        BOOST_REQUIRE(said.size() == 1U);
        BOOST_TEST(said[0].starts_with(begin), said[0]);
    }
};

/// A core that keeps what it was told.
struct core {
    std::string told;
    void stop() { told += "stop "; }
    void abandon() { told += "abandon "; }
};

}  // namespace lifetime_of_a_core

BOOST_FIXTURE_TEST_SUITE(lifetime_of_a_core, fixture)

BOOST_AUTO_TEST_CASE(a_destruction_while_live_is_under_way_is_said_and_stops) {
    const lifetime::mark under_way(life);
    life.abandon();
    check_said("it was destroyed while run() was under way: its work is lost; ");
    BOOST_TEST(life.is_stopped());
    BOOST_TEST(!under_way.is_too_late());
}

BOOST_AUTO_TEST_CASE(a_destruction_before_live_is_said_when_that_begins) {
    life.abandon();
    BOOST_TEST(said.empty());
    BOOST_TEST(life.is_stopped());
    const lifetime::mark under_way(life);
    BOOST_TEST(under_way.is_too_late());
    check_said("it was destroyed before its run() had begun");
}

BOOST_AUTO_TEST_CASE(what_was_stopped_before_is_destroyed_in_silence_before_and_after_live) {
    life.stop();
    life.abandon();
    std::optional<lifetime::mark> under_way(std::in_place, life);
    BOOST_TEST(!under_way->is_too_late());
    under_way.reset();
    life.abandon();
    BOOST_TEST(said.empty());
}

BOOST_AUTO_TEST_CASE(what_is_destroyed_with_its_context_stopped_says_nothing) {
    const lifetime::mark under_way(life);
    io.stop();
    life.abandon();
    BOOST_TEST(said.empty());
    BOOST_TEST(life.is_stopped());
}

BOOST_AUTO_TEST_CASE(what_comes_before_a_core_is_made_is_done_with_it_then) {
    const auto told_after = [](const auto& before) {
        taskflux::detail::run_once<core> owner;
        before(owner);
        const auto made = std::make_shared<core>();
        owner.begin(made);
        return made->told;
    };
    BOOST_TEST(told_after([](auto&) {}) == "");
    BOOST_TEST(told_after([](auto& owner) { owner.stop(); }) == "stop ");
    BOOST_TEST(told_after([](auto& owner) { owner.abandon(); }) == "abandon ");
    BOOST_TEST(told_after([](auto& owner) { owner.stop(), owner.abandon(); }) == "stop ");
    BOOST_TEST(told_after([](auto& owner) { owner.abandon(), owner.stop(); }) == "abandon ");
}

BOOST_AUTO_TEST_SUITE_END()
