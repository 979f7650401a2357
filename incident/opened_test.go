package incident

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPointOpened: it is when the first record was made, else the first notification.
func TestPointOpened(t *testing.T) {
	made, told := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		i    Incident
		want time.Time
		why  string
	}{
		{"nothing is known", Incident{}, time.Time{}, ""},
		{"a record", Incident{Opened: made}, made, ""},
		{"a record, and alerts before it", Incident{Opened: made, Alerts: AlertTimes{First: told}}, made, ""},
		{"alerts alone", Incident{Alerts: AlertTimes{First: told}}, told, ""},
		{"alerts nobody heard begin", Incident{Alerts: AlertTimes{FirstUnknown: "since nobody listened"}}, time.Time{}, "since nobody listened"},
		{"and a record", Incident{Opened: made, Alerts: AlertTimes{FirstUnknown: "since nobody listened"}}, made, ""},
	} {
		require.Equal(t, c.want, c.i.Point(PointOpened), c.name)
		require.Equal(t, c.why, c.i.WhyUnknown(PointOpened), c.name)
	}
}
