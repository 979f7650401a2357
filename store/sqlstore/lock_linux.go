package sqlstore

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// Commands of fcntl for locks that belong to an open file and not to a process: closing another descriptor of the same file
// does not let them go, and two in one process exclude each other. The kernel ends them with the process, however that ends.
const (
	ofdGetLock = 36 // F_OFD_GETLK
	ofdSetLock = 37 // F_OFD_SETLK
)

// canLockStores says that locks go by file, and not only by path.
const canLockStores = true

// tryLock takes a stretch of bytes of a file for this open file alone; false where another has it.
func tryLock(f *os.File, at, length int64) (bool, error) {
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: at, Len: length}
	err := syscall.FcntlFlock(f.Fd(), ofdSetLock, &l)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		return false, nil
	}
	return err == nil, err
}

// isLocked says whether another open file has a stretch of bytes.
func isLocked(f *os.File, at, length int64) (bool, error) {
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: at, Len: length}
	if err := syscall.FcntlFlock(f.Fd(), ofdGetLock, &l); err != nil {
		return false, err
	}
	return l.Type != syscall.F_UNLCK, nil
}

// links is how many names a file has.
func links(st os.FileInfo) int {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return int(s.Nlink)
	}
	return 1
}
