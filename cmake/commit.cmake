# Run at every build: writes the header with the commit that a manifest names, with "-dirty" when the
# tree has changes on top of it. Leaves the header alone when nothing changed.
set(commit "unknown")
if(GIT AND EXISTS ${SOURCE}/.git)
    execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --dirty --abbrev=40 --exclude=*
                    OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE
                    RESULT_VARIABLE failed ERROR_QUIET)
    if(NOT failed)
        set(commit "${answer}")
    endif()
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#define BULKHEAD_COMMIT \"@commit@\"\n" @ONLY)
