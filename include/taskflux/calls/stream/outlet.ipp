#pragma once

#include <taskflux/broker/broker/background.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/calls/stream/outlet.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/alarm.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace taskflux::detail {

std::shared_ptr<outlet> outlet::open(broker_ptr broker, std::string to, std::size_t window, std::function<void()> on_gone) {
    const auto made = std::make_shared<outlet>(std::move(broker), std::move(to), window, std::move(on_gone));
    made->box_ = made->broker_->open([weak = made->weak_from_this()](std::string_view text) {
        if (const auto self = weak.lock()) self->hear(text);
    });
    made->closing_ = made->broker_->on_close([weak = std::weak_ptr(made->changed_)] {
        if (const auto changed = weak.lock()) changed->set();
    });
    made->send_more();
    return made;
}

outlet::outlet(broker_ptr broker, std::string to, std::size_t window, std::function<void()> on_gone)
    : broker_(std::move(broker)), to_(std::move(to)), window_((std::max)(window, std::size_t(1))),
      changed_(std::make_shared<event>()), on_gone_(std::move(on_gone)) {}

asio::awaitable<void> outlet::emit(std::string value) {
    constexpr std::size_t most = exchange::max_message_size - 512;  // beside a message's head, and what codecs add
    if (value.size() > most) {
        throw error(errc::too_large, "a value is not emitted: it has " + std::to_string(value.size()) + " bytes, and at most " +
                                         std::to_string(most) + " fit into a message; emit smaller values");
    }
    const sole_use::mark sole(emits_, "a second coroutine can't emit a value", {},
                                  ": one emits already; emit in one, which may be handed the values of others");
    bool is_added = false;
    for (;;) {
        check_open();
        {
            const std::lock_guard lock(mutex_);
            if (is_gone_) break;
            if (has_room()) {
                add(std::move(value));
                is_added = true;
                break;
            }
        }
        co_await change();
    }
    if (is_added) {
        send_more();
    } else {
        co_await asio::post(asio::deferred);  // a handler that emits without end is cancelled here
    }
}

asio::awaitable<void> outlet::end() {
    {
        const std::lock_guard lock(mutex_);
        is_ended_ = true;
    }
    send_more();
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (is_gone_ || is_received()) co_return;
        }
        check_open();
        co_await change();
    }
}

asio::awaitable<void> outlet::flush() {
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (!is_sending_ || broker_->is_closed()) co_return;
        }
        co_await changed_->wait();
    }
}

void outlet::check_open() const {
    if (broker_->is_closed()) throw broker_is_closed();
}

asio::awaitable<void> outlet::change() {
    const auto executor = co_await asio::this_coro::executor;
    auto& clock = broker_->clock();
    const auto until = later(clock.now(), std::chrono::seconds(1));
    std::uint64_t heard_before = 0;
    {
        const std::lock_guard lock(mutex_);
        heard_before = messages_received_;
    }
    const alarm at(clock, executor, changed_, until);
    co_await changed_->wait();
    if (clock.now() < until) co_return;
    {
        const std::lock_guard lock(mutex_);
        if (messages_received_ != heard_before) co_return;
        must_show_ = true;
    }
    send_more();
}

void outlet::hear(std::string_view text) {
    call_message message;
    try {
        message = call_message::parse(text);
    } catch (const std::exception&) {  // not a call message
        return;
    }
    std::function<void()> on_gone;
    {
        const std::lock_guard lock(mutex_);
        ++messages_received_;
        unheard_since_ = never;
        if (message.what == call_message::kind::cancel) {
            on_gone = give_up();
        } else if (message.what == call_message::kind::credit || message.what == call_message::kind::again) {
            received_ = (std::max)(received_, message.number);
            taken_ = (std::max)(taken_, (std::min)(message.taken, received_));
            if (message.what == call_message::kind::again) sent_ = received_;
            const auto first = emitted_ - open_.size();
            for (auto i = first; i < (std::min)(received_, emitted_); ++i) open_[static_cast<std::size_t>(i - first)].text.clear();
            drop_taken();
        }
    }
    send_more();
    changed_->set();
    if (on_gone) on_gone();
}

asio::awaitable<void> outlet::pump(std::shared_ptr<outlet> self) {
    call_message gone;
    gone.what = call_message::kind::cancel;
    const auto refusal = gone.text();
    for (;;) {
        call_message next;
        {
            const std::lock_guard lock(self->mutex_);
            if (!self->next_message(next)) {
                self->is_sending_ = false;
                break;
            }
        }
        bool heard = false;
        try {
            auto back = bounce(self->box_->address(), refusal);
            heard = co_await self->broker_->send(self->to_, next.text(), std::move(back));
        } catch (const std::exception&) {  // the server can't be reached: the reader asks again
        }
        std::function<void()> on_gone;
        {
            const std::lock_guard lock(self->mutex_);
            if (heard) {
                self->unheard_since_ = never;
                continue;
            }
            constexpr auto patience = std::chrono::seconds(10);
            const auto now = self->broker_->clock().now();
            if (self->unheard_since_ == never) self->unheard_since_ = now;
            if (now - self->unheard_since_ >= patience) on_gone = self->give_up();
            self->is_sending_ = false;
        }
        if (on_gone) on_gone();
        break;
    }
    self->changed_->set();
}

bool outlet::has_room() const {
    return emitted_ < taken_ || (emitted_ - taken_ < window_ && (bytes_ < stream_bytes || open_.empty()));
}

void outlet::drop_taken() {
    for (; !open_.empty() && emitted_ - open_.size() < taken_; open_.pop_front()) bytes_ -= open_.front().size;
}

void outlet::add(std::string value) {
    const auto size = value.size();
    if (emitted_ < received_) value.clear();
    open_.push_back({std::move(value), size});
    bytes_ += size;
    ++emitted_;
    drop_taken();
}

void outlet::send_more() {
    {
        const std::lock_guard lock(mutex_);
        sent_ = (std::max)(sent_, received_);
        const bool has_more = sent_ < emitted_ || (is_ended_ && sent_ == emitted_) || must_show_;
        if (!has_more || is_sending_ || is_gone_) return;
        is_sending_ = true;
    }
    spawn_in_background(broker_, pump(shared_from_this()));
}

bool outlet::next_message(call_message& next) {
    constexpr std::size_t enough = 64 * 1024;  // bytes of several values
    if (is_gone_) return false;
    next.reply_to = box_->address();
    next.number = sent_;
    if (is_ended_ && sent_ == emitted_) {
        next.what = call_message::kind::end;
        ++sent_;
    } else {
        if (sent_ >= emitted_ && !must_show_) return false;
        next.what = call_message::kind::values;
        const auto first = emitted_ - open_.size();
        for (; sent_ < emitted_; ++sent_) {
            const auto& text = open_[static_cast<std::size_t>(sent_ - first)].text;
            if (!next.payload.empty() && next.payload.size() + text.size() > enough) break;
            next.add(text);
        }
    }
    must_show_ = false;
    return true;
}

std::function<void()> outlet::give_up() {
    is_gone_ = true;
    open_.clear();
    return is_received() ? nullptr : std::exchange(on_gone_, nullptr);
}

}  // namespace taskflux::detail
