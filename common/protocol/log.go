package protocol

import (
	"context"
	"log/slog"
	"slices"
	"strings"
)

// NewLogHandler returns a handler that sends records at or above level as LOG messages of e. Attributes follow the message as " key=value". A key has
// its groups as a prefix, and a value is not quoted, for human readers. Times and sources are left out, because the platform adds its own. The
// handler is safe for concurrent use.
func NewLogHandler(e *Emitter, level slog.Leveler) slog.Handler {
	return &logHandler{emitter: e, level: level}
}

type logHandler struct {
	emitter *Emitter
	level   slog.Leveler
	attrs   string // from WithAttrs, rendered
	group   string // names of the open groups, each followed by a dot
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var text strings.Builder
	text.WriteString(r.Message)
	text.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&text, h.group, a)
		return true
	})
	return h.emitter.Log(r.Level, text.String())
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	var text strings.Builder
	for a := range slices.Values(attrs) {
		writeAttr(&text, h.group, a)
	}
	with.attrs += text.String()
	return &with
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.group += name + "."
	return &with
}

func writeAttr(text *strings.Builder, group string, a slog.Attr) {
	value := a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
	case value.Kind() == slog.KindGroup:
		if a.Key != "" { // a group without a name is inlined
			group += a.Key + "."
		}
		for _, inner := range value.Group() {
			writeAttr(text, group, inner)
		}
	default:
		text.WriteString(" " + group + a.Key + "=" + value.String())
	}
}

// levelName returns the protocol's name for a level.
func levelName(level slog.Level) string {
	switch {
	case level < slog.LevelInfo:
		return "DEBUG"
	case level < slog.LevelWarn:
		return "INFO"
	case level < slog.LevelError:
		return "WARN"
	default:
		return "ERROR"
	}
}

type loggerKey struct{}

// WithLogger returns ctx carrying l, for [Logger].
func WithLogger(ctx context.Context, l *slog.Logger) context.Context {
	return context.WithValue(ctx, loggerKey{}, l)
}

// Logger returns the logger that ctx carries, or one that discards everything. It is never nil.
func Logger(ctx context.Context) *slog.Logger {
	if l, ok := ctx.Value(loggerKey{}).(*slog.Logger); ok {
		return l
	}
	return slog.New(slog.DiscardHandler)
}
