#include <taskflux/host.hpp>

#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <array>
#include <fstream>
#include <set>
#include <string>

namespace core_host {

std::set<std::string> addresses() {
    std::set<std::string> all;
    ifaddrs* first = nullptr;
    BOOST_REQUIRE_EQUAL(getifaddrs(&first), 0);
    for (const auto* one = first; one; one = one->ifa_next) {
        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
        std::array<char, INET_ADDRSTRLEN> text{};
        const auto* const of = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
        all.insert(inet_ntop(AF_INET, &of->sin_addr, text.data(), text.size()));
    }
    freeifaddrs(first);
    return all;
}

/// Whether the system has a way to addresses that it does not know.
bool has_default_route() {
    std::ifstream routes("/proc/net/route");
    std::string line, interface, destination;
    std::getline(routes, line);
    while (routes >> interface >> destination && std::getline(routes, line)) {
        if (destination == "00000000") return true;
    }
    return false;
}

}  // namespace core_host

BOOST_AUTO_TEST_SUITE(core_host)

BOOST_AUTO_TEST_CASE(the_own_address_is_one_of_this_machine_s_by_which_others_reach_it) {
    const auto mine = taskflux::own_ip();
    BOOST_TEST(addresses().contains(mine), mine);
    BOOST_TEST((mine != "127.0.0.1") == has_default_route(), mine);
}

BOOST_AUTO_TEST_CASE(a_machine_s_load_and_a_process_s_memory_are_numbers) {
    BOOST_TEST(taskflux::host_load() >= 0);
    BOOST_TEST(taskflux::resident_memory() > (std::size_t(1) << 20));
}

BOOST_AUTO_TEST_SUITE_END()
