#pragma once

#include <taskflux/flow/worker/attempt.hpp>
#include <taskflux/flow/worker/held_slots.hpp>
#include <taskflux/flow/worker/plain_call.hpp>

#include <memory>
#include <utility>

namespace taskflux::detail {

/// Set and read by plain functions only: a coroutine may go on on another thread.
inline thread_local plain_scope* innermost_scope = nullptr;

plain_scope::plain_scope(attempt& who) : who_(who), outer_(std::exchange(innermost_scope, this)) {}

plain_scope::~plain_scope() {
    innermost_scope = outer_;
    if (made_) made_->has_returned = true;
}

std::shared_ptr<const plain_call> plain_scope::current() {
    auto* const here = innermost_scope;
    if (!here) return nullptr;
    auto& made = here->made_;
    if (!made) {
        running_handler who{here->who_.id(), here->who_.what().spec->name};
        const auto& crew = here->who_.owner();
        here->hold_ = std::make_shared<held_slots::thread_hold>(crew->held());
        made = std::make_shared<plain_call>(std::move(who), crew);
    }
    return made;
}

}  // namespace taskflux::detail
