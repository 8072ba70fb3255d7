# bulkhead_sip(NAME SOURCES a.c ... [MEMORY bytes] [STACK bytes] [HEAP bytes] [THREADS number]
#              [INCLUDES dir ...] [KINDS unchecked checked masked])
# builds <build>/images/NAME.KIND.elf for each kind (default: all) from one set of C sources.
#   MEMORY  linear memory of checked and masked code, stack and variables included: a power of two,
#           at least 65536, the default
#   STACK   native stack, whole pages, default 65536; a quarter of it is also the stack for variables
#           whose address is taken, inside linear memory
#   HEAP    what malloc() of the C library hands out; without it, nothing that calls malloc() links.
#           Part of linear memory in checked and masked code
#   THREADS the most threads at a time, the first included, default 1; each has a native stack of
#           STACK bytes in checked and masked images
# Every step is a command of its own with fixed flags, so that images are the same bytes in every
# build type. Include this file where bulkhead_sip() is used, or in a directory above.

set(SIP_TOOLCHAIN_DIR ${CMAKE_CURRENT_LIST_DIR})
get_filename_component(SIP_ROOT_DIR ${SIP_TOOLCHAIN_DIR}/../.. ABSOLUTE)
set(SIP_LIBRARY_DIR ${SIP_ROOT_DIR}/sip/lib)
set(SIP_IMAGE_DIR ${CMAKE_BINARY_DIR}/images)
set(SIP_WORK_DIR ${CMAKE_BINARY_DIR}/sip-work)
set(SIP_PYTHON /usr/bin/python3)
set(SIP_CUT ${SIP_TOOLCHAIN_DIR}/cut.py)
set(SIP_NAMES ${SIP_TOOLCHAIN_DIR}/names.py)
set(SIP_CHECK ${SIP_TOOLCHAIN_DIR}/check_image.py)
find_program(SIP_WASM_CC NAMES clang clang-14 REQUIRED)
find_program(SIP_WASM_LD NAMES wasm-ld wasm-ld-14 REQUIRED)
find_program(SIP_WASM_STRIP wasm-strip REQUIRED)
find_program(SIP_WASM_VALIDATE wasm-validate REQUIRED)
find_program(SIP_WASM2C wasm2c REQUIRED)

file(STRINGS ${SIP_ROOT_DIR}/sip/abi.h abi_version REGEX "^#define ABI_VERSION ")
string(REGEX REPLACE "[^0-9]*([0-9]+)u.*" "\\1" SIP_ABI_VERSION "${abi_version}")

set(SIP_COMMON_FLAGS
    -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fvisibility=hidden
    -ffile-prefix-map=${SIP_ROOT_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)
set(SIP_NATIVE_FLAGS
    ${SIP_COMMON_FLAGS} -fPIE -mgeneral-regs-only -mno-red-zone -fno-stack-protector
    -fcf-protection=none -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections)
# For gcc alone: or memset() would be compiled into a call of itself; and no bound of a loop may be
# derived from what C leaves undefined.
set(SIP_GNU_FLAGS -fno-tree-loop-distribute-patterns -fno-aggressive-loop-optimizations)
set(SIP_CC ${CMAKE_C_COMPILER})
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND SIP_CC ${SIP_GNU_FLAGS})
endif()
# Generated C: arithmetic wraps, types alias, and a frame must fit the slack below the stack limit.
set(SIP_GENERATED_FLAGS
    -fwrapv -fno-strict-aliasing -funroll-loops -Wframe-larger-than=2048 -Wno-unused
    -Wno-unused-parameter -I${SIP_TOOLCHAIN_DIR}) # before the system's wasm-rt.h
# For gcc alone, as measured (docs/software-isolation.md): fewer copies of a loop's body, and fewer
# values kept in registers across it, cost fewer instructions.
set(SIP_GENERATED_GNU_FLAGS --param max-unroll-times=4 -fno-tree-loop-im)
set(SIP_GENERATED_CC ${SIP_CC})
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND SIP_GENERATED_CC ${SIP_GENERATED_GNU_FLAGS})
endif()
set(SIP_LINK_FLAGS
    -static-pie -nostdlib -Wl,--gc-sections -Wl,--build-id=none -Wl,--hash-style=gnu -Wl,-z,norelro
    -Wl,-z,max-page-size=4096 -Wl,-z,text -Wl,--fatal-warnings -T ${SIP_TOOLCHAIN_DIR}/sip.ld)
# Loops are unrolled and their variables chosen once, by the compiler that sees the checks.
set(SIP_WASM_FLAGS --target=wasm32 ${SIP_COMMON_FLAGS} -mbulk-memory -msign-ext -fno-unroll-loops
                   -mllvm -disable-lsr)

# Compiles one C file with the command and flags given.
function(sip_compile object source)
    get_filename_component(folder ${object} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    add_custom_command(
        OUTPUT ${object}
        COMMAND ${ARGN} -I${SIP_LIBRARY_DIR} -I${SIP_LIBRARY_DIR}/libc -I${SIP_ROOT_DIR} -MD -MF ${object}.d -c ${source}
                -o ${object}
        DEPENDS ${source}
        DEPFILE ${object}.d
        COMMENT "SIP object ${object}"
        VERBATIM)
endfunction()

# Links objects and archives into an image and refuses it if check_image.py does.
function(sip_link image safety stack)
    add_custom_command(
        OUTPUT ${image}
        COMMAND ${CMAKE_C_COMPILER} ${SIP_LINK_FLAGS}
                -Wl,--defsym=sip_abi_version=${SIP_ABI_VERSION}
                -Wl,--defsym=sip_safety=${safety} -Wl,--defsym=sip_stack_bytes=${stack} -o ${image}
                ${ARGN}
        COMMAND ${SIP_PYTHON} ${SIP_CHECK} image ${image}
        DEPENDS ${ARGN} ${SIP_TOOLCHAIN_DIR}/sip.ld ${SIP_CHECK}
        COMMENT "SIP image ${image}"
        VERBATIM)
endfunction()

# The library, compiled once for all SIPs; the linkers keep what an image uses. Entry and threads are
# written apart for native code (start.c) and for WebAssembly (thread.c; it starts in runtime.c).
file(GLOB SIP_LIBRARY_SOURCES CONFIGURE_DEPENDS ${SIP_LIBRARY_DIR}/*.c ${SIP_LIBRARY_DIR}/libc/*.c)
list(REMOVE_ITEM SIP_LIBRARY_SOURCES ${SIP_LIBRARY_DIR}/libc/arena.c) # each SIP its own
set(SIP_NATIVE_LIBRARY)
set(SIP_WASM_LIBRARY)
set(SIP_RUNTIME ${SIP_WORK_DIR}/library/runtime.o)
set(sip_first_time TRUE)
if(TARGET sip-library)
    set(sip_first_time FALSE)
endif()
foreach(source ${SIP_LIBRARY_SOURCES})
    get_filename_component(base ${source} NAME_WE)
    if(NOT base STREQUAL "thread")
        list(APPEND SIP_NATIVE_LIBRARY ${SIP_WORK_DIR}/library/${base}.o)
        if(sip_first_time)
            sip_compile(${SIP_WORK_DIR}/library/${base}.o ${source} ${SIP_CC} ${SIP_NATIVE_FLAGS})
        endif()
    endif()
    if(NOT base STREQUAL "start")
        list(APPEND SIP_WASM_LIBRARY ${SIP_WORK_DIR}/library/${base}.wasm.o)
        if(sip_first_time)
            sip_compile(${SIP_WORK_DIR}/library/${base}.wasm.o ${source} ${SIP_WASM_CC}
                        ${SIP_WASM_FLAGS})
        endif()
    endif()
endforeach()

if(sip_first_time)
    file(MAKE_DIRECTORY ${SIP_IMAGE_DIR})
    sip_compile(${SIP_RUNTIME} ${SIP_TOOLCHAIN_DIR}/runtime.c ${SIP_CC} ${SIP_NATIVE_FLAGS})
    add_custom_target(sip-library DEPENDS ${SIP_NATIVE_LIBRARY} ${SIP_WASM_LIBRARY} ${SIP_RUNTIME})
    add_subdirectory(${SIP_TOOLCHAIN_DIR} ${CMAKE_BINARY_DIR}/sip/toolchain)
endif()

# Makes folder/named.wasm by the commands given (COMMAND ...), which read `inputs`, and translates it to
# C if it passes: leaves generated.c, generated.h and constants.h in `folder`.
function(sip_translate_module folder rules inputs)
    set(module ${folder}/module.wasm)
    add_custom_command(
        OUTPUT ${folder}/generated.c ${folder}/generated.h ${folder}/constants.h
        ${ARGN}
        COMMAND ${SIP_WASM_STRIP} -o ${module} ${folder}/named.wasm
        COMMAND ${SIP_WASM_VALIDATE} ${module}
        COMMAND bulkhead-gate ${rules} ${module} ${folder}/constants.h
        COMMAND ${SIP_PYTHON} ${SIP_CUT} ${SIP_WASM2C} ${module} ${folder}/generated.c
        DEPENDS ${inputs} ${rules} bulkhead-gate ${SIP_CUT}
        COMMENT "SIP module ${module}"
        VERBATIM)
endfunction()

# The same from C files; `objects` are linked besides, `export` is the function that is called.
function(sip_translate folder rules export memory stack sources objects)
    foreach(source ${sources})
        get_filename_component(path ${source} ABSOLUTE)
        get_filename_component(base ${source} NAME_WE)
        set(object ${folder}/${base}.wasm.o)
        sip_compile(${object} ${path} ${SIP_WASM_CC} ${SIP_WASM_FLAGS} ${ARGN})
        list(APPEND objects ${object})
    endforeach()
    sip_translate_module(
        ${folder} ${rules} "${objects}"
        COMMAND ${SIP_WASM_LD} --no-entry --export=${export} --stack-first -z stack-size=${stack}
                --initial-memory=${memory} --max-memory=${memory} -o ${folder}/named.wasm ${objects})
endfunction()

# Compiles the translation in `folder` within `source`, which includes module.h.
function(sip_compile_generated object source folder)
    sip_compile(${object} ${source} ${ARGN} ${SIP_NATIVE_FLAGS} ${SIP_GENERATED_FLAGS}
                "-DSIP_CONSTANTS=\"${folder}/constants.h\"" "-DSIP_HEADER=\"${folder}/generated.h\""
                "-DSIP_GENERATED=\"${folder}/generated.c\"")
    add_custom_command(
        OUTPUT ${object} APPEND
        COMMAND ${SIP_PYTHON} ${SIP_CHECK} object ${object}
        COMMAND ${SIP_PYTHON} ${SIP_NAMES} ${CMAKE_OBJCOPY} ${folder}/named.wasm ${object}
        DEPENDS ${folder}/generated.c ${folder}/generated.h ${folder}/constants.h ${SIP_CHECK}
                ${SIP_NAMES})
endfunction()

function(bulkhead_sip name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "MEMORY;STACK;HEAP;THREADS" "SOURCES;INCLUDES;KINDS")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
        message(FATAL_ERROR "bulkhead_sip(${name}): want SOURCES file.c ..., got "
                            "'${arg_UNPARSED_ARGUMENTS}'")
    endif()
    if(NOT arg_STACK)
        set(arg_STACK 65536)
    endif()
    if(NOT arg_MEMORY)
        set(arg_MEMORY 65536)
    endif()
    if(NOT arg_THREADS)
        set(arg_THREADS 1)
    endif()
    if(NOT arg_KINDS)
        set(arg_KINDS unchecked checked masked)
    endif()
    math(EXPR wrong "(${arg_MEMORY} & (${arg_MEMORY} - 1)) | (${arg_MEMORY} & 65535)")
    if(wrong OR arg_MEMORY LESS 65536)
        message(FATAL_ERROR "bulkhead_sip(${name}): MEMORY ${arg_MEMORY} is not a power of two of "
                            "at least 65536")
    endif()
    math(EXPR wrong "${arg_STACK} & 4095")
    if(wrong OR arg_STACK LESS 32768)
        message(FATAL_ERROR "bulkhead_sip(${name}): STACK ${arg_STACK} is not a multiple of 4096 of "
                            "at least 32768")
    endif()
    if(arg_THREADS LESS 1 OR arg_THREADS GREATER 16)
        message(FATAL_ERROR "bulkhead_sip(${name}): THREADS ${arg_THREADS} is not from 1 to 16")
    endif()
    list(TRANSFORM arg_INCLUDES PREPEND -I)
    set(threads)
    if(arg_THREADS GREATER 1)
        set(threads -DSIP_THREADS=${arg_THREADS} -DSIP_STACK_BYTES=${arg_STACK})
    endif()

    set(folder ${SIP_WORK_DIR}/${name})
    set(native_library ${SIP_NATIVE_LIBRARY})
    set(wasm_library ${SIP_WASM_LIBRARY})
    if(arg_HEAP)
        set(arena ${SIP_LIBRARY_DIR}/libc/arena.c)
        sip_compile(${folder}/arena.o ${arena} ${SIP_CC} ${SIP_NATIVE_FLAGS}
                    -DSIP_HEAP_BYTES=${arg_HEAP})
        sip_compile(${folder}/arena.wasm.o ${arena} ${SIP_WASM_CC} ${SIP_WASM_FLAGS}
                    -DSIP_HEAP_BYTES=${arg_HEAP})
        list(APPEND native_library ${folder}/arena.o)
        list(APPEND wasm_library ${folder}/arena.wasm.o)
    endif()
    set(images)
    foreach(kind ${arg_KINDS})
        set(image ${SIP_IMAGE_DIR}/${name}.${kind}.elf)
        list(APPEND images ${image})
        if(kind STREQUAL "unchecked")
            set(objects)
            foreach(source ${arg_SOURCES})
                get_filename_component(path ${source} ABSOLUTE)
                get_filename_component(base ${source} NAME_WE)
                sip_compile(${folder}/${base}.o ${path} ${SIP_CC} ${SIP_NATIVE_FLAGS}
                            ${arg_INCLUDES})
                list(APPEND objects ${folder}/${base}.o)
            endforeach()
            sip_link(${image} 0 ${arg_STACK} ${objects} ${native_library})
        elseif(kind STREQUAL "checked")
            sip_compile_generated(${folder}/checked.o ${SIP_TOOLCHAIN_DIR}/image.c ${folder}
                                  ${SIP_GENERATED_CC} ${threads})
            sip_link(${image} 1 ${arg_STACK} ${folder}/checked.o ${SIP_RUNTIME})
        elseif(kind STREQUAL "masked")
            sip_compile_generated(${folder}/masked.o ${SIP_TOOLCHAIN_DIR}/image.c ${folder}
                                  ${SIP_GENERATED_CC} -DSIP_MASKED ${threads})
            sip_link(${image} 2 ${arg_STACK} ${folder}/masked.o ${SIP_RUNTIME})
        else()
            message(FATAL_ERROR "bulkhead_sip(${name}): unknown kind '${kind}'")
        endif()
    endforeach()
    if("checked" IN_LIST arg_KINDS OR "masked" IN_LIST arg_KINDS)
        math(EXPR wasm_stack "${arg_STACK} / 4")
        sip_translate(${folder} ${SIP_TOOLCHAIN_DIR}/image.rules sip_main ${arg_MEMORY}
                      ${wasm_stack} "${arg_SOURCES}" "${wasm_library}" ${arg_INCLUDES})
    endif()
    add_custom_target(sip-${name} ALL DEPENDS ${images})
    add_dependencies(sip-${name} sip-library)
    if(TARGET bulkhead_contract_files)
        add_dependencies(sip-${name} bulkhead_contract_files)
    endif()
endfunction()
