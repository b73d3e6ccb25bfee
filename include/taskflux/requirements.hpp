#pragma once

// What taskflux cannot do without, said at once rather than by what fails later.
#include <boost/version.hpp>

#if defined(_MSVC_LANG)
#if _MSVC_LANG < 202002L
#error "taskflux needs C++20: compile with /std:c++20"
#endif
#elif __cplusplus < 202002L
#error "taskflux needs C++20: compile with -std=c++20"
#endif

#if !defined(__cpp_rtti) && !defined(_CPPRTTI)
#error "taskflux needs RTTI, to name the types of exceptions: compile without -fno-rtti"
#endif

#if !defined(__cpp_exceptions) && !defined(_CPPUNWIND)
#error "taskflux needs exceptions: compile without -fno-exceptions"
#endif

#if BOOST_VERSION < 109100
#error "taskflux needs Boost 1.91 or newer, and found an older one first: see the include path"
#endif
