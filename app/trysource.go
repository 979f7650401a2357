package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"meantime/config"
	"meantime/incident"
	"meantime/source"
	"meantime/source/file"
)

// tryWithin bounds asking a source once.
const tryWithin = 2 * time.Minute

// TrySource asks one source once and tells what it may read, how many incidents it sees and what would be made of the newest
// three. Where saved names a file, nobody is asked: it is what the server answered, or a table. Nothing is stored.
func TrySource(ctx context.Context, o Options, name, saved string, out io.Writer) error {
	a := newApp(o)
	c, err := a.load()
	if err != nil {
		return err
	}
	var names []string
	for i := range c.Sources {
		s := &c.Sources[i]
		if s.Name == name {
			return a.trySource(ctx, s, saved, out)
		}
		names = append(names, s.Name)
	}
	if near := incident.Nearest(name, names); near != "" {
		return fmt.Errorf("no source %q is configured; did you mean %s?", name, near)
	}
	if len(names) == 0 {
		return errors.New("no sources are configured; see sources in the configuration")
	}
	return fmt.Errorf("no source %q is configured; there are %s", name, strings.Join(names, ", "))
}

func (a *App) trySource(ctx context.Context, s *config.Source, saved string, out io.Writer) error {
	var body []byte
	var via http.RoundTripper
	held := &answered{}
	if saved != "" {
		var err error
		if body, err = os.ReadFile(saved); err != nil {
			return err
		}
		held.body, via = body, held
	}
	switch {
	case s.Type == "file" && saved != "":
		return a.tryTable(s, saved, body, out)
	case s.Type == "file":
		return fmt.Errorf("source %s is a folder; --file=TABLE.csv shows what its map makes of a table, "+
			"check-config and the log tell of the rest", s.Name)
	}
	p, err := a.polled(s, via)
	if err != nil {
		return err
	}
	p.Heard, p.Store = nil, nil // no store is open: it is asked as if alerts were known
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	t, err := p.Try(ctx)
	switch {
	case err != nil && held.others != "":
		return fmt.Errorf("a saved answer does not do for source %s: type %s asks more than once for its incidents, here also for %s, "+
			"and the file holds one answer; without --file the server is asked, and nothing is stored either: %w", s.Name, s.Type, held.others, err)
	case err != nil:
		return fmt.Errorf("source %s cannot be read: %w", s.Name, err)
	}
	if held.others != "" {
		t.Notes = []string{fmt.Sprintf("Type %s asks more than once, here also for %s, and the file holds one answer: what only the others tell "+
			"is missing here.", s.Type, held.others)}
	}
	return showTrial(out, s, saved, t)
}

// tryTable tells what a folder's mapping makes of a table.
func (a *App) tryTable(s *config.Source, saved string, body []byte, out io.Writer) error {
	o, err := a.fileOptions(s)
	if err != nil {
		return err
	}
	if o.Map == nil {
		return fmt.Errorf("source %s has no map, a jq program that makes a record of each row of a table", s.Name)
	}
	began := time.Now()
	records, rows, problems := file.Table(s.Name, saved, body, o)
	t := &source.Trial{Seen: rows, Refused: problems, Newest: records, Took: time.Since(began)}
	t.Cut()
	return showTrial(out, s, saved, t)
}

// answered carries requests to an answer that was saved: the first request's, whatever page it is for. There is no other.
type answered struct {
	body   []byte
	path   string
	others string // the first other address that was asked for
}

// RoundTrip implements http.RoundTripper.
func (f *answered) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.path == "" {
		f.path = r.URL.Path
	}
	status, body := http.StatusOK, f.body
	if f.path != r.URL.Path {
		f.others = cmp.Or(f.others, r.URL.Path)
		status, body = http.StatusNotFound, []byte("the file holds one answer, and this would be another")
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// showTrial says in words what a trial showed.
func showTrial(out io.Writer, s *config.Source, saved string, t *source.Trial) error {
	var b strings.Builder
	more := ""
	if t.Rest {
		more = ", and more on further pages"
	}
	if saved != "" {
		fmt.Fprintf(&b, "%s holds %d incidents for %s (%s)%s. Nobody was asked, nothing was stored.\n", saved, t.Seen, s.Name, s.Type, more)
	} else {
		fmt.Fprintf(&b, "%s (%s) answers: %d incidents since %s%s, in %s. Nothing was stored.\n",
			s.Name, s.Type, t.Seen, t.From.Format(time.DateOnly), more, t.Took.Round(time.Millisecond))
	}
	switch {
	case t.Seen == 0 && saved != "":
		b.WriteString("Where there should be some: does the file hold a whole answer, and does items find the incidents in it?\n")
	case t.Seen == 0:
		b.WriteString("Where there should be some: may the token read them, and are services, query or only too narrow?\n")
	case t.LeftOut > 0:
		fmt.Fprintf(&b, "%d of them are left out, by only, or because not everybody may see them.\n", t.LeftOut)
	}
	for _, n := range t.Notes {
		b.WriteString(n + "\n")
	}
	for _, r := range t.Refused[:min(len(t.Refused), trialShown)] {
		fmt.Fprintf(&b, "Refused: %s\n", r)
	}
	if n := len(t.Refused) - trialShown; n > 0 {
		fmt.Fprintf(&b, "and %d more are refused.\n", n)
	}
	for i := range t.Newest {
		showRecord(&b, &t.Newest[i])
	}
	if len(s.WebhookSecrets) == 0 && saved == "" {
		fmt.Fprintf(&b, "\nNo webhooks are taken: it is asked every %s. "+
			"With webhook_secret_files and the address /webhook/%s at the vendor, it is at once.\n",
			s.Interval, s.Name)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// trialShown is how many refusals are shown.
const trialShown = 5

func showRecord(b *strings.Builder, r *incident.Record) {
	fmt.Fprintf(b, "\n%s: %s\n", r.ID, r.Title)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "  %-13s %s\n", name, value)
		}
	}
	line("state", string(r.State))
	if r.Kind != incident.KindIncident {
		line("kind", string(r.Kind))
	}
	line("severity", r.Severity)
	line("services", strings.Join(r.Services, ", "))
	line("url", r.URL)
	for _, k := range slices.Sorted(maps.Keys(r.Labels)) {
		line(k, r.Labels[k])
	}
	for _, name := range incident.MilestoneNames {
		if m, ok := r.Milestones[name]; ok {
			line(string(name), m.At.Format(time.RFC3339)+"  "+m.Evidence)
		} else {
			line(string(name), "not said")
		}
	}
	for _, x := range r.Related {
		line("related", x.How+" "+x.ID)
	}
	refs := &r.References
	if refs.Empty() {
		line("alerts", "none named; they are matched by time, service and words")
		return
	}
	line("alerts", fmt.Sprintf("%d named exactly, %d groups, %d fingerprints", len(refs.Alerts), len(refs.Groups), len(refs.Fingerprints)))
}
