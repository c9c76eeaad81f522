package datadir

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"chartcode/internal/filelock"
)

// Endpoint says where a server listens.
type Endpoint struct {
	// URL is the server's address with what is needed to sign in, hence the file's mode.
	URL string `json:"url"`
	// PID is the process that it runs in; 0 when it was stopped. Its address is kept for the next start.
	PID int `json:"pid"`
}

// Endpoints are the servers of a data directory, as endpoints.json has them. A process that was killed leaves
// its entry, so an entry is a hint and no proof that the server runs.
type Endpoints struct {
	Postgres Endpoint `json:"postgres"`
	NATS     Endpoint `json:"nats"`
}

// endpointsTimeout is far longer than anybody holds the lock.
const endpointsTimeout = 5 * time.Second

// Endpoints reads endpoints.json; all is empty when nothing was started yet.
func (d *Dir) Endpoints() (Endpoints, error) {
	var all Endpoints
	content, err := os.ReadFile(d.file("endpoints.json"))
	if os.IsNotExist(err) {
		return all, nil
	}
	if err != nil {
		return all, fmt.Errorf("read where the servers listen: %w", err)
	}
	// It is replaced as a whole, so only a person can have spoilt it. What runs is found without it.
	if err := json.Unmarshal(content, &all); err != nil {
		return Endpoints{}, nil //nolint:nilerr // see above
	}
	return all, nil
}

// announce writes one server's entry. An empty endpoint clears the pid and keeps the address.
func (d *Dir) announce(server string, endpoint Endpoint) error {
	ctx, cancel := context.WithTimeout(context.Background(), endpointsTimeout)
	defer cancel()
	lock, err := filelock.Wait(ctx, d.file("endpoints.lock"), filelock.Exclusive)
	if err != nil {
		return fmt.Errorf("write where the servers listen: %w", err)
	}
	defer lock.Release()
	all, err := d.Endpoints()
	if err != nil {
		return err
	}
	entry := &all.Postgres
	if server == "nats" {
		entry = &all.NATS
	}
	entry.PID = endpoint.PID
	if endpoint.URL != "" {
		entry.URL = endpoint.URL
	}
	content, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("write where the servers listen: %w", err)
	}
	temporary := d.file("endpoints.json.new")
	err = os.WriteFile(temporary, append(content, '\n'), 0o600)
	if err == nil {
		err = os.Rename(temporary, d.file("endpoints.json"))
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return unusable("the disk that holds %s is full: free some space and start again", d.path)
	}
	if err != nil {
		return fmt.Errorf("write where the servers listen: %w", err)
	}
	return nil
}
