#include <taskflux/detail/temporaries.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <functional>
#include <memory>
#include <string>

namespace detail_temporaries {

using taskflux::detail::dies_twice;
using taskflux::detail::temporaries_die_twice;

struct payload {
    std::string text;
};
struct numbers {
    int a, b;
};
struct declared {
    declared() = default;
    std::string text;
};

}  // namespace detail_temporaries

BOOST_AUTO_TEST_SUITE(detail_temporaries)

BOOST_AUTO_TEST_CASE(what_gcc_12_was_seen_to_destroy_twice_is_refused_there) {
    const std::string text;
    auto closure = [text] { return text.size(); };
    auto owner = [p = std::unique_ptr<int>()] { return p.get(); };
    BOOST_TEST(dies_twice<payload> == temporaries_die_twice);
    BOOST_TEST((dies_twice<std::array<std::string, 2>> == temporaries_die_twice));
    BOOST_TEST(dies_twice<decltype(closure)> == temporaries_die_twice);
    BOOST_TEST(dies_twice<decltype(owner)> == temporaries_die_twice);
}

BOOST_AUTO_TEST_CASE(what_it_gets_right_is_accepted) {
    const std::string text;
    auto closure = [text] { return text.size(); };
    auto reference = [&text] { return text.size(); };
    BOOST_TEST(!dies_twice<payload&>);
    BOOST_TEST(!dies_twice<decltype(closure)&>);
    BOOST_TEST(!dies_twice<decltype(reference)>);
    BOOST_TEST(!dies_twice<numbers>);
    BOOST_TEST(!dies_twice<declared>);
    BOOST_TEST(!dies_twice<std::string>);
    BOOST_TEST(!dies_twice<std::function<void()>>);
    BOOST_TEST(!dies_twice<std::unique_ptr<int>>);
    BOOST_TEST(!dies_twice<void (*)()>);
}

BOOST_AUTO_TEST_SUITE_END()
