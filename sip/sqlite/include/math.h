/* SQLite includes <math.h>; as it is built here it calls nothing of it. */
