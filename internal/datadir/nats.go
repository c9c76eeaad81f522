package datadir

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"

	"chartcode/internal/filelock"
)

const (
	pollEvery     = 20 * time.Millisecond
	dialTimeout   = time.Second
	takeoverPause = time.Second // between attempts to take NATS over that fail
)

// StartNATS starts a NATS server in this process that keeps its data in storeDir and returns its client address
// with what is needed to sign in, and how to stop it. previous is the address (or "") that the directory's
// server had before: using the same host, port and secrets again lets clients of before reconnect, so it is to
// be tried first.
type StartNATS func(ctx context.Context, storeDir, previous string) (url string, stop func(context.Context) error, err error)

// natsOwner is the NATS server that runs in this process.
type natsOwner struct {
	url  string
	lock *filelock.Lock
	stop func(context.Context) error
}

// NATS returns the address of the directory's NATS server, and whether it runs in this process. When nobody runs
// it, this process does, by start. When another process does, this one stands by until Close: it starts
// the server again at the same address when that process has ended.
func (d *Dir) NATS(ctx context.Context, start StartNATS) (address string, owned bool, err error) {
	ctx, done := d.untilClosed(ctx)
	defer done()
	for {
		address, owned, err := d.tryNATS(ctx, start)
		if err != nil || address != "" {
			return address, owned, err
		}
		select {
		case <-ctx.Done():
			return "", false, fmt.Errorf("wait for NATS: %w", context.Cause(ctx))
		case <-time.After(pollEvery):
		}
	}
}

// tryNATS starts NATS here if nobody runs it, or finds it elsewhere. It returns no address while another process
// has begun to start it.
func (d *Dir) tryNATS(ctx context.Context, start StartNATS) (address string, owned bool, err error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	switch {
	case d.closed:
		return "", false, errClosed
	case d.nats != nil:
		return d.nats.url, true, nil
	case d.standing != "":
		return d.standing, false, nil
	}
	lock, err := filelock.Try(d.file("nats.lock"), filelock.Exclusive)
	if errors.Is(err, filelock.ErrHeld) {
		if address := d.runningNATS(ctx); address != "" {
			d.standing = address
			d.group.Go(func() { d.standBy(start, address) })
		}
		return d.standing, false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("start NATS: %w", err)
	}
	owner, err := d.startNATS(ctx, start)
	if err != nil {
		lock.Release()
		return "", false, err
	}
	owner.lock = lock
	d.nats = owner
	return owner.url, true, nil
}

func (d *Dir) startNATS(ctx context.Context, start StartNATS) (*natsOwner, error) {
	all, err := d.Endpoints()
	if err != nil {
		return nil, err
	}
	// From here to the new entry, nobody takes a killed owner's entry for the truth.
	if err := d.announce("nats", Endpoint{}); err != nil {
		return nil, err
	}
	store, err := d.Folder(PartNATS)
	if err != nil {
		return nil, err
	}
	address, stop, err := start(ctx, store, all.NATS.URL)
	if err != nil {
		return nil, err
	}
	if err := d.announce("nats", Endpoint{URL: address, PID: os.Getpid()}); err != nil {
		return nil, errors.Join(err, stop(ctx))
	}
	return &natsOwner{url: address, stop: stop}, nil
}

// runningNATS is the address of the server that another process runs, if it is up.
func (d *Dir) runningNATS(ctx context.Context) string {
	all, err := d.Endpoints()
	if err != nil || all.NATS.PID == 0 {
		return ""
	}
	if err := syscall.Kill(all.NATS.PID, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return ""
	}
	parsed, err := url.Parse(all.NATS.URL)
	if err != nil {
		return ""
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", parsed.Host)
	if err != nil {
		return ""
	}
	_ = conn.Close() // only whether somebody listens counts
	return all.NATS.URL
}

// standBy waits for the end of the process that runs NATS, and then runs it here.
func (d *Dir) standBy(start StartNATS, address string) {
	ctx := d.background
	for {
		lock, err := filelock.Wait(ctx, d.file("nats.lock"), filelock.Exclusive)
		if ctx.Err() != nil {
			lock.Release()
			return
		}
		var owner *natsOwner
		if err == nil {
			owner, err = d.startNATS(ctx, start)
		}
		if err == nil {
			d.adoptNATS(owner, lock, address)
			return
		}
		lock.Release()
		d.config.Logger.Error("NATS has ended and cannot be started here", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(takeoverPause):
		}
	}
}

// adoptNATS notes that NATS runs here now. Close looks for it when standBy has returned.
func (d *Dir) adoptNATS(owner *natsOwner, lock *filelock.Lock, address string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	owner.lock = lock
	d.nats = owner
	if owner.url != address {
		d.config.Logger.Error("NATS has a new address: restart this program")
		return
	}
	d.config.Logger.Info("NATS was taken over from a process that has ended")
}

// stopNATS stops NATS if it runs here. Its address is kept for the next start.
func (d *Dir) stopNATS(ctx context.Context) error {
	owner := d.nats
	if owner == nil {
		return nil
	}
	d.nats = nil
	err := owner.stop(ctx)
	err = errors.Join(err, d.announce("nats", Endpoint{}))
	owner.lock.Release()
	if err != nil {
		return fmt.Errorf("stop NATS: %w", err)
	}
	return nil
}

// RunningNATS is the address of the NATS server that another process runs on the directory; empty when none does.
// Unlike NATS it starts none and does not stand by for one.
func (d *Dir) RunningNATS(ctx context.Context) string { return d.runningNATS(ctx) }
