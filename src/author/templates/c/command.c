/* A command line program: @NAME@ NAME <MESSAGE */

#include <stdio.h>

int main(int count, char **arguments) {
    if (count != 2 || arguments[1][0] == ' ') {
        fputs("@NAME@: whom shall I greet?\n", stderr);
        return 2;
    }
    printf("Hello, %s!\n", arguments[1]);
    for (int byte; (byte = getchar()) != EOF;) putchar(byte);
    return 0;
}
