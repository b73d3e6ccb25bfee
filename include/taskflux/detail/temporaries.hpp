#pragma once

#include <type_traits>

namespace taskflux::detail {

/// Whether this is GCC 12, which destroys some temporaries of a full-expression with `co_await` twice
/// (measured with ASan on 12.2: aggregates and closures, also where they are only passed on by reference;
/// classes with a declared constructor are right, and so are GCC 13, 14 and Clang).
#if defined(__GNUC__) && __GNUC__ == 12 && !defined(__clang__)
inline constexpr bool temporaries_die_twice = true;
#else
inline constexpr bool temporaries_die_twice = false;
#endif

/// A closure that captures can neither be default constructed nor assigned; classes rarely are both.
template <class T>
concept closure_like =
    std::is_class_v<T> && !std::is_default_constructible_v<T> && !std::is_move_assignable_v<T>;

/// Whether an argument deduced as `T&&` may be a temporary that this compiler destroys twice. A temporary
/// can't be told from a moved variable, so the latter counts too.
template <class T>
concept dies_twice = temporaries_die_twice && !std::is_lvalue_reference_v<T> &&
                     !std::is_trivially_destructible_v<std::remove_cvref_t<T>> &&
                     (std::is_aggregate_v<std::remove_cvref_t<T>> || closure_like<std::remove_cvref_t<T>>);

}  // namespace taskflux::detail
