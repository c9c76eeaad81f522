package coding

import "time"

// Process is a running process of the program, as it said of itself last.
type Process struct {
	ID          string
	Role        string // work, serve, demo
	Host        string
	PID         int
	Version     string
	StartedAt   time.Time
	SeenAt      time.Time
	StoppedAt   time.Time // zero: it did not say good-bye
	Ranker      string    // of a worker
	Concurrency int       // notes at once; 0: it does not work on notes
	Done        int64     // deliveries since it started
	Jobs        []ProcessJob
}

// ProcessJob is a note that a worker has in hand.
type ProcessJob struct {
	Seq     uint64        `json:"seq"` // its place in the queue
	Stage   string        `json:"stage"`
	Lasted  time.Duration `json:"lasted_ns"` // the stage, until the process was seen: clocks of hosts differ
	Attempt int           `json:"attempt"`
}

// ProcessError is a line of a process's log, without anything but codes.
type ProcessError struct {
	At      time.Time
	Role    string
	Host    string
	Level   string
	Message string
	Detail  string
}

// Intake is whether workers take notes, and who said so. The zero value is how it
// is at first.
type Intake struct {
	Paused bool
	At     time.Time
	By     string // a login
	Reason string
}
