#pragma once

#include <taskflux/broker/broker/background.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/courtesy.hpp>
#include <taskflux/detail/required.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/raw_queue.hpp>
#include <taskflux/flow/raw_queue/consumer.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {

/// A message that is held by a `received_message`, or by a call that settles it.
class held_message {
public:
    held_message(std::shared_ptr<raw_consumer> consumer, delivery what)
        : consumer_(std::move(consumer)), kept_(std::in_place, consumer_), what_(std::move(what)), id_{consumer_->queue(), what_.key} {}
    held_message(const held_message&) = delete;
    held_message& operator=(const held_message&) = delete;

    ~held_message() {
        consumer_->forget(what_.key, what_.token);
        if (is_settled_ || consumer_->is_lost()) return;
        // Where this fails, the lease runs out: it is not renewed any more.
        as_courtesy([this] { spawn_in_background(consumer_->broker(), release(consumer_, end(settlement::kind::release))); });
    }

    const delivery& what() const { return what_; }
    const task_id& id() const { return id_; }
    bool is_lost() const { return consumer_->is_lost(); }
    bool is_cancelled() const { return consumer_->is_cancelled(what_.key, what_.token); }

    settlement end(settlement::kind how) const {
        settlement made;
        made.key = what_.key;
        made.token = what_.token;
        made.how = how;
        made.mark.spec = what_.spec;
        made.mark.ran = (std::max)(consumer_->broker()->clock().now() - what_.started_at, duration::zero());
        if (is_first_attempt(what_)) made.mark.waited = (std::max)(what_.started_at - what_.due_at, duration::zero());
        return made;
    }

    static asio::awaitable<effect> settle(std::shared_ptr<held_message> self, settlement how) {
        if (self->is_settled_) {
            throw error(errc::wrong_state,
                        "message " + to_string(self->id_) +
                            " can't be settled again: complete, release or fail has settled it");
        }
        const auto done = co_await settle(self->consumer_, std::move(how));
        if (!self->is_settled_.exchange(true)) self->kept_.reset();  // a message that has ended needs no lease
        co_return done;
    }

private:
    static asio::awaitable<effect> settle(std::shared_ptr<raw_consumer> by, settlement how) {
        const std::vector<settlement> ends(1, std::move(how));
        const auto effects = co_await by->broker()->settle(by->queue(), by->name(), ends);
        co_return effects.front();
    }

    static asio::awaitable<void> release(std::shared_ptr<raw_consumer> by, settlement how) {
        co_await settle(std::move(by), std::move(how));
    }

    const std::shared_ptr<raw_consumer> consumer_;
    std::optional<raw_consumer::use> kept_;
    const delivery what_;
    const task_id id_;
    std::atomic<bool> is_settled_ = false;
};

/// The state that copies of a raw queue share.
class raw_receiver {
public:
    raw_receiver(broker_ptr broker, std::string queue, const raw_queue_options& options)
        : broker_(std::move(broker)), queue_(std::move(queue)), options_(options) {}

    const broker_ptr& broker() const { return broker_; }
    const std::string& queue() const { return queue_; }

    static asio::awaitable<std::optional<received_message>> receive(std::shared_ptr<raw_receiver> self, duration wait) {
        auto& clock = self->broker_->clock();
        std::optional<time_point> deadline;
        for (;;) {
            const auto who = co_await self->consumer();
            if (!deadline) deadline = later(clock.now(), wait);  // a server's clock is known once it has answered
            const raw_consumer::use waiting(who);
            fetch_request request;
            request.consumer = who->name();
            request.queues.push_back(self->queue_);
            request.wait = std::clamp(*deadline - clock.now(), duration::zero(), longest_fetch);
            std::vector<delivery> found;
            std::exception_ptr failure;
            bool is_lost = false;
            try {
                found = co_await self->broker_->fetch(std::move(request));
            } catch (const boost::system::system_error& e) {
                failure = std::current_exception();
                is_lost = e.code() == errc::lease_lost;
            }
            if (is_lost) {  // it was idle for too long, or had lost the server
                who->lose();
                continue;
            }
            if (failure) {
                who->reclaim();
                std::rethrow_exception(failure);
            }
            if (!found.empty()) {
                auto held = std::make_shared<held_message>(who, std::move(found.front()));
                co_return received_message(std::move(held));
            }
            if (clock.now() >= *deadline) co_return std::nullopt;
        }
    }

    static asio::awaitable<std::vector<received_message>> receive(std::shared_ptr<raw_receiver> self, std::vector<std::string> ids) {
        const auto who = self->new_consumer();
        acquire_request request;
        request.queue = self->queue_;
        request.consumer = who->name();
        request.lease = self->options_.lease();
        for (auto& id : ids) request.tasks.push_back(self->reference_of(std::move(id)));
        auto found = co_await self->broker_->acquire(std::move(request));
        who->has_joined();
        std::vector<received_message> messages;
        for (auto& one : found) {
            if (one.task) messages.emplace_back(std::make_shared<held_message>(who, std::move(*one.task)));
        }
        co_return messages;
    }

private:
    task_reference reference_of(std::string id) const {
        task_reference made;
        if (!looks_like_printed_id(id)) {
            made.own_id = std::move(id);
            return made;
        }
        auto printed = parse_task_id(id);
        if (printed.queue != queue_) {
            throw error(errc::invalid_argument, "message " + in_quotes(id) + " is none of queue " + queue_ + ": receive it from its own queue");
        }
        made.key = printed.key;
        return made;
    }

    std::shared_ptr<raw_consumer> new_consumer() const {
        const auto life = uuid_generator().text();
        auto name = options_.name().empty() ? life : options_.name() + ':' + life.substr(life.size() - 12);
        return std::make_shared<raw_consumer>(broker_, queue_, std::move(name), options_.lease());
    }

    static constexpr duration longest_fetch = std::chrono::seconds(5);

    asio::awaitable<std::shared_ptr<raw_consumer>> consumer() {
        auto known = current();
        if (known && !known->is_lost()) co_return known;
        // On a server nothing is left of it, but this process knows it still.
        if (known) spawn_in_background(broker_, broker_->leave(known->name(), std::vector<std::string>(1, queue_)));
        auto made = new_consumer();
        co_await made->join();
        const std::lock_guard lock(mutex_);  // of several that join at a time the last one stays; all of them work
        current_ = made;
        co_return made;
    }

    std::shared_ptr<raw_consumer> current() {
        const std::lock_guard lock(mutex_);
        return current_;
    }

    const broker_ptr broker_;
    const std::string queue_;
    const raw_queue_options options_;
    std::mutex mutex_;  // guards the next
    std::shared_ptr<raw_consumer> current_;
};

inline const std::shared_ptr<held_message>& held(const std::shared_ptr<held_message>& by) {
    return required(by, "received_message");
}

inline const std::shared_ptr<raw_receiver>& receiver_of(const std::shared_ptr<raw_receiver>& of) { return required(of, "raw_queue"); }

}  // namespace detail

raw_queue_options& raw_queue_options::lease(duration length) {
    return lease_ = detail::checked_lease(length, "raw_queue_options"), *this;
}

raw_queue_options& raw_queue_options::name(std::string_view name) { return name_ = detail::checked_name(name), *this; }

received_message::received_message(std::shared_ptr<detail::held_message> held) : held_(std::move(held)) {}
received_message::received_message(received_message&&) noexcept = default;
received_message& received_message::operator=(received_message&&) noexcept = default;
received_message::~received_message() = default;

const task_id& received_message::id() const { return detail::held(held_)->id(); }
const std::string& received_message::name() const { return detail::held(held_)->what().spec->name; }
const std::string& received_message::body() const {
    const auto& what = detail::held(held_)->what();
    if (what.unreadable) std::rethrow_exception(what.unreadable);
    return what.payload;
}

const std::string& received_message::own_id() const { return detail::held(held_)->what().own_id; }
const header_map& received_message::headers() const { return detail::held(held_)->what().spec->headers; }
unsigned received_message::deliveries() const { return detail::held(held_)->what().token; }
time_point received_message::submitted_at() const { return detail::held(held_)->what().submitted_at; }
bool received_message::is_lost() const { return detail::held(held_)->is_lost(); }
bool received_message::is_cancelled() const { return detail::held(held_)->is_cancelled(); }

asio::awaitable<effect> received_message::complete(std::string result) {
    auto how = detail::held(held_)->end(settlement::kind::complete);
    detail::check_result_size(result);
    how.data = std::move(result);
    return detail::held_message::settle(held_, std::move(how));
}

asio::awaitable<effect> received_message::release(duration delay) {
    auto how = detail::held(held_)->end(delay > duration::zero() ? settlement::kind::retry : settlement::kind::release);
    how.delay = delay;
    how.counts = false;
    return detail::held_message::settle(held_, std::move(how));
}

asio::awaitable<effect> received_message::fail(std::string why) {
    failure told;
    told.code = "task_failed";
    told.message = detail::as_utf8(why);
    auto how = detail::held(held_)->end(settlement::kind::fail);
    how.data = encode(told);
    return detail::held_message::settle(held_, std::move(how));
}

raw_queue::raw_queue(broker_ptr broker, std::string queue, raw_queue_options options)
    : receiver_(std::make_shared<detail::raw_receiver>(detail::checked_broker(std::move(broker), "a raw_queue"),
                                                       std::string(detail::checked_name(queue)), options)) {}

const std::string& raw_queue::name() const { return detail::receiver_of(receiver_)->queue(); }

asio::awaitable<job<raw>> raw_queue::send(std::string bytes, const submit_options& options) const {
    return send_task("message", std::move(bytes), options);
}

asio::awaitable<job<raw>> raw_queue::send_task(std::string task, std::string payload, const submit_options& options) const {
    const taskflux::task<raw(raw)> contract(task);
    auto here = options;
    here.queue(name());
    const raw bytes{std::move(payload)};
    return client(detail::receiver_of(receiver_)->broker()).submit(contract, here, bytes);
}

asio::awaitable<std::optional<received_message>> raw_queue::receive(duration wait) const {
    return detail::raw_receiver::receive(detail::receiver_of(receiver_), wait);
}

asio::awaitable<std::vector<received_message>> raw_queue::receive(std::vector<std::string> ids) const {
    return detail::raw_receiver::receive(detail::receiver_of(receiver_), std::move(ids));
}

}  // namespace taskflux
