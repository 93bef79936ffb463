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

// kept is a file that outlives a run: an ordinary one, which one run at a time may use.
type kept struct {
	name string // as texts have it, with the path as it was given
	path string // where it lies, behind all symbolic links, whose places stay theirs
}

// keep returns the kept file that a setting names; what is how texts call it: "journal".
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

// why goes on with the reason for a failure and with what mends it; "" where that is not known.
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

// try returns what would keep a run from having the file, as far as it shows without a lock on it: a run that has it is not disturbed. It opens
// the file, and where there is none, or a run replaces it, puts another one beside it for a moment as [kept.replace] does.
func (k kept) try(replaced bool) error {
	file, err := k.find(false)
	if err != nil {
		return err
	}
	there := file != nil
	if _ = file.Close(); there && !replaced {
		return nil
	}
	name := fmt.Sprintf(".%s.%d", filepath.Base(k.path), rand.Uint64()) // which tidy removes, should this one be killed
	beside := kept{name: k.name, path: filepath.Join(filepath.Dir(k.path), name)}
	if file, err = beside.replace(make([]byte, outcomeRoom), !there && replaced); err != nil {
		return err
	}
	_ = os.Remove(beside.path)
	return file.Close()
}

// find opens the file to read and write it. With create it is made where there is none, else that is nil without an error.
func (k kept) find(create bool) (*os.File, error) {
	flags := os.O_RDWR | syscall.O_NONBLOCK // a pipe that somebody puts there meanwhile keeps nobody waiting
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
		return nil, errors.Join(k.inUse(), file.Close()) // another run has put a new one in its place
	}
	return file, nil
}

// maxLinks is how many symbolic links are followed, each to the next.
const maxLinks = 40

// resolved returns a path without symbolic links, as far as it exists: of a link to what does not exist yet it is where that will be.
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

// kind returns what a file is that is no ordinary one.
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

// replace puts a new file with that content in the file's place, whole or not at all, on disk when it returns, and locks it until it is
// closed. As the first one it takes the place only while nobody else has.
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
	switch err := os.Link(temporary, k.path); { // which, unlike renaming, replaces nothing
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist): // another run was first, and perhaps tidy
		return k.inUse()
	case err != nil:
		return k.fault("cannot be made: its file system must be able to link files", err)
	}
	return nil
}

// tidy removes what runs that were killed left under temporary names, as the first file's own is. Whoever has the file locked may.
func (k kept) tidy() {
	folder, before := filepath.Dir(k.path), "."+filepath.Base(k.path)+"."
	entries, _ := os.ReadDir(folder) // what cannot be removed harms nobody
	for _, e := range entries {
		if number, ok := strings.CutPrefix(e.Name(), before); ok && number != "" && strings.Trim(number, "0123456789") == "" {
			_ = os.Remove(filepath.Join(folder, e.Name()))
		}
	}
}

// keepName has the file's name on disk as well.
func (k kept) keepName() error {
	folder, err := os.Open(filepath.Dir(k.path))
	if err != nil {
		return k.fault("cannot be kept safe in its folder", err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // which some file systems say that have no need of it
		return k.fault("cannot be kept safe in its folder", err)
	}
	return nil
}
