package calendar

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
	"meantime/postmortem/timex"
)

// FuzzMoments: whatever the document, a moment is one of the years that times are read in, it is given only where the day is
// known, what a person says of the zone and the day is taken, and the same text gives the same moments.
func FuzzMoments(f *testing.F) {
	f.Add("a.md", []byte("# Outage 2024-05-06 UTC\n\n- 23:50 down\n- 00:20 up\n\n7 May\n\n- 10:00 closed\n"), false)
	f.Add("a.md", []byte("# Outage\n\n- 10:00 down\n- T+5 up\n- 3/4 11:00 closed\n- Mon 12:00 PST\n"), true)
	f.Add("2024-02-30.md", []byte("At 10:00 on 31 April 2024 it was down (all times CET). Until 24:00 EST 5/6/2024."), false)
	all, err := lexicon.All()
	if err != nil {
		f.Fatal(err)
	}
	told := Given{Zone: timex.FixedZone("UTC+1", 3600), Date: time.Date(2023, 4, 5, 0, 0, 0, 0, time.UTC)}
	f.Fuzz(func(t *testing.T, name string, body []byte, asked bool) {
		var given Given
		if asked {
			given = told
		}
		read := func() (at []time.Time) {
			d := document.Parse(name, body)
			if len(d.Blocks) == 0 {
				return nil
			}
			o := timeline.Of(d, document.Detect(d.Blocks, all))
			fs := o.Fields()
			cal := Of(o, given)
			Place(o, &cal)
			zone := ZoneOf(o, fs, given)
			Apply(o, zone, &cal)
			if asked {
				require.Equal(t, given.Zone, zone.Zone)
				require.Equal(t, timex.DateOf(given.Date), cal.Day)
			}
			for i := range o.Entries {
				e := &o.Entries[i]
				at = append(at, e.At)
				if e.At.IsZero() {
					continue
				}
				require.True(t, e.Dated, "%v", e.At)
				require.True(t, e.At.Year() >= 1989 && e.At.Year() <= 2100, "%v", e.At)
			}
			for _, w := range Windows(o, fs, &cal, zone.Zone) {
				require.False(t, w.To.Before(w.From), "%v", w)
			}
			return at
		}
		require.Equal(t, read(), read())
	})
}
