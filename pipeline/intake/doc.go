// Package intake reads notes from outside: the bytes of one message, request or
// line become a coding.Note, or an Error that says in one word and one sentence
// why they never can.
//
// It is strict where a mistake would be silent. encoding/json turns invalid
// UTF-8 and lone surrogates into U+FFFD, matches field names without regard to
// case and lets the last of two equal names win; PostgreSQL cannot hold U+0000.
// A note changed on its way in would be coded for what it does not say, and
// evidence offsets would point elsewhere. So intake scans the body itself, once,
// and fails on each of these.
//
// What a field may hold is the contract "A note" of the design. Fields that it
// does not name are skipped, whatever they hold; their syntax must still be JSON
// and UTF-8. Nothing that this package returns as an error holds a value from
// the note, so errors may be logged.
//
// The package touches nothing outside its arguments.
package intake
