// expect: two faults of this contract have the same name, which is all that tells them apart
// names: named_faults<eu::limit, us::limit>
#include <taskflux/core/fault.hpp>

#include <boost/describe/class.hpp>

#include <string_view>

namespace eu {
struct limit {
    int euros = 0;
};
BOOST_DESCRIBE_STRUCT(limit, (), (euros))
}  // namespace eu

namespace us {
struct limit {
    int dollars = 0;
};
BOOST_DESCRIBE_STRUCT(limit, (), (dollars))
}  // namespace us

#ifdef FIXED
template <>
inline constexpr std::string_view taskflux::payload_name<us::limit> = "us_limit";
#endif

constexpr taskflux::fault_list faults = taskflux::throws<eu::limit, us::limit>;
