package bus

import (
	"fmt"
	"log/slog"
	"sync"
)

// serverLog passes the embedded server's log on. The server's debug and trace
// lines, which can hold message bodies, are switched off and dropped here too.
type serverLog struct {
	log *slog.Logger

	mu   sync.Mutex
	last string
}

func (l *serverLog) Noticef(format string, v ...any) {
	l.log.Debug("the embedded NATS server reports", "text", fmt.Sprintf(format, v...))
}
func (l *serverLog) Warnf(format string, v ...any) {
	l.log.Warn("the embedded NATS server warns", "text", fmt.Sprintf(format, v...))
}
func (l *serverLog) Errorf(format string, v ...any) {
	l.log.Error("the embedded NATS server reports an error", "text", fmt.Sprintf(format, v...))
}

// Fatalf notes why the server does not start; it ends no process.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = fmt.Sprintf(format, v...)
}

func (*serverLog) Debugf(string, ...any) {}
func (*serverLog) Tracef(string, ...any) {}

func (l *serverLog) fatal() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
