#pragma once

#include <taskflux/detail/lifetime.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

namespace taskflux::detail {

lifetime::lifetime(asio::any_io_executor strand, std::string lost, sayer say)
    : strand_(std::move(strand)), lost_(std::move(lost)), say_(std::move(say)) {}

lifetime::mark::mark(lifetime& of) : of_(of), is_too_late_((of_.state_.fetch_or(under_way) & orphaned) != 0) {
    if (!is_too_late_) return;
    of_.say_("it was destroyed before its run() had begun, and does nothing; keep the object until run() has returned, which "
             "stop() ends");
}

lifetime::mark::~mark() { of_.state_ &= ~under_way; }

void lifetime::abandon() {
    auto before = state_.load();
    while (!state_.compare_exchange_weak(before, before | stopped | ((before & stopped) != 0 ? 0 : orphaned))) {
    }
    if ((before & under_way) == 0 || is_context_stopped()) return;
    say_("it was destroyed while run() was under way: " + lost_ + "; keep the object until run() has returned, which stop() ends");
}

bool lifetime::is_context_stopped() const {
    const auto* strand = strand_.target<asio::strand<asio::any_io_executor>>();
    const auto inner = strand ? strand->get_inner_executor() : strand_;
    const auto* plain = inner.target<asio::io_context::executor_type>();
    return plain && plain->context().stopped();
}

}  // namespace taskflux::detail
