#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace taskflux::detail {

/// Logs the problems of queues and schedules, each once until it changes or is over.
class trouble_log {
public:
    using place = std::pair<std::string, std::string>;  // queue and row; no row: the queue itself

    explicit trouble_log(log_sink to) : sink_(std::move(to)) {}

    void log(const place& where, const std::string& line) { log(where, line, line); }

    /// Where `sameness` tells whether it is as it was, since the line has counts that change.
    void log(const place& where, const std::string& line, const std::string& sameness) {
        if (std::exchange(logged_[where], sameness) != sameness) sink_(log_level::warning, line);
    }

    /// Logs an error, or throws it again where the scheduler must end: `operation_aborted`, `shut_down`.
    void log_failure(const place& where, const std::string& what, const std::exception_ptr& failure) {
        try {
            std::rethrow_exception(failure);
        } catch (const backlog_full& e) {
            return log(where, what + ": " + e.what(), what + ": " + e.code().message());
        } catch (const boost::system::system_error& e) {
            if (e.code() == asio::error::operation_aborted || e.code() == errc::shut_down) throw;
        } catch (...) {  // is logged as any other
        }
        log(where, what + ": " + describe(failure).message);
    }

    void is_over(const place& where) { logged_.erase(where); }

    /// Forgets the rows of a queue for which `is_there` is false.
    template <class Predicate>
    void keep_rows(const std::string& queue, Predicate is_there) {
        std::erase_if(logged_, [&](const auto& one) {
            const auto& [of, row] = one.first;
            return of == queue && !row.empty() && !is_there(row);
        });
    }

    /// Forgets all queues but these and the one without a name.
    void keep_queues(const std::set<std::string>& queues) {
        std::erase_if(logged_, [&](const auto& one) {
            return !one.first.first.empty() && !queues.contains(one.first.first);
        });
    }

private:
    log_sink sink_;
    std::map<place, std::string> logged_;
};

}  // namespace taskflux::detail
