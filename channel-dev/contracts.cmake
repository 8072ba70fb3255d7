# Compiles channel-dev/contracts/*.contract. Any room may include this; it gives
#   BULKHEAD_CONTRACTS_DIR       on the include path of a SIP: holds NAME_contract.h for each contract
#   BULKHEAD_CONTRACT_TABLE      the C file with all tables
#   bulkhead_contract_files      the target that makes both: a custom command that uses them names it
#                                in DEPENDS
set(BULKHEAD_CONTRACTS_DIR ${CMAKE_BINARY_DIR}/contracts)
set(BULKHEAD_CONTRACT_TABLE ${BULKHEAD_CONTRACTS_DIR}/contract_table.c)

if(NOT TARGET bulkhead_contract_files)
    file(GLOB contract_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/contracts/*.contract)
    set(contract_headers)
    foreach(file ${contract_files})
        get_filename_component(name ${file} NAME_WE)
        list(APPEND contract_headers ${BULKHEAD_CONTRACTS_DIR}/${name}_contract.h)
    endforeach()
    add_custom_command(
        OUTPUT ${BULKHEAD_CONTRACT_TABLE} ${contract_headers}
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/contractc.py
                --table ${BULKHEAD_CONTRACT_TABLE} --headers ${BULKHEAD_CONTRACTS_DIR}
                ${contract_files}
        DEPENDS ${contract_files} ${CMAKE_CURRENT_LIST_DIR}/contractc.py
                ${CMAKE_CURRENT_LIST_DIR}/contract_text.py ${CMAKE_CURRENT_LIST_DIR}/contract_rules.py
        COMMENT "Contracts"
        VERBATIM)
    add_custom_target(bulkhead_contract_files DEPENDS ${BULKHEAD_CONTRACT_TABLE} ${contract_headers})
endif()
