package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"meantime/config"
	"meantime/incident"
	"meantime/source"
)

// tryWithin bounds asking a source once.
const tryWithin = 2 * time.Minute

// TrySource asks one source once and tells what it may read, how many incidents it sees and what would be made of the newest
// three. Nothing is stored.
func TrySource(ctx context.Context, o Options, name string, out io.Writer) error {
	a := newApp(o)
	c, err := a.load()
	if err != nil {
		return err
	}
	var names []string
	for i := range c.Sources {
		s := &c.Sources[i]
		if s.Name == name {
			return a.trySource(ctx, s, out)
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

func (a *App) trySource(ctx context.Context, s *config.Source, out io.Writer) error {
	if connectors[s.Type] == nil {
		return fmt.Errorf("source %s is of type %s, which is not asked over HTTP; meantime check-config and the log tell of it", s.Name, s.Type)
	}
	p, err := a.polled(s)
	if err != nil {
		return err
	}
	p.Heard = nil // no store is open: it is asked as if alerts were known
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	t, err := p.Try(ctx)
	if err != nil {
		return fmt.Errorf("source %s cannot be read: %w", s.Name, err)
	}
	return showTrial(out, s, t)
}

// showTrial says in words what a trial showed.
func showTrial(out io.Writer, s *config.Source, t *source.Trial) error {
	var b strings.Builder
	more := ""
	if t.Rest {
		more = ", and more on further pages"
	}
	fmt.Fprintf(&b, "%s (%s) answers: %d incidents since %s%s, in %s. Nothing was stored.\n",
		s.Name, s.Type, t.Seen, t.From.Format(time.DateOnly), more, t.Took.Round(time.Millisecond))
	switch {
	case t.Seen == 0:
		b.WriteString("Where there should be some: may the token read them, and are services, query or only too narrow?\n")
	case t.LeftOut > 0:
		fmt.Fprintf(&b, "%d of them are left out, by only, or because not everybody may see them.\n", t.LeftOut)
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
	if len(s.WebhookSecrets) == 0 {
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
