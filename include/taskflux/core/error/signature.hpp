#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// How many bytes a signature has at most.
inline constexpr std::size_t most_signature = 120;

/// What messages of the same kind have in common: numbers, ids and hexadecimal digits become '#', what is quoted '*', and blanks
/// one blank. The rest is cut before the character that would go beyond `most_signature` bytes.
std::string signature_of(std::string_view message);

/// Cuts a text before the character that would go beyond so many bytes of UTF-8.
void cut_utf8(std::string& text, std::size_t most);

}  // namespace taskflux::detail
