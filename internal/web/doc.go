// Package web serves the pages for people and the JSON API for programs.
//
// Pages are html/template with embedded assets and a little plain JavaScript
// that only adds to what forms and links do by themselves. The package talks
// to internal/auth (who is it), internal/review (worklist, items, decisions)
// and to the small interfaces it declares in Config. It knows no SQL and no
// NATS.
//
// No note text, name or identifier of a patient appears in a URL, a page's
// title, a log line or a metric. Every answer carries a content security
// policy that allows nothing but the page's own files.
package web
