#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/call.hpp>
#include <taskflux/http/identity.hpp>
#include <taskflux/http/permission.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/response.hpp>
#include <taskflux/http/route.hpp>
#include <taskflux/http/route/typed.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

/// Routes below one prefix that answer problems in one form, such as those of a dialect. Filled before the server runs; then any
/// thread may read it.
class routes {
public:
    explicit routes(std::string prefix) : prefix_(std::move(prefix)) {}
    routes(const routes&) = delete;
    routes& operator=(const routes&) = delete;

    /// Adds a route: `what` is its method, and its path below the prefix (see `route`). `answer` takes a `call&`, and a `Request`
    /// where one is given: a described struct. Its members of the names that stand in the path are read from there, `body` is the
    /// body, all others are query parameters; members that a call does not mention keep their defaults. `answer` returns an
    /// `asio::awaitable` of a described value (200), a `reply` of one, a `response`, or nothing (204).
    ///
    ///     to.add<job_request>("GET /v1/jobs/{id}", http::permission::read, std::bind_front(get_job, broker));
    ///
    /// The reference is valid as long as these routes. Errors: `invalid_argument` for a route that is there already.
    template <class Request = void, class Function>
    route& add(std::string_view what, permission asks, Function answer) {
        route& made = insert(what, asks);
        detail::type_route<Request>(made, std::move(answer));
        return made;
    }

    /// How problems are answered here; default `problem_json`.
    routes& problems(problem_form form) { return form_ = form, *this; }

    /// Who makes a request here, in the place of the server's authentication.
    routes& authenticate(authenticator by) { return authenticator_ = std::move(by), *this; }

    const std::string& prefix() const { return prefix_; }
    problem_form problems() const { return form_; }
    const authenticator& authentication() const { return authenticator_; }

    /// In the order in which they were added: for the API's description.
    const std::vector<std::unique_ptr<route>>& all() const { return all_; }

private:
    route& insert(std::string_view what, permission asks);

    std::string prefix_;
    problem_form form_ = &problem_json;
    authenticator authenticator_;
    std::vector<std::unique_ptr<route>> all_;
};

/// What a request's path and method lead to.
class match {
public:
    const routes* in = nullptr;    ///< whose form a problem has
    const http::route* to = nullptr;  ///< null: none
    std::vector<std::pair<std::string_view, std::string>> parameters;
    std::vector<std::string> allowed;  ///< methods of the path, where there are any, with HEAD and OPTIONS
};

/// Finds the route of a request, and answers it. Filled before the server runs; then any thread may use it.
class router {
public:
    /// Routes below `prefix`, such as "/tasks"; empty or "/": below no prefix. A request looks below the longest prefix first,
    /// and among equal ones below the one that was mounted first.
    routes& mount(std::string_view prefix);

    /// Where a request leads. A literal segment comes before a parameter with a verb, and that before one without. `HEAD` is
    /// answered by `GET`'s route where it has none of its own.
    match find(const request& asked) const;

    /// Who makes requests where the routes say nothing of their own.
    void authenticate(authenticator by) { authenticator_ = std::move(by); }
    const authenticator& authentication() const { return authenticator_; }

    /// Answers a call, also where its handler throws, or where no route is there; throws only when it is cancelled. `on_failure`
    /// gets what is a fault of the server.
    asio::awaitable<response> answer(call& in, std::function<void(const std::exception_ptr&)> on_failure) const;

    /// In the order in which they are looked at.
    const std::vector<std::unique_ptr<routes>>& all() const { return all_; }

private:
    asio::awaitable<response> answer_match(match found, call& in) const;

    std::vector<std::unique_ptr<routes>> all_;
    authenticator authenticator_;
};

}  // namespace taskflux::http
