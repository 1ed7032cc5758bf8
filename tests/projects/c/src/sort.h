/* Sorts numbers, and counts the comparisons. */
#ifndef SORT_H
#define SORT_H
extern unsigned long comparisons;
void sort(int *numbers, int count);
#endif
