// Reads handwritten digits and says on the console what it sees.
#include <stdio.h>
#include <string.h>

#include "digits.h"
#include "images.h"

static digits_arena arena;

// The class with the largest output, or -1 when the model does not run.
static int read_digit(const int8_t *image) {
  memcpy(DIGITS_INPUT_0(&arena), image, DIGITS_INPUT_0_SIZE);
  if (digits_invoke(&arena, sizeof arena) != DIGITS_OK) return -1;
  const int8_t *outputs = DIGITS_OUTPUT_0(&arena);
  int best = 0;
  for (int i = 1; i < DIGITS_OUTPUT_0_SIZE; ++i) {
    if (outputs[i] > outputs[best]) best = i;
  }
  return best;
}

int main(void) {
  int right = 0;
  if (digits_init(&arena, sizeof arena) != DIGITS_OK) return 1;
  for (int i = 0; i < IMAGE_COUNT; ++i) {
    const int seen = read_digit(images[i]);
    printf("a %d, read as %d\n", labels[i], seen);
    right += seen == labels[i];
  }
  printf("%d of %d right\n", right, IMAGE_COUNT);
  return 0;
}
