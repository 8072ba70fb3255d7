# bulkhead_sip(NAME SOURCES a.c ... [MEMORY bytes] [STACK bytes] [HEAP bytes] [THREADS number]
#              [FLOAT] [HOSTILE] [INCLUDES dir ...] [FLAGS flag ...] [FOREIGN a.c ...]
#              [KINDS unchecked checked masked] [VARIANTS retpoline cet])
# builds <build>/images/NAME.KIND.elf for each kind (default: all) from one set of C sources, and
# <build>/images/VARIANT/NAME.KIND.elf for each variant (default: all; `none`: none).
#   MEMORY  linear memory of checked and masked code, stack and variables included: a power of two,
#           at least 65536, the default
#   STACK   native stack, whole pages, default 65536; a quarter of it is also the stack for variables
#           whose address is taken, inside linear memory
#   HEAP    what malloc() of the C library hands out; without it, nothing that calls malloc() links.
#           Part of linear memory in checked and masked code
#   THREADS the most threads at a time, the first included, default 1; each has a native stack of
#           STACK bytes in checked and masked images
#   FLOAT   lets it use floating point, in SSE2 registers; runs only in layouts with `fpu:`
#   HOSTILE its machine code may break the promises that its image makes
#   FOREIGN sources of others (scripts/DebianSource.cmake), compiled as they are, without warnings
#   FLAGS   of the compiler for all sources, of others too
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
set(SIP_INTEGER_FLAGS -mgeneral-regs-only)
# The same results from every compiler: no other registers than SSE2's, no contraction to FMA.
set(SIP_FLOAT_FLAGS -DSIP_FLOAT -msse2 -mfpmath=sse -mno-avx -mno-mmx -mno-80387 -ffp-contract=off
                    -fno-math-errno)
set(SIP_NATIVE_FLAGS
    ${SIP_COMMON_FLAGS} -fPIE ${SIP_INTEGER_FLAGS} -mno-red-zone -fno-stack-protector
    -fcf-protection=none -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections)
# What a variant's images are compiled with besides; the plain ones have nothing. check_image.py holds
# each to its promise.
set(SIP_VARIANTS retpoline cet)
set(SIP_ALL ALL)
if(BULKHEAD_ASAN OR BULKHEAD_FUZZ OR BULKHEAD_TSAN) # host code is what those builds are for
    set(SIP_VARIANTS)
endif()
if(BULKHEAD_FUZZ OR BULKHEAD_TSAN) # nothing there boots a guest
    set(SIP_ALL)
endif()
set(SIP_FLAGS_plain)
set(SIP_FLAGS_retpoline -fno-jump-tables)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND SIP_FLAGS_retpoline -mindirect-branch=thunk -mindirect-branch-register
                                    -mfunction-return=keep)
else()
    list(APPEND SIP_FLAGS_retpoline -mretpoline)
endif()
set(SIP_FLAGS_cet -fcf-protection=full -fno-jump-tables)
set(SIP_FEATURES_plain 0) # sip/abi.h, enum abi_image_feature
set(SIP_FEATURES_FLOAT 1)
set(SIP_FEATURES_retpoline 2)
set(SIP_FEATURES_cet 4)
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

# The flags for one of the sources of bulkhead_sip(); sees the arguments of its caller.
function(sip_source_flags result source)
    set(flags ${arg_INCLUDES} ${arg_FLAGS})
    if(source IN_LIST arg_FOREIGN)
        get_filename_component(folder ${source} DIRECTORY)
        list(APPEND flags -w -ffile-prefix-map=${folder}=.)
    endif()
    set(${result} ${flags} PARENT_SCOPE)
endfunction()

# Links objects and archives into an image and refuses it if check_image.py does, as `check` tells.
function(sip_link image check safety stack features)
    add_custom_command(
        OUTPUT ${image}
        COMMAND ${CMAKE_C_COMPILER} ${SIP_LINK_FLAGS}
                -Wl,--defsym=sip_abi_version=${SIP_ABI_VERSION}
                -Wl,--defsym=sip_safety=${safety} -Wl,--defsym=sip_stack_bytes=${stack}
                -Wl,--defsym=sip_features=${features} -o ${image} ${ARGN}
        COMMAND ${SIP_PYTHON} ${SIP_CHECK} ${check} ${image}
        DEPENDS ${ARGN} ${SIP_TOOLCHAIN_DIR}/sip.ld ${SIP_CHECK} ${SIP_TOOLCHAIN_DIR}/check_code.py
        COMMENT "SIP image ${image}"
        VERBATIM)
endfunction()

# The library, compiled once for all SIPs, and natively once for each variant; the linkers keep what an
# image uses. Entry and threads are written apart for native code (start.c) and for WebAssembly
# (thread.c; it starts in runtime.c).
file(GLOB SIP_LIBRARY_SOURCES CONFIGURE_DEPENDS ${SIP_LIBRARY_DIR}/*.c ${SIP_LIBRARY_DIR}/libc/*.c)
list(REMOVE_ITEM SIP_LIBRARY_SOURCES ${SIP_LIBRARY_DIR}/libc/arena.c) # each SIP its own
set(sip_first_time TRUE)
if(TARGET sip-library)
    set(sip_first_time FALSE)
endif()

# Where a variant's files are, seen from where the plain ones are.
function(sip_variant_folder result variant)
    set(${result} "/${variant}" PARENT_SCOPE)
    if(variant STREQUAL "plain")
        set(${result} "" PARENT_SCOPE)
    endif()
endfunction()

set(SIP_WASM_LIBRARY)
foreach(source ${SIP_LIBRARY_SOURCES})
    get_filename_component(base ${source} NAME_WE)
    if(NOT base STREQUAL "start")
        set(object ${SIP_WORK_DIR}/library/${base}.wasm.o)
        list(APPEND SIP_WASM_LIBRARY ${object})
        if(sip_first_time)
            sip_compile(${object} ${source} ${SIP_WASM_CC} ${SIP_WASM_FLAGS})
        endif()
    endif()
endforeach()
set(sip_library_files ${SIP_WASM_LIBRARY})
foreach(variant plain ${SIP_VARIANTS})
    sip_variant_folder(folder ${variant})
    set(folder ${SIP_WORK_DIR}/library${folder})
    set(flags ${SIP_NATIVE_FLAGS} ${SIP_FLAGS_${variant}})
    set(SIP_RUNTIME_${variant} ${folder}/runtime.o)
    set(SIP_LIBRARY_${variant})
    foreach(source ${SIP_LIBRARY_SOURCES})
        get_filename_component(base ${source} NAME_WE)
        if(NOT base STREQUAL "thread")
            list(APPEND SIP_LIBRARY_${variant} ${folder}/${base}.o)
            if(sip_first_time)
                sip_compile(${folder}/${base}.o ${source} ${SIP_CC} ${flags})
            endif()
        endif()
    endforeach()
    if(sip_first_time)
        sip_compile(${SIP_RUNTIME_${variant}} ${SIP_TOOLCHAIN_DIR}/runtime.c ${SIP_CC} ${flags})
    endif()
    list(APPEND sip_library_files ${SIP_LIBRARY_${variant}} ${SIP_RUNTIME_${variant}})
endforeach()

if(sip_first_time)
    file(MAKE_DIRECTORY ${SIP_IMAGE_DIR})
    foreach(variant ${SIP_VARIANTS})
        file(MAKE_DIRECTORY ${SIP_IMAGE_DIR}/${variant})
    endforeach()
    add_custom_target(sip-library DEPENDS ${sip_library_files})
    add_subdirectory(${SIP_TOOLCHAIN_DIR} ${CMAKE_BINARY_DIR}/sip/toolchain)
endif()

# Makes folder/named.wasm by the commands given (COMMAND ...), which read `inputs`, and translates it to
# C if it passes: leaves generated.c, generated.h and constants.h in `folder`. SIP_GATE_OPTIONS may be
# --float.
function(sip_translate_module folder rules inputs)
    set(module ${folder}/module.wasm)
    add_custom_command(
        OUTPUT ${folder}/generated.c ${folder}/generated.h ${folder}/constants.h
        ${ARGN}
        COMMAND ${SIP_WASM_STRIP} -o ${module} ${folder}/named.wasm
        COMMAND ${SIP_WASM_VALIDATE} ${module}
        COMMAND bulkhead-gate ${SIP_GATE_OPTIONS} ${rules} ${module} ${folder}/constants.h
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

# Compiles and links one image of bulkhead_sip(); sees the arguments and flags of its caller.
function(sip_image name kind variant)
    sip_variant_folder(subfolder ${variant})
    set(image ${SIP_IMAGE_DIR}${subfolder}/${name}.${kind}.elf)
    set(folder ${SIP_WORK_DIR}/${name})
    set(SIP_NATIVE_FLAGS ${SIP_NATIVE_FLAGS} ${SIP_FLAGS_${variant}})
    math(EXPR features "${SIP_FEATURES_${variant}}")
    if(arg_FLOAT)
        list(REMOVE_ITEM SIP_NATIVE_FLAGS ${SIP_INTEGER_FLAGS})
        list(APPEND SIP_NATIVE_FLAGS ${SIP_FLOAT_FLAGS})
        math(EXPR features "${features} + ${SIP_FEATURES_FLOAT}")
    endif()
    set(check image)
    if(arg_HOSTILE)
        set(check hostile-image)
    endif()
    set(objects)
    if(kind STREQUAL "unchecked")
        foreach(source ${arg_SOURCES} ${arg_FOREIGN})
            get_filename_component(path ${source} ABSOLUTE)
            get_filename_component(base ${source} NAME_WE)
            set(object ${folder}${subfolder}/${base}.o)
            sip_source_flags(flags ${source})
            sip_compile(${object} ${path} ${SIP_CC} ${SIP_NATIVE_FLAGS} ${flags})
            list(APPEND objects ${object})
        endforeach()
        if(arg_HEAP)
            set(object ${folder}${subfolder}/arena.o)
            sip_compile(${object} ${SIP_LIBRARY_DIR}/libc/arena.c ${SIP_CC} ${SIP_NATIVE_FLAGS}
                        -DSIP_HEAP_BYTES=${arg_HEAP})
            list(APPEND objects ${object})
        endif()
        sip_link(${image} ${check} 0 ${arg_STACK} ${features} ${objects} ${SIP_LIBRARY_${variant}})
        return()
    endif()
    set(flags)
    set(safety 1)
    if(kind STREQUAL "masked")
        set(flags -DSIP_MASKED)
        set(safety 2)
    endif()
    if(arg_THREADS GREATER 1)
        list(APPEND flags -DSIP_THREADS=${arg_THREADS} -DSIP_STACK_BYTES=${arg_STACK})
    endif()
    set(object ${folder}${subfolder}/${kind}.o)
    sip_compile_generated(${object} ${SIP_TOOLCHAIN_DIR}/image.c ${folder} ${SIP_GENERATED_CC} ${flags})
    sip_link(${image} ${check} ${safety} ${arg_STACK} ${features} ${object} ${SIP_RUNTIME_${variant}})
endfunction()

function(bulkhead_sip name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "FLOAT;HOSTILE" "MEMORY;STACK;HEAP;THREADS"
                          "SOURCES;FOREIGN;INCLUDES;FLAGS;KINDS;VARIANTS")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
        message(FATAL_ERROR "bulkhead_sip(${name}): want SOURCES file.c ..., got "
                            "'${arg_UNPARSED_ARGUMENTS}'")
    endif()
    foreach(default "STACK;65536" "MEMORY;65536" "THREADS;1" "KINDS;unchecked;checked;masked"
            "VARIANTS;${SIP_VARIANTS}")
        list(POP_FRONT default argument)
        if(NOT arg_${argument})
            set(arg_${argument} ${default})
        endif()
    endforeach()
    if(arg_VARIANTS STREQUAL "none")
        set(arg_VARIANTS)
    endif()
    foreach(kind ${arg_KINDS})
        if(NOT kind MATCHES "^(unchecked|checked|masked)$")
            message(FATAL_ERROR "bulkhead_sip(${name}): unknown kind '${kind}'")
        endif()
    endforeach()
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
    if(arg_THREADS LESS 1 OR arg_THREADS GREATER 64)
        message(FATAL_ERROR "bulkhead_sip(${name}): THREADS ${arg_THREADS} is not from 1 to 64")
    endif()
    list(TRANSFORM arg_INCLUDES PREPEND -I)

    set(images)
    foreach(variant plain ${arg_VARIANTS})
        sip_variant_folder(subfolder ${variant})
        foreach(kind ${arg_KINDS})
            sip_image(${name} ${kind} ${variant})
            list(APPEND images ${SIP_IMAGE_DIR}${subfolder}/${name}.${kind}.elf)
        endforeach()
    endforeach()
    if("checked" IN_LIST arg_KINDS OR "masked" IN_LIST arg_KINDS) # translated once for all of them
        set(folder ${SIP_WORK_DIR}/${name})
        set(library ${SIP_WASM_LIBRARY})
        set(SIP_GATE_OPTIONS)
        if(arg_FLOAT)
            set(SIP_GATE_OPTIONS --float)
        endif()
        if(arg_HEAP)
            sip_compile(${folder}/arena.wasm.o ${SIP_LIBRARY_DIR}/libc/arena.c ${SIP_WASM_CC}
                        ${SIP_WASM_FLAGS} -DSIP_HEAP_BYTES=${arg_HEAP})
            list(APPEND library ${folder}/arena.wasm.o)
        endif()
        foreach(source ${arg_FOREIGN})
            get_filename_component(base ${source} NAME_WE)
            sip_source_flags(flags ${source})
            sip_compile(${folder}/${base}.wasm.o ${source} ${SIP_WASM_CC} ${SIP_WASM_FLAGS} ${flags})
            list(APPEND library ${folder}/${base}.wasm.o)
        endforeach()
        math(EXPR wasm_stack "${arg_STACK} / 4")
        sip_translate(${folder} ${SIP_TOOLCHAIN_DIR}/image.rules sip_main ${arg_MEMORY}
                      ${wasm_stack} "${arg_SOURCES}" "${library}" ${arg_INCLUDES} ${arg_FLAGS})
    endif()
    add_custom_target(sip-${name} ${SIP_ALL} DEPENDS ${images})
    add_dependencies(sip-${name} sip-library)
    if(TARGET bulkhead_contract_files)
        add_dependencies(sip-${name} bulkhead_contract_files)
    endif()
endfunction()
