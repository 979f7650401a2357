package file

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
	"meantime/source"
	"meantime/source/jq"
)

func mapper(t testing.TB, text string) Mapper {
	p, err := jq.New(text)
	require.NoError(t, err)
	return p
}

const sheet = `{id: .Key, title: .Summary, severity: .Priority, services: [.Service], milestones: {
  detected: (.Opened | in_zone("%d.%m.%Y %H:%M"; "Europe/Berlin")), resolved: (.Closed | in_zone("%d.%m.%Y %H:%M"; "Europe/Berlin"))}}`

// A table is read whatever stands between its columns; a row that goes is withdrawn, and one that changes is stored.
func TestTable(t *testing.T) {
	for _, d := range []string{",", ";", "\t"} {
		b := newBench(t, Options{Map: mapper(t, sheet)})
		text := func(rows ...string) string {
			return "\ufeff" + strings.ReplaceAll("Key;Summary;Priority;Service;Opened;Closed\r\n"+strings.Join(rows, "\r\n")+"\r\n", ";", d)
		}
		b.write("export.csv", text("I-1;\"Shop, down; twice\tat once\";P1;shop;02.07.2026 10:30;02.07.2026 11:00", ";;;;;",
			"I-2;\"two\nlines\";P2;cart;03.07.2026 10:30"))
		require.Equal(t, []string{"I-1 I-2"}, b.poll())
		r := b.store.records[incident.RecordKey{Source: "ours", ID: "I-1"}]
		require.Equal(t, "2026-07-02T08:30:00Z", r.Milestones["detected"].At.Format(time.RFC3339))
		require.Equal(t, []string{"shop"}, r.Services)
		require.Equal(t, strings.ReplaceAll("Shop, down; twice\tat once", ";", d), r.Title)
		require.Empty(t, b.poll())
		b.write("export.csv", text("I-1;one;P1;shop;02.07.2026 10:30;"))
		require.Equal(t, []string{"-I-2 I-1"}, b.poll())
	}
}

// What is wrong is said with its line, all else is stored, and nothing is withdrawn.
func TestTableProblems(t *testing.T) {
	const good = "Key,Summary,Priority,Service,Opened,Closed\nA,\"one\nof two lines\",P1,x,02.07.2026 10:30,\n"
	for _, c := range []struct{ rows, want string }{
		{",no id,P1,x,02.07.2026 10:30,\n", "t.csv:4: id: missing; it must name the incident within its source"},
		{"B,two,P1,x,yesterday,\n", `t.csv:4: map: strptime`},
		{"B,two,P1,x,02.07.2026 10:30,,more\n", "t.csv:4: has 7 cells, and the first line names 6 columns"},
		{"B,two,P1,x,02.07.2099 10:30,\n", "t.csv:4: milestones.detected: "},
		{"B,two \"x\",P1,x,02.07.2026 10:30,\n", `t.csv:4: bare " in non-quoted-field`},
		{"B,tw\xff,P1,x,02.07.2026 10:30,\n", "t.csv: is not UTF-8; export it as CSV in UTF-8"},
		{"A,again,P1,x,02.07.2026 10:30,\n", `t.csv:4: id: "A" is in this file twice; the first counts`},
	} {
		b := newBench(t, Options{Map: mapper(t, sheet)})
		b.write("t.csv", good+"Z,last,P1,x,02.07.2026 10:30,\n")
		require.Equal(t, []string{"A Z"}, b.poll())
		b.write("t.csv", good+c.rows)
		err := b.Poll(t.Context())
		var left *source.LeftOut
		require.ErrorAs(t, err, &left, c.rows)
		require.ErrorContains(t, err, c.want)
		if !strings.HasPrefix(c.rows, "A") {
			require.False(t, b.store.records[incident.RecordKey{Source: "ours", ID: "Z"}].Withdrawn, c.rows)
		}
	}
	var many strings.Builder
	for range 200 {
		many.WriteString(",no id,,,,\n")
	}
	records, rows, problems := Table("ours", "t.csv", []byte(good+many.String()), Options{Map: mapper(t, sheet)})
	require.Equal(t, 200+len(records), rows)
	require.Len(t, problems, maxProblems+1)
	require.Equal(t, "t.csv: 100 more rows are bad", problems[maxProblems])
}

// Columns of one name are told apart.
func TestColumns(t *testing.T) {
	require.Equal(t, []string{"Key", "Labels", "Labels 2", "Labels 3"}, named([]string{" Key", "Labels", "Labels ", "Labels"}))
	for head, want := range map[string]rune{"a": ',', "a,b;c": ',', "a;b;c,d": ';', "\"a,b,c\";d": ';', "a\tb": '\t'} {
		require.Equal(t, want, delimiter([]byte(head)), head)
	}
}

// Whatever cells hold, they come back as they are, on the line where they stand.
func TestTableProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOfN(rapid.SampledFrom([]rune("ab ,;\"\n\tä")), 0, 6, -1)
		n := rapid.IntRange(1, 4).Draw(t, "columns")
		d := rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "delimiter")
		var names []string
		for i := range n {
			names = append(names, fmt.Sprint("c", i))
		}
		quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
		body := strings.Join(names, d) + "\n"
		if n == 1 {
			d = ","
		}
		var want []string
		var lines []int
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			row := map[string]string{}
			var cells []string
			for _, name := range names {
				text := cell.Draw(t, "cell")
				row[name] = strings.TrimSpace(text)
				cells = append(cells, quote(text))
			}
			line := strings.Count(body, "\n") + 1
			body += strings.Join(cells, d) + "\n"
			if slices.ContainsFunc(names, func(name string) bool { return row[name] != "" }) {
				raw, err := json.Marshal(row)
				require.NoError(t, err)
				want, lines = append(want, string(raw)), append(lines, line)
			}
		}
		var got []string
		var at []int
		require.NoError(t, eachRow([]byte(body), func(line int, row json.RawMessage, bad error) {
			require.NoError(t, bad)
			got, at = append(got, string(row)), append(at, line)
		}))
		require.Equal(t, want, got)
		require.Equal(t, lines, at)
	})
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("Key;Opened\n1;02.07.2026 10:30\n\"x"))
	m := mapper(f, sheet)
	f.Fuzz(func(t *testing.T, body []byte) {
		records, _, problems := Table("ours", "t.csv", body, Options{Map: m})
		for i := range records {
			require.NoError(t, records[i].Validate())
		}
		for _, p := range problems {
			require.True(t, strings.HasPrefix(p, "t.csv:"), p)
		}
	})
}
