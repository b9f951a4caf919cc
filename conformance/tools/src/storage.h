/* Texts by name that are kept from call to call, as files in /storage, for tools in C. A name may have
 * slashes; the directories on the way are made. Comes behind jsonrpc.h. The manifest has to ask for
 * `capabilities.storage`. What a call leaves is kept if its answer is no failure.
 *
 * Where something fails, errno says why: ENOSPC if there is no room.
 */
#ifndef STORAGE_H
#define STORAGE_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define STORAGE_PATH_MAX 512

static bool storage_path(char path[STORAGE_PATH_MAX], const char *name) {
    if (strlen(name) >= STORAGE_PATH_MAX - sizeof "/storage/") {
        errno = ENAMETOOLONG;
        return false;
    }
    strcat(strcpy(path, "/storage/"), name);
    return true;
}

/* Puts the text under a name behind what `out` has. 1: done; 0: there is none; -1: failed. */
static int storage_get(const char *name, struct text *out) {
    char path[STORAGE_PATH_MAX], block[4096];
    if (!storage_path(path, name)) return -1;
    int fd = open(path, O_RDONLY);
    if (fd < 0) return errno == ENOENT ? 0 : -1;
    ssize_t length;
    while ((length = read(fd, block, sizeof block)) > 0) put(out, block, (size_t)length);
    close(fd);
    return length == 0 ? 1 : -1;
}

/* Keeps a text under a name, instead of what was there. */
static bool storage_set(const char *name, const char *bytes, size_t length) {
    char path[STORAGE_PATH_MAX];
    if (!storage_path(path, name)) return false;
    for (char *at = path + strlen("/storage/"); (at = strchr(at, '/')) != NULL; *at++ = '/') {
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) return false;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0) return false;
    ssize_t written = 0;
    while (length > 0 && (written = write(fd, bytes, length)) > 0) {
        bytes += written;
        length -= (size_t)written;
    }
    close(fd);
    return length == 0;
}

/* 1: it is gone; 0: there was none; -1: failed. */
static int storage_delete(const char *name) {
    char path[STORAGE_PATH_MAX];
    if (!storage_path(path, name)) return -1;
    if (unlink(path) == 0) return 1;
    return errno == ENOENT ? 0 : -1;
}

static int storage_compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of what is in a directory, in ascending order, in memory of their own; none where there is no
 * such directory. -1: failed. */
static int storage_list(const char *directory, char ***names) {
    char path[STORAGE_PATH_MAX];
    if (!storage_path(path, directory)) return -1;
    int count = 0, room = 0;
    *names = NULL;
    DIR *open = opendir(path);
    if (open == NULL) return errno == ENOENT ? 0 : -1;
    for (struct dirent *entry; (errno = 0, entry = readdir(open)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (count == room) {
            room = room * 2 + 16;
            char **more = allocate(sizeof *more * (size_t)room);
            if (count > 0) memcpy(more, *names, sizeof *more * (size_t)count);
            free(*names);
            *names = more;
        }
        char *name = allocate(strlen(entry->d_name) + 1);
        (*names)[count++] = strcpy(name, entry->d_name);
    }
    bool failed = errno != 0;
    closedir(open);
    if (failed) return -1;
    qsort(*names, (size_t)count, sizeof **names, storage_compare);
    return count;
}

#endif
