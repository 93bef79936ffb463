package harness

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// margin is the period before a state's mark whose rows the next sync sends again, because any of them may have become visible late.
const margin = 15 * time.Minute

// Margin returns the keys of the rows, among rows of s, whose times are within the margin before the mark of state, which is a state document of s. A
// time without seconds, or with only the day, stands for all times that it may mean. There are no such keys if state has no mark.
func (s Stream) Margin(state []byte, rows []Row) (map[string]bool, error) {
	keys := map[string]bool{}
	if len(s.DefaultCursorField) == 0 || len(state) == 0 {
		return keys, nil
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal(state, &document); err != nil {
		return nil, fmt.Errorf("looking for the mark in the state of %s: %w", s.Name, err)
	}
	mark, err := time.Parse(time.RFC3339Nano, text(document[s.DefaultCursorField[0]]))
	if err != nil {
		return keys, nil //nolint:nilerr // it has no mark
	}
	for _, row := range rows {
		at, err := time.Parse(time.RFC3339Nano, row.Mark)
		if err != nil || at.After(mark) {
			continue
		}
		until := at
		switch clock := row.Mark[len("2006-01-02T"):]; {
		case strings.HasPrefix(clock, "00:00:00"):
			until = at.AddDate(0, 0, 1).Add(-1)
		case clock[len("15:04:"):][:2] == "00":
			until = at.Add(time.Minute - 1)
		}
		if !until.Before(mark.Add(-margin)) {
			keys[row.Key] = true
		}
	}
	return keys, nil
}
