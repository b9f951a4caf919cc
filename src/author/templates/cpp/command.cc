/* A command-line program: `tool NAME` greets a person. */

#include <iostream>

int main(int count, char **words) {
    if (count != 2) {
        std::cerr << "usage: tool NAME\n";
        return 2;
    }
    std::cout << "Hello, " << words[1] << "!\n";
}
