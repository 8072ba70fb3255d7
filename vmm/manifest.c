/*
 * manifest.json as a file, and the part of it that describes this machine. What a run adds to it is
 * the run's business.
 */
#include "records.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MANIFEST_MAX_BYTES (16u << 20)

/* ---- the file ---- */

int manifest_load(const char *dir, json_t **manifest, struct error *error) {
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof(path), "%s/manifest.json", dir) >= sizeof(path))
        return error_set(error, -ENAMETOOLONG, "%.200s...: the name is too long", dir);
    FILE *from = fopen(path, "re");
    if (!from)
        return error_set(error, -errno,
                         "%s: cannot read: %s; a result set is a folder with "
                         "manifest.json and samples.jsonl",
                         path, strerror(errno));
    char *text = malloc(MANIFEST_MAX_BYTES + 1);
    size_t bytes = text ? fread(text, 1, MANIFEST_MAX_BYTES + 1, from) : 0;
    int failed = ferror(from);
    fclose(from);
    int code = 0;
    json_error_t why;
    json_t *value = NULL;
    if (!text)
        code = error_set(error, -ENOMEM, "out of memory");
    else if (failed)
        code = error_set(error, -EIO, "%s: cannot read", path);
    else if (bytes > MANIFEST_MAX_BYTES)
        code = error_set(error, -EINVAL, "%s: more than %u bytes: not a manifest", path,
                         MANIFEST_MAX_BYTES);
    else if (!(value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &why)))
        code = error_set(error, -EINVAL, "%s:%d:%d: not JSON: %s", path, why.line, why.column,
                         why.text);
    else if (!json_is_object(value))
        code = error_set(error, -EINVAL, "%s: must be a JSON object", path);
    else if (json_integer_value(json_object_get(value, "schema")) != RECORD_SCHEMA)
        code = error_set(error, -EINVAL, "%s: \"schema\" must be %d; made by another version?",
                         path, RECORD_SCHEMA);
    else if (!json_is_boolean(json_object_get(value, "complete")))
        code = error_set(error, -EINVAL, "%s: \"complete\" must be true or false", path);
    free(text);
    if (code)
        json_decref(value);
    else
        *manifest = value;
    return code;
}

static void sync_dir(const char *dir) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd); /* some file systems cannot; the rename is atomic all the same */
    close(fd);
}

int manifest_save(const char *dir, const json_t *manifest, struct error *error) {
    char path[PATH_MAX], part[PATH_MAX];
    if ((size_t)snprintf(path, sizeof(path), "%s/manifest.json", dir) >= sizeof(path) ||
        (size_t)snprintf(part, sizeof(part), "%s/manifest.json.part", dir) >= sizeof(part))
        return error_set(error, -ENAMETOOLONG, "%.200s...: the name is too long", dir);
    FILE *to = fopen(part, "we");
    if (!to)
        return error_set(error, -errno, "%s: cannot write: %s", part, strerror(errno));
    int failed =
        json_dumpf(manifest, to, JSON_INDENT(2) | JSON_ENSURE_ASCII) || fputc('\n', to) < 0;
    failed |= fflush(to) != 0;
    int sync_failed = !failed && fsync(fileno(to)) && errno != EINVAL && errno != EROFS;
    if ((fclose(to) != 0) | failed | sync_failed || rename(part, path)) {
        int code = errno ? -errno : -EIO;
        unlink(part);
        return error_set(error, code, "%s: cannot write: %s", path, strerror(-code));
    }
    sync_dir(dir);
    return 0;
}

const char *manifest_text(const json_t *manifest, const char *path) {
    char key[64];
    const json_t *value = manifest;
    for (const char *dot; (dot = strchr(path, '.')); path = dot + 1) {
        snprintf(key, sizeof(key), "%.*s", (int)(dot - path), path);
        value = json_object_get(value, key);
    }
    const char *text = json_string_value(json_object_get(value, path));
    return text ? text : "unknown";
}

/* ---- this machine ---- */

/* First line of a file without surrounding blanks, "unknown" when there is none. */
static json_t *file_text(const char *path) {
    char line[512] = "";
    FILE *from = fopen(path, "re");
    if (from) {
        if (!fgets(line, sizeof(line), from))
            line[0] = '\0';
        fclose(from);
    }
    char *text = line;
    while (isspace((unsigned char)*text))
        text++;
    for (size_t n = strlen(text); n && isspace((unsigned char)text[n - 1]); n--)
        text[n - 1] = '\0';
    json_t *value = *text ? json_string(text) : NULL;
    return value ? value : json_string("unknown");
}

static void set_cpuinfo(json_t *cpu, const char *key, const char *value) {
    static const struct {
        const char *key, *name;
    } wanted[] = {
        {"vendor_id", "vendor"}, {"model name", "model"},  {"cpu family", "family"},
        {"model", "number"},     {"stepping", "stepping"}, {"microcode", "microcode"},
        {"flags", "hypervisor"},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (strcmp(key, wanted[i].key))
            continue;
        json_t *text = strcmp(key, "flags") ? json_string(value)
                                            : json_boolean(strstr(value, "hypervisor") != NULL);
        json_object_set_new(cpu, wanted[i].name, text);
    }
}

static void read_cpuinfo(json_t *cpu) {
    FILE *from = fopen("/proc/cpuinfo", "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while (from && (length = getline(&line, &room, from)) > 1) { /* an empty line ends a CPU */
        line[length - 1] = '\0';
        char *colon = strchr(line, ':');
        if (!colon)
            continue;
        char *end = colon;
        while (end > line && isspace((unsigned char)end[-1]))
            end--;
        *end = '\0';
        colon++;
        set_cpuinfo(cpu, line, colon + strspn(colon, " "));
    }
    free(line);
    if (from)
        fclose(from);
}

static json_t *describe_cpu(void) {
    static const char *const text[] = {"vendor", "model",    "family",
                                       "number", "stepping", "microcode"};
    json_t *cpu = json_object();
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        json_object_set_new(cpu, text[i], json_string("unknown"));
    json_object_set_new(cpu, "hypervisor", json_string("unknown"));
    read_cpuinfo(cpu);
    json_object_set_new(cpu, "cores", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    json_object_set_new(cpu, "smt", file_text("/sys/devices/system/cpu/smt/control"));
    json_object_set_new(cpu, "governor",
                        file_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
    json_object_set_new(cpu, "turbo", json_string("unknown"));
    if (!access("/sys/devices/system/cpu/intel_pstate/no_turbo", R_OK)) {
        json_t *off = file_text("/sys/devices/system/cpu/intel_pstate/no_turbo");
        json_object_set_new(cpu, "turbo",
                            json_string(!strcmp(json_string_value(off), "0") ? "on" : "off"));
        json_decref(off);
    } else if (!access("/sys/devices/system/cpu/cpufreq/boost", R_OK)) {
        json_t *on = file_text("/sys/devices/system/cpu/cpufreq/boost");
        json_object_set_new(cpu, "turbo",
                            json_string(!strcmp(json_string_value(on), "1") ? "on" : "off"));
        json_decref(on);
    }
    return cpu;
}

static json_t *describe_mitigations(void) {
    static const char folder[] = "/sys/devices/system/cpu/vulnerabilities";
    json_t *found = json_object();
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char path[sizeof(folder) + NAME_MAX + 2];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        json_object_set_new(found, entry->d_name, file_text(path));
    }
    if (dir)
        closedir(dir);
    return found;
}

/* The module behind /dev/kvm (kvm_intel, kvm_amd or another kvm_*) and whether it nests. */
static json_t *describe_kvm(void) {
    json_t *kvm = json_object();
    json_object_set_new(kvm, "module", json_string("none"));
    json_object_set_new(kvm, "nested", json_string("unknown"));
    DIR *dir = opendir("/sys/module");
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char path[NAME_MAX + 64];
        if (strncmp(entry->d_name, "kvm_", 4))
            continue;
        snprintf(path, sizeof(path), "/sys/module/%s/parameters/nested", entry->d_name);
        json_object_set_new(kvm, "module", json_string(entry->d_name));
        json_object_set_new(kvm, "nested", file_text(path));
    }
    if (dir)
        closedir(dir);
    return kvm;
}

json_t *manifest_host(void) {
    struct utsname name;
    if (uname(&name))
        memset(&name, 0, sizeof(name));
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:o, s:I, s:o}", "hostname", name.nodename,
                     "cpu", describe_cpu(), "mitigations", describe_mitigations(), "kernel",
                     name.release, "kernel_build", name.version, "machine", name.machine, "kvm",
                     describe_kvm(), "memory_bytes", (json_int_t)pages * page_bytes, "thp",
                     file_text("/sys/kernel/mm/transparent_hugepage/enabled"));
}
