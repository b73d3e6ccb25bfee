#pragma once

#include <taskflux/broker/broker/background.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/courtesy.hpp>
#include <taskflux/http/dialect/members.hpp>
#include <taskflux/http/long_task/desk.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

namespace taskflux::detail::long_task {

/// What the names of its consumers begin with: they are nobody who renews a lease.
inline constexpr std::string_view consumer_prefix = "long_task/";

inline const long_task_source& source_of(const desk& on, const std::string& service) {
    const auto found = on.options.services().find(service);
    if (found == on.options.services().end()) throw refusal("service not support");
    return found->second;
}

inline task_record known(std::optional<task_record> record) {
    if (!record) throw refusal();
    return std::move(*record);
}

std::string_view status_of(task_state state) {
    switch (state) {
        case task_state::held:
        case task_state::scheduled:
        case task_state::waiting: return "waiting";
        case task_state::running:
        case task_state::waiting_children: return "running";
        case task_state::succeeded: return "finished";
        case task_state::failed:
        case task_state::cancelled:
        case task_state::expired: break;
    }
    return "failed";
}

std::string message_text(std::string_view id, std::string_view service, std::string_view source, std::string_view condition) {
    std::string text = "{\"Task\": {\"task_id\": ";
    text += json_quoted(id) + ", \"service\": " + json_quoted(service) + ", \"source_name\": " + json_quoted(source);
    return text.append(", \"condition\": ").append(condition) += "}}";
}

std::string condition_in(std::string_view message) {
    try {
        const json_text whole(message);
        const auto outer = sent_members(message);
        const auto task = outer.find("Task");
        if (task == outer.end()) return "null";
        const auto inner = sent_members(task->second);
        const auto condition = inner.find("condition");
        return condition == inner.end() ? "null" : std::string(condition->second);
    } catch (const json_text::fault&) {
        return "null";
    }
}

std::optional<std::string> service_in(std::string_view id) {
    constexpr std::string_view begin = "ts_";
    constexpr std::size_t uuid = 36;
    if (!id.starts_with(begin) || id.size() < begin.size() + 1 + uuid || id[id.size() - uuid - 1] != '_') return std::nullopt;
    id.remove_prefix(begin.size());
    id.remove_suffix(uuid + 1);
    return std::string(id);
}

/// The message, and for which status it is.
inline std::string noted(step what, const std::string& message) {
    constexpr std::string_view words[] = {"running", "finished", "failed"};
    const boost::json::object text{{"status", words[static_cast<std::size_t>(what)]}, {"message", message}};
    return boost::json::serialize(text);
}

std::optional<std::string> message_of(const task_record& record) {
    const auto status = status_of(record.state);
    try {
        const json_text whole(record.progress.empty() ? std::string_view("null") : std::string_view(record.progress));
        if (const auto* const note = whole.value().if_object()) {
            const auto* const of = note->if_contains("status");
            const auto* const text = note->if_contains("message");
            if (of && text && text->is_string() && *of == boost::json::value(status)) return std::string(text->get_string());
        }
        if (status == "failed" && !record.error.empty()) return decode<failure>(record.error).message;
    } catch (const json_text::fault&) {  // of a program's own
    } catch (const decode_error&) {
    }
    return std::nullopt;
}

asio::awaitable<std::string> create(desk_ptr on, std::string service, std::string condition) {
    const auto& source = source_of(*on, service);
    const auto id = "ts_" + service + "_" + uuid_generator().text();
    auto spec = std::make_shared<task_spec>();
    spec->name = service;
    spec->policy.retention = on->options.retention();
    spec->policy.failed_retention = on->options.retention();
    std::vector<new_task> tasks(1);
    auto& one = tasks.front();
    one.spec = std::move(spec);
    one.payload = message_text(id, service, source.source_name, condition);
    one.own_id = id;
    one.hold = !on->options.starts_at_once();
    co_await on->broker->submit(source.topic_name, std::move(tasks));
    co_return id;
}

asio::awaitable<std::optional<task_record>> find(desk_ptr on, std::string id) {
    const auto service = service_in(id);
    if (!service || !on->options.services().contains(*service) || !allows(limits::own_id, id)) co_return std::nullopt;
    const auto queue = source_of(*on, *service).topic_name;
    const auto key = co_await on->broker->find(queue, std::move(id));
    if (!key) co_return std::nullopt;
    const task_id whole{queue, *key};
    co_return co_await on->broker->get(whole);
}

/// Gives a task to a consumer that has it for the lease.
inline asio::awaitable<void> take(desk_ptr on, task_record& record) {
    acquire_request request;
    request.queue = record.id.queue;
    request.consumer = std::string(consumer_prefix) + uuid_generator().text();
    request.lease = on->options.lease();
    request.tasks.push_back({record.id.key, {}});
    record.consumer = request.consumer;
    const auto taken = co_await on->broker->acquire(std::move(request));
    if (taken.front().what == acquire_outcome::limited) throw refusal("the limit of the queue is reached, or it is paused; try again later");
    if (!taken.front().task) throw refusal();
    record.deliveries = taken.front().task->token;
}

inline asio::awaitable<void> note(desk_ptr on, const task_record& record, step what, std::optional<std::string> message) {
    if (!message) co_return;
    attempt_report told;
    told.key = record.id.key;
    told.token = record.deliveries;
    told.progress = noted(what, *message);
    std::vector<attempt_report> all;
    all.push_back(std::move(told));
    const auto effects = co_await on->broker->report(record.id.queue, record.consumer, std::move(all));
    if (effects.front() != effect::done) throw refusal();
}

/// Ends the attempt of whoever has the task.
inline asio::awaitable<effect> end(desk_ptr on, const task_record& record, step_report what) {
    if (what.what == step::finished) {
        task_reply done;
        done.task.key = record.id.key;
        done.scope = reply_scope::attempt;
        done.token = record.deliveries;
        done.result = std::move(what.data);
        co_return co_await on->broker->reply(record.id.queue, std::move(done));
    }
    failure why;
    why.code = "task_failed";
    why.message = what.message.value_or("its worker has said that it has failed");
    settlement failed;
    failed.key = record.id.key;
    failed.token = record.deliveries;
    failed.how = settlement::kind::fail;
    failed.data = encode(why);
    const std::vector<settlement> ends(1, std::move(failed));
    const auto effects = co_await on->broker->settle(record.id.queue, record.consumer, ends);
    co_return effects.front();
}

asio::awaitable<void> report(desk_ptr on, std::string id, step_report what) {
    auto finding = find(on, std::move(id));
    auto record = known(co_await std::move(finding));
    if (what.what == step::running && record.state == task_state::waiting) {
        auto taking = take(on, record);
        co_await std::move(taking);
    } else if (record.state != task_state::running) {
        throw refusal();
    }
    auto noting = note(on, record, what.what, what.message);
    co_await std::move(noting);
    const bool is_ours = record.consumer.starts_with(consumer_prefix);
    const std::vector<std::string> queues(1, record.id.queue);
    if (what.what == step::running) {
        if (is_ours) co_await on->broker->renew(record.consumer, queues, on->options.lease());
        co_return;
    }
    auto ending = end(on, record, std::move(what));
    const auto done = co_await std::move(ending);
    if (done != effect::done) throw refusal();
    if (is_ours) co_await on->broker->leave(record.consumer, queues);
}

asio::awaitable<void> start(desk_ptr on, std::string id) {
    auto finding = find(on, std::move(id));
    const auto record = known(co_await std::move(finding));
    const std::vector<task_key> keys(1, record.id.key);
    const auto effects = co_await on->broker->start(record.id.queue, keys);
    if (effects.front() != effect::done) throw refusal();
}

asio::awaitable<void> update(desk_ptr on, std::string id, std::string condition) {
    auto finding = find(on, id);
    const auto record = known(co_await std::move(finding));
    const auto text = message_text(id, record.name, source_of(*on, record.name).source_name, condition);
    if (co_await on->broker->update(record.id, text) != effect::done) throw refusal();
}

inline std::vector<task_state> states_of(const std::string& status) {
    using enum task_state;
    if (status.empty()) return {};
    if (status == "waiting") return {held, scheduled, waiting};
    if (status == "running") return {running, waiting_children};
    if (status == "finished") return {succeeded};
    if (status == "failed") return {failed, cancelled, expired};
    throw refusal();
}

/// The tasks of a queue that a query is for, the newest `most` of them, and how many there are.
inline asio::awaitable<record_page> list_queue(desk_ptr on, std::string queue, std::vector<std::string> services,
                                               std::vector<task_state> states, std::size_t most) {
    record_page page;
    search_query query;
    query.queue = queue;
    query.filter.states = states;
    if (services.size() == 1) query.filter.task = services.front();
    const auto of_this_queue = [&](const auto& entry) { return entry.second.topic_name == queue; };
    const bool is_alone = std::ranges::count_if(on->options.services(), of_this_queue) == 1;
    do {
        const auto found = co_await on->broker->search(query);
        for (const auto& one : found.tasks) {
            if (std::ranges::find(services, one.name) == services.end()) continue;
            ++page.total;
            if (page.tasks.size() < most) page.tasks.push_back(one);
        }
        query.from = found.next;
    } while (query.from != 0 && (!is_alone || page.tasks.size() < most));
    if (!is_alone || query.from == 0) co_return page;
    const auto counts = co_await on->broker->counts(queue);
    page.total = 0;
    if (states.empty()) {
        for (std::size_t i = 0; i < task_state_count; ++i) states.push_back(static_cast<task_state>(i));
    }
    for (const auto state : states) page.total += counts[state];
    co_return page;
}

asio::awaitable<record_page> list(desk_ptr on, record_query query) {
    std::map<std::string, std::vector<std::string>> queues;
    for (const auto& [name, source] : on->options.services()) {
        if (!query.service || *query.service == name) queues[source.topic_name].push_back(name);
    }
    if (query.service && queues.empty()) throw refusal("service not support");
    const auto states = states_of(query.status);
    record_page all;
    for (const auto& [queue, services] : queues) {
        auto listing = list_queue(on, queue, services, states, query.page * query.size);
        auto some = co_await std::move(listing);
        all.total += some.total;
        std::ranges::move(some.tasks, std::back_inserter(all.tasks));
    }
    std::ranges::stable_sort(all.tasks, [](const auto& a, const auto& b) { return a.submitted_at > b.submitted_at; });
    const auto begin = (std::min)((query.page - 1) * query.size, all.tasks.size());
    all.tasks.erase(all.tasks.begin(), all.tasks.begin() + static_cast<std::ptrdiff_t>(begin));
    if (all.tasks.size() > query.size) all.tasks.resize(query.size);
    co_return all;
}

/// A consumer that looks for a task, and leaves where it has got none, also when its client is gone.
class looking_consumer {
public:
    looking_consumer(broker_ptr broker, std::string queue)
        : broker_(std::move(broker)), queues_(1, std::move(queue)), name_(std::string(consumer_prefix) + uuid_generator().text()) {}
    looking_consumer(const looking_consumer&) = delete;
    looking_consumer& operator=(const looking_consumer&) = delete;
    ~looking_consumer() {
        if (!has_task_) as_courtesy([this] { spawn_in_background(broker_, broker_->leave(name_, queues_)); });
    }

    const std::string& name() const { return name_; }
    const std::vector<std::string>& queues() const { return queues_; }
    void keep() { has_task_ = true; }

private:
    const broker_ptr broker_;
    const std::vector<std::string> queues_;
    const std::string name_;
    bool has_task_ = false;
};

asio::awaitable<std::optional<std::string>> fetch(desk_ptr on, std::string service, std::string consumer_id, duration wait) {
    const auto& source = source_of(*on, service);
    if (!source.consumer_id.empty() && source.consumer_id != consumer_id) throw refusal();
    looking_consumer who(on->broker, source.topic_name);
    co_await on->broker->join(who.name(), who.queues(), on->options.lease());
    fetch_request request;
    request.consumer = who.name();
    request.queues = who.queues();
    request.names = std::make_shared<const name_set>(name_set{service});
    request.wait = wait;
    auto got = co_await on->broker->fetch(std::move(request));
    if (got.empty() || got.front().unreadable) co_return std::nullopt;
    who.keep();
    co_return std::move(got.front().payload);
}

}  // namespace taskflux::detail::long_task
