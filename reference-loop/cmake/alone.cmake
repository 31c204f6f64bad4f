# The loop without the suite: what reference-loop/CMakeLists.txt needs when it is the top of a build.
#
#   cmake -S reference-loop -B build-refloop -DCMAKE_INSTALL_PREFIX=/where/you/want/it
#   cmake --build build-refloop && cmake --install build-refloop
#
# and in a program of yours: find_package(refloop), link refloop::refloop (the core: no dependency),
# refloop::crypto, refloop::tls (OpenSSL) or refloop::http.
include(GNUInstallDirs)
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# As the suite compiles what it measures.
if(NOT DEFINED CMAKE_UNITY_BUILD)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 20)
endif()
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
cmake_path(GET CMAKE_CURRENT_SOURCE_DIR PARENT_PATH REFLOOP_INCLUDES)

# tickmark_folder(<target> LINK <libraries>...): here only the library; tests, benchmarks and fuzzers belong to
# the suite. Exported as refloop::<name>, without the prefix refloop_.
function(tickmark_folder target)
  cmake_parse_arguments(ARG "" "" "LINK;TEST_LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|_fuzz|_main)\\.cpp$")
  add_library(${target} STATIC ${sources})
  target_link_libraries(${target} PUBLIC ${ARG_LINK} Threads::Threads)
  target_compile_features(${target} PUBLIC cxx_std_23)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${REFLOOP_INCLUDES}>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  string(REGEX REPLACE "^refloop_" "" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT refloop)
endfunction()

install(DIRECTORY . DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/reference-loop FILES_MATCHING PATTERN "*.h"
        PATTERN "test_*" EXCLUDE PATTERN "*_test.h" EXCLUDE PATTERN "*_bench.h" EXCLUDE PATTERN "faults" EXCLUDE PATTERN "examples" EXCLUDE PATTERN "*fuzz*" EXCLUDE)
install(EXPORT refloop NAMESPACE refloop:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/refloop)
install(FILES cmake/refloop-config.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/refloop)
