# What the library needs: Boost's headers, OpenSSL, threads. Also used by the installed package.
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
