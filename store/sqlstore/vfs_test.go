package sqlstore

import (
	"path/filepath"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// fileOp is what SQLite asks of the file system.
type fileOp struct {
	kind    fileOpKind
	path    string
	at      int64  // of a write; the new length of a truncation
	data    []byte // of a write; valid during the call alone
	syncDir bool   // a deletion that is made durable, or a sync that makes the file's name so
}

type fileOpKind int

const (
	opCreate fileOpKind = iota
	opWrite
	opTruncate
	opSync
	opDelete
	opRead
)

// errorOf is how SQLite hears that an operation failed.
var errorOf = map[fileOpKind]int32{
	opCreate: sqlite3.SQLITE_CANTOPEN, opWrite: sqlite3.SQLITE_IOERR_WRITE, opTruncate: sqlite3.SQLITE_IOERR_TRUNCATE,
	opSync: sqlite3.SQLITE_IOERR_FSYNC, opDelete: sqlite3.SQLITE_IOERR_DELETE, opRead: sqlite3.SQLITE_IOERR_READ,
}

// watcher is told of every operation on the files of a directory before it is done; it can make it fail.
type watcher interface {
	before(op fileOp) (fails bool)
}

// watched is SQLite's own file system, with everybody's watchers on it.
var watched struct {
	once     sync.Once
	mu       sync.Mutex
	watchers map[string]watcher // by directory
	original uintptr
	open     map[uintptr]*openFile
	methods  map[uintptr]uintptr // what stands in for a table of methods, by the table's address
	keep     []any               // what C alone refers to
}

type openFile struct {
	path    string
	methods *sqlite3.Tsqlite3_io_methods // SQLite's own
	newName bool                         // the first sync makes the name durable too: a new log or journal
}

// watch has a watcher told of what happens in a directory until the end of the test.
func watch(t testing.TB, dir string, w watcher) {
	watched.once.Do(installWatched)
	dir, err := filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	watched.mu.Lock()
	defer watched.mu.Unlock()
	watched.watchers[dir] = w
	t.Cleanup(func() {
		watched.mu.Lock()
		defer watched.mu.Unlock()
		delete(watched.watchers, dir)
	})
}

// at is the memory at an address that C gave.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// inC copies a value to memory of C's own, where what is written in C expects it. It is never given back.
func inC[T any](tls *libc.TLS, v T) uintptr {
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(v)))
	if p == 0 {
		panic("no memory")
	}
	*at[T](p) = v
	return p
}

// address is the address of a function, as C calls it.
func address[F any](f F) uintptr {
	p := &f
	watched.keep = append(watched.keep, p)
	return *(*uintptr)(unsafe.Pointer(p))
}

// function is the function at an address.
func function[F any](address uintptr) F {
	return *(*F)(unsafe.Pointer(&struct{ uintptr }{address}))
}

// installWatched makes the watched file system the default. The rest of the process keeps it: without watchers it does what
// the original does.
func installWatched() {
	tls := libc.NewTLS()
	watched.watchers, watched.open, watched.methods = map[string]watcher{}, map[uintptr]*openFile{}, map[uintptr]uintptr{}
	watched.original = sqlite3.Xsqlite3_vfs_find(tls, 0)
	vfs := *at[sqlite3.Tsqlite3_vfs](watched.original)
	name, err := libc.CString("watched")
	if err != nil {
		panic(err)
	}
	vfs.FzName = name
	vfs.FpNext = 0
	vfs.FxOpen = address(watchedOpen)
	vfs.FxDelete = address(watchedDelete)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, inC(tls, vfs), 1); rc != sqlite3.SQLITE_OK {
		panic(rc)
	}
}

// told tells who watches, and says whether the operation fails.
func told(op fileOp) bool {
	watched.mu.Lock()
	w := watched.watchers[filepath.Dir(op.path)]
	watched.mu.Unlock()
	return w != nil && w.before(op)
}

func fileOf(file uintptr) *openFile {
	watched.mu.Lock()
	defer watched.mu.Unlock()
	return watched.open[file]
}

func watchedOpen(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
	open := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](at[sqlite3.Tsqlite3_vfs](watched.original).FxOpen)
	if name == 0 { // a temporary file without a name
		return open(tls, watched.original, name, file, flags, out)
	}
	path := libc.GoString(name)
	if flags&sqlite3.SQLITE_OPEN_CREATE != 0 && told(fileOp{kind: opCreate, path: path}) {
		at[sqlite3.Tsqlite3_file](file).FpMethods = 0
		return errorOf[opCreate]
	}
	rc := open(tls, watched.original, name, file, flags, out)
	if f := at[sqlite3.Tsqlite3_file](file); rc == sqlite3.SQLITE_OK && f.FpMethods != 0 {
		watched.mu.Lock()
		defer watched.mu.Unlock()
		own := at[sqlite3.Tsqlite3_io_methods](f.FpMethods)
		watched.open[file] = &openFile{path: path, methods: own, newName: flags&(sqlite3.SQLITE_OPEN_MAIN_JOURNAL|sqlite3.SQLITE_OPEN_WAL) != 0}
		instead := watched.methods[f.FpMethods]
		if instead == 0 {
			m := *own
			m.FxClose, m.FxRead, m.FxWrite = address(watchedClose), address(watchedRead), address(watchedWrite)
			m.FxTruncate, m.FxSync = address(watchedTruncate), address(watchedSync)
			instead = inC(tls, m)
			watched.methods[f.FpMethods] = instead
		}
		f.FpMethods = instead
	}
	return rc
}

func watchedDelete(tls *libc.TLS, _, name uintptr, syncDir int32) int32 {
	if told(fileOp{kind: opDelete, path: libc.GoString(name), syncDir: syncDir != 0}) {
		return errorOf[opDelete]
	}
	return function[func(*libc.TLS, uintptr, uintptr, int32) int32](at[sqlite3.Tsqlite3_vfs](watched.original).FxDelete)(tls, watched.original, name, syncDir)
}

func watchedClose(tls *libc.TLS, file uintptr) int32 {
	f := fileOf(file)
	watched.mu.Lock()
	delete(watched.open, file)
	watched.mu.Unlock()
	return function[func(*libc.TLS, uintptr) int32](f.methods.FxClose)(tls, file)
}

func watchedRead(tls *libc.TLS, file, buffer uintptr, n int32, offset int64) int32 {
	f := fileOf(file)
	if told(fileOp{kind: opRead, path: f.path}) {
		return errorOf[opRead]
	}
	return function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.methods.FxRead)(tls, file, buffer, n, offset)
}

func watchedWrite(tls *libc.TLS, file, buffer uintptr, n int32, offset int64) int32 {
	f := fileOf(file)
	if told(fileOp{kind: opWrite, path: f.path, at: offset, data: unsafe.Slice(at[byte](buffer), n)}) {
		return errorOf[opWrite]
	}
	return function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.methods.FxWrite)(tls, file, buffer, n, offset)
}

func watchedTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	f := fileOf(file)
	if told(fileOp{kind: opTruncate, path: f.path, at: size}) {
		return errorOf[opTruncate]
	}
	return function[func(*libc.TLS, uintptr, int64) int32](f.methods.FxTruncate)(tls, file, size)
}

func watchedSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	f := fileOf(file)
	if told(fileOp{kind: opSync, path: f.path, syncDir: f.newName}) {
		return errorOf[opSync]
	}
	f.newName = false
	return function[func(*libc.TLS, uintptr, int32) int32](f.methods.FxSync)(tls, file, flags)
}
