#pragma once

#include <opentelemetry/trace/provider.h>
#include <taskflux/otel/context.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace test {

namespace api = opentelemetry::trace;

/// What a span has become.
struct recorded {
    std::string name;
    api::SpanKind kind = api::SpanKind::kInternal;
    std::map<std::string, std::string> attributes;
    std::vector<std::string> links;  // as traceparent
    std::string parent;              // the same; empty: it is a root
    std::string own;                 // the same
    api::StatusCode status = api::StatusCode::kUnset;
    std::string message;
    int ends = 0;

    std::string trace() const { return own.substr(3, 32); }
};

inline std::string text_of(const api::SpanContext& of) {
    const auto place = taskflux::otel::from_span_context(of);
    return place ? place->traceparent() : std::string();
}

/// A provider that keeps all spans. Its rules on parents are those of the SDK.
class recorder final : public api::TracerProvider, public std::enable_shared_from_this<recorder> {
public:
    std::shared_ptr<api::Tracer> GetTracer(opentelemetry::nostd::string_view name, opentelemetry::nostd::string_view,
                                           opentelemetry::nostd::string_view schema) noexcept override {
        scope = std::string(name);
        schema_url = std::string(schema);
        return std::make_shared<tracer>(shared_from_this());
    }

    std::vector<recorded> spans() const {
        const std::lock_guard lock(mutex_);
        std::vector<recorded> all;
        for (const auto& one : spans_) all.push_back(*one);
        return all;
    }
    std::vector<recorded> spans(const std::string& name) const {
        auto all = spans();
        std::erase_if(all, [&](const recorded& one) { return one.name != name; });
        return all;
    }

    std::string scope, schema_url;

private:
    using record = std::shared_ptr<recorded>;

    class span final : public api::Span {
    public:
        span(std::shared_ptr<recorder> in, record what, api::SpanContext context)
            : in_(std::move(in)), what_(std::move(what)), context_(std::move(context)) {}

        void SetAttribute(opentelemetry::nostd::string_view key, const opentelemetry::common::AttributeValue& value) noexcept override {
            const std::lock_guard lock(in_->mutex_);
            what_->attributes[std::string(key)] = shown(value);
        }
        void SetStatus(api::StatusCode code, opentelemetry::nostd::string_view description) noexcept override {
            const std::lock_guard lock(in_->mutex_);
            what_->status = code;
            what_->message = std::string(description);
        }
        void End(const api::EndSpanOptions&) noexcept override {
            const std::lock_guard lock(in_->mutex_);
            ++what_->ends;
        }
        api::SpanContext GetContext() const noexcept override { return context_; }

    private:
        const std::shared_ptr<recorder> in_;
        const record what_;
        const api::SpanContext context_;
    };

    class tracer final : public api::Tracer {
    public:
        explicit tracer(std::shared_ptr<recorder> in) : in_(std::move(in)) {}

    private:
        std::shared_ptr<api::Span> start(opentelemetry::nostd::string_view name, const api::each_attribute& attributes,
                                         const api::each_link& links, const api::StartSpanOptions& options) override {
            auto parent = GetCurrentSpan()->GetContext();
            if (const auto* const given = std::get_if<api::SpanContext>(&options.parent)) {
                if (given->IsValid()) parent = *given;
            } else if (std::get<opentelemetry::context::Context>(options.parent).HasKey(api::kIsRootSpanKey)) {
                parent = api::SpanContext::GetInvalid();
            }
            const auto made = std::make_shared<recorded>();
            made->name = std::string(name);
            made->kind = options.kind;
            made->parent = text_of(parent);
            attributes([&](opentelemetry::nostd::string_view key, const opentelemetry::common::AttributeValue& value) {
                made->attributes[std::string(key)] = shown(value);
            });
            links([&](const api::SpanContext& to) { made->links.push_back(text_of(to)); });
            const std::lock_guard lock(in_->mutex_);
            auto context = in_->next_context(parent);
            made->own = text_of(context);
            in_->spans_.push_back(made);
            return std::make_shared<span>(in_, made, std::move(context));
        }

        const std::shared_ptr<recorder> in_;
    };

    api::SpanContext next_context(const api::SpanContext& parent) {
        ++count_;
        std::array<std::uint8_t, 16> trace{};
        std::array<std::uint8_t, 8> own{};
        trace.back() = own.back() = count_;
        trace.front() = 0xab;
        const api::SpanId id(opentelemetry::nostd::span<const std::uint8_t, 8>(own.data(), own.size()));
        const api::TraceId anew(opentelemetry::nostd::span<const std::uint8_t, 16>(trace.data(), trace.size()));
        return api::SpanContext(parent.IsValid() ? parent.trace_id() : anew, id, api::TraceFlags(1), false, parent.trace_state());
    }

    static std::string shown(const opentelemetry::common::AttributeValue& value) {
        return std::visit(
            [](const auto& of) {
                if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(of)>>) return std::to_string(of);
                else return std::string(of);
            },
            value);
    }

    mutable std::mutex mutex_;  // guards the rest, and all records
    std::vector<record> spans_;
    std::uint8_t count_ = 0;
};

}  // namespace test
