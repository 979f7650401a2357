package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ReviewStore is what checking a review needs to know of the facts and of what correlation made of them. Errors carry a Code.
type ReviewStore interface {
	// Incident is the incident with that ID or alias. CodeNotFound where there is none.
	Incident(ctx context.Context, id string) (Incident, error)
	// Record is the version that counts, which may be a withdrawn one. CodeNotFound where there is none.
	Record(ctx context.Context, k RecordKey) (Record, error)
	// Review is the review with that ID. CodeNotFound where there is none.
	Review(ctx context.Context, id string) (Review, error)
	// Reviews are all reviews.
	Reviews(ctx context.Context) ([]Review, error)
	// SightingsOf are all sightings of the given fingerprints.
	SightingsOf(ctx context.Context, fingerprints []string) ([]Sighting, error)
	// Position is how far correlation has come in the changes of facts, and by which rules; empty rules: it never ran.
	Position(ctx context.Context) (cursor int64, rules string, err error)
	// Changes are the changes of facts after one, in order, at most limit.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
}

const (
	// reviewWait is how long a review of an incident that is not there waits for correlation to take in what was stored
	// before it: somebody who writes a record and then decides about it is not told that it does not exist.
	reviewWait = 5 * time.Second
	// reviewLook is how often is looked meanwhile.
	reviewLook = 100 * time.Millisecond
	// reviewBacklog is how many changes are read at once to find the newest.
	reviewBacklog = 1000
)

// CheckReview refuses a review, valid by itself, of a time that lies ahead (CodeInvalid), and of an incident, an episode or
// another review that does not exist (CodeNotFound), as Problems that name each place. Where an incident is not there and
// correlation has not yet taken in all that is stored, it waits for it a little, and answers CodePending where that takes
// longer. A review that is stored already is not refused when it is sent again. Other errors are the store's.
func CheckReview(ctx context.Context, s ReviewStore, r *Review, now time.Time) error {
	if known, err := s.Review(ctx, r.ID); err == nil {
		if known.At = r.At; SameDecision(&known, r) {
			return nil
		}
	} else if CodeOf(err) != CodeNotFound {
		return err
	}
	missing, planned, err := reviewed(ctx, s, r)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		if err := takenIn(ctx, s); err != nil {
			return err
		}
		if missing, planned, err = reviewed(ctx, s, r); err != nil {
			return err
		}
	}
	if p := aheadOf(r, planned, now); len(p) > 0 {
		return append(p, missing...)
	}
	if len(missing) > 0 {
		return Errorf(CodeNotFound, "%w", missing)
	}
	return nil
}

// SameDecision says whether two reviews are the same in every field.
func SameDecision(a, b *Review) bool {
	x, y := *a, *b
	if (x.Episode == nil) != (y.Episode == nil) || x.Episode != nil && x.Episode.Compare(*y.Episode) != 0 || !x.Time.Equal(y.Time) || !x.At.Equal(y.At) {
		return false
	}
	x.Episode, y.Episode, x.Time, y.Time, x.At, y.At = nil, nil, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return x == y
}

// aheadOf are the times of the review after now. What is planned may lie ahead, as in a record.
func aheadOf(r *Review, planned bool, now time.Time) Problems {
	var p Problems
	if r.At.After(now.Add(clockSkew)) {
		p = append(p, Problem{"at", fmt.Sprintf("%s is later than now (%s); leave it out where it is decided now",
			r.At.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))})
	}
	if !planned && r.Time.After(now.Add(clockSkew)) {
		p = append(p, Problem{"time", fmt.Sprintf("%s is later than now (%s); decide when it has come, or check its date and zone",
			r.Time.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))})
	}
	return p
}

// reviewed lists what the review names that does not exist, and says whether its incident is planned: a drill or a maintenance.
func reviewed(ctx context.Context, s ReviewStore, r *Review) (missing Problems, planned bool, err error) {
	named := func(path, id string) (Incident, error) {
		in, problem, err := namedIncident(ctx, s, id)
		if problem != "" {
			missing = append(missing, Problem{path, problem})
		}
		return in, err
	}
	if r.Incident != "" {
		in, err := named("incident", r.Incident)
		if err != nil {
			return nil, false, err
		}
		planned = in.Kind == KindDrill || in.Kind == KindMaintenance
	}
	switch r.Action {
	case ReviewMerge, ReviewSplit:
		if _, err := named("other", r.Other); err != nil {
			return nil, false, err
		}
	case ReviewWithdraw:
		_, err := s.Review(ctx, r.Other)
		if err != nil && CodeOf(err) != CodeNotFound {
			return nil, false, err
		}
		if err != nil {
			missing = append(missing, Problem{"other", fmt.Sprintf("there is no review %q", cut(r.Other))})
		}
	case ReviewConfirm, ReviewReject:
		problem, err := namedEpisode(ctx, s, *r.Episode)
		if err != nil {
			return nil, false, err
		}
		missing = append(missing, problem...)
	}
	return missing, planned, nil
}

// namedIncident is the incident that a review means, or what is wrong with its name. An ID that an earlier review names was
// one, even where alerts open no such incident any more: what was decided of it can be decided anew.
func namedIncident(ctx context.Context, s ReviewStore, id string) (in Incident, problem string, err error) {
	in, err = s.Incident(ctx, id)
	if err == nil || CodeOf(err) != CodeNotFound {
		return in, "", err
	}
	if source, key, ok := strings.Cut(id, "/"); ok {
		k := RecordKey{Source: source, ID: key}
		switch _, err := s.Record(ctx, k); {
		case err == nil:
			return in, fmt.Sprintf("%q is a record; its incident is %q", cut(id), RecordID(k)), nil
		case CodeOf(err) == CodeNotFound:
			return in, fmt.Sprintf("there is no record %q, and an incident is named by its id, as /api/v1/incidents gives it", cut(id)), nil
		default:
			return in, "", err
		}
	}
	all, err := s.Reviews(ctx)
	if err != nil {
		return in, "", err
	}
	if slices.ContainsFunc(all, func(o Review) bool { return o.Incident == id || o.Other == id && o.Action != ReviewWithdraw }) {
		return in, "", nil
	}
	return in, fmt.Sprintf("there is no incident %q", cut(id)), nil
}

// namedEpisode says what is wrong where no episode of that alert has that start: nothing could ever come of the review.
func namedEpisode(ctx context.Context, s ReviewStore, k EpisodeKey) (Problems, error) {
	heard, err := s.SightingsOf(ctx, []string{k.Fingerprint})
	if err != nil {
		return nil, err
	}
	if len(heard) == 0 {
		return Problems{{"episode.fingerprint", fmt.Sprintf("there is no alert %q", cut(k.Fingerprint))}}, nil
	}
	nearest := heard[0].begin()
	for i := range heard {
		at := heard[i].begin()
		if at.Equal(k.StartsAt) {
			return nil, nil
		}
		if at.Sub(k.StartsAt).Abs() < nearest.Sub(k.StartsAt).Abs() {
			nearest = at
		}
	}
	return Problems{{"episode.starts_at", fmt.Sprintf("no episode of this alert starts at %s; the nearest starts at %s",
		k.StartsAt.UTC().Format(time.RFC3339Nano), nearest.UTC().Format(time.RFC3339Nano))}}, nil
}

// takenIn waits until correlation has taken in every change that is stored now.
func takenIn(ctx context.Context, s ReviewStore) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reviewWait,
		Errorf(CodePending, "what was stored is still being worked out, so it is not known whether this exists; send it again in a few seconds"))
	defer cancel()
	var newest int64 // of the changes to be waited for
	for known := false; ; {
		cursor, rules, err := s.Position(ctx)
		if err == nil && !known {
			var changes []Change
			changes, err = s.Changes(ctx, max(cursor, newest), reviewBacklog)
			if newest = max(cursor, newest); len(changes) > 0 {
				newest = changes[len(changes)-1].Seq
			}
			if known = err == nil && len(changes) < reviewBacklog; err == nil && !known {
				continue
			}
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case rules != "" && cursor >= newest:
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(reviewLook):
		}
	}
}
