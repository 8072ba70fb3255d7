/*
 * One tiny broken file for each rule, in broken/. The comments at the start of a file say what is
 * expected: "# expect: LINE:COLUMN: part of the text", once for each diagnostic, all of them and no
 * other; and "# with: NAME" when the rule is about a pair: the shipped workload (or layout), or the
 * file of broken/parts/, to plan the file with.
 */
#include "domain-config/config.h"
#include "image.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EXPECTED 16

struct expectation {
    int line, column;
    char text[256];
};
struct broken {
    struct expectation expected[MAX_EXPECTED];
    size_t count;
    char with[256];
    char kind[64]; /* the first line that is no comment */
};

static void broken_read(const char *path, struct broken *broken) {
    FILE *file = fopen(path, "r");
    char line[512], name[64];

    cr_assert(file, "%s: cannot be opened", path);
    memset(broken, 0, sizeof(*broken));
    while (fgets(line, sizeof(line), file)) {
        struct expectation *next = &broken->expected[broken->count];

        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '#') {
            snprintf(broken->kind, sizeof(broken->kind), "%.60s", line);
            break;
        }
        if (sscanf(line, "# expect: %d:%d: %255[^\n]", &next->line, &next->column, next->text) == 3)
            cr_assert(++broken->count < MAX_EXPECTED);
        if (sscanf(line, "# with: %63s", name) == 1)
            snprintf(broken->with, sizeof(broken->with), "%s%s",
                     strchr(name, '/') ? BROKEN_DIR "/" : "", name);
    }
    fclose(file);
    cr_assert(broken->count, "%s: no '# expect: LINE:COLUMN: text' line", path);
}

/* Plans the file with its partner, as the command does. */
static void plan_pair(const struct config_paths *paths, const char *path,
                      const struct broken *broken, struct config_diags *diags) {
    const struct plan_options options = {
        .memory_bytes = 128 << 20, .seed = 1, .warmup = 1, .batch = 1, .samples = 1};
    int is_layout = strncmp(broken->kind, "layout:", 7) == 0;
    struct workload *workload = NULL;
    struct plan_header *plan = NULL;
    struct layout *layout = NULL;

    if (layout_load(paths, is_layout ? path : broken->with, &layout, diags) == 0 &&
        workload_load(paths, is_layout ? broken->with : path, &workload, diags) == 0)
        cr_expect(plan_build(paths, layout, workload, NULL, &options, &plan, diags) < 0,
                  "%s: a plan was built", path);
    layout_free(layout);
    workload_free(workload);
    free(plan);
}

static void check_one(const struct config_paths *paths, const char *path) {
    struct config_diags diags = {0};
    struct broken broken;

    broken_read(path, &broken);
    if (broken.with[0])
        plan_pair(paths, path, &broken, &diags);
    else
        cr_expect(config_check_file(paths, path, &diags) < 0, "%s: was accepted", path);
    if (diags.count != broken.count) {
        config_diags_print(&diags, stderr);
        cr_expect(0, "%s: %zu diagnostics, expected %zu", path, diags.count, broken.count);
    }
    for (size_t i = 0; i < broken.count; i++) {
        const struct expectation *expected = &broken.expected[i];
        int found = 0;

        for (size_t j = 0; j < diags.count; j++)
            found = found || (strcmp(diags.item[j].file, path) == 0 &&
                              diags.item[j].line == expected->line &&
                              diags.item[j].column == expected->column &&
                              strstr(diags.item[j].text, expected->text));
        if (!found)
            config_diags_print(&diags, stderr);
        cr_expect(found, "%s: lacks %d:%d: ...%s...", path, expected->line, expected->column,
                  expected->text);
    }
    config_diags_free(&diags);
}

Test(broken, each_file_has_its_error) {
    char *images = test_folder_make();
    const struct config_paths paths = {SOURCE_DIR "/domain-config", images};
    DIR *dir = opendir(BROKEN_DIR);
    struct dirent *entry;
    int files = 0;

    cr_assert(dir);
    while ((entry = readdir(dir))) {
        char path[1024];

        if (!strstr(entry->d_name, ".yaml"))
            continue;
        snprintf(path, sizeof(path), "%s/%s", BROKEN_DIR, entry->d_name);
        check_one(&paths, path);
        files++;
    }
    closedir(dir);
    test_folder_remove(images);
    cr_expect(files >= 120, "only %d files in %s", files, BROKEN_DIR);
}
