#pragma once

#include <taskflux/core/task.hpp>
#include <taskflux/core/trace_context.hpp>

#include <opentelemetry/nostd/span.h>
#include <opentelemetry/nostd/string_view.h>
#include <opentelemetry/trace/span_context.h>
#include <opentelemetry/trace/span_id.h>
#include <opentelemetry/trace/trace_flags.h>
#include <opentelemetry/trace/trace_id.h>
#include <opentelemetry/trace/trace_state.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::otel {

/// A place in a trace as OpenTelemetry has it, from another process.
inline opentelemetry::trace::SpanContext to_span_context(const trace_context& at) {
    namespace api = opentelemetry::trace;
    using opentelemetry::nostd::span;
    constexpr std::uint8_t sampled = 1, random = 2;
    const auto flags = static_cast<std::uint8_t>((at.is_sampled() ? sampled : 0) | (at.is_random() ? random : 0));
    const api::TraceId trace(span<const std::uint8_t, api::TraceId::kSize>(at.trace().data(), at.trace().size()));
    const api::SpanId parent(span<const std::uint8_t, api::SpanId::kSize>(at.span().data(), at.span().size()));
    return api::SpanContext(trace, parent, api::TraceFlags(flags), true, api::TraceState::FromHeader(at.tracestate()));
}

/// The other way; nothing where the context is not valid, as without an SDK.
inline std::optional<trace_context> from_span_context(const opentelemetry::trace::SpanContext& from) {
    using opentelemetry::nostd::span;
    if (!from.IsValid()) return std::nullopt;
    std::array<char, 32> trace{};
    std::array<char, 16> parent{};
    std::array<char, 2> flags{};
    from.trace_id().ToLowerBase16(span<char, 32>(trace.data(), trace.size()));
    from.span_id().ToLowerBase16(span<char, 16>(parent.data(), parent.size()));
    from.trace_flags().ToLowerBase16(span<char, 2>(flags.data(), flags.size()));
    std::string text = "00-";
    text.append(trace.data(), trace.size()) += '-';
    text.append(parent.data(), parent.size()) += '-';
    text.append(flags.data(), flags.size());
    const auto state = from.trace_state();
    return trace_context::parse(text, state ? state->ToHeader() : std::string());
}

namespace detail {

/// What the headers `traceparent` and `tracestate` say, if they are valid.
inline std::optional<trace_context> place_in(const header_map& headers) {
    const auto parent = headers.find(std::string(trace_context::parent_header));
    if (parent == headers.end()) return std::nullopt;
    const auto state = headers.find(std::string(trace_context::state_header));
    return trace_context::parse(parent->second, state == headers.end() ? std::string_view() : std::string_view(state->second));
}

inline void put_place(const trace_context& at, header_map& headers) {
    headers[std::string(trace_context::parent_header)] = at.traceparent();
    headers.erase(std::string(trace_context::state_header));
    if (!at.tracestate().empty()) headers[std::string(trace_context::state_header)] = at.tracestate();
}

}  // namespace detail

}  // namespace taskflux::otel
