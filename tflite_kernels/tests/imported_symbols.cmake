# The delegate may import only what libc, libm and libpthread of every Linux offer.
find_program(NM nm REQUIRED)
execute_process(COMMAND ${NM} -D --undefined-only ${LIBRARY}
                OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
set(unexpected "")
string(REPLACE "\n" ";" lines "${listing}")
foreach(line IN LISTS lines)
  if(line MATCHES "^ +[Uw] ([^ ]+)")
    set(symbol ${CMAKE_MATCH_1})
    if(NOT symbol MATCHES "@GLIBC_" AND
       NOT symbol MATCHES "^(__gmon_start__|_ITM_(de)?registerTMCloneTable|__cxa_finalize)$")
      list(APPEND unexpected ${symbol})
    endif()
  endif()
endforeach()
if(unexpected)
  message(FATAL_ERROR "Unexpected imported symbols: ${unexpected}")
endif()
