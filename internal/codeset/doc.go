// Package codeset reads the official files of the code systems and answers
// questions about a release: which codes there are, which are billable, what
// lies under a header, which texts lead to a code, what the rules of the tabular
// list say, and which release holds on a date of service.
//
// It reads files and nothing else: no database, no network. Content is what one
// file holds; Table is one release in memory; Releases chooses by date.
//
// Files come from outside and may be broken. A reader gives a whole Content or
// an *Error that names file, member and line; it does not guess. Members over
// maxMember bytes, what is not UTF-8 text, document types, entities beyond XML's
// own five and deep nesting are refused.
package codeset
