#pragma once

#include <taskflux/core/codec/coded.hpp>
#include <taskflux/core/error/signature.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/fnv1a.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

/// What failures of a group have in common.
struct error_kind {
    std::string id, task, code, type, signature;
};

/// `why`: a `failure` as JSON, as a broker stores it.
inline error_kind error_kind_of(const std::string& task, const std::string& why) {
    auto told = read_failure(why);
    error_kind made;
    made.task = task;
    made.code = std::move(told.code);
    made.type = std::move(told.type);
    constexpr std::size_t most_bytes = 256;
    cut_utf8(made.code, most_bytes);
    cut_utf8(made.type, most_bytes);
    if (!coded_parts_of(told.message)) made.signature = signature_of(told.message);
    auto mixed = fnv1a(made.task);
    for (const auto* part : {&made.code, &made.type, &made.signature}) mixed = fnv1a(*part, fnv1a(std::string_view("\0", 1), mixed));
    constexpr std::string_view digits = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4) made.id += digits[(mixed >> shift) & 15U];
    return made;
}

/// The node in a consumer's name, behind which a worker puts what tells its lives apart.
inline std::string node_of(const std::string& consumer) { return consumer.substr(0, consumer.rfind(':')); }

}  // namespace taskflux::detail
