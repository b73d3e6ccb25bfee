#include <taskflux/core/error.hpp>
#include <taskflux/core/zone.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

namespace core_zone {

using namespace std::chrono;
using namespace std::chrono_literals;
using taskflux::zone;

// Berlin's clocks in 2026: at 01:00 UTC, 02:00 becomes 03:00 in March, and 03:00 becomes 02:00 in October.
constexpr sys_days spring(2026y / March / 29);
constexpr sys_days autumn(2026y / October / 25);

local_seconds local(sys_days day, seconds time) { return local_seconds(day.time_since_epoch() + time); }

}  // namespace core_zone

BOOST_AUTO_TEST_SUITE(core_zone)

BOOST_AUTO_TEST_CASE(by_default_it_is_utc_where_clocks_never_change) {
    const zone utc;
    BOOST_TEST(utc.name() == "UTC");
    BOOST_TEST((utc == zone::named("UTC")));
    const auto span = utc.at(spring);
    BOOST_TEST((span.begin == (sys_seconds::min)()));
    BOOST_TEST((span.end == (sys_seconds::max)()));
    BOOST_TEST((span.offset == 0s));
    BOOST_TEST((utc.to_local(spring + 90min) == local(spring, 90min)));
    BOOST_TEST((utc.first_at(local(spring, 90min)) == spring + 90min));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_known_is_told) {
    for (const std::string name : {"Europe/Nowhere", "", "utc+1", "localtime", "/etc/localtime", "../zoneinfo/Europe/Berlin", "right/Europe/Berlin",
                                   "posix/Europe/Berlin", "file:UTC", "tzdata.zi", "Europe/", "Europe"}) {
        BOOST_CHECK_EXCEPTION((void)zone::named(name), taskflux::error, [&](const taskflux::error& e) {
            BOOST_TEST(std::string(e.what()).find("no time zone is named \"" + name + '"') != std::string::npos, e.what());
            return e.code() == taskflux::errc::invalid_argument;
        });
    }
}

BOOST_AUTO_TEST_CASE(a_zone_keeps_its_name_and_equals_itself_alone) {
    const auto berlin = zone::named("Europe/Berlin");
    BOOST_TEST(berlin.name() == "Europe/Berlin");
    BOOST_TEST((berlin == zone::named("Europe/Berlin")));
    BOOST_TEST((berlin != zone::named("Asia/Tokyo")));
    BOOST_TEST((berlin != zone()));
}

BOOST_AUTO_TEST_CASE(a_span_reaches_from_one_change_of_the_clocks_to_the_next) {
    const auto berlin = zone::named("Europe/Berlin");
    const auto summer = berlin.at(sys_days(2026y / July / 1));
    BOOST_TEST((summer.begin == spring + 1h));
    BOOST_TEST((summer.end == autumn + 1h));
    BOOST_TEST((summer.offset == 2h));
    BOOST_TEST((berlin.at(summer.begin).offset == 2h));
    BOOST_TEST((berlin.at(summer.begin - 1s).offset == 1h));
    BOOST_TEST((berlin.at(summer.end).begin == summer.end));
    BOOST_TEST((berlin.at(summer.end).offset == 1h));
}

BOOST_AUTO_TEST_CASE(its_time_has_a_short_name) {
    const auto berlin = zone::named("Europe/Berlin");
    BOOST_TEST(berlin.abbreviation(spring) == "CET");
    BOOST_TEST(berlin.abbreviation(spring + 1h) == "CEST");
    BOOST_TEST(zone().abbreviation(spring) == "UTC");
}

BOOST_AUTO_TEST_CASE(what_clocks_skip_comes_when_they_skip_it) {
    const auto berlin = zone::named("Europe/Berlin");
    BOOST_TEST((berlin.to_local(spring + 1h - 1s) == local(spring, 2h - 1s)));
    BOOST_TEST((berlin.to_local(spring + 1h) == local(spring, 3h)));
    BOOST_TEST((berlin.first_at(local(spring, 2h - 1s)) == spring + 1h - 1s));
    for (const seconds skipped : {seconds(2h), seconds(150min), seconds(3h - 1s), seconds(3h)}) {
        BOOST_TEST((berlin.first_at(local(spring, skipped)) == spring + 1h));
    }
    BOOST_TEST((berlin.first_at(local(spring, 3h + 1s)) == spring + 1h + 1s));
    // A whole day: Samoa went over the date line from 29 to 31 December 2011, at 10:00 UTC.
    const sys_days none(2011y / December / 30);
    BOOST_TEST((zone::named("Pacific/Apia").first_at(local(none, 12h)) == none + 10h));
}

BOOST_AUTO_TEST_CASE(what_clocks_show_twice_comes_the_first_time) {
    const auto berlin = zone::named("Europe/Berlin");
    BOOST_TEST((berlin.to_local(autumn + 30min) == local(autumn, 150min)));
    BOOST_TEST((berlin.to_local(autumn + 90min) == local(autumn, 150min)));
    BOOST_TEST((berlin.first_at(local(autumn, 2h)) == autumn));
    BOOST_TEST((berlin.first_at(local(autumn, 150min)) == autumn + 30min));
    BOOST_TEST((berlin.first_at(local(autumn, 3h)) == autumn + 2h));
}

BOOST_AUTO_TEST_SUITE_END()
