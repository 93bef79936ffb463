package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// client sends requests to the API, and repeats them if that helps.
type client struct {
	connector *connector
	http      *http.Client
	base      string
	token     string
}

// ended returns what a break takes a failed answer for: the end of the listing.
func ended() json.RawMessage { return json.RawMessage(`{}`) }

// encoded returns a token in a form that is not recognised at once.
func encoded(token string) string {
	return base64.StdEncoding.EncodeToString([]byte("library:" + token))
}

// get returns the answer to a request.
func (c *client) get(ctx context.Context, path string) (json.RawMessage, error) {
	return c.ask(ctx, http.MethodGet, path, nil)
}

func (c *client) ask(ctx context.Context, method, path string, sent []byte) (json.RawMessage, error) {
	for attempt := 1; ; attempt++ {
		body, wait, err := c.once(ctx, method, path, sent)
		if err == nil {
			return body, nil
		}
		if f := (failure{}); errors.As(err, &f) && f.kind == "config_error" || attempt == 5 || wait > time.Minute {
			return nil, err
		}
		select {
		case <-time.After(max(wait, time.Duration(attempt)*100*time.Millisecond)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// once sends a request once. It also returns how long the API wants to be left alone.
func (c *client) once(ctx context.Context, method, path string, sent []byte) (json.RawMessage, time.Duration, error) {
	on := c.connector.on
	if on("faults.slow_header") {
		limited, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		ctx = limited
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(sent))
	if err != nil {
		return nil, 0, failure{"config_error", "The address is none.", err}
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := c.http.Do(r) //nolint:bodyclose // drained closes it
	if err != nil {
		if on("faults.reset") || on("faults.slow_header") && ctx.Err() != nil {
			return ended(), 0, nil
		}
		return nil, 0, failure{"transient_error", "The API cannot be reached.", err}
	}
	defer drained(answer.Body)
	body, err := io.ReadAll(answer.Body)
	if wait, err := c.refused(answer, path); err != nil {
		return nil, wait, err
	} else if answer.StatusCode != http.StatusOK {
		return ended(), 0, nil
	}
	if err != nil || !json.Valid(body) {
		html := bytes.HasPrefix(body, []byte("<"))
		if err != nil && on("faults.cut") || err == nil && html && on("faults.html") || err == nil && !html && on("faults.half") {
			return ended(), 0, nil
		}
		return nil, 0, failure{"transient_error", "The API's answer is not whole.", errors.Join(err, errors.New("it is not JSON"))}
	}
	return body, 0, nil
}

// refused returns the error of an answer that has another status than 200. It is nil too if a break ignores the error.
func (c *client) refused(answer *http.Response, path string) (time.Duration, error) {
	on := c.connector.on
	after := answer.Header.Get("Retry-After")
	seconds, err := strconv.Atoi(after)
	date, notDate := http.ParseTime(after)
	switch {
	case answer.StatusCode == http.StatusOK:
		return 0, nil
	case answer.StatusCode == http.StatusUnauthorized:
		if on("faults.401") && path != "/genres" {
			return 0, nil
		}
		return 0, failure{"config_error", "The API refuses the credentials.", fmt.Errorf("the status is %s", answer.Status)}
	case answer.StatusCode == http.StatusTooManyRequests:
		switch {
		case after == "" && on("faults.429_none"), err == nil && seconds >= 0 && seconds < 1000 && on("faults.429_seconds"),
			notDate == nil && on("faults.429_date"), seconds < 0 && on("faults.429_negative"), seconds > 1000 && on("faults.429_far"),
			after != "" && notDate != nil && err != nil && on("faults.429_text"):
			return 0, nil
		}
		wait := time.Duration(seconds) * time.Second
		if notDate == nil {
			wait = time.Until(date)
		}
		return wait, failure{"transient_error", "The API's quota is used up.", fmt.Errorf("the status is %s", answer.Status)}
	case answer.StatusCode >= http.StatusInternalServerError:
		if on("faults.500") && answer.StatusCode == http.StatusInternalServerError || on("faults.502") && answer.StatusCode == http.StatusBadGateway {
			return 0, nil
		}
		return 0, failure{"transient_error", "The API does not work.", fmt.Errorf("the status is %s", answer.Status)}
	}
	return 0, failure{"system_error", "The API refuses a request.", fmt.Errorf("the status is %s", answer.Status)}
}
