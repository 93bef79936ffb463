package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

// relayCommand is the first argument of a relay's process; the second one is its plan's file.
const relayCommand = "relay"

// plan says what a relay is to fetch.
type plan struct {
	URL      string    // scheme and host
	Requests []request // in the order in which they are sent
	AtOnce   int       // requests in flight

	// What is printed besides the records, a part with each page: a connector may print more than the records it was sent.
	Lines, Bytes int

	Discard bool // the answers are thrown away
}

// request is one of a plan.
type request struct {
	Method, URI string
	Header      http.Header
	Body        []byte
}

// relay fetches the pages of a plan and writes their records as RECORD messages.
func relay(ctx context.Context, file string, stdout io.Writer) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	var p plan
	if err := json.Unmarshal(body, &p); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: p.AtOnce, DisableCompression: true}}
	requests := make(chan request)
	go func() {
		defer close(requests)
		for _, r := range p.Requests {
			select {
			case requests <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	out := &output{w: bufio.NewWriterSize(stdout, 64<<10), plan: p}
	errs := make([]error, p.AtOnce)
	var workers sync.WaitGroup
	for i := range p.AtOnce {
		workers.Go(func() {
			var page bytes.Buffer
			for r := range requests {
				if err := fetch(ctx, client, p.URL, r, &page); err != nil {
					errs[i] = errors.Join(errs[i], err)
				} else if p.Discard {
					continue
				} else if err := out.records(page.Bytes()); err != nil {
					errs[i] = errors.Join(errs[i], fmt.Errorf("%s: %w", r.URI, err))
				}
			}
		})
	}
	workers.Wait()
	return errors.Join(errors.Join(errs...), out.w.Flush())
}

// fetch reads one page.
func fetch(ctx context.Context, client *http.Client, url string, r request, page *bytes.Buffer) error {
	req, err := http.NewRequestWithContext(ctx, r.Method, url+r.URI, bytes.NewReader(r.Body))
	if err != nil {
		return err
	}
	req.Header = r.Header
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	page.Reset()
	if _, err := page.ReadFrom(res.Body); err != nil {
		return fmt.Errorf("reading %s: %w", r.URI, err)
	}
	if res.StatusCode == http.StatusUnauthorized { // the connector was refused it too, and went on
		page.Reset()
		page.WriteString("[]")
		return nil
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("reading %s: %s", r.URI, res.Status)
	}
	return nil
}

// output is the relay's stdout.
type output struct {
	mu    sync.Mutex
	w     *bufio.Writer
	plan  plan
	pages int // that were written
}

// records writes the records of a page: the objects of the array that the page is, or of the first array that it has; a login's answer has
// none. Whether it is JSON is asked of a library.
func (o *output) records(page []byte) error {
	if !gjson.ValidBytes(page) {
		return errors.New("the page is not JSON")
	}
	list := bytes.TrimSpace(page)
	if list[0] != '[' {
		list = list[array(list):]
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	suffix := []byte(`,"emitted_at":` + strconv.FormatInt(time.Now().UnixMilli(), 10) + "}}\n")
	for record := range objects(list) {
		_, _ = o.w.WriteString(`{"type":"RECORD","record":{"stream":"relay","data":`) // Flush has the error
		_, _ = o.w.Write(record)
		_, _ = o.w.Write(suffix)
	}
	o.pages++
	o.fill(o.share(o.plan.Lines), o.share(o.plan.Bytes))
	return nil
}

// share returns the last page's part of a number that all pages share.
func (o *output) share(n int) int {
	pages := max(1, len(o.plan.Requests))
	return n*o.pages/pages - n*(o.pages-1)/pages
}

// fill writes so many bytes in so many lines of white space; without a line they are the beginning of the next one.
func (o *output) fill(lines, size int) {
	for ; lines > 0; lines-- {
		length := max(1, size/lines)
		_, _ = o.w.Write(bytes.Repeat([]byte{' '}, length-1))
		_ = o.w.WriteByte('\n')
		size -= length
	}
	_, _ = o.w.Write(bytes.Repeat([]byte{' '}, max(0, size)))
}

// array returns where the first array in an object's own members begins, or the object ends.
func array(object []byte) int {
	depth := 0
	for i := 0; i < len(object); i++ {
		switch object[i] {
		case '"':
			i = closing(object, i)
		case '{':
			depth++
		case '}':
			depth--
		case '[':
			if depth == 1 {
				return i
			}
		}
	}
	return len(object)
}

// objects yields the objects of an array of objects that is valid JSON.
func objects(list []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		depth, begin := 0, 0
		for i := 1; i < len(list); i++ {
			switch list[i] {
			case '"':
				i = closing(list, i)
			case '{', '[':
				if depth++; depth == 1 {
					begin = i
				}
			case '}', ']':
				if depth--; depth < 0 {
					return
				}
				if depth == 0 && !yield(list[begin:i+1]) {
					return
				}
			}
		}
	}
}

// closing returns where the string that begins at i ends.
func closing(b []byte, i int) int {
	for i++; i < len(b); i++ {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			return len(b)
		}
		slashes := 0
		for k := i + j - 1; k >= i && b[k] == '\\'; k-- {
			slashes++
		}
		if i += j; slashes%2 == 0 {
			return i
		}
	}
	return i
}
