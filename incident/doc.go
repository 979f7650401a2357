// Package incident is Meantime's domain: what was seen (Sighting, Episode), what was said (Record, Review, Silence)
// and what follows from both (Incident, Link, Milestone, Measurement).
//
// Everything here is plain data and pure functions. All times are UTC, all durations are time.Duration in memory and
// seconds (float) in JSON. A zero time means "not known".
package incident
