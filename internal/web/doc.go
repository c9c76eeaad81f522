// Package web serves the pages for people and the JSON API for programs.
//
// Pages are html/template with embedded assets. Everything can be done with
// links and forms alone; the script adds keys, highlighting that follows the
// selection, and acts without a reload, by sending the page's own forms and
// showing the page that comes back. Each form carries a key of its own, so that
// sending it again counts once, and the number of the suggestions that it was
// shown with, so that a decision on changed ones is refused.
//
// Open pages listen to server-sent events, which hold numbers of items and
// nothing else, and ask for themselves anew. What the server did not answer is
// kept in the page's memory and sent again with its key; nothing of a note is
// kept in the browser otherwise. The script is one file for each subject, see
// scriptFiles.
//
// The package talks to internal/auth (who is it), internal/review (worklist,
// items, decisions), internal/codebook (codes), internal/throughput (figures, drawn by
// internal/chart) and to the small interfaces that Config declares. It knows
// no SQL and no NATS.
//
// No note text, name or identifier of a patient appears in a URL, a page's
// title, a log line or a metric; what is searched for among codes stands in the
// URL, which is not logged. Every answer carries a content security
// policy that allows nothing but the page's own files.
package web
