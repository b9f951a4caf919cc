/* A command-line program: `tool NAME` greets a person. */

#include <stdio.h>

int main(int count, char **words) {
    if (count != 2) {
        fputs("usage: tool NAME\n", stderr);
        return 2;
    }
    return printf("Hello, %s!\n", words[1]) < 0;
}
