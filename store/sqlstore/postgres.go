package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"meantime/incident"
	"meantime/store"
)

// writerLock is the number of the advisory lock that every writer's transaction holds to its end. Several replicas then
// write one after the other, each a whole group at a time: what one has read still holds when it writes, and the feed's
// numbers are given out in the order of commits.
const writerLock = 0x4d65616e

// openPostgres opens the database that a postgres:// DSN names, with everything such a DSN can say: several hosts,
// target_session_attrs, TLS. Each connection is made with the secrets as they are then: those of the DSN that now tells, where
// there is one, and of the files that the DSN and the environment name.
func openPostgres(ctx context.Context, dsn string, now func() string, logger *slog.Logger, readOnly bool) (_ *database, err error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, incident.Errorf(incident.CodeInvalid, "postgres: %s", plainParseError(err))
	}
	// What the DSN or the environment says wins.
	set := func(name, value string) {
		if _, ok := config.RuntimeParams[name]; !ok {
			config.RuntimeParams[name] = value
		}
	}
	set("application_name", "meantime")
	set("synchronous_commit", "on") // what is acknowledged is durable, whatever the server's default
	// A replica that is frozen in the middle of a transaction must not hold the others' writing.
	set("idle_in_transaction_session_timeout", "10s")
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	// A server that is gone without a word is given up after a minute and a half, and not with the system's patience.
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 5}}
	config.DialFunc = dialer.DialContext
	renew := renewal(dsn, now)
	d := &database{
		name:        fmt.Sprintf("postgres database %s on %s", config.Database, strings.Join(hosts(config), ", ")),
		begin:       []string{"BEGIN", fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", writerLock)},
		placeholder: func(n int) string { return "$" + strconv.Itoa(n) },
		clock:       "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
		listen:      func(ctx context.Context, told func(string)) error { return listenPostgres(ctx, config, renew, told) },
		probe: func(x *session) error { // PostgreSQL writes also what changes nothing
			_, err := x.exec("UPDATE progress SET cursor = cursor WHERE one = 1")
			return err
		},
		close: func() error { return nil },
	}
	d.explain = func(err error) *incident.Error { return explainPostgres(d.name, err) }
	d.read = stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(renew))
	d.read.SetMaxOpenConns(20) // a server has 100 by default, for all replicas
	d.read.SetMaxIdleConns(4)
	d.read.SetConnMaxIdleTime(5 * time.Minute)
	d.size = func(ctx context.Context) (n int64, err error) {
		err = d.read.QueryRowContext(ctx, "SELECT pg_database_size(current_database())").Scan(&n)
		return n, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(explained(d, err), d.closeAll())
		}
	}()
	if readOnly {
		return d, checkVersion(ctx, d.read, d.name, goose.DialectPostgres)
	}
	d.write = stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(renew))
	d.write.SetMaxOpenConns(2)
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return d, migrate(ctx, d.write, d.name, goose.DialectPostgres, logger, goose.WithSessionLocker(locker))
}

// renewer puts into what a connection is made with the secrets as they are now.
type renewer func(ctx context.Context, c *pgx.ConnConfig) error

// renewal reads the DSN anew, and with it the files that it or the environment names: of passwords, certificates and keys.
// Where what is there names another database, or cannot be read, it is connected as it was when the store was opened.
func renewal(dsn string, now func() string) renewer {
	if now == nil {
		now = func() string { return dsn }
	}
	return func(_ context.Context, c *pgx.ConnConfig) error {
		fresh, err := pgx.ParseConfig(now())
		if err == nil && fresh.Database == c.Database && fresh.User == c.User && slices.Equal(hosts(fresh), hosts(c)) {
			c.Password, c.TLSConfig, c.Fallbacks = fresh.Password, fresh.TLSConfig, fresh.Fallbacks
		}
		return nil
	}
}

// listenPostgres tells what comes over a connection of its own, until that breaks or ctx ends. First it tells of the gap before it.
func listenPostgres(ctx context.Context, config *pgx.ConnConfig, renew renewer, told func(string)) error {
	config = config.Copy()
	if err := renew(ctx, config); err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	told(string(store.EventGap))
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		told(n.Payload)
	}
}

// hosts are the servers that a DSN names, in its order.
func hosts(c *pgx.ConnConfig) []string {
	list := []string{net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))}
	for _, f := range c.Fallbacks { // the same once more where TLS is only preferred
		if h := net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port))); !slices.Contains(list, h) {
			list = append(list, h)
		}
	}
	return list
}

// plainParseError is what is wrong with a DSN, without the DSN, which may hold a password.
func plainParseError(err error) string {
	var p *pgconn.ParseConfigError
	if !errors.As(err, &p) {
		return "not a DSN; write postgres://user@host:5432/database"
	}
	_, reason, ok := strings.Cut(p.Error(), "`: ")
	if !ok {
		return "not a DSN; write postgres://user@host:5432/database"
	}
	return reason
}

func explainPostgres(name string, err error) *incident.Error {
	coded := func(code incident.Code, what string) *incident.Error {
		return &incident.Error{Code: code, Err: fmt.Errorf("%s: %s%w", name, what, err)}
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch server.Code[:2] {
		case "53": // insufficient resources
			return coded(incident.CodeUnavailable, "the database is out of resources, nothing was stored: ")
		case "25": // such as a transaction on a standby
			return coded(incident.CodeUnavailable, "the database takes no writes; name the primary, or set target_session_attrs=read-write: ")
		case "28":
			return coded(incident.CodeInternal, "the server does not let this user in; check user, password and pg_hba.conf: ")
		case "3D":
			return coded(incident.CodeInternal, "there is no such database; create it, as with createdb: ")
		case "42": // such as no permission, or no such table
			if server.Code == "42501" {
				return coded(incident.CodeInternal, "the user may not do that; Meantime's user must own its tables: ")
			}
			return coded(incident.CodeInternal, "")
		case "08", "40", "55", "57", "58": // connections, serialization, locks, shutdown, disk
			return coded(incident.CodeUnavailable, "")
		}
		return coded(incident.CodeInternal, "")
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return coded(incident.CodeUnavailable, "cannot connect: ")
	}
	return coded(incident.CodeUnavailable, "the connection broke: ") // what does not come from the server comes from the way to it
}
