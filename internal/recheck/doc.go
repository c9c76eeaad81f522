// Package recheck looks the codes of unfinished items up again when the
// releases that hold on their date of service have changed: a new release came,
// or a corrected one replaced its predecessor.
//
// Each item keeps the name of the releases that its codes were made from or
// looked up in last (items.edition, named by codeset.Releases.Edition). An item is due
// while that is not what holds on its date of service now; there is no queue
// beside that. So it does not matter which process imported, whether a check was
// killed half way, or that a worker stored a note made with the tables of a
// moment before: what is due is found by whoever looks next: the importing
// command, `serve` every few seconds, or the page of the item itself. An item
// whose notes change is due again, because its date may be another one.
//
// A check reads items and code tables as of one moment without locks, and what
// it finds is written only if the item is still as it was read. Suggestions and
// decisions are never changed: what a check has to say is a row of
// release_checks that internal/review lays over them. Finished items are not
// looked at.
//
// Compare, which says what there is to say, is pure. Errors and logs hold no
// note text.
package recheck
