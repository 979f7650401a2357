package servers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// PostgresServer is a running PostgreSQL.
type PostgresServer struct {
	*Process
	bin, data, host, port string

	again func() *Process
}

// Postgres starts a PostgreSQL with no database of its own yet; see Database. The arguments are further ones of the server's
// program.
func Postgres(t testing.TB, args ...string) *PostgresServer {
	t.Helper()
	bin := filepath.Dir(need(t, postgresProgram))
	host, port, err := net.SplitHostPort(Address(t))
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: PostgreSQL refuses to run as root, its files and processes then belong to the user that its
	// package made, and the test's own folder is closed to that user.
	dir, err := os.MkdirTemp("", "postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	attr := orphanKilled()
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			LeftOut(t, "PostgreSQL does not run as root and there is no user postgres")
		}
		uid, _ := strconv.Atoi(u.Uid) // ids are numbers wherever there is a root
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		if attr == nil {
			attr = new(syscall.SysProcAttr)
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}

	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata="+data,
		"--username=meantime", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s := &PostgresServer{bin: bin, data: data, host: host, port: port}
	s.again = func() *Process {
		p := start(t, command{
			name: "PostgreSQL", path: filepath.Join(bin, "postgres"), dir: dir, attr: attr,
			args: append([]string{"-D", data, "-h", host, "-p", port, "-k", dir}, args...),
		})
		// SIGTERM would wait for every client to leave, and a test that failed may have left some.
		t.Cleanup(func() { _ = p.cmd.Process.Signal(syscall.SIGINT) })
		return p
	}
	s.Process = s.again()
	s.until("take connections", func() error { return s.psql("SELECT 1") })
	return s
}

// StopAtOnce ends it without a word to its clients and without writing anything down (its immediate shutdown), as a power
// cut would. Its next start recovers from its log.
func (s *PostgresServer) StopAtOnce() {
	s.Signal(syscall.SIGQUIT)
	_ = s.Wait()
}

// Restart starts it again, at the same address and with the same databases.
func (s *PostgresServer) Restart() {
	s.t.Helper()
	s.Process = s.again()
	s.until("take connections", func() error { return s.psql("SELECT 1") })
}

// Database makes a new empty database and returns its DSN. It goes with the server.
func (s *PostgresServer) Database(name string) (dsn string) {
	s.t.Helper()
	if err := s.psql(`CREATE DATABASE "` + name + `"`); err != nil {
		s.t.Fatalf("create database %s: %v", name, err)
	}
	return s.DSN(name)
}

// DSN is that of a database that exists already.
func (s *PostgresServer) DSN(name string) string {
	return fmt.Sprintf("postgres://meantime@%s/%s?sslmode=disable", net.JoinHostPort(s.host, s.port), name)
}

// Locked makes a new empty database that a new user owns and reaches by password.
func (s *PostgresServer) Locked(name, user, password string) (dsn string) {
	s.t.Helper()
	access := filepath.Join(s.data, "pg_hba.conf")
	rules, err := os.ReadFile(access)
	if err == nil {
		rule := fmt.Sprintf("host all %s all scram-sha-256\n", user)
		err = os.WriteFile(access, append([]byte(rule), rules...), 0o600) // the first rule that fits counts
	}
	for _, statement := range []string{
		fmt.Sprintf(`CREATE ROLE "%s" LOGIN CREATEROLE PASSWORD '%s'`, user, password), fmt.Sprintf(`CREATE DATABASE "%s" OWNER "%s"`, name, user), "SELECT pg_reload_conf()",
	} {
		if err == nil {
			err = s.psql(statement)
		}
	}
	if err != nil {
		s.t.Fatalf("create database %s: %v", name, err)
	}
	s.until("ask for passwords", func() error { // it reads its rules again in its own time
		refused := exec.Command(filepath.Join(s.bin, "psql"), "--no-psqlrc", "--no-password", "--command=SELECT 1", strings.Replace(s.DSN(name), "meantime@", user+"@", 1))
		if refused.Run() == nil {
			return errors.New("it does not yet")
		}
		return nil
	})
	return strings.Replace(s.DSN(name), "meantime@", user+":"+password+"@", 1)
}

// SetPassword gives a user another password and ends its connections.
func (s *PostgresServer) SetPassword(user, password string) {
	s.t.Helper()
	for _, statement := range []string{
		fmt.Sprintf(`ALTER ROLE "%s" PASSWORD '%s'`, user, password),
		fmt.Sprintf("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '%s'", user),
	} {
		if err := s.psql(statement); err != nil {
			s.t.Fatalf("change the password of %s: %v", user, err)
		}
	}
}

func (s *PostgresServer) psql(statement string) error {
	cmd := exec.Command(filepath.Join(s.bin, "psql"), "--no-psqlrc", "--quiet", "--host="+s.host, "--port="+s.port,
		"--username=meantime", "--dbname=postgres", "--command="+statement)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
