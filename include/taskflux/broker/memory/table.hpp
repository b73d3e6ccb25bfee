#pragma once

#include <taskflux/broker/memory/entry.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>

namespace taskflux::memory {

/// All tasks of a queue by sequence number, in segments of 64 that vanish with their last task. Entries
/// never move. Lookup is two indexings: numbers are given out in order, so no hashing is needed.
class entry_table {
public:
    /// Makes an entry with the next sequence number.
    entry& add() {
        const auto sequence = skip();
        const auto index = index_of(sequence);
        if (!segments_[index]) segments_[index] = std::make_unique<segment>();
        auto& made = segments_[index]->entries[place_of(sequence)];
        made.sequence = sequence;
        ++segments_[index]->used;
        ++size_;
        return made;
    }

    /// Gives out a number that no entry has.
    std::uint64_t skip() {
        const auto index = index_of(++last_);
        if (segments_.size() > index) return last_;
        if (index > 0 && segments_[index - 1] && segments_[index - 1]->used == 0) segments_[index - 1].reset();
        segments_.push_back(nullptr);
        return last_;
    }

    entry* find(std::uint64_t sequence) {
        const auto number = sequence / segment_size;
        if (number < first_segment_ || number - first_segment_ >= segments_.size()) return nullptr;
        const auto& found = segments_[index_of(sequence)];
        if (!found) return nullptr;
        auto& place = found->entries[place_of(sequence)];
        return sequence > 0 && place.sequence == sequence ? &place : nullptr;
    }

    /// The task with the lowest number above `sequence`, or null.
    entry* after(std::uint64_t sequence) {
        if (sequence >= last_) return nullptr;
        for (auto at = (std::max)(sequence + 1, first_segment_ * segment_size); at <= last_;) {
            if (!segments_[index_of(at)]) {
                at = (at / segment_size + 1) * segment_size;
            } else if (auto* found = find(at)) {
                return found;
            } else {
                ++at;
            }
        }
        return nullptr;
    }

    /// The task with the highest number up to `sequence`, or null.
    entry* up_to(std::uint64_t sequence) {
        for (auto at = (std::min)(sequence, last_); at > 0 && at / segment_size >= first_segment_;) {
            if (!segments_[index_of(at)]) {
                at = at / segment_size * segment_size;
                at -= at > 0 ? 1 : 0;
            } else if (auto* found = find(at)) {
                return found;
            } else {
                --at;
            }
        }
        return nullptr;
    }

    void erase(entry& gone) {
        const auto index = index_of(gone.sequence);
        const bool is_growing = index + 1 == segments_.size();  // its next numbers are still to come
        gone = entry{};
        --size_;
        if (--segments_[index]->used == 0 && !is_growing) segments_[index].reset();
        while (segments_.size() > 1 && !segments_.front()) {
            segments_.pop_front();
            ++first_segment_;
        }
    }

    std::size_t size() const { return size_; }

    /// How many segments are in memory.
    std::size_t segments() const {
        return static_cast<std::size_t>(std::ranges::count_if(segments_, [](const auto& one) { return bool(one); }));
    }

    /// The highest number given out so far.
    std::uint64_t last() const { return last_; }

private:
    static std::size_t place_of(std::uint64_t sequence) { return static_cast<std::size_t>(sequence % segment_size); }
    std::size_t index_of(std::uint64_t sequence) const {
        return static_cast<std::size_t>(sequence / segment_size - first_segment_);
    }

    static constexpr std::uint64_t segment_size = 64;

    struct segment {
        std::array<entry, segment_size> entries;
        std::uint32_t used = 0;
    };

    std::deque<std::unique_ptr<segment>> segments_;
    std::uint64_t first_segment_ = 0;
    std::uint64_t last_ = 0;
    std::size_t size_ = 0;
};

}  // namespace taskflux::memory
