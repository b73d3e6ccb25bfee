#pragma once

#include <taskflux/core/error.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum_from_string.hpp>

#include <exception>
#include <string>
#include <utility>

namespace taskflux {

/// Why an attempt, a task or a call failed; kept with the task, and sent to the caller, as JSON.
struct failure {
    std::string code;          ///< a name of `errc`, such as "bad_payload", or a fault's own; else "task_failed"
    std::string type;          ///< the type of the exception, also of one that is no `std::exception`; a fault's: of its details
    std::string message;       ///< its `what()`; a sentence that says so where it has none
    std::string pointer;       ///< for a bad payload: the JSON pointer to the culprit
    std::string expected;      ///< for a bad payload: the JSON Schema that it should satisfy
    std::string details = {};  ///< of a `fault`: JSON; empty for any other failure
};
BOOST_DESCRIBE_STRUCT(failure, (), (code, type, message, pointer, expected, details))

namespace detail {

/// An error with all that is told about it elsewhere.
class described_error : public error {
public:
    described_error(errc code, taskflux::failure why) : error(code, why.message), failure_(std::move(why)) {}

    /// What went wrong, on the machine where it did.
    const taskflux::failure& failure() const { return failure_; }

private:
    taskflux::failure failure_;
};

/// The code that a stored failure stands for; `errc::task_failed` where it names none.
inline errc code_of(const failure& stored) {
    errc code = errc::task_failed;
    boost::describe::enum_from_string(stored.code.c_str(), code);
    return code;
}

}  // namespace detail

/// Thrown to callers waiting for the result of a task whose last attempt failed, and for nothing else: an error of the wait
/// itself has another type, even where a handler threw the same code.
class task_failed : public detail::described_error {
public:
    task_failed(errc code, taskflux::failure why, unsigned attempts)
        : described_error(code, std::move(why)), attempts_(attempts) {}

    /// How many attempts were made.
    unsigned attempts() const { return attempts_; }

private:
    unsigned attempts_;
};

/// Thrown to the caller of a method that threw, or that could not be called.
class call_failed : public detail::described_error {
public:
    using described_error::described_error;
};

/// The faults that a contract names; made by `throws`.
class fault_list {
public:
    constexpr fault_list() {}

    /// For `throws`: throw a failure as one of the faults, or return where it is none of them.
    constexpr fault_list(void (*of_call)(const call_failed&), void (*of_task)(const task_failed&))
        : of_call_(of_call), of_task_(of_task) {}

    /// For the library: throws a failure as the fault that it is, or as itself.
    [[noreturn]] void raise(const call_failed& why) const {
        if (of_call_) of_call_(why);
        throw why;
    }
    [[noreturn]] void raise(const task_failed& why) const {
        if (of_task_) of_task_(why);
        throw why;
    }

    /// For the library: what `raise` throws.
    std::exception_ptr raised(const call_failed& why) const {
        try {
            raise(why);
        } catch (...) {
            return std::current_exception();
        }
    }

private:
    void (*of_call_)(const call_failed&) = nullptr;
    void (*of_task_)(const task_failed&) = nullptr;
};

}  // namespace taskflux
