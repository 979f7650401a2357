package score

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func sec(n int) Time { return Time{float64(n), true} }

// fired is a true episode of an alert, belonging to an incident or, where that is empty, to none.
func fired(fingerprint string, from, to int, incident string, also ...Also) Episode {
	return Episode{
		ID: fingerprint + "@", Fingerprint: fingerprint, Incident: incident, Also: also, Why: "cause", Visible: true,
		ObservedStart: sec(from), ObservedEnd: sec(to),
	}
}

func recorded(id string, records ...string) Incident {
	return Incident{ID: id, Kind: "incident", Records: records, Milestones: map[string]Time{"started": sec(1000), "detected": sec(1060), "resolved": sec(4600)}}
}

func truth(incidents []Incident, episodes ...Episode) *Truth {
	t := &Truth{Incidents: incidents, Episodes: episodes}
	t.Window.From, t.Window.To = sec(0), sec(10*86400)
	return t
}

func holds(id string, records []string, es ...AnsweredEpisode) AnsweredIncident {
	return AnsweredIncident{ID: id, RecordIDs: records, Episodes: es}
}

func said(fingerprint string, from, to int) AnsweredEpisode {
	return AnsweredEpisode{Fingerprint: fingerprint, StartsAt: sec(from), EndsAt: sec(to)}
}

func TestScore(t *testing.T) {
	missed := recorded("T", "R")
	missed.Missed = true
	for name, c := range map[string]struct {
		truth  *Truth
		answer Answer
		want   Figures
	}{
		"a right link and a wrong one": {
			truth(
				[]Incident{recorded("T", "R")}, fired("a", 1000, 2000, "T"), fired("b", 1000, 2000, "T"), fired("c", 1000, 2000, "")),
			Answer{Incidents: []AnsweredIncident{holds("1", []string{"R"}, said("a", 1000, 2000), said("c", 1000, 2000))}},
			Figures{"link_precision": 0.5, "link_recall": 0.5, "link_f1": 0.5, "noise_rejected": 0, "noise_rejected_cause": 0},
		},
		"an episode that may as well be nobody's is no loss and no fault": {
			truth([]Incident{recorded("T", "R")}, fired("a", 1000, 2000, "T"), fired("b", 1000, 2000, "T", "")),
			Answer{Incidents: []AnsweredIncident{holds("1", []string{"R"}, said("a", 1000, 2000), said("b", 1000, 2000))}},
			Figures{"link_precision": 1, "link_recall": 1, "grouping_all_items": 1},
		},
		"an incident opened beside the record that has it is a splinter, and its links are wrong": {
			truth([]Incident{recorded("T", "R")}, fired("a", 1000, 2000, "T"), fired("b", 1000, 2000, "T")),
			Answer{Incidents: []AnsweredIncident{holds("1", []string{"R"}, said("a", 1000, 2000)), holds("2", nil, said("b", 1000, 2000))}},
			Figures{"link_precision": 0.5, "link_recall": 0.5, "opened": 1, "opened_splinters": 1, "opened_false_alarms": 0, "opened_precision": 0},
		},
		"of two opened for one incident that with most of its episodes counts": {
			truth([]Incident{recorded("T")}, fired("a", 1000, 2000, "T"), fired("b", 1000, 2000, "T"), fired("c", 1000, 2000, "T")),
			Answer{Incidents: []AnsweredIncident{holds("1", nil, said("a", 1000, 2000)), holds("2", nil, said("b", 1000, 2000), said("c", 1000, 2000))}},
			Figures{"link_recall": 0.6667, "opened_splinters": 1, "opened_recall": 1, "opened_f1": 0.6667},
		},
		"an incident opened for noise is a false alarm": {
			truth(nil, fired("a", 1000, 2000, "")),
			Answer{Incidents: []AnsweredIncident{holds("1", nil, said("a", 1000, 2000)), holds("2", []string{"R"})}},
			Figures{"opened_false_alarms": 1, "opened_false_alarms_per_100": 100, "false_alarms_per_100_incidents": 50, "false_alarms_per_30d": 3},
		},
		"watchdogs and what no notification showed count nowhere": {
			truth(nil, Episode{ID: "w", Fingerprint: "w", Why: "watchdog", Visible: true}, Episode{ID: "u", Fingerprint: "u", Why: "burst"}),
			Answer{Incidents: []AnsweredIncident{holds("1", nil, said("w", 1, 2))}, Episodes: []AnsweredEpisode{said("w", 1, 2)}},
			Figures{"episodes_true": 0, "episodes_answered": 0, "link_precision": 1, "noise_rejected": 1},
		},
		"a suggested link is none, and is counted apart": {
			truth([]Incident{recorded("T", "R")}, fired("a", 1000, 2000, "T")),
			Answer{Incidents: []AnsweredIncident{holds("1", []string{"R"}, AnsweredEpisode{Fingerprint: "a", StartsAt: sec(1000), State: "suggested"})}},
			Figures{"link_recall": 0, "link_recall_with_suggested": 1, "missed_claims": 1, "missed_wrong": 1, "missed_precision": 0},
		},
		"missed and said so": {
			truth([]Incident{missed}), Answer{Incidents: []AnsweredIncident{holds("1", []string{"R"})}},
			Figures{"missed_claims": 1, "missed_wrong": 0, "missed_accuracy": 1, "missed_recall": 1},
		},
		"a record that is in no incident is no claim, and wrong": {
			truth([]Incident{recorded("T", "R")}), Answer{Incidents: []AnsweredIncident{}},
			Figures{"missed_claims": 0, "missed_precision": 1, "missed_accuracy": 0, "missed_precision_unread_wrong": 0, "records_answered": 0},
		},
		"an episode that belongs to another incident as well does not say that this one was caught": {
			truth([]Incident{missed, recorded("S", "Q")}, fired("a", 1000, 2000, "S", "T")),
			Answer{Incidents: []AnsweredIncident{holds("1", []string{"R"}, said("a", 1000, 2000)), holds("2", []string{"Q"}, said("a", 1000, 2000))}},
			Figures{"missed_claims": 1, "missed_wrong": 0, "link_precision": 1},
		},
		"pairs of records": {
			&Truth{Incidents: []Incident{recorded("T", "a", "b"), recorded("S", "c")}, MergedRecords: [][]string{{"b", "a"}}},
			Answer{Incidents: []AnsweredIncident{holds("1", []string{"a", "b", "c"})}},
			Figures{"duplicates_true_pairs": 1, "duplicates_precision": 0.3333, "duplicates_recall": 1, "duplicates_f1": 0.5},
		},
		"a start and an end within tolerance, a start beyond it, an end beyond it, one too many, one missing": {
			truth(nil, fired("a", 1000, 2000, ""), fired("b", 1000, 2000, ""), fired("c", 1000, 2000, ""), fired("d", 1000, 2000, "")),
			Answer{Episodes: []AnsweredEpisode{said("a", 1001, 2030), said("b", 1002, 2000), said("c", 1000, 2031), said("c", 1500, 2000)}},
			Figures{
				"episodes_true": 4, "episodes_answered": 4, "episodes_missing": 1, "episodes_extra": 1,
				"episodes_wrong_start": 1, "episodes_wrong_end": 1, "episodes_exact_f1": 0.25,
			},
		},
		"the end of one whose resolved never came is nobody's to know": {
			truth(nil, Episode{ID: "a", Fingerprint: "a", Why: "burst", Visible: true, ObservedStart: sec(1000)}),
			Answer{Episodes: []AnsweredEpisode{said("a", 1000, 5000)}},
			Figures{"episodes_wrong_end": 0, "episodes_exact_f1": 1},
		},
		"times": {
			truth([]Incident{recorded("T", "R")}),
			Answer{Incidents: []AnsweredIncident{{ID: "1", RecordIDs: []string{"R"}, Milestones: map[string]Time{
				"started": sec(970), "mitigated": sec(4000), "resolved": sec(4900),
			}}}},
			Figures{
				"started_coverage": 1, "started_error_median_s": 30, "started_bias_median_s": -30, "started_within_60s": 1,
				"detected_coverage": 0, "mitigated_invented": 1, "resolved_within_60s": 0, "resolved_within_300s": 1,
				"ttr_error_median_s": 330, "ttd_coverage": 0,
			},
		},
		"the grouping of an answer that holds nothing": {
			truth([]Incident{recorded("T")}, fired("a", 1000, 2000, "T"), fired("b", 1000, 2000, "T")), Answer{},
			Figures{"grouping_all_bcubed_precision": 1, "grouping_all_bcubed_recall": 0.5, "grouping_all_ari": 0, "link_precision": 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Score(c.truth, &c.answer, DefaultTolerances)
			for k, v := range c.want {
				require.Contains(t, got, k)
				require.InDelta(t, v, got[k], 1e-9, k)
			}
		})
	}
}

// The figures of a made-up organisation and of an answer with every sort of mistake, as the scorer that this one follows
// gave them.
func TestReference(t *testing.T) {
	truth, err := ReadTruth("testdata/truth.json")
	require.NoError(t, err)
	answer, err := ReadAnswer("testdata/answer.json")
	require.NoError(t, err)
	b, err := os.ReadFile("testdata/figures.json")
	require.NoError(t, err)
	var want Figures
	require.NoError(t, json.Unmarshal(b, &want))
	require.Equal(t, want, Score(truth, answer, DefaultTolerances))
}

// What is true is scored as such.
func TestPerfect(t *testing.T) {
	truth, err := ReadTruth("testdata/truth.json")
	require.NoError(t, err)
	got := Score(truth, Perfect(truth), DefaultTolerances)
	for _, k := range []string{"link_recall", "noise_rejected", "duplicates_f1", "episodes_exact_f1", "opened_f1", "records_answered", "grouping_all_ari"} {
		require.InDelta(t, 1, got[k], 0, k)
	}
	require.Zero(t, got["opened_false_alarms"])
	require.Zero(t, got["ttr_error_median_s"])
}

// The order of an answer does not matter.
func TestOrder(t *testing.T) {
	truth, err := ReadTruth("testdata/truth.json")
	require.NoError(t, err)
	answer, err := ReadAnswer("testdata/answer.json")
	require.NoError(t, err)
	want := Score(truth, answer, DefaultTolerances)
	rapid.Check(t, func(r *rapid.T) {
		other := Answer{
			Incidents: rapid.Permutation(answer.Incidents).Draw(r, "incidents"),
			Episodes:  rapid.Permutation(answer.Episodes).Draw(r, "episodes"),
		}
		for i := range other.Incidents {
			other.Incidents[i].Episodes = slices.Clone(other.Incidents[i].Episodes)
			slices.Reverse(other.Incidents[i].Episodes)
		}
		require.Equal(t, want, Score(truth, &other, DefaultTolerances))
	})
}

func TestRead(t *testing.T) {
	var got []Time
	require.NoError(t, json.Unmarshal([]byte(`["1970-01-01T00:00:01.5Z", {"at": "1970-01-01T01:00:02+01:00"}, null, "", "0001-01-01T00:00:00Z"]`), &got))
	require.Equal(t, []Time{{1.5, true}, {2, true}, {}, {}, {}}, got)
	require.ErrorContains(t, json.Unmarshal([]byte(`"soon"`), &got[0]), `not a time: "soon"`)

	name := t.TempDir() + "/truth.json"
	require.NoError(t, os.WriteFile(name, []byte(`{"episodes": [{"id": "E1", "incident": "T1"}]}`), 0o600))
	_, err := ReadTruth(name)
	require.ErrorContains(t, err, `episode E1: incident "T1" is not among the incidents`)
}
