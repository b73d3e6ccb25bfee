#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/codec/coded.hpp>
#include <taskflux/core/codec/error.hpp>
#include <taskflux/core/error.hpp>

#include <string>
#include <string_view>

namespace taskflux::detail {

/// `cause`, with a text that begins with `what`: what could not be read or written.
template <class Error>
Error named(const Error& cause, const std::string& what) {
    return Error(static_cast<errc>(cause.code().value()), cause.pointer(), cause.reason(), what);
}

/// Like `decode`; an error begins with what `subject` returns, such as "the result of method calculator.add".
template <class T, class Subject>
T decode_of(const Subject& subject, std::string_view text) {
    refuse_coded(subject, text);
    try {
        return decode<T>(text);
    } catch (const decode_error& e) {
        throw named(e, subject() + " can't be read");
    }
}

/// Like `encode`; an error begins with what `subject` returns.
template <class Subject, class T>
std::string encode_of(const Subject& subject, const T& value) {
    try {
        return encode(value);
    } catch (const encode_error& e) {
        throw named(e, subject() + " can't be written");
    }
}

}  // namespace taskflux::detail
