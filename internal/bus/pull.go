package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A pull asks for what is there, and the server answers with notes or says that
// there are none. What it has sent counts as being worked on until AckWait has
// passed, so who stops listening before the answer is complete has notes that nobody
// works on for that long. FetchNoWait of the client library listens for a second; a
// server or a machine that is busy for longer than that has cost minutes. Here the
// answer is waited for as long as the connection that it must come by lasts, and
// AckWait at most.

const (
	// apiNext is where the server is asked for notes.
	apiNext = jetstream.DefaultAPIPrefix + "CONSUMER.MSG.NEXT." + StreamNotes + "."
	// listenCheck is how often it is seen whether an answer can still come.
	listenCheck = time.Second
)

// puller asks one consumer for notes.
type puller struct {
	nc       *nats.Conn
	consumer string
	longest  time.Duration // after which the server gives what it sent to others
}

// pull hands up to n notes to take and gives their number. When ctx ends, an answer
// is waited for a moment longer.
func (p puller) pull(ctx context.Context, n int, take func(*nats.Msg)) (taken int, err error) {
	// A pull sent while disconnected would be answered after the reconnect, to nobody,
	// and its notes would be stuck for AckWait.
	if n == 0 || ctx.Err() != nil || !p.nc.IsConnected() {
		return 0, nil
	}
	ask, err := json.Marshal(struct {
		Batch  int  `json:"batch"`
		NoWait bool `json:"no_wait"`
	}{n, true})
	if err != nil {
		return 0, fmt.Errorf("pull: %w", err)
	}
	answers := make(chan *nats.Msg, n+1) // the notes, or fewer and a status
	inbox := p.nc.NewInbox()
	sub, err := p.nc.ChanSubscribe(inbox, answers)
	if err != nil {
		return 0, fmt.Errorf("pull: %w", err)
	}
	connection := p.nc.Stats().Reconnects
	if err := p.nc.PublishRequest(apiNext+p.consumer, inbox, ask); err != nil {
		return 0, errors.Join(fmt.Errorf("pull: %w", err), sub.Unsubscribe())
	}
	var late error
	check := time.NewTicker(listenCheck)
	defer check.Stop()
	for waited := time.Duration(0); taken < n; {
		select {
		case m := <-answers:
			if end, err := ended(m); end {
				return taken, errors.Join(err, sub.Unsubscribe())
			}
			taken++
			if waited > 0 { // it may be near the end of AckWait
				_ = m.InProgress()
			}
			take(m)
			continue
		case <-check.C:
			waited += listenCheck
		}
		if waited >= p.longest {
			late = errSilent
			break
		}
		if ctx.Err() != nil || !p.nc.IsConnected() || p.nc.Stats().Reconnects != connection {
			break
		}
	}
	err = errors.Join(late, sub.Unsubscribe())
	for { // what came meanwhile
		select {
		case m := <-answers:
			if end, _ := ended(m); !end {
				taken++
				take(m)
			}
		default:
			if late == nil && errors.Is(err, nats.ErrConnectionClosed) {
				err = nil
			}
			return taken, err
		}
	}
}

// errSilent says that an answer to a pull did not come for as long as its notes would
// be kept for who asked.
var errSilent = errors.New("pull: the server did not answer")

// Statuses that end an answer and are no failure: there are no (more) notes, or
// other requests are to have them.
const (
	statusNone    = "404"
	statusPending = "408"
)

// ended reports whether a message is the end of an answer rather than a note.
func ended(m *nats.Msg) (bool, error) {
	status := m.Header.Get("Status")
	if len(m.Data) > 0 || status == "" {
		return false, nil
	}
	switch status {
	case statusNone, statusPending:
		return true, nil
	case "503":
		return true, nats.ErrNoResponders
	}
	return true, fmt.Errorf("pull: the server says %s", m.Header.Get("Description"))
}
