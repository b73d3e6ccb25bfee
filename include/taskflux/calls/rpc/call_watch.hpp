#pragma once

#include <taskflux/calls/call_observer.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// Takes the time of a call for an observer; nothing where there is none.
class call_watch {
public:
    using side = void (call_observer::*)(const ended_call&);

    call_watch(const std::shared_ptr<call_observer>& to, side which)
        : to_(to.get()), side_(which), since_(to_ ? clock::now() : clock::time_point()) {}

    /// `failure`: null where it has succeeded.
    void end(const std::string& service, const std::string& method, const std::exception_ptr& failure) const noexcept {
        if (to_) tell(service, method, failure ? name_of(failure) : std::string_view("ok"));
    }
    void end(const std::string& service, const std::string& method, errc code) const noexcept {
        if (to_) tell(service, method, boost::describe::enum_to_string(code, "unknown"));
    }

private:
    using clock = std::chrono::steady_clock;

    static std::string_view name_of(const std::exception_ptr& failure) noexcept {
        try {
            if (is_abort(failure)) return "cancelled";
            return boost::describe::enum_to_string(code_of(describe(failure)), "unknown");
        } catch (...) {  // no memory
            return "unknown";
        }
    }

    void tell(const std::string& service, const std::string& method, std::string_view code) const noexcept {
        try {
            ended_call what;
            what.service = service;
            what.method = method;
            what.code = code;
            what.took = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - since_);
            (to_->*side_)(what);
        } catch (...) {  // an observer's
        }
    }

    call_observer* const to_;
    const side side_;
    const clock::time_point since_;
};

}  // namespace taskflux::detail
