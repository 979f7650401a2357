package sqlstore

import (
	"encoding/json"
	"testing"
	"time"

	"meantime/incident"
)

// BenchmarkBodies compares the reading of bodies with encoding/json's of the same values.
func BenchmarkBodies(b *testing.B) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	x := benchSighting(1, at)
	text := string(appendSighting(nil, &x))
	b.Run("sighting", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = readSighting(x.Fingerprint, 1, text, nil)
		}
	})
	plain, _ := json.Marshal(&x)
	b.Run("sighting by encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var s incident.Sighting
			_ = json.Unmarshal(plain, &s)
		}
	})
	i := benchIncident(1, at)
	head := string(appendHead(nil, &i))
	seen := new(words)
	b.Run("head", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(head)))
		for b.Loop() {
			_, _ = readHead(i.ID, head, seen)
		}
	})
	i.Links = nil
	for n, m := range i.Milestones {
		m.Candidates = nil
		i.Milestones[n] = m
	}
	plain, _ = json.Marshal(&i)
	b.Run("head by encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var i incident.Incident
			_ = json.Unmarshal(plain, &i)
		}
	})
	row, _ := newVerdictRow(&incident.Verdict{Episode: incident.Episodes([]incident.Sighting{x}, time.Hour, at)[0], Service: "checkout", Severity: "critical", Outcome: incident.OutcomeLinked, Incident: "r0123456789abcdef"})
	names := make(map[string]map[string]string)
	b.Run("verdict", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, _ = readVerdict(&reader{s: row.body, words: seen}, names)
		}
	})
}
