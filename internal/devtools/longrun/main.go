// Command longrun runs the tests that take minutes, one after the other, and keeps a table of results. A scenario
// is a test in a file with the build tag "long" whose name begins with TestLong. What passed at the present
// commit is not run again, so an interrupted run goes on where it was.
//
//	longrun [-again] [-list] [REGEXP]
//
// It is a tool of the repository and no part of the program.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	again := flag.Bool("again", false, "run what passed at this commit again")
	list := flag.Bool("list", false, "print the scenarios and stop")
	file := flag.String("results", "bin/long-results.tsv", "`file` that keeps the results")
	timeout := flag.Duration("timeout", time.Hour, "longest time for one scenario")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	pattern, err := regexp.Compile(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "longrun:", err)
		os.Exit(2)
	}
	r := runner{dir: ".", file: *file, timeout: *timeout, again: *again, out: os.Stdout}
	good, err := r.run(ctx, pattern, *list)
	if err != nil {
		fmt.Fprintln(os.Stderr, "longrun:", err)
	}
	if err != nil || !good {
		stop()
		os.Exit(1)
	}
}
