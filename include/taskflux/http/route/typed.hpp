#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/codec/named.hpp>
#include <taskflux/detail/awaited.hpp>
#include <taskflux/http/call.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/response.hpp>
#include <taskflux/http/route.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux::detail {

template <class T>
inline constexpr bool is_reply = false;
template <class T>
inline constexpr bool is_reply<http::reply<T>> = true;

/// The member of a request's type that is its body.
inline constexpr std::string_view body_member = "body";

template <class Request>
consteval bool has_body() {
    if constexpr (std::is_void_v<Request>) {
        return false;
    } else {
        bool found = false;
        for_each_member<Request>([&]<class Member>(Member) { found = found || member_name<Member> == body_member; });
        return found;
    }
}

/// The texts that a call gives for a parameter of its route. Errors: `problem` 400 where a required one is missing.
std::vector<std::string_view> texts_of(const http::parameter& which, const http::call& in);

/// Errors: `problem` 400 for a query parameter that the route does not have.
void refuse_unknown(const http::route& to, const http::call& in);

/// Texts as JSON values of the kind that a parameter asks for; as texts where they are not of that kind, which the walk refuses.
boost::json::value boolean_in(std::string_view text);
boost::json::value integer_in(std::string_view text);
boost::json::value number_in(std::string_view text);

template <class T>
boost::json::value parameter_value(const std::vector<std::string_view>& texts) {
    constexpr kind what = kind_of<T>;
    if constexpr (what == kind::nullable) return parameter_value<pointee<T>>(texts);
    else if constexpr (what == kind::sequence || what == kind::set) {
        boost::json::array all;
        for (const auto text : texts) {
            const std::vector<std::string_view> one(1, text);
            all.push_back(parameter_value<typename T::value_type>(one));
        }
        return all;
    } else if constexpr (what == kind::boolean) return boolean_in(texts.front());
    else if constexpr (what == kind::integer) return integer_in(texts.front());
    else if constexpr (what == kind::number) return number_in(texts.front());
    else return boost::json::value(texts.front());
}

template <class T>
consteval bool is_repeatable() {
    if constexpr (kind_of<T> == kind::nullable) return is_repeatable<pointee<T>>();
    else return kind_of<T> == kind::sequence || kind_of<T> == kind::set;
}

/// Errors: `problem` 400 at the parameter.
[[noreturn]] void fail_parameter(const http::parameter& which, const std::string& why);

template <class Request>
void read_parameters(const http::route& to, const http::call& in, Request& asked) {
    if (!to.does_ignore_unknown()) refuse_unknown(to, in);
    std::size_t index = 0;
    for_each_member<Request>([&]<class Member>(Member) {
        if constexpr (member_name<Member> != body_member) {
            const auto& which = to.parameters()[index++];
            const auto texts = texts_of(which, in);
            if (texts.empty()) return;
            using type = std::remove_cvref_t<decltype(asked.*Member::pointer)>;
            try {
                reader::read(parameter_value<type>(texts), asked.*Member::pointer, path());
            } catch (const payload_error& e) {
                fail_parameter(which, e.reason());
            }
        }
    });
}

/// Errors: `problem` 415 for a body that is no JSON by its content type.
void require_json(const http::request& asked);

/// The problem of a body that can't be read: 400 where it is no JSON, 422 where it has another shape.
http::problem body_problem(const payload_error& why, bool is_json);

template <class T>
void read_body(const std::string& text, T& value) {
    if constexpr (kind_of<T> == kind::bytes) {
        value.bytes = text;
    } else if constexpr (kind_of<T> == kind::nullable) {
        if (text.empty()) return;
        value.emplace();
        read_body(text, *value);
    } else {
        bool is_json = false;
        try {
            const document parsed(text, decode_limits().max_size(text.size()));
            is_json = true;
            reader::read(parsed.root(), value, path());
        } catch (const payload_error& e) {
            throw body_problem(e, is_json);
        }
    }
}

template <class Request>
void read_body_member(const std::string& text, Request& asked) {
    for_each_member<Request>([&]<class Member>(Member) {
        if constexpr (member_name<Member> == body_member) read_body(text, asked.*Member::pointer);
    });
}

template <class T>
http::response response_of(T made) {
    if constexpr (std::is_same_v<T, http::response>) {
        return made;
    } else if constexpr (is_reply<T>) {
        auto answer = http::response::json(made.status(), made.value());
        for (std::size_t i = 0; i < made.fields().size(); ++i) answer.header(made.fields().name(i), made.fields().value(i));
        return answer;
    } else {
        return http::response::json(200, made);
    }
}

/// A handler with its types.
template <class Request, class Function>
class typed_endpoint {
public:
    typed_endpoint(const http::route& of, Function function) : route_(of), function_(std::move(function)) {}

    static asio::awaitable<http::response> answer(std::shared_ptr<typed_endpoint> self, http::call& in) {
        if constexpr (std::is_void_v<Request>) {
            auto work = self->function_(in);
            return finish(std::move(work));
        } else {
            return read(std::move(self), in);
        }
    }

private:
    static asio::awaitable<http::response> read(std::shared_ptr<typed_endpoint> self, http::call& in) {
        Request asked{};
        read_parameters(self->route_, in, asked);
        if constexpr (has_body<Request>()) {
            if (self->route_.body_schema() && !self->route_.is_any_type()) require_json(in.request());
            const std::string text = co_await in.read_all();
            read_body_member(text, asked);
        }
        auto work = self->function_(in, std::move(asked));
        auto ended = finish(std::move(work));
        co_return co_await std::move(ended);
    }

    template <class T>
    static asio::awaitable<http::response> finish(asio::awaitable<T> work) {
        if constexpr (std::is_same_v<T, http::response>) {
            return work;
        } else {
            return convert(std::move(work));
        }
    }

    template <class T>
    static asio::awaitable<http::response> convert(asio::awaitable<T> work) {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(work);
            http::response nothing(204);
            co_return nothing;
        } else {
            T made = co_await std::move(work);
            co_return response_of(std::move(made));
        }
    }

    const http::route& route_;  // which has this endpoint
    Function function_;
};

template <class T>
void describe_answer(http::route& to) {
    if constexpr (std::is_void_v<T>) to.answers(204, "done");
    else if constexpr (is_reply<T>) to.answers<std::remove_cvref_t<decltype(std::declval<T>().value())>>(200, "the result");
    else if constexpr (!std::is_same_v<T, http::response>) to.answers<T>(200, "the result");
}

template <class Request>
void describe_request(http::route& to) {
    for_each_member<Request>([&]<class Member>(Member) {
        using type = std::remove_cvref_t<decltype(std::declval<Request&>().*Member::pointer)>;
        if constexpr (member_name<Member> != body_member) {
            to.add_parameter(std::string(member_name<Member>), is_repeatable<type>(), &http::schema_of<type>);
        } else if constexpr (kind_of<type> != kind::bytes) {
            to.set_body(&http::schema_of<type>);
        }
    });
}

/// Gives a route its endpoint and what its types tell of it. The route must stay where it is.
template <class Request, class Function>
void type_route(http::route& to, Function function) {
    if constexpr (std::is_void_v<Request>) {
        static_assert(std::is_invocable_v<Function&, http::call&>,
                      "a handler without a request type takes a call&: add<Request>(…) for one that takes (call&, Request)");
        describe_answer<typename std::invoke_result_t<Function&, http::call&>::value_type>(to);
    } else {
        static_assert(kind_of<Request> == kind::object,
                      "the type of a request is a described struct: add BOOST_DESCRIBE_STRUCT(Request, (), (…))");
        static_assert(std::is_invocable_v<Function&, http::call&, Request>,
                      "a handler takes (call&, Request), with the type that is given to add<Request>(…)");
        describe_request<Request>(to);
        describe_answer<typename std::invoke_result_t<Function&, http::call&, Request>::value_type>(to);
    }
    auto kept = std::make_shared<typed_endpoint<Request, Function>>(to, std::move(function));
    to.set_answer([kept = std::move(kept)](http::call& in) { return typed_endpoint<Request, Function>::answer(kept, in); });
}

}  // namespace taskflux::detail
