# How the project's own programs are compiled: warnings, sanitizers, and the heavy bodies once.

set(TASKFLUX_SANITIZE "" CACHE STRING "Sanitizers for tests and examples: address,undefined or thread")
# Where nothing is optimised: GCC 12 imagines uninitialised strings and overflows in what it has inlined.
option(TASKFLUX_WERROR "Make warnings errors" OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Precompiled headers need the sloppiness; see ccache's manual, "Precompiled headers". Another clone's objects serve,
    # too: paths are hashed from the project's folder on, and the folder of a build is not.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()

add_library(taskflux_development INTERFACE)
target_link_libraries(taskflux_development INTERFACE taskflux::taskflux)
target_compile_options(taskflux_development INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${TASKFLUX_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # -fpch-preprocess lets ccache see through a precompiled header. Asio allocates coroutine frames by an
    # operator new of its own, which GCC 12 takes for mismatched where it inlines one half of the pair.
    target_compile_options(taskflux_development INTERFACE -fpch-preprocess -Wno-mismatched-new-delete)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(taskflux_development INTERFACE -Xclang -fno-pch-timestamp)
endif()
if(TASKFLUX_SANITIZE)
    target_compile_options(taskflux_development INTERFACE
        -fsanitize=${TASKFLUX_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(taskflux_development INTERFACE -fsanitize=${TASKFLUX_SANITIZE})
    if(TASKFLUX_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # Asio uses fences next to atomics; GCC warns that TSan does not model them.
        target_compile_options(taskflux_development INTERFACE -Wno-tsan)
    endif()
endif()

# For <taskflux/app/yaml.hpp>, whose tests are left out where it is not installed.
find_package(yaml-cpp CONFIG QUIET)
# For <taskflux/codec/zstd.hpp>, in the same way.
find_package(zstd CONFIG QUIET)

# What taskflux/src.hpp brings, compiled once for all of the project's own programs, with their options.
if(TASKFLUX_TEST_SINGLE_HEADER)
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/taskflux_src.cpp CONTENT "#include <taskflux/src.hpp>\n")
    add_library(taskflux_src STATIC ${PROJECT_BINARY_DIR}/taskflux_src.cpp)
    target_link_libraries(taskflux_src PUBLIC taskflux_development)
else()
    include(taskflux_src)
    foreach(part json redis_client core redis flow app http http_tls)
        target_link_libraries(taskflux_src_${part} PUBLIC taskflux_development)
    endforeach()
endif()
