package replication

import (
	"fmt"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/state"
)

// tally counts what may be worth a warning at the end of a stream.
type tally struct {
	rows     int64 // all that came, wanted or not
	older    int64 // rows with a time before the one from which changes were asked for
	keyless  int64 // rows without a key
	replaced int64 // bytes that were not UTF-8
	control  int64 // control characters that were not escaped
	twins    int64 // rows with the key of another row and other content
	crowded  bool  // there were more removed rows than are kept
}

func (m *member) count(r listing.Row) { // m.mu is held
	if m.rows++; r.Key == "" {
		m.keyless++
	}
}

// mended counts what had to be mended in a page. m.mu is held.
func (m *member) mended(page listing.Page) {
	m.replaced += int64(page.Replaced)
	m.control += int64(page.Control)
	if m.Explode == nil {
		m.twins += int64(page.Twins)
	}
}

// checkKeys fails a stream if no row has a key: the rows are not the expected ones. They are read again by the next sync. m.mu is held.
func (m *member) checkKeys() {
	if len(m.Key) == 0 {
		m.warnOf(m.Shape.Keyless(), "%d rows lack a part of their key", m.Shape.Keyless())
		return
	}
	key := strings.Join(m.Key, ", ")
	if m.keyless == 0 || m.keyless < m.rows {
		m.warnOf(m.keyless, "%d rows have no key (%s)", m.keyless, key)
		return
	}
	m.misfits("No row of %s has its key (%s), so that they cannot be told from one another. The API may have changed; report it.", m.Name, key)
	m.doc.Cycle.Slices, m.doc.Cycle.Place, m.doc.Cycle.Done = nil, nil, &state.Set{}
}

// warn logs what the user should know although the stream is complete. m.mu is held.
func (m *member) warn() {
	for _, w := range m.Shape.Warnings() {
		m.warnOf(1, "%s", w)
	}
	m.warnOf(m.replaced, "%d bytes were not UTF-8 and became U+FFFD", m.replaced)
	m.warnOf(m.control, "%d control characters in texts, such as line breaks, were not escaped and are now", m.control)
	m.warnOf(m.twins, "%d rows have the key of another row of their page and other content; the first of each alone was sent", m.twins)
	if m.Cursor.Other && m.rows > 0 && 10*m.older >= 9*m.rows {
		m.warnOf(1, "asked for changes, the API answered with %d rows of which %d show an older time (%s): unless they changed without it, the API "+
			"ignores the filter by time of change. All of them were sent", m.rows, m.older, m.Cursor.Name)
	}
	if c := m.Child; c != nil {
		m.warnOf(m.missing, "%d rows of %s were not there when they were asked for, and were skipped", m.missing, c.Of)
		m.warnOf(m.unflagged, "%d rows of %s do not say whether they have any (%s), and were asked for", m.unflagged, c.Of, c.Where)
		m.warnOf(m.unnamed, "%d rows of %s lack what the request needs and were not asked for", m.unnamed, c.Of)
		m.warnOf(m.alike.Len(), "%s: %d", c.Alike, m.alike.Len())
	}
	if m.crowded {
		m.warnOf(1, "more than %d removed rows; those beyond are sent again in every sync", RemovedKept)
	}
	if !m.future.IsZero() {
		m.warnOf(1, "the state's mark %s is more than two days after now, so no records are read, and from now on the mark is the beginning of this sync. "+
			"What changed between the last sync that read records and this one is missing: reset the stream's state to get it",
			m.future.In(m.Cursor.Zone).Format(time.RFC3339))
	}
}

// warnOf logs a warning about the stream if times is positive.
func (m *member) warnOf(times int64, format string, args ...any) {
	if times > 0 {
		m.family.Log.Warn(m.Name + ": " + fmt.Sprintf(format, args...))
	}
}
