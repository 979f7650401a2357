// Command meantime tells teams that run Prometheus how long their incidents took to detect, acknowledge, mitigate and
// resolve. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"

	"meantime/app"
)

// Exit statuses. A script can tell a mistake of the caller from a trouble of the machine, and an import that left
// questions from one that failed.
const (
	exitOK        = 0
	exitError     = 1
	exitUsage     = 2
	exitQuestions = 3
)

// program is what every command gets.
type program struct {
	stdout, stderr io.Writer
	screen         *app.Screen // of stderr
	logger         *slog.Logger
	configFile     string
	dsn            string // overrides the configured one where given
}

// options are what every command gives to the app.
func (p *program) options() app.Options {
	return app.Options{ConfigFile: p.configFile, DSN: p.dsn, Logger: p.logger, Screen: p.screen}
}

// command is one command of the program; each lives in a file of its own.
type command struct {
	clause *kingpin.CmdClause
	run    func(ctx context.Context, p *program) error
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p := &program{stdout: stdout, stderr: stderr, screen: app.NewScreen(stderr)}
	tellVersion()
	k := kingpin.New("meantime", "How long incidents take to detect, acknowledge, mitigate and resolve, as Prometheus metrics.")
	k.UsageWriter(stderr).ErrorWriter(stderr).Terminate(nil)
	said := version.Print("meantime")
	if slices.Contains(args, "--help-man") {
		said = version.Version // the head of a manual page is one line
	}
	k.Version(said).VersionFlag.Short('v')
	k.HelpFlag.Short('h')
	k.Flag("config.file", "The configuration file; without one everything has its default.").StringVar(&p.configFile)
	k.Flag("store.dsn", "The database, such as sqlite:meantime.db or postgres://meantime@db/meantime; overrides the configuration.").StringVar(&p.dsn)
	logging := &promslog.Config{Writer: p.screen, Style: promslog.SlogStyle}
	promslogflag.AddFlags(k, logging)

	commands := []command{
		serveCommand(k), checkConfigCommand(k), trySourceCommand(k), importCommand(k), replayCommand(k), reportCommand(k),
		explainCommand(k), simulateCommand(k), backfillCommand(k), backupCommand(k), copyCommand(k), healthcheckCommand(k), doctorCommand(k),
		previewCommand(k),
	}

	// kingpin prints help and version itself and would then exit; told not to, it goes on, so note that it did.
	asked := false
	k.Terminate(func(int) { asked = true })
	selected, err := k.Parse(args)
	switch {
	case asked:
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "meantime: %v; see meantime --help\n", err)
		return exitUsage
	}
	p.logger = promslog.New(logging)
	for _, c := range commands {
		if c.clause.FullCommand() != selected {
			continue
		}
		switch err := c.run(ctx, p); {
		case errors.Is(err, errQuestions):
			return exitQuestions
		case err != nil:
			fmt.Fprintf(stderr, "meantime: %v\n", err)
			return exitError
		}
		return exitOK
	}
	return exitUsage
}

// errQuestions ends an import that worked and left questions open.
var errQuestions = errors.New("questions are open")
