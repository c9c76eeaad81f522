// Package report writes an evaluation run as one self-contained HTML file:
// figures with intervals, charts as SVG drawn here, confusion between codes, and
// each note with what was coded and suggested. The file has no script and asks
// nobody for anything: a content security policy in it says so, and filters work
// by CSS alone. Every chart has its numbers in a table. Pages of figures are drawn by
// chartcode/internal/chart; its library does not draw intervals, so this does not use it.
//
// The report holds the notes' texts. It is as confidential as they are.
package report
