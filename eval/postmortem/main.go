// Command postmortem reads folders of postmortems, each with its truth beside it, and prints how much of what is stated
// was found, what was missed, what was given although it is not so, and which of the questions that must be asked were.
// Without arguments it reads the documents of package postmortem's own tests.
//
// A milestone is false when it is given where the truth has none, or more than a minute from a truth that is stated or
// inferred without doubt. Where the truth itself is doubtful, a difference is counted apart.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"meantime/eval/postmortem/labelled"
	"meantime/incident"
	"meantime/postmortem"
)

type count struct{ stated, found, two, given, wrong, doubt, must, asked, questions int }

func (c count) String() string {
	return fmt.Sprintf("%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d", c.stated, c.found, c.given, c.wrong, c.doubt, c.two, c.must, c.asked, c.questions)
}

func (c *count) add(o count) {
	c.stated += o.stated
	c.found += o.found
	c.two += o.two
	c.questions += o.questions
	c.given += o.given
	c.wrong += o.wrong
	c.doubt += o.doubt
	c.must += o.must
	c.asked += o.asked
}

func main() {
	verbose := flag.Bool("v", false, "print every milestone that differs and every question that was not asked")
	zone := flag.String("zone", "", "the zone of times that no document says one of, such as UTC; empty leaves them unknown")
	one := flag.String("doc", "", "only documents whose name contains this, with everything read from them")
	flag.Parse()
	dirs := flag.Args()
	if len(dirs) == 0 {
		dirs = []string{"postmortem/testdata/docs"}
	}
	var opts postmortem.Options
	if *zone != "" {
		loc, err := time.LoadLocation(*zone)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		opts.Location = loc
	}
	if err := run(dirs, *one, *verbose, opts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dirs []string, one string, verbose bool, opts postmortem.Options) error {
	var all count
	kinds := map[incident.MilestoneName]*count{}
	for _, n := range incident.MilestoneNames {
		kinds[n] = &count{}
	}
	tw := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "document\tlang\tstated\tfound\tgiven\tfalse\tdoubtful\ttwo\tmust ask\tasked\tquestions\tincidents")
	var notes []string
	for _, dir := range dirs {
		docs, err := labelled.Read(dir)
		if err != nil {
			return err
		}
		var sum count
		for _, d := range docs {
			if one != "" && !strings.Contains(d.Name, one) {
				continue
			}
			res, err := postmortem.Read(d.Name, d.Body, opts)
			if err != nil {
				return err
			}
			c, n := compare(res, d.Truth, kinds)
			sum.add(c)
			name := d.Name
			fmt.Fprintf(tw, "%s\t%s\t%s\t%d\n", name, res.Language, c, len(res.Incidents))
			for _, x := range n {
				notes = append(notes, name+": "+x)
			}
			if one != "" {
				if err := postmortem.WriteTable(os.Stdout, res, true); err != nil {
					return err
				}
			}
		}
		fmt.Fprintf(tw, "%s\t\t%s\n", strings.ToUpper(filepath.Base(dir)), sum)
		all.add(sum)
	}
	fmt.Fprintf(tw, "ALL\t\t%s\n\n", all)
	fmt.Fprintln(tw, "milestone\t\tstated\tfound\tgiven\tfalse\tdoubtful")
	for _, n := range incident.MilestoneNames {
		c := kinds[n]
		fmt.Fprintf(tw, "%s\t\t%d\t%d\t%d\t%d\t%d\n", n, c.stated, c.found, c.given, c.wrong, c.doubt)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nfound %.1f %% of what is stated, %.1f %% within two suggestions; "+
		"%.1f %% of what was given is false; %.1f %% of the questions asked\n",
		share(all.found, all.stated), share(all.two, all.stated), share(all.wrong, all.given), share(all.asked, all.must))
	if verbose || one != "" {
		fmt.Println()
		for _, n := range notes {
			fmt.Println(n)
		}
	}
	return nil
}

func share(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return 100 * float64(a) / float64(b)
}

// compare counts one document. Where it tells of several incidents, the one that agrees best is compared.
func compare(res postmortem.Result, t labelled.Truth, kinds map[incident.MilestoneName]*count) (count, []string) {
	var f postmortem.Found
	best := -1
	for _, x := range res.Incidents {
		n := 0
		for _, m := range incident.MilestoneNames {
			if s, ok := x.Record.Milestones[m]; ok && t.Of(m).UTC != nil && labelled.Near(s.At, *t.Of(m).UTC) {
				n++
			}
		}
		if n > best {
			best, f = n, x
		}
	}
	var c count
	var notes []string
	for _, m := range incident.MilestoneNames {
		var k count
		want := t.Of(m)
		got, given := f.Record.Milestones[m]
		firm := want.Firm()
		if want.Stated() {
			k.stated++
			if given && labelled.Near(got.At, *want.UTC) {
				k.found++
			}
			if given && labelled.Near(got.At, *want.UTC) || suggested(f, m, *want.UTC) {
				k.two++
			}
			if !given {
				notes = append(notes, fmt.Sprintf("missing %s %s", m, want.UTC.UTC().Format("2006-01-02 15:04")))
			}
		}
		if given {
			k.given++
			switch {
			case want.UTC == nil:
				k.wrong++
				notes = append(notes, fmt.Sprintf("FALSE %s %s, not stated: %q", m, got.At.Format("2006-01-02 15:04"), got.Evidence))
			case labelled.Near(got.At, *want.UTC):
			case firm:
				k.wrong++
				notes = append(notes, fmt.Sprintf("FALSE %s %s, is %s: %q", m, got.At.Format("2006-01-02 15:04"), want.UTC.UTC().Format("2006-01-02 15:04"), got.Evidence))
			default:
				k.doubt++
				notes = append(notes, fmt.Sprintf("doubtful %s %s, perhaps %s: %q", m, got.At.Format("2006-01-02 15:04"), want.UTC.UTC().Format("2006-01-02 15:04"), got.Evidence))
			}
		}
		kinds[m].add(k)
		c.add(k)
	}
	c.questions = len(f.Questions)
	for _, flagged := range t.MustFlag {
		c.must++
		if asked(res, flagged) {
			c.asked++
		} else {
			notes = append(notes, "not asked: "+flagged)
		}
	}
	return c, notes
}

// suggested says whether a moment is one of the first two that a milestone is asked for with.
func suggested(f postmortem.Found, m incident.MilestoneName, at time.Time) bool {
	for _, q := range f.Questions {
		if q.Kind != string(m) {
			continue
		}
		for _, c := range q.Candidates[:min(2, len(q.Candidates))] {
			when, _, _ := strings.Cut(c, " ")
			if t, err := time.Parse(time.RFC3339, when); err == nil && labelled.Near(t, at) {
				return true
			}
		}
	}
	return false
}

// asked says whether a question of the kind that a flag speaks of was asked.
func asked(res postmortem.Result, flag string) bool {
	flag = strings.ToLower(flag)
	words := []struct {
		says  []string
		kinds []string
	}{
		{[]string{"zone", "cst", "malam"}, []string{"zone", "order"}},
		{[]string{"year"}, []string{"year"}},
		{[]string{"which of the two", "one incident", "incidents", "summed"}, []string{"incidents"}},
		{[]string{"entry", "entries"}, []string{"order", "date"}},
		{[]string{"date "}, []string{"date", "order"}},
		{[]string{"impact start", "start times", "start of impact"}, []string{"started"}},
		{[]string{"resol", "ends the incident", "end of impact", "end 0", "end "}, []string{"resolved", "mitigated"}},
		{[]string{"mitigat", "recovery"}, []string{"mitigated"}},
		{[]string{"summary vs"}, []string{"window"}},
		{[]string{"detect"}, []string{"detected"}},
		{[]string{"relays"}, []string{"detected_by"}},
		{[]string{"acknowledg"}, []string{"acknowledged"}},
		{[]string{"root cause"}, []string{"identified"}},
		{[]string{"duration"}, []string{"duration"}},
		{[]string{"truncated"}, []string{"truncated"}},
	}
	for _, f := range res.Incidents {
		for _, q := range f.Questions {
			for _, w := range words {
				if slices.ContainsFunc(w.says, func(s string) bool { return strings.Contains(flag, s) }) && q.Kind == postmortem.AskAbsent &&
					slices.ContainsFunc(w.kinds, func(k string) bool { return strings.Contains(q.Text, k) }) {
					return true
				}
				if slices.ContainsFunc(w.says, func(s string) bool { return strings.Contains(flag, s) }) && slices.Contains(w.kinds, q.Kind) {
					return true
				}
			}
		}
	}
	return false
}
