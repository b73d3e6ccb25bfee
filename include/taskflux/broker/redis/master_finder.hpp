#pragma once

#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/sentinels.hpp>
#include <taskflux/broker/redis/settings.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancel_after.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/redis/config.hpp>
#include <boost/redis/connection.hpp>
#include <boost/redis/operation.hpp>
#include <boost/redis/request.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::redis::wire {

/// Asks Sentinels where the master is, one after the other, over a connection of Boost.Redis that is free
/// meanwhile. That library can do so too, but it forgets after each attempt which Sentinel had answered, knows no name to
/// check the certificate of a server that it was told of, and says what went wrong in a log only.
class master_finder {
public:
    /// `patience` is how long one Sentinel may take, connecting included.
    master_finder(boost::redis::connection& over, tls_state security, const redis_url& url, std::chrono::milliseconds patience)
        : connection_(over),
          security_(std::move(security)),
          question_(make_sentinel_question(url)),
          patience_(patience),
          round_(url) {}

    /// Nothing when none of them knows; then `failures` says why. `like` is how servers are connected to.
    asio::awaitable<std::optional<address>> find(const boost::redis::config& like) {
        using namespace asio::experimental::awaitable_operators;
        std::optional<address> master;
        round_.begin();
        while (!master && !stopped_) {
            const auto who = round_.next();
            if (!who) break;
            auto config = make_sentinel_config(like, *who);
            security_.connect_to(who->host);
            answer_ = {};
            trouble_.clear();
            connecting_ = true;
            co_await (visit(std::move(config)) && ask());
            if (trouble_.empty()) master = understand();
            if (!trouble_.empty()) round_.failed(trouble_);
        }
        co_return master;
    }

    /// Whether any Sentinel has answered.
    bool has_heard() const { return round_.has_heard(); }

    /// The answer was of no use.
    void misled() { round_.misled(); }

    std::string failures() const { return round_.failures(); }
    const std::optional<error>& refusal() const { return round_.refusal(); }

    /// `find` ends as soon as the connection is cancelled.
    void stop() { stopped_ = true; }

private:
    asio::awaitable<void> visit(boost::redis::config config) {
        boost::system::error_code ec;
        if (!stopped_)
            co_await connection_.async_run(std::move(config), asio::redirect_error(asio::use_awaitable, ec));
        connecting_ = false;
        if (answer_.empty() && trouble_.empty()) {
            trouble_ = security_.take_complaint();
            if (trouble_.empty()) trouble_ = ec.message();
        }
        connection_.cancel(boost::redis::operation::exec);
    }

    asio::awaitable<void> ask() {
        if (!connecting_) co_return;
        boost::system::error_code ec;
        co_await connection_.async_exec(
            question_, answer_.adapter(),
            asio::cancel_after(patience_, asio::redirect_error(asio::use_awaitable, ec)));
        if (ec && connecting_) trouble_ = "no answer came in time";
        connection_.cancel(boost::redis::operation::run);
    }

    std::optional<address> understand() {
        try {
            return round_.answered(answer_);
        } catch (const taskflux::error& e) {
            trouble_ = e.what();
            return std::nullopt;
        }
    }

    boost::redis::connection& connection_;
    tls_state security_;
    const boost::redis::request question_;
    const std::chrono::milliseconds patience_;
    sentinel_round round_;
    reply answer_;         // of the one that is asked
    std::string trouble_;  // why it does not answer
    bool connecting_ = false;
    bool stopped_ = false;
};

}  // namespace taskflux::redis::wire
