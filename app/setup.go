package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"meantime/config"
	"meantime/incident"
	"meantime/setup"
	"meantime/source"
	"meantime/source/alertmanager"
	"meantime/source/prometheus/history"
	"meantime/store/sqlstore"
)

// setupFacts are what a configuration says of a set-up.
func setupFacts(c *config.Validated, address string, now time.Time) setup.Facts {
	f := setup.Facts{Now: now, URL: strings.TrimRight(address, "/"), Token: !c.Web.WebhookToken.IsZero()}
	for _, m := range c.Rules.Open.Matchers {
		f.Opens = append(f.Opens, m.String())
	}
	return f
}

// checklist says what is connected and what is missing.
func (a *App) checklist(ctx context.Context) (setup.Checklist, error) {
	c := a.config.Load()
	f := setupFacts(c, a.address(), a.now().UTC())
	f.Running, f.Follows = true, a.term.Load() == nil
	a.contacts.tell(&f)
	var err error
	if f.Senders, _, err = senders(ctx, a.store); err != nil {
		return setup.Checklist{}, err
	}
	some, _, err := a.store.Incidents(ctx, incident.IncidentQuery{Limit: 1})
	if err != nil {
		return setup.Checklist{}, err
	}
	f.Incidents, f.Going = len(some) > 0, a.going()
	for _, n := range a.openings.notes() {
		f.NoneOpens = n
	}
	states := map[string]setup.Asked{}
	for _, s := range a.sourceStates() {
		states[s.Name] = setup.Asked{Name: s.Name, Up: s.Up, Answered: s.LastSuccess, Err: s.Err, Progress: s.Progress,
			Problems: s.Notes}
	}
	asked := func(name string) setup.Asked {
		x, ok := states[name]
		if !ok {
			x = setup.Asked{Name: name, Up: true}
		}
		x.Sends = a.ways.Sends(name)
		return x
	}
	for i := range c.Alertmanagers {
		f.Alertmanagers = append(f.Alertmanagers, asked(jobName(alertmanagerJob, c.Alertmanagers[i].Name)))
	}
	for i := range c.Prometheuses {
		f.Prometheuses = append(f.Prometheuses, asked(jobName(prometheusJob, c.Prometheuses[i].Name)))
		if c.Prometheuses[i].History > 0 {
			f.Prometheuses = append(f.Prometheuses, asked(jobName(historyJob, c.Prometheuses[i].Name)))
		}
	}
	for i := range c.Sources {
		f.Records = append(f.Records, asked(c.Sources[i].Name))
	}
	return setup.List(f), nil
}

// address is where others reach this process, without a slash at the end.
func (a *App) address() string {
	if a.place.url != "" {
		return a.place.url
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	port := alertmanager.DefaultPort
	for _, x := range a.addrs {
		if _, p, err := net.SplitHostPort(x.String()); err == nil {
			port = p
			break
		}
	}
	return "http://" + net.JoinHostPort(host, port) + a.place.path
}

// doctorWithin bounds asking one server.
const doctorWithin = 20 * time.Second

// Doctor says what is connected and what is missing, and whether nothing is. Where the address of a daemon is given, that is asked.
func Doctor(ctx context.Context, o Options, daemon string, out io.Writer) (ready bool, err error) {
	var list setup.Checklist
	if daemon == "" {
		list, err = inspect(ctx, o)
	} else {
		list, err = askDoctor(ctx, daemon)
	}
	if err != nil {
		return false, err
	}
	return list.Ready, printChecklist(out, list)
}

// inspect reads a configuration and the store that it names, and asks each server once. Nothing is stored.
func inspect(ctx context.Context, o Options) (setup.Checklist, error) {
	a := newApp(o)
	c, err := a.load()
	if err != nil {
		return setup.Checklist{}, err
	}
	f := setupFacts(c, a.address(), a.now().UTC())
	heard, err := a.stored(ctx, &f, string(c.Store.DSN))
	if err != nil {
		return setup.Checklist{}, err
	}
	for i := range c.Alertmanagers {
		am := &c.Alertmanagers[i]
		x := setup.Asked{Name: jobName(alertmanagerJob, am.Name), Up: true, Answered: f.Now}
		x.Err = once(ctx, func(ctx context.Context) error {
			client, err := source.NewClient(a.clientOptions(am.Client))
			if err != nil {
				return err
			}
			x.Sends, x.Problems, err = alertmanager.Inspect(ctx, client, heard, c.Rules.Silence)
			return err
		})
		x.Up = x.Err == ""
		f.Alertmanagers = append(f.Alertmanagers, x)
	}
	for i := range c.Prometheuses {
		p := &c.Prometheuses[i]
		x := setup.Asked{Name: jobName(prometheusJob, p.Name), Up: true, Answered: f.Now}
		x.Err = once(ctx, func(ctx context.Context) error {
			client, err := source.NewClient(a.clientOptions(p.Client))
			if err != nil {
				return err
			}
			_, err = history.AskRules(ctx, client)
			return err
		})
		x.Up = x.Err == ""
		f.Prometheuses = append(f.Prometheuses, x)
	}
	for i := range c.Sources {
		f.Records = append(f.Records, recordsOf(&c.Sources[i], f.Now))
	}
	return setup.List(f), nil
}

// once asks a server, and returns why it could not be.
func once(ctx context.Context, ask func(ctx context.Context) error) string {
	ctx, cancel := context.WithTimeout(ctx, doctorWithin)
	defer cancel()
	if err := ask(ctx); err != nil {
		return incident.PlainText(err.Error(), 500)
	}
	return ""
}

// recordsOf says whether a source of records is there. One that is asked over HTTP is left to try-source.
func recordsOf(s *config.Source, now time.Time) setup.Asked {
	x := setup.Asked{Name: s.Name, Up: true}
	if s.Type == "file" {
		x.Answered = now
		if _, err := os.Stat(s.Dir); err != nil {
			x.Up, x.Err = false, err.Error()
		}
	}
	return x
}

// stored adds what the store knows, where there is one.
func (a *App) stored(ctx context.Context, f *setup.Facts, dsn string) ([]incident.Sender, error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		if _, err := os.Stat(strings.SplitN(path, "?", 2)[0]); errors.Is(err, os.ErrNotExist) {
			return nil, nil // a daemon that never ran
		}
	}
	db, err := sqlstore.Open(ctx, dsn, sqlstore.Options{Logger: a.logger, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	list, heard, err := senders(ctx, db)
	if err == nil {
		f.Senders = list
		var some []incident.Incident
		some, _, err = db.Incidents(ctx, incident.IncidentQuery{Limit: 1})
		f.Incidents = len(some) > 0
	}
	return heard, errors.Join(err, db.Close())
}

// askDoctor asks a running daemon for its checklist.
func askDoctor(ctx context.Context, base string) (list setup.Checklist, err error) {
	ctx, cancel := context.WithTimeout(ctx, doctorWithin)
	defer cancel()
	address := strings.TrimRight(base, "/") + "/api/v1/setup"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return list, fmt.Errorf("url: %w", err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return list, fmt.Errorf("ask the daemon: %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return list, fmt.Errorf("%s answers %s", address, answer.Status)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&list); err != nil {
		return list, fmt.Errorf("%s: not a checklist: %w", address, err)
	}
	return list, nil
}

// printChecklist says a checklist in a shell.
func printChecklist(out io.Writer, list setup.Checklist) error {
	var b strings.Builder
	for _, p := range list.Progress {
		fmt.Fprintf(&b, "%-9s %s.\n", "[working]", p.Line())
	}
	for _, c := range list.Checks {
		fmt.Fprintf(&b, "%-9s %s\n", "["+string(c.State)+"]", c.Title)
		if c.Text != "" {
			fmt.Fprintf(&b, "          %s\n", c.Text)
		}
		for _, p := range c.Problems {
			fmt.Fprintf(&b, "        ! %s.\n", p)
		}
		if c.Paste != "" {
			fmt.Fprintf(&b, "          Write into %s:\n\n", c.Into)
			for line := range strings.Lines(c.Paste) {
				b.WriteString("              " + line)
			}
			b.WriteString("\n")
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
