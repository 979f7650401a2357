// Package sqlstore keeps Meantime's facts and what follows from them in an SQL database: the store.Store of SQLite and of
// PostgreSQL. What is different between the two is in sqlite.go, postgres.go and the migrations; the SQL is the same.
//
// All writing goes through one goroutine (writer.go), which collects what waits into one transaction, so that
// concurrent callers share one fsync. Reading goes through a pool of its own and never waits for a writer.
//
// Times are columns of unix nanoseconds, 0 for an unknown one; text that is only ever read whole is one JSON column,
// written and read by hand (json.go), because decoding is most of the cost of starting with a large store.
package sqlstore
