package cli

import "golang.org/x/sys/unix"

// outputRoom is how many bytes of the output a pipe is to hold for its reader: four times what it holds by default.
const outputRoom = 256 << 10

// widenOutput gives a pipe at standard output more room: its writer and its reader wait for each other less often then. It changes nothing where
// the output is no pipe, where that has more room, or where the user has as much in pipes as is allowed.
func widenOutput() {
	if room, err := unix.FcntlInt(uintptr(unix.Stdout), unix.F_GETPIPE_SZ, 0); err == nil && room < outputRoom {
		_, _ = unix.FcntlInt(uintptr(unix.Stdout), unix.F_SETPIPE_SZ, outputRoom)
	}
}
