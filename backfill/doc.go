// Package backfill writes what scrapes of Meantime would have shown in the past, as OpenMetrics for
// `promtool tsdb create-blocks-from openmetrics` or by remote write: the figures over windows and the classic all-time
// histogram.
//
// It drives the daemon's own parts through the past: a measure.Book gives the figures at every step, the metrics are
// those of the daemon, and what they show is read as a scrape reads it. The facts are those of today, with everything that
// is known today also of a moment before it was known; a sample says what a report on that moment says today. What
// began after a moment is not in its figures.
//
// The histogram counts what the daemon has counted, each value at the time that its interval's end was reached.
//
// A year of hours has a hundred million samples, which change seldom. What is kept is when each series changed, and of
// that only a bounded part in memory; the rest is in a temporary file until everything is written in OpenMetrics' order.
package backfill
