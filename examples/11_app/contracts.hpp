#pragma once

#include <taskflux/core/method.hpp>
#include <taskflux/core/task.hpp>

#include <boost/describe/class.hpp>

#include <string>

// The methods of a shop, for its instances and their callers.

struct answer {
    std::string node;  // of the instance that replied
    int value = 0;
};
BOOST_DESCRIBE_STRUCT(answer, (), (node, value))

inline constexpr taskflux::method<answer(std::string)> price{"prices", "price"};
inline constexpr taskflux::method<answer(std::string)> in_stock{"stock", "in_stock"};

inline constexpr taskflux::task<int(int)> pack{"pack", taskflux::task_options().queue("orders")};
inline constexpr taskflux::task<int(int)> invoice{"invoice", taskflux::task_options().queue("orders")};
inline constexpr taskflux::task<void()> sweep{"sweep"};
