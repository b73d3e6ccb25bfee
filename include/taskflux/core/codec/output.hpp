#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// Appends to a string through spare room at its end, so that a short append is a short copy.
/// The string has its proper length again after `finish()`; until then it is longer.
class output {
public:
    explicit output(std::string& target) : target_(target), size_(target.size()) {}
    output(const output&) = delete;
    output& operator=(const output&) = delete;

    std::size_t size() const { return size_; }
    char& operator[](std::size_t position) { return target_[position]; }

    /// At least `count` bytes to write to; `advance` tells how many were used.
    char* room(std::size_t count) {
        // A payload of usual size needs one allocation, not four by doubling from 15 bytes.
        constexpr std::size_t first = 240;
        if (target_.size() - size_ < count) target_.resize((std::max)({size_ + count, size_ * 2, first}));
        return target_.data() + size_;
    }
    void advance(std::size_t count) { size_ += count; }

    void append(std::string_view text) { size_ += text.copy(room(text.size()), text.size()); }
    void push_back(char c) {
        *room(1) = c;
        ++size_;
    }

    void finish() { target_.resize(size_); }

private:
    std::string& target_;
    std::size_t size_;
};

}  // namespace taskflux::detail
