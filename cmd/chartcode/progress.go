package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress tells on w how far long work is. On a terminal one line is
// rewritten in place; elsewhere nothing is shown unless plain is set, and then
// a line for each step that takes longer than two seconds, and again while it
// goes on.
type progress struct {
	w     io.Writer
	tty   bool
	plain bool

	mu      sync.Mutex
	text    string
	started time.Time
	last    time.Time
	shown   bool
}

const (
	progressPatience = 2 * time.Second
	progressRepeat   = 10 * time.Second
	progressRedraw   = 100 * time.Millisecond
)

// newProgress writes to stderr.
func newProgress(plain bool) *progress {
	return &progress{w: os.Stderr, tty: term.IsTerminal(int(os.Stderr.Fd())), plain: plain}
}

// Step starts the next piece of work; total <= 0 in Update means unknown.
func (p *progress) Step(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	p.text, p.started, p.last, p.shown = text, time.Now(), time.Time{}, false
	if p.tty {
		p.draw(text + " ...")
	}
}

// Update says that n of total are done.
func (p *progress) Update(n, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	line := p.text
	if total > 0 {
		line = fmt.Sprintf("%s: %d of %d", p.text, n, total)
		if took := now.Sub(p.started); n > 0 && n < total && took > progressPatience {
			left := time.Duration(float64(took) / float64(n) * float64(total-n))
			line += fmt.Sprintf(", about %s left", left.Round(time.Second))
		}
	} else if n > 0 {
		line = fmt.Sprintf("%s: %d", p.text, n)
	}
	switch {
	case p.tty && now.Sub(p.last) >= progressRedraw:
		p.draw(line)
	case p.plain && !p.tty && now.Sub(p.started) >= progressPatience && now.Sub(p.last) >= progressRepeat:
		fmt.Fprintln(p.w, line)
	default:
		return
	}
	p.last, p.shown = now, true
}

// Rename says something else of the work that goes on.
func (p *progress) Rename(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

// done ends the last step.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	p.text = ""
}

// abandon ends the last step, which did not come to its end.
func (p *progress) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tty && p.text != "" {
		p.draw("")
	}
	p.text = ""
}

func (p *progress) draw(line string) {
	fmt.Fprintf(p.w, "\r\x1b[K%s", line)
}

func (p *progress) finish() {
	if p.text == "" {
		return
	}
	took := time.Since(p.started)
	if p.tty {
		p.draw("")
	}
	if (p.plain || p.tty) && took >= progressPatience {
		fmt.Fprintf(p.w, "%s: done in %s\n", p.text, took.Round(100*time.Millisecond))
	}
}
