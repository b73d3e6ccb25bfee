#pragma once

#include <taskflux/core/lease/renewal_period.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/worker/crew.hpp>
#include <taskflux/flow/worker/decide.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

namespace taskflux::detail {

/// A number of attempts such that sums of some do not overflow.
inline std::size_t countable(std::size_t attempts) { return (std::min)(attempts, std::size_t(1) << 30); }

/// How many threads plain functions have; 0: they run where the program says.
inline std::size_t cpu_threads_of(const worker_options& options) { return options.cpu() ? 0 : cpu_pool_size(options.cpu_threads()); }

crew::crew(broker_ptr broker, const worker_options& options, std::vector<std::string> queues,
           std::shared_ptr<const handler_map> handlers, asio::any_io_executor cpu, std::shared_ptr<const worker_monitor> monitor)
    : broker_(std::move(broker)), clock_(broker_->clock()), handlers_(std::move(handlers)), monitor_(std::move(monitor)),
      tracer_(options.tracing()),
      held_(std::make_shared<held_slots>(std::move(queues), options.concurrency(), cpu_threads_of(options), monitor_)),
      timeout_(options.timeout()), prefetch_(countable(options.prefetch())),
      capacity_(countable(options.concurrency()) + prefetch_),
      pool_(std::make_shared<executor_state>(
          broker_->get_executor(),
          executor_options().concurrency(options.concurrency()).cpu(std::move(cpu)).clock(clock_))),
      longest_linger_(renewal_period(options.lease())), batches_(*handlers_),
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
    if (is_paused) start_all_batches();
}

void crew::launch(std::vector<delivery> found, const std::vector<std::string>& queues, const consumer_ptr& who) {
    const auto now = clock_.now();
    const auto self = shared_from_this();
    intrusive_list<attempt> all;
    std::vector<boost::intrusive_ptr<attempt>> made;
    made.reserve(found.size());
    for (auto& what : found) {
        auto& handler = *handlers_->find(what.spec->name)->second;  // fetch gives no other names
        const auto& queue = queues[what.queue];
        if (auto* const batches = batches_.is_used() ? batches_.find(handler) : nullptr) {
            collect(*batches, std::move(what), queue, who);
            continue;
        }
        made.emplace_back(new attempt(*pool_, self, handler, clock_, timeout_, queue, who, std::move(what)), false);
        all.push_back(*made.back());
    }
    in_hand_ += made.size();
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
    if (batches_.lingers()) {
        opened_.set();
        wished_.set();
    }
}

void crew::collect(batch_handler& handler, delivery what, const std::string& queue, const consumer_ptr& who) {
    const auto self = shared_from_this();
    const auto part = handler.make_part(*pool_, self, clock_, timeout_, queue, who, std::move(what));
    std::string key;
    try {
        key = handler.read(*part);
    } catch (...) {  // it never reaches the handler
        part->begin_until(never);
        finish(*part, std::current_exception());
        return count_item(*part, true);
    }
    const auto open = [&](std::string of) {
        ++in_hand_;
        const auto due = later(clock_.now(), (std::min)(handler.limits().linger, longest_linger_));
        return batch_collector::batch_ptr(new batch_run(*pool_, self, handler, clock_, std::move(of), due), false);
    };
    const auto on_add = [&](attempt& added) {
        intrusive_list<attempt> one;
        one.push_back(added);
        running_.add(one);
    };
    start_batches(batches_.add(handler, std::move(key), part, open, on_add));
}

void crew::start_batches(const std::vector<batch_collector::batch_ptr>& ready) {
    for (const auto& one : ready) {
        const auto limits = one->close();
        pool_->launch(one, limits ? &*limits : nullptr, true, false);
    }
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
        if (one->is_queued()) one->cancel(errc::shut_down);
    }
}

void crew::cancel(const std::string& queue, const cancel_request& wanted) {
    if (const auto found = running_.find(queue, wanted)) found->cancel(errc::cancelled);
}

void crew::cancel_all(errc reason) {
    for (const auto& one : running_.all()) one->cancel(reason);
}

void crew::close() {
    is_quiet_ = true;
    cancel_all(errc::shut_down);
    pool_->shut_down();
    cancel_all(errc::shut_down);  // what was launched meanwhile
    for (const auto& one : batches_.close()) one->drop();
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

executor_counts crew::counts() const {
    if (!batches_.is_used()) return pool_->counts();
    const auto ended = [this](job_end how) { return batch_ends_[static_cast<std::size_t>(how)].load(); };  // before the others
    const auto succeeded = ended(job_end::succeeded), failed = ended(job_end::failed), cancelled = ended(job_end::cancelled);
    auto sum = pool_->counts();
    std::set<const batch_run*> queued, running;
    for (const auto& one : running_.all()) {
        if (one->has_slot()) continue;
        const auto* const batch = static_cast<const batch_part&>(*one).batch();
        const bool has_begun = one->has_begun();
        auto& count = has_begun ? sum.running : sum.queued;
        auto& known = has_begun ? running : queued;
        const bool is_counted = count > 0 && batch->is_closed() && known.insert(batch).second;  // as one job
        count += is_counted ? 0 : 1;
    }
    const auto correct = [this](std::uint64_t& count, std::uint64_t batches, job_end how) {
        count += item_ends_[static_cast<std::size_t>(how)] - (std::min)(count, batches);  // some come late for the pool's count
    };
    correct(sum.succeeded, succeeded, job_end::succeeded);
    correct(sum.failed, failed, job_end::failed);
    correct(sum.cancelled, cancelled, job_end::cancelled);
    return sum;
}

void crew::on_end(attempt& ended, std::exception_ptr error) noexcept {
    running_.remove(ended);
    finish(ended, error);
    if (ended.has_slot()) return let_go();
    count_item(ended, error != nullptr);
}

void crew::count_item(const attempt& ended, bool has_failed) noexcept {
    const bool is_cancelled = ended.stopping() && ended.stop_reason() != errc::timed_out;
    ++item_ends_[static_cast<std::size_t>(!has_failed ? job_end::succeeded : is_cancelled ? job_end::cancelled : job_end::failed)];
}

void crew::on_batch_end(std::optional<job_end> how) noexcept {
    if (!how) {
        --in_hand_;
        return;
    }
    ++batch_ends_[static_cast<std::size_t>(*how)];
    let_go();
}

void crew::finish(attempt& ended, std::exception_ptr error) noexcept {
    if (!error && !ended.departed()) {
        auto end = succeeded(ended.what(), ended.take_result());
        end.mark = ended.mark();
        ended.end_span(&end);
        send(ended.id().queue, ended.consumer(), std::move(end));
    } else if (auto end = verdict(ended.failed(std::move(error)))) {
        end->mark = ended.mark();
        ended.end_span(&*end);
        monitor_->attempt_ends(ended, *end);
        send(ended.id().queue, ended.consumer(), std::move(*end));
    } else {
        ended.end_span(nullptr);
    }
}

void crew::on_abandon(attempt& of) noexcept {
    running_.remove(of);
    if (of.has_slot()) --in_hand_;
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
