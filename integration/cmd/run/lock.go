package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lingering is how long the connectors of a run that was killed may take to notice: a destination finishes what is under way for 27 seconds.
const lingering = 40 * time.Second

// lock keeps other runs out of a folder. The processes that a run starts hold it too: what a killed run left behind ends before another begins.
type lock struct {
	file *os.File
	held holder
}

// holder is what the lock's file says of the run that holds it.
type holder struct {
	PID        int      `json:"pid"`
	Containers []string `json:"containers,omitempty"` // those that are not known to be removed
}

// acquire makes the folder and takes its lock, and ends the containers of a run before that was killed. It fails where another run is
// under way.
func acquire(ctx context.Context, folder string) (*lock, error) {
	path := filepath.Join(folder, hidden, "lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("making the folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	l := &lock{file: file}
	if err := l.wait(ctx, folder); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	l.held.PID = os.Getpid()
	if err := l.write(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// wait takes the lock, if need be after the connectors that a killed run left.
func (l *lock) wait(ctx context.Context, folder string) error {
	until := time.Now().Add(lingering)
	for {
		err := syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("locking %s: %w", folder, err)
		}
		before := l.read()
		if err != nil && (alive(before.PID) || time.Now().After(until)) {
			return fmt.Errorf("another run is under way in %s; wait for it to end, or use another folder", folder)
		}
		for _, name := range before.Containers { // the lock is held by those who wait for their ends
			if err := remove(ctx, name); err != nil {
				return err
			}
		}
		if err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// alive tells whether there is a process of that number.
func alive(pid int) bool { return pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// read returns what the file says; the zero holder where that is nothing, as after a machine that lost its power.
func (l *lock) read() (h holder) {
	_ = json.NewDecoder(io.NewSectionReader(l.file, 0, 1<<16)).Decode(&h)
	return h
}

func (l *lock) write() error {
	text, err := json.Marshal(l.held)
	if err == nil {
		err = l.file.Truncate(0)
	}
	if err == nil {
		_, err = l.file.WriteAt(text, 0)
	}
	if err != nil {
		return fmt.Errorf("writing the lock: %w", err)
	}
	return nil
}

// starts notes a container before it is made.
func (l *lock) starts(container string) error {
	l.held.Containers = append(l.held.Containers, container)
	return l.write()
}

// remove removes a container, whether it is there or not.
func remove(ctx context.Context, container string) error {
	err := docker(ctx, nil, "rm", "--force", "--volumes", container)
	if err != nil && strings.Contains(err.Error(), "No such container") { // newer clients do not mind
		return nil
	}
	return err
}

// removed removes a container and forgets it.
func (l *lock) removed(ctx context.Context, container string) error {
	if err := remove(ctx, container); err != nil {
		return err
	}
	for i, name := range l.held.Containers {
		if name == container {
			l.held.Containers = append(l.held.Containers[:i:i], l.held.Containers[i+1:]...)
			return l.write()
		}
	}
	return nil
}

// release gives the lock back.
func (l *lock) release() error { return l.file.Close() }
