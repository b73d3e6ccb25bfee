#pragma once

#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/fasttask_options.hpp>
#include <taskflux/http/request.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

namespace detail {

/// Reads FastTask's environment variables.
class fasttask_environment {
public:
    explicit fasttask_environment(const std::function<std::optional<std::string>(std::string_view)>& lookup) : lookup_(lookup) {}

    std::optional<std::string> text(std::string_view name) const {
        auto found = lookup_(name);
        if (found && found->empty()) found.reset();
        return found;
    }

    bool is_on(std::string_view name) const {
        const auto given = text(name);
        return !given || *given == "True";
    }

    std::optional<std::uint64_t> number(std::string_view name, std::uint64_t least, std::uint64_t most) const {
        const auto given = text(name);
        if (!given) return std::nullopt;
        std::uint64_t made = 0;
        const auto* const end = given->data() + given->size();
        const auto [stop, code] = std::from_chars(given->data(), end, made);
        if (code == std::errc() && stop == end && made >= least && made <= most) return made;
        throw error(errc::invalid_argument, std::string(name) + "=" + in_quotes(*given) + " in the environment: use a whole number from " +
                                                std::to_string(least) + " to " + std::to_string(most));
    }

    std::optional<duration> seconds(std::string_view name, std::uint64_t least) const {
        constexpr std::uint64_t longest = 100ULL * 366 * 24 * 3600;
        const auto given = number(name, least, longest);
        if (!given) return std::nullopt;
        return std::chrono::seconds(static_cast<std::int64_t>(*given));
    }

    std::set<std::string, std::less<>> names(std::string_view name) const {
        std::set<std::string, std::less<>> made;
        const auto given = text(name).value_or(std::string());
        for (std::string_view rest = given; !rest.empty();) {
            const auto end = (std::min)(rest.find(','), rest.size());
            auto one = rest.substr(0, end);
            while (one.starts_with(' ')) one.remove_prefix(1);
            while (one.ends_with(' ')) one.remove_suffix(1);
            if (!one.empty()) made.emplace(one);
            rest.remove_prefix((std::min)(end + 1, rest.size()));
        }
        return made;
    }

    fasttask_node node() const {
        using enum fasttask_node;
        const auto given = text("NODE_TYPE").value_or("single_node");
        if (given == "single_node") return single_node;
        if (given == "distributed_master") return distributed_master;
        if (given == "distributed_worker") return distributed_worker;
        throw error(errc::invalid_argument, "NODE_TYPE=" + in_quotes(given) +
                                                " in the environment: use single_node, distributed_master or distributed_worker");
    }

    /// Only a worker of a deployment has its broker elsewhere.
    std::string broker_url(fasttask_node node) const {
        constexpr std::uint64_t usual_port = 6379, highest_port = 65535;
        const auto host = text("MASTER_HOST");
        const auto port = number("TASK_QUEUE_PORT", 1, highest_port).value_or(usual_port);
        const auto password = text("TASK_QUEUE_PASSWD");
        const bool is_remote = node == fasttask_node::distributed_worker;
        if (is_remote && !host) {
            throw error(errc::invalid_argument, "MASTER_HOST is not set in the environment: with NODE_TYPE=distributed_worker it names the "
                                                "host of the master");
        }
        std::string url = "redis://";
        if (password) url += ":" + http::percent_encoded(*password) + "@";
        return url + (is_remote ? *host : std::string("127.0.0.1")) + ":" + std::to_string(is_remote ? port : usual_port);
    }

private:
    const std::function<std::optional<std::string>(std::string_view)>& lookup_;
};

}  // namespace detail

fasttask_options fasttask_options::from_environment(const std::function<std::optional<std::string>(std::string_view name)>& lookup) {
    const detail::fasttask_environment from(lookup);
    constexpr std::uint64_t most_slots = 100'000, least_age = 60;
    fasttask_options made;
    made.run(from.is_on("API_RUN")).create(from.is_on("API_CREATE")).check(from.is_on("API_CHECK")).revoke(from.is_on("API_REVOKE"));
    made.status_info(from.is_on("API_STATUS_INFO")).upload(from.is_on("API_FILE_UPLOAD")).download(from.is_on("API_FILE_DOWNLOAD"));
    made.docs(from.is_on("API_DOCS")).file_cleanup(from.is_on("FILE_CLEANUP_ENABLED"));
    if (const auto limit = from.seconds("SOFT_TIME_LIMIT", 1)) made.soft_time_limit(*limit);
    if (const auto limit = from.seconds("TIME_LIMIT", 1)) made.time_limit(*limit);
    if (const auto length = from.seconds("RESULT_EXPIRES", 0)) made.result_expires(*length);
    if (const auto slots = from.number("WORKER_CONCURRENCY", 1, most_slots)) made.worker_concurrency(static_cast<std::size_t>(*slots));
    if (const auto age = from.seconds("FILE_EXPIRATION_SECONDS", least_age)) made.file_expiration(*age);
    made.enabled_tasks(from.names("ENABLED_TASKS")).disabled_tasks(from.names("DISABLED_TASKS"));
    made.files("files").users_file("files/fasttask/conf/user_to_passwd.json");
    made.node(from.node());
    made.broker_url(from.broker_url(made.node()));
    return made;
}

duration fasttask_options::file_expiration() const {
    constexpr duration least = std::chrono::seconds(60);
    constexpr int limits = 10;
    return (std::max)(least, file_expiration_.value_or(soft_time_limit_ * limits));
}

}  // namespace taskflux
