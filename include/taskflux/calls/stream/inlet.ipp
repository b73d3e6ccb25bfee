#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/calls/stream/inlet.hpp>
#include <taskflux/calls/stream/reading.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/method.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/alarm.hpp>
#include <taskflux/detail/courtesy.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace taskflux::detail {

std::shared_ptr<inlet> inlet::open(broker_ptr broker, std::size_t window, fault_list faults, std::string source) {
    const auto made = std::make_shared<inlet>(std::move(broker), window, faults, std::move(source));
    made->box_ = made->broker_->open([weak = made->weak_from_this()](std::string_view text) {
        if (const auto self = weak.lock()) self->hear(text);
    });
    made->closing_ = made->broker_->on_close([weak = made->weak_from_this()] {
        if (const auto self = weak.lock()) self->close(std::make_exception_ptr(broker_is_closed()));
    });
    return made;
}

inlet::inlet(broker_ptr broker, std::size_t window, fault_list faults, std::string source)
    : broker_(std::move(broker)), window_(window), faults_(faults), name_(std::move(source)),
      changed_(std::make_shared<event>()) {}

void inlet::attach(time_point ends, look looks, std::function<void(bool)> leaves) {
    ends_ = ends;
    looks_ = std::move(looks);
    leaves_ = std::move(leaves);
}

asio::awaitable<bool> inlet::begun(std::shared_ptr<inlet> self) {
    for (;;) {
        {
            const std::lock_guard lock(self->mutex_);
            if (!self->source_.empty()) co_return true;
            if (self->is_refused_) co_return false;
            if (self->failure_) std::rethrow_exception(self->failure_);
        }
        co_await self->change();
    }
}

asio::awaitable<std::optional<std::string>> inlet::next(std::shared_ptr<inlet> self) {
    if (!self) co_return std::nullopt;
    const sole_use::mark sole(self->reads_, "a second coroutine can't read the stream of ", self->name_,
                                 ": one reads it already; read it in one, which may hand out the values");
    const auto state = co_await asio::this_coro::cancellation_state;
    const auto cancelled_before = state.cancelled();
    // What is awaited beside it may end first, though a value is here: then this is cancelled, and must not have taken it.
    if (state.slot().is_connected()) co_await asio::post(asio::deferred);
    for (;;) {
        if (state.cancelled() != cancelled_before) {
            throw boost::system::system_error(asio::error::operation_aborted, "stream::next");
        }
        std::optional<std::string> value;
        bool is_due = false;
        {
            const std::lock_guard lock(self->mutex_);
            if (!self->values_.empty()) {
                value = std::move(self->values_.front());
                self->values_.pop_front();
                ++self->taken_;
                self->unacknowledged_bytes_ += value->size();
                is_due = (self->taken_ - self->acknowledged_) * 2 >= self->window_ || self->unacknowledged_bytes_ * 4 >= stream_bytes;
            } else if (self->has_ended_) {
                co_return std::nullopt;
            } else if (self->failure_) {
                std::rethrow_exception(self->failure_);
            }
        }
        if (is_due) self->acknowledge(call_message::kind::credit);
        if (value) co_return value;
        co_await self->change();
    }
}

void inlet::close(std::exception_ptr why) {
    {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::move(why);
    }
    changed_->set();
}

void inlet::leave() {
    bool has_ended = false;
    {
        const std::lock_guard lock(mutex_);
        has_ended = has_ended_ || failure_;
    }
    if (const auto leaves = std::exchange(leaves_, nullptr)) leaves(has_ended);
}

asio::awaitable<void> inlet::change() {
    const auto executor = co_await asio::this_coro::executor;
    auto& clock = broker_->clock();
    const auto begun = clock.now();
    if (begun >= ends_) {
        throw error(errc::timed_out, "the stream of " + name_ + " timed out: it has not been read to its end within the "
                                     "call's timeout; allow a longer call_options::timeout");
    }
    const auto until = (std::min)(ends_, later(begun, std::chrono::seconds(1)));
    std::uint64_t heard_before = 0;
    {
        const std::lock_guard lock(mutex_);
        heard_before = messages_received_;
    }
    {
        const alarm at(clock, executor, changed_, until);
        co_await changed_->wait();
    }
    if (clock.now() < until) co_return;
    bool is_lost = false;
    {
        const std::lock_guard lock(mutex_);
        if (messages_received_ != heard_before || failure_) co_return;
        is_lost = is_lost_;
        asked_for_ = received_;
    }
    if (looks_) co_await looks_(is_lost);
    acknowledge(call_message::kind::again);
}

void inlet::hear(std::string_view text) {
    std::optional<call_message::kind> answer;
    try {
        auto message = call_message::parse(text);
        const std::lock_guard lock(mutex_);
        ++messages_received_;
        answer = take(message);
    } catch (const std::exception&) {  // not a call message
        return;
    }
    changed_->set();
    if (answer) acknowledge(*answer);
}

std::optional<call_message::kind> inlet::take(call_message& message) {
    switch (message.what) {
        case call_message::kind::values: {
            const bool is_new = std::exchange(source_, message.reply_to) != message.reply_to;
            is_lost_ = false;
            if (has_ended_) return call_message::kind::credit;
            if (message.number > received_) return missing();
            auto number = message.number;
            for (const auto value : message.values_in()) {
                if (number++ < received_) continue;
                if (values_.size() >= window_) break;  // there was no room for it
                values_.emplace_back(value);
                ++received_;
            }
            if (is_new && received_ > 0) return call_message::kind::credit;  // a second attempt need not repeat it
            return std::nullopt;
        }
        case call_message::kind::end:
            source_ = message.reply_to;
            if (!has_ended_ && message.number > received_) return missing();
            has_ended_ = true;
            received_ = message.number + 1;
            return call_message::kind::credit;
        case call_message::kind::fault:
            if (!failure_) {  // what follows the end is not read
                auto why = read_failure(message.payload);
                const auto code = code_of(why);
                failure_ = faults_.raised(call_failed(code, std::move(why)));
            }
            return std::nullopt;
        case call_message::kind::answer:
            if (source_.empty()) {
                failure_ = std::make_exception_ptr(error(
                    errc::invalid_argument,
                    "the answer of " + name_ + " can't be read as a stream: it is one result; call it by a method<R(P)>"));
            }
            return std::nullopt;
        case call_message::kind::refused:
            if (source_.empty()) is_refused_ = true;
            is_lost_ = true;
            return std::nullopt;
        default: return std::nullopt;
    }
}

std::optional<call_message::kind> inlet::missing() {
    if (std::exchange(asked_for_, received_) == received_) return std::nullopt;
    return call_message::kind::again;
}

void inlet::acknowledge(call_message::kind what) {
    call_message message;
    message.what = what;
    std::string to;
    {
        const std::lock_guard lock(mutex_);
        message.number = received_;
        message.taken = taken_;
        acknowledged_ = taken_;
        unacknowledged_bytes_ = 0;
        to = source_;
    }
    if (to.empty()) return;
    call_message refused;
    refused.what = call_message::kind::refused;
    broker_->post(std::move(to), message.text(), bounce(box_->address(), refused.text()), {});
}

reading::~reading() {
    if (from_) as_courtesy([this] { from_->leave(); });
}

asio::awaitable<std::optional<std::string>> reading::next() const { return inlet::next(from_); }

}  // namespace taskflux::detail
