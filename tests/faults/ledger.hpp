#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <new>

namespace test::faults {

/// Counters that a process shares with the children it starts later: what they write stays when they are killed.
class ledger {
public:
    using counter = std::atomic<unsigned>;
    static_assert(counter::is_always_lock_free);

    explicit ledger(std::size_t size) : size_(size) {
        memory_ = ::mmap(nullptr, size * sizeof(counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory_ == MAP_FAILED) throw std::bad_alloc();
    }
    ~ledger() { ::munmap(memory_, size_ * sizeof(counter)); }
    ledger(const ledger&) = delete;
    ledger& operator=(const ledger&) = delete;

    counter& operator[](std::size_t i) { return static_cast<counter*>(memory_)[i]; }
    std::size_t size() const { return size_; }

    std::size_t sum() {
        std::size_t all = 0;
        for (std::size_t i = 0; i < size_; ++i) all += (*this)[i];
        return all;
    }

private:
    std::size_t size_;
    void* memory_;
};

}  // namespace test::faults
