package cli

import "golang.org/x/sys/unix"

// outputRoom is how many bytes an output pipe should hold: four times the default.
const outputRoom = 256 << 10

// widenOutput gives a pipe at standard output more room, so that its writer and its reader wait for each other less often. It changes nothing if the
// output is not a pipe, if the pipe has more room, or if the user's pipes have as much as is allowed.
func widenOutput() {
	if room, err := unix.FcntlInt(uintptr(unix.Stdout), unix.F_GETPIPE_SZ, 0); err == nil && room < outputRoom {
		_, _ = unix.FcntlInt(uintptr(unix.Stdout), unix.F_SETPIPE_SZ, outputRoom)
	}
}
