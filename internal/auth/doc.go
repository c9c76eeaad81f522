// Package auth says who somebody is: local accounts with passwords, sessions
// of browsers, sign-in links of the demo, and bearer tokens of programs.
//
// What is secret stays secret: passwords are kept as argon2id in PHC strings,
// of session and bearer tokens only the SHA-256 is kept, links live in the
// memory of the process alone. A sign-in takes the same work whether or not
// the user exists, and guessing is slowed down by user and by address. Each
// act is entered in the audit trail in the transaction that does it.
//
// The package may touch the accounts through the Store that it declares. It
// knows no SQL and no pages; of net/http it uses only the cookie.
package auth
