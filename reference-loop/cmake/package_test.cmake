# Builds and installs the loop on its own, then builds and runs a program against what was installed.
#   cmake -DSOURCE=<reference-loop> -DFOLDER=<scratch> -P package_test.cmake
function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${FOLDER}/prefix ${FOLDER}/program)
# Quick to build, because nobody measures it: unoptimised, several files as one.
set(quick -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0)
step(${CMAKE_COMMAND} -S ${SOURCE} -B ${FOLDER}/build ${quick} -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=0
     -DCMAKE_INSTALL_PREFIX=${FOLDER}/prefix)
step(${CMAKE_COMMAND} --build ${FOLDER}/build)
step(${CMAKE_COMMAND} --install ${FOLDER}/build)
step(${CMAKE_COMMAND} -S ${SOURCE}/examples/package -B ${FOLDER}/program ${quick} -DCMAKE_PREFIX_PATH=${FOLDER}/prefix)
step(${CMAKE_COMMAND} --build ${FOLDER}/program)
step(${FOLDER}/program/timer)
