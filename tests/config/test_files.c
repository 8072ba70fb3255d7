/*
 * The shipped files, listing and finding them, the texts made from plans, and the did-you-mean.
 */
#include "domain-config/config.h"
#include "image.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *images;
static struct config_paths paths;
static struct config_diags diags;

static void set_up(void) {
    images = test_folder_make();
    paths = (struct config_paths){SOURCE_DIR "/domain-config", images};
}

static void tear_down(void) {
    config_diags_free(&diags);
    test_folder_remove(images);
}

TestSuite(files, .init = set_up, .fini = tear_down);

Test(files, shipped_files_are_clean) {
    static const struct {
        const char *kind;
        size_t least;
    } kinds[] = {{"layouts", 24}, {"workloads", 4}, {"experiments", 2}};
    const struct config_paths no_images = {paths.data_dir, NULL};

    for (size_t k = 0; k < 3; k++) {
        char **names, path[512];
        size_t count;

        cr_assert(config_list(&paths, kinds[k].kind, &names, &count) == 0);
        cr_expect(count >= kinds[k].least, "%s: %zu", kinds[k].kind, count);
        for (size_t i = 0; i < count; i++) {
            if (i)
                cr_expect(strcmp(names[i - 1], names[i]) < 0);
            snprintf(path, sizeof(path), "%s/%s/%s.yaml", paths.data_dir, kinds[k].kind, names[i]);
            /* The images that later workloads name are not in the test's folder. */
            cr_expect(config_check_file(&no_images, path, &diags) == 0, "%s", path);
        }
        for (size_t i = 0; i < count; i++)
            free(names[i]);
        free(names);
    }
    config_diags_print(&diags, stderr);
    cr_expect(diags.count == 0);
}

Test(files, every_name_is_its_files) {
    char **names;
    size_t count;

    cr_assert(config_list(&paths, "layouts", &names, &count) == 0);
    for (size_t i = 0; i < count; i++) {
        struct layout *layout = NULL;

        cr_assert(layout_load(&paths, names[i], &layout, &diags) == 0, "%s", names[i]);
        cr_expect_str_eq(layout_name(layout), names[i]);
        cr_expect(strlen(layout_about(layout)) > 10);
        layout_free(layout);
        free(names[i]);
    }
    free(names);
}

Test(files, ladder_plans_with_images) {
    cr_expect(config_check_file(&paths, SOURCE_DIR "/domain-config/experiments/ladder.yaml",
                                &diags) == 0);
    config_diags_print(&diags, stderr);
}

Test(files, listing_what_is_not_there) {
    char **names;
    size_t count;

    cr_expect(config_list(&paths, "nothing", &names, &count) < 0);
    cr_expect(names == NULL && count == 0);
}

Test(files, name_differs_from_the_files) {
    struct workload *workload;

    paths.data_dir = SOURCE_DIR "/tests/config/misnamed";
    cr_assert(workload_load(&paths, "one", &workload, &diags) < 0);
    cr_assert(diags.count == 1);
    cr_expect(diags.item[0].line == 2 && diags.item[0].column == 11);
    cr_expect(strstr(diags.item[0].text, "the file is named 'one.yaml'"), "%s", diags.item[0].text);
}

Test(files, unusual_paths) {
    static const struct {
        const char *path, *text;
    } cases[] = {{"/nonexistent/x.yaml", "No such file"},
                 {"/dev/null", "is not a file"},
                 {"/tmp", "is not a file"}};

    for (size_t i = 0; i < 3; i++) {
        cr_expect(config_check_file(&paths, cases[i].path, &diags) < 0);
        cr_assert(diags.count == 1);
        cr_expect(strstr(diags.item[0].text, cases[i].text), "%s", diags.item[0].text);
        cr_expect(diags.item[0].line == 0);
        config_diags_free(&diags);
    }
}

/* A file in the current folder is a path even without a slash or a suffix. */
Test(files, texts_are_kept) {
    const struct config_file *file;
    struct experiment *experiment;
    struct layout *layout;
    size_t count;

    cr_assert(layout_load(&paths, "monolithic", &layout, &diags) == 0);
    file = layout_files(layout, &count);
    cr_assert(count == 2);
    cr_expect(strstr(file[0].path, "layouts/monolithic.yaml"));
    cr_expect(strncmp(file[0].text, "layout: monolithic\n", 19) == 0);
    cr_expect(strstr(file[1].path, "layouts/hip-r3.yaml"));
    cr_expect(strncmp(file[1].text, "layout: hip-r3\n", 15) == 0);
    layout_free(layout);
    cr_assert(experiment_load(&paths, "quick", &experiment, &diags) == 0);
    cr_expect(strncmp(experiment_file(experiment)->text, "experiment: quick\n", 18) == 0);
    const struct experiment_cell *cell = experiment_cell_at(experiment, 0);
    file = workload_file(cell->workload);
    cr_expect(strstr(file->path, "workloads/abi-call.yaml"));
    cr_expect(strncmp(file->text, "workload: abi-call\n", 19) == 0);
    cr_expect(workload_oracle(cell->workload) == 0);
    experiment_free(experiment);
}

Test(files, bare_word_is_a_path_for_check) {
    const char *text = "layout: here\nplace: [{match: {role: '*'}, in: kernel}]\n";

    test_folder_add_text(images, "here", text);
    cr_assert(chdir(images) == 0);
    cr_expect(config_check_file(&paths, "here", &diags) == 0);
    config_diags_print(&diags, stderr);
}

Test(files, too_large_and_not_text) {
    char *text = malloc(300 << 10), path[512];

    cr_assert(text);
    memset(text, '#', 300 << 10);
    test_folder_add(images, "large.yaml", text, 300 << 10);
    test_folder_add_text(images, "binary.yaml", "layout: x\nabout: \xff\xfe\n");
    test_folder_add_text(images, "escape.yaml",
                         "layout: x\nabout: \"a\\0b\"\nplace: \"\\e[31m\"\n");
    free(text);
    snprintf(path, sizeof(path), "%s/large.yaml", images);
    cr_expect(config_check_file(&paths, path, &diags) < 0);
    cr_expect(strstr(diags.item[0].text, "larger than 256 KiB"));
    config_diags_free(&diags);
    snprintf(path, sizeof(path), "%s/binary.yaml", images);
    cr_expect(config_check_file(&paths, path, &diags) < 0);
    cr_expect(diags.item[0].line == 2 && strstr(diags.item[0].text, "not YAML"));
    config_diags_free(&diags);
    snprintf(path, sizeof(path), "%s/escape.yaml", images);
    cr_expect(config_check_file(&paths, path, &diags) < 0);
    cr_assert(diags.count == 2);
    cr_expect(strstr(diags.item[0].text, "expected text"), "%s", diags.item[0].text);
    cr_expect(!strchr(diags.item[1].text, '\x1b'));
}

/* ---- did you mean ---- */

Test(files, nearest) {
    static const char *const names[] = {"ring", "space", "heap", "pages", "on-fault"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {{"rign", "ring"},
                 {"rin", "ring"},
                 {"RING", "ring"},
                 {"page", "pages"},
                 {"psace", "space"},
                 {"on_fault", "on-fault"},
                 {"onfautl", "on-fault"},
                 {"zebra", NULL},
                 {"", NULL},
                 {"x", NULL},
                 {"heapheapheap", NULL}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *found = config_nearest(cases[i].word, names, 5);

        cr_expect(found == cases[i].nearest ||
                      (found && cases[i].nearest && strcmp(found, cases[i].nearest) == 0),
                  "%s: %s", cases[i].word, found ? found : "none");
    }
    cr_expect(config_nearest("ring", NULL, 0) == NULL);
}

/* ---- texts ---- */

static char *text_of(const char *layout_file, void (*print)(const struct plan_header *, FILE *)) {
    const struct plan_options options = {
        .memory_bytes = 128 << 20, .warmup = 1, .batch = 1, .samples = 1};
    struct plan_header *plan = NULL;
    struct workload *workload;
    struct layout *layout;
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);

    cr_assert(layout_load(&paths, layout_file, &layout, &diags) == 0);
    cr_assert(workload_load(&paths, "ping-pong", &workload, &diags) == 0);
    cr_assert(plan_build(&paths, layout, workload, NULL, &options, &plan, &diags) == 0);
    print(plan, to);
    fclose(to);
    free(plan);
    layout_free(layout);
    workload_free(workload);
    return text;
}

Test(files, explain) {
    char *text = text_of("hip-r3", plan_explain);

    cr_expect(strstr(text, "layout    hip-r3\nworkload  ping-pong\n"), "%s", text);
    cr_expect(strstr(text, "DOMAIN  RING  SPACE   PAGES  HEAP        SIPS\n"
                           "kernel  0     kernel  4K     0 (shared)  server\n"
                           "apps    3     own     4K     1 (own)     client\n"),
              "%s", text);
    cr_expect(strstr(text, "copy: heap 1 of apps and heap 0 of kernel are apart\n"), "%s", text);
    cr_expect(strstr(text, "PARAM  VALUE\nbytes  1\n"), "%s", text);
    free(text);
    text = text_of("sip-page", plan_explain);
    cr_expect(strstr(text, "move: both ends use heap 0\n"), "%s", text);
    free(text);
}

Test(files, dot_is_valid) {
    char *text = text_of("microkernel", plan_dot);

    cr_expect(strstr(text, "subgraph \"cluster_client\""), "%s", text);
    cr_expect(strstr(text, "\"client\" -> \"server\""), "%s", text);
    cr_expect(strstr(text, "copy, depth 4, "), "%s", text);
    if (system("command -v dot >/dev/null") == 0) {
        FILE *dot = popen("dot -Tplain >/dev/null", "w");

        cr_assert(dot);
        fputs(text, dot);
        cr_expect(pclose(dot) == 0, "%s", text);
    }
    free(text);
}

Test(files, diagnostics_print) {
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);

    config_diag_add(&diags, "a.yaml", 3, 5, "%s", "one");
    config_diag_add(&diags, "b.yaml", 0, 0, "two");
    config_diags_print(&diags, to);
    fclose(to);
    cr_expect_str_eq(text, "a.yaml:3:5: one\nb.yaml: two\n");
    free(text);
}
