package snapproperty

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Loss is a way in which a call of a contract method goes without its answer, or gets one that does not say how it went: before the method
// runs, or after it ran.
type Loss string

// The losses. Those that begin with Ran have taken effect, and nothing that the caller sees tells them from the others; but for those that are
// Undone, and for Caught, after which the method ended by itself.
const (
	Cut         Loss = "cut"       // the connection closes without a byte
	Reset       Loss = "reset"     // the connection is reset
	Stall       Loss = "stall"     // not a byte for Losses.Stall, then the connection closes
	BadGateway  Loss = "502"       // a proxy's page
	Unavailable Loss = "503"       // SERVER_UNAVAILABLE with Retry-After: 1
	NoServer    Loss = "503-bare"  // SERVER_UNAVAILABLE without it
	Locked      Loss = "locked"    // a row was locked, and nobody caught the exception
	TooLong     Loss = "too-long"  // Salesforce stopped the method, QUERY_TIMEOUT
	Caught      Loss = "caught"    // a row was locked, and the method says so itself, under FailureStatus
	Repeated    Loss = "twice"     // an answer that says both that it was carried out and that it was not
	Null        Loss = "null"      // Erro is false, and null and words of failure stand where there would be what was changed
	SeeOther    Loss = "303"       // a redirect to a page, as to a login
	RanCut      Loss = "ran-cut"   // half of the answer, then the connection closes
	RanReset    Loss = "ran-reset" // as Reset
	RanStall    Loss = "ran-stall" // as Stall
	RanGateway  Loss = "ran-502"   // as BadGateway
	RanRepeated Loss = "ran-twice" // as Repeated
	RanNull     Loss = "ran-null"  // as Null
	RanSeeOther Loss = "ran-303"   // as SeeOther: Post/Redirect/Get
	RanFailure  Loss = "ran-500"   // UNKNOWN_EXCEPTION, after the work was committed
)

// AllLosses returns all there are.
func AllLosses() []Loss {
	return []Loss{
		Cut, Reset, Stall, BadGateway, Unavailable, NoServer, Locked, TooLong, Caught, Repeated, Null, SeeOther,
		RanCut, RanReset, RanStall, RanGateway, RanRepeated, RanNull, RanSeeOther, RanFailure,
	}
}

// Ran tells whether the method runs before its answer is lost.
func (l Loss) Ran() bool { return strings.HasPrefix(string(l), "ran-") }

// Undone tells whether the answer says that nothing is left of the call: Salesforce's own errors of that kind, which roll back what was done.
func (l Loss) Undone() bool { return l == Unavailable || l == NoServer || l == Locked || l == TooLong }

// lockedRow is what an exception says of a row that another process has locked.
const lockedRow = "Update failed. First exception on row 0 with id a3w0B000000LockVAQ; first error: UNABLE_TO_LOCK_ROW, unable to obtain " +
	"exclusive access to this record or 1 records: a3w0B000000LockVAQ: []"

// Losses says which calls of contract methods that reach their method are lost, and how. The zero value loses none.
type Losses struct {
	Kinds []Loss        `sim:"losses"`     // in turn; none means that nothing is lost
	Every int           `sim:"loss-every"` // every so-manieth call; 0 means each
	Limit int           `sim:"-"`          // so many in all, then none any more; 0 means no limit
	Stall time.Duration `sim:"loss-stall"` // of Stall and RanStall; 0 means 90 s
}

func (l Losses) check() error {
	for _, kind := range l.Kinds {
		if err := sim.OneOf("snapproperty", "losses", kind, AllLosses()...); err != nil {
			return err
		}
	}
	return sim.NonNegative("snapproperty", l.Every, l.Limit, int(l.Stall))
}

// SetLosses changes which calls are lost from now on, counting anew. It panics on a kind that there is not.
func (s *Simulator) SetLosses(l Losses) {
	if err := l.check(); err != nil {
		panic(err)
	}
	s.books.Lock()
	defer s.books.Unlock()
	s.losses, s.posts = l, 0
}

// lost returns how the next call is lost; empty for not at all.
func (s *Simulator) lost() (Loss, time.Duration) {
	s.books.Lock()
	defer s.books.Unlock()
	l, every := s.losses, max(s.losses.Every, 1)
	s.posts++
	turn := s.posts / every
	if len(l.Kinds) == 0 || s.posts%every != 0 || l.Limit > 0 && turn > l.Limit {
		return "", 0
	}
	if l.Stall == 0 {
		l.Stall = 90 * time.Second
	}
	return l.Kinds[(turn-1)%len(l.Kinds)], l.Stall
}

// refusals are what Salesforce itself says of losses.
func refusals() map[Loss]*refusal {
	return map[Loss]*refusal{
		Unavailable: unavailable(),
		NoServer:    unavailable(),
		Locked:      {http.StatusInternalServerError, "APEX_ERROR", "System.DmlException: " + lockedRow + "\n\nClass.snap_brok.ContratoRest: line 9"},
		TooLong:     tooLong(),
		RanFailure:  {http.StatusInternalServerError, "UNKNOWN_EXCEPTION", "An unexpected error occurred"},
	}
}

// lose answers a call as its loss says; body is the answer that there would be, and nil where the method did not run.
func (s *Simulator) lose(w http.ResponseWriter, r *http.Request, loss Loss, stall time.Duration, body []byte) {
	switch loss {
	case Caught:
		answer(w, s.with.FailureStatus, object{"Mensagem": lockedRow, "Erro": true})
	case Repeated, RanRepeated:
		answer(w, http.StatusOK, sim.Raw(`{"Mensagem":"Sucesso","Erro":false,"Erro":true}`))
	case Null, RanNull:
		answer(w, http.StatusOK, object{"Mensagem": "Tente novamente mais tarde.", "Contrato": nil, "Imovel": nil, "Erro": false})
	case SeeOther, RanSeeOther:
		w.Header().Set("Location", "/")
		w.WriteHeader(http.StatusSeeOther)
	case BadGateway, RanGateway:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head></html>\n"))
	case Cut:
		panic(http.ErrAbortHandler)
	case RanCut:
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush() // a recorder in a test cannot, and need not
		panic(http.ErrAbortHandler)
	case Reset, RanReset:
		sim.Break(w)
	case Stall, RanStall:
		sim.Hang(r.Context(), stall)
	default:
		if loss == Unavailable {
			w.Header().Set("Retry-After", "1")
		}
		refuse(w, refusals()[loss])
	}
}
