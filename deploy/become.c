/* A loadable object for GNU make (manual, "Loading Dynamic Objects") with one function:
 *
 *     $(become COMMAND)
 *
 * replaces make by COMMAND. `make demo` needs it: a program that make runs as a child is not told of a
 * SIGINT that is sent to make, and make itself never ends with status 0 after a signal. As the same process,
 * the program gets the signals, and its exit status is that of `make demo`.
 *
 * Where make cannot load objects or there is no C compiler, the Makefile runs the program as a child.
 */
#include <signal.h>
#include <stdio.h>
#include <stddef.h>
#include <unistd.h>

/* From gnumake.h, which not every system has with its make. */
typedef char *(*gmk_func_ptr)(const char *name, unsigned int argc, char **argv);
extern void gmk_add_function(const char *name, gmk_func_ptr function, unsigned int min_args,
                             unsigned int max_args, unsigned int flags);

int plugin_is_GPL_compatible; /* Apache-2.0 is, with version 3 */

static char *become(const char *name, unsigned int argc, char **argv)
{
    sigset_t none;

    (void)name;
    (void)argc;
    fflush(NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); /* make holds some back; a new program would inherit that */
    execl("/bin/sh", "sh", "-c", argv[0], (char *)NULL);
    return NULL; /* no shell: make goes on with the next line of the recipe */
}

int become_setup(void)
{
    gmk_add_function("become", become, 1, 1, 0);
    return 1;
}
