/* Shell sort: the gaps decide how many comparisons it takes. */
#include "sort.h"

unsigned long comparisons = 0;

static const int gaps[] = {64, 16, 4, 1};

static int is_greater(int one, int other) {
    comparisons++;
    return one > other;
}

void sort(int *numbers, int count) {
    for (unsigned step = 0; step < sizeof gaps / sizeof gaps[0]; step++) {
        int gap = gaps[step];
        for (int place = gap; place < count; place++) {
            int number = numbers[place], hole = place;
            while (hole >= gap && is_greater(numbers[hole - gap], number)) {
                numbers[hole] = numbers[hole - gap];
                hole -= gap;
            }
            numbers[hole] = number;
        }
    }
}
