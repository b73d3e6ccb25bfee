#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace taskflux::memory {

class hub;
class post_office;

/// What `make_memory_broker` makes.
class memory_broker : public broker {
public:
    memory_broker(asio::any_io_executor executor, const memory_options& options, taskflux::clock& clock);

    asio::any_io_executor get_executor() override;
    taskflux::clock& clock() override;

    awaitable<std::vector<submitted>> submit(std::string queue, std::vector<new_task> tasks) override;
    awaitable<void> join(std::string consumer, std::vector<std::string> queues, duration lease) override;
    awaitable<std::vector<delivery>> fetch(fetch_request request) override;
    awaitable<renewal> renew(std::string consumer, std::vector<std::string> queues, duration lease) override;
    awaitable<void> watch(std::string consumer, duration wait) override;
    awaitable<std::vector<effect>> settle(std::string queue, std::string consumer,
                                          const std::vector<settlement>& settlements) override;
    awaitable<std::vector<effect>> report(std::string queue, std::string consumer,
                                          std::vector<attempt_report> reports) override;
    awaitable<journal_written> write_journal(task_id id, journal_write what) override;
    awaitable<journal_page> journal(task_id id, journal_query query) override;
    awaitable<effect> signal(task_id id, std::string name, std::string value) override;
    awaitable<void> leave(std::string consumer, std::vector<std::string> queues) override;

    awaitable<std::optional<task_outcome>> wait(task_id id, duration wait) override;

    awaitable<std::vector<effect>> cancel(std::string queue, std::vector<task_key> keys) override;
    awaitable<std::vector<effect>> start(std::string queue, std::vector<task_key> keys) override;
    awaitable<std::vector<effect>> promote(std::string queue, std::vector<task_key> keys) override;
    awaitable<std::vector<effect>> requeue(std::string queue, std::vector<task_key> keys) override;
    awaitable<std::vector<effect>> remove(std::string queue, std::vector<task_key> keys) override;
    awaitable<effect> update(task_id id, std::string payload) override;
    awaitable<std::size_t> clear(std::string queue, std::optional<task_state> state, std::size_t limit) override;

    awaitable<std::optional<task_key>> find(std::string queue, std::string own_id) override;
    awaitable<std::optional<task_record>> get(task_id id) override;
    awaitable<std::optional<task_situation>> why(task_id id) override;
    awaitable<attempt_list> attempts(task_id id) override;
    awaitable<log_page> log(task_id id, log_query query) override;
    awaitable<task_page> list(list_query query) override;
    awaitable<std::vector<std::string>> queues() override;
    awaitable<queue_counts> counts(std::string queue) override;

    awaitable<void> pause(std::string queue) override;
    awaitable<void> resume(std::string queue) override;
    awaitable<void> set_limit(std::string queue, limit_kind kind, std::optional<limit> value, std::string reason) override;
    awaitable<void> set_key_limit(std::string queue, std::string key, limit_kind kind, std::optional<limit> value,
                                  std::string reason) override;
    awaitable<queue_limits> limits(std::string queue) override;
    awaitable<void> end_throttle(std::string queue) override;

    awaitable<event_page> events(std::string queue, event_query query) override;
    awaitable<void> keep_events(std::string queue, std::size_t most, duration age) override;

    awaitable<stored_statistics> statistics(std::string queue) override;
    awaitable<std::vector<stored_period>> history(std::string queue, std::string name, history_tier tier,
                                                  std::size_t periods) override;

    awaitable<std::vector<error_group>> errors(std::string queue) override;
    awaitable<group_result> act_on_group(std::string queue, std::string group, group_verb what, std::uint64_t behind) override;

    awaitable<search_step> search(search_query query) override;

    awaitable<operation> begin_operation(operation what) override;
    awaitable<std::vector<operation>> operations(std::string queue) override;
    awaitable<operation> step_operation(std::string queue, std::string id, operation_step step) override;
    awaitable<operation> stop_operation(std::string queue, std::string id) override;

    awaitable<peek_page> peek(std::string queue, peek_query query) override;
    awaitable<std::vector<acquired_task>> acquire(acquire_request request) override;
    awaitable<effect> reply(std::string queue, task_reply what) override;

    awaitable<stored_schedules> schedules(std::string queue) override;
    awaitable<std::string> schedule(std::string queue, std::string id) override;
    awaitable<bool> set_schedule(std::string queue, std::string id, std::string from, std::string to,
                                 std::vector<new_task> tasks) override;

    std::unique_ptr<mailbox> open(listener hear) override;
    awaitable<void> announce(std::string board, std::string id, std::string text, duration lease) override;
    awaitable<void> withdraw(std::string board, std::string id) override;
    awaitable<std::vector<announcement>> announced(std::string board) override;

    void close() override;

protected:
    void do_post(std::string address, std::string message, bounce, receipt done) override;

private:
    std::shared_ptr<post_office> post_;
    std::shared_ptr<hub> hub_;
};

}  // namespace taskflux::memory
