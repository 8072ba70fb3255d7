/*
 * Sorts the operations of a report into tables and names their columns.
 */
#include "report_grid.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct report_cell *report_column_find(const struct report_column *column,
                                             const char *layout) {
    for (size_t i = 0; i < column->cells; i++)
        if (!strcmp(column->cell[i].layout, layout))
            return &column->cell[i];
    return NULL;
}

int report_grid_has(const struct report_grid *grid, const char *layout) {
    for (size_t i = 0; i < grid->columns; i++)
        if (report_column_find(&grid->column[i], layout))
            return 1;
    return 0;
}

const char *report_grid_safety(const struct report_grid *grid, const char *layout) {
    const char *safety = NULL;
    for (size_t i = 0; i < grid->columns; i++) {
        const struct report_cell *cell = report_column_find(&grid->column[i], layout);
        if (cell && safety && strcmp(cell->safety, safety))
            return "varies";
        safety = cell ? cell->safety : safety;
    }
    return safety ? safety : "";
}

int report_column_alike(const struct report_column *a, const struct report_column *b) {
    return !strcmp(a->cell->workload, b->cell->workload) && !strcmp(a->cell->op, b->cell->op);
}

/* ---- which operations stand together ---- */

static int add_column(struct report_grid *grid, struct report_column column) {
    struct report_column *more = realloc(grid->column, (grid->columns + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    grid->column = more;
    more[grid->columns++] = column;
    return 0;
}

static int same_table(const struct report_grid *grid, const struct report_cell *cell) {
    return !strcmp(grid->kind, cell->kind) && !strcmp(grid->unit, cell->unit) &&
           !strcmp(grid->backend, cell->backend);
}

/* The grid that the cell belongs to, made when there is none yet; NULL when out of memory. */
static struct report_grid *grid_of(struct report_grid **grid, size_t *count,
                                   const struct report_cell *cell) {
    for (size_t i = *count; i-- && !strcmp((*grid)[i].workload, cell->workload);)
        if (same_table(&(*grid)[i], cell))
            return &(*grid)[i];
    struct report_grid *more = realloc(*grid, (*count + 1) * sizeof(*more));
    if (!more)
        return NULL;
    *grid = more;
    more[*count] = (struct report_grid){.workload = cell->workload,
                                        .kind = cell->kind,
                                        .unit = cell->unit,
                                        .backend = cell->backend};
    return &more[(*count)++];
}

/* Moves grids of one column into the first such grid of the same kind. */
static int gather(struct report_grid *grid, size_t *count) {
    size_t kept = 0;
    int code = 0;
    for (size_t i = 0; i < *count; i++) {
        size_t k = kept;
        if (grid[i].columns == 1)
            for (k = 0; k < kept; k++)
                if (grid[k].gathered && same_table(&grid[k], grid[i].column[0].cell))
                    break;
        if (k < kept) {
            code = code ? code : add_column(&grid[k], grid[i].column[0]);
            free(grid[i].column);
        } else {
            grid[kept] = grid[i];
            grid[kept].gathered = grid[i].columns == 1;
            kept++;
        }
    }
    *count = kept;
    return code;
}

/* ---- names ---- */

/* A parameter that is the same in all columns belongs into the title, not into each label. */
static int param_varies(const struct report_grid *grid, const char *name) {
    const struct config_param *first = NULL;
    for (size_t i = 0; i < grid->columns; i++) {
        const struct config_params *params = grid->column[i].cell->params;
        const struct config_param *found = NULL;
        for (size_t k = 0; k < params->count; k++)
            if (!strcmp(params->item[k].name, name))
                found = &params->item[k];
        if (!found || (first && first->value != found->value))
            return 1;
        first = found;
    }
    return 0;
}

static int op_varies(const struct report_grid *grid) {
    for (size_t i = 1; i < grid->columns; i++)
        if (strcmp(grid->column[i].cell->op, grid->column[0].cell->op))
            return 1;
    return 0;
}

static char *name_make(const struct report_grid *grid, const struct report_cell *cell,
                       int for_column) {
    char *text = NULL, param[64];
    const char *comma = "", *op = cell->op[0] ? cell->op : "none";
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    if (!to)
        return NULL;
    if (!for_column) {
        fputs(cell->workload, to);
        comma = ", ";
    }
    if (op_varies(grid) == for_column && (for_column || strcmp(op, cell->workload))) {
        fprintf(to, "%s%s", comma, op);
        comma = for_column ? " " : ", ";
    }
    for (size_t i = 0; i < cell->params->count; i++) {
        if (param_varies(grid, cell->params->item[i].name) != for_column)
            continue;
        fprintf(to, "%s%s", comma, report_param_text(&cell->params->item[i], param));
        comma = for_column ? " " : ", ";
    }
    if (for_column && !comma[0])
        fputc('-', to);
    if (!fclose(to))
        return text;
    free(text);
    return NULL;
}

static int compare_columns(const void *one, const void *two) {
    const struct report_column *a = one, *b = two;
    int by = strcmp(a->cell->op, b->cell->op);
    return by ? by : (a->cell > b->cell) - (a->cell < b->cell);
}

static int name_columns(struct report_grid *grid) {
    if (!grid->gathered)
        qsort(grid->column, grid->columns, sizeof(*grid->column), compare_columns);
    int code = 0;
    for (size_t i = 0; i < grid->columns; i++) {
        struct report_column *column = &grid->column[i];
        char label[512];
        column->label = grid->gathered
                            ? strdup(report_cell_label(column->cell, label, sizeof(label)))
                            : name_make(grid, column->cell, 1);
        code = column->label ? code : -ENOMEM;
    }
    if (code)
        return code;
    grid->title = !grid->gathered      ? name_make(grid, grid->column[0].cell, 0)
                  : grid->columns == 1 ? strdup(grid->column[0].label)
                                       : strdup("operations");
    return grid->title ? 0 : -ENOMEM;
}

char *report_grid_range(const struct report_grid *grid, size_t first, size_t last) {
    const char *from = grid->column[first].label, *to = grid->column[last].label;
    char *text;
    int code = first == last      ? asprintf(&text, "%s", from)
               : first + 1 < last ? asprintf(&text, "%s ... %s", from, to)
                                  : asprintf(&text, "%s, %s", from, to);
    return code < 0 ? NULL : text;
}

/* ---- all of them ---- */

int report_grids_create(const struct report *report, struct report_grid **out, size_t *out_count) {
    struct report_grid *grid = NULL;
    size_t count = 0;
    int code = 0;
    for (size_t i = 0, next; !code && i < report->count; i = next) {
        const struct report_cell *cell = &report->cell[i];
        for (next = i + 1; next < report->count; next++)
            if (!report_cell_same_row(cell, &report->cell[next]) ||
                strcmp(cell->backend, report->cell[next].backend))
                break;
        struct report_grid *into = grid_of(&grid, &count, cell);
        struct report_column column = {.cell = cell, .cells = next - i};
        code = into ? add_column(into, column) : -ENOMEM;
    }
    if (!code)
        code = gather(grid, &count);
    for (size_t i = 0; !code && i < count; i++)
        code = name_columns(&grid[i]);
    if (code) {
        report_grids_free(grid, count);
        return code;
    }
    *out = grid;
    *out_count = count;
    return 0;
}

void report_grids_free(struct report_grid *grid, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < grid[i].columns; k++)
            free(grid[i].column[k].label);
        free(grid[i].column);
        free(grid[i].title);
    }
    free(grid);
}
