#pragma once

#include <taskflux/admin/metrics.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/in_time.hpp>
#include <taskflux/http/native/health.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/response.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <utility>

namespace taskflux::detail {

using text_maker = std::function<asio::awaitable<std::string>()>;

inline asio::awaitable<http::response> answer_live(http::call&) {
    http::response made(200, "text/plain; charset=utf-8", "ok\n");
    made.header("Cache-Control", "no-store");
    co_return made;
}

/// Empty where the broker answers.
inline asio::awaitable<std::string> ask_broker(broker_ptr broker) {
    constexpr auto patience = std::chrono::seconds(2);
    auto& clock = broker->clock();
    auto asking = broker->queues();
    auto within = in_time(clock, later(clock.now(), patience), std::move(asking), "asking for the queues");
    const auto answered = co_await caught(std::move(within));
    if (!answered.failure()) co_return std::string();
    if (is_abort(answered.failure())) std::rethrow_exception(answered.failure());
    co_return http::problem_of(answered.failure()).detail();
}

inline asio::awaitable<http::response> answer_ready(text_maker check, http::call& in) {
    std::string trouble = in.is_draining() ? "the gateway is about to end" : "";
    if (trouble.empty()) {
        auto checking = check();
        trouble = co_await std::move(checking);
    }
    if (!trouble.empty()) {
        http::problem why(503, "not ready: " + trouble);
        throw why.code("not_ready").header("Retry-After", "1");
    }
    http::response made(200, "text/plain; charset=utf-8", "ready\n");
    made.header("Cache-Control", "no-store");
    co_return made;
}

inline asio::awaitable<http::response> answer_metrics(text_maker text, http::call&) {
    auto making = text();
    std::string all = co_await std::move(making);
    http::response made(200, "text/plain; version=0.0.4; charset=utf-8", std::move(all));
    co_return made;
}

void add_health(http::routes& to, const http::gateway_parts& with, const gateway_options& options) {
    using http::permission;
    const auto broker = with.broker();
    text_maker ready = options.ready(), metrics = options.metrics();
    if (!ready) ready = [broker] { return ask_broker(broker); };
    if (!metrics) metrics = [broker] { return read_metrics(broker); };
    to.add("GET /livez", permission::none, &answer_live).summary("Whether the process runs.").group("health").answers(200, "it does", "text/plain");
    to.add("GET /readyz", permission::none, std::bind_front(&answer_ready, ready))
        .summary("Whether the gateway can serve: its broker answers.")
        .group("health")
        .answers(200, "it can", "text/plain");
    to.add("GET /metrics", permission::read, std::bind_front(&answer_metrics, metrics))
        .summary("Counts of all queues, in Prometheus' text.")
        .group("health")
        .answers(200, "the text", "text/plain");
}

}  // namespace taskflux::detail
