#pragma once

#include <cstdint>

namespace taskflux::memory {

/// The nonces of a queue's keys: a function of the number, another one in each life of the queue, so that keys of another life
/// don't match.
class nonces {
public:
    explicit nonces(std::uint64_t seed) : seed_(seed) {}

    std::uint32_t of(std::uint64_t sequence) const {
        // SplitMix64's finaliser (Steele, Lea, Flood, 2014).
        auto mixed = seed_ + sequence * 0x9e3779b97f4a7c15U;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
        return static_cast<std::uint32_t>((mixed ^ (mixed >> 31)) >> 32);
    }

private:
    std::uint64_t seed_;
};

}  // namespace taskflux::memory
