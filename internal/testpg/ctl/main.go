// Command ctl starts or stops the PostgreSQL that tests share: `ctl start` before many test binaries ask at
// once, `ctl stop` when they are done.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"chartcode/internal/testpg"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if len(os.Args) != 2 {
		usage()
	}
	var err error
	switch os.Args[1] {
	case "start":
		err = testpg.Start(ctx)
	case "stop":
		var stopped bool
		if stopped, err = testpg.Stop(ctx); err == nil && !stopped {
			fmt.Fprintln(os.Stderr, "the test database is still in use and was left running")
		}
	default:
		usage()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "test database:", err)
		cancel()
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: ctl start|stop")
	os.Exit(2)
}
