/*
 * The multiboot2 information turned into what a PVH loader would have handed over. The loader puts it,
 * and the plan, wherever there is room, so all that is needed is copied before any memory is used.
 * Source: Multiboot2 specification, version 2.0, 3.6 (boot information).
 */
#include "multiboot.h"
#include "kernel.h"
#include "machine.h"
#include "screen.h"
#include "start.h"

#define MEMORY_ENTRIES 64
#define MEMORY_MOST 0x100000000ull /* what boot.S has mapped */

enum { /* types of tags */
    TAG_END = 0,
    TAG_COMMAND_LINE = 1,
    TAG_LOADER = 2,
    TAG_MODULE = 3,
    TAG_MEMORY = 6,
    TAG_SCREEN = 8,
    TAG_ACPI_OLD = 14,
    TAG_ACPI = 15,
};
#define SCREEN_TEXT 2 /* struct tag_screen.kind */

struct info {
    uint32_t bytes, reserved;
};
struct tag { /* each begins on a multiple of 8 */
    uint32_t type, bytes;
};
struct tag_text {
    struct tag tag;
    char text[];
};
struct tag_module {
    struct tag tag;
    uint32_t start, end;
};
struct tag_memory {
    struct tag tag;
    uint32_t entry_bytes, entry_version; /* then the entries, struct memory_entry and maybe more */
};
struct tag_screen {
    struct tag tag;
    uint64_t address;
    uint32_t row_bytes, columns, rows;
    uint8_t depth, kind;
};
struct tag_acpi { /* with a copy of the root pointer */
    struct tag tag;
    char signature[8];
    uint8_t checksum;
    char maker[6];
};

struct multiboot_machine multiboot_machine;

static bool started;
static uint64_t memory_limit = MEMORY_MOST;
static struct start_info start;
static struct start_module plan;
static struct memory_entry memory[MEMORY_ENTRIES];

bool multiboot_started(void) { return started; }

/* The command line is `memory=BYTES`, or empty. */
static void take_command_line(const char *text, uint32_t bytes) {
    static const char name[] = "memory=";
    uint32_t at = sizeof name - 1;
    uint64_t value = 0;
    if (bytes <= at || memcmp(text, name, at))
        return;
    for (; at < bytes && text[at] >= '0' && text[at] <= '9' && value < MEMORY_MOST; at++)
        value = value * 10 + (uint64_t)(text[at] - '0');
    if (value && value < MEMORY_MOST)
        memory_limit = value;
}

static void take_text(char *to, uint32_t room, const char *text, uint32_t bytes) {
    uint32_t at = 0;
    for (; at < room - 1 && at < bytes && text[at]; at++)
        to[at] = text[at] >= ' ' && text[at] <= '~' ? text[at] : '?';
    while (at && to[at - 1] == ' ')
        at--;
    to[at] = 0;
}

/* Memory below the limit; neighbours become one. */
static void take_memory(const struct tag *tag) {
    const struct tag_memory *map = (const void *)tag;
    if (tag->type != TAG_MEMORY || tag->bytes < sizeof *map ||
        map->entry_bytes < sizeof(struct memory_entry))
        return;
    for (uint32_t at = sizeof *map; at + map->entry_bytes <= tag->bytes; at += map->entry_bytes) {
        struct memory_entry entry;
        memcpy(&entry, (const char *)map + at, sizeof entry);
        uint64_t end = entry.pa + entry.bytes;
        struct memory_entry *last = start.memory_entries ? &memory[start.memory_entries - 1] : NULL;
        if (entry.type != MEMORY_RAM || entry.pa >= memory_limit || end < entry.pa)
            continue;
        entry.bytes = (end < memory_limit ? end : memory_limit) - entry.pa;
        if (last && last->pa + last->bytes == entry.pa)
            last->bytes += entry.bytes;
        else if (start.memory_entries < MEMORY_ENTRIES)
            memory[start.memory_entries++] = entry;
    }
}

static void take_tag(const struct tag *tag) {
    const struct tag_text *text = (const void *)tag;
    uint32_t text_bytes = tag->bytes - (uint32_t)sizeof *text;
    const struct tag_module *module = (const void *)tag;
    const struct tag_screen *screen = (const void *)tag;
    const struct tag_acpi *acpi = (const void *)tag;
    switch (tag->type) {
    case TAG_COMMAND_LINE:
        take_command_line(text->text, text_bytes);
        break;
    case TAG_LOADER:
        take_text(multiboot_machine.loader, sizeof multiboot_machine.loader, text->text,
                  text_bytes);
        break;
    case TAG_MODULE:
        if (tag->bytes >= sizeof *module && start.modules++ == 0)
            plan = (struct start_module){.pa = module->start, .bytes = module->end - module->start};
        break;
    case TAG_SCREEN:
        if (tag->bytes >= sizeof *screen - 2 && screen->kind == SCREEN_TEXT)
            screen_start(screen->address, screen->columns, screen->rows, screen->row_bytes);
        break;
    case TAG_ACPI_OLD:
    case TAG_ACPI:
        if (tag->bytes >= sizeof *acpi)
            take_text(multiboot_machine.firmware, sizeof multiboot_machine.firmware, acpi->maker,
                      sizeof acpi->maker);
        break;
    }
}

static void tags_walk(const struct info *info, void (*take)(const struct tag *tag)) {
    uint64_t at = sizeof *info;
    while (at + sizeof(struct tag) <= info->bytes) {
        const struct tag *tag = (const void *)((const char *)info + at);
        if (tag->type == TAG_END || tag->bytes < sizeof *tag || tag->bytes > info->bytes - at)
            break;
        take(tag);
        at += round_up(tag->bytes, 8);
    }
}

/* The part of memory[] in which all of that is, or NULL. */
static const struct memory_entry *memory_with(uint64_t pa, uint64_t bytes) {
    for (uint32_t i = 0; i < start.memory_entries; i++)
        if (memory[i].pa <= pa && pa + bytes <= memory[i].pa + memory[i].bytes)
            return &memory[i];
    return NULL;
}

/* The last whole chunks that hold so many bytes above the result region, or 0. */
static uint64_t place_find(uint64_t bytes) {
    for (uint32_t i = start.memory_entries; i-- > 0;) {
        uint64_t end = (memory[i].pa + memory[i].bytes) / CHUNK_BYTES * CHUNK_BYTES;
        uint64_t room = round_up(bytes, PAGE_BYTES);
        uint64_t first = round_up(memory[i].pa, CHUNK_BYTES);
        if (first < RESULT_PA + RESULT_BYTES)
            first = RESULT_PA + RESULT_BYTES;
        if (end >= first && room <= end - first)
            return end - room;
    }
    return 0;
}

/* Where they overlap the copy begins at the end that is read before it is written over. */
static void bytes_move(uint8_t *to, const uint8_t *from, uint64_t bytes) {
    if (to <= from || to >= from + bytes) {
        memcpy(to, from, bytes);
        return;
    }
    while (bytes--)
        to[bytes] = from[bytes];
}

static void plan_move(void) {
    uint64_t to = place_find(plan.bytes);
    if (!memory_with(RESULT_PA, RESULT_BYTES) || !to)
        run_end(RESULT_FAILED,
                "this machine has no %u MiB of memory where the run needs them: "
                "16 MiB from the start, in one piece",
                (unsigned)((RESULT_BYTES + plan.bytes) >> 20) + 1);
    bytes_move(phys_pointer(to), phys_pointer(plan.pa), plan.bytes);
    plan.pa = to;
    const struct plan_header *header = phys_pointer(to);
    if (plan.bytes >= sizeof *header && header->total_bytes <= plan.bytes) {
        multiboot_machine.about = (const char *)header + header->total_bytes;
        multiboot_machine.about_bytes = (uint32_t)plan.bytes - header->total_bytes;
    }
}

uint32_t multiboot_start(uint32_t info_pa) {
    const struct info *info = phys_pointer(info_pa);
    started = true;
    tags_walk(info, take_tag);
    tags_walk(info, take_memory); /* now that the limit is known */
    console_start_port();
    console_print("bulkhead: started by %s\n", multiboot_machine.loader);
    machine_look();
    if (start.modules)
        plan_move();
    start.magic = START_MAGIC;
    start.version = 1;
    start.module_list = kernel_address(&plan);
    start.memory_map = kernel_address(memory);
    return (uint32_t)kernel_address(&start);
}
