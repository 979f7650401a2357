package correlate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/correlate/catalog"
	"meantime/incident"
)

var pastNoon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// world is a shelf with a Runner and a clock.
type world struct {
	t      require.TestingT
	shelf  *shelf
	runner *Runner
	rules  Rules
	now    time.Time
	sizes  sizes
}

// newWorld is one whose Runner keeps all that it reads or, unless it is roomy, next to nothing, in cells of few alerts.
func newWorld(t require.TestingT, rules Rules, roomy bool) *world {
	w := &world{t: t, shelf: newShelf(), rules: rules, now: pastNoon, sizes: usualSizes}
	if !roomy {
		w.sizes = sizes{cell: 3, atHand: 1, flush: 2}
	}
	w.restart()
	return w
}

func (w *world) restart() {
	w.runner = NewRunner(Options{Facts: w.shelf, Rules: w.rules, Now: func() time.Time { return w.now }, Deliver: w.shelf.save})
	w.runner.sizes = w.sizes
}

func (w *world) settle() { require.NoError(w.t, w.runner.CatchUp(context.Background())) }

// check compares what is stored with what Correlate makes of all facts.
func (w *world) check() {
	rules := w.rules
	want := correlate(w.shelf.facts(), &rules, w.now, w.sizes)
	text := func(in incident.Incident) string {
		in.Measurements = nil
		b, err := json.MarshalIndent(&in, "", " ")
		require.NoError(w.t, err)
		return string(b)
	}
	var expected []string
	for _, in := range want.Incidents {
		expected = append(expected, in.ID)
		stored, ok := w.shelf.incidents[in.ID]
		require.True(w.t, ok, "incident %s is missing: %s", in.ID, text(in))
		require.Equal(w.t, text(in), text(stored), "incident %s", in.ID)
	}
	require.Equal(w.t, strings.Join(expected, " "), strings.Join(sortedKeys(w.shelf.incidents), " "))
	require.Len(w.t, w.shelf.verdicts, len(want.Verdicts))
	for i := range want.Verdicts {
		v := &want.Verdicts[i]
		stored, ok := w.shelf.verdicts[utc(v.Episode.Key())]
		require.True(w.t, ok, "a verdict is missing")
		require.True(w.t, v.Episode.EndsAt.Equal(stored.Episode.EndsAt))
		require.Equal(w.t, []any{v.Episode.End, v.Episode.Name(), v.Service, v.Severity, v.Outcome, v.Incident},
			[]any{stored.Episode.End, stored.Episode.Name(), stored.Service, stored.Severity, stored.Outcome, stored.Incident})
	}
}

func smallRules() Rules {
	rules := DefaultRules()
	m, err := labels.ParseMatchers(`severity="critical"`)
	if err != nil {
		panic(err)
	}
	rules.Open.Matchers = append(rules.Open.Matchers, m)
	rules.Sources = []string{"ours", "theirs"}
	rules.Watchdogs = []Watchdog{{Name: "dog", Matchers: must(`alertname="Watchdog"`), Every: 3 * time.Hour}}
	return rules
}

func must(s string) labels.Matchers {
	m, err := labels.ParseMatchers(s)
	if err != nil {
		panic(err)
	}
	return m
}

var someServices = []string{"checkout", "payments", "search", "ledger"}

// ago draws how long before the present something began: mostly lately, now and then long ago.
func ago(t *rapid.T, label string) time.Duration {
	d := rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2, 9, 20, 60}).Draw(t, label+" days")
	return time.Duration(d)*24*time.Hour + time.Duration(rapid.IntRange(0, 1440).Draw(t, label+" minutes"))*time.Minute
}

func drawAlert(t *rapid.T, now time.Time) incident.Sighting {
	service := rapid.SampledFrom(someServices).Draw(t, "service")
	name := rapid.SampledFrom([]string{"Errors", "Slow", "Down"}).Draw(t, "name")
	unit := rapid.IntRange(0, 1).Draw(t, "unit")
	start := now.Add(-ago(t, "start"))
	return alertOf(t, service, name, unit, start, now)
}

func alertOf(t *rapid.T, service, name string, unit int, start, now time.Time) incident.Sighting {
	l := map[string]string{"alertname": name, "service": service, "instance": fmt.Sprint(service, "-", unit), "region": []string{"north", "south"}[unit],
		"severity": map[string]string{"Errors": "critical", "Slow": "warning", "Down": "critical"}[name]}
	told := start.Add(30 * time.Second)
	if rapid.IntRange(0, 4).Draw(t, "told late") == 0 {
		told = now // years later, it may be
	}
	s := incident.Sighting{Fingerprint: fmt.Sprintf("%s-%s-%d", service, name, unit), StartsAt: start, FiringFirst: told, FiringLast: told, ToldAt: told, Labels: l}
	if rapid.IntRange(0, 5).Draw(t, "names") == 0 {
		s.Annotations = map[string]string{"incident_key": "ours/" + fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "named"))}
	}
	return s
}

func drawRecord(t *rapid.T, now time.Time, version int) incident.Record {
	begin := now.Add(-ago(t, "record"))
	r := incident.Record{
		Source: rapid.SampledFrom([]string{"ours", "theirs"}).Draw(t, "source"), ID: fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "id")),
		Title:     rapid.SampledFrom([]string{"checkout answers with errors", "search is slow", "it is down", ""}).Draw(t, "title"),
		State:     rapid.SampledFrom([]incident.State{"", "", incident.StateOpen, incident.StateResolved, incident.StateCancelled}).Draw(t, "state"),
		UpdatedAt: now.Add(-time.Hour).Add(time.Duration(version) * time.Second), CreatedAt: begin.Add(10 * time.Minute), Milestones: map[incident.MilestoneName]incident.Stated{},
		Withdrawn: rapid.IntRange(0, 7).Draw(t, "withdrawn") == 0,
	}
	if rapid.Bool().Draw(t, "names a service") {
		r.Services = []string{rapid.SampledFrom(someServices).Draw(t, "record's service")}
	}
	switch rapid.IntRange(0, 7).Draw(t, "refers") {
	case 0:
		r.References.Fingerprints = []string{fmt.Sprintf("%s-Slow-0", rapid.SampledFrom(someServices).Draw(t, "referred"))}
	case 1:
		r.References.Keys = []string{fmt.Sprintf("ours/%d", rapid.IntRange(1, 4).Draw(t, "referred"))}
	}
	for i, m := range incident.MilestoneNames {
		if rapid.Bool().Draw(t, string(m)) {
			r.Milestones[m] = incident.Stated{At: begin.Add(time.Duration(i*rapid.SampledFrom([]int{1, 5, 20, 1500}).Draw(t, "after")) * time.Minute)}
		}
	}
	r.Normalize()
	return r
}

// drawReview draws a decision about what is stored.
func (w *world) drawReview(t *rapid.T, n int) (incident.Review, bool) {
	r := incident.Review{ID: fmt.Sprint("review-", n), At: w.now.Add(-time.Duration(rapid.IntRange(0, 50).Draw(t, "reviewed hours ago")) * time.Hour), By: "someone", Reason: "so"}
	ids := sortedKeys(w.shelf.incidents)
	if len(ids) == 0 {
		return r, false
	}
	id := func(label string) string {
		in := w.shelf.incidents[rapid.SampledFrom(ids).Draw(t, label)]
		return rapid.SampledFrom(append([]string{in.ID}, in.Aliases...)).Draw(t, label+" alias")
	}
	r.Incident = id("incident")
	r.Action = rapid.SampledFrom(incident.ReviewActions).Draw(t, "action")
	switch r.Action {
	case incident.ReviewConfirm, incident.ReviewReject:
		var keys []incident.EpisodeKey
		for k := range w.shelf.verdicts {
			keys = append(keys, k)
		}
		if len(keys) == 0 {
			return r, false
		}
		slices.SortFunc(keys, incident.EpisodeKey.Compare)
		k := rapid.SampledFrom(keys).Draw(t, "episode")
		r.Episode = &k
	case incident.ReviewSet:
		r.Milestone, r.Time = incident.Resolved, w.now.Add(-ago(t, "set"))
	case incident.ReviewClear:
		r.Milestone = incident.Started
	case incident.ReviewMerge, incident.ReviewSplit:
		r.Other = id("other")
		if r.Other == r.Incident {
			return r, false
		}
	case incident.ReviewMark:
		r.Mark = rapid.SampledFrom([]string{"drill", "incident", "cancelled"}).Draw(t, "mark")
	case incident.ReviewWithdraw:
		others := sortedKeys(w.shelf.reviews)
		if len(others) == 0 {
			return r, false
		}
		r.Incident, r.Other = "", rapid.SampledFrom(others).Draw(t, "withdrawn review")
	}
	return r, true
}

// An alert that is told two years late belongs to the incident of then, and opens none of its own: whether the Runner knows all
// facts or those around what changed.
func TestToldYearsLate(t *testing.T) {
	for _, roomy := range []bool{true, false} {
		w := newWorld(t, smallRules(), roomy)
		then := w.now.AddDate(-2, 0, 0)
		r := incident.Record{Source: "ours", ID: "1", Title: "checkout answers with errors", Services: []string{"checkout"}, State: incident.StateResolved, UpdatedAt: w.now, Milestones: map[incident.MilestoneName]incident.Stated{
			incident.Started: {At: then}, incident.Resolved: {At: then.Add(time.Hour)},
		}}
		r.Normalize()
		w.shelf.put(incident.Facts{Records: []incident.Record{r}})
		w.settle()
		w.shelf.put(incident.Facts{Sightings: []incident.Sighting{{
			Fingerprint: "late", StartsAt: then.Add(time.Minute), EndsAt: then.Add(50 * time.Minute), FiringFirst: w.now, FiringLast: w.now, ResolvedFirst: w.now, ToldAt: w.now,
			Labels: map[string]string{"alertname": "Errors", "service": "checkout", "severity": "critical"},
		}}})
		w.settle()
		require.Len(t, w.shelf.incidents, 1)
		require.Len(t, ptr(w.shelf.incidents[incident.RecordID(r.Key())]).Linked(), 1)
		w.check()

		// What is told of today, with the same alert firing again, leaves that as it is.
		w.shelf.put(incident.Facts{Sightings: []incident.Sighting{{
			Fingerprint: "late", StartsAt: w.now, FiringFirst: w.now, FiringLast: w.now, ToldAt: w.now, Labels: map[string]string{"alertname": "Errors", "service": "checkout", "severity": "critical"},
		}}})
		w.settle()
		require.Len(t, ptr(w.shelf.incidents[incident.RecordID(r.Key())]).Linked(), 1)
		w.check()
	}
}

// A watchdog that falls silent, or is heard of again, changes what is said of a time to come as well.
func TestBlindToWhatIsToCome(t *testing.T) {
	for name, between := range map[string]func(*world){
		"":          func(*world) {},
		"a restart": (*world).restart,
		"a refusal": func(w *world) {
			w.shelf.refuse = true
			require.Error(t, w.runner.CatchUp(context.Background()))
			w.shelf.refuse = false
		},
	} {
		for _, roomy := range []bool{true, false} {
			w := newWorld(t, smallRules(), roomy)
			step := func(blind bool) {
				between(w)
				w.settle()
				w.check()
				for _, in := range w.shelf.incidents {
					require.Equal(t, blind, in.Blind, name)
				}
			}
			r := incident.Record{Source: "ours", ID: "1", UpdatedAt: w.now, Milestones: map[incident.MilestoneName]incident.Stated{incident.Resolved: {At: w.now.Add(100 * time.Hour)}}}
			r.Normalize()
			w.shelf.put(incident.Facts{Records: []incident.Record{r}, Beats: []incident.Beat{{Watchdog: "dog", At: w.now}}})
			w.settle()
			w.check()
			w.now = w.now.Add(4 * time.Hour)
			step(true)
			w.shelf.put(incident.Facts{Beats: []incident.Beat{{Watchdog: "dog", At: w.now.Add(-time.Minute)}}})
			step(false)
		}
	}
}

// An incident tells of the alerts that somebody said are not its own, however long ago it was.
func TestRejectedFarAway(t *testing.T) {
	for _, roomy := range []bool{true, false} {
		w := newWorld(t, smallRules(), roomy)
		r := incident.Record{Source: "ours", ID: "1", Title: "search is slow", UpdatedAt: w.now, Milestones: map[incident.MilestoneName]incident.Stated{
			incident.Started: {At: w.now.AddDate(-1, 0, 0)}, incident.Resolved: {At: w.now.AddDate(-1, 0, 1)},
		}}
		r.Normalize()
		s := incident.Sighting{Fingerprint: "search", StartsAt: w.now, FiringFirst: w.now, FiringLast: w.now, ToldAt: w.now, Labels: map[string]string{"alertname": "Errors", "service": "search", "severity": "critical"}}
		key := incident.EpisodeKey{Fingerprint: s.Fingerprint, StartsAt: s.StartsAt}
		id := incident.RecordID(r.Key())
		w.shelf.put(incident.Facts{Records: []incident.Record{r}, Sightings: []incident.Sighting{s}, Reviews: []incident.Review{{ID: "1", Incident: id, Action: incident.ReviewReject, Episode: &key, At: w.now, By: "ann"}}})
		w.settle()
		w.check()
		links := func() []incident.Link { return ptr(w.shelf.incidents[id]).Links }
		require.Len(t, links(), 1)
		w.now = w.now.Add(time.Hour)
		s.FiringLast, s.ToldAt = w.now, w.now
		w.shelf.put(incident.Facts{Sightings: []incident.Sighting{s}})
		w.restart()
		w.settle()
		w.check()
		w.now = w.now.Add(time.Hour)
		s.EndsAt, s.ResolvedFirst, s.ToldAt = w.now, w.now, w.now
		w.shelf.put(incident.Facts{Sightings: []incident.Sighting{s}})
		w.settle()
		w.check()
		require.Equal(t, incident.EndResolved, links()[0].Episode.End)
	}
}

// What a person says of two things that lie weeks apart holds, whatever else is known of the time between.
func TestDecidedFarAway(t *testing.T) {
	for _, roomy := range []bool{true, false} {
		w := newWorld(t, smallRules(), roomy)
		alert := func(service string, start time.Time) incident.EpisodeKey {
			w.shelf.put(incident.Facts{Sightings: []incident.Sighting{{
				Fingerprint: service, StartsAt: start, EndsAt: start.Add(2 * time.Hour), FiringFirst: start, FiringLast: start, ResolvedFirst: start.Add(2 * time.Hour), ToldAt: start,
				Labels: map[string]string{"alertname": "Errors", "service": service, "severity": "critical"},
			}}})
			return incident.EpisodeKey{Fingerprint: service, StartsAt: start}
		}
		early, late := alert("search", w.now.AddDate(0, 0, -20)), alert("payments", w.now.AddDate(0, 0, -10))
		r := incident.Record{Source: "ours", ID: "1", Title: "no word of when", UpdatedAt: w.now.AddDate(0, 0, -30)} // tells no milestone
		r.Normalize()
		w.shelf.put(incident.Facts{Records: []incident.Record{r}})
		w.settle()
		w.check()
		require.Len(t, w.shelf.incidents, 3)
		decide := func(r incident.Review) {
			r.ID, r.At, r.By = fmt.Sprint(len(w.shelf.reviews)), w.now, "ann"
			w.shelf.put(incident.Facts{Reviews: []incident.Review{r}})
			w.settle()
			w.check()
			w.now = w.now.Add(time.Hour)
		}
		first, second, told := incident.EpisodeID(early), incident.EpisodeID(late), incident.RecordID(r.Key())
		decide(incident.Review{Incident: second, Action: incident.ReviewMerge, Other: first})
		require.Len(t, w.shelf.incidents, 2)
		decide(incident.Review{Incident: told, Action: incident.ReviewSet, Milestone: incident.Resolved, Time: w.now})
		require.Equal(t, incident.StateResolved, w.shelf.incidents[told].State)
		decide(incident.Review{Incident: told, Action: incident.ReviewConfirm, Episode: &late})
		require.Len(t, ptr(w.shelf.incidents[told]).Linked(), 1)
		decide(incident.Review{Incident: second, Action: incident.ReviewSplit, Other: first})
	}
}

// An incident of whose times nothing is known is over all the same when a record counts as open no more.
func TestOverWithoutTimes(t *testing.T) {
	for _, roomy := range []bool{true, false} {
		for _, restarts := range []bool{false, true} {
			w := newWorld(t, smallRules(), roomy)
			r := incident.Record{Source: "ours", ID: "1", CreatedAt: w.now, UpdatedAt: w.now}
			r.Normalize()
			w.shelf.put(incident.Facts{Records: []incident.Record{r}})
			w.settle()
			require.Equal(t, incident.StateOpen, w.shelf.incidents[incident.RecordID(r.Key())].State)
			if restarts {
				w.restart()
				w.settle()
			}
			w.now = w.now.Add(w.rules.OpenFor + time.Hour)
			w.settle()
			require.Equal(t, incident.StateResolved, w.shelf.incidents[incident.RecordID(r.Key())].State)
			w.check()
		}
	}
}

// A cell that was cut anew is put away later, by the list that it had.
func TestCellsKeepWhatTheyHeld(t *testing.T) {
	rules := smallRules()
	b := newBook(&rules, usualSizes)
	s := &series{fingerprint: "f"}
	d := &day{}
	for i := range 3 {
		d.entries = append(d.entries, &entry{series: s, start: int64(i)})
	}
	b.days[0], b.reordered[0] = d, true
	b.recut()
	held := d.cells[0].entries
	want := slices.Clone(held)
	held[0].taken, b.reordered[0] = true, true
	b.recut()
	require.Equal(t, want, held)
	require.Len(t, d.cells[0].entries, 2)
}

// Two records that name each other are joined by the same words whichever is told, or read, first.
func TestTheyNameEachOther(t *testing.T) {
	record := func(now time.Time, id, other string) incident.Record {
		r := incident.Record{Source: "ours", ID: id, Title: "checkout is down", CreatedAt: now.Add(-time.Hour), UpdatedAt: now}
		r.References.Keys = []string{"ours/" + other}
		r.Normalize()
		return r
	}
	for range 20 { // maps have no order
		for _, first := range []int{0, 1} {
			w := newWorld(t, smallRules(), true)
			both := []incident.Record{record(w.now, "1", "2"), record(w.now, "2", "1")}
			for _, i := range []int{first, 1 - first} {
				w.shelf.put(incident.Facts{Records: both[i : i+1]})
				w.settle()
			}
			w.check()
			require.Len(t, w.shelf.incidents, 1)
			for _, in := range w.shelf.incidents {
				require.Equal(t, []string{"ours/1 refers to ours/2 by its id"}, in.Merged)
			}
		}
	}
}

// Whatever comes in whatever order, with passes and restarts in between, what is stored in the end is what Correlate makes of
// all facts.
func TestRunnerComesToWhatCorrelateSays(t *testing.T) { histories(t, true) }

// The same of a store of which next to nothing is at hand.
func TestRunnerOfALargeStoreComesToWhatCorrelateSays(t *testing.T) { histories(t, false) }

func histories(t *testing.T, roomy bool) {
	rapid.Check(t, func(t *rapid.T) {
		rules := smallRules()
		if rapid.Bool().Draw(t, "dependencies") {
			rules.Dependencies = []catalog.Dependency{{Service: "checkout", Needs: []string{"payments"}}, {Service: "payments", Needs: []string{"ledger"}}}
		}
		w := newWorld(t, rules, roomy)
		var told []incident.Sighting
		version := 0
		steps := rapid.IntRange(1, 40).Draw(t, "steps")
		for range steps {
			switch step := rapid.IntRange(0, 19).Draw(t, "step"); step {
			case 0, 1, 2, 3, 4:
				s := drawAlert(t, w.now)
				told = append(told, s)
				w.shelf.put(incident.Facts{Sightings: []incident.Sighting{s}})
			case 5: // a burst of one alert, so that it is a habit
				s := drawAlert(t, w.now)
				for i := range rapid.IntRange(5, 12).Draw(t, "burst") {
					x := s
					x.StartsAt = s.StartsAt.Add(-time.Duration(i) * 2 * time.Hour)
					x.FiringFirst, x.FiringLast = x.StartsAt, x.StartsAt
					x.EndsAt, x.ResolvedFirst = x.StartsAt.Add(time.Minute), x.StartsAt.Add(time.Minute)
					w.shelf.put(incident.Facts{Sightings: []incident.Sighting{x}})
				}
			case 6, 7, 8:
				if len(told) > 0 { // it is over, or fires on
					s := rapid.SampledFrom(told).Draw(t, "told")
					if rapid.Bool().Draw(t, "over") {
						s.EndsAt = s.StartsAt.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "lasted")) * time.Minute)
						s.ResolvedFirst = s.EndsAt.Add(time.Minute)
					} else {
						s.FiringLast = s.FiringLast.Add(time.Hour)
						s.ToldAt = s.FiringLast
					}
					w.shelf.put(incident.Facts{Sightings: []incident.Sighting{s}})
				}
			case 9, 10, 11:
				version++
				w.shelf.put(incident.Facts{Records: []incident.Record{drawRecord(t, w.now, version)}})
			case 12:
				if r, ok := w.drawReview(t, len(w.shelf.reviews)); ok {
					w.shelf.put(incident.Facts{Reviews: []incident.Review{r}})
				}
			case 13: // one that is made, or another end of it
				begin := w.now.Add(-ago(t, "silence"))
				w.shelf.put(incident.Facts{Silences: []incident.Silence{{ID: begin.Format(time.RFC3339), CreatedAt: begin, StartsAt: begin, EndsAt: begin.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "holds")) * time.Minute),
					UpdatedAt: w.now, CreatedBy: "someone", Matchers: []incident.SilenceMatcher{{Name: "service", Value: rapid.SampledFrom(someServices).Draw(t, "silenced"), IsEqual: true}}}}})
			case 14:
				w.shelf.put(incident.Facts{Beats: []incident.Beat{{Watchdog: "dog", At: w.now.Add(-time.Duration(rapid.IntRange(0, 3000).Draw(t, "beat")) * time.Minute)}}})
			case 15:
				w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 20, 400, 9000}).Draw(t, "later")) * time.Minute)
			case 16:
				w.restart()
			case 17:
				w.shelf.refuse = true
				_ = w.runner.CatchUp(context.Background())
				w.shelf.refuse = false
			default:
				w.settle()
				w.check()
			}
		}
		w.settle()
		w.check()
	})
}
