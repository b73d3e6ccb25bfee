#pragma once

#include <taskflux/calls/service/core.hpp>
#include <taskflux/calls/stream/outlet.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/lease/renewal_period.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/spawn.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace taskflux::detail {

service_core::service_core(broker_ptr broker, const service_options& options, std::shared_ptr<const method_map> methods,
                           asio::any_io_executor cpu)
    : broker_(std::move(broker)), options_(options), methods_(std::move(methods)), cpu_(std::move(cpu)),
      strand_(asio::make_strand(broker_->get_executor())), changed_(std::make_shared<event>()),
      started_at_(broker_->clock().wall()) {}

asio::awaitable<void> service_core::live([[maybe_unused]] std::shared_ptr<asio::thread_pool> cpu_threads) {
    const auto self = shared_from_this();
    {
        const std::lock_guard lock(mutex_);
        takes_calls_ = true;
    }
    box_ = broker_->open([weak = weak_from_this()](std::string_view text) {
        if (const auto alive = weak.lock()) alive->hear(text);
    });
    auto& clock = broker_->clock();
    auto next = clock.now();
    while (!is_stopped_) {
        if (clock.now() >= next) {
            auto announcing = announce(false, options_.lease());
            const auto announced = co_await caught(std::move(announcing));
            log_trouble("its heartbeat", announced.failure());
            next = later(clock.now(), announced.failure() ? std::chrono::seconds(1) : renewal_period(options_.lease()));
        }
        if (is_stopped_) break;
        const alarm at(clock, strand_, changed_, (std::min)(next, cancel_overdue()));
        co_await changed_->wait();
    }
    {
        const std::lock_guard lock(mutex_);
        takes_calls_ = false;
    }
    co_await leave();
    box_.reset();
}

void service_core::stop() {
    is_stopped_ = true;
    changed_->set();
}

void service_core::abandon() {
    is_stopped_ = true;
    cancel_all();
    changed_->set();
}

std::size_t service_core::running() const {
    const std::lock_guard lock(mutex_);
    return calls_.size();
}

void service_core::hear(std::string_view text) {
    call_message message;
    try {
        message = call_message::parse(text);
    } catch (...) {
        return log_trouble("reading a message", std::current_exception());
    }
    if (message.what == call_message::kind::request) return begin(std::move(message));
    if (message.what != call_message::kind::cancel) return;
    cancel({message.reply_to, message.id});
}

void service_core::cancel(const call_key& key) {
    call_ptr one;
    {
        const std::lock_guard lock(mutex_);
        const auto found = calls_.find(key);
        if (found == calls_.end()) return;
        one = found->second;
        one->is_gone = true;
    }
    cancel(one);
}

void service_core::begin(call_message request) {
    auto& clock = broker_->clock();
    if (clock.now() >= request.deadline) return;  // the caller has given up
    auto* const does = find(request);
    if (!does) return;
    const auto& on = does->kind() == slot_job::kind::plain && cpu_ ? cpu_ : broker_->get_executor();
    const auto one = std::make_shared<call>(asio::make_strand(on), clock, std::move(request), *does);
    const auto& message = one->request;
    bool takes = false, is_full = false, is_first = false;
    {
        const std::lock_guard lock(mutex_);
        takes = takes_calls_;
        is_full = calls_.size() >= options_.max_running();
        if (takes && !is_full) {
            calls_.emplace(call_key(message.reply_to, message.id), one);
            is_first = deadlines_.empty() || message.deadline < deadlines_.begin()->first;
            deadlines_.emplace(message.deadline, one);
        }
    }
    if (!takes) return refuse(message, call_message::kind::refused, errc::shut_down, "");
    if (is_full) {
        return refuse(message, call_message::kind::fault, errc::busy,
                      "instance " + options_.id() + " has its limit of " + std::to_string(options_.max_running()) +
                          " calls in flight: start another, or raise max_running");
    }
    if (is_first) changed_->set();
    auto on_end = [self = shared_from_this(), one](std::exception_ptr) { self->answer(one); };
    spawn_on(one->where, carry_out(shared_from_this(), one), std::move(on_end), one->stop.slot());
}

method_handler* service_core::find(const call_message& request) {
    const auto methods = methods_->find(request.service);
    if (methods == methods_->end()) {
        refuse(request, call_message::kind::fault, errc::not_found,
               "instance " + options_.id() + " has no service " + request.service +
                   ": check the name of the service");
        return nullptr;
    }
    const auto found = methods->second.find(request.method);
    if (found != methods->second.end()) return found->second.get();
    std::string known;
    for (const auto& [name, handler] : methods->second) known += (known.empty() ? "" : ", ") + name;
    refuse(request, call_message::kind::fault, errc::not_found,
           "service " + request.service + " has no method " + request.method + "; it has " + known);
    return nullptr;
}

void service_core::refuse(const call_message& request, call_message::kind how, errc code, const std::string& why) {
    if (request.reply_to.empty()) return;
    call_message message;
    message.what = how;
    message.id = request.id;
    if (how == call_message::kind::fault) message.payload = encode(describe(std::make_exception_ptr(error(code, why))));
    broker_->post(request.reply_to, message.text());
}

void service_core::open_outlet(call& of) {
    const auto& request = of.request;
    auto gone = [weak = weak_from_this(), key = call_key(request.reply_to, request.id)] {
        if (const auto self = weak.lock()) self->cancel(key);
    };
    of.context.attach(outlet::open(broker_, request.reply_to, request.window, std::move(gone)));
}

asio::awaitable<void> service_core::carry_out(std::shared_ptr<service_core> self, call_ptr one) {
    call_message answer;
    answer.what = call_message::kind::answer;
    answer.id = one->request.id;
    std::exception_ptr failure;
    if (one->does.emits() && one->request.window > 0) self->open_outlet(*one);
    try {
        if (one->does.kind() == slot_job::kind::plain) {
            one->does.call(one->context, one->request.payload, answer.payload);
        } else {
            co_await one->does.run(one->context, one->request.payload, answer.payload);
        }
        constexpr std::size_t most = exchange::max_message_size - 64;  // beside the message's head
        if (answer.payload.size() > most) {
            throw error(errc::too_large, "the result is not sent: it has " +
                                             std::to_string(answer.payload.size()) + " bytes, and at most " +
                                             std::to_string(most) + " fit into a message");
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        answer.what = call_message::kind::fault;
        answer.payload = encode(describe(failure));
    }
    one->answer = answer.text();
}

void service_core::answer(const call_ptr& one) {
    bool is_gone = one->request.reply_to.empty() || one->answer.empty();
    if (!is_gone) {
        const std::lock_guard lock(mutex_);
        is_gone = one->is_gone;
    }
    if (is_gone) return end(one);
    auto sent = [weak = weak_from_this(), one](std::exception_ptr, bool) {
        if (const auto self = weak.lock()) self->end(one);
    };
    broker_->post(one->request.reply_to, std::move(one->answer), bounce(), std::move(sent));
}

void service_core::end(const call_ptr& one) {
    const std::lock_guard lock(mutex_);
    calls_.erase({one->request.reply_to, one->request.id});
    const auto [begin, end] = deadlines_.equal_range(one->request.deadline);
    const auto mine = std::find_if(begin, end, [&](const auto& entry) { return entry.second == one; });
    if (mine != end) deadlines_.erase(mine);
    if (is_stopped_ && calls_.empty()) changed_->set();
}

void service_core::cancel(const call_ptr& one) {
    one->context.cancel();
    asio::post(one->where, [one] { one->stop.emit(asio::cancellation_type::terminal); });
}

void service_core::cancel_all() {
    std::vector<call_ptr> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [key, one] : calls_) all.push_back(one);
    }
    for (const auto& one : all) cancel(one);
}

time_point service_core::cancel_overdue() {
    std::vector<call_ptr> late;
    auto next = never;
    {
        const std::lock_guard lock(mutex_);
        const auto end = deadlines_.upper_bound(broker_->clock().now());
        for (auto at = deadlines_.begin(); at != end; ++at) late.push_back(at->second);
        deadlines_.erase(deadlines_.begin(), end);
        for (const auto& one : late) one->is_gone = true;
        if (!deadlines_.empty()) next = deadlines_.begin()->first;
    }
    for (const auto& one : late) cancel(one);
    return next;
}

asio::awaitable<void> service_core::announce(bool leaving, duration lease) {
    service_instance row;
    row.id = options_.id();
    row.host = options_.host();
    row.version = version;
    row.running = running();
    row.limit = options_.max_running();
    row.started_at = started_at_;
    row.address = box_->address();
    row.leaving = leaving;
    for (const auto& [name, methods] : *methods_) {
        row.service = name;
        row.methods.clear();
        for (const auto& [method, handler] : methods) row.methods.push_back(method);
        co_await broker_->announce(services_board, name, std::string(), lease);
        auto text = encode(row);
        co_await broker_->announce(board_of(name), options_.id(), std::move(text), lease);
    }
}

asio::awaitable<void> service_core::leave() {
    auto announcing = announce(true, options_.lease() + options_.drain_for());
    const auto announced = co_await caught(std::move(announcing));
    log_trouble("leaving the directory", announced.failure());
    co_await drain();
    auto leaving = withdraw();
    const auto left = co_await caught(std::move(leaving));
    log_trouble("leaving the directory", left.failure());
}

asio::awaitable<void> service_core::withdraw() {
    for (const auto& [name, methods] : *methods_) co_await broker_->withdraw(board_of(name), options_.id());
}

asio::awaitable<void> service_core::drain() {
    auto& clock = broker_->clock();
    const auto ends = later(clock.now(), options_.drain_for());
    bool is_over = false;
    while (running() > 0) {
        if (!is_over && clock.now() >= ends) {
            is_over = true;
            cancel_all();
        }
        const alarm at(clock, strand_, changed_, (std::min)(is_over ? never : ends, cancel_overdue()));
        co_await changed_->wait();
    }
}

void service_core::log_trouble(const std::string& what, const std::exception_ptr& trouble) const {
    if (!trouble) return;
    const auto why = describe(trouble);
    if (code_of(why) == errc::shut_down) std::rethrow_exception(trouble);
    if (options_.log()) options_.log()("service " + options_.id() + ": " + what + " failed: " + why.message);
}

}  // namespace taskflux::detail
