# What the library needs: Boost's headers, OpenSSL, threads, and time zones. Also used by the installed
# package. Sets taskflux_missing to a text for people, empty where all is there.
set(taskflux_boost_minimum 1.91)
set(taskflux_missing "")

if(NOT TARGET Boost::headers)
    # Without COMPONENTS: the headers alone are needed, and a header-only unpacking of Boost has no
    # configs for the compiled parts. Last, what tools/setup has fetched for this checkout.
    find_package(Boost ${taskflux_boost_minimum} CONFIG QUIET HINTS ${CMAKE_CURRENT_LIST_DIR}/../.deps/usr)
endif()
if(NOT TARGET Boost::headers)
    string(APPEND taskflux_missing
        "taskflux needs the headers of Boost ${taskflux_boost_minimum} or newer, and found none.\n"
        "Do one of these:\n"
        "  - on Debian: run tools/setup, then configure again\n"
        "  - vcpkg: install boost-headers, boost-asio, boost-json, boost-redis, boost-describe, boost-uuid"
        " and use its toolchain file\n"
        "  - Conan: require boost/[>=${taskflux_boost_minimum}] and use its toolchain file\n"
        "  - unpack a Boost release, install it, and configure with -DCMAKE_PREFIX_PATH=<prefix>\n"
        "  - or define the target Boost::headers before adding taskflux\n")
endif()
find_package(OpenSSL QUIET)
if(NOT TARGET OpenSSL::SSL)
    string(APPEND taskflux_missing "taskflux needs OpenSSL's headers and libraries (Debian, Ubuntu: libssl-dev).\n")
endif()
find_package(Threads QUIET)
if(NOT TARGET Threads::Threads)
    string(APPEND taskflux_missing "taskflux needs a threads library, and CMake found none for this compiler.\n")
endif()

if(NOT TASKFLUX_STD_ZONES AND NOT TARGET absl::time)
    find_package(absl CONFIG QUIET)
    if(NOT TARGET absl::time)
        string(APPEND taskflux_missing
            "taskflux needs Abseil's time library, whose time zones are the same with every compiler. Debian, Ubuntu: libabsl-dev;"
            " vcpkg, Homebrew: abseil; Conan: abseil\n"
            "Where there is none for this C++ library, -DTASKFLUX_STD_ZONES=ON takes the time zones of the C++ library.\n")
    endif()
endif()
