#pragma once

#include <taskflux/http/dialect.hpp>
#include <taskflux/http/fasttask/files.hpp>
#include <taskflux/http/fasttask/params.hpp>
#include <taskflux/http/fasttask_options.hpp>
#include <taskflux/http/response.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// A task that FastTask's clients may create.
class served_task {
public:
    explicit served_task(const http::exposed_task& of) : task_(of), params_(of) {}

    const http::exposed_task& task() const { return task_; }
    const params_schema& params() const { return params_; }

private:
    const http::exposed_task& task_;
    params_schema params_;
};

/// What the handlers of the dialect share: nothing that another gateway would miss. Thread-safe, as nothing of it changes.
class fasttask_core {
public:
    fasttask_core(fasttask_options options, const http::gateway_parts& with);

    const fasttask_options& options() const { return options_; }
    const broker_ptr& broker() const { return with_.broker(); }
    const std::map<std::string, served_task, std::less<>>& tasks() const { return tasks_; }

    /// Those of the tasks, each once.
    const std::vector<std::string>& queues() const { return queues_; }

    /// Null where files are neither taken nor given.
    const std::shared_ptr<fasttask_files>& files() const { return files_; }

private:
    const fasttask_options options_;
    const http::gateway_parts& with_;
    std::map<std::string, served_task, std::less<>> tasks_;
    std::vector<std::string> queues_;
    std::shared_ptr<fasttask_files> files_;
};

using fasttask_ptr = std::shared_ptr<const fasttask_core>;

/// A problem as FastTask tells it: `{"detail": …}`.
http::response fasttask_problem(const http::problem& what, std::string_view request_id);

/// An answer in JSON whose text is made by hand.
inline http::response fasttask_answer(std::string text) { return {200, "application/json", std::move(text)}; }

// The calls, each in a file of its own.

/// `/create/T` and `/run/T`.
asio::awaitable<http::response> create_fasttask(fasttask_ptr core, const served_task* of, http::call& in);
asio::awaitable<http::response> run_fasttask(fasttask_ptr core, const served_task* of, http::call& in);

/// `/check/T` and `/revoke`.
asio::awaitable<http::response> check_fasttask(fasttask_ptr core, std::string queue, http::call& in);
asio::awaitable<http::response> revoke_fasttask(fasttask_ptr core, http::call& in);

/// `/status_info`.
asio::awaitable<http::response> fasttask_status(fasttask_ptr core, http::call& in);

/// `/upload` and `/download`.
asio::awaitable<http::response> upload_to_fasttask(fasttask_ptr core, http::call& in);
asio::awaitable<http::response> download_from_fasttask(fasttask_ptr core, http::call& in);

}  // namespace taskflux::detail
