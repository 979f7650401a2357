// Package bench measures Meantime against bare servers that do the least that could be done, in the same run on the same
// machine, because figures of one machine say little about another. Run it with `make bench`. Nothing here fails for
// being slow. Memory and processor time are read from /proc, so it wants Linux.
package bench
