#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/one_thread.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/scheduler/core.hpp>

#include <boost/asio/ip/host_name.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {

enum class schedule_verb { remove, pause, resume, run_now };

error no_schedule(std::string_view id) {
    return error(errc::not_found, "schedule " + in_quotes(id) + " is in none of the scheduler's queues: list() names all; a local "
                                                               "job of every process is stored in none");
}

/// Rows of one id, and the first failure of a queue that could not be read: what is wrong with one stays with it.
struct found_schedules {
    std::vector<schedule_entry> rows;
    std::exception_ptr damage;

    /// Throws where there is none: whether it was in a queue that could not be read is not known.
    void check(const std::string& id) const {
        if (!rows.empty()) return;
        if (damage) std::rethrow_exception(damage);
        throw no_schedule(id);
    }
};

asio::awaitable<found_schedules> find_schedule(schedule_book book, std::string id) {
    found_schedules found;
    const auto queues = co_await book.queues();
    for (const auto& queue : queues) {
        if (queue == local_queue) continue;
        auto finding = book.find(queue, id);
        auto one = co_await caught(std::move(finding));
        if (is_of_one_queue(one.failure(), found.damage)) continue;
        auto row = one.take();
        if (row) found.rows.push_back(std::move(*row));
    }
    auto reading = book.read(local_queue);  // those of jobs are few, and may have a host behind the id
    auto local = co_await caught(std::move(reading));
    if (is_of_one_queue(local.failure(), found.damage)) co_return found;
    for (auto& one : local.take()) {
        if (one.is_called(id)) found.rows.push_back(std::move(one));
    }
    co_return found;
}

asio::awaitable<bool> act_on_one(schedule_book book, schedule_entry one, schedule_verb what) {
    if (what == schedule_verb::remove) co_return co_await book.remove(std::move(one));
    one.what = read_schedule(one.text);
    const auto& means = one.what.definition;
    auto& state = one.what.state;
    const auto now = book.now();
    std::vector<new_task> tasks;
    switch (what) {
        case schedule_verb::remove: break;
        case schedule_verb::pause:
            if (state.paused) co_return true;
            state.paused = true;
            break;
        case schedule_verb::resume:
            if (!state.paused) co_return true;
            state.paused = false;
            state.next = book.first_tick(state, cron(means.cron), zone::named(means.zone));
            break;
        case schedule_verb::run_now:
            if (means.task) {
                tasks.push_back(task_at(means, now, run_id(means.id, now, state.revision)));
            } else if (!state.run_at) {
                state.run_at = now;
            } else {
                co_return true;
            }
            break;
    }
    co_return co_await book.write(one, std::move(tasks));
}

asio::awaitable<void> act_on_all(schedule_book book, std::string id, schedule_verb what) {
    std::set<std::pair<std::string, std::string>> done;  // queues and rows: once each
    std::exception_ptr failure;
    for (bool all_done = false; !all_done;) {  // again where another process has changed one
        auto found = co_await find_schedule(book, id);
        if (done.empty()) found.check(id);
        all_done = true;
        for (auto& one : found.rows) {
            std::pair where(one.queue, one.row);
            if (done.contains(where)) continue;
            auto acting = act_on_one(book, std::move(one), what);
            auto acted = co_await caught(std::move(acting));
            const bool is_done = is_of_one_queue(acted.failure(), failure) || acted.take();
            if (is_done) done.insert(std::move(where));
            else all_done = false;
        }
    }
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> remove_all(schedule_book book, std::shared_ptr<declared_schedules> declared, std::string id) {
    auto removing = act_on_all(std::move(book), id, schedule_verb::remove);
    const auto removed = co_await caught(std::move(removing));
    const auto failed = removed.failure();
    if (!failed || code_of(describe(failed)) == errc::not_found) declared->forget(id);
    if (failed) std::rethrow_exception(failed);
}

asio::awaitable<std::vector<schedule>> list_schedules(schedule_book book) {
    auto found = co_await book.read_all();
    std::vector<schedule> all;
    for (auto& one : found) {
        if (one.what.version != stored_schedule::current_version) continue;
        auto& made = all.emplace_back();
        made.queue = std::move(one.queue);
        made.definition = std::move(one.what.definition);
        made.state = std::move(one.what.state);
    }
    co_return all;
}

/// The queues of each id that is stored for a task. A queue whose schedules are damaged has none.
asio::awaitable<std::map<std::string, std::set<std::string>>> find_places(schedule_book book) {
    std::map<std::string, std::set<std::string>> places;
    const auto queues = co_await book.queues();
    for (const auto& queue : queues) {
        if (queue == local_queue) continue;
        auto reading = book.read(queue);
        auto read = co_await caught(std::move(reading));
        std::exception_ptr damage;
        if (is_of_one_queue(read.failure(), damage)) continue;
        for (const auto& one : read.take()) places[one.row].insert(queue);
    }
    co_return places;
}

asio::awaitable<void> declare(schedule_book book, std::shared_ptr<declared_schedules> declared, std::string queue,
                              schedule_definition what, bool has_own_id, log_sink log) {
    auto claim = declared->declare(queue, what, has_own_id);
    if (!declared->has_looked()) {
        auto places = co_await find_places(book);
        declared->look(std::move(places));
    }
    const auto others = declared->elsewhere(queue, what.id);
    for (const auto& other : others) {
        auto taken = co_await book.take(other, what.id);
        if (!taken) continue;
        declared->move(what.id, std::move(*taken));
        log(log_level::warning, "schedule " + what.id + " has moved from queue " + other + " to queue " + queue +
                                    ", as an id names one schedule: where both are meant, give one another id");
    }
    auto putting = book.put(queue, what, declared->moving(what.id));
    co_await std::move(putting);
    claim.keep();
}

asio::awaitable<std::vector<time_point>> next_ticks(schedule_book book, std::string id, std::size_t count) {
    const auto found = co_await find_schedule(book, id);
    found.check(id);
    const auto what = read_schedule(found.rows.front().text);
    const cron when(what.definition.cron);
    const auto in = zone::named(what.definition.zone);
    const auto first = what.state.paused ? book.first_tick(what.state, when, in) : what.state.next;
    co_return ticks_from(when, in, first, count);
}

}  // namespace detail

scheduler::scheduler(broker_ptr broker, scheduler_options options)
    : book_(detail::checked_broker(std::move(broker), "a scheduler"), options.queues(), uuid_generator().text()),
      options_(std::move(options)), host_(options_.host().empty() ? asio::ip::host_name() : options_.host()),
      jobs_(std::make_shared<detail::local_job_map>()) {}

scheduler::~scheduler() {
    life_.abandon();
    if (pool_) detail::join_cpu_pool(std::move(pool_), book_.broker()->get_executor());
}

asio::awaitable<void> scheduler::run() {
    if (life_.core()) throw error(errc::wrong_state, "this scheduler can't be run again: a scheduler runs once; make another one");
    const auto core = std::make_shared<detail::scheduler_core>(book_, options_, host_, jobs_, declared_, cpu());
    life_.begin(core);
    return detail::live(core, pool_);
}

void scheduler::stop() { life_.stop(); }

asio::awaitable<void> scheduler::remove(std::string id) const {
    return detail::remove_all(book_, declared_, std::move(id));
}

asio::awaitable<void> scheduler::pause(std::string id) const {
    return detail::act_on_all(book_, std::move(id), detail::schedule_verb::pause);
}

asio::awaitable<void> scheduler::resume(std::string id) const {
    return detail::act_on_all(book_, std::move(id), detail::schedule_verb::resume);
}

asio::awaitable<void> scheduler::run_now(std::string id) const {
    return detail::act_on_all(book_, std::move(id), detail::schedule_verb::run_now);
}

asio::awaitable<std::vector<schedule>> scheduler::list() const { return detail::list_schedules(book_); }

asio::awaitable<std::vector<time_point>> scheduler::next(std::string id, std::size_t count) const {
    return detail::next_ticks(book_, std::move(id), count);
}

asio::awaitable<void> scheduler::put_in(std::string queue, schedule_definition definition, bool has_own_id) const {
    return detail::declare(book_, declared_, std::move(queue), std::move(definition), has_own_id,
                           options_.log().in_time_of(book_.broker()->clock()));
}

std::string scheduler::row_of(std::string_view id, const schedule_options& options) const {
    std::string row(detail::checked_name(id));
    return options.scope() == local_scope::once_per_host ? row + '@' + host_ : row;
}

void scheduler::add(detail::local_job job) {
    if (life_.core()) {
        throw error(errc::wrong_state,
                    "local job " + job.definition.id +
                        " can't be added: the scheduler has been run; call local() before run()");
    }
    const auto id = job.definition.id;
    if (!jobs_->emplace(id, std::move(job)).second) {
        throw error(errc::invalid_argument, "local job " + id + " can't be added: there is one with this id; use another id");
    }
}

asio::any_io_executor scheduler::cpu() {
    const auto is_plain = [](const auto& named) { return named.second.is_plain; };
    const bool has_plain = std::ranges::any_of(*jobs_, is_plain);
    detail::one_thread::check(book_.broker()->get_executor(), false, has_plain, options_.cpu(), "a scheduler with local jobs",
                              "scheduler_options::cpu and environment::get_executor()");
    if (options_.cpu() || !has_plain) return options_.cpu();
    pool_ = detail::make_cpu_pool(0);
    return pool_->get_executor();
}

}  // namespace taskflux
