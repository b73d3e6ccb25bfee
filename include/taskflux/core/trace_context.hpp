#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux {

/// A place in a distributed trace, after W3C Trace Context, level 2: what the headers `traceparent` and `tracestate` say. A value.
class trace_context {
public:
    static constexpr std::string_view parent_header = "traceparent", state_header = "tracestate";

    using trace_id = std::array<unsigned char, 16>;
    using span_id = std::array<unsigned char, 8>;

    /// What was received; nothing where `traceparent` is not valid: then a trace begins anew. Of a later version, what this one
    /// knows. A `tracestate` that is not valid is left out.
    static std::optional<trace_context> parse(std::string_view traceparent, std::string_view tracestate = {});

    /// A new trace, with random ids.
    static trace_context start(bool sampled = true);

    /// The same trace, from another span.
    trace_context child(const span_id& span) const {
        auto made = *this;
        made.span_ = span;
        return made;
    }

    /// For the headers.
    std::string traceparent() const;
    const std::string& tracestate() const { return state_; }

    const trace_id& trace() const { return trace_; }
    const span_id& span() const { return span_; }  ///< of what is below it, the parent

    /// Whether the caller may have recorded the trace.
    bool is_sampled() const { return (flags_ & sampled_flag) != 0; }
    /// Whether at least the last seven bytes of the trace's id are random.
    bool is_random() const { return (flags_ & random_flag) != 0; }

    friend bool operator==(const trace_context&, const trace_context&) = default;

private:
    static constexpr std::uint8_t sampled_flag = 1, random_flag = 2;

    trace_context() {}

    trace_id trace_{};
    span_id span_{};
    std::uint8_t flags_ = 0;
    std::string state_;
};

}  // namespace taskflux
