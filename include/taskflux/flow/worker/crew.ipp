#pragma once

#include <taskflux/detail/live.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/worker/crew.hpp>
#include <taskflux/flow/worker/decide.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace taskflux::detail {

/// A number of attempts such that sums of some do not overflow.
inline std::size_t countable(std::size_t attempts) { return (std::min)(attempts, std::size_t(1) << 30); }

/// How many threads plain functions have; 0: they run where the program says.
inline std::size_t cpu_threads_of(const worker_options& options) { return options.cpu() ? 0 : cpu_pool_size(options.cpu_threads()); }

crew::crew(broker_ptr broker, const worker_options& options, std::vector<std::string> queues,
           std::shared_ptr<const handler_map> handlers, asio::any_io_executor cpu, std::shared_ptr<const worker_monitor> monitor)
    : broker_(std::move(broker)), clock_(broker_->clock()), handlers_(std::move(handlers)), monitor_(std::move(monitor)),
      held_(std::make_shared<held_slots>(std::move(queues), options.concurrency(), cpu_threads_of(options), monitor_)),
      timeout_(options.timeout()), prefetch_(countable(options.prefetch())),
      capacity_(countable(options.concurrency()) + prefetch_),
      pool_(std::make_shared<executor_state>(
          broker_->get_executor(),
          executor_options().concurrency(options.concurrency()).cpu(std::move(cpu)).clock(clock_))),
      random_(options.seed() ? *options.seed() : std::random_device()()) {}

std::vector<running_handler> crew::running_coroutines() const {
    std::vector<running_handler> found;
    for (const auto& one : running_.all()) {
        if (one->has_begun() && one->is_coroutine()) found.push_back({one->id(), one->what().spec->name});
    }
    return found;
}

bool crew::has_waiting(const task_id& id) const {
    const auto all = running_.all();
    return std::ranges::any_of(all, [&](const auto& one) { return one->id() == id && !one->has_begun(); });
}

void crew::concurrency(std::size_t slots) {
    slots = countable(slots);
    capacity_ = slots + prefetch_;
    held_->slots(slots);
    pool_->concurrency(slots);
    signal_room();
}

void crew::pause(bool is_paused) {
    is_paused_ = is_paused;
    if (!is_paused) signal_room();
}

void crew::launch(std::vector<delivery> found, const std::vector<std::string>& queues, const consumer_ptr& who) {
    const auto now = clock_.now();
    const auto self = shared_from_this();
    in_hand_ += found.size();
    intrusive_list<attempt> all;
    std::vector<boost::intrusive_ptr<attempt>> made;
    made.reserve(found.size());
    for (auto& what : found) {
        auto& handler = *handlers_->find(what.spec->name)->second;  // fetch gives no other names
        const auto& queue = queues[what.queue];
        made.emplace_back(new attempt(*pool_, self, handler, clock_, timeout_, queue, who, std::move(what)), false);
        all.push_back(*made.back());
    }
    running_.add(all);
    slot_job_list unlimited;  // those in a row without limits: one batch
    for (auto& one : made) {
        const auto limits = one->limits(now);
        if (!limits) {
            unlimited.push_back(*one.detach());
            continue;
        }
        if (!unlimited.empty()) pool_->launch_all(unlimited, true);
        pool_->launch(std::move(one), &*limits, true, false);
    }
    if (!unlimited.empty()) pool_->launch_all(unlimited, true);
}

void crew::give_back(const std::vector<delivery>& found, const std::vector<std::string>& queues,
                     const consumer_ptr& who) {
    for (const auto& what : found) {
        settlement end;
        end.key = what.key;
        end.token = what.token;
        end.how = settlement::kind::release;
        send(queues[what.queue], who, std::move(end));
    }
}

void crew::give_back_waiting() {
    for (const auto& one : running_.all()) {
        if (!one->has_begun()) pool_->cancel(*one, errc::shut_down);
    }
}

void crew::cancel(const std::string& queue, const cancel_request& wanted) {
    if (const auto found = running_.find(queue, wanted)) pool_->cancel(*found, errc::cancelled);
}

void crew::cancel_all(errc reason) {
    for (const auto& one : running_.all()) pool_->cancel(*one, reason);
}

void crew::close() {
    is_quiet_ = true;
    cancel_all(errc::shut_down);
    pool_->shut_down();
    cancel_all(errc::shut_down);  // what was launched meanwhile
    is_quiet_ = false;
}

asio::awaitable<bool> crew::emptied_within(duration limit) {
    using namespace asio::experimental::awaitable_operators;
    if (in_hand_ == 0) co_return true;
    const auto first = co_await (emptied() || sleep_until(clock_, later(clock_.now(), limit)));
    co_return first.index() == 0;
}

void crew::wake() {
    reported_.set();
    room_.set();
}

asio::awaitable<void> crew::emptied() {
    while (in_hand_ > 0) {
        wants_room_ = true;
        if (in_hand_ > 0) co_await room_.wait();
    }
}

void crew::on_end(attempt& ended, std::exception_ptr error) noexcept {
    running_.remove(ended);
    if (!error && !ended.departed()) {
        send(ended.id().queue, ended.consumer(), succeeded(ended.what(), ended.take_result()));
    } else if (auto end = verdict(ended.failed(std::move(error)))) {
        monitor_->attempt_ends(ended, *end);
        send(ended.id().queue, ended.consumer(), std::move(*end));
    }
    let_go();
}

void crew::on_abandon(attempt& of) noexcept {
    running_.remove(of);
    --in_hand_;
}

void crew::on_progress(attempt& of, std::string encoded) {
    auto news = report_of(of);
    news.progress = std::move(encoded);
    send(of.id().queue, of.consumer(), std::move(news));
}

void crew::on_park(bool is_parked) {
    if (is_parked) {
        ++parked_;
        pool_->lend();
        signal_room();
    } else {
        --parked_;
        pool_->take_back();
    }
}

void crew::on_interrupt(attempt& of) {
    pool_->interrupt(of, 0);
}

void crew::on_log(attempt& of, log_line line) {
    monitor_->forward(line, of.id());
    auto news = report_of(of);
    news.log.push_back(std::move(line));
    send(of.id().queue, of.consumer(), std::move(news));
}

std::optional<settlement> crew::verdict(const failed_attempt& failed) {
    const std::lock_guard lock(random_mutex_);
    return decide(failed, clock_.now(), random_);
}

attempt_report crew::report_of(const attempt& of) {
    attempt_report news;
    news.key = of.what().key;
    news.token = of.what().token;
    return news;
}

}  // namespace taskflux::detail
