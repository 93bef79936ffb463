package destination

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// kept is a file that outlives a run: a regular file that one run at a time may use.
type kept struct {
	name string // as messages call it, with the path as it was given
	path string // its path with all symbolic links resolved, so that replacing the file leaves the links in place
}

// keep returns the kept file that a setting names. what is how messages call it: "journal".
func keep(what, path, setting string) kept {
	return kept{name: fmt.Sprintf("The %s %s (%s)", what, path, setting), path: resolved(path)}
}

func (k kept) fault(what string, err error) error {
	return &fault.Error{Kind: fault.Config, Message: k.name + " " + what + ".", Err: err}
}

func (k kept) unopened(err error) error {
	return k.fault("cannot be opened"+cmp.Or(why(err), ". Check that its folder is mounted and that the connector's user may write to it"), err)
}

func (k kept) unwritten(err error) error {
	return k.fault("cannot be written"+cmp.Or(why(err), ". Look whether its disk works, and sync again"), err)
}

// why returns the reason for a failure and how to mend it, to continue a message; "" if that is not known.
func why(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return ": its disk is full. Make room there, and sync again"
	case errors.Is(err, syscall.EROFS):
		return ": its file system is read-only. Mount it so that it can be written to"
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf(": this user may not. Let the user %d, as whom the connector runs, write to it and to its folder", os.Getuid())
	}
	return ""
}

// try returns what would keep a run from using the file, as far as that shows without locking it, so that it does not disturb a run that uses it. It
// opens the file. If the file is missing, or if replaced says that a run replaces it, try also creates and removes one beside it as [kept.replace]
// does.
func (k kept) try(replaced bool) error {
	file, err := k.find(false)
	if err != nil {
		return err
	}
	there := file != nil
	if _ = file.Close(); there && !replaced {
		return nil
	}
	name := fmt.Sprintf(".%s.%d", filepath.Base(k.path), rand.Uint64()) // a name that tidy removes if this process is killed
	beside := kept{name: k.name, path: filepath.Join(filepath.Dir(k.path), name)}
	if file, err = beside.replace(make([]byte, outcomeRoom), !there && replaced); err != nil {
		return err
	}
	_ = os.Remove(beside.path)
	return file.Close()
}

// find opens the file for reading and writing. If the file is missing, find creates it with create, and otherwise returns nil without an error.
func (k kept) find(create bool) (*os.File, error) {
	flags := os.O_RDWR | syscall.O_NONBLOCK // do not block on a pipe that somebody puts there after Stat
	info, err := os.Stat(k.path)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && !create:
		return nil, nil
	case missing:
		flags |= os.O_CREATE
	case err != nil:
		return nil, k.unopened(err)
	case !info.Mode().IsRegular():
		return nil, k.fault("is "+kind(info.Mode())+". Give the path of an ordinary file", nil)
	}
	file, err := os.OpenFile(k.path, flags, 0o600)
	if err != nil {
		return nil, k.unopened(err)
	}
	return file, nil
}

// open finds the file, and locks it until it is closed.
func (k kept) open(create bool) (*os.File, error) {
	file, err := k.find(create)
	if file == nil {
		return nil, err
	}
	if err := k.lock(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	now, err := os.Stat(k.path)
	if opened, err2 := file.Stat(); err != nil || err2 != nil || !os.SameFile(now, opened) || !opened.Mode().IsRegular() {
		return nil, errors.Join(k.inUse(), file.Close()) // another run has put a new file in its place
	}
	return file, nil
}

// maxLinks is how many symbolic links are followed, each to the next.
const maxLinks = 40

// resolved returns a path without symbolic links, as far as it exists. For a link to a missing file it is the path that the file would have.
func resolved(path string) string {
	for range maxLinks {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return real
		}
		path = filepath.Clean(path)
		if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			path = filepath.Join(folder, filepath.Base(path))
		}
		to, err := os.Readlink(path)
		if err != nil {
			return path
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return path
}

// kind returns what a file is that is not a regular one.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeDevice != 0:
		return "a device"
	default:
		return "no file that keeps what is written to it"
	}
}

func (k kept) lock(file *os.File) error {
	switch err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return k.inUse()
	case err != nil:
		return k.fault("cannot be locked; its file system must be able to", err)
	}
	return nil
}

func (k kept) inUse() error {
	return fault.Transientf("%s is in use by another run. Each connection needs one of its own.", k.name)
}

// replace replaces the file, whole or not at all, by a new one with that content. The new file is on disk when replace returns, and locked until it
// is closed. With first, the file takes its place only if none is there yet.
func (k kept) replace(content []byte, first bool) (*os.File, error) {
	file, err := os.CreateTemp(filepath.Dir(k.path), "."+filepath.Base(k.path)+".*")
	if err != nil {
		return nil, k.unopened(err)
	}
	err = k.lock(file)
	if err == nil {
		_, wrote := file.Write(content)
		if wrote = errors.Join(wrote, file.Sync()); wrote != nil {
			err = k.unwritten(wrote)
		}
	}
	if err == nil {
		err = k.place(file.Name(), first)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return nil, errors.Join(err, file.Close())
	}
	k.tidy()
	if err := k.keepName(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// place gives the file called temporary its name.
func (k kept) place(temporary string, first bool) error {
	if !first {
		if err := os.Rename(temporary, k.path); err != nil {
			return k.fault("cannot be replaced. Mount the folder that it lies in, not the file alone", err)
		}
		return nil
	}
	switch err := os.Link(temporary, k.path); { // unlike renaming, linking replaces nothing
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist): // another run was first, and may have tidied
		return k.inUse()
	case err != nil:
		return k.fault("cannot be made: its file system must be able to link files", err)
	}
	return nil
}

// tidy removes the temporary files of killed runs and the temporary name of the first file. Only the holder of the file's lock may call it.
func (k kept) tidy() {
	folder, before := filepath.Dir(k.path), "."+filepath.Base(k.path)+"."
	entries, _ := os.ReadDir(folder) // files that cannot be removed do no harm
	for _, e := range entries {
		if number, ok := strings.CutPrefix(e.Name(), before); ok && number != "" && strings.Trim(number, "0123456789") == "" {
			_ = os.Remove(filepath.Join(folder, e.Name()))
		}
	}
}

// keepName syncs the folder, so that the file's name is on disk too.
func (k kept) keepName() error {
	folder, err := os.Open(filepath.Dir(k.path))
	if err != nil {
		return k.fault("cannot be kept safe in its folder", err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // some file systems that do not need this return EINVAL
		return k.fault("cannot be kept safe in its folder", err)
	}
	return nil
}
