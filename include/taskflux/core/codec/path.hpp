#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// Where a walk stands: a chain of frames on the stack, turned into text only when something is wrong.
class path {
public:
    path() = default;
    path(const path& parent, std::string_view key) : parent_(&parent), key_(key), depth_(parent.depth_ + 1) {}
    path(const path& parent, std::size_t index)
        : parent_(&parent), index_(index), is_index_(true), depth_(parent.depth_ + 1) {}
    path(const path&) = delete;
    path& operator=(const path&) = delete;

    /// How many objects and arrays enclose this place.
    std::size_t depth() const { return depth_; }

    /// The JSON pointer of RFC 6901; empty for the top level.
    std::string pointer() const {
        if (!parent_) return {};
        std::string text = parent_->pointer();
        text.push_back('/');
        if (is_index_) return text + std::to_string(index_);
        for (char c : key_) {
            if (c == '~')
                text += "~0";
            else if (c == '/')
                text += "~1";
            else
                text.push_back(c);
        }
        return text;
    }

private:
    const path* parent_ = nullptr;
    std::string_view key_;
    std::size_t index_ = 0;
    bool is_index_ = false;
    std::size_t depth_ = 0;
};

}  // namespace taskflux::detail
