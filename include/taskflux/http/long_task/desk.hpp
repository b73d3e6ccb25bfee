#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/http/long_task.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the calls of the long-task API do, made of those of a broker. Nothing is kept here.
namespace taskflux::detail::long_task {

/// What the calls need. Shared by them: each keeps it.
class desk {
public:
    desk(broker_ptr of, long_task_options by) : broker(std::move(of)), options(std::move(by)) {}

    const broker_ptr broker;
    const long_task_options options;
};

using desk_ptr = std::shared_ptr<const desk>;

/// A call that is answered with `"result":"exception"`.
class refusal : public std::runtime_error {
public:
    explicit refusal(const std::string& message = "Invalid parameter") : std::runtime_error(message) {}
};

/// What a worker says of its task.
enum class step { running, finished, failed };

class step_report {
public:
    step_report() = default;

    step what = step::running;
    std::optional<std::string> message;
    std::string data = "null";  ///< with finished: the result, in JSON
};

/// A page of tasks, newest first.
class record_page {
public:
    std::size_t total = 0;
    std::vector<task_record> tasks;
};

class record_query {
public:
    record_query() = default;

    std::size_t size = 10;
    std::size_t page = 1;
    std::optional<std::string> service;
    std::string status;  ///< empty: any
};

/// The word for where a task is: "waiting", "running", "finished" or "failed".
std::string_view status_of(task_state state);

/// What was last said of a task in the status that it has now; nothing where nothing was.
std::optional<std::string> message_of(const task_record& record);

/// What is put into the queue: `{"Task": {…}}`. `condition`: JSON.
std::string message_text(std::string_view id, std::string_view service, std::string_view source, std::string_view condition);

/// The condition in it, as it was sent; `null` where there is none.
std::string condition_in(std::string_view message);

/// The service in an id that `create` has given; nothing for another text.
std::optional<std::string> service_in(std::string_view id);

/// Gives the id. Errors: `refusal`, as of the others, which name what they know no task or step of.
asio::awaitable<std::string> create(desk_ptr on, std::string service, std::string condition);

/// Nothing for an id that is not known.
asio::awaitable<std::optional<task_record>> find(desk_ptr on, std::string id);

asio::awaitable<void> report(desk_ptr on, std::string id, step_report what);
asio::awaitable<record_page> list(desk_ptr on, record_query query);
asio::awaitable<void> start(desk_ptr on, std::string id);
asio::awaitable<void> update(desk_ptr on, std::string id, std::string condition);

/// The message of a service's next task, which is its worker's for the lease; waits for one. Nothing where none has come.
asio::awaitable<std::optional<std::string>> fetch(desk_ptr on, std::string service, std::string consumer_id, duration wait);

}  // namespace taskflux::detail::long_task
