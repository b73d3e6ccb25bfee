#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/relationship.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

/// An executor that runs things where another does, but holds no outstanding work: what is merely parked on
/// it does not keep `io_context::run()` from returning.
class untracked_executor {
public:
    // A template, so that copying this class never asks whether it converts to `any_io_executor`.
    template <std::same_as<asio::any_io_executor> Executor>
    explicit untracked_executor(Executor inner) noexcept : inner_(std::move(inner)) {}

    asio::execution_context& query(asio::execution::context_t) const noexcept {
        return asio::query(inner_, asio::execution::context);
    }

    // Strands ask, to decide whether they may run something at once.
    asio::execution::blocking_t query(asio::execution::blocking_t property) const noexcept {
        return asio::query(inner_, property);
    }

    untracked_executor require(asio::execution::blocking_t::never_t property) const {
        return untracked_executor(asio::require(inner_, property));
    }

    template <class Property>
    requires(std::is_same_v<Property, asio::execution::blocking_t::possibly_t> ||
             std::is_same_v<Property, asio::execution::relationship_t::fork_t> ||
             std::is_same_v<Property, asio::execution::relationship_t::continuation_t>) untracked_executor
        prefer(Property property)
    const { return untracked_executor(asio::prefer(inner_, property)); }

    template <class Function>
    void execute(Function&& function) const {
        inner_.execute(std::forward<Function>(function));
    }

    friend bool operator==(const untracked_executor&, const untracked_executor&) noexcept = default;

private:
    asio::any_io_executor inner_;
};

}  // namespace taskflux::detail
