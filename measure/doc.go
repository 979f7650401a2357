// Package measure turns incidents into measurements, and measurements into figures that say what they can honestly say.
//
// Everything is a pure function of incidents and a clock. All gives the measurements of one incident; the functions of
// stats.go and survival.go are the statistics, each with its source; Book keeps compact rows of all incidents and episodes
// and answers with the Figures of every window; Ledger remembers what the all-time histogram has counted; Report,
// Explain and Simulate are what the commands of those names print.
//
// All intervals are at Confidence, 90 %. Durations are in seconds.
package measure
