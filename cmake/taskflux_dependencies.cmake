# What the library needs: Boost's headers, OpenSSL, threads, and time zones where the C++ library has none. Also used by
# the installed package.
set(taskflux_boost_minimum 1.91)

if(NOT TARGET Boost::headers)
    # Without COMPONENTS: the headers alone are needed, and a header-only unpacking of Boost has no
    # configs for the compiled parts.
    find_package(Boost ${taskflux_boost_minimum} CONFIG QUIET)
endif()
if(NOT TARGET Boost::headers)
    message(FATAL_ERROR
        "taskflux needs the headers of Boost ${taskflux_boost_minimum} or newer, and found none.\n"
        "Do one of these:\n"
        "  - on Debian or Ubuntu: run tools/setup, then configure with -DCMAKE_PREFIX_PATH=<taskflux>/.deps/usr"
        " (the presets do)\n"
        "  - vcpkg: install boost-headers, boost-asio, boost-json, boost-redis, boost-describe, boost-uuid"
        " and use its toolchain file\n"
        "  - Conan: require boost/[>=${taskflux_boost_minimum}] and use its toolchain file\n"
        "  - unpack a Boost release, install it, and configure with -DCMAKE_PREFIX_PATH=<prefix>\n"
        "  - or define the target Boost::headers before adding taskflux")
endif()
find_package(OpenSSL REQUIRED)
find_package(Threads REQUIRED)

include(CheckCXXSourceCompiles)
block()
    set(CMAKE_CXX_STANDARD 20)
    check_cxx_source_compiles("#include <chrono>
        int main() { return std::chrono::locate_zone(\"UTC\") == nullptr; }" TASKFLUX_HAS_CHRONO_ZONES)
endblock()
if(NOT TASKFLUX_HAS_CHRONO_ZONES AND NOT TARGET date::date-tz)
    find_package(date CONFIG QUIET)
    if(NOT TARGET date::date-tz)
        message(FATAL_ERROR
            "This C++ library has no time zones (GCC's has them from 14 on), and Howard Hinnant's date library, which then\n"
            "serves instead, was not found.\n"
            "On Debian or Ubuntu: run tools/setup, or install libhowardhinnant-date-dev; vcpkg and Conan: date")
    endif()
endif()
