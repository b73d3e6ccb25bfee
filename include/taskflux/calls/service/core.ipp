#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/calls/rpc/call_watch.hpp>
#include <taskflux/calls/rpc/cut_off.hpp>
#include <taskflux/calls/service/core.hpp>
#include <taskflux/calls/stream/outlet.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/lease/renewal_period.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/in_time.hpp>
#include <taskflux/detail/keep_trying.hpp>
#include <taskflux/detail/serial_executor.hpp>
#include <taskflux/detail/spawn.hpp>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace taskflux::detail {

service_core::service_core(broker_ptr broker, const service_options& options, std::shared_ptr<const method_map> methods,
                           asio::any_io_executor cpu)
    : broker_(std::move(broker)), options_(options), log_(options_.log().in_time_of(broker_->clock())),
      methods_(std::move(methods)), cpu_(std::move(cpu)), strand_(asio::make_strand(broker_->get_executor())),
      changed_(std::make_shared<event>()), started_at_(broker_->clock().wall()),
      life_(strand_, "calls in flight are cancelled",
            [this](const std::string& text) {
                if (!broker_->is_closed()) log_(log_level::error, "service " + options_.id() + ": " + text);
            }),
      parts_(strand_) {}

asio::awaitable<void> service_core::live([[maybe_unused]] std::shared_ptr<asio::thread_pool> cpu_threads) {
    const auto self = shared_from_this();
    const lifetime::mark under_way(life_);
    if (under_way.is_too_late() || life_.is_stopped()) co_return;
    const auto closing = broker_->on_close([weak = weak_from_this()] {
        const auto alive = weak.lock();
        if (!alive) return;
        alive->changed_->set();
        asio::post(alive->strand_, [alive] { alive->serving_.stop(); });
    });
    try {
        box_ = broker_->open([weak = weak_from_this()](std::string_view text) {
            if (const auto alive = weak.lock()) alive->hear(text);
        });
    } catch (...) {
        if (life_.is_stopped() && broker_->is_closed()) co_return;  // a clean end
        throw;
    }
    {
        const std::lock_guard lock(mutex_);
        takes_calls_ = !life_.is_stopped();
    }
    parts_.start(serving_, serve());
    co_await parts_.end_of(serving_);
    refuse_calls();
    if (running() > 0) parts_.start(leaving_, say(true, options_.lease() + options_.drain_for()));
    co_await drain();
    leaving_.stop();
    co_await parts_.end_of_all();
    auto& clock = broker_->clock();
    auto withdrawing = withdraw();
    auto leaving = in_time(clock, later(clock.now(), farewell), std::move(withdrawing), "leaving the directory");
    const auto left = co_await caught(std::move(leaving));
    log_trouble("leaving the directory", left.failure());
    box_.reset();
    if (life_.is_stopped()) co_return;
    parts_.check();
    throw broker_is_closed();
}

void service_core::stop() {
    life_.stop();
    asio::post(strand_, [self = shared_from_this()] { self->serving_.stop(); });
}

void service_core::abandon() {
    is_hurried_ = true;
    life_.abandon();  // first: `live` may be about to take calls
    refuse_calls();
    cancel_all();
    changed_->set();
    stop();
}

void service_core::refuse_calls() {
    gate_.close();
    const std::lock_guard lock(mutex_);
    takes_calls_ = false;
}

asio::awaitable<void> service_core::serve() {
    const auto self = shared_from_this();
    auto& clock = broker_->clock();
    auto first = keep_trying(clock, start_limit(clock, options_.start_timeout()), [this] { return announce(false, options_.lease()); },
                             [this](const std::string& why) {
                                 log_(log_level::warning, "service " + options_.id() +
                                                                        ": it can't start yet, and tries again: " + why);
                             });
    co_await std::move(first);
    auto next = later(clock.now(), renewal_period(options_.lease()));
    while (!life_.is_stopped() && !broker_->is_closed()) {
        if (clock.now() >= next) {
            auto announcing = announce(false, options_.lease());
            const auto announced = co_await caught(std::move(announcing));
            log_trouble("its heartbeat", announced.failure());
            const auto period = renewal_period(options_.lease());
            const auto soon = (std::min)(period, duration(std::chrono::seconds(1)));
            next = later(clock.now(), announced.failure() ? soon : period);
        }
        const alarm at(clock, strand_, changed_, (std::min)(next, cancel_overdue()));
        co_await changed_->wait();
    }
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
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(key);
    if (found == calls_.end()) return;
    found->second->is_gone = true;
    cancel(found->second);
}

void service_core::begin(call_message request) {
    auto& clock = broker_->clock();
    if (clock.now() >= request.deadline) {  // the caller has given up
        if (request.reply_to.empty()) log_lost(request, "it came after its timeout, and is not run");
        return;
    }
    auto* const does = find(request);
    if (!does) return;
    const auto& on = does->kind() == slot_job::kind::plain && cpu_ ? cpu_ : broker_->get_executor();
    const auto alive = gate_.enter(on);
    if (!alive) return refuse(request, call_message::kind::refused, errc::shut_down, "");
    const auto one = std::make_shared<call>(make_serial(on), clock, std::move(request), *does);
    switch (admit(one)) {
        case admission::taken: break;
        case admission::known: return;  // the same request once more: it runs once
        case admission::refused: return refuse(one->request, call_message::kind::refused, errc::shut_down, "");
        case admission::full:
            call_watch(options_.observer(), &call_observer::on_served).end(one->request.service, one->request.method, errc::busy);
            return refuse(one->request, call_message::kind::fault, errc::busy,
                          "instance " + options_.id() + " of service " + one->request.service +
                              " refused the call: it has its limit of " + std::to_string(options_.max_running()) +
                              " calls in flight; start another, or raise max_running");
    }
    // From `admit` on, any thread may cancel it: what touches its signal happens where it runs.
    asio::dispatch(one->where, [self = shared_from_this(), one] {
        if (one->context.cancelled()) return self->answer(one);  // while it waited for a thread
        auto on_end = [self, one](std::exception_ptr) { self->answer(one); };
        spawn_on(one->where, carry_out(self, one), std::move(on_end), one->stop.slot());
    });
}

service_core::admission service_core::admit(const call_ptr& one) {
    bool is_first = false;
    {
        const std::lock_guard lock(mutex_);
        if (!takes_calls_) return admission::refused;
        if (calls_.size() >= options_.max_running()) return admission::full;
        if (one->key.first.empty()) one->key.second = ++notifications_taken_;
        if (!calls_.emplace(one->key, one).second) return admission::known;
        const auto deadline = one->request.deadline;
        is_first = deadlines_.empty() || deadline < deadlines_.begin()->first;
        deadlines_.emplace(deadline, one);
    }
    if (is_first) changed_->set();
    return admission::taken;
}

method_handler* service_core::find(const call_message& request) {
    const auto methods = methods_->find(request.service);
    if (methods == methods_->end()) {
        refuse(request, call_message::kind::fault, errc::not_found,
               "instance " + options_.id() + " has no service " + request.service + ": check the name of the service");
        return nullptr;
    }
    const auto found = methods->second.find(request.method);
    if (found != methods->second.end()) return found->second.get();
    std::string known;
    for (const auto& [name, handler] : methods->second) known += (known.empty() ? "" : ", ") + name;
    refuse(request, call_message::kind::fault, errc::not_found,
           "instance " + options_.id() + " of service " + request.service + " has no method " + request.method + "; it has " +
               known + ": check the name, or start a version that has it");
    return nullptr;
}

void service_core::refuse(const call_message& request, call_message::kind how, errc code, const std::string& why) {
    if (request.reply_to.empty()) return log_lost(request, code == errc::shut_down ? "the instance is stopping" : why);
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
    const call_watch watch(self->options_.observer(), &call_observer::on_served);
    if (one->does.emits() && one->request.window > 0) self->open_outlet(*one);
    try {
        if (one->does.kind() == slot_job::kind::plain) {
            one->does.call(one->context, one->request.payload, answer.payload);
        } else {
            co_await one->does.run(one->context, one->request.payload, answer.payload);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    watch.end(one->request.service, one->request.method, failure);
    if (failure) {
        answer.what = call_message::kind::fault;
        const auto why = is_abort(failure) && self->cuts_off(*one) ? cut_off(one->context, self->options_.id()) : describe(failure);
        if (one->request.reply_to.empty()) {
            self->log_lost(one->request,
                           is_abort(failure) ? "it was cancelled, as its timeout had passed or the service ended" : why.message);
        }
        answer.payload = encode(why);
    }
    one->answer = answer.text();
}

void service_core::answer(const call_ptr& one) {
    bool is_gone = one->request.reply_to.empty();
    bool is_closing = false;
    const bool is_unbegun = one->answer.empty();
    if (is_unbegun) {  // it was cancelled before it began: the caller may call another instance
        call_message refusal;
        refusal.what = call_message::kind::refused;
        refusal.id = one->request.id;
        one->answer = refusal.text();
    }
    {
        const std::lock_guard lock(mutex_);
        is_gone = is_gone || one->is_gone;
        one->has_returned = true;
        is_closing = !takes_calls_;
    }
    if (is_unbegun && one->request.reply_to.empty()) {
        log_lost(one->request, "it was cancelled before it began, as its timeout had passed or the service ended");
    }
    if (is_gone) return end(one);
    if (is_closing) changed_->set();
    // Weak: a call has an outlet, which keeps the broker, which may keep this for ever when its context ends.
    auto sent = [weak = weak_from_this(), answered = std::weak_ptr(one)](std::exception_ptr trouble, bool) {
        const auto self = weak.lock();
        const auto ended = answered.lock();
        if (!self || !ended) return;
        if (trouble && code_of(describe(trouble)) == errc::too_large) {  // with its head, and with what codecs make of it
            self->refuse(ended->request, call_message::kind::fault, errc::too_large,
                         "the result of " + ended->context.subject() + ": " + describe(trouble).message + ", or a stream");
        }
        self->end(ended);
    };
    broker_->post(one->request.reply_to, std::move(one->answer), bounce(), std::move(sent));
}

void service_core::end(const call_ptr& one) {
    const std::lock_guard lock(mutex_);
    calls_.erase(one->key);
    const auto [begin, end] = deadlines_.equal_range(one->request.deadline);
    const auto mine = std::find_if(begin, end, [&](const auto& entry) { return entry.second == one; });
    if (mine != end) deadlines_.erase(mine);
    if (!takes_calls_ && calls_.empty()) changed_->set();
}

void service_core::cancel(const call_ptr& one) {
    if (one->has_returned) return;
    one->context.cancel();
    asio::post(one->where, [one] { one->stop.emit(asio::cancellation_type::terminal); });
}

void service_core::cancel_all() {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, one] : calls_) {
        one->is_cut_off = true;
        cancel(one);
    }
}

time_point service_core::cancel_overdue() {
    const std::lock_guard lock(mutex_);
    const auto end = deadlines_.upper_bound(broker_->clock().now());
    for (auto late = deadlines_.begin(); late != end; ++late) {
        late->second->is_gone = true;
        cancel(late->second);
    }
    deadlines_.erase(deadlines_.begin(), end);
    return deadlines_.empty() ? never : deadlines_.begin()->first;
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

asio::awaitable<void> service_core::say(bool leaving, duration lease) {
    const auto self = shared_from_this();
    auto announcing = announce(leaving, lease);
    const auto announced = co_await caught(std::move(announcing));
    log_trouble("leaving the directory", announced.failure());
}

asio::awaitable<void> service_core::withdraw() {
    for (const auto& [name, methods] : *methods_) co_await broker_->withdraw(board_of(name), options_.id());
}

bool service_core::is_any_unreturned() const {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(calls_, [](const auto& entry) { return !entry.second->has_returned; });
}

asio::awaitable<void> service_core::drain() {
    auto& clock = broker_->clock();
    auto ends = later(clock.now(), options_.drain_for());
    bool is_over = false;
    while (running() > 0) {
        if (!is_over && (is_hurried_ || broker_->is_closed() || clock.now() >= ends)) {
            is_over = true;
            cancel_all();
            ends = later(clock.now(), farewell);
        }
        const bool is_late = is_over && clock.now() >= ends;
        if (is_late && !is_any_unreturned()) break;  // their answers can't be sent
        const alarm at(clock, strand_, changed_, (std::min)(is_late ? never : ends, cancel_overdue()));
        co_await changed_->wait();
    }
}

void service_core::log_lost(const call_message& notification, const std::string& why) {
    if (broker_->is_closed()) return;
    constexpr duration pause = std::chrono::seconds(1);
    constexpr std::size_t most = 16;  // lines in a pause
    const auto text = "a notification of " + in_quotes(notification.service + '.' + notification.method) +
                      " failed, of which its sender learns nothing: " + why;
    const auto now = broker_->clock().now();
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(lost_, [&](const auto& line) { return now >= later(line.second, pause); });
        if (lost_.size() == most || !lost_.emplace(text, now).second) return;
    }
    log_(log_level::warning, "service " + options_.id() + ": " + text);
}

void service_core::log_trouble(const std::string& what, const std::exception_ptr& trouble) const {
    if (!trouble || broker_->is_closed() || is_abort(trouble)) return;  // it was stopped
    log_(log_level::warning, "service " + options_.id() + ": " + what + " failed: " + describe(trouble).message);
}

}  // namespace taskflux::detail
