package cli

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openTerminal is a new terminal of 80 by 24: the side of those who watch, and the side of those who write.
func openTerminal() (watcher, terminal *os.File, err error) {
	watcher, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("opening a terminal: %w", err)
	}
	fd := int(watcher.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	}
	if err == nil {
		terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		watcher.Close()
		return nil, nil, fmt.Errorf("setting up a terminal: %w", err)
	}
	return watcher, terminal, nil
}
