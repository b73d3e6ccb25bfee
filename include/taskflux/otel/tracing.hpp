#pragma once

#include <taskflux/core/failure.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/flow/running_task.hpp>
#include <taskflux/flow/tracer.hpp>
#include <taskflux/otel/context.hpp>
#include <taskflux/otel/names.hpp>
#include <taskflux/version.hpp>

#include <opentelemetry/common/attribute_value.h>
#include <opentelemetry/context/context.h>
#include <opentelemetry/nostd/shared_ptr.h>
#include <opentelemetry/nostd/string_view.h>
#include <opentelemetry/trace/default_span.h>
#include <opentelemetry/trace/provider.h>
#include <opentelemetry/trace/scope.h>
#include <opentelemetry/trace/span.h>
#include <opentelemetry/trace/span_metadata.h>
#include <opentelemetry/trace/span_startoptions.h>
#include <opentelemetry/trace/tracer.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::otel {

namespace api = opentelemetry::trace;

using span_ptr = opentelemetry::nostd::shared_ptr<api::Span>;

/// How spans are made. Setters may be chained; the same name without an argument reads.
class otel_options {
public:
    otel_options() {}

    /// The span of each attempt begins a trace of its own, with a link to the place where its task was created, as the conventions
    /// have it. Default: what is run first of a task is below that place; retries, what is put off or resumed, and batches have links.
    otel_options& link_only(bool is_so = true) { return link_only_ = is_so, *this; }

    /// Spans that have failed say the error's message, too; default: only its code or type, as messages may tell secrets.
    otel_options& with_messages(bool is_so = true) { return with_messages_ = is_so, *this; }

    /// For `server.address` and `server.port`; default: neither is said.
    otel_options& server(std::string address, std::uint16_t port) {
        address_ = std::move(address);
        return port_ = port, *this;
    }

    /// For `messaging.client.id`; default: none.
    otel_options& client_id(std::string id) { return client_id_ = std::move(id), *this; }

    bool link_only() const { return link_only_; }
    bool with_messages() const { return with_messages_; }
    const std::string& address() const { return address_; }
    std::uint16_t port() const { return port_; }
    const std::string& client_id() const { return client_id_; }

private:
    bool link_only_ = false, with_messages_ = false;
    std::string address_, client_id_;
    std::uint16_t port_ = 0;
};

namespace detail {

using attributes = std::vector<std::pair<opentelemetry::nostd::string_view, opentelemetry::common::AttributeValue>>;
using links = std::vector<std::pair<api::SpanContext, attributes>>;

/// `text` must live as long as what is made.
inline opentelemetry::common::AttributeValue value_of(const std::string& text) {
    return opentelemetry::common::AttributeValue(opentelemetry::nostd::string_view(text));
}
inline opentelemetry::common::AttributeValue value_of(const char* text) {
    return opentelemetry::common::AttributeValue(opentelemetry::nostd::string_view(text));
}
inline opentelemetry::common::AttributeValue value_of(std::int64_t number) { return opentelemetry::common::AttributeValue(number); }

/// Marks a span as failed: by the error's code, or by the type of what a handler has thrown.
inline void fail(api::Span& span, const failure& why, bool with_message) {
    const auto& type = why.code.empty() || why.code == "task_failed" ? why.type : why.code;
    span.SetAttribute(names::error_type, value_of(type.empty() ? std::string("_OTHER") : type));
    span.SetStatus(api::StatusCode::kError, with_message ? opentelemetry::nostd::string_view(why.message) : "");
}

class sending final : public send_span {
public:
    sending(span_ptr span, bool with_messages) : span_(std::move(span)), with_messages_(with_messages) {}
    ~sending() override { span_->End(); }

    void on_sent(const std::string& queue, const std::vector<submitted>& tasks) override {
        if (tasks.size() != 1) return;
        const auto id = to_string(task_id{queue, tasks.front().key});
        span_->SetAttribute(names::message_id, value_of(id));
    }
    void on_failed(const failure& why) override { fail(*span_, why, with_messages_); }

private:
    const span_ptr span_;
    const bool with_messages_;
};

class processing final : public attempt_span {
public:
    processing(span_ptr span, bool with_messages) : span_(std::move(span)), with_messages_(with_messages) {}
    ~processing() override { span_->End(); }

    const span_ptr& span() const { return span_; }

    std::optional<trace_context> place() const override { return from_span_context(span_->GetContext()); }

    std::unique_ptr<attached> attach() override { return std::make_unique<scope>(span_); }

    void on_end(const attempt_result& what) override {
        span_->SetAttribute(names::outcome, value_of(outcome_of(what)));
        if (what.why && what.counts) fail(*span_, *what.why, with_messages_);
        if (!what.how) {
            span_->SetAttribute(names::error_type, value_of("lease_lost"));
            span_->SetStatus(api::StatusCode::kError, "");
        }
        span_->End();
    }

private:
    struct scope final : attached {
        explicit scope(span_ptr span) : current(span) {}
        api::Scope current;
    };

    static const char* outcome_of(const attempt_result& what) {
        if (!what.how) return "lost";
        switch (*what.how) {
            case settlement::kind::complete: return "succeeded";
            case settlement::kind::fail: return "failed";
            case settlement::kind::retry: return what.counts ? "retried" : "put_off";
            case settlement::kind::release: return "given_back";
            case settlement::kind::cancel: return "cancelled";
            case settlement::kind::suspend: return "suspended";
            case settlement::kind::throttle: break;
        }
        return "throttled";
    }

    const span_ptr span_;
    const bool with_messages_;
};

class otel_tracer final : public tracer {
public:
    otel_tracer(opentelemetry::nostd::shared_ptr<api::Tracer> by, otel_options options) : by_(std::move(by)), options_(std::move(options)) {}

    std::unique_ptr<send_span> on_send(const std::string& queue, task_spec& what, std::size_t count) override {
        const auto given = place_in(what.headers);  // the caller's, which stays: then this is not where the task is created
        api::StartSpanOptions start;
        start.kind = given ? api::SpanKind::kClient : api::SpanKind::kProducer;
        auto with = common("send", "send", queue, what.name);
        if (count > 1) with.emplace_back(names::message_count, value_of(static_cast<std::int64_t>(count)));
        links to;
        if (given) {
            const auto place = to_span_context(*given);
            if (api::Tracer::GetCurrentSpan()->GetContext().IsValid()) to.emplace_back(place, attributes());
            else start.parent = place;
        }
        auto span = by_->StartSpan("send " + queue, with, to, start);
        const auto made = from_span_context(span->GetContext());
        if (!given && made) put_place(*made, what.headers);
        return std::make_unique<sending>(std::move(span), options_.with_messages());
    }

    std::unique_ptr<attempt_span> on_process(const running_task& task, bool is_first) override {
        const auto& queue = task.id().queue;
        const auto id = to_string(task.id());
        api::StartSpanOptions start;
        start.kind = api::SpanKind::kConsumer;
        start.parent = opentelemetry::context::Context().SetValue(api::kIsRootSpanKey, true);  // and not what this thread has
        auto with = common("process", "process", queue, task.name());
        with.emplace_back(names::message_id, value_of(id));
        with.emplace_back(names::attempt, value_of(static_cast<std::int64_t>(task.attempt())));
        links to;
        if (const auto created = place_in(task.headers())) {
            const auto place = to_span_context(*created);
            if (is_first && !options_.link_only()) start.parent = place;
            else to.emplace_back(place, attributes());
        }
        auto span = by_->StartSpan("process " + queue, with, to, start);
        return std::make_unique<processing>(std::move(span), options_.with_messages());
    }

private:
    attributes common(const char* operation, const char* type, const std::string& queue, const std::string& task) const {
        attributes made;
        made.emplace_back(names::system, value_of("taskflux"));
        made.emplace_back(names::operation_name, value_of(operation));
        made.emplace_back(names::operation_type, value_of(type));
        made.emplace_back(names::destination_name, value_of(queue));
        made.emplace_back(names::task_name, value_of(task));
        if (!options_.client_id().empty()) made.emplace_back(names::client_id, value_of(options_.client_id()));
        if (options_.address().empty()) return made;
        made.emplace_back(names::server_address, value_of(options_.address()));
        made.emplace_back(names::server_port, value_of(static_cast<std::int64_t>(options_.port())));
        return made;
    }

    const opentelemetry::nostd::shared_ptr<api::Tracer> by_;
    const otel_options options_;
};

}  // namespace detail

/// Spans by OpenTelemetry: `send <queue>` for each request that submits tasks, `process <queue>` for each attempt. Takes the tracer of
/// the global provider, which must have been set before. Needs the headers of opentelemetry-cpp's API, 1.13 or later; without an SDK
/// its spans are no spans. Thread-safe.
inline std::shared_ptr<tracer> make_tracer(otel_options options = otel_options()) {
    auto by = api::Provider::GetTracerProvider()->GetTracer("taskflux", version, names::schema_url);
    return std::make_shared<detail::otel_tracer>(std::move(by), std::move(options));
}

/// The span of the attempt in whose handler this is called; one that records nothing where it has none. As a parent of spans of the
/// handler's own: a coroutine must not make it the current one (`Scope`), as it shares its thread with others.
inline span_ptr span_of(const running_task& task) {
    const auto* const mine = dynamic_cast<const detail::processing*>(task.span());
    return mine ? mine->span() : span_ptr(new api::DefaultSpan(api::SpanContext::GetInvalid()));
}

}  // namespace taskflux::otel
