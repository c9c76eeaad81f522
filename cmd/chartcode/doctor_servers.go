package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"chartcode/internal/bus"
	"chartcode/internal/config"
	"chartcode/internal/datadir"
	"chartcode/internal/store"
)

// serverPatience is how long doctor waits for PostgreSQL or NATS.
const serverPatience = 30 * time.Second

// checkConfiguration names the variables that are set, and those that nobody
// reads, which are typing errors more often than not.
func (d *doctor) checkConfiguration() {
	const check = "configuration"
	known := config.Variables()
	set, odd := []string{}, []string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case value == "":
		case slices.Contains(known, name):
			set = append(set, name)
		case strings.HasPrefix(name, "CHARTCODE_") && name != "CHARTCODE_TESTDATA":
			odd = append(odd, name)
		}
	}
	slices.Sort(set)
	slices.Sort(odd)
	found := "no variable is set: everything is local"
	if len(set) > 0 {
		found = "set: " + strings.Join(set, ", ")
	}
	details := map[string]any{"set": set, "unknown": odd}
	switch {
	case d.cfgErr != nil:
		d.fail(check, d.cfgErr.Error(), "mend it and run doctor again; nothing else was checked")
	case len(odd) > 0:
		d.warn(check, found, "nobody reads "+strings.Join(odd, ", ")+": look for a typing error", details)
	case !d.cfg.LLM.Configured() && (d.cfg.LLM.BaseURL != "" || d.cfg.LLM.APIKey != "") && os.Getenv("OPENAI_API_KEY") == "" && os.Getenv("OPENAI_BASE_URL") == "":
		d.warn(check, found, "set CHARTCODE_LLM_MODEL: without it notes are ranked locally and the other CHARTCODE_LLM settings do nothing", details)
	default:
		d.ok(check, found, details)
	}
}

// What a disk should have free: PostgreSQL and NATS stop when it is full.
const (
	freeLeast = 500 << 20
	freeGood  = 5 << 30
)

func (d *doctor) checkDataDirectory(_ context.Context) {
	const check = "data directory"
	if d.cfg.DatabaseURL != "" && d.cfg.NATSURL != "" {
		d.ok(check, "not used: PostgreSQL and NATS are servers of their own", nil)
		return
	}
	path, err := d.dataPath()
	if err != nil {
		d.fail(check, err.Error(), "set CHARTCODE_DATA_DIR")
		return
	}
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		d.warn(check, path+" is not there yet", "the first command that needs it makes it: chartcode demo", map[string]any{"path": path})
		return
	case err != nil || !info.IsDir():
		d.fail(check, path+" is no folder that can be read", "set CHARTCODE_DATA_DIR to one")
		return
	case info.Mode().Perm()&0o002 != 0:
		d.fail(check, "everybody may write to "+path, "chmod 700 it: it holds patient data")
		return
	}
	owner := "somebody"
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		owner = strconv.Itoa(int(st.Uid))
		if u, err := user.LookupId(owner); err == nil {
			owner = u.Username
		}
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(path, &disk); err != nil {
		d.fail(check, "the disk of "+path+" cannot be asked for its free space", "set CHARTCODE_DATA_DIR to a folder on a local disk")
		return
	}
	free := uint64(disk.Bavail) * uint64(disk.Bsize) //nolint:unconvert // the types differ between systems
	found := fmt.Sprintf("%s of %s, %.1f GB free", path, owner, float64(free)/1e9)
	details := map[string]any{"path": path, "owner": owner, "free_bytes": free}
	switch {
	case free < freeLeast:
		d.fail(check, found, "free some space: PostgreSQL and NATS stop when the disk is full")
	case free < freeGood:
		d.warn(check, found, "free some space before it gets full", details)
	default:
		d.ok(check, found, details)
	}
}

// dataPath is the data directory, which may not be there.
func (d *doctor) dataPath() (string, error) {
	if d.cfg.DataDir != "" {
		return filepath.Abs(d.cfg.DataDir)
	}
	return datadir.DefaultPath()
}

// hasPart reports whether the data directory has a part, without making any.
func (d *doctor) hasPart(part datadir.Part) bool {
	path, err := d.dataPath()
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(path, string(part)))
	return err == nil
}

// checkPostgres connects as other commands do, but migrates nothing.
func (d *doctor) checkPostgres(ctx context.Context) {
	const check = "PostgreSQL"
	url, what := d.cfg.DatabaseURL, "that of CHARTCODE_DATABASE_URL"
	if url == "" {
		what = "the private one"
		if !d.hasPart(datadir.PartPostgres) {
			d.warn(check, "there is no private database yet", "the first command that needs it makes it: chartcode demo", nil)
			return
		}
		err := d.openDir(ctx)
		if err == nil {
			url, err = d.dir.Postgres(ctx)
		}
		if err != nil {
			d.fail(check, "the private PostgreSQL does not start: "+err.Error(), "see the cause; a server of your own is named by CHARTCODE_DATABASE_URL")
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	st, err := store.Open(ctx, store.Config{URL: url, Logger: d.log, MaxConns: 8})
	if err != nil {
		do := "check CHARTCODE_DATABASE_URL"
		if errors.Is(err, store.ErrUnavailable) {
			do += " and that PostgreSQL runs and lets this user in"
		}
		d.fail(check, err.Error(), do)
		return
	}
	d.store = st
	server, err := st.Server(ctx)
	if err != nil {
		d.fail(check, err.Error(), "check the server")
		return
	}
	applied, known, err := st.Version(ctx)
	if err != nil {
		d.fail(check, err.Error(), "check the rights of the user on the schema")
		return
	}
	found := fmt.Sprintf("%s, version %s, pgvector %s, %d of %d migrations, works as %s, %.0f MB", what, server.Version, server.Vector, applied, known, server.WorksAs, float64(server.Bytes)/1e6)
	details := map[string]any{"version": server.Version, "pgvector": server.Vector, "migrations_applied": applied, "migrations_known": known,
		"user": server.User, "works_as": server.WorksAs, "bytes": server.Bytes, "max_connections": server.MaxConns, "private": d.cfg.DatabaseURL == ""}
	d.known = applied == known
	switch {
	case server.Vector == "" && server.Offered == "":
		d.fail(check, fmt.Sprintf("%s, version %s, has no pgvector", what, server.Version), "install pgvector on the server; make setup does on this machine")
	case applied > known:
		d.fail(check, found, "it was migrated by a newer chartcode: use that version")
	case applied < known && d.cfg.DatabaseURL != "":
		d.fail(check, found, "run chartcode migrate as the owner of the schema")
	case applied < known:
		d.warn(check, found, "the next start of any other command brings it up to date", details)
	case !server.Limited:
		d.warn(check, found, "let an administrator run GRANT chartcode_app TO the user, so that the program has no more rights than it needs", details)
	default:
		d.ok(check, found, details)
	}
}

func (d *doctor) checkNATS(ctx context.Context) {
	const check = "NATS"
	url, private := d.cfg.NATSURL, d.cfg.NATSURL == ""
	if private {
		if d.hasPart(datadir.PartNATS) && d.openDir(ctx) == nil {
			url = d.dir.RunningNATS(ctx)
		}
		if url == "" {
			d.warn(check, "the embedded server does not run", "it runs with demo, serve, work, or any command that needs it", map[string]any{"embedded": true, "running": false})
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	b, err := bus.Connect(ctx, bus.Config{URL: url, Name: "chartcode doctor", Logger: d.log})
	if err != nil {
		d.fail(check, err.Error(), "start or mend the server")
		return
	}
	d.bus = b
	in, err := b.Inspect(ctx)
	switch {
	case errors.Is(err, bus.ErrNoJetStream):
		d.fail(check, err.Error(), "start it with -js; if it was, its disk may be full")
		return
	case err != nil:
		d.fail(check, err.Error(), "look at the server's log")
		return
	}
	details := map[string]any{"version": in.Version, "max_payload": in.MaxPayload, "embedded": private, "running": true}
	var wrong, missing, has []string
	for _, s := range in.Streams {
		switch {
		case s.Wrong != nil:
			wrong = append(wrong, s.Wrong.Error())
		case s.Missing:
			missing = append(missing, s.Name)
		default:
			has = append(has, fmt.Sprintf("%s %d", s.Name, s.Messages))
			details["messages_"+strings.ToLower(s.Name)] = s.Messages
		}
	}
	for _, c := range in.Consumers {
		switch {
		case c.Missing:
			missing = append(missing, c.Name)
		case c.Different:
			wrong = append(wrong, "consumer "+c.Name+" was changed by somebody")
		default:
			details["waiting_"+c.Name], details["under_way_"+c.Name] = c.Waiting, c.UnderWay
		}
	}
	sync := "how often the server writes to disk cannot be seen from here: see sync_interval in deploy/nats.conf"
	if private {
		sync = "each message is on disk before it is confirmed"
	}
	found := fmt.Sprintf("version %s, JetStream, max_payload %d MiB, %s", in.Version, in.MaxPayload>>20, sync)
	if len(has) > 0 {
		found += ", messages: " + strings.Join(has, ", ")
	}
	switch {
	case len(wrong) > 0:
		d.fail(check, strings.Join(wrong, "; "), "a restart of the workers sets consumers right; streams are an operator's to mend")
	case len(missing) > 0:
		d.warn(check, found, "not there yet, made when serve and work start: "+strings.Join(missing, ", "), details)
	default:
		d.ok(check, found, details)
	}
}
