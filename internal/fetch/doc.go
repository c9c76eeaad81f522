// Package fetch downloads official code-set releases: the addresses at which
// CMS and NCHS publish them, and a download over HTTPS that goes on where it was
// cut off, stops at a limit of size, and never puts a file in its place that is
// not whole.
//
// It writes files into one folder and nothing else; what the files hold is
// codeset's business.
package fetch
