package servers

import "syscall"

// orphanKilled has a server killed when the test's process dies, so that a test run that is interrupted or runs into
// its time limit leaves nothing behind.
func orphanKilled() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
