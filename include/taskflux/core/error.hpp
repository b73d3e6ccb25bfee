#pragma once

#include <taskflux/requirements.hpp>

#include <boost/describe/enum.hpp>
#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>
#include <string>
#include <type_traits>

namespace taskflux {

/// Everything that can go wrong in taskflux itself. What a handler throws travels as `task_failed`.
enum class errc {
    not_found = 1,     ///< no such task, method or node, or its retention has ended
    lease_lost,        ///< the report of an older attempt, or the lease ran out
    wrong_state,       ///< the state of a task, or of what runs, does not allow this
    cancelled,         ///< the task or job was cancelled
    timed_out,         ///< a time limit passed
    expired,           ///< the task was not started by its deadline
    task_failed,       ///< the task's last attempt failed
    crashed,           ///< workers died while running the task, more often than its limit allows
    bad_payload,       ///< a payload or result does not have the shape its type asks for
    too_large,         ///< a value is over a size or depth limit
    invalid_argument,  ///< an option or name is outside what is allowed
    queue_full,        ///< the queue holds as many tasks as it may
    shut_down,         ///< the executor, worker or broker has been shut down
    unsupported,       ///< this broker or build cannot do that
    protocol,          ///< an answer or stored record is not one this version understands
    unavailable,       ///< the server, or the instance that has a call, is gone or doesn't answer in time
    journal_mismatch,  ///< a handler's calls have changed since the task ran before
    no_instance,       ///< no instance of the service takes calls
    busy,              ///< an instance has its limit of calls in flight
    no_worker          ///< no worker runs the task, and none can any more
};
BOOST_DESCRIBE_ENUM(errc, not_found, lease_lost, wrong_state, cancelled, timed_out, expired, task_failed, crashed,
                    bad_payload, too_large, invalid_argument, queue_full, shut_down, unsupported, protocol, unavailable,
                    journal_mismatch, no_instance, busy, no_worker)

namespace detail {

class error_category final : public boost::system::error_category {
public:
    /// A program may have several copies of the category, one in each shared library: they are equal by this random id.
    constexpr error_category() noexcept : boost::system::error_category(0xB6A72D1E5C83F049) {}

    const char* name() const noexcept override { return "taskflux"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
            case errc::not_found: return "it does not exist, or is kept no longer";
            case errc::lease_lost: return "the lease on the task was lost";
            case errc::wrong_state: return "the state does not allow this";
            case errc::cancelled: return "it was cancelled";
            case errc::timed_out: return "a time limit passed";
            case errc::expired: return "the task was not started by its deadline";
            case errc::task_failed: return "the handler failed";
            case errc::crashed: return "the task's workers died more often than its limit allows";
            case errc::bad_payload: return "a value does not have the expected shape";
            case errc::too_large: return "a value is over a size or depth limit";
            case errc::invalid_argument: return "an argument is outside what is allowed";
            case errc::queue_full: return "the queue is full";
            case errc::shut_down: return "already shut down";
            case errc::unsupported: return "not supported here";
            case errc::protocol: return "an answer or record is not understood";
            case errc::unavailable: return "the server or the instance that was asked is not there, or does not answer in time";
            case errc::journal_mismatch: return "the handler's calls have changed while the task was under way";
            case errc::no_instance: return "no instance of the service takes calls";
            case errc::busy: return "the instance has its limit of calls in flight";
            case errc::no_worker: return "no worker runs the task";
        }
        return "unknown taskflux error " + std::to_string(value);
    }
};

inline constexpr error_category error_category_instance{};

}  // namespace detail

/// The category of `errc` codes; its name is "taskflux".
inline const boost::system::error_category& taskflux_category() noexcept {
    return detail::error_category_instance;
}

inline boost::system::error_code make_error_code(errc value) noexcept {
    return {static_cast<int>(value), taskflux_category()};
}

/// An error of taskflux. `what()` says what failed, where, why, and the remedy; `code()` is for programs to compare.
class error : public boost::system::system_error {
public:
    /// Where `what` is empty, `what()` is the sentence of `code`.
    error(errc code, const std::string& what)
        : system_error(make_error_code(code)), text_(what.empty() ? this->code().message() : what) {}

    const char* what() const noexcept override { return text_.what(); }

private:
    std::runtime_error text_;  // `system_error` appends the code's own sentence; and this copies without throwing
};

}  // namespace taskflux

template <>
struct boost::system::is_error_code_enum<taskflux::errc> : std::true_type {};
