package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// disk is what a run needs of a file system. What is replaced, renamed or synced stays when the machine loses its power.
type disk interface {
	// open opens a file for writing behind its first so many bytes; what it has beyond them is cut off. A file that is missing is made.
	open(path string, at int64) (file, error)
	// read is what a file holds; nil where there is none.
	read(path string) ([]byte, error)
	// size is how long a file is; -1 where there is none.
	size(path string) (int64, error)
	// replace puts data into the place of a file, all of it or nothing.
	replace(path string, data []byte) error
	// rename puts a file into the place of another.
	rename(from, to string) error
}

// file is an open file.
type file interface {
	io.WriteCloser
	Sync() error
}

// local is the machine's own.
type local struct{}

func (local) open(path string, at int64) (_ file, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if err = f.Truncate(at); err == nil {
		_, err = f.Seek(at, io.SeekStart)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	return f, err
}

func (local) read(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (local) size(path string) (int64, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return -1, nil
	case err != nil:
		return 0, err
	}
	return info.Size(), nil
}

func (l local) replace(path string, data []byte) error {
	f, err := os.Create(filepath.Join(filepath.Dir(path), hidden, filepath.Base(path)))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return l.rename(f.Name(), path)
}

func (local) rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("syncing %s: %w", path, err)
	}
	return nil
}
