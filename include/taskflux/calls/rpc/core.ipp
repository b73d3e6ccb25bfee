#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/calls/rpc/core.hpp>
#include <taskflux/calls/rpc/cut_off.hpp>
#include <taskflux/calls/stream/inlet.hpp>
#include <taskflux/calls/stream/reading.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/alarm.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/in_time.hpp>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// What went wrong with sending `what`, such as "the call of calculator.add", which it names.
inline std::exception_ptr unsent(const std::exception_ptr& trouble, const std::string& what, const std::string& instance) {
    try {
        std::rethrow_exception(trouble);
    } catch (const error& e) {
        const auto code = static_cast<errc>(e.code().value());
        if (code == errc::unavailable) {
            return std::make_exception_ptr(error(code, "it is not known whether " + what + " reached instance " +
                                                           instance + ": " + e.what()));
        }
        if (code == errc::too_large) return std::make_exception_ptr(error(code, what + ": " + e.what()));
        return trouble;
    } catch (...) {
        return trouble;
    }
}

/// A call that waits for its reply.
struct rpc_core::pending {
    std::string take(fault_list faults) {
        const std::lock_guard lock(mutex);
        if (failure.empty()) return std::move(*answer);
        auto why = read_failure(failure);
        const auto code = code_of(why);
        faults.raise(call_failed(code, std::move(why)));
    }
    /// Its error where its instance has stopped before the method returned; else null.
    std::exception_ptr cut_off(fault_list faults) {
        {
            const std::lock_guard lock(mutex);
            if (failure.empty() || !detail::is_cut_off(read_failure(failure))) return nullptr;
        }
        try {
            take(faults);
        } catch (...) {
            return std::current_exception();
        }
        return nullptr;
    }
    void end(std::exception_ptr why) {
        {
            const std::lock_guard lock(mutex);
            if (!trouble) trouble = std::move(why);
        }
        changed->set();
    }
    /// Throws the error of sending it, unless there is a reply all the same.
    void check() {
        const std::lock_guard lock(mutex);
        if (trouble && !answer && failure.empty()) std::rethrow_exception(trouble);
    }
    bool is_over() {
        const std::lock_guard lock(mutex);
        return is_refused || answer || trouble || !failure.empty();
    }

    const std::shared_ptr<event> changed = std::make_shared<event>();
    std::mutex mutex;
    std::optional<std::string> answer;
    std::string failure;
    std::exception_ptr trouble;  // with sending it
    std::atomic<bool> is_refused = false;
    std::atomic<bool> was_heard = false;
};

/// Registers a call under a number, which its reply names.
class rpc_core::waiting {
public:
    waiting(rpc_core& core, std::string address)
        : core_(core), address_(std::move(address)), id_(++core.calls_made_), mine_(std::make_shared<pending>()) {
        core_.instances_.begun(address_);
        const std::lock_guard lock(core_.mutex_);
        core_.calls_.emplace(id_, mine_);
    }
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;
    ~waiting() {
        core_.instances_.ended(address_);
        const std::lock_guard lock(core_.mutex_);
        core_.calls_.erase(id_);
    }

    std::uint64_t id() const { return id_; }
    pending& of() const { return *mine_; }
    const std::shared_ptr<pending>& shared() const { return mine_; }

private:
    rpc_core& core_;
    const std::string address_;
    const std::uint64_t id_;
    const std::shared_ptr<pending> mine_;
};

void rpc_core::open() {
    box_ = broker_->open([weak = weak_from_this()](std::string_view text) {
        if (const auto self = weak.lock()) self->hear(text);
    });
    closing_ = broker_->on_close([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->end_all();
    });
}

asio::awaitable<std::string> rpc_core::call(std::shared_ptr<rpc_core> self, call_request what) {
    auto ends = later(self->now(), what.options.timeout());
    auto request = self->message_of(what, ends, self->box_->address());
    std::set<std::string> tried, doubtful;  // of those tried: it is not known whether they are there
    std::exception_ptr why;  // the call is repeated
    for (;;) {
        auto choosing = why ? choose_again(self, what, tried, doubtful, ends, why)
                            : self->instances_.choose(what.service, what.options.to(), tried, ends);
        const auto to = co_await std::move(choosing);
        request.deadline = ends;
        tried.insert(to.address);
        const waiting mine(*self, to.address);
        const taken_by by(what, to.id);
        request.id = mine.id();
        std::exception_ptr failure;
        bool is_refused = false, may_repeat = false;
        try {
            auto back = self->refusal_of(request.id);
            self->send(mine.shared(), by, to.address, request.text(), std::move(back));
            co_await self->wait(mine.of(), by, ends);
            is_refused = mine.of().is_refused;
            if (!is_refused) mine.of().check();
        } catch (const boost::system::system_error& e) {
            failure = std::current_exception();
            may_repeat = what.options.is_idempotent() && e.code() == errc::unavailable;
        } catch (...) {
            failure = std::current_exception();
        }
        std::exception_ptr cut_off;
        if (!failure && !is_refused && what.options.is_idempotent()) cut_off = mine.of().cut_off(what.faults);
        if (!failure && !is_refused && !cut_off) co_return mine.of().take(what.faults);
        if (failure) self->abandon(to.address, request.id, self->box_->address());
        if (failure && !may_repeat) std::rethrow_exception(failure);
        if (failure) doubtful.insert(to.address);
        else self->instances_.did_not_hear(what.service, to.address);
        if (failure || cut_off) why = failure ? failure : cut_off;
    }
}

asio::awaitable<service_instance> rpc_core::choose_again(std::shared_ptr<rpc_core> self, const call_request& what,
                                                         std::set<std::string>& tried, std::set<std::string>& doubtful,
                                                         time_point& ends, std::exception_ptr why) {
    for (;;) {
        auto choosing = self->instances_.choose(what.service, what.options.to(), tried, ends);
        auto chosen = co_await caught(std::move(choosing));
        const bool is_none = chosen.failure() && code_of(describe(chosen.failure())) == errc::no_instance;
        if (!is_none) co_return chosen.take();
        if (doubtful.empty()) std::rethrow_exception(why);
        for (const auto& address : doubtful) tried.erase(address);  // perhaps only the connection to them was lost
        doubtful.clear();
    }
}

asio::awaitable<reading> rpc_core::open_stream(std::shared_ptr<rpc_core> self, call_request what) {
    auto ends = later(self->now(), what.options.timeout());
    std::set<std::string> tried;
    for (;;) {
        const auto to = co_await self->instances_.choose(what.service, what.options.to(), tried, ends);
        tried.insert(to.address);
        const taken_by by(what, to.id);
        auto source = by.call + " from instance " + by.instance;
        const auto in = inlet::open(self->broker_, what.options.window(), what.faults, std::move(source));
        reading made(in);
        auto request = self->message_of(what, ends, in->address());
        request.window = in->window();
        call_message refusal;
        refusal.what = call_message::kind::refused;
        bounce back(in->address(), refusal.text());
        self->instances_.begun(to.address);
        self->follow(*in, by, to.address, ends);
        const auto subject = "the call of " + by.call;
        bool is_taken = co_await send_in_time(self, subject, to.id, to.address, request.text(), std::move(back), ends);
        if (is_taken) is_taken = co_await inlet::begun(in);
        if (is_taken) co_return made;
        self->instances_.did_not_hear(what.service, to.address);
    }
}

void rpc_core::follow(inlet& in, const taken_by& by, const std::string& address, time_point ends) {
    const auto self = shared_from_this();
    auto looks = [self, by, ends](bool is_lost) { return look_for(self, by, ends, is_lost); };
    auto leaves = [self, address, reader = in.address()](bool has_ended) {
        self->instances_.ended(address);
        if (!has_ended) self->abandon(address, 0, reader);
    };
    in.attach(ends, std::move(looks), std::move(leaves));
}

asio::awaitable<void> rpc_core::notify(std::shared_ptr<rpc_core> self, call_request what) {
    auto ends = later(self->now(), what.options.timeout());
    auto request = self->message_of(what, ends, {});
    const auto subject = "the notification of " + what.name();
    std::set<std::string> tried;
    for (bool was_heard = false; !was_heard;) {
        const auto to = co_await self->instances_.choose(what.service, what.options.to(), tried, ends);
        request.deadline = ends;
        was_heard = co_await send_in_time(self, subject, to.id, to.address, request.text(), bounce(), ends);
        if (!was_heard) self->instances_.did_not_hear(what.service, to.address);
        tried.insert(to.address);
    }
}

call_message rpc_core::message_of(const call_request& what, time_point ends, std::string reply_to) {
    call_message made;
    made.reply_to = std::move(reply_to);
    made.service = what.service;
    made.method = what.method;
    made.deadline = ends;
    made.headers = what.options.headers();
    made.payload = what.payload;
    return made;
}

bounce rpc_core::refusal_of(std::uint64_t id) const {
    call_message message;
    message.what = call_message::kind::refused;
    message.id = id;
    return bounce(box_->address(), message.text());
}

asio::awaitable<void> rpc_core::wait(pending& mine, taken_by by, time_point ends) {
    constexpr auto look = std::chrono::seconds(1);
    const auto executor = co_await asio::this_coro::executor;
    while (!mine.is_over()) {
        const auto begun = now();
        if (begun >= ends) {
            throw error(errc::timed_out, "the call of " + by.call + " timed out: instance " + by.instance +
                                             (mine.was_heard ? " has received it and has not answered"
                                                             : " has not received it as far as is known") +
                                             "; allow a longer call_options::timeout");
        }
        const auto until = (std::min)(ends, later(begun, look));
        {
            const alarm at(broker_->clock(), executor, mine.changed, until);
            co_await mine.changed->wait();
        }
        if (mine.is_over() || now() < until || until == ends) continue;
        const bool is_there = co_await this->is_there(by.service, by.instance, ends);
        if (!is_there && !mine.is_over()) throw lost(by);
    }
}

asio::awaitable<bool> rpc_core::is_there(std::string service, std::string instance, time_point ends) {
    try {
        const auto all = co_await instances_.of(std::move(service), ends);
        co_return std::ranges::any_of(all, [&](const auto& one) { return one.id == instance; });
    } catch (const error& e) {
        if (e.code() != errc::timed_out) throw;
    }
    co_return true;  // not known: the call times out, and says so itself
}

error rpc_core::lost(const taken_by& by) {
    return error(errc::unavailable, "the call of " + by.call + " is lost: instance " + by.instance +
                                        " accepted the call and is gone; it may have run: call again, where it may run twice");
}

asio::awaitable<void> rpc_core::look_for(std::shared_ptr<rpc_core> self, taken_by by, time_point ends, bool is_lost) {
    bool is_there = false;
    if (!is_lost) is_there = co_await self->is_there(by.service, by.instance, ends);
    if (!is_there) throw lost(by);
}

asio::awaitable<bool> rpc_core::send_in_time(std::shared_ptr<rpc_core> self, std::string what, std::string instance,
                                             std::string to, std::string text, bounce back, time_point ends) {
    auto sending = self->broker_->send(std::move(to), std::move(text), std::move(back));
    std::exception_ptr trouble;
    try {
        co_return co_await in_time(self->broker_->clock(), ends, std::move(sending), what);
    } catch (...) {
        trouble = std::current_exception();
    }
    std::rethrow_exception(unsent(trouble, what, instance));
}

void rpc_core::send(const std::shared_ptr<pending>& mine, const taken_by& by, std::string to, std::string text, bounce back) {
    broker_->post(std::move(to), std::move(text), std::move(back), [mine, by](std::exception_ptr trouble, bool was_heard) {
        if (trouble) return mine->end(unsent(trouble, "the call of " + by.call, by.instance));
        mine->was_heard = was_heard;
        if (was_heard) return;
        mine->is_refused = true;
        mine->changed->set();
    });
}

void rpc_core::end_all() {
    std::vector<std::shared_ptr<pending>> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, one] : calls_) all.push_back(one);
    }
    for (const auto& one : all) one->end(std::make_exception_ptr(broker_is_closed()));
}

void rpc_core::abandon(const std::string& address, std::uint64_t id, const std::string& reader) {
    call_message message;
    message.what = call_message::kind::cancel;
    message.id = id;
    message.reply_to = reader;
    broker_->post(address, message.text());
}

void rpc_core::hear(std::string_view text) {
    call_message message;
    try {
        message = call_message::parse(text);
    } catch (const std::exception&) {  // not a call message
        return;
    }
    std::shared_ptr<pending> mine;
    {
        const std::lock_guard lock(mutex_);
        const auto found = calls_.find(message.id);
        if (found == calls_.end()) return;
        mine = found->second;
    }
    {
        const std::lock_guard lock(mine->mutex);
        switch (message.what) {
            case call_message::kind::answer: mine->answer = std::move(message.payload); break;
            case call_message::kind::fault: mine->failure = std::move(message.payload); break;
            case call_message::kind::refused: mine->is_refused = true; break;
            default: return;
        }
    }
    mine->changed->set();
}

}  // namespace taskflux::detail
