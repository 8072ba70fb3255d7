# debian_source(NAME RESULT) sets RESULT to the folder with the source of Debian's package NAME, which
# scripts/debian-source.sh fetches if it is not there yet. Includes sources of it as they are.
function(debian_source name result)
    execute_process(
        COMMAND ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/debian-source.sh ${name}
        OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "The source of Debian's package ${name} is needed, and is not there; the "
                            "lines above tell why. scripts/setup.sh fetches it, once.")
    endif()
    set(${result} ${folder} PARENT_SCOPE)
endfunction()
