#pragma once

#include <taskflux/calls/call_context.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/task/failure.hpp>

#include <exception>
#include <string>

namespace taskflux::detail {

/// The type of a failure that is not the method's: its instance has stopped, and cancelled the call.
inline constexpr const char* cut_off_type = "taskflux::cut_off";

/// What the caller gets then.
inline failure cut_off(const call_context& call, const std::string& instance) {
    auto made = describe(std::make_exception_ptr(
        error(errc::unavailable, "the call of " + call.service() + '.' + call.method() + " is cut off: instance " + instance +
                                     " has stopped, and the method had not returned within drain_for; it may have done a part: "
                                     "call again, where it may run twice, or allow a longer service_options::drain_for")));
    made.type = cut_off_type;
    return made;
}

inline bool is_cut_off(const failure& why) { return why.type == cut_off_type; }

}  // namespace taskflux::detail
