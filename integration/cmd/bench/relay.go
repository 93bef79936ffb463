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
	URL    string      // scheme and host
	URIs   []string    // in the order in which they are asked for
	Header http.Header // of each request
	AtOnce int         // requests in flight
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
	uris := make(chan string)
	go func() {
		defer close(uris)
		for _, uri := range p.URIs {
			select {
			case uris <- uri:
			case <-ctx.Done():
				return
			}
		}
	}()
	out := &output{w: bufio.NewWriterSize(stdout, 64<<10)}
	errs := make([]error, p.AtOnce)
	var workers sync.WaitGroup
	for i := range p.AtOnce {
		workers.Go(func() {
			var page bytes.Buffer
			for uri := range uris {
				if err := fetch(ctx, client, p, uri, &page); err != nil {
					errs[i] = errors.Join(errs[i], err)
				} else if err := out.records(page.Bytes()); err != nil {
					errs[i] = errors.Join(errs[i], fmt.Errorf("%s: %w", uri, err))
				}
			}
		})
	}
	workers.Wait()
	return errors.Join(errors.Join(errs...), out.w.Flush())
}

// fetch reads one page.
func fetch(ctx context.Context, client *http.Client, p plan, uri string, page *bytes.Buffer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+uri, http.NoBody)
	if err != nil {
		return err
	}
	req.Header = p.Header
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	page.Reset()
	if _, err := page.ReadFrom(res.Body); err != nil {
		return fmt.Errorf("reading %s: %w", uri, err)
	}
	if res.StatusCode == http.StatusUnauthorized { // the connector was refused it too, and went on
		page.Reset()
		page.WriteString("[]")
		return nil
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("reading %s: %s", uri, res.Status)
	}
	return nil
}

// output is the relay's stdout.
type output struct {
	mu sync.Mutex
	w  *bufio.Writer
}

// records writes the records of a page: the objects of the array that the page is, or of the first array that it has. Whether it is JSON is
// asked of the same library that the connectors' engine asks.
func (o *output) records(page []byte) error {
	if !gjson.ValidBytes(page) {
		return errors.New("the page is not JSON")
	}
	list := bytes.TrimSpace(page)
	if list[0] != '[' {
		var at int
		if at = array(list); at < 0 {
			return errors.New("the page has no array")
		}
		list = list[at:]
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	suffix := []byte(`,"emitted_at":` + strconv.FormatInt(time.Now().UnixMilli(), 10) + "}}\n")
	for record := range objects(list) {
		_, _ = o.w.WriteString(`{"type":"RECORD","record":{"stream":"relay","data":`) // Flush has the error
		_, _ = o.w.Write(record)
		_, _ = o.w.Write(suffix)
	}
	return nil
}

// array is where the first array in an object's own members begins, or -1.
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
	return -1
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

// closing is where the string that begins at i ends.
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
