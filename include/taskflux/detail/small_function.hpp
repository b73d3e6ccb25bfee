#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

/// A move-only callable without parameters, kept inside the object: never allocates. To be called at most
/// once. Does not compile for a callable of more than four pointers.
class small_function {
public:
    small_function() = default;
    small_function(const small_function&) = delete;
    small_function& operator=(const small_function&) = delete;
    ~small_function() { reset(); }

    explicit operator bool() const noexcept { return act_; }

    /// Keeps `function` in place of what was here.
    template <class F>
    void emplace(F&& function) {
        using Function = std::decay_t<F>;
        static_assert(sizeof(Function) <= sizeof(buffer_) && alignof(Function) <= alignof(std::max_align_t));
        static_assert(std::is_nothrow_move_constructible_v<Function>);
        reset();
        ::new (static_cast<void*>(buffer_)) Function(std::forward<F>(function));
        act_ = [](void* buffer, bool call) {
            auto& stored = *std::launder(static_cast<Function*>(buffer));
            Function taken(std::move(stored));
            std::destroy_at(&stored);
            if (call) std::move(taken)();
        };
    }

    /// Takes the callable out and calls it; by then this object is empty and may be filled again.
    void operator()() { std::exchange(act_, nullptr)(buffer_, true); }

    void reset() noexcept {
        if (act_) std::exchange(act_, nullptr)(buffer_, false);
    }

private:
    alignas(std::max_align_t) unsigned char buffer_[4 * sizeof(void*)];
    void (*act_)(void*, bool) = nullptr;
};

}  // namespace taskflux::detail
