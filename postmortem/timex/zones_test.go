package timex

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/lexicon"
)

func TestZoneFollowsTheSeason(t *testing.T) {
	table, err := ZoneTable()
	require.NoError(t, err)
	for _, c := range []struct {
		name        string
		month       int
		offset      string
		contradicts bool
	}{
		{"PT", 1, "-08:00", false},
		{"PT", 7, "-07:00", false},
		{"CST", 8, "-05:00", true},
		{"CST", 1, "-06:00", false},
		{"CET", 7, "+02:00", true},
		{"CET", 12, "+01:00", false},
		{"BST", 7, "+01:00", false},
		{"BST", 12, "+00:00", true},
		{"JST", 7, "+09:00", false},
		{"UTC", 7, "+00:00", false},
	} {
		off, contradicts := table.Names[c.name].OffsetAt(2023, c.month, 15, 12, 0)
		require.Equal(t, c.offset, FormatOffset(off), "%s in month %d", c.name, c.month)
		require.Equal(t, c.contradicts, contradicts, "%s in month %d", c.name, c.month)
	}
}

func TestFindZones(t *testing.T) {
	for _, c := range []struct{ lang, text, want string }{
		{"en", "All times in PDT (UTC-7).", "PDT -07:00"},
		{"en", "Timeline (times in BST)", "BST"},
		{"en", "All times are Berlin time", "Berlin time"},
		{"en", "times are Europe/Madrid", "Europe/Madrid"},
		{"en", "Nothing about zones, EST is only a word here? no: it is one", "EST"},
		{"de", "Alle Zeiten in MESZ.", "MESZ"},
		{"de", "Das ist kein Name", ""},
		{"es", "Todas las horas en hora de Madrid", "hora de Madrid"},
		{"fr", "Toutes les heures sont en heure de Paris.", "heure de Paris"},
		{"ja", "時刻はすべて日本時間です", "日本時間"},
	} {
		got := ""
		for _, z := range FindZones(lexicon.FoldWidth(c.text), testTongue(t, c.lang)) {
			got += z.Label
			if z.Fixed && z.Label == "PDT" {
				got += " " + FormatOffset(z.Offset)
			}
		}
		require.Equal(t, c.want, got, c.text)
	}
}

func TestZoneTable(t *testing.T) {
	table, err := ZoneTable()
	require.NoError(t, err)
	require.NotEmpty(t, table.Cities)
}
