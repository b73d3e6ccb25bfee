#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// `bytes` as valid UTF-8 that a payload can hold: what is not UTF-8 as %XX, and % as %25.
std::string encode_name(std::string_view bytes);

/// The bytes that `encode_name` made `text` of.
std::string decode_name(std::string_view text);

/// `bytes` for a terminal: control characters, what is not UTF-8 and what reverses text as \xXX.
std::string printable(std::string_view bytes);

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);

/// 1234567 as "1.2 MB".
std::string bytes_text(std::uint64_t bytes);
