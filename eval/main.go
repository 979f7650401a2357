// Command eval plays labelled alerts and records through correlation and scores what it says.
//
// A data set is a folder with notifications.jsonl, records.jsonl, topology.json and truth.json. Without arguments it
// plays the samples it finds beside the repository, and organisations that package invent makes up.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"meantime/correlate"
	"meantime/eval/invent"
)

func main() {
	scorer := flag.String("score", "../shared/eval/score.py", "the scorer, run with python3")
	keep := flag.String("out", "", "folder for invented data and answers; empty for a temporary one")
	seeds := flag.Int("seeds", 3, "organisations to invent of each profile")
	first := flag.Uint64("first", 1, "the first seed")
	profiles := flag.String("profiles", "busy,storm,calm,plain", "profiles to invent")
	flag.Parse()
	out := *keep
	if out == "" {
		tmp, err := os.MkdirTemp("", "eval-")
		if err != nil {
			fail(err)
		}
		defer os.RemoveAll(tmp)
		out = tmp
	}
	dirs := flag.Args()
	if len(dirs) == 0 {
		dirs, _ = filepath.Glob("../shared/eval/sample-*")
		for _, profile := range strings.Split(*profiles, ",") {
			for seed := range *seeds {
				dir, err := make_(profile, *first+uint64(seed), out)
				if err != nil {
					fail(err)
				}
				dirs = append(dirs, dir)
			}
		}
	}
	t := table{}
	for _, dir := range dirs {
		s, err := evaluate(dir, out, *scorer)
		if err != nil {
			fail(fmt.Errorf("%s: %w", dir, err))
		}
		t = append(t, s)
	}
	t.print()
	var links []judged
	for _, s := range t {
		links = append(links, s.links...)
	}
	printCalibration(links)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

var inventions = map[string]func(uint64) invent.Parameters{"busy": invent.Busy, "storm": invent.Storm, "calm": invent.Calm, "plain": invent.Plain}

// make_ invents an organisation and writes it into a folder below out.
func make_(profile string, seed uint64, out string) (string, error) {
	parameters, ok := inventions[profile]
	if !ok {
		return "", fmt.Errorf("unknown profile %q", profile)
	}
	dir := filepath.Join(out, fmt.Sprintf("%s-%d", profile, seed))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, invent.Invent(parameters(seed)).Write(dir)
}

// scores are what the scorer said of one data set.
type scores struct {
	name string
	took time.Duration
	of   map[string]float64
	// links are all links of the answer, judged.
	links []judged
}

// evaluate plays one data set and scores the answer.
func evaluate(dir, out, scorer string) (scores, error) {
	s := scores{name: filepath.Base(dir)}
	rules, err := readTopology(filepath.Join(dir, "topology.json"))
	if err != nil {
		return s, err
	}
	facts, now, err := play(dir)
	if err != nil {
		return s, err
	}
	begun := time.Now()
	res := correlate.Correlate(facts, &rules, now)
	s.took = time.Since(begun)
	path := filepath.Join(out, s.name+".answer.json")
	if err := writeAnswer(path, res); err != nil {
		return s, err
	}
	if s.links, err = judge(filepath.Join(dir, "truth.json"), res); err != nil {
		return s, err
	}
	s.of, err = score(scorer, filepath.Join(dir, "truth.json"), path)
	return s, err
}

// score runs the scorer and reads what it says.
func score(scorer, truth, answer string) (map[string]float64, error) {
	cmd := exec.Command("python3", scorer, "--truth", truth, "--answer", answer, "--json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", scorer, err, strings.TrimSpace(stderr.String()))
	}
	var s map[string]float64
	if err := json.Unmarshal(stdout.Bytes(), &s); err != nil {
		return nil, fmt.Errorf("%s: %w", scorer, err)
	}
	return s, nil
}

// table is printed with a row for each data set and the mean of each profile.
type table []scores

var columns = []struct{ head, key string }{
	{"linkF1", "link_f1"}, {"prec", "link_precision"}, {"recall", "link_recall"}, {"rec+sug", "link_recall_with_suggested"}, {"recorded", "link_recall_recorded"}, {"unrecord", "link_recall_unrecorded"},
	{"noise", "noise_rejected"}, {"opened", "opened"}, {"false", "opened_false_alarms"}, {"splint", "opened_splinters"}, {"openF1", "opened_f1"}, {"missAcc", "missed_accuracy"}, {"missN", "missed_n"}, {"dupF1", "duplicates_f1"}, {"dupN", "duplicates_true_pairs"},
	{"exact", "episodes_exact_f1"}, {"byAcc", "detected_by_accuracy"}, {"started", "started_error_median_s"}, {"detected", "detected_error_median_s"}, {"resolved", "resolved_error_median_s"},
}

func (t table) print() {
	fmt.Printf("%-14s", "")
	for _, c := range columns {
		fmt.Printf("%9s", c.head)
	}
	fmt.Println("     took")
	sums := map[string]map[string]float64{}
	counts := map[string]float64{}
	for _, s := range t {
		fmt.Printf("%-14s", s.name)
		profile, _, _ := strings.Cut(s.name, "-")
		if sums[profile] == nil {
			sums[profile] = map[string]float64{}
		}
		counts[profile]++
		for _, c := range columns {
			fmt.Printf("%9.4g", s.of[c.key])
			sums[profile][c.key] += s.of[c.key]
		}
		fmt.Printf("%9s\n", s.took.Round(time.Millisecond))
	}
	var profiles []string
	for p := range sums {
		profiles = append(profiles, p)
	}
	slices.Sort(profiles)
	for _, p := range profiles {
		fmt.Printf("%-14s", "mean "+p)
		for _, c := range columns {
			fmt.Printf("%9.3f", sums[p][c.key]/counts[p])
		}
		fmt.Println()
	}
}
