#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/codec/coded/texts.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// A broker in front of another one, whose texts go through codecs.
class coded_broker final : public broker {
public:
    coded_broker(broker_ptr inner, codec_pipeline by, log_sink log)
        : broker(inner.get()), inner_(std::move(inner)), texts_(std::make_shared<const coded_texts>(std::move(by))),
          log_(std::move(log)) {}

    asio::any_io_executor get_executor() override { return inner_->get_executor(); }
    taskflux::clock& clock() override { return inner_->clock(); }

    awaitable<std::vector<submitted>> submit(std::string queue, std::vector<new_task> tasks) override {
        const auto to = inner_;
        texts_->encode(queue, tasks);
        co_return co_await to->submit(std::move(queue), std::move(tasks));
    }

    awaitable<void> join(std::string consumer, std::vector<std::string> queues, duration lease) override {
        return inner_->join(std::move(consumer), std::move(queues), lease);
    }

    awaitable<std::vector<delivery>> fetch(fetch_request request) override {
        const auto from = inner_;
        const auto texts = texts_;
        const auto queues = request.queues;
        auto found = co_await from->fetch(std::move(request));
        for (auto& one : found) texts->decode(queues[one.queue], one);
        co_return found;
    }

    awaitable<renewal> renew(std::string consumer, std::vector<std::string> queues, duration lease) override {
        return inner_->renew(std::move(consumer), std::move(queues), lease);
    }
    awaitable<void> watch(std::string consumer, duration wait) override { return inner_->watch(std::move(consumer), wait); }

    awaitable<std::vector<effect>> settle(std::string queue, std::string consumer,
                                          const std::vector<settlement>& settlements) override {
        const auto to = inner_;
        const auto mended = with_storable_ends(settlements);  // whose sizes are those that the user knows
        auto ends = mended ? *mended : settlements;
        for (auto& one : ends) texts_->encode(one);
        co_return co_await to->settle(std::move(queue), std::move(consumer), ends);
    }

    awaitable<std::vector<effect>> report(std::string queue, std::string consumer, std::vector<attempt_report> reports) override {
        const auto to = inner_;
        check_reports(reports);
        make_valid(reports);  // the codecs take texts as they will be read
        for (auto& one : reports) {
            const auto size = one.progress ? one.progress->size() : 0;
            texts_->encode(queue, one);
            if (!one.progress || one.progress->size() <= most_stored::progress) continue;
            one.progress.reset();  // or the reports beside it would not be stored either
            log_(log_level::warning, "a progress of " + std::to_string(size) + " bytes in queue " + queue +
                                         " is not stored, as with its codecs it has more than " +
                                         std::to_string(most_stored::progress) + ": report less");
        }
        co_return co_await to->report(std::move(queue), std::move(consumer), std::move(reports));
    }

    awaitable<journal_written> write_journal(task_id id, journal_write what) override {
        const auto to = inner_;
        const auto texts = texts_;
        // What stays as it is must not look new: a broker counts crashes from the last change on.
        journal_query known;
        for (const auto& item : what.items) {
            if (item.how == journal_write::mode::set) known.keys.push_back(item.key);
        }
        const auto stored = co_await entries_of(to, id, std::move(known));
        texts->encode(id, what, stored);
        auto written = co_await to->write_journal(id, std::move(what));
        for (auto& entry : written.before) {
            if (entry) texts->decode(id, *entry);
        }
        co_return written;
    }

    awaitable<journal_page> journal(task_id id, journal_query query) override {
        const auto from = inner_;
        const auto texts = texts_;
        const bool are_named = !query.keys.empty();  // or one that can't be read would hide all others
        auto page = co_await from->journal(id, std::move(query));
        for (auto& entry : page.entries) are_named ? texts->decode(id, entry) : texts->show(id, entry);
        co_return page;
    }

    awaitable<effect> signal(task_id id, std::string name, std::string value) override {
        const auto to = inner_;
        value = texts_->encode_signal(id, name, std::move(value));
        co_return co_await to->signal(std::move(id), std::move(name), std::move(value));
    }

    awaitable<void> leave(std::string consumer, std::vector<std::string> queues) override {
        return inner_->leave(std::move(consumer), std::move(queues));
    }

    awaitable<std::optional<task_outcome>> wait(task_id id, duration wait) override {
        const auto from = inner_;
        const auto texts = texts_;
        auto end = co_await from->wait(id, wait);
        if (end) texts->decode(id, *end);
        co_return end;
    }

    awaitable<std::vector<effect>> cancel(std::string queue, std::vector<task_key> keys) override {
        return inner_->cancel(std::move(queue), std::move(keys));
    }
    awaitable<std::vector<effect>> start(std::string queue, std::vector<task_key> keys) override {
        return inner_->start(std::move(queue), std::move(keys));
    }
    awaitable<std::vector<effect>> promote(std::string queue, std::vector<task_key> keys) override {
        return inner_->promote(std::move(queue), std::move(keys));
    }
    awaitable<std::vector<effect>> requeue(std::string queue, std::vector<task_key> keys) override {
        return inner_->requeue(std::move(queue), std::move(keys));
    }

    /// A payload belongs to its task's name, which only the record says.
    awaitable<effect> update(task_id id, std::string payload) override {
        const auto to = inner_;
        const auto texts = texts_;
        const auto known = co_await to->get(id);
        if (!known) co_return effect::not_found;
        payload = texts->by().encode(std::move(payload), coded_texts::payload_place(id.queue, known->name));
        co_return co_await to->update(std::move(id), std::move(payload));
    }

    awaitable<std::vector<effect>> remove(std::string queue, std::vector<task_key> keys) override {
        return inner_->remove(std::move(queue), std::move(keys));
    }
    awaitable<std::size_t> clear(std::string queue, std::optional<task_state> state, std::size_t limit) override {
        return inner_->clear(std::move(queue), state, limit);
    }
    awaitable<std::optional<task_key>> find(std::string queue, std::string own_id) override {
        return inner_->find(std::move(queue), std::move(own_id));
    }

    awaitable<std::optional<task_record>> get(task_id id) override {
        const auto from = inner_;
        const auto texts = texts_;
        auto found = co_await from->get(std::move(id));
        if (found) texts->decode(*found);
        co_return found;
    }

    awaitable<std::optional<task_situation>> why(task_id id) override { return inner_->why(std::move(id)); }
    awaitable<attempt_list> attempts(task_id id) override {
        const auto from = inner_;
        const auto texts = texts_;
        auto found = co_await from->attempts(std::move(id));
        for (auto& one : found.attempts) one.error = texts->failure_of(std::move(one.error));
        co_return found;
    }

    awaitable<log_page> log(task_id id, log_query query) override {
        const auto from = inner_;
        const auto texts = texts_;
        const auto queue = id.queue;
        auto page = co_await from->log(std::move(id), std::move(query));
        for (auto& line : page.lines) texts->decode(queue, line);
        co_return page;
    }

    awaitable<task_page> list(list_query query) override {
        const auto from = inner_;
        const auto texts = texts_;
        auto page = co_await from->list(std::move(query));
        for (auto& one : page.tasks) texts->decode(one);
        co_return page;
    }

    awaitable<std::vector<std::string>> queues() override { return inner_->queues(); }
    awaitable<queue_counts> counts(std::string queue) override { return inner_->counts(std::move(queue)); }
    awaitable<void> pause(std::string queue) override { return inner_->pause(std::move(queue)); }
    awaitable<void> resume(std::string queue) override { return inner_->resume(std::move(queue)); }
    awaitable<void> set_limit(std::string queue, limit_kind kind, std::optional<limit> value, std::string reason) override {
        return inner_->set_limit(std::move(queue), kind, std::move(value), std::move(reason));
    }
    awaitable<void> set_key_limit(std::string queue, std::string key, limit_kind kind, std::optional<limit> value,
                                  std::string reason) override {
        return inner_->set_key_limit(std::move(queue), std::move(key), kind, std::move(value), std::move(reason));
    }
    awaitable<queue_limits> limits(std::string queue) override { return inner_->limits(std::move(queue)); }
    awaitable<void> end_throttle(std::string queue) override { return inner_->end_throttle(std::move(queue)); }

    awaitable<event_page> events(std::string queue, event_query query) override {
        return inner_->events(std::move(queue), std::move(query));
    }
    awaitable<void> keep_events(std::string queue, std::size_t most, duration age) override {
        return inner_->keep_events(std::move(queue), most, age);
    }

    awaitable<std::vector<error_group>> errors(std::string queue) override { return inner_->errors(std::move(queue)); }
    awaitable<group_result> act_on_group(std::string queue, std::string group, group_verb what, std::uint64_t behind) override {
        return inner_->act_on_group(std::move(queue), std::move(group), what, behind);
    }
    /// What a filter says of payloads, and a reason, are as secret as these.
    awaitable<operation> begin_operation(operation what) override {
        const auto to = inner_;
        const auto texts = texts_;
        what.filter = texts->by().encode(std::move(what.filter), coded_texts::operation_place(what.queue, what.id, "filter"));
        what.reason = texts->by().encode(std::move(what.reason), coded_texts::operation_place(what.queue, what.id, "reason"));
        auto begun = co_await to->begin_operation(std::move(what));
        co_return readable(*texts, std::move(begun));
    }
    awaitable<std::vector<operation>> operations(std::string queue) override {
        const auto from = inner_;
        const auto texts = texts_;
        auto found = co_await from->operations(std::move(queue));
        for (auto& one : found) one = readable(*texts, std::move(one));
        co_return found;
    }
    awaitable<operation> step_operation(std::string queue, std::string id, operation_step step) override {
        const auto to = inner_;
        const auto texts = texts_;
        auto is_now = co_await to->step_operation(std::move(queue), std::move(id), std::move(step));
        co_return readable(*texts, std::move(is_now));
    }
    awaitable<operation> stop_operation(std::string queue, std::string id) override {
        const auto to = inner_;
        const auto texts = texts_;
        auto is_now = co_await to->stop_operation(std::move(queue), std::move(id));
        co_return readable(*texts, std::move(is_now));
    }
    awaitable<search_step> search(search_query query) override {
        const auto from = inner_;
        const auto texts = texts_;
        auto found = co_await from->search(std::move(query));
        for (auto& one : found.tasks) texts->decode(one);
        co_return found;
    }
    awaitable<stored_statistics> statistics(std::string queue) override { return inner_->statistics(std::move(queue)); }
    awaitable<std::vector<stored_period>> history(std::string queue, std::string name, history_tier tier,
                                                  std::size_t periods) override {
        return inner_->history(std::move(queue), std::move(name), tier, periods);
    }

    awaitable<peek_page> peek(std::string queue, peek_query query) override {
        const auto from = inner_;
        const auto texts = texts_;
        const bool has_payloads = query.with_payload;
        auto page = co_await from->peek(queue, std::move(query));
        for (auto& one : page.tasks) {
            if (has_payloads) texts->decode(queue, one);
        }
        co_return page;
    }
    awaitable<std::vector<acquired_task>> acquire(acquire_request request) override {
        const auto from = inner_;
        const auto texts = texts_;
        const auto queue = request.queue;
        auto found = co_await from->acquire(std::move(request));
        for (auto& one : found) {
            if (one.task) texts->decode(queue, *one.task);
        }
        co_return found;
    }
    awaitable<effect> reply(std::string queue, task_reply what) override {
        check_result_size(what.result);
        texts_->encode(what);
        return inner_->reply(std::move(queue), std::move(what));
    }

    awaitable<stored_schedules> schedules(std::string queue) override {
        const auto from = inner_;
        const auto texts = texts_;
        auto found = co_await from->schedules(queue);
        for (auto& row : found.rows) row.text = schedule_text(*texts, queue, row.id, std::move(row.text));
        co_return found;
    }

    awaitable<std::string> schedule(std::string queue, std::string id) override {
        const auto from = inner_;
        const auto texts = texts_;
        auto text = co_await from->schedule(queue, id);
        co_return schedule_text(*texts, queue, id, std::move(text));
    }

    /// A text is encrypted to another one each time: it is compared here, and what is stored by the broker.
    awaitable<bool> set_schedule(std::string queue, std::string id, std::string from, std::string to,
                                 std::vector<new_task> tasks) override {
        const auto at = inner_;
        const auto texts = texts_;
        auto stored = co_await at->schedule(queue, id);
        const auto known = schedule_text(*texts, queue, id, stored);
        if (known != from) co_return known == to;
        if (!to.empty()) to = texts->by().encode(std::move(to), coded_texts::schedule_place(queue, id));
        texts->encode(queue, tasks);
        co_return co_await at->set_schedule(std::move(queue), std::move(id), std::move(stored), std::move(to), std::move(tasks));
    }

    std::unique_ptr<mailbox> open(listener hear) override {
        return inner_->open([texts = texts_, log = log_, hear = std::move(hear)](std::string_view sent) {
            std::string message;
            try {
                message = texts->by().decode_message(sent);
            } catch (...) {
                tell_dropped(log, std::current_exception());
                return;
            }
            hear(message);
        });
    }

    awaitable<void> announce(std::string board, std::string id, std::string text, duration lease) override {
        return inner_->announce(std::move(board), std::move(id), std::move(text), lease);
    }
    awaitable<void> withdraw(std::string board, std::string id) override {
        return inner_->withdraw(std::move(board), std::move(id));
    }
    awaitable<std::vector<announcement>> announced(std::string board) override { return inner_->announced(std::move(board)); }

    void close() override { inner_->close(); }

private:
    void do_post(std::string address, std::string message, bounce otherwise, receipt done) override {
        const auto& by = texts_->by();
        if (!otherwise.address.empty()) otherwise.message = by.encode_message(std::move(otherwise.message));
        inner_->post(std::move(address), by.encode_message(std::move(message)), std::move(otherwise), std::move(done));
    }

    /// Where memory is short, without a word.
    static void tell_dropped(const log_sink& log, const std::exception_ptr& why) noexcept {
        try {
            log(log_level::warning, "a message to this process can't be read, and is dropped: " + describe(why).message);
        } catch (...) {  // a listener must not throw
        }
    }

    static awaitable<std::vector<journal_entry>> entries_of(broker_ptr from, task_id id, journal_query which) {
        std::vector<journal_entry> none;
        if (which.keys.empty()) co_return none;
        auto page = co_await from->journal(std::move(id), std::move(which));
        co_return std::move(page.entries);
    }

    /// Where its filter can't be read here, it is none that could be carried on.
    static operation readable(const coded_texts& texts, operation of) {
        of.filter = decoded(texts, std::move(of.filter), coded_texts::operation_place(of.queue, of.id, "filter"));
        of.reason = decoded(texts, std::move(of.reason), coded_texts::operation_place(of.queue, of.id, "reason"));
        return of;
    }

    /// A row that can't be read is one that no scheduler understands, and leaves alone.
    static std::string schedule_text(const coded_texts& texts, const std::string& queue, const std::string& id, std::string stored) {
        return decoded(texts, std::move(stored), coded_texts::schedule_place(queue, id));
    }

    static std::string decoded(const coded_texts& texts, std::string stored, const std::string& place) {
        if (stored.empty()) return stored;
        try {
            return texts.by().decode(std::move(stored), place);
        } catch (const error& e) {
            return std::string("unreadable: ") + e.what();
        }
    }

    const broker_ptr inner_;
    const std::shared_ptr<const coded_texts> texts_;
    const log_sink log_;
};

}  // namespace taskflux::detail
