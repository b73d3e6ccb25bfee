#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/http/call.hpp>
#include <taskflux/http/identity.hpp>
#include <taskflux/http/logins.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <mutex>
#include <string>

namespace taskflux::detail {

/// FastTask's login: HTTP Basic by a file of users; as long as there has been none, everybody is "Anonymous". Thread-safe.
class fasttask_login {
public:
    /// Errors: those of `http::users`, for a file that is there and not valid.
    fasttask_login(std::string file, broker_ptr broker, log_sink log);

    /// Who makes a request. Errors: `problem` 401, 429; 503 for a file that has appeared and is not valid.
    static asio::awaitable<http::identity> check(std::shared_ptr<fasttask_login> self, http::call& in);

private:
    /// Null: there has been no file.
    std::shared_ptr<http::logins> current();
    std::shared_ptr<http::logins> open();

    const std::string file_;
    const broker_ptr broker_;
    const log_sink log_;
    asio::thread_pool pool_{1};  // how many scrypts run at a time
    std::mutex mutex_;
    std::shared_ptr<http::logins> logins_;  // guarded by mutex_; once there is one it stays
    time_point next_look_{};                // guarded by mutex_
};

}  // namespace taskflux::detail
