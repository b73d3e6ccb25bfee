#pragma once

#include <taskflux/admin/directory.hpp>
#include <taskflux/admin/node/boards.hpp>
#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/sleep.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {

/// The rows of a board that this version can read.
template <class T>
asio::awaitable<std::vector<T>> read_board(broker_ptr broker, std::string board) {
    const auto rows = co_await broker->announced(std::move(board));
    std::vector<T> all;
    for (const auto& row : rows) {
        try {
            all.push_back(decode<T>(row.text));
        } catch (const payload_error&) {
            continue;
        }
    }
    co_return all;
}

/// The instances of a service that take calls.
asio::awaitable<std::vector<service_instance>> instances_of(broker_ptr broker, std::string service) {
    auto all = co_await read_board<service_instance>(std::move(broker), board_of(service));
    std::erase_if(all, [](const auto& one) { return one.leaving; });
    co_return all;
}

/// Whether a board could not be read because of what is stored there, or as its name, which somebody else has written, is none.
inline bool is_of_one_board(const std::exception_ptr& failure) {
    if (!failure) return false;
    const auto code = code_of(describe(failure));
    return code == errc::protocol || code == errc::invalid_argument;
}

asio::awaitable<std::vector<service_instance>> all_services(broker_ptr broker) {
    const auto names = co_await broker->announced(services_board);
    std::vector<service_instance> all;
    std::exception_ptr failure;
    for (const auto& name : names) {
        auto reading = instances_of(broker, name.id);
        auto some = co_await caught(std::move(reading));
        if (is_of_one_board(some.failure())) {
            if (!failure) failure = some.failure();
            continue;
        }
        for (auto& one : some.take()) all.push_back(std::move(one));
    }
    if (all.empty() && failure) std::rethrow_exception(failure);
    co_return all;
}

asio::awaitable<directory_view> whole_view(broker_ptr broker) {
    directory_view made;
    made.nodes = co_await read_board<node_info>(broker, nodes_board);
    made.services = co_await all_services(broker);
    co_return made;
}

/// Whether both have the same nodes and instances.
inline bool are_same(const directory_view& a, const directory_view& b) {
    const auto same_node = [](const node_info& x, const node_info& y) { return x.id == y.id; };
    const auto same_instance = [](const service_instance& x, const service_instance& y) {
        return x.service == y.service && x.id == y.id;
    };
    return std::ranges::equal(a.nodes, b.nodes, same_node) && std::ranges::equal(a.services, b.services, same_instance);
}

asio::awaitable<directory_view> changed_view(broker_ptr broker, directory_view known, duration wait) {
    constexpr auto look = std::chrono::seconds(1);
    auto& clock = broker->clock();
    const auto ends = later(clock.now(), wait);
    for (;;) {
        auto seen = co_await whole_view(broker);
        if (clock.now() >= ends || !are_same(seen, known)) co_return seen;
        co_await sleep_until(clock, (std::min)(ends, later(clock.now(), look)));
    }
}

inline bool fits(const node_filter& which, const node_info& one) {
    const auto is = [](const std::string& wanted, const std::string& given) { return wanted.empty() || wanted == given; };
    return is(which.id, one.id) && is(which.name, one.name) && (is(which.host, one.host) || which.host == one.ip) &&
           (which.queue.empty() || std::ranges::find(one.queues, which.queue) != one.queues.end());
}

/// Stores an order for nodes of that name, which start with it.
asio::awaitable<void> keep_order(broker_ptr broker, std::string name, node_order order) {
    node_settings settings;
    const auto rows = co_await broker->announced(settings_board);
    for (const auto& row : rows) {
        if (row.id == name) settings = decode<node_settings>(row.text);
    }
    if (order.concurrency) settings.concurrency = order.concurrency;
    if (order.action == node_action::pause) settings.paused = true;
    if (order.action == node_action::resume) settings.paused = false;
    co_await broker->announce(settings_board, std::move(name), encode(settings), (duration::max)());
}

asio::awaitable<node_info> steer_one(broker_ptr broker, rpc caller, node_info which, node_order order, bool keep) {
    const auto options = call_options().to(which.id).timeout(std::chrono::seconds(10));
    auto told = co_await caller.call(steer_node, options, order);
    if (keep) co_await keep_order(broker, which.name, order);
    co_return told;
}

asio::awaitable<std::vector<node_info>> steer(broker_ptr broker, rpc caller, node_filter which, node_order order, bool keep) {
    auto found = co_await read_board<node_info>(broker, nodes_board);
    std::erase_if(found, [&](const auto& one) { return !fits(which, one); });
    if (found.empty()) {
        throw error(errc::not_found, "no node is steered: the directory has none with id " + in_quotes(which.id) + ", name " +
                                         in_quotes(which.name) + ", host " + in_quotes(which.host) + ", queue " +
                                         in_quotes(which.queue) + " (empty: any)");
    }
    std::vector<node_info> told;
    std::exception_ptr failure;
    for (const auto& one : found) {
        auto steering = steer_one(broker, caller, one, order, keep);
        auto steered = co_await caught(std::move(steering));
        if (steered.failure()) failure = steered.failure();
        else told.push_back(steered.take());
    }
    if (failure) std::rethrow_exception(failure);
    co_return told;
}

inline node_order order_to(node_action action) {
    node_order made;
    made.action = action;
    return made;
}

}  // namespace detail

asio::awaitable<std::vector<node_info>> directory::nodes() const {
    return detail::read_board<node_info>(broker(), detail::nodes_board);
}

asio::awaitable<std::vector<service_instance>> directory::services() const { return detail::all_services(broker()); }

asio::awaitable<std::vector<service_instance>> directory::services(std::string service) const {
    detail::checked_service(service);
    return detail::instances_of(broker(), std::move(service));
}

asio::awaitable<directory_view> directory::view() const { return detail::whole_view(broker()); }

asio::awaitable<directory_view> directory::next_change(directory_view known, duration wait) const {
    return detail::changed_view(broker(), std::move(known), wait);
}

asio::awaitable<std::vector<node_info>> directory::set_concurrency(node_filter which, std::uint64_t slots, bool keep) const {
    node_order order;
    order.concurrency = slots;
    return detail::steer(broker(), rpc_, std::move(which), order, keep);
}

asio::awaitable<std::vector<node_info>> directory::pause(node_filter which, bool keep) const {
    return detail::steer(broker(), rpc_, std::move(which), detail::order_to(node_action::pause), keep);
}

asio::awaitable<std::vector<node_info>> directory::resume(node_filter which, bool keep) const {
    return detail::steer(broker(), rpc_, std::move(which), detail::order_to(node_action::resume), keep);
}

asio::awaitable<std::vector<node_info>> directory::drain(node_filter which) const {
    return detail::steer(broker(), rpc_, std::move(which), detail::order_to(node_action::drain), false);
}

asio::awaitable<std::vector<node_info>> directory::stop(node_filter which) const {
    return detail::steer(broker(), rpc_, std::move(which), detail::order_to(node_action::stop), false);
}

}  // namespace taskflux
