#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/http/fasttask.hpp>
#include <taskflux/http/fasttask/core.hpp>
#include <taskflux/http/fasttask/login.hpp>
#include <taskflux/http/fasttask/python_text.hpp>


#include <boost/json/serialize.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace taskflux {

namespace detail {

fasttask_core::fasttask_core(fasttask_options options, const http::gateway_parts& with) : options_(std::move(options)), with_(with) {
    for (const auto& [name, task] : with_.tasks()) {
        if (task.takes_bytes()) continue;
        tasks_.emplace(name, served_task(task));
        if (std::ranges::find(queues_, task.queue()) == queues_.end()) queues_.push_back(task.queue());
    }
    if (options_.upload() || options_.download()) files_ = std::make_shared<fasttask_files>(options_, with_.broker(), with_.log());
}

/// Any value as JSON: infinity, which a client can send as 1e999, as a number that is read as such.
inline std::string any_json(const boost::json::value& of) {
    try {
        return encode(of, decode_limits().max_depth(1024));
    } catch (const payload_error&) {
        return boost::json::serialize(of);
    }
}

http::response fasttask_problem(const http::problem& what, std::string_view) {
    const auto& members = what.members();
    const auto* told = members.if_contains("detail");
    boost::json::value detail = told ? *told : boost::json::value(what.detail());
    if (!told && what.status() == 404) detail = "Not Found";
    if (!told && what.status() == 405) detail = "Method Not Allowed";
    http::response made(what.status(), "application/json", "{\"detail\": " + python_json(any_json(detail)) + "}");
    for (std::size_t i = 0; i < what.fields().size(); ++i) made.header(what.fields().name(i), what.fields().value(i));
    return made;
}

}  // namespace detail

void fasttask_dialect::add_to(http::routes& to, const http::gateway_parts& with) {
    using http::permission;
    const auto core = std::make_shared<const detail::fasttask_core>(options_, with);
    to.problems(&detail::fasttask_problem);
    if (!options_.users_file().empty()) {
        const auto login = std::make_shared<detail::fasttask_login>(options_.users_file(), with.broker(), with.log());
        to.authenticate([login](http::call& in) { return detail::fasttask_login::check(login, in); });
    }
    for (const auto& [name, task] : core->tasks()) {
        if (options_.run()) {
            to.add("POST /run/" + name, permission::submit, std::bind_front(&detail::run_fasttask, core, &task))
                .summary("Runs the task " + name + ", and answers with its result.")
                .group("fasttask");
        }
        if (options_.create()) {
            to.add("POST /create/" + name, permission::submit, std::bind_front(&detail::create_fasttask, core, &task))
                .summary("Creates a task " + name + ", and answers with the id of its result.")
                .group("fasttask");
        }
        if (options_.check()) {
            to.add("GET /check/" + name, permission::read, std::bind_front(&detail::check_fasttask, core, task.task().queue()))
                .summary("The state and the result of a task " + name + " by its result_id.")
                .group("fasttask");
        }
    }
    if (options_.revoke()) {
        to.add("POST /revoke", permission::submit, std::bind_front(&detail::revoke_fasttask, core))
            .summary("Revokes a task, also while it runs.")
            .group("fasttask");
    }
    if (options_.status_info()) {
        to.add("POST /status_info", permission::read, std::bind_front(&detail::fasttask_status, core))
            .summary("What workers and tasks are there.")
            .group("fasttask");
    }
    if (options_.upload()) {
        to.add("POST /upload", permission::submit, std::bind_front(&detail::upload_to_fasttask, core))
            .max_body(options_.max_upload() + detail::fasttask_files::form_size)
            .summary("Stores a file for tasks.")
            .group("fasttask");
    }
    if (options_.download()) {
        to.add("GET /download", permission::read, std::bind_front(&detail::download_from_fasttask, core))
            .summary("A file that was uploaded, or written by a task.")
            .group("fasttask");
    }
}

}  // namespace taskflux
