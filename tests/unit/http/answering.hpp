#pragma once

#include <taskflux/http/call.hpp>
#include <taskflux/http/request.hpp>
#include <taskflux/http/response.hpp>
#include <taskflux/http/router.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace http_test {

namespace http = taskflux::http;

/// A request whose line is `what`: "GET /v1/tasks?x=1".
inline http::request request(std::string_view what) {
    http::request made;
    const auto space = what.find(' ');
    made.method = what.substr(0, space);
    made.target = what.substr(space + 1);
    made.split_target();
    return made;
}

/// What a router answers, without a socket.
inline http::response answer(const http::router& by, http::call& in) {
    std::optional<http::response> made;
    std::exception_ptr error;
    boost::asio::io_context context;
    boost::asio::co_spawn(context, by.answer(in, nullptr), [&](std::exception_ptr e, http::response r) {
        error = std::move(e);
        made = std::move(r);
    });
    context.run();
    if (error) std::rethrow_exception(error);
    return std::move(*made);
}

inline http::response answer(const http::router& by, std::string_view what, std::string body = {}) {
    http::call in(request(what), std::move(body));
    in.set_request_id("r1");
    return answer(by, in);
}

inline boost::json::value json(const http::response& made) { return boost::json::parse(made.text()); }

}  // namespace http_test
