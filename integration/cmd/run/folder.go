package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// folder takes records into files.
type folder struct {
	*session

	waiting *checkpoints
}

// beside is what a file is called whose records take the place of those in the file of that name once they are all there.
const beside = ".new"

// rows is the file of a stream.
type rows struct {
	name  string
	file  file
	text  *bufio.Writer
	bytes int64 // of the file, with what is not written yet
}

// fileOf returns the name of a stream's file.
func fileOf(stream string) string {
	return strings.ReplaceAll(url.PathEscape(stream), "%20", " ") + ".jsonl"
}

// openFolder opens the file of each stream where its state says that the records end.
func (s *session) openFolder() (*folder, error) {
	f := &folder{session: s, waiting: s.checkpoints()}
	for _, one := range s.streams {
		name, at, err := f.where(one)
		if err != nil {
			return nil, err
		}
		opened, err := s.disk.open(filepath.Join(s.out, name), at)
		if err != nil {
			return nil, fmt.Errorf("opening the file of %s: %w", one.name, err)
		}
		one.rows = &rows{name: name, file: opened, text: bufio.NewWriterSize(opened, 64<<10), bytes: at}
	}
	return f, nil
}

// where returns the file for a stream's records and its length before them. A stream whose records cannot be gone on with begins anew.
func (f *folder) where(one *stream) (name string, at int64, err error) {
	name = fileOf(one.name)
	size, err := f.disk.size(filepath.Join(f.out, name))
	if err != nil {
		return "", 0, fmt.Errorf("looking at %s: %w", name, err)
	}
	if one.before != nil {
		for _, p := range one.before.Files {
			if p.Name == name || p.Name == name+beside {
				return f.goOn(one, p, size)
			}
		}
		if one.mode == incremental { // a state without files, from somewhere else: what is there stays
			at, err = f.lines(name, size)
			return name, at, err
		}
	}
	return f.anew(one, size)
}

// goOn returns where a stream goes on whose state is of a moment when its file ended at p. size is that of the stream's file.
func (f *folder) goOn(one *stream, p place, size int64) (string, int64, error) {
	name := fileOf(one.name)
	if p.Name != name {
		there, err := f.disk.size(filepath.Join(f.out, p.Name))
		switch {
		case err != nil:
			return "", 0, fmt.Errorf("looking at %s: %w", p.Name, err)
		case there >= 0:
			size = there
		case one.mode == whole: // it took the other's place, and the run was ended before it noted that
			return f.anew(one, size)
		default:
			p.Name = name
		}
	}
	switch {
	case size < 0 && one.mode == whole:
		return f.anew(one, size)
	case size < 0:
		f.bar.Say("%s is not there any more; what is new goes into a new one", p.Name)
		return p.Name, 0, nil
	case size < p.Bytes:
		return "", 0, fmt.Errorf("%s has %d bytes, but had %d when its state was kept: bring it back, or remove %s to read all anew",
			filepath.Join(f.out, p.Name), size, p.Bytes, filepath.Join(f.out, stateFile))
	}
	return p.Name, p.Bytes, nil
}

// anew returns where a stream begins that does so anew: beside what is there of it.
func (f *folder) anew(one *stream, size int64) (string, int64, error) {
	one.before, one.generation = nil, f.started.Unix()
	if size > 0 {
		return fileOf(one.name) + beside, 0, nil
	}
	return fileOf(one.name), 0, nil
}

// lines returns how long a file is without a last line that has no end.
func (f *folder) lines(name string, size int64) (int64, error) {
	if size <= 0 {
		return 0, nil
	}
	data, err := f.disk.read(filepath.Join(f.out, name))
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", name, err)
	}
	return int64(bytes.LastIndexByte(data, '\n') + 1), nil
}

func (f *folder) record(one *stream, m message) error {
	n, err := io.WriteString(one.rows.text, m.body.Get("data").Raw)
	if err == nil {
		err = one.rows.text.WriteByte('\n')
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", one.rows.name, err)
	}
	one.rows.bytes += int64(n) + 1
	return nil
}

func (f *folder) state(one *stream, m message) error {
	e := f.entry(one, m)
	for _, each := range f.streams {
		if one == nil || each == one {
			e.Files = append(e.Files, place{each.rows.name, each.rows.bytes})
		}
	}
	f.waiting.add(e)
	if f.waiting.due() {
		return f.waiting.keep(f.durable)
	}
	return nil
}

// durable writes what is before states to the disk.
func (f *folder) durable(entries []entry) error {
	needed := map[string]bool{}
	for _, e := range entries {
		for _, p := range e.Files {
			needed[p.Name] = true
		}
	}
	for _, one := range f.streams {
		if needed[one.rows.name] {
			if err := one.rows.sync(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *rows) sync() error {
	err := r.text.Flush()
	if err == nil {
		err = r.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", r.name, err)
	}
	return nil
}

// end keeps the last states, and puts what is complete into its place.
func (f *folder) end(failure error) error {
	f.judge(failure)
	if err := f.waiting.keep(f.durable); err != nil {
		return err
	}
	for _, one := range f.streams {
		if err := one.rows.sync(); err != nil {
			return err
		}
	}
	for _, one := range f.streams {
		if !one.complete {
			continue
		}
		if name := fileOf(one.name); one.rows.name != name {
			if err := f.disk.rename(filepath.Join(f.out, one.rows.name), filepath.Join(f.out, name)); err != nil {
				return fmt.Errorf("replacing %s: %w", name, err)
			}
			f.memory.renamed(one.rows.name, name)
		}
	}
	f.forget()
	return f.memory.write()
}

// close closes the files.
func (f *folder) close() {
	for _, one := range f.streams {
		_ = one.rows.file.Close() // all that counts is synced
	}
}
