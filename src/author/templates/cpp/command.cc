// A command line program: @NAME@ NAME <MESSAGE

#include <cstdio>

int main(int count, char **arguments) {
    if (count != 2 || arguments[1][0] == ' ') {
        std::fputs("@NAME@: whom shall I greet?\n", stderr);
        return 2;
    }
    std::printf("Hello, %s!\n", arguments[1]);
    for (int byte; (byte = std::getchar()) != EOF;) std::putchar(byte);
}
