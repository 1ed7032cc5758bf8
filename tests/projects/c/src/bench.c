/* Sorts numbers that look random, checks the result, and prints what it took. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sort.h"

#define COUNT 20000

static int numbers[COUNT];

int main(void) {
    unsigned state = 1;
    for (int place = 0; place < COUNT; place++) {
        state = state * 1664525u + 1013904223u;
        numbers[place] = (int)(state >> 8);
    }
    clock_t begin = clock();
    sort(numbers, COUNT);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    for (int place = 1; place < COUNT; place++) {
        if (numbers[place - 1] > numbers[place]) {
            fprintf(stderr, "not sorted at %d\n", place);
            return EXIT_FAILURE;
        }
    }
    printf("comparisons_per_number: %.3f\n", (double)comparisons / COUNT);
    printf("seconds: %.6f\n", seconds);
    return EXIT_SUCCESS;
}
