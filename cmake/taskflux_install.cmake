# Install rules: headers, the exported target and a package that finds the dependencies again.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/taskflux)
install(TARGETS taskflux EXPORT taskflux-targets FILE_SET HEADERS)
install(EXPORT taskflux-targets NAMESPACE taskflux:: DESTINATION ${package_dir})
configure_package_config_file(
    ${CMAKE_CURRENT_LIST_DIR}/taskflux-config.cmake.in ${PROJECT_BINARY_DIR}/taskflux-config.cmake
    INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/taskflux-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
    ${PROJECT_BINARY_DIR}/taskflux-config.cmake
    ${PROJECT_BINARY_DIR}/taskflux-config-version.cmake
    ${CMAKE_CURRENT_LIST_DIR}/taskflux_dependencies.cmake
    ${CMAKE_CURRENT_LIST_DIR}/taskflux_src.cmake
    DESTINATION ${package_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/taskflux)
