// Package codeset reads the official files of the code systems and answers
// questions about a release: which codes there are, which are billable, what
// lies under a header, and which release holds on a date of service.
//
// It reads files and nothing else: no database, no network. Content is what
// one file holds; Table is one release in memory; Releases chooses by date.
package codeset
