package events

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/calendar"
	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
)

// FuzzEvents: whatever the document, what an entry tells stands in its words, and no entry is of two incidents.
func FuzzEvents(f *testing.F) {
	f.Add("a.md", []byte("# Outage 2024-05-06 UTC\n\n- 10:00 Customers could not log in\n- 10:05 Alert: Down\n- 10:30 not restored yet\n- 11:00 Closed\n"))
	f.Add("a.md", []byte("## Incident 1, 2024-05-06\n\n10:00 down, 10:30 up\n\n## Incident 2, 2024-06-07\n\n11:00 down, 11:30 restored\n"))
	f.Add("b.md", []byte("| Date | Start | End | What |\n|-|-|-|-|\n| 2024-05-06 | 10:00 | 10:30 | outage |\n| 2024-05-07 | 10:00 | 10:30 | outage |\n"))
	all, err := lexicon.All()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		d := document.Parse(name, body)
		if len(d.Blocks) == 0 {
			return
		}
		tongue := document.Detect(d.Blocks, all)
		sup, err := NewSuppliers(&d, tongue)
		require.NoError(t, err)
		o := timeline.Of(d, tongue)
		fs := o.Fields()
		cal := calendar.Of(o, calendar.Given{})
		calendar.Place(o, &cal)
		calendar.Apply(o, calendar.ZoneOf(o, fs, calendar.Given{}), &cal)
		for i := range o.Entries {
			e := &o.Entries[i]
			Classify(o, e, sup)
			n := len(o.Words(e))
			for k, told := range e.Kinds {
				require.Contains(t, append([]lexicon.Kind{lexicon.Note}, lexicon.KindOrder...), k)
				require.True(t, told.From >= 0 && told.From <= told.To && told.To <= n, "%s %v of %d", k, told, n)
			}
		}
		Sort(o, fs)
		of := map[int]int{}
		for g, x := range Split(o, &cal) {
			for _, i := range x.Entries {
				require.True(t, i >= 0 && i < len(o.Entries))
				before, twice := of[i]
				require.False(t, twice, "entry %d is of %d and %d", i, before, g)
				of[i] = g
			}
		}
	})
}
