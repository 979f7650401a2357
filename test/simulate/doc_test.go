// Package simulate runs the whole of Meantime in one process under a simulated clock: two replicas on one store, the
// senders that notify them, the servers that they poll, and whatever can go wrong between them, by a seed. It has nothing
// but tests.
//
// Nothing happens by itself. Every call to the store waits until the simulation lets it go on, one at a time and in an order,
// after a time and with a fault that the seed draws; between two of them everybody is at rest (testing/synctest). So a seed
// tells a run, and running it again tells the same: `SEED=7 make soak` shows run 7 once more.
//
// What must hold in every run is in oracle_test.go, what goes wrong in weather_test.go.
package simulate
