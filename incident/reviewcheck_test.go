package incident

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// reviewable is what reviews are checked against: a record, its incident, a maintenance, two reviews and an alert.
type reviewable struct {
	incidents map[string]Incident
	reviews   []Review
	heard     []Sighting
	cursor    func() int64
	newest    int64
	rules     string
	err       error
}

func (s *reviewable) Incident(_ context.Context, id string) (Incident, error) {
	if in, ok := s.incidents[id]; ok || s.err != nil {
		return in, s.err
	}
	return Incident{}, Errorf(CodeNotFound, "none")
}

func (s *reviewable) Record(_ context.Context, k RecordKey) (Record, error) {
	if k.String() == "ours/1" {
		return Record{}, nil
	}
	return Record{}, Errorf(CodeNotFound, "none")
}

func (s *reviewable) Review(_ context.Context, id string) (Review, error) {
	for _, r := range s.reviews {
		if r.ID == id {
			return r, nil
		}
	}
	return Review{}, Errorf(CodeNotFound, "none")
}

func (s *reviewable) Reviews(context.Context) ([]Review, error) { return s.reviews, nil }

func (s *reviewable) SightingsOf(_ context.Context, fingerprints []string) (out []Sighting, err error) {
	for _, x := range s.heard {
		if x.Fingerprint == fingerprints[0] {
			out = append(out, x)
		}
	}
	return out, nil
}

func (s *reviewable) Position(context.Context) (int64, string, error) {
	return s.cursor(), s.rules, nil
}

func (s *reviewable) Changes(_ context.Context, after int64, limit int) (out []Change, err error) {
	for n := after + 1; n <= s.newest && len(out) < limit; n++ {
		out = append(out, Change{Seq: n})
	}
	return out, nil
}

func newReviewable(fired time.Time) *reviewable {
	return &reviewable{
		incidents: map[string]Incident{"r1": {Kind: KindIncident}, "old": {Kind: KindIncident}, "m1": {Kind: KindMaintenance}},
		reviews: []Review{
			{ID: "v1", By: "ada", Action: ReviewReject, Incident: "agone", Episode: &EpisodeKey{"aa", fired}, At: fired},
			{ID: "v2", By: "ada", Action: ReviewWithdraw, Other: "v0", At: fired},
		},
		heard:  []Sighting{{Fingerprint: "aa", StartsAt: fired}, {Fingerprint: "aa", StartsAt: fired.Add(time.Hour)}, {Fingerprint: "bb", FiringFirst: fired}},
		cursor: func() int64 { return 2500 }, newest: 2500, rules: "r",
	}
}

func TestCheckReview(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	fired := now.Add(-3*time.Hour + 123456789)
	at := func(d time.Duration) time.Time { return now.Add(d) }
	episode := func(fingerprint string, at time.Time) *EpisodeKey { return &EpisodeKey{fingerprint, at} }
	for name, c := range map[string]struct {
		review Review
		code   Code
		want   string
	}{
		"a mark":                        {Review{Action: ReviewMark, Incident: "r1"}, "", ""},
		"by an id that it had":          {Review{Action: ReviewMark, Incident: "old"}, "", ""},
		"none":                          {Review{Action: ReviewMark, Incident: "r7"}, CodeNotFound, `incident: there is no incident "r7"`},
		"one that was reviewed before":  {Review{Action: ReviewConfirm, Incident: "agone", Episode: episode("aa", fired)}, "", ""},
		"withdrawn review as incident":  {Review{Action: ReviewMark, Incident: "v0"}, CodeNotFound, `incident: there is no incident "v0"`},
		"a record's key":                {Review{Action: ReviewMark, Incident: "ours/1"}, CodeNotFound, `incident: "ours/1" is a record; its incident is "` + RecordID(RecordKey{"ours", "1"}) + `"`},
		"a key of no record":            {Review{Action: ReviewMark, Incident: "ours/2"}, CodeNotFound, `incident: there is no record "ours/2", and an incident is named by its id, as /api/v1/incidents gives it`},
		"merge":                         {Review{Action: ReviewMerge, Incident: "r1", Other: "old"}, "", ""},
		"merge with none":               {Review{Action: ReviewMerge, Incident: "r1", Other: "r7"}, CodeNotFound, `other: there is no incident "r7"`},
		"split of two that are not":     {Review{Action: ReviewSplit, Incident: "r7", Other: "r8"}, CodeNotFound, `incident: there is no incident "r7"; other: there is no incident "r8"`},
		"withdraw":                      {Review{Action: ReviewWithdraw, Other: "v1"}, "", ""},
		"withdraw none":                 {Review{Action: ReviewWithdraw, Other: "r1"}, CodeNotFound, `other: there is no review "r1"`},
		"confirm":                       {Review{Action: ReviewConfirm, Incident: "r1", Episode: episode("aa", fired.Add(time.Hour))}, "", ""},
		"of a start that nobody told":   {Review{Action: ReviewConfirm, Incident: "r1", Episode: episode("bb", fired)}, "", ""},
		"confirm an unknown alert":      {Review{Action: ReviewConfirm, Incident: "r1", Episode: episode("cc", fired)}, CodeNotFound, `episode.fingerprint: there is no alert "cc"`},
		"reject in the second":          {Review{Action: ReviewReject, Incident: "r1", Episode: episode("aa", fired.Truncate(time.Second))}, CodeNotFound, `episode.starts_at: no episode of this alert starts at 2026-03-01T09:00:00Z; the nearest starts at 2026-03-01T09:00:00.123456789Z`},
		"reject while it fires":         {Review{Action: ReviewReject, Incident: "r1", Episode: episode("aa", fired.Add(40*time.Minute))}, CodeNotFound, `the nearest starts at 2026-03-01T10:00:00.123456789Z`},
		"a time now":                    {Review{Action: ReviewSet, Incident: "r1", Time: at(0), At: at(0)}, "", ""},
		"clocks that differ":            {Review{Action: ReviewSet, Incident: "r1", Time: at(5 * time.Minute), At: at(5 * time.Minute)}, "", ""},
		"a time that lies ahead":        {Review{Action: ReviewSet, Incident: "r1", Time: at(5*time.Minute + 1)}, CodeInvalid, `time: 2026-03-01T12:05:00Z is later than now (2026-03-01T12:00:00Z); decide when it has come, or check its date and zone`},
		"decided tomorrow":              {Review{Action: ReviewMark, Incident: "r1", At: at(24 * time.Hour)}, CodeInvalid, `at: 2026-03-02T12:00:00Z is later than now`},
		"both, and of none":             {Review{Action: ReviewSet, Incident: "r7", Time: at(time.Hour), At: at(time.Hour)}, CodeInvalid, `there is no incident "r7"`},
		"a maintenance's planned end":   {Review{Action: ReviewSet, Incident: "m1", Time: at(time.Hour)}, "", ""},
		"a maintenance decided ahead":   {Review{Action: ReviewMark, Incident: "m1", At: at(time.Hour)}, CodeInvalid, `at: 2026-03-01T13:00:00Z is later`},
		"sent again, nothing different": {Review{ID: "v2", By: "ada", Action: ReviewWithdraw, Other: "v0", At: at(0)}, "", ""},
		"a stored one changed":          {Review{ID: "v2", By: "ada", Action: ReviewWithdraw, Other: "v9", At: at(0)}, CodeNotFound, `other: there is no review "v9"`},
	} {
		err := CheckReview(t.Context(), newReviewable(fired), &c.review, now)
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.want, name)
		require.Equal(t, c.code, CodeOf(err), name)
		var p Problems
		require.True(t, errors.As(err, &p), "%s names the place", name)
	}
	broken := newReviewable(fired)
	broken.err = Errorf(CodeUnavailable, "disk full")
	require.Equal(t, CodeUnavailable, CodeOf(CheckReview(t.Context(), broken, &Review{Action: ReviewMark, Incident: "r1"}, now)))
}

// What was stored before a review may not be an incident yet: it is waited for, and for nothing that comes after it.
func TestCheckReviewWaitsForCorrelation(t *testing.T) {
	for name, c := range map[string]struct {
		rules         string
		takes, opens  time.Duration
		grows         bool
		code          Code
		within, above time.Duration
	}{
		"opened while it waits":           {"r", 2 * time.Second, 2 * time.Second, false, "", 2200 * time.Millisecond, 2 * time.Second},
		"nothing is pending":              {"r", 0, -1, false, CodeNotFound, time.Millisecond, 0},
		"worked out, and there is none":   {"r", time.Second, -1, false, CodeNotFound, 1200 * time.Millisecond, time.Second},
		"more comes in all the time":      {"r", time.Second, -1, true, CodeNotFound, 1200 * time.Millisecond, time.Second},
		"it takes longer":                 {"r", time.Hour, time.Hour, false, CodePending, 5200 * time.Millisecond, 5 * time.Second},
		"nothing was ever worked out":     {"", 0, -1, false, CodePending, 5200 * time.Millisecond, 5 * time.Second},
		"opened by the very pass it sees": {"r", 100 * time.Millisecond, 100 * time.Millisecond, false, "", 300 * time.Millisecond, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			s := newReviewable(begun)
			s.rules = c.rules
			s.cursor = func() int64 {
				past := time.Since(begun)
				if c.grows {
					s.newest = 2500 + int64(past/time.Millisecond)
				}
				if c.opens >= 0 && past >= c.opens {
					s.incidents["r7"] = Incident{}
				}
				if past >= c.takes {
					return 2500
				}
				return 10
			}
			err := CheckReview(t.Context(), s, &Review{Action: ReviewMark, Incident: "r7"}, begun)
			if c.code == "" {
				require.NoError(t, err, name)
			} else {
				require.Equal(t, c.code, CodeOf(err), "%s: %v", name, err)
			}
			require.LessOrEqual(t, time.Since(begun), c.within, name)
			require.GreaterOrEqual(t, time.Since(begun), c.above, name)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := newReviewable(time.Now())
		s.rules = ""
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, CheckReview(ctx, s, &Review{Action: ReviewMark, Incident: "r7"}, time.Now()), context.DeadlineExceeded, "who asked has gone")
	})
}
