package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// table has a row for each data set and configuration.
type table []result

// A column is one figure; a format of "%.0f" is that of a count or of seconds.
type column struct{ head, figure, format string }

var headline = []column{
	{"link F1", "link_f1", "%.3f"}, {"precision", "link_precision", "%.3f"}, {"recall", "link_recall", "%.3f"},
	{"opened", "opened", "%.0f"}, {"F1", "opened_f1", "%.2f"}, {"splinters", "opened_splinters", "%.0f"},
	{"false alarms", "opened_false_alarms", "%.0f"}, {"per 100 opened", "opened_false_alarms_per_100", "%.1f"},
	{"per 100 incidents", "false_alarms_per_100_incidents", "%.1f"},
	{"missed claims", "missed_claims", "%.0f"}, {"wrong", "missed_wrong", "%.0f"}, {"accuracy", "missed_accuracy", "%.2f"},
	{"duplicates F1", "duplicates_f1", "%.2f"}, {"episodes exact F1", "episodes_exact_f1", "%.3f"},
	{"detected by", "detected_by_accuracy", "%.2f"},
	{
		"started off s",
		"started_error_median_s",
		"%.0f",
	}, {"TTD off s", "ttd_error_median_s", "%.0f"}, {"TTR off s", "ttr_error_median_s", "%.0f"},
}

// kinds are the recall of links and the rejection of noise, by kind.
var kinds = []column{
	{"recorded", "link_recall_recorded", "%.2f"}, {"unrecorded", "link_recall_unrecorded", "%.2f"},
	{"with suggested", "link_recall_with_suggested", "%.2f"}, {"noticed late", "link_recall_noticed_late", "%.2f"},
	{"chain", "link_recall_chain", "%.2f"}, {"long", "link_recall_long", "%.2f"}, {"frequent", "link_recall_frequent", "%.2f"},
	{
		"noise rejected",
		"noise_rejected",
		"%.2f",
	}, {"transient", "noise_rejected_transient", "%.2f"}, {"burst", "noise_rejected_burst", "%.2f"},
	{"flapper", "noise_rejected_flapper", "%.2f"}, {"chronic", "noise_rejected_chronic", "%.2f"},
	{"monitoring", "noise_rejected_monitoring", "%.2f"}, {"maintenance", "noise_rejected_maintenance", "%.2f"},
	{"frequent", "noise_rejected_frequent", "%.2f"}, {"nightly", "noise_rejected_nightly", "%.2f"},
}

func (t table) print(w io.Writer) {
	t.block(w, "", headline, true)
	fmt.Fprintln(w)
	t.block(w, "recall of links by kind, and noise rejected by kind", kinds, false)
	var links []judged
	for _, r := range t {
		if r.Configured == full {
			links = append(links, r.links...)
		}
	}
	if len(links) > 0 {
		printCalibration(w, links)
	}
}

// block prints some columns of all rows, and the means of each profile that has several.
func (t table) block(w io.Writer, title string, columns []column, took bool) {
	if title != "" {
		fmt.Fprintln(w, title)
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "\t")
	for _, c := range columns {
		fmt.Fprint(tw, "\t", c.head)
	}
	if took {
		fmt.Fprint(tw, "\ttook")
	}
	fmt.Fprintln(tw)
	for _, r := range append(t, t.means()...) {
		fmt.Fprintf(tw, "%s\t%s", r.Set, r.Configured)
		for _, c := range columns {
			if v, ok := r.Figures[c.figure]; ok {
				fmt.Fprintf(tw, "\t"+c.format, v)
			} else {
				fmt.Fprint(tw, "\t–")
			}
		}
		if took {
			fmt.Fprintf(tw, "\t%s", r.Took.Round(time.Millisecond))
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
}

// means are the means of the data sets of one profile, which is what stands before the first dash of their names.
func (t table) means() table {
	var out table
	at := map[[2]string]int{}
	counts := map[[2]string]map[string]float64{}
	sets := map[[2]string]int{}
	for _, r := range t {
		profile, _, _ := strings.Cut(r.Set, "-")
		k := [2]string{profile, r.Configured}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k], counts[k] = i, map[string]float64{}
			out = append(out, result{Set: "mean " + profile, Configured: r.Configured, Figures: map[string]float64{}})
		}
		sets[k]++
		out[i].Took += r.Took
		for name, v := range r.Figures {
			out[i].Figures[name] += v
			counts[k][name]++
		}
	}
	var several table
	for k, i := range at {
		if sets[k] > 1 {
			for name, n := range counts[k] {
				out[i].Figures[name] /= n
			}
		}
	}
	for _, r := range out {
		profile := strings.TrimPrefix(r.Set, "mean ")
		if sets[[2]string{profile, r.Configured}] > 1 {
			several = append(several, r)
		}
	}
	return several
}

// writeJSON writes all figures of all rows.
func (t table) writeJSON(path string) error {
	out := os.Stdout
	if path != "-" {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer f.Close()
		out = f
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", " ")
	return enc.Encode(t)
}
