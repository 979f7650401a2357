package correlate

import (
	"slices"
	"time"

	"meantime/incident"
)

// blindness are the stretches in which a watchdog was silent for longer than its Every: from its last sign of life to the
// next, without an end where it is silent still. Before the first sign of life nothing is known of it.
func blindness(dogs []Watchdog, beats []incident.Beat, now time.Time) map[string][]incident.Impact {
	out := map[string][]incident.Impact{}
	for _, w := range dogs {
		var at []time.Time
		for _, b := range beats {
			if b.Watchdog == w.Name {
				at = append(at, b.At)
			}
		}
		slices.SortFunc(at, time.Time.Compare)
		for i, t := range at {
			last := i+1 == len(at)
			switch {
			case !last && at[i+1].Sub(t) > w.Every:
				out[w.Name] = append(out[w.Name], incident.Impact{From: t, To: at[i+1]})
			case last && now.Sub(t) > w.Every:
				out[w.Name] = append(out[w.Name], incident.Impact{From: t})
			}
		}
	}
	return out
}
