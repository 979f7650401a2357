package postmortem

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/extract"
)

func TestPrinted(t *testing.T) {
	const head = "# Outage of the mill\n\nAll times UTC on 2024-05-06.\n\n" +
		"- 10:00 Outage begins\n- 10:42 Alert fires\n- 11:11 Service restored\n\n"
	m := func(part extract.Part, d time.Duration) extract.Length {
		return extract.Length{Least: d - time.Minute, Most: d + time.Minute, Part: part}
	}
	both := []extract.Length{m(extract.ToDetect, 42*time.Minute), m(extract.ToRecover, 71*time.Minute)}
	for _, c := range []struct {
		text string
		want []extract.Length
	}{
		{"- Time to detection: 42 minutes\n- Time to recovery: 71 minutes\n", both},
		{"Detection took 42 minutes, repair 71 minutes, both from the start.\n", both},
		{"TTD 42 min, TTA 3 min\n", []extract.Length{m(extract.ToDetect, 42*time.Minute), m(extract.ToAcknowledge, 3*time.Minute)}},
		{"It took 42 minutes to detect and 71 minutes to recover.\n", both},
		{"| Metric | Value |\n|---|---|\n| Time to detect | 42 min |\n| Time to recover | 71 min |\n",
			both},
		{"Cooking took 42 minutes.\n", nil},
		{"## Action items\n\n- Bring the time to detection below 10 minutes\n", nil},
	} {
		var got []extract.Length
		for _, l := range one(t, "mill.md", head+c.text).Problem.Lengths {
			if l.Part != extract.Whole {
				got = append(got, l)
			}
		}
		require.Equal(t, c.want, got, c.text)
	}
}
