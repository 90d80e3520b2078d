/* Stands in for EnergyPlus: whatever the model, it leaves the files of a run that was made before, in no time.

Compiled twice: as a program, for the first run of a worker, and as the library that the server of the worker loads, with
the functions of the engine's library that epsm/energyplus/engine_launcher.py calls. FILES is the folder of the files,
VERSION what the engine says as its version. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

struct string { /* a std::string of GCC's C++ library */
    const char *data;
    size_t size;
    size_t local[2];
};

struct strings { /* a std::vector<std::string> */
    struct string *begin, *end, *end_of_storage;
};

static int leave_files(const char *output)
{
    char from[4096], to[4096];
    DIR *files = opendir(FILES);
    if (files == NULL || mkdir(output, 0777) != 0)
        return 1;
    for (struct dirent *file; (file = readdir(files)) != NULL;) {
        struct stat found;
        snprintf(from, sizeof from, "%s/%s", FILES, file->d_name);
        snprintf(to, sizeof to, "%s/%s", output, file->d_name);
        int source = open(from, O_RDONLY);
        if (source < 0 || fstat(source, &found) != 0)
            return 1;
        if (S_ISREG(found.st_mode)) {
            int target = open(to, O_WRONLY | O_CREAT | O_EXCL, 0666);
            if (target < 0 || sendfile(target, source, NULL, found.st_size) != found.st_size || close(target) != 0)
                return 1;
        }
        close(source);
    }
    return closedir(files);
}

int run(const struct strings *arguments, const struct string *folder) __asm__(
    "_Z13EnergyPlusPgmRKSt6vectorINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEESaIS5_EERKS5_");

int run(const struct strings *arguments, const struct string *folder)
{
    (void)folder;
    for (struct string *each = arguments->begin; each + 1 < arguments->end; each++)
        if (strcmp(each->data, "--output-directory") == 0)
            return leave_files(each[1].data);
    return 2;
}

const char *energyPlusVersion(void) { return VERSION; }
void *stateNew(void) { return NULL; }
void stateDelete(void *state) { (void)state; }

int main(int count, char **arguments)
{
    for (int each = 1; each + 1 < count; each++)
        if (strcmp(arguments[each], "--output-directory") == 0)
            return leave_files(arguments[each + 1]);
    return 2;
}
