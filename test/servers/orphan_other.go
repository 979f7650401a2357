//go:build !linux

package servers

import "syscall"

// orphanKilled does nothing: only Linux can tie a server's life to that of the test.
func orphanKilled() *syscall.SysProcAttr { return nil }
