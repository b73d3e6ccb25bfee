#pragma once

#include <taskflux/core/codec/name.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace taskflux {
namespace detail {

enum class mistake {
    none,
    struct_not_described,
    polymorphic,
    enum_not_described,
    base_not_described,
    not_a_value,
    no_default_constructor,
    not_movable,
    bad_key,
    nested_nullable,
    same_name_twice
};

template <mistake Mistake, class T>
struct finding {
    static constexpr mistake what = Mistake;
    using type = T;
};

using nothing_wrong = finding<mistake::none, void>;

/// A container, a view or a pointer, though none that can be read back.
template <class T>
concept holder = requires { typename T::value_type; } || requires { typename T::element_type; };

/// The first part of a type that cannot be coded. `Seen` are the classes on the way, so that a class that
/// contains itself ends the search.
struct inspector {
    template <class T, class... Seen>
    static consteval auto one() {
        constexpr kind found = kind_of<T>;
        if constexpr (found == kind::unsupported) {
            if constexpr (std::is_enum_v<T>)
                return finding<mistake::enum_not_described, T>{};
            else if constexpr (std::is_class_v<T> && !std::is_const_v<T> &&
                               !holder<T> && !is_a<T, std::chrono::time_point>)
                return finding<mistake::struct_not_described, T>{};
            else
                return finding<mistake::not_a_value, T>{};
        } else if constexpr (found == kind::nullable) {
            if constexpr (kind_of<pointee<T>> == kind::nullable || kind_of<pointee<T>> == kind::null)
                return finding<mistake::nested_nullable, T>{};
            else
                return one<pointee<T>, Seen...>();
        } else if constexpr (found == kind::duration) {
            return one<typename T::rep, Seen...>();
        } else if constexpr (found == kind::variant) {
            return variant<Seen...>(std::type_identity<T>{});
        } else if constexpr (found == kind::map) {
            constexpr kind key = kind_of<typename T::key_type>;
            if constexpr (key != kind::text && key != kind::integer && key != kind::enumeration)
                return finding<mistake::bad_key, typename T::key_type>{};
            else if constexpr (!std::is_move_assignable_v<typename T::mapped_type>)
                return finding<mistake::not_movable, typename T::mapped_type>{};
            else
                return moved<typename T::mapped_type, Seen...>();
        } else if constexpr (found == kind::sequence || found == kind::set) {
            return moved<typename T::value_type, Seen...>();
        } else if constexpr (found == kind::tuple) {
            return tuple<Seen...>(std::type_identity<T>{});
        } else if constexpr (found == kind::object && std::is_polymorphic_v<T> && !std::is_final_v<T>) {
            return finding<mistake::polymorphic, T>{};
        } else if constexpr (found == kind::object && !(std::is_same_v<T, Seen> || ...)) {
            return object<T, Seen...>();
        } else {
            return nothing_wrong{};
        }
    }

    /// Of a value that is moved once it has been decoded: a payload, or an item of a container. What a pointer or an optional
    /// holds is decoded in its place, and what has a codec of its own by that.
    template <class T, class... Seen>
    static consteval auto moved() {
        using found = decltype(one<T, Seen...>());
        constexpr bool is_moved = !std::is_void_v<T> && kind_of<T> != kind::custom;
        if constexpr (found::what == mistake::none && is_moved && !std::is_move_constructible_v<T>)
            return finding<mistake::not_movable, T>{};
        else
            return found{};
    }

    template <class T, class... Seen>
    static consteval auto object() {
        using bases = boost::describe::describe_bases<T, boost::describe::mod_any_access>;
        using base = decltype(undescribed_base(std::type_identity<bases>{}));
        if constexpr (base::what != mistake::none)
            return base{};
        else if constexpr (!std::is_default_constructible_v<T>)
            return finding<mistake::no_default_constructor, T>{};
        else
            return members<T, Seen...>(std::type_identity<members_of<T>>{});
    }

    template <class T, class... Seen, template <class...> class List, class... Members>
    static consteval auto members(std::type_identity<List<Members...>>) {
        return first<list_of<T, Seen...>,
                     std::remove_reference_t<decltype(std::declval<T&>().*Members::pointer)>...>();
    }

    template <class... Ts>
    struct list_of {};
    template <template <class...> class List>
    static nothing_wrong undescribed_base(std::type_identity<List<>>);
    template <template <class...> class List, class Base, class... Rest>
    static auto undescribed_base(std::type_identity<List<Base, Rest...>>) {
        using type = typename Base::type;
        if constexpr (!boost::describe::has_describe_members<type>::value)
            return finding<mistake::base_not_described, type>{};
        else {
            using bases = boost::describe::describe_bases<type, boost::describe::mod_any_access>;
            using above = decltype(undescribed_base(std::type_identity<bases>{}));
            if constexpr (above::what != mistake::none)
                return above{};
            else
                return decltype(undescribed_base(std::type_identity<list_of<Rest...>>{})){};
        }
    }

    template <class T, class... Seen>
    static consteval auto with(list_of<Seen...>) {
        return one<T, Seen...>();
    }

    template <class Seen>
    static consteval auto first() {
        return nothing_wrong{};
    }
    template <class Seen, class T, class... Rest>
    static consteval auto first() {
        using found = decltype(with<T>(Seen{}));
        if constexpr (found::what == mistake::none)
            return first<Seen, Rest...>();
        else
            return found{};
    }

    template <class... Seen, class... Ts>
    static consteval auto variant(std::type_identity<std::variant<Ts...>>) {
        using found = decltype(first<list_of<Seen...>, Ts...>());
        if constexpr (found::what != mistake::none)
            return found{};
        else if constexpr (has_duplicate(std::array{payload_name<Ts>...}))
            return finding<mistake::same_name_twice, std::variant<Ts...>>{};
        else
            return nothing_wrong{};
    }

    template <class... Seen, class T, std::size_t Size>
    static consteval auto tuple(std::type_identity<std::array<T, Size>>) {
        return one<T, Seen...>();
    }
    template <class... Seen, template <class...> class Tuple, class... Ts>
    static consteval auto tuple(std::type_identity<Tuple<Ts...>>) {
        return first<list_of<Seen...>, Ts...>();
    }
};

template <class T>
using find_mistake = decltype(inspector::moved<T>());

}  // namespace detail

/// True when a `T` can be encoded and decoded: a described class or enum, a scalar, a string, an optional,
/// container, variant, duration or time point of such, `boost::json::value`, `raw`, void, or a type that
/// `codec<T>` has been specialised for.
template <class T>
inline constexpr bool is_payload = detail::find_mistake<T>::what == detail::mistake::none;

/// What a task may take and return; see `is_payload`.
template <class T>
concept payload = is_payload<T>;

namespace detail {

/// Says in one line what is wrong with `Type`, which is `Payload` or a part of it.
template <mistake Mistake, class Type, class Payload>
struct check_payload {
    static_assert(
        Mistake != mistake::struct_not_described,
        "this Type is not described: add BOOST_DESCRIBE_STRUCT(Type, (), (member, member)) after its "
        "definition, or specialise taskflux::codec<Type>");
    static_assert(
        Mistake != mistake::polymorphic,
        "this Type has virtual functions, so that a value of a derived class would be cut down to it: use a "
        "std::variant of the classes that there are, or mark Type final, or specialise taskflux::codec<Type>");
    static_assert(
        Mistake != mistake::enum_not_described,
        "this enum Type is not described: add BOOST_DESCRIBE_ENUM(Type, name, name) after its definition");
    static_assert(
        Mistake != mistake::base_not_described,
        "this base class Type is not described: add BOOST_DESCRIBE_STRUCT(Type, (), (member, member)) "
        "after its definition, or leave it out of the derived class's bases");
    static_assert(
        Mistake != mistake::not_a_value,
        "this Type cannot travel: instead of a const, a reference, a pointer, a char, a C array, a "
        "string_view, a span, a container that has neither push_back nor insert_or_assign, a long double or a time "
        "point of a clock other than the system's use a value, std::string, std::vector, std::map, std::set, "
        "std::unique_ptr, std::int8_t, double or std::chrono::sys_time, or specialise taskflux::codec<Type>");
    static_assert(Mistake != mistake::no_default_constructor,
                  "this Type has no default constructor, which decoding needs: add Type() = default");
    static_assert(Mistake != mistake::not_movable,
                  "this Type cannot be moved, which decoding needs: add Type(Type&&) = default and "
                  "Type& operator=(Type&&) = default, and hold a member that cannot be moved by std::unique_ptr");
    static_assert(
        Mistake != mistake::bad_key,
        "this Type is a map's key: JSON needs std::string, an integer or a described enum there; use "
        "std::vector<std::pair<Type, Value>> instead of the map");
    static_assert(
        Mistake != mistake::nested_nullable,
        "this optional or pointer holds something that may itself be null, which JSON cannot tell apart: "
        "hold the inner value, or wrap it in a described struct");
    static_assert(
        Mistake != mistake::same_name_twice,
        "two alternatives of this variant have the same name on the wire: wrap one of them in a described "
        "struct, or specialise taskflux::payload_name for it");
};

/// Stands for the value that a refused payload would have given, so that there is one error, not two.
template <class T>
T refused();

/// Nothing, or one readable compile-time error.
template <class T>
constexpr void require_payload() {
    static_cast<void>(sizeof(check_payload<find_mistake<T>::what, typename find_mistake<T>::type, T>));
}

}  // namespace detail
}  // namespace taskflux
