package servers

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Exposition is a scrape: value by series, both as text.
type Exposition map[string]string

// Scrape reads the metrics of the server at a URL.
func Scrape(url string) (Exposition, error) {
	resp, err := client.Get(url + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("a scrape is answered with status %d: %s", resp.StatusCode, text)
	}
	e := Exposition{}
	for line := range bytes.Lines(text) {
		line := strings.TrimSpace(string(line))
		if line == "" || line[0] == '#' {
			continue
		}
		cut := strings.LastIndexByte(line, ' ')
		if cut <= 0 {
			return nil, fmt.Errorf("no series with a value: %q", line)
		}
		e[line[:cut]] = line[cut+1:]
	}
	return e, nil
}

// Keep are the series that a function accepts.
func (e Exposition) Keep(which func(series string) bool) Exposition {
	out := maps.Clone(e)
	maps.DeleteFunc(out, func(series, _ string) bool { return !which(series) })
	return out
}

// Difference says in a few lines what two expositions do not have in common; empty where they have the same series with
// the same values, of which same decides.
func Difference(want, got Exposition, same func(want, got string) bool) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[k]; !ok {
			out = append(out, fmt.Sprintf("missing %s %s", k, want[k]))
		} else if !same(want[k], v) {
			out = append(out, fmt.Sprintf("%s is %s, not %s", k, v, want[k]))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok {
			out = append(out, fmt.Sprintf("extra %s %s", k, got[k]))
		}
	}
	if len(out) > 10 {
		out = append(out[:10], fmt.Sprintf("and %d more", len(out)-10))
	}
	return strings.Join(out, "\n")
}
