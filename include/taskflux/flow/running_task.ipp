#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/detail/fnv1a.hpp>
#include <taskflux/flow/running_task.hpp>
#include <taskflux/flow/tracer.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace taskflux {

namespace detail {

/// An id for an attempt's span: another one for each attempt, and the same whenever it is asked.
inline trace_context::span_id span_of_attempt(const task_id& task, std::uint32_t token) {
    auto mixed = fnv1a(std::to_string(token), fnv1a(to_string(task) + ' '));
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;  // the end of splitmix64 (Vigna): all bits depend on all
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
    mixed ^= mixed >> 31;
    if (mixed == 0) mixed = 1;  // no id is 0
    trace_context::span_id made;
    for (auto& byte : made) {
        byte = static_cast<unsigned char>(mixed >> 56);
        mixed <<= 8;
    }
    return made;
}

}  // namespace detail

void running_task::report_progress(std::string encoded) const {
    detail::check_progress_size(encoded);
    sink_.on_progress(std::move(encoded));
}

std::optional<trace_context> running_task::trace() const {
    if (const auto* const mine = span()) {
        if (auto place = mine->place()) return place;
    }
    const auto parent = header(trace_context::parent_header);
    if (parent.empty()) return std::nullopt;
    const auto received = trace_context::parse(parent, header(trace_context::state_header));
    if (!received) return std::nullopt;
    return received->child(detail::span_of_attempt(id_, what_.token));
}

}  // namespace taskflux
