// Command eval plays labelled alerts and records through correlation and scores what it says.
//
// A data set is a folder with notifications.jsonl, records.jsonl, truth.json and, where there are any, topology.json (what
// the organisation would configure) and silences.jsonl. Arguments are such folders, or folders that have some below them.
// Without arguments it plays organisations that package invent makes up, the same each time.
//
// Each data set is played twice: with all that its topology says ("full"), and with the defaults and the opening rule
// alone, as on the day of the installation ("day one").
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"meantime/correlate"
	"meantime/eval/invent"
	"meantime/eval/score"
	"meantime/incident"
)

func main() {
	var o options
	flag.StringVar(&o.out, "out", "", "folder for invented data and answers; empty for a temporary one")
	flag.StringVar(&o.json, "json", "", `file for all figures as JSON; "-" writes them in place of the tables`)
	flag.StringVar(&o.answer, "answer", "", "score this answer.json to the one data set named, and play nothing")
	flag.StringVar(&o.only, "only", "", `"full" or "day one": only that configuration; empty for both`)
	flag.IntVar(&o.seeds, "seeds", 3, "organisations to invent of each profile")
	flag.Uint64Var(&o.first, "first", 1, "the first seed")
	flag.StringVar(&o.profiles, "profiles", "busy,storm,calm,plain,field,late,dense,usual", "profiles to invent")
	flag.Parse()
	if err := run(o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type options struct {
	out, json, answer, only, profiles string
	seeds                             int
	first                             uint64
}

func run(o options, folders []string) (err error) {
	if o.only != "" && o.only != full && o.only != dayOne {
		return fmt.Errorf("-only: %q; it is %q or %q", o.only, full, dayOne)
	}
	if o.out == "" {
		if o.out, err = os.MkdirTemp("", "eval-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.out)
	} else if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	dirs, err := dataSets(folders)
	if err != nil {
		return err
	}
	if len(folders) == 0 {
		if dirs, err = inventions(o); err != nil {
			return err
		}
	}
	t := table{}
	if o.answer != "" {
		if len(dirs) != 1 {
			return fmt.Errorf("-answer: belongs to one data set, and %d are named", len(dirs))
		}
		s, err := scoreFile(dirs[0], o.answer)
		if err != nil {
			return err
		}
		t = append(t, s)
	} else {
		for _, dir := range dirs {
			for _, configured := range []string{full, dayOne} {
				if o.only != "" && o.only != configured {
					continue
				}
				s, err := evaluate(dir, o.out, configured)
				if err != nil {
					return fmt.Errorf("%s: %w", dir, err)
				}
				t = append(t, s)
			}
		}
	}
	if o.json != "" {
		if err := t.writeJSON(o.json); err != nil || o.json == "-" {
			return err
		}
	}
	t.print(os.Stdout)
	return nil
}

// dataSets are the folders named that hold a truth.json, and those below them that do.
func dataSets(folders []string) ([]string, error) {
	var dirs []string
	for _, f := range folders {
		n := len(dirs)
		err := filepath.WalkDir(f, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Name() == "truth.json" && !d.IsDir() {
				dirs = append(dirs, filepath.Dir(path))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(dirs) == n {
			return nil, fmt.Errorf("%s: no data set: neither in it nor below it is a truth.json", f)
		}
	}
	return dirs, nil
}

var profiles = map[string]func(uint64) invent.Parameters{
	"busy": invent.Busy, "storm": invent.Storm, "calm": invent.Calm, "plain": invent.Plain,
	"field": invent.Field, "late": invent.Late, "dense": invent.Dense, "usual": invent.Usual,
}

// inventions makes organisations up and writes each into a folder below out.
func inventions(o options) ([]string, error) {
	var dirs []string
	for _, name := range strings.Split(o.profiles, ",") {
		parameters, ok := profiles[name]
		if !ok {
			return nil, fmt.Errorf("-profiles: unknown profile %q", name)
		}
		for i := range o.seeds {
			seed := o.first + uint64(i)
			dir := filepath.Join(o.out, fmt.Sprintf("%s-%d", name, seed))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return nil, err
			}
			if err := invent.Invent(parameters(seed)).Write(dir); err != nil {
				return nil, err
			}
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// The two configurations.
const (
	full   = "full"
	dayOne = "day one"
)

// result is what is said of one data set under one configuration.
type result struct {
	Set        string        `json:"set"`
	Configured string        `json:"configured"`
	Took       time.Duration `json:"-"` // by correlation alone
	Seconds    float64       `json:"seconds"`
	Figures    score.Figures `json:"figures"`
	// links are all links of the answer, judged.
	links []judged
}

// evaluate plays one data set and scores the answer, which is left in out.
func evaluate(dir, out, configured string) (result, error) {
	r := result{Set: filepath.Base(dir), Configured: configured}
	truth, err := score.ReadTruth(filepath.Join(dir, "truth.json"))
	if err != nil {
		return r, err
	}
	topology, err := readTopology(filepath.Join(dir, "topology.json"))
	if err != nil {
		return r, err
	}
	rules, err := topology.rules(configured == full)
	if err != nil {
		return r, err
	}
	facts, now, err := play(dir, rules.Watchdogs)
	if err != nil {
		return r, err
	}
	begun := time.Now()
	res := correlate.Correlate(facts, &rules, now)
	r.Took = time.Since(begun)
	r.Seconds = r.Took.Seconds()
	answer := answerOf(res)
	b, err := json.Marshal(answer)
	if err != nil {
		return r, err
	}
	name := r.Set + "." + strings.ReplaceAll(configured, " ", "-") + ".answer.json"
	if err := os.WriteFile(filepath.Join(out, name), b, 0o644); err != nil {
		return r, err
	}
	r.links = judge(truth, res)
	r.Figures = score.Score(truth, answer, score.DefaultTolerances)
	return r, nil
}

// scoreFile scores an answer that lies ready.
func scoreFile(dir, path string) (result, error) {
	r := result{Set: filepath.Base(dir), Configured: filepath.Base(path)}
	truth, err := score.ReadTruth(filepath.Join(dir, "truth.json"))
	if err != nil {
		return r, err
	}
	answer, err := score.ReadAnswer(path)
	if err != nil {
		return r, err
	}
	r.Figures = score.Score(truth, answer, score.DefaultTolerances)
	return r, nil
}

// answerOf writes a result in the form that is scored.
func answerOf(res correlate.Result) *score.Answer {
	a := &score.Answer{Incidents: []score.AnsweredIncident{}, Episodes: []score.AnsweredEpisode{}}
	for i := range res.Incidents {
		in := &res.Incidents[i]
		x := score.AnsweredIncident{
			ID: in.ID, RecordIDs: []string{}, OpenedByAlerts: in.OpenedByAlerts, DetectedBy: string(in.DetectedBy),
			Milestones: map[string]score.Time{}, Episodes: []score.AnsweredEpisode{},
		}
		for _, k := range in.Records {
			x.RecordIDs = append(x.RecordIDs, k.ID)
		}
		slices.Sort(x.RecordIDs)
		for n := range in.Milestones {
			if at := in.Point(incident.Point(n)); !at.IsZero() {
				x.Milestones[string(n)] = score.At(at)
			}
		}
		for _, l := range in.Links {
			x.Episodes = append(x.Episodes, score.AnsweredEpisode{
				Fingerprint: l.Episode.Fingerprint, StartsAt: score.At(l.Episode.StartsAt), EndsAt: score.At(l.Episode.EndsAt), State: string(l.State),
			})
		}
		a.Incidents = append(a.Incidents, x)
	}
	for _, v := range res.Verdicts {
		a.Episodes = append(a.Episodes, score.AnsweredEpisode{
			Fingerprint: v.Episode.Fingerprint, StartsAt: score.At(v.Episode.StartsAt), EndsAt: score.At(v.Episode.EndsAt),
		})
	}
	return a
}
