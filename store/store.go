// Package store is the contract between Meantime and its database. Its one implementation is store/sqlstore; every
// database must pass store/storetest.
//
// The store keeps two kinds of things. Facts (sightings, records, reviews, silences, beats) are what was said from
// outside; they merge, and nothing else is ever the only copy of anything. What is derived (incidents, verdicts) is
// what correlation made of them; it could be dropped and computed again. The ledger of the all-time histogram is the
// exception: it remembers what was shown, which no fact tells.
//
// Times are UTC and keep their nanoseconds. Errors carry an incident.Code: CodeUnavailable where the same call may
// succeed later (the database is down, locked, full or read-only), CodeInvalid and CodeNotFound where it will not.
// Every method is safe for concurrent use.
package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"meantime/incident"
)

// Store is all of it. Packages that use a part declare the part they use.
type Store interface {
	Facts
	Derived
	Shared

	// Ping says whether the store can take a write now, by making one.
	Ping(ctx context.Context) error
	// Stats are sizes for the metrics; cheap enough to ask every few seconds.
	Stats(ctx context.Context) (Stats, error)
	// Prune deletes what ended before the given time and belongs to no incident: episodes whose verdict says OutcomeNone
	// or OutcomeWatchdog, with their sightings, and beats. Lives and senders stay: what they say of an incident is asked again with every pass. An episode goes whole or not at all, so that no later pass sees half of one. What
	// correlation has not judged yet stays, and so does everything that a change which waits in the feed may reach. It
	// deletes about limit sightings and beats at a time (0 means 100) and returns how many; 0 means there is no more.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)
	// Close waits for writes under way and closes the database. Calls after it fail with CodeUnavailable.
	Close() error
}

// Facts are what was said from outside.
type Facts interface {
	// Put stores facts in one transaction and returns after it is durable. Concurrent calls may share one; none fails
	// because of another. Where more calls wait than is good, it returns CodeUnavailable at once. A context that ends while
	// the call waits for its turn stores nothing; one that ends later leaves open whether it was stored, which the same
	// call again settles. The store does not change the facts, and the caller must not either, not even after the call.
	//
	// Sightings and beats merge with what is stored (incident.Merge). A record is normalized and is a new version of its
	// key: it counts if it is newer (incident.Newer) than the one that counts now, and is kept as history else; one without
	// UpdatedAt is given the time of receipt, moved after the version that counts where the clock is behind it. The same
	// content again as what counts now changes nothing but its UpdatedAt, where the source tells a later one. A review with
	// a known ID replaces it; of two silences with one ID the later UpdatedAt counts, with the earlier CreatedAt. Beats are
	// kept to the second. Lives are joined with those stored (incident.JoinLives), senders keep the earliest First.
	//
	// Mutes are placed in the sightings of the facts and of the store (incident.PlaceMutes) and kept for an hour, in which
	// they are placed again wherever a start of their alert is told for the first time; so it does not matter which comes first.
	//
	// Everything that changed what counts is written to the feed, one entry for each fact: a withdrawn record speaks of
	// nothing, so only the stretch from before counts; a review has an entry for each incident it names, with the time
	// it names (zero where it names none), and one that takes another back has that one's. Lives and senders are written there
	// only where they tell otherwise of the past than was known.
	//
	// CodeInvalid, with nothing stored, is the answer to a fact without a key, to a key that is not UTF-8 text, and to a
	// sighting that starts before 1678, after 2261 or at the very moment of the unix epoch.
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)

	// Changes are the feed's entries after the given Seq, in order, at most limit (0 means 100). An entry is seen only
	// when no earlier one can still appear. Seq only ever grows.
	Changes(ctx context.Context, after int64, limit int) ([]incident.Change, error)

	// Extent is a stretch of time that holds what all sightings and records speak of; zero where there are none.
	Extent(ctx context.Context) (from, to time.Time, err error)
	// Began is the first time that a sighting, or a record that is not withdrawn, speaks of, or the first sign of life where that is
	// earlier; zero where there is neither.
	Began(ctx context.Context) (time.Time, error)
	// Sightings are those whose Span touches [from, to], in order of key. A zero from or to is no bound.
	Sightings(ctx context.Context, from, to time.Time) ([]incident.Sighting, error)
	// SightingsOf are all of the given fingerprints, in order of key.
	SightingsOf(ctx context.Context, fingerprints []string) ([]incident.Sighting, error)
	// Records are the versions that count of records not withdrawn whose Span touches [from, to], in order of key.
	// A zero from or to is no bound.
	Records(ctx context.Context, from, to time.Time) ([]incident.Record, error)
	// RecordPage lists the versions that count of one source's records ("" for all sources) that are not withdrawn, in
	// order of key (source, then id), after the given key, at most limit (0 means 100).
	RecordPage(ctx context.Context, source string, after incident.RecordKey, limit int) ([]incident.Record, error)
	// Record is the version that counts, which may be a withdrawn one. CodeNotFound where there is none.
	Record(ctx context.Context, k incident.RecordKey) (incident.Record, error)
	// History are all versions of a record, the newest first. Empty where there is none.
	History(ctx context.Context, k incident.RecordKey) ([]incident.Record, error)
	// Marks are those of one source, by name. They are durable exactly when the facts of the same Put are.
	Marks(ctx context.Context, source string) ([]incident.Mark, error)
	// Reviews are all reviews, by At, then ID.
	Reviews(ctx context.Context) ([]incident.Review, error)
	// Review is the review with that ID. CodeNotFound where there is none.
	Review(ctx context.Context, id string) (incident.Review, error)
	// Silences are those whose StartsAt to EndsAt touches [from, to], by ID. A zero from or to is no bound.
	Silences(ctx context.Context, from, to time.Time) ([]incident.Silence, error)
	// Beats are those in [from, to], by watchdog, then time. A zero from or to is no bound.
	Beats(ctx context.Context, from, to time.Time) ([]incident.Beat, error)
	// Reach is when Meantime could be told of alerts, joined and in order, and by whom, by key. Both are bounded.
	Reach(ctx context.Context) ([]incident.Life, []incident.Sender, error)
}

// Derived is what correlation made of the facts.
//
// What ranges reads one state of the store, and holds it until the loop ends: whoever is slow should collect first. An
// error is the last thing that comes. The values given share maps, which nobody writes to.
type Derived interface {
	// Position is the Cursor and Rules of the newest pass saved; zero where there is none.
	Position(ctx context.Context) (cursor int64, rules string, err error)
	// Save stores a pass in one transaction: Reset first, then Removed and Gone, then Incidents, Verdicts and Observed.
	// Reset leaves the ledger alone. The feed up to Cursor may be forgotten afterwards. Where the pass's Token is not the
	// lease's newest one it stores nothing and returns ErrLeaseLost.
	//
	// A pass with Reset that comes in parts is one pass, stored with its last part. Memory holds neither those before it
	// nor what is stored already, but the IDs of incidents, and whoever writes meanwhile waits for little more than the last part's
	// transaction. CodeConflict is the answer to a part that does not follow the one before it under the same Token, or
	// before which the store was closed, and CodeInvalid to one with an episode that comes before one of them; after any error
	// the first has to come again.
	Save(ctx context.Context, p incident.Pass) error
	// Follow is what was saved after the pass of the given number. It tells of changes for at least the last few passes,
	// and of older ones, of very large ones, and where after is no pass's number or none (-1), it says Whole. What is read
	// after a call is at least as new as the Number that it gave, and being told of one change twice does no harm: so
	// whoever starts asks first, then reads everything, and follows from that Number.
	Follow(ctx context.Context, after int64) (incident.Saved, error)

	// Incident is the incident with that ID, or else that alias. CodeNotFound where there is none.
	Incident(ctx context.Context, id string) (incident.Incident, error)
	// Incidents lists incidents, the newest At first, those without one last; one without is in no window. next is the
	// cursor of the next page, empty on the last. Pages neither repeat nor leave out an incident that stays as it is while
	// others come and go. A cursor that was not given out is CodeInvalid.
	Incidents(ctx context.Context, q IncidentQuery) (page []incident.Incident, next string, err error)
	// IncidentsTouching are those whose stretch of time touches [from, to], whole, by ID. The stretch reaches from the
	// first to the last time of the incident's milestones, with all candidates, of its impacts, of its records' Spans, and
	// of its episodes, linked or suggested. A zero from or to is no bound.
	IncidentsTouching(ctx context.Context, from, to time.Time) ([]incident.Incident, error)
	// EachIncident ranges over all incidents whose At is at or after from, that are open, or whose stretch of time (see
	// IncidentsTouching) reaches to from, without links and candidates: what measuring needs. In no particular order.
	EachIncident(ctx context.Context, from time.Time) iter.Seq2[incident.Incident, error]

	// IncidentNames are the services and severities that stored incidents have, in no order.
	IncidentNames(ctx context.Context) (services, severities []string, err error)

	// Verdicts lists episodes with what became of them, the newest start first, in pages as Incidents does. Their ends
	// are as the pass saw them; all else is as their sightings say now.
	Verdicts(ctx context.Context, q VerdictQuery) (page []incident.Verdict, next string, err error)
	// EachVerdict ranges over the verdicts of episodes that start in [from, to], with only the key, name, end, service, severity,
	// and what became of it filled in.
	EachVerdict(ctx context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error]
	// Firing lists the verdicts of episodes that fire still, as EachVerdict does, by key.
	Firing(ctx context.Context) ([]incident.Verdict, error)

	// Ledger ranges over everything the all-time histogram has counted, in order of incident.
	Ledger(ctx context.Context) iter.Seq2[incident.Observed, error]
}

// Shared is what processes that share a store need of each other: one of them at a time holds the lease and saves passes, and
// all of them follow. Everything else they may do at once.
type Shared interface {
	// Acquire takes the lease for a holder, or makes it longer where it has it: for that long from now, by the database's
	// clock alone. It returns the lease as it is afterwards, which is another's while that one's time is not over. A
	// lease that changes hands has a higher Token, and from that moment no pass with an older one is saved, however late
	// its holder wakes up. Neither waits behind writes for long.
	Acquire(ctx context.Context, holder string, length time.Duration) (Lease, error)
	// Release gives the lease up at once where it is the holder's, and does nothing else.
	Release(ctx context.Context, holder string) error
	// Listen tells of what other processes did, and maybe of what this one did, as soon as it is there to be read, until
	// ctx ends; it returns ctx's error. It can miss something while the database cannot be reached, so whoever listens
	// should look by itself from time to time as well. told must not block.
	Listen(ctx context.Context, told func(Event)) error
}

// ErrLeaseLost says that a pass was computed under a lease that is another's by now.
var ErrLeaseLost = errors.New("the lease is another's by now")

// Lease says who may save passes.
type Lease struct {
	Holder string // empty where nobody has it
	Token  int64
	Left   time.Duration // until it is over, where it is not renewed; 0 or less where it is
}

// Event is what happened in the store.
type Event string

const (
	EventFacts Event = "facts" // facts were stored
	EventPass  Event = "pass"  // a pass was saved
	EventLease Event = "lease" // the lease was given up
	EventGap   Event = "gap"   // for a while nothing could be told, so anything may have happened
)

// IncidentQuery and VerdictQuery are the domain's, so that packages that only read need not import this one.
type (
	IncidentQuery = incident.IncidentQuery
	VerdictQuery  = incident.VerdictQuery
)

// Stats are the store's sizes.
type Stats struct {
	Sightings, Records, Incidents int64
	Bytes                         int64 // on disk, 0 where the database does not say
	Backlog                       int64 // changes not yet correlated
}
