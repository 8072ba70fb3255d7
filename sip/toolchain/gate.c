/*
 * The gate's view of a module's sections: which there may be, in which order, and what each may say.
 * Function bodies are gate_code.c; reading the rules is gate_rules.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gate_reader.h"

enum section {
    SECTION_CUSTOM = 0,
    SECTION_TYPE,
    SECTION_IMPORT,
    SECTION_FUNCTION,
    SECTION_TABLE,
    SECTION_MEMORY,
    SECTION_GLOBAL,
    SECTION_EXPORT,
    SECTION_START,
    SECTION_ELEMENT,
    SECTION_CODE,
    SECTION_DATA,
    SECTION_COUNT,
};

enum kind {
    KIND_FUNCTION = 0,
    KIND_TABLE = 1,
    KIND_MEMORY = 2,
    KIND_GLOBAL = 3
};

struct check {
    struct gate_reader reader;
    struct gate_module module;
    const struct gate_rules *rules;
    bool exported[GATE_MAX_RULES];
    bool memory_exported;
    uint32_t bodies;
};

static bool is_identifier(const char *name) {
    if (!*name || (*name >= '0' && *name <= '9'))
        return false;
    for (; *name; name++) {
        char c = *name;
        if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z')))
            return false;
    }
    return true;
}

/* Reads a name into `name`; only then may it be printed in a message. */
static void read_name(struct gate_reader *reader, const char *what,
                      char name[GATE_NAME_BYTES + 1]) {
    size_t start = reader->at;
    uint32_t bytes = gate_read_u32(reader);
    name[0] = '\0';
    if (bytes > GATE_NAME_BYTES) {
        gate_refuse(reader, start, "%s name of %u bytes, the most is %u: shorten it", what, bytes,
                    GATE_NAME_BYTES);
        return;
    }
    for (uint32_t i = 0; i < bytes; i++) {
        name[i] = (char)gate_read_byte(reader);
        if (!name[i])
            name[i] = ' '; /* so that it is not an identifier, and not cut short */
    }
    name[bytes] = '\0';
    if (!reader->failed && !is_identifier(name)) {
        gate_refuse(reader, start,
                    "%s name is not a C identifier, and wasm2c would print it into C: rename it",
                    what);
        name[0] = '\0';
    }
}

static int find_rule(const struct gate_rules *rules, bool is_export, const char *name) {
    for (uint32_t i = 0; i < rules->count; i++)
        if (rules->rule[i].is_export == is_export && strcmp(rules->rule[i].name, name) == 0)
            return (int)i;
    return -1;
}

static bool same_signature(const struct gate_signature *a, const struct gate_signature *b) {
    return a->params == b->params && a->result == b->result &&
           memcmp(a->param, b->param, a->params) == 0;
}

static void check_types(struct check *check) {
    struct gate_reader *reader = &check->reader;
    uint32_t count = gate_read_count(reader, GATE_MAX_TYPES, "function types");
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        struct gate_signature *type = &check->module.type[i];
        size_t start = reader->at;
        if (gate_read_byte(reader) != 0x60)
            gate_refuse(reader, start, "not a function type: compile without newer features");
        type->params = (uint8_t)gate_read_count(reader, GATE_MAX_PARAMS, "parameters");
        for (uint32_t j = 0; j < type->params; j++)
            type->param[j] = gate_read_type(reader);
        if (gate_read_count(reader, 1, "results of one function"))
            type->result = gate_read_type(reader);
    }
    check->module.types = count;
}

static void add_function(struct check *check, uint32_t type) {
    struct gate_module *module = &check->module;
    if (module->functions >= GATE_MAX_FUNCTIONS) {
        gate_refuse(&check->reader, check->reader.at, "more than %u functions: split the SIP",
                    GATE_MAX_FUNCTIONS);
        return;
    }
    module->function_type[module->functions++] = (uint16_t)type;
}

static void check_import(struct check *check) {
    struct gate_reader *reader = &check->reader;
    char module[GATE_NAME_BYTES + 1], name[GATE_NAME_BYTES + 1];
    size_t start = reader->at;
    read_name(reader, "import module", module);
    read_name(reader, "import", name);
    uint8_t kind = gate_read_byte(reader);
    if (reader->failed)
        return;
    if (kind != KIND_FUNCTION) {
        gate_refuse(
            reader, start,
            "import %s.%s is not a function: memory, tables and globals must be the SIP's own",
            module, name);
        return;
    }
    uint32_t type = gate_read_index(reader, check->module.types, "type");
    if (reader->failed)
        return;
    int rule = strcmp(module, GATE_MODULE) == 0 ? find_rule(check->rules, false, name) : -1;
    if (rule < 0)
        gate_refuse(reader, start,
                    "import %s.%s is not in the list: define the function or use one of sip.h",
                    module, name);
    else if (!same_signature(&check->rules->rule[rule].signature, &check->module.type[type]))
        gate_refuse(reader, start,
                    "import %s.%s has the wrong parameters or result: declare it as sip.h does",
                    module, name);
    add_function(check, type);
}

static void check_imports(struct check *check) {
    uint32_t count = gate_read_count(&check->reader, GATE_MAX_RULES, "imports");
    for (uint32_t i = 0; i < count && !check->reader.failed; i++)
        check_import(check);
    check->module.imports = check->module.functions;
    check->reader.result->imports = check->module.imports;
}

static void check_functions(struct check *check) {
    struct gate_reader *reader = &check->reader;
    uint32_t count = gate_read_count(reader, GATE_MAX_FUNCTIONS, "functions");
    for (uint32_t i = 0; i < count && !reader->failed; i++)
        add_function(check, gate_read_index(reader, check->module.types, "type"));
}

/* Reads limits, which must have an upper bound of at most `most`; returns the lower one. */
static uint32_t read_limits(struct check *check, const char *what, uint32_t most, bool fixed) {
    struct gate_reader *reader = &check->reader;
    size_t start = reader->at;
    uint8_t flags = gate_read_byte(reader);
    uint32_t low = gate_read_u32(reader);
    if (flags != 1) {
        gate_refuse(reader, start,
                    flags == 0
                        ? "a %s without an upper bound: link with --max-memory"
                        : "a %s that is shared or of 64 bits: compile without newer features",
                    what);
        return 0;
    }
    uint32_t high = gate_read_u32(reader);
    if (low > most || high > most || low > high)
        gate_refuse(reader, start, "a %s of %u to %u units, the most is %u: make it smaller", what,
                    low, high, most);
    else if (fixed && low != high)
        gate_refuse(reader, start,
                    "a %s that can grow from %u to %u: link with --initial-memory equal to "
                    "--max-memory",
                    what, low, high);
    return low;
}

static void check_table(struct check *check) {
    struct gate_reader *reader = &check->reader;
    if (gate_read_count(reader, 1, "tables") == 0)
        return;
    size_t start = reader->at;
    if (gate_read_byte(reader) != 0x70)
        gate_refuse(reader, start, "a table not of functions: compile without newer features");
    check->reader.result->table_entries = read_limits(check, "table", GATE_MAX_TABLE, false);
    check->module.has_table = true;
}

static void check_memory(struct check *check) {
    if (gate_read_count(&check->reader, 1, "memories") == 0)
        return;
    check->reader.result->memory_pages = read_limits(check, "memory", GATE_MAX_PAGES, true);
    check->module.has_memory = true;
}

static void read_end(struct gate_reader *reader) {
    size_t start = reader->at;
    if (gate_read_byte(reader) != 0x0b)
        gate_refuse(reader, start,
                    "an initial value that is not one constant: compile without "
                    "newer features");
}

static void check_globals(struct check *check) {
    struct gate_reader *reader = &check->reader;
    uint32_t count = gate_read_count(reader, GATE_MAX_GLOBALS, "globals");
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        uint8_t type = gate_read_type(reader);
        size_t start = reader->at;
        if (gate_read_byte(reader) > 1)
            gate_refuse(reader, start,
                        "a global neither constant nor variable: rebuild the module");
        start = reader->at;
        uint8_t code = gate_read_byte(reader);
        if (code !=
            0x41 + (GATE_I32 - type)) /* constants are numbered as their types are, upwards */
            gate_refuse(reader, start,
                        "a global's initial value is not a constant of its type: "
                        "compile without newer features");
        if (type == GATE_F32 || type == GATE_F64)
            gate_skip(reader, type == GATE_F32 ? 4 : 8);
        else
            gate_read_signed(reader, type == GATE_I32 ? 32 : 64);
        read_end(reader);
    }
    check->module.globals = count;
}

static void check_export_function(struct check *check, size_t start, const char *name) {
    struct gate_reader *reader = &check->reader;
    uint32_t function = gate_read_index(reader, check->module.functions, "function");
    if (reader->failed)
        return;
    const struct gate_signature *type = &check->module.type[check->module.function_type[function]];
    int rule = find_rule(check->rules, true, name);
    if (rule < 0)
        gate_refuse(reader, start, "export %s is not in the list: do not export it", name);
    else if (function < check->module.imports)
        gate_refuse(reader, start, "export %s is an import: define the function", name);
    else if (!same_signature(&check->rules->rule[rule].signature, type))
        gate_refuse(reader, start,
                    "export %s has the wrong parameters or result: declare it as sip.h does", name);
    else if (check->exported[rule])
        gate_refuse(reader, start, "export %s occurs twice: rename one", name);
    else
        check->exported[rule] = true;
}

static void check_exports(struct check *check) {
    struct gate_reader *reader = &check->reader;
    uint32_t count = gate_read_count(reader, GATE_MAX_RULES, "exports");
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        char name[GATE_NAME_BYTES + 1];
        size_t start = reader->at;
        read_name(reader, "export", name);
        uint8_t kind = gate_read_byte(reader);
        if (reader->failed)
            return;
        if (kind == KIND_FUNCTION) {
            check_export_function(check, start, name);
        } else if (kind == KIND_MEMORY && strcmp(name, "memory") == 0 && !check->memory_exported) {
            check->memory_exported = true;
            gate_read_index(reader, check->module.has_memory, "memory");
        } else {
            gate_refuse(reader, start,
                        "export %s is neither a function nor the memory: do not "
                        "export it",
                        name);
        }
    }
}

/* Reads the head of a segment, which must be active, and returns its constant offset. */
static uint32_t read_segment(struct gate_reader *reader, const char *what) {
    size_t start = reader->at;
    if (gate_read_u32(reader) != 0)
        gate_refuse(reader, start,
                    "a passive or indexed %s segment: compile without newer features", what);
    start = reader->at;
    if (gate_read_byte(reader) != 0x41)
        gate_refuse(reader, start,
                    "a %s segment at an offset that is not a constant: compile "
                    "without newer features",
                    what);
    uint32_t offset = (uint32_t)gate_read_signed(reader, 32);
    read_end(reader);
    return offset;
}

static void check_elements(struct check *check) {
    struct gate_reader *reader = &check->reader;
    uint32_t entries = reader->result->table_entries;
    uint32_t segments = gate_read_count(reader, GATE_MAX_SEGMENTS, "element segments");
    for (uint32_t i = 0; i < segments && !reader->failed; i++) {
        size_t start = reader->at;
        uint32_t offset = read_segment(reader, "element");
        uint32_t count = gate_read_count(reader, GATE_MAX_TABLE, "elements in one segment");
        if (offset > entries || count > entries - offset)
            gate_refuse(reader, start,
                        "an element segment reaches past the table's %u entries: "
                        "rebuild the module",
                        entries);
        for (uint32_t j = 0; j < count && !reader->failed; j++)
            gate_read_index(reader, check->module.functions, "function");
    }
}

static void check_data(struct check *check) {
    struct gate_reader *reader = &check->reader;
    uint64_t memory = (uint64_t)reader->result->memory_pages * GATE_PAGE_BYTES;
    uint32_t segments = gate_read_count(reader, GATE_MAX_SEGMENTS, "data segments");
    for (uint32_t i = 0; i < segments && !reader->failed; i++) {
        size_t start = reader->at;
        uint32_t offset = read_segment(reader, "data");
        uint32_t bytes = gate_read_u32(reader);
        if (offset > memory || bytes > memory - offset)
            gate_refuse(reader, start,
                        "a data segment reaches past the memory's %llu bytes: give "
                        "more MEMORY to bulkhead_sip()",
                        (unsigned long long)memory);
        else if (bytes > reader->end - reader->at)
            gate_refuse(reader, start,
                        "a data segment of %u bytes reaches past its section: "
                        "rebuild the module",
                        bytes);
        else
            reader->at += bytes;
    }
}

static void check_code(struct check *check) {
    struct gate_reader *reader = &check->reader;
    size_t section_end = reader->end;
    check->bodies = gate_read_count(reader, GATE_MAX_FUNCTIONS, "function bodies");
    for (uint32_t i = 0; i < check->bodies && !reader->failed; i++) {
        size_t start = reader->at;
        uint32_t bytes = gate_read_u32(reader);
        if (bytes > section_end - reader->at) {
            gate_refuse(reader, start,
                        "a function of %u bytes reaches past its section: rebuild "
                        "the module",
                        bytes);
            return;
        }
        reader->end = reader->at + bytes;
        gate_check_body(reader, &check->module);
        reader->end = section_end;
    }
}

static void refuse_custom(struct check *check) {
    gate_refuse(&check->reader, check->reader.at,
                "a custom section: run wasm-strip on the module first");
}

static void refuse_start(struct check *check) {
    gate_refuse(&check->reader, check->reader.at,
                "a start function: it would run before the SIP does, call it from sip_main()");
}

static void (*const section_checks[SECTION_COUNT])(struct check *) = {
    [SECTION_CUSTOM] = refuse_custom, [SECTION_TYPE] = check_types,
    [SECTION_IMPORT] = check_imports, [SECTION_FUNCTION] = check_functions,
    [SECTION_TABLE] = check_table,    [SECTION_MEMORY] = check_memory,
    [SECTION_GLOBAL] = check_globals, [SECTION_EXPORT] = check_exports,
    [SECTION_START] = refuse_start,   [SECTION_ELEMENT] = check_elements,
    [SECTION_CODE] = check_code,      [SECTION_DATA] = check_data,
};

static void check_sections(struct check *check, size_t length) {
    struct gate_reader *reader = &check->reader;
    int last = -1;
    while (reader->at < length && !reader->failed) {
        size_t start = reader->at;
        uint8_t id = gate_read_byte(reader);
        uint32_t bytes = gate_read_u32(reader);
        if (id >= SECTION_COUNT)
            gate_refuse(reader, start, "section %u is unknown: compile without newer features", id);
        else if (bytes > length - reader->at)
            gate_refuse(reader, start,
                        "section %u of %u bytes reaches past the end: rebuild the "
                        "module",
                        id, bytes);
        else if (id != SECTION_CUSTOM && (int)id <= last)
            gate_refuse(reader, start, "section %u is out of order: rebuild the module", id);
        if (reader->failed)
            return;
        last = id;
        reader->end = reader->at + bytes;
        section_checks[id](check);
        if (!reader->failed && reader->at != reader->end)
            gate_refuse(reader, reader->at, "bytes after the end of section %u: rebuild the module",
                        id);
        reader->end = length;
    }
}

static void check_whole(struct check *check, size_t length) {
    struct gate_reader *reader = &check->reader;
    static const uint8_t magic[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    if (length > GATE_MAX_BYTES) {
        gate_refuse(reader, 0, "a module of %zu bytes, the most is %u: split the SIP", length,
                    GATE_MAX_BYTES);
        return;
    }
    if (length < sizeof(magic) || memcmp(reader->bytes, magic, sizeof(magic)) != 0) {
        gate_refuse(reader, 0,
                    "not a WebAssembly module of version 1: compile with "
                    "--target=wasm32");
        return;
    }
    reader->at = sizeof(magic);
    check_sections(check, length);
    if (check->module.functions - check->module.imports != check->bodies)
        gate_refuse(reader, length, "%u functions but %u bodies: rebuild the module",
                    check->module.functions - check->module.imports, check->bodies);
    if (!check->module.has_memory)
        gate_refuse(reader, length, "no memory: the module must have exactly one");
    for (uint32_t i = 0; i < check->rules->count; i++)
        if (check->rules->rule[i].is_export && !check->exported[i])
            gate_refuse(reader, length, "no function %s is exported: define it as sip.h says",
                        check->rules->rule[i].name);
}

int gate_check(const uint8_t *module, size_t length, const struct gate_rules *rules,
               struct gate_result *result) {
    memset(result, 0, sizeof(*result));
    struct check *check = calloc(1, sizeof(*check));
    if (!check) {
        strcpy(result->message, "out of memory: free some and try again");
        return -ENOMEM;
    }
    check->reader = (struct gate_reader){.bytes = module, .end = length, .result = result};
    check->reader.floats = rules->floats;
    check->rules = rules;
    check_whole(check, length);
    bool failed = check->reader.failed;
    free(check);
    return failed ? -EINVAL : 0;
}
