package bus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const noMount = "cannot mount"

// childFull fills the disk under a server, sees that notes are refused, makes
// room, and sees that they are stored again.
func childFull() {
	dir := filepath.Join(os.Getenv("BUS_DIR"), "nats")
	childCheck(os.MkdirAll(dir, 0o700))
	fill, free := limitFiles, unlimitFiles
	if os.Getenv("BUS_HOW") == "mount" {
		if err := errors.Join(syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
			syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m")); err != nil {
			fmt.Println(noMount)
			return
		}
		filler := filepath.Join(dir, "filler")
		fill = func() error { return fillDisk(filler) }
		free = func() error { return os.Remove(filler) }
	}
	e, err := StartEmbedded(EmbeddedConfig{StoreDir: dir, Logger: childLogger()})
	childCheck(err)
	ctx := context.Background()
	b, err := Connect(ctx, Config{URL: e.URL(), Logger: childLogger()})
	childCheck(err)
	childCheck(b.EnsureStreams(ctx))
	send := func(i int) error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		_, err := b.Submit(ctx, Submission{Source: "north", Body: append(body(fmt.Sprint(i)), make([]byte, 256<<10)...)})
		return err
	}
	confirmed := 0
	for ; confirmed < 5; confirmed++ {
		childCheck(send(confirmed))
	}
	childCheck(fill())
	for ; err == nil; confirmed++ {
		if err = send(confirmed); err != nil {
			break
		}
	}
	childCheck(free())
	for end := time.Now().Add(patience); ; {
		if err = send(1_000_000); err == nil {
			break
		}
		if time.Now().After(end) {
			childCheck(fmt.Errorf("notes are not stored again: %w", err))
		}
	}
	// Each confirmed note is there, and the one sent since; those sent in vain
	// may be there too.
	ids := map[string]bool{}
	wctx, cancel := context.WithCancel(ctx)
	go func() {
		for {
			if n, _, err := b.Counts(ctx); err == nil && n == 0 {
				cancel()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	childCheck(b.Work(wctx, WorkConfig{Concurrency: 1}, func(_ context.Context, d Delivery) error {
		ids[string(d.Body[:len(d.Body)-256<<10])] = true
		return nil
	}))
	for i := range confirmed {
		if !ids[string(body(fmt.Sprint(i)))] {
			childCheck(fmt.Errorf("note %d of %d was confirmed and is gone", i, confirmed))
		}
	}
	b.Close()
	e.Shutdown()
	fmt.Println("survived")
}

func fillDisk(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	for size := len(block); size > 0; {
		if _, err := f.Write(block[:size]); err != nil {
			size /= 2
		}
	}
	return f.Close()
}

// limitFiles lets no file grow beyond two megabytes.
func limitFiles() error {
	signal.Ignore(syscall.SIGXFSZ)
	return setFileLimit(2 << 20)
}

func unlimitFiles() error {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
		return err
	}
	return setFileLimit(r.Max)
}

func setFileLimit(n uint64) error {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
		return err
	}
	r.Cur = min(n, r.Max)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r)
}
