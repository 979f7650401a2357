package sqlstore

import (
	"context"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/store"
	"meantime/store/storetest"
)

// cutEvery is which writes of the suite are looked at for what a power cut leaves; 1 is every one.
var cutEvery = flag.Int("cut-every", 25, "look at power cuts in one of every so many writes")

// TestPowerCut runs the whole suite on a disk that forgets and reorders, at random moments, what was not synced.
func TestPowerCut(t *testing.T) {
	if testing.Short() {
		t.Skip("every cut opens a store of its own")
	}
	storetest.RunPowerCuts(t, *cutEvery, func(t *testing.T) (store.Store, storetest.Medium) {
		dir := t.TempDir()
		m := newMedium(dir)
		watch(t, dir, m)
		return openTest(t, filepath.Join(dir, "store.db")), m
	})
}

// TestPowerCutInCreation cuts the power at every step of a first start. The next start opens what is left.
func TestPowerCutInCreation(t *testing.T) {
	dir := t.TempDir()
	m := newMedium(dir)
	watch(t, dir, m)
	m.Watch(2000)
	m.all = true
	path := filepath.Join(dir, "store.db")
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	require.NoError(t, err)
	_, err = s.Put(t.Context(), numbered(1), storeTime)
	require.NoError(t, err)
	images := m.stop()
	require.NoError(t, s.Close())
	require.Greater(t, len(images), 100)
	for i, image := range images {
		s := openImage(t, image)
		l, err := s.Sightings(context.Background(), storeTime.AddDate(-5, 0, 0), storeTime)
		require.NoError(t, err)
		if i == len(images)-1 {
			require.Len(t, l, 1, "it was acknowledged")
		}
		require.NoError(t, s.Close())
	}
}

// medium is what a disk holds of a directory, as far as it was synced, and what was not. SQLite's own operations are seen; the
// program's are the creation of the store, which shows when SQLite opens it, and the lock file.
type medium struct {
	dir string

	mu      sync.Mutex
	names   map[string]*node // as the running system has them
	durable map[string]*node // as the disk has them
	renames []func(map[string]*node)
	watched int // how many moments to remember; 0 while nobody watches
	seen    int
	all     bool // of moments, the first ones and not random ones
	images  []image
}

// node is a file: what is on the disk, and what was done to it since in this order.
type node struct {
	synced  []byte
	pending []fileOp
}

// image is what is left of a directory.
type image map[string][]byte

func newMedium(dir string) *medium {
	return &medium{dir: dir, names: map[string]*node{}, durable: map[string]*node{}}
}

func (m *medium) before(op fileOp) bool {
	if op.kind == opRead || strings.HasSuffix(op.path, "-shm") || strings.HasSuffix(op.path, "-lock") {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.moment()
	name := filepath.Base(op.path)
	n := m.names[name]
	if n == nil && op.kind != opDelete {
		n = &node{}
		m.names[name] = n
		m.renames = append(m.renames, func(names map[string]*node) { names[name] = n })
	}
	switch op.kind {
	case opWrite:
		op.data = append([]byte(nil), op.data...)
		n.pending = append(n.pending, op)
	case opTruncate:
		n.pending = append(n.pending, op)
	case opSync:
		n.synced, n.pending = apply(n.synced, n.pending, nil), nil
	case opDelete:
		delete(m.names, name)
		m.renames = append(m.renames, func(names map[string]*node) { delete(names, name) })
	}
	if op.syncDir {
		m.durable, m.renames = maps.Clone(m.names), nil
	}
	return false
}

// moment remembers what a cut would leave now, of some moments. m.mu is held.
func (m *medium) moment() {
	if m.watched == 0 {
		return
	}
	m.seen++
	switch {
	case len(m.images) < m.watched:
		m.images = append(m.images, m.left())
	case m.all:
	default: // each moment is as likely to stay as any other
		if i := rand.IntN(m.seen); i < m.watched {
			m.images[i] = m.left()
		}
	}
}

// left is what a cut leaves, by chance: of what was not synced nothing, all, a beginning, or any parts in any order.
func (m *medium) left() image {
	names := maps.Clone(m.durable)
	for _, change := range m.renames[:rand.IntN(len(m.renames)+1)] {
		change(names)
	}
	out := image{}
	for name, n := range names {
		switch rand.IntN(4) {
		case 0:
			out[name] = n.synced
		case 1:
			out[name] = apply(n.synced, n.pending, nil)
		case 2:
			out[name] = apply(n.synced, n.pending[:rand.IntN(len(n.pending)+1)], nil)
		default:
			out[name] = apply(n.synced, n.pending, rand.New(rand.NewPCG(rand.Uint64(), 0)))
		}
	}
	if lock, err := os.ReadFile(filepath.Join(m.dir, "store.db-lock")); err == nil {
		out["store.db-lock"] = lock
	}
	return out
}

// apply does what was done to a file. With a chance, each sector of 512 bytes comes to the disk or does not, and may hold anything
// where it was about to be written beyond what the file had.
func apply(content []byte, ops []fileOp, chance *rand.Rand) []byte {
	const sector = 512
	out := append([]byte(nil), content...)
	grow := func(to int64) {
		if missing := to - int64(len(out)); missing > 0 {
			out = append(out, make([]byte, missing)...)
		}
	}
	for _, op := range ops {
		if op.kind == opTruncate {
			if chance == nil || chance.IntN(2) == 0 {
				grow(op.at)
				out = out[:op.at]
			}
			continue
		}
		for from := int64(0); from < int64(len(op.data)); {
			to := min(from+sector-(op.at+from)%sector, int64(len(op.data)))
			switch {
			case chance == nil || chance.IntN(2) == 0:
				grow(op.at + to)
				copy(out[op.at+from:], op.data[from:to])
			case op.at+from >= int64(len(content)) && chance.IntN(4) == 0:
				grow(op.at + to)
				for i := op.at + from; i < op.at+to; i++ {
					out[i] = byte(chance.Uint32())
				}
			}
			from = to
		}
	}
	return out
}

// Watch implements storetest.Medium.
func (m *medium) Watch(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watched, m.seen, m.images = n, 0, nil
}

// stop ends the watch; the last image is of now.
func (m *medium) stop() []image {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watched = 0
	return append(m.images, m.left())
}

// Left implements storetest.Medium.
func (m *medium) Left(t *testing.T) (stores []store.Store) {
	for _, i := range m.stop() {
		stores = append(stores, openImage(t, i))
	}
	return stores
}

// openImage opens what a cut has left, and checks it to the last page.
func openImage(t *testing.T, i image) *Store {
	dir, err := os.MkdirTemp(t.TempDir(), "cut-")
	require.NoError(t, err)
	for name, content := range i {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	s, err := Open(context.Background(), "sqlite:"+filepath.Join(dir, "store.db"), Options{})
	if err != nil {
		for name, content := range i {
			t.Logf("%s: %d bytes, %q", name, len(content), content[:min(len(content), 32)])
		}
	}
	require.NoError(t, err)
	var check string
	require.NoError(t, s.db.read.QueryRow("PRAGMA integrity_check").Scan(&check))
	require.Equal(t, "ok", check)
	return s
}

// failing makes the operations on the files of a directory fail as a suite's faults say.
type failing struct{ faults *storetest.Faults }

func (f failing) before(op fileOp) bool {
	return !strings.HasSuffix(op.path, "-lock") && f.faults.Call(false) != storetest.Works
}
