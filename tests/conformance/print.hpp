#pragma once

#include <taskflux/broker/broker.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <ostream>

// How Boost.Test prints what these tests compare.
namespace taskflux {

inline std::ostream& boost_test_print_type(std::ostream& out, task_state state) {
    return out << boost::describe::enum_to_string(state, "?");
}

inline std::ostream& boost_test_print_type(std::ostream& out, task_event event) {
    return out << boost::describe::enum_to_string(event, "?");
}

inline std::ostream& boost_test_print_type(std::ostream& out, effect value) {
    switch (value) {
        case effect::done: return out << "done";
        case effect::requested: return out << "requested";
        case effect::lease_lost: return out << "lease_lost";
        case effect::wrong_state: return out << "wrong_state";
        case effect::not_found: return out << "not_found";
    }
    return out << '?';
}

inline std::ostream& boost_test_print_type(std::ostream& out, errc code) { return out << make_error_code(code); }

inline std::ostream& boost_test_print_type(std::ostream& out, const task_key& key) { return out << to_string(key); }

}  // namespace taskflux
