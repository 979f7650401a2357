// Package invent makes up organisations: their services, what went wrong, which alerts fired, what Alertmanager sent and
// what people wrote about it, with the truth beside it. It knows nothing of how correlation works.
//
// What it simulates, step by step, with the figures in Parameters:
//
//   - Services in three levels (edge, middle, store) with shared infrastructure below; each calls some of the level
//     below, middles call each other. A service's own alerts name it in one of five ways; pod, probe, store and node
//     alerts carry the labels of their exporters.
//   - An incident begins at a root, spreads to services that need it with delays, in one region or all, ends, may come
//     back. Each affected service's rules fire or do not, after smoothing and `for`, may flap, and end after recovery.
//   - Noise: short lone alerts, small bursts of one service, alerts that fire again and again for days, alerts that fire
//     for days, outages of monitoring itself, maintenance.
//   - Two Prometheus replicas with skewed starts, two Alertmanagers, groups with group_wait, group_interval and
//     repeat_interval, lost resolves, late and disordered deliveries, a firing after its resolved.
//   - What the field does besides, where Habits say so: people who come late, incidents that follow each other or come
//     back as tickets of their own, incidents of days, nightly jobs, frequent alerts, silences.
//   - People write records late, in their own names, rounded, with gaps and mistakes, sometimes twice, and edit them.
package invent

import (
	"bufio"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Parameters are everything that shapes an organisation. Shares and probabilities are 0 to 1.
type Parameters struct {
	Name     string
	Seed     uint64
	Days     int
	Services int // edges and middles; stores and infrastructure come on top
	// Plain leaves rules, aliases and dependencies out of the topology, as if nobody had configured anything, and
	// uses only labels of Kubernetes.
	Plain bool

	Incidents              int
	Overlap                float64 // begins within another incident
	AllRegions             float64
	Spread, SpreadDecay    float64       // that trouble reaches a service that needs this one; times decay per step
	SpreadDelay            time.Duration // mean
	Median                 time.Duration // of an incident's length
	Sigma                  float64       // of its logarithm
	Relapse                float64
	Unseen, Slow, Unrecord float64 // no alert at all; only slow rules; no record
	Drill                  float64
	Fires                  float64 // that a rule of the root's fires; of others, 0.7 of it
	Flap                   float64
	Pods                   [2]int

	LonePerServiceDay    float64 // short lone alerts
	BurstsPerDay         float64
	Repeaters, Endless   int           // alerts that fire again and again; that fire for days
	RepeaterGap          time.Duration // mean
	Blips, Maintenance   float64       // per 30 days
	MaintenanceRecorded  float64
	Pair, Skew           float64 // delivered by the second Alertmanager too; fired by the second Prometheus first
	LostResolve, Late    float64
	Stale                float64 // firing delivered after its resolved
	OtherName, Listed    float64 // labels name the service otherwise; rules and names listed in the topology
	StartedMissing       float64
	StartedIsDetected    float64
	Round5               float64
	DetectedMissing      float64
	MitigatedMissing     float64
	ResolvedMissing      float64
	ResolvedHoursLate    float64
	ZoneMistake          float64
	Alias                float64
	WrongService, NoName float64 // the record names a service that suffered; none
	TwoRecords, CrossRef float64
	References           float64

	Habits
}

// Busy is an organisation with about as many noisy alerts as true ones.
func Busy(seed uint64) Parameters {
	return Parameters{
		Name: "busy", Seed: seed, Days: 10, Services: 16, Incidents: 15, Overlap: 0.2, AllRegions: 0.35, Spread: 0.6, SpreadDecay: 0.65, SpreadDelay: 150 * time.Second,
		Median: 40 * time.Minute, Sigma: 0.9, Relapse: 0.12, Unseen: 0.15, Slow: 0.12, Unrecord: 0.2, Drill: 0.06, Fires: 0.6, Flap: 0.2, Pods: [2]int{1, 3},
		LonePerServiceDay: 0.35, BurstsPerDay: 0.15, Repeaters: 3, Endless: 2, RepeaterGap: 100 * time.Minute, Blips: 3, Maintenance: 4, MaintenanceRecorded: 0.5,
		Pair: 0.25, Skew: 0.3, LostResolve: 0.05, Late: 0.04, Stale: 0.03, OtherName: 0.4, Listed: 0.85,
		StartedMissing: 0.35, StartedIsDetected: 0.2, Round5: 0.45, DetectedMissing: 0.35, MitigatedMissing: 0.4, ResolvedMissing: 0.08, ResolvedHoursLate: 0.2,
		ZoneMistake: 0.02, Alias: 0.55, WrongService: 0.12, NoName: 0.06, TwoRecords: 0.15, CrossRef: 0.4, References: 0.2,
	}
}

// Storm is one whose incidents spread and overlap, with twice the noise.
func Storm(seed uint64) Parameters {
	p := Busy(seed)
	p.Name, p.Overlap, p.Spread, p.SpreadDecay, p.Flap, p.Pods = "storm", 0.45, 0.85, 0.8, 0.35, [2]int{2, 6}
	p.LonePerServiceDay, p.BurstsPerDay, p.Repeaters, p.Endless, p.Blips, p.Maintenance = 0.6, 0.5, 6, 5, 6, 8
	p.Pair, p.Skew, p.LostResolve, p.Late, p.Stale, p.StartedMissing, p.WrongService, p.References = 0.4, 0.4, 0.1, 0.1, 0.06, 0.45, 0.18, 0.12
	return p
}

// Calm is a small one whose few incidents are well described.
func Calm(seed uint64) Parameters {
	p := Busy(seed)
	p.Name, p.Services, p.Incidents, p.Overlap, p.LonePerServiceDay, p.Repeaters, p.BurstsPerDay = "calm", 8, 8, 0.05, 0.15, 1, 0.05
	p.StartedMissing, p.Round5, p.Alias, p.WrongService, p.ResolvedHoursLate = 0.15, 0.2, 0.3, 0.05, 0.1
	return p
}

// Plain is one that configured nothing.
func Plain(seed uint64) Parameters {
	p := Busy(seed)
	p.Name, p.Plain, p.OtherName, p.Alias = "plain", true, 0, 0.3
	return p
}

// World is what was made up.
type World struct {
	Parameters
	rng      *rand.Rand
	from, to time.Time
	regions  []string
	services []*service
	byName   map[string]*service
	troubles []*trouble
	episodes []*episode
	silences []*silence
}

// Invent makes an organisation up. The same parameters give the same organisation.
func Invent(p Parameters) *World {
	w := &World{Parameters: p, rng: rand.New(rand.NewPCG(p.Seed, 0x6d65616e)), from: time.Date(2026, 4, 6, 0, 0, 0, 0, time.UTC), byName: map[string]*service{}}
	w.to = w.from.AddDate(0, 0, p.Days)
	w.found()
	w.incidents()
	w.special()
	w.noise()
	w.quiet()
	slices.SortStableFunc(w.episodes, func(a, b *episode) int { return a.start.Compare(b.start) })
	w.settle()
	return w
}

// Write writes notifications.jsonl, records.jsonl, silences.jsonl where there are any, topology.json and truth.json into a folder.
func (w *World) Write(dir string) error {
	notes := w.notifications() // decides what was visible, which the truth needs
	papers := w.papers()
	if err := writeLines(filepath.Join(dir, "notifications.jsonl"), notes); err != nil {
		return err
	}
	if err := writeLines(filepath.Join(dir, "records.jsonl"), papers); err != nil {
		return err
	}
	if len(w.silences) > 0 {
		if err := writeLines(filepath.Join(dir, "silences.jsonl"), w.hushes()); err != nil {
			return err
		}
	}
	if err := writeJSON(filepath.Join(dir, "topology.json"), w.topology()); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, "truth.json"), w.truth())
}

func writeLines[T any](path string, lines []T) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	enc := json.NewEncoder(out)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

func (w *World) chance(p float64) bool { return w.rng.Float64() < p }

func (w *World) between(a, b time.Duration) time.Duration {
	return a + time.Duration(w.rng.Int64N(int64(b-a)+1))
}

func (w *World) expo(mean time.Duration) time.Duration {
	return time.Duration(w.rng.ExpFloat64() * float64(mean))
}

func (w *World) logNormal(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*w.rng.NormFloat64()))
}

func pick[T any](w *World, list []T) T { return list[w.rng.IntN(len(list))] }

// poisson is a number of events with the given mean.
func (w *World) poisson(mean float64) int {
	n, p, limit := 0, 1.0, math.Exp(-mean)
	for p *= w.rng.Float64(); p > limit; p *= w.rng.Float64() {
		n++
	}
	return n
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
