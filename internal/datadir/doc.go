// Package datadir lets several chartcode processes share one data directory: its private PostgreSQL and
// its embedded NATS server run once, whoever needs them first, and end with the last who used them.
//
// How, with four lock files that the system releases when their holder ends, however it ends:
//
//   - users.lock is held shared by everybody who has the directory open. Who leaves and can then have it
//     exclusively was the last, and stops PostgreSQL, which is a process of its own and needs no owner.
//   - leave.lock makes leaving (and resetting) happen one at a time: of two who leave together, the
//     second is the last.
//   - nats.lock is held exclusively by the process in which NATS runs: it owns the directory's queue.
//     Everybody else who uses NATS stands by for that lock. When the owner ends, by itself or by kill -9,
//     one of them starts NATS again on the same store and address, and clients reconnect.
//   - endpoints.lock is held for the moment in which endpoints.json is rewritten: the file (mode 0600)
//     that says where PostgreSQL and NATS listen, and the process that started each.
//
// After kill -9 of everybody PostgreSQL still runs; the next who opens the directory adopts it. A PostgreSQL
// that is killed itself is started again by everybody who uses it (localpg's own lock lets one do it).
//
// The package touches the data directory and knows neither SQL nor NATS: how to start NATS is given to it.
package datadir
