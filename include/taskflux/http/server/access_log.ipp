#pragma once

#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/http/server/access_log.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <chrono>
#include <string>
#include <utility>

namespace taskflux::detail {

/// `31/Jan/2026:12:00:00 +0000`
inline std::string common_log_time(time_point when) {
    using namespace std::chrono;
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const auto second = floor<seconds>(when - day).count();
    const auto two = [](auto number) { return std::to_string(100 + number).substr(1); };
    return two(static_cast<unsigned>(date.day())) + '/' + months[static_cast<unsigned>(date.month()) - 1] + '/' +
           std::to_string(static_cast<int>(date.year())) + ':' + two(second / 3600) + ':' + two(second / 60 % 60) + ':' + two(second % 60) +
           " +0000";
}

inline std::string shown_path(const http::call& in) {
    return printable(in.request().path(), 1000);
}

inline log_line line_about(const http::call& in, log_level level, time_point now) {
    log_line line;
    line.at = now;
    line.level = level;
    line.fields["request_id"] = in.request_id();
    return line;
}

log_line access_line(http::access_form form, const http::call& in, unsigned status, std::uint64_t sent, duration took, time_point now) {
    auto line = line_about(in, log_level::info, now);
    const auto& asked = in.request();
    const auto method = printable(asked.method);
    const auto path = shown_path(in);
    const auto user = printable(in.who().name());
    if (form == http::access_form::json) {
        line.text = boost::json::serialize(boost::json::object{{"client", in.peer()},
                                                               {"user", user},
                                                               {"method", method},
                                                               {"path", path},
                                                               {"route", in.route()},
                                                               {"status", status},
                                                               {"bytes", sent},
                                                               {"ms", took.count()},
                                                               {"request_id", in.request_id()}});
    } else {
        line.text = in.peer() + " - " + (user.empty() ? "-" : user) + " [" + common_log_time(now) + "] \"" + method + ' ' + path +
                    " HTTP/" + (asked.version < 11 ? "1.0" : "1.1") + "\" " + std::to_string(status) + ' ' + std::to_string(sent) + ' ' +
                    std::to_string(took.count()) + "ms " + in.request_id();
    }
    line.fields["method"] = method;
    line.fields["path"] = path;
    line.fields["status"] = std::to_string(status);
    if (!user.empty()) line.fields["user"] = user;
    return line;
}

log_line failure_line(const http::call& in, const std::exception_ptr& why, time_point now) {
    auto line = line_about(in, log_level::error, now);
    const auto told = describe(why);
    line.text = "answering " + printable(in.request().method) + ' ' + shown_path(in) + " has failed: " + told.type + ": " + told.message;
    return line;
}

}  // namespace taskflux::detail
