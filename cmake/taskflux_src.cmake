# The library's bodies, compiled once for a program that links taskflux::src in place of a source of its own that includes
# <taskflux/src.hpp>. Each part is a static library: what a program does not use, or has from elsewhere (Boost.JSON's bodies),
# is not linked; what no target needs is not compiled. Also used by the installed package.
function(taskflux_part name)  # [what it needs...]
    set(source ${CMAKE_CURRENT_BINARY_DIR}/taskflux_src/${name}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include <taskflux/src/${name}.hpp>\n")
    add_library(taskflux_src_${name} STATIC EXCLUDE_FROM_ALL ${source})
    add_library(taskflux::src_${name} ALIAS taskflux_src_${name})
    list(TRANSFORM ARGN PREPEND taskflux_src_)
    target_link_libraries(taskflux_src_${name} PUBLIC taskflux::taskflux ${ARGN})
endfunction()

taskflux_part(json)
taskflux_part(redis_client)
taskflux_part(core json)
taskflux_part(redis core redis_client)
taskflux_part(flow core)
taskflux_part(app flow redis)
taskflux_part(http flow)  # for programs that include <taskflux/http.hpp>, and
taskflux_part(http_tls http)  # <taskflux/http/tls.hpp>

add_library(taskflux_src INTERFACE)
add_library(taskflux::src ALIAS taskflux_src)
target_link_libraries(taskflux_src INTERFACE taskflux_src_app)

# For programs on memory:// alone: Redis is not compiled.
add_library(taskflux_src_embedded INTERFACE)
add_library(taskflux::src_embedded ALIAS taskflux_src_embedded)
target_link_libraries(taskflux_src_embedded INTERFACE taskflux_src_flow)
