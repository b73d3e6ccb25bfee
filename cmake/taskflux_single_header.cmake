# Tests and examples include the headers they are about. Here each of those leads to the single header, and
# include/ is out of reach.
set(forwarding ${PROJECT_BINARY_DIR}/single_header)
foreach(header ${taskflux_headers})
    cmake_path(RELATIVE_PATH header BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/include OUTPUT_VARIABLE name)
    if(NOT EXISTS ${PROJECT_SOURCE_DIR}/single_include/${name})
        file(CONFIGURE OUTPUT ${forwarding}/${name} CONTENT "#include <taskflux/taskflux.hpp>\n")
    endif()
endforeach()
target_include_directories(taskflux INTERFACE ${forwarding} ${PROJECT_SOURCE_DIR}/single_include)
set(TASKFLUX_INSTALL OFF)
