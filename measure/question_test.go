package measure

import (
	"bytes"
	"encoding/csv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func TestPeriod(t *testing.T) {
	windows := []Window{{"7d", 7 * 24 * time.Hour}, {"4w", 28 * 24 * time.Hour}}
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	at := func(s string) time.Time {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		return t
	}
	for _, c := range []struct {
		q    Question
		want Period
	}{
		{Question{}, Period{"7d", now.AddDate(0, 0, -14), now.AddDate(0, 0, -7), now, false}},
		{Question{Window: "4w"}, Period{"4w", now.AddDate(0, 0, -56), now.AddDate(0, 0, -28), now, false}},
		{Question{Window: "2d", To: "2026-11-10T00:00:00Z"},
			Period{"2d", at("2026-11-06T00:00:00Z"), at("2026-11-08T00:00:00Z"), at("2026-11-10T00:00:00Z"), false}},
		{Question{From: "2026-11-01T00:00:00Z", To: "2026-11-08T00:00:00Z"},
			Period{"", at("2026-10-25T00:00:00Z"), at("2026-11-01T00:00:00Z"), at("2026-11-08T00:00:00Z"), true}},
		{Question{From: "2026-11-20T13:00:00Z"}, Period{"", at("2026-11-20T11:00:00Z"), at("2026-11-20T13:00:00Z"), now, true}},
		{Question{Month: "2026-03"}, Period{"2026-03", at("2026-02-01T00:00:00Z"), at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z"), true}},
		// Summer time begins on 29 March: the month is an hour shorter.
		{Question{Month: "2026-03", Zone: "Europe/Berlin"},
			Period{"2026-03", at("2026-01-31T23:00:00Z"), at("2026-02-28T23:00:00Z"), at("2026-03-31T22:00:00Z"), true}},
		{Question{Month: "2026-11"}, Period{"2026-11", at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z"), now, true}}, // it is not over
		{Question{Month: "2026-01"}, Period{"2026-01", at("2025-12-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"), true}},
	} {
		got, err := c.q.Period(windows, now)
		require.NoError(t, err, "%+v", c.q)
		require.Equal(t, c.want.Name, got.Name, "%+v", c.q)
		require.Equal(t, c.want.halfOpen, got.halfOpen, "%+v", c.q)
		for _, x := range [][2]time.Time{{c.want.Before, got.Before}, {c.want.From, got.From}, {c.want.To, got.To}} {
			require.True(t, x[0].Equal(x[1]), "%+v: %s is not %s", c.q, x[1], x[0])
		}
	}
	for _, c := range []struct {
		q    Question
		want string
	}{
		{Question{Window: "1mo"}, `window: "1mo" is neither one of 7d, 4w nor a duration such as 28d`},
		{Question{Window: "0d"}, `window: "0d" is neither one of 7d, 4w nor a duration such as 28d`},
		{Question{To: "soon"}, `to: not a time: "soon"`},
		{Question{From: "2026-11-08T00:00:00Z", To: "2026-11-01T00:00:00Z"}, `to: 2026-11-01 00:00:00Z is not after from 2026-11-08 00:00:00Z`},
		{Question{Window: "7d", To: "2026-11-20T15:00:01Z"}, `to: 2026-11-20 15:00:01Z is later than now`},
		{Question{From: "2026-11-01T00:00:00Z", To: "2026-12-01T00:00:00Z"}, `to: 2026-12-01 00:00:00Z is later than now`},
		{Question{From: "2026-12-01T00:00:00Z"}, `from: 2026-12-01 00:00:00Z is later than now`},
		{Question{From: "2026-11-08T00:00:00Z", Window: "7d"}, `from: give a window or from, not both`},
		{Question{Month: "2026-13"}, `month: not a month: "2026-13"; write it like 2026-11`},
		{Question{Month: "november"}, `month: not a month: "november"; write it like 2026-11`},
		{Question{Month: "2026-12"}, `month: 2026-12 has not begun`},
		{Question{Month: "2026-11", Window: "7d"}, `month: give it alone, without window, from and to`},
		{Question{Month: "2026-10", Zone: "Berlin"}, `month: unknown zone "Berlin"; write it like Europe/Berlin`},
		{Question{Zone: "Europe/Berlin"}, `zone: it says whose month is meant, and no month is given`},
	} {
		_, err := c.q.Period(windows, now)
		require.ErrorContains(t, err, c.want, "%+v", c.q)
		require.Equal(t, incident.CodeInvalid, incident.CodeOf(err))
	}
}

func TestNamesThatAreNotKnown(t *testing.T) {
	names := &Names{Services: []string{"search", "checkout"}, Severities: []string{"critical"}}
	require.NoError(t, names.Check(&Question{Service: "search", Severity: "critical"}))
	require.EqualError(t, names.Check(&Question{Service: "chekout"}),
		`service: no service "chekout"; did you mean checkout?; there are checkout, search`)
	require.EqualError(t, names.Check(&Question{Severity: "SEV-9"}), `severity: no severity "SEV-9"; there are critical`)
	require.EqualError(t, (&Names{}).Check(&Question{Service: "a"}), `service: no service "a"; none is known`)
	_, err := (&Question{Interval: "resolved"}).Asked(incident.DefaultIntervals()[3:5])
	require.EqualError(t, err, `interval: no interval "resolved"; did you mean resolve?; there are mitigate, resolve`)
	_, _, _, err = (&Question{By: "service,team"}).Groups(nil)
	require.EqualError(t, err, `by: no by "team"; there are service, severity`)
}

// TestEdges: an incident at the very beginning of a month is of that month; in a rolling window it is the other way round.
func TestEdges(t *testing.T) {
	first, last := t0.AddDate(0, 0, -7), t0
	incs := []incident.Incident{made("first", at{"started": -7 * day, "resolved": -7*day + 1}), made("last", at{"started": 0, "resolved": 1})}
	for _, c := range []struct {
		halfOpen bool
		want     string
	}{{true, "first"}, {false, "last"}} {
		p := Period{Before: first.AddDate(0, 0, -7), From: first, To: last, halfOpen: c.halfOpen}
		e, err := Explain(each(incs), ExplainOptions{Interval: incident.DefaultIntervals()[4], Period: p})
		require.NoError(t, err)
		require.Len(t, e.Included, 1)
		require.Equal(t, c.want, e.Included[0].ID)
		r, err := NewReport(ReportOptions{Options: weekOptions, Period: p}, each(incs), each([]incident.Verdict(nil)))
		require.NoError(t, err)
		require.Equal(t, 1, r.Groups[0].Now.Incidents)
	}
}

func TestOnlyTheGroupsAskedFor(t *testing.T) {
	groups := func(q Question) (out []Grouping) {
		r := testReport(t)
		require.NoError(t, r.Only(&q))
		for _, g := range r.Groups {
			out = append(out, g.Grouping)
		}
		return out
	}
	odd := "payments | <b>"
	require.Equal(t, []Grouping{{}}, groups(Question{}))
	require.Equal(t, []Grouping{{Service: "checkout"}}, groups(Question{Service: "checkout"}))
	require.Equal(t, []Grouping{{}, {Service: "checkout"}, {Service: odd}}, groups(Question{By: "service"}))
	require.Equal(t, []Grouping{{}, {Severity: "critical"}, {Severity: "warning"}}, groups(Question{By: "severity"}))
	require.Equal(t, []Grouping{{Severity: "warning"}, of(odd, "warning")}, groups(Question{By: "service", Severity: "warning"}))
	require.Len(t, groups(Question{By: "service, severity"}), len(testReport(t).Groups))
}

// TestAnswer: the flat form has the figures of the report, and the table those of the flat form.
func TestAnswer(t *testing.T) {
	r := testReport(t)
	a := r.Answer()
	require.Len(t, a.Figures, len(r.Groups)*len(incident.DefaultIntervals()))
	require.Len(t, a.Reliability, len(r.Groups))
	var b bytes.Buffer
	require.NoError(t, a.CSV(&b))
	lines, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, len(a.Figures)+1)
	column := map[string]int{}
	for i, name := range lines[0] {
		column[name] = i
	}
	for i, l := range lines[1:] {
		f := &a.Figures[i]
		require.Equal(t, f.Service, l[column["service"]])
		require.Equal(t, estimate(f.Median), l[column["median_seconds"]:column["median_seconds"]+3])
		require.Equal(t, decimal(f.Mean), l[column["mean_seconds"]])
		require.Equal(t, f.Change.Words, l[column["change"]])
	}
	require.NoError(t, a.OnlyInterval("detect"))
	require.Len(t, a.Figures, len(r.Groups))
	require.ErrorContains(t, a.OnlyInterval("detct"), "did you mean detect?")
	require.Equal(t, "'=1+1", cell("=1+1"), "no spreadsheet computes a service's name")
}

// Who asks for no interval is told how long incidents took to be resolved.
func TestAsked(t *testing.T) {
	for _, c := range []struct{ asked, want, wrong string }{
		{"", "resolve", ""},
		{"detect", "detect", ""},
		{"detekt", "", `"detekt"`},
	} {
		iv, err := (&Question{Interval: c.asked}).Asked(incident.DefaultIntervals())
		if c.wrong != "" {
			require.ErrorContains(t, err, c.wrong)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, iv.Name)
	}
}
