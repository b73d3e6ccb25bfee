#pragma once

#include <taskflux/http/call.hpp>
#include <taskflux/http/problem.hpp>

#include <memory>
#include <string>
#include <utility>

namespace taskflux::http {

/// Of a test: a body that is there.
class call::held_body final : public body_source {
public:
    explicit held_body(std::string text) : text_(std::move(text)) {}

    asio::awaitable<std::string> read(std::uint64_t most) override {
        if (text_.size() > most) throw problem(413, "the body is too large");
        co_return std::exchange(text_, std::string());
    }

private:
    std::string text_;
};

call::call(http::request asked, body_source& body, std::shared_ptr<detail::drain> drain)
    : request_(std::move(asked)), body_(&body), drain_(std::move(drain)) {}

call::call(http::request asked, std::string body)
    : request_(std::move(asked)), held_(std::make_unique<held_body>(std::move(body))), body_(held_.get()) {}

call::~call() = default;

std::string_view call::path_parameter(std::string_view name) const {
    for (const auto& [key, value] : path_) {
        if (key == name) return value;
    }
    return {};
}

asio::awaitable<std::string> call::read_some() { return body_->read(max_body_); }

asio::awaitable<std::string> call::read_all() {
    std::string whole = co_await body_->read(max_body_);
    if (whole.empty()) co_return whole;
    for (;;) {
        const std::string piece = co_await body_->read(max_body_);
        if (piece.empty()) co_return whole;
        whole += piece;
    }
}

}  // namespace taskflux::http
