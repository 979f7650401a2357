package history

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestOffset has what the first samples of conditions show of a query offset, one after another.
func TestOffset(t *testing.T) {
	ten := []Rule{{For: time.Minute}}
	none := settings{}
	for name, c := range map[string]struct {
		state    string // a rule that is evaluated every 2 s
		rules    []Rule
		settings *settings // nil: it does not tell
		old      bool
		want     int64
		known    bool
	}{
		"one first sample is a guess":                  {state: "104.3..106.3=114", rules: ten, want: 10_000},
		"two that agree are known":                     {state: "104.3..106.3=114 204.7..206.7=214", rules: ten, want: 10_000, known: true},
		"two of one start count once":                  {state: "104.3=114 108.3=118", rules: ten, want: 10_000},
		"what the server says of all and one shows":    {state: "104.3..106.3=104", rules: ten, settings: &none, known: true},
		"what one shows and not the server":            {state: "104.3..106.3=114", rules: ten, settings: &none, want: 10_000},
		"nothing is seen":                              {rules: ten, settings: &settings{queryOffset: time.Minute}, want: 60_000},
		"of the third evaluation, another's second":    {state: "108.3..110.3=107", rules: ten, want: 1000},
		"of the third evaluation, that second's":       {state: "108.3..110.3=104", rules: ten},
		"a restored value":                             {state: "108.3..110.3=105", rules: []Rule{{For: time.Hour}}},
		"nothing was there for so long to restore it":  {state: "7998.3..8000.3=7995", rules: []Rule{{For: time.Hour}}, want: 1000},
		"no rule that tells":                           {state: "108.3..110.3=105"},
		"less comes from what was not written":         {state: "104.3..106.3=114 208.3..210.3=214", rules: ten, want: 10_000},
		"more comes from a rule that was written":      {state: "108.3..110.3=114 204.3..206.3=214", rules: ten, want: 10_000},
		"a group is given another":                     {state: "104.3=114 204.3=214 304.3=304 404.3=404", rules: ten, known: true},
		"what one shows changes nothing that is known": {state: "104.3=114 204.3=214 304.3=304 404.3=414", rules: ten, want: 10_000, known: true},
		"before 2.53 there are none":                   {state: "104.3..106.3=114", rules: ten, old: true, known: true},
		"the edge of what was asked for":               {state: "2.3..6.3=12", rules: ten},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(Options{Name: "history"})
			s.server.rules, s.server.grace, s.server.noOffsets = Rules{"X": c.rules}, 600_000, c.old
			s.server.unsettled = errNoSettings
			if c.settings != nil {
				s.server.settings, s.server.unsettled = *c.settings, nil
			}
			x := samples(t, c.state)
			s.learn(map[string]string{"alertname": "X"}, x.stretches(2000, true), 0, 0)
			got, known := s.offset("X")
			require.Equal(t, c.want, got)
			require.Equal(t, c.known, known)
		})
	}
	for version, want := range map[string]bool{
		"2.42.0": true, "2.52.1+ds": true, "v2.9.0": true, "2.53.0": false, "3.5.0": false, "": false, "main": false, "2": false,
	} {
		require.Equal(t, want, withoutOffsets(version), version)
	}
}
