#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// Text on its way to the end of a string: on the stack while it is short, so that the string is allocated
/// once, and no larger than it must be. The string is complete after `finish()`; until then only its first
/// `size()` characters at construction are as they were.
class output {
public:
    explicit output(std::string& target) : target_(target), start_(target.size()) {}
    output(const output&) = delete;
    output& operator=(const output&) = delete;

    /// How much has been written, and the characters of that.
    std::size_t size() const { return size_; }
    char& operator[](std::size_t position) { return data_[position]; }

    /// At least `count` bytes to write to; `advance` tells how many were used.
    char* room(std::size_t count) {
        if (capacity_ - size_ < count) grow(count);
        return data_ + size_;
    }
    void advance(std::size_t count) { size_ += count; }

    void append(std::string_view text) { size_ += text.copy(room(text.size()), text.size()); }
    void push_back(char c) {
        *room(1) = c;
        ++size_;
    }

    void finish() {
        if (data_ == small_.data()) target_.append(data_, size_);
        else target_.resize(start_ + size_);
    }

private:
    void grow(std::size_t count) {
        capacity_ = (std::max)(size_ + count, capacity_ * 2);
        target_.resize(start_ + capacity_);
        if (data_ == small_.data()) std::memcpy(target_.data() + start_, data_, size_);
        data_ = target_.data() + start_;
    }

    std::string& target_;
    const std::size_t start_;
    std::size_t size_ = 0;
    std::array<char, 496> small_;
    char* data_ = small_.data();
    std::size_t capacity_ = small_.size();
};

}  // namespace taskflux::detail
